"""English rules, and the rules for languages that have none of their own, on sentences and on our own mails."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from mailbot.core.classify import Kind, Verdict
from mailbot.core.rights import Right
from mailbot.flows.rules_report import evaluate
from mailbot.flows.understand import Understanding
from mailbot.gateway.reading_rules import load_reading_patterns
from mailbot.gateway.resources import shipped
from mailbot.gateway.rulebook import check_examples, load_rulebook

OWN = Path(__file__).parent / "corpus" / "own"


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    folder = shipped("rules")
    return Understanding(rulebook=load_rulebook(folder), patterns=load_reading_patterns(folder))


def judged(understanding: Understanding, text: str, subject: str = "") -> Verdict:
    return understanding.judge_text(subject, text)


PLAIN_REQUESTS = [
    ("access", "Could you tell me what personal data you hold about me?"),
    ("access", "I would like a copy of all the information you have on me."),
    ("access", "what have u got on me"),
    ("access", "This is a subject access request under Article 15 GDPR. Please send me my data."),
    ("access", "Where did you get my phone number from?"),
    ("access", "Who have you shared my details with?"),
    ("access", "May I see the notes your staff have written about me?"),
    ("rectification", "My surname is spelled wrong in your register. Please correct it."),
    ("rectification", "Please update my address in your records: 5 Station Road, Leeds."),
    ("rectification", "You have me down as born in 1965. I was born in 1956, please fix that."),
    ("rectification", "We have moved. Please change our address in your customer register to Elm Street 4."),
    ("erasure", "Please delete my account and everything you have about me."),
    ("erasure", "Kindly erase all my personal information from your system."),
    ("erasure", "Take me off your books."),
    ("erasure", "I want you to forget me."),
    ("erasure", "pls remove all my info from ur database"),
    ("erasure", "Please take down the photo of me from your website."),
    ("erasure", "I no longer want you to keep my CV."),
    ("restriction", "Please freeze my data until the dispute has been settled."),
    ("restriction", "Under Article 18 GDPR I request restriction of processing of my personal data."),
    ("restriction", "Keep my records but do not use them for anything until the court has decided."),
    ("restriction", "Please do not delete my recording, I need it as evidence for my insurance claim."),
    ("register_description", "Where can I read your privacy policy?"),
    ("register_description", "Please send me the register description of your customer register."),
    ("register_description", "What do you do with the data on the form, who can see it and how long do you keep it?"),
    ("portability", "Please give me my data in a machine-readable format so that I can move to another provider."),
    ("portability", "Can you transfer my training history directly to my new app as a CSV file?"),
    ("objection", "Stop sending me marketing emails."),
    ("objection", "I do not want any more sales calls from you."),
    ("objection", "I object to the use of my personal data for direct marketing."),
    ("objection", "Please do not use my purchase history for profiling."),
    ("objection", "Take me off your mailing list."),
    ("consent_withdrawal", "I withdraw my consent to the use of my photograph."),
    ("consent_withdrawal", "I gave you permission to publish my story, but I have changed my mind and take it back."),
    ("consent_withdrawal", "I no longer agree to you sharing my results with the university."),
]


@pytest.mark.parametrize(("right", "text"), PLAIN_REQUESTS)
def test_a_plain_request_is_recognised_with_its_right(understanding: Understanding, right: str, text: str) -> None:
    """One plain sentence is enough for a request, and its right is named."""
    verdict = judged(understanding, text)
    assert verdict.kind is Kind.REQUEST
    assert Right(right) in verdict.rights


@pytest.mark.parametrize(("right", "text"), PLAIN_REQUESTS)
def test_capitals_change_nothing(understanding: Understanding, right: str, text: str) -> None:
    """Who types in capitals is understood as well."""
    assert judged(understanding, text.upper()).rights == judged(understanding, text).rights
    assert Right(right) in judged(understanding, text.upper()).rights


LOOK_ALIKES = [
    "Please delete the account of Jonas Lind, he left on Friday.",
    "Can you delete line 3 from the invoice and send it again?",
    "I cannot access my account, the password does not work.",
    "Please correct the price in the offer.",
    "Please remove one licence from our subscription.",
    "How do I delete the files from the old server?",
    "The website is blocked by our firewall, can you remove the restriction?",
    "Please send me a copy of the receipt for order 40118.",
    "Send me the price list as a CSV file.",
    "My account is locked, please unlock it.",
    "Could you put the order on hold until Monday?",
    "We have updated our privacy policy. No action is needed from you.",
    "Join our free webinar: how to answer access and erasure requests under the GDPR.",
    "You can withdraw your consent at any time.",
    "Please call me back about the offer.",
    "The parcel went to the wrong address, please deliver it again.",
    "Please do not delete the backups before the audit.",
    "If you have received this message in error, please delete it.",
    "My access card does not open the door.",
    "I want to transfer my phone number to you from another operator.",
    "I want to keep my number when I change operator, please port it.",
    "More information about the offer? I'd like to see your price list.",
    "Please fill in the attached supplier questionnaire on data protection by Friday.",
    "I need access to the reporting system, could you give me rights?",
    "Could you delete the test accounts we made last week?",
    "Please remove two users from our licence.",
    "The name of our company has changed, please update the contract.",
    "I typed my meter reading wrong, it should be 5512.",
    "Please change the contact person in the quotation to Ms Berg.",
    "The name plate on our door is wrong, it should be Berg.",
    "Your list says the table is in stock, but it is not.",
    "We have moved to a new office, please deliver to the new address from Monday.",
    "I object to the price increase.",
    "We cancel our consent to the extension of the deadline.",
    "I asked you to delete my account last month and you did, thank you.",
    "Chuck the old printer, please.",
    "You may stop sending me the bills on paper and send them by e-mail instead.",
]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_what_only_looks_like_a_request_opens_no_ticket(understanding: Understanding, text: str) -> None:
    """The words of the rights in other matters do not make a request."""
    assert judged(understanding, text).kind is not Kind.REQUEST


SEVERAL_RIGHTS = [
    ({"access", "erasure"}, "Please tell me what you have on me and then delete it."),
    ({"access", "rectification"}, "I'd like to see my file, and my birth date in it is wrong, please correct it."),
    ({"access", "objection"}, "Where did you get my number? Don't ring me again."),
    ({"erasure", "objection"}, "Delete my account and stop sending me adverts."),
    (
        {"rectification", "restriction"},
        "The debt isn't mine. Correct the entry and until then don't show it to anyone.",
    ),
    ({"consent_withdrawal", "erasure"}, "I withdraw my consent to the photos. Please delete those you have."),
    ({"access", "register_description"}, "Send me a copy of my data and your privacy policy."),
    (
        {"portability", "erasure"},
        "Send me my data as a CSV file for my new provider and then delete my account.",
    ),
    ({"access"}, "I don't want anything deleted, I only want to see my data."),
    ({"erasure"}, "Please don't correct anything, just delete my account."),
    ({"rectification"}, "Please do not remove me from the list, just fix my address in your register."),
]


@pytest.mark.parametrize(("rights", "text"), SEVERAL_RIGHTS)
def test_every_right_asked_for_is_named_and_no_other(understanding: Understanding, rights: set[str], text: str) -> None:
    """Of two wishes in one mail neither is lost, and what is refused is not asked for."""
    verdict = judged(understanding, text)
    assert verdict.kind is Kind.REQUEST
    assert {str(right) for right in verdict.rights} == rights


TOLD_WITHOUT_CORRECT = [
    "According to your portal my nationality is Swedish. It is Finnish.",
    "You have registered me as a company. I am a private person.",
    "I'm listed as a smoker. I've never smoked in my life.",
    "Your letters keep coming to Mrs Holt. I have been Ms Brennan since April.",
    "I don't live at Fern Close any more, please send the bills to 8 Abbey Walk.",
    "Please note that our family has moved to Oak Street 7.",
    "In the staff list I'm born in 1947. It should be 1974.",
    "I got married and my surname is now Lindqvist. Could you note that?",
    "Your lass says my discount has stopped because I'm dead. I'm typing this myself.",
    "You have mixed me up with another Theo Lansing. Pull us apart, please.",
    "My surname got cut off in your system, it's Papadopoulos.",
]


@pytest.mark.parametrize("text", TOLD_WITHOUT_CORRECT)
def test_a_correction_is_recognised_from_what_the_records_say_and_what_is_so(
    understanding: Understanding, text: str
) -> None:
    """Who tells what is on record and what is true asks for rectification, with or without the word "correct"."""
    verdict = judged(understanding, text)
    assert verdict.kind is Kind.REQUEST
    assert Right.RECTIFICATION in verdict.rights


EVERYDAY_REQUESTS = [
    ("access", "Who has been looking at my medical file?"),
    ("access", "Please let me know which of my details are in your database."),
    ("access", "I was refused credit by your firm. Which of my data did you use?"),
    ("access", "What did your technician put down about me?"),
    ("access", "I left my number at your counter. Who've you passed it to?"),
    ("erasure", "Nothing about me should be left in your system."),
    ("erasure", "I want to be removed from your customer database."),
    ("erasure", "Can you please forget I was ever your customer?"),
    ("restriction", "You are still thinking about my objection. While you think: hands off my file."),
    ("restriction", "I dispute the debt. While you investigate, please do not report it to anyone."),
    ("register_description", "Where is it explained what data your smart meters collect?"),
    ("register_description", "May I ask what your rules are about keeping data of visitors?"),
    ("portability", "I want to take my playlists with me to another service."),
    ("portability", "Everything I've entered since 2018 should come with me as a file other programs open."),
    ("objection", "Give it a rest with the promotional emails."),
    ("objection", "Please tell your salespeople to lose interest in me."),
    ("consent_withdrawal", "I've changed my mind: you may no longer publish my story."),
    ("consent_withdrawal", "I said yes to my photo with the prize. I say no now."),
]


@pytest.mark.parametrize(("right", "text"), EVERYDAY_REQUESTS)
def test_everyday_words_name_the_right(understanding: Understanding, right: str, text: str) -> None:
    """A request in everyday words, without a term of the law, is a request for that right alone."""
    verdict = judged(understanding, text)
    assert verdict.kind is Kind.REQUEST
    assert verdict.rights == (Right(right),)


AGENTS = [
    ("access", "As attorney for Ms Smith we request all records concerning her."),
    ("access", "We represent Mr Olsen. Kindly provide us with his complete data within one month."),
    ("access", "We act for Ms Orme; her authority is attached. Our client wishes to see what you hold on her."),
    ("erasure", "On behalf of our client Mrs Lamb we request you to delete all data you hold on her."),
    ("erasure", "I'm the executor of Angus Reid. Please close everything in his name and keep none of it."),
]


@pytest.mark.parametrize(("right", "text"), AGENTS)
def test_an_agent_asks_for_the_person_they_act_for(understanding: Understanding, right: str, text: str) -> None:
    """A request for somebody else by who may act for them is that right, and staff see the flag."""
    verdict = judged(understanding, text)
    assert verdict.kind is Kind.REQUEST
    assert Right(right) in verdict.rights
    assert {"agent", "deceased"} & set(verdict.flags)


BREACHES = [
    "I have received an invoice that belongs to another customer.",
    "Someone else's medical report was in my envelope.",
    "You sent my payslip to the wrong person.",
    "When I log in I see other people's orders.",
]


@pytest.mark.parametrize("text", BREACHES)
def test_mail_that_went_astray_is_a_breach_report(understanding: Understanding, text: str) -> None:
    """Whoever holds somebody else's papers, or whose papers somebody else holds, reaches a person, without a right."""
    verdict = judged(understanding, text)
    assert "breach" in verdict.flags
    assert verdict.kind is Kind.UNSURE
    assert verdict.rights == ()


def test_a_negated_act_is_not_asked_for(understanding: Understanding) -> None:
    """Who writes "do not delete, correct it" asks for correction and not for erasure."""
    rights = judged(understanding, "Do not delete my details, just correct my address in your register.").rights
    assert Right.RECTIFICATION in rights
    assert Right.ERASURE not in rights


def test_either_or_carries_both_rights(understanding: Understanding) -> None:
    """A correction with erasure as its alternative is both."""
    rights = judged(
        understanding, "My address in your register is wrong. Either correct it or delete my details."
    ).rights
    assert {Right.RECTIFICATION, Right.ERASURE} <= set(rights)


def test_a_copy_first_and_erasure_then_are_two_rights(understanding: Understanding) -> None:
    """Both steps of a request in two steps are named."""
    rights = judged(
        understanding, "Send me a copy of everything you have about me, and after that delete it all."
    ).rights
    assert {Right.ACCESS, Right.ERASURE} <= set(rights)


def test_a_request_taken_back_opens_no_ticket(understanding: Understanding) -> None:
    """Who takes a request back does not make one."""
    text = "I wrote yesterday that you should delete my account. Never mind, I am staying."
    assert judged(understanding, text).kind is not Kind.REQUEST


def test_evidence_stands_in_the_mail_itself(understanding: Understanding) -> None:
    """The words shown as evidence are the mail's own, at the place that is told."""
    subject, body = "Hello", "Thanks for everything. Now please delete my data."
    reading = f"{subject}\n{body}"
    evidence = [item for item in judged(understanding, body, subject).evidence if item.right == "erasure"]
    assert evidence
    assert all(reading[item.start : item.end] == item.text for item in evidence)


FOREIGN_REQUESTS = [
    ("de", "erasure", "Bitte löschen Sie alle meine Daten aus Ihrem System. Danke."),
    ("de", "access", "Hiermit bitte ich um Auskunft nach Art. 15 DSGVO über die zu meiner Person gespeicherten Daten."),
    ("de", "objection", "Ich möchte von Ihnen keine Werbung mehr bekommen."),
    ("de", "register_description", "Wo finde ich bitte Ihre Datenschutzerklärung?"),
    ("nb", "access", "Jeg ber om innsyn i opplysningene dere har lagret om meg."),
    ("nb", "erasure", "Kan dere slette kontoen min og alle opplysninger om meg?"),
    ("da", "erasure", "Jeg vil gerne have slettet mine oplysninger hos jer."),
    ("da", "consent_withdrawal", "Jeg trækker mit samtykke til billederne tilbage."),
    ("et", "access", "Palun saatke mulle koopia minu isikuandmetest, mis teil minu kohta on."),
    ("et", "erasure", "Palun kustutage kõik minu andmed."),
    ("fr", "erasure", "Je vous demande de supprimer mon compte et mes données personnelles."),
    ("es", "access", "Quiero saber qué datos personales tienen sobre mí."),
    ("it", "erasure", "Vi chiedo la cancellazione dei miei dati personali."),
    ("pl", "erasure", "Proszę o usunięcie moich danych osobowych."),
    ("ru", "access", "Прошу сообщить, какие мои персональные данные вы обрабатываете."),
    ("uk", "erasure", "Прошу видалити мої персональні дані."),
    ("nl", "access", "Graag ontvang ik een overzicht van mijn persoonsgegevens."),
    ("ar", "erasure", "أرجو حذف بياناتي الشخصية من نظامكم."),
    ("nb", "erasure", "Vennligst få slettet alle personopplysninger dere har om meg."),
    ("nb", "erasure", "Jeg er ikke kunde lenger, slett profilen min."),
    ("nb", "access", "Hvem har dere gitt nummeret mitt til?"),
    ("nb", "rectification", "Jeg heter Hansen nå, ikke Olsen. Endre det i systemet."),
    ("nb", "register_description", "Hva bruker dere opplysningene til, hvem ser dem og hvor lenge lagres de?"),
    ("da", "erasure", "Fjern venligst mit navn fra jeres kartotek."),
    ("da", "rectification", "Jeg er flyttet til Nørregade 3, vil I rette det?"),
    ("da", "restriction", "Spær mine oplysninger, indtil sagen er afgjort."),
    ("de", "erasure", "Ich will nicht, dass Sie meine Daten weiter speichern."),
    ("de", "access", "An wen haben Sie meine Daten weitergegeben?"),
    ("de", "access", "Im Namen meines Mandanten fordere ich alle Angaben, die Sie zu ihm führen. Vollmacht anbei."),
    ("de", "rectification", "Meine Telefonnummer hat sich geändert, die neue lautet 0171 000 000."),
    ("fr", "erasure", "Je ne veux plus figurer dans votre fichier."),
    ("fr", "access", "À qui avez-vous transmis mes coordonnées ?"),
    ("fr", "rectification", "Je m'appelle maintenant Dubois, veuillez modifier."),
    ("fr", "restriction", "N'utilisez pas mes données tant que le litige n'est pas réglé."),
    ("et", "erasure", "Võtke minu pilt kodulehelt maha."),
    ("et", "rectification", "Teil on minu sünniaeg vale."),
    ("et", "access", "Kellele te minu andmeid edastanud olete?"),
    ("ru", "erasure", "Я больше не ваш клиент, удалите мой профиль."),
    ("ru", "objection", "Уберите меня из рассылки."),
    ("de", "objection", "Nehmen Sie mich aus dem Verteiler."),
    ("de", "access", "Ich möchte die Aufnahme meines Anrufs hören."),
    ("de", "rectification", "Ihre Briefe gehen immer noch an meine alte Adresse."),
    ("lv", "erasure", "Lūdzu, dzēsiet manus datus."),
    ("lt", "erasure", "Prašau ištrinti mano duomenis."),
]


@pytest.mark.parametrize(("language", "right", "text"), FOREIGN_REQUESTS)
def test_a_request_in_another_language_is_never_dropped(
    understanding: Understanding, language: str, right: str, text: str
) -> None:
    """Words of a right in a language without rules of its own reach a person, with the right named."""
    verdict = judged(understanding, text)
    assert verdict.kind is not Kind.NOT_REQUEST
    assert Right(right) in verdict.rights
    assert verdict.language == language


FOREIGN_ORDINARY = [
    "Guten Tag, wann kommt die Ware aus Auftrag 7710? Der Kunde wartet.",
    "Wir suchen Lagerhelfer (m/w/d). Informationen zum Datenschutz finden Sie auf unserer Website. Bewirb dich jetzt!",
    "Kurs: GDPR og innsynskrav. Lær å besvare krav om sletting. Meld deg av nyhetsbrevet her.",
    "Kan I give en ny dato for ordre 5519?",
    "Kas te tarnite ka Tallinnasse ja kas hind on käibemaksuta?",
    "Bonjour, merci de supprimer la ligne 2 du devis et de le renvoyer.",
    "Предлагаем актуальную базу: 120 000 компаний, телефоны и адреса. Скидка до пятницы.",
    "Leveringsadressen på ordre 22 er feil, det skal være Storgata 4.",
    "Kan I slette brugeren Hansen, han er stoppet.",
    "Bitte löschen Sie die zweite Bestellung, ich habe doppelt bestellt.",
    "Unser Büro ist umgezogen, bitte liefern Sie an die neue Adresse.",
    "Ich habe mein Passwort vergessen und komme nicht in mein Konto.",
    "Im Auftrag von Herrn Lang bitte ich um ein Angebot.",
    "Pouvez-vous corriger l'adresse de livraison de la commande ?",
    "Kas saaksite serverist vanad failid kustutada?",
    "Удалите старые файлы с сервера.",
]


def test_asking_to_erase_what_you_have_is_no_access_request(understanding: Understanding) -> None:
    """ "All that you have about me" says what to erase; it asks for no copy."""
    text = "Vennligst få slettet alle personopplysninger dere har om meg."
    assert judged(understanding, text).rights == (Right.ERASURE,)


FOREIGN_BREACHES = [
    "Guten Tag, ich habe die Rechnung eines anderen Kunden bekommen.",
    "Hei, jeg fikk en annen kundes faktura i posten.",
    "Bonjour, j'ai reçu la facture d'un autre client.",
    "Tere, sain teise kliendi arve.",
    "Здравствуйте, мне пришёл чужой счёт другого клиента.",
]


@pytest.mark.parametrize("text", FOREIGN_BREACHES)
def test_a_breach_report_in_another_language_reaches_a_person(understanding: Understanding, text: str) -> None:
    """Somebody else's papers in the wrong hands are flagged whatever the language."""
    verdict = judged(understanding, text)
    assert "breach" in verdict.flags
    assert verdict.kind is Kind.UNSURE


@pytest.mark.parametrize("text", FOREIGN_ORDINARY)
def test_ordinary_mail_in_another_language_opens_no_ticket(understanding: Understanding, text: str) -> None:
    """Orders, courses and advertisements in other languages are no requests."""
    assert judged(understanding, text).kind is not Kind.REQUEST


def test_every_rule_obeys_its_own_examples() -> None:
    """Rules of English and of the other languages fire in their `yes` and stay silent in their `no`."""
    problems = check_examples(load_rulebook(shipped("rules")))
    assert [problem for problem in problems if problem.startswith(("en.", "other."))] == []


def test_english_rules_keep_their_level_on_our_own_mails(understanding: Understanding) -> None:
    """On our first English mails, which the rules were written on, they alone miss few and open few false tickets."""
    report = evaluate(sorted(OWN.glob("en-[0-9]*.jsonl")), understanding, language="en")
    assert len(report.judged) >= 400
    assert report.macro_f1() >= 0.83
    assert report.share(lambda item: item.missed, lambda item: item.mail.request) <= 0.10
    assert report.share(lambda item: item.false, lambda item: not item.mail.request) <= 0.04


def test_no_request_in_another_language_of_ours_is_dropped(understanding: Understanding) -> None:
    """Of our first foreign mails, which the rules were written on, no request is dropped and no other is a ticket."""
    report = evaluate(sorted(OWN.glob("other-[0-9]*.jsonl")), understanding)
    assert [item.mail.id for item in report.judged if item.missed] == []
    assert [item.mail.id for item in report.judged if item.false] == []


@pytest.mark.parametrize(
    "path", sorted([*OWN.glob("en-*.jsonl"), *OWN.glob("other-*.jsonl")]), ids=lambda path: path.stem
)
def test_our_own_mails_are_well_formed(path: Path) -> None:
    """Ids are unique, labels are rights, a request is a mail with labels, and addresses lie in example domains."""
    mails = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert max(Counter(mail["id"] for mail in mails).values()) == 1
    for mail in mails:
        assert set(mail["labels"]) <= {str(right) for right in Right}
        assert mail["request"] == bool(mail["labels"])
        domain = mail["from"].rsplit("@", 1)[1].rstrip(">")
        assert re.search(r"(^|\.)(example|example\.(com|net|org|edu))$", domain)
