"""The Swedish rules on sentences as people write them in Finland and in Sweden, and on the labelled mails."""

import json
from functools import cache
from pathlib import Path

import pytest

from mailbot.core.classify import Kind, Verdict, read_by_rules
from mailbot.core.rights import Right
from mailbot.flows.rules_report import Report, evaluate, lines
from mailbot.flows.understand import Understanding
from mailbot.gateway.reading_rules import load_reading_patterns
from mailbot.gateway.resources import shipped
from mailbot.gateway.rulebook import load_rulebook

OWN = Path(__file__).parent / "corpus" / "own"
BATCHES = sorted(OWN.glob("sv-*.jsonl"))


@cache
def understanding() -> Understanding:
    """The shipped rules alone, without the second reader."""
    return Understanding(rulebook=load_rulebook(shipped("rules")), patterns=load_reading_patterns(shipped("rules")))


@cache
def report() -> Report:
    """The formal and the flat batch of our own."""
    return evaluate([OWN / "sv-06.jsonl", OWN / "sv-07.jsonl"], understanding(), language="sv")


def judged(body: str, subject: str = "") -> Verdict:
    """The verdict of the rules."""
    return understanding().judge_text(subject, body)


def named(body: str) -> set[str]:
    """The rights that the Swedish rules name in a sentence, whatever language is guessed."""
    rules = understanding().rulebook.languages["sv"]
    return {str(right) for right, score in read_by_rules(body, rules).scores.items() if score >= 0.6}


@pytest.mark.parametrize(
    ("body", "rights"),
    [
        ("Vad har ni för uppgifter om mig?", "access"),
        ("va vet ni om mej", "access"),
        ("sku vara bra att få se allt ni har antecknat om oss", "access"),
        ("finns de nå sparat om mej hos er? i så fall va", "access"),
        ("JAG VILL VETA VILKA UPPGIFTER NI HAR OM MIG", "access"),
        ("Hej jag vill ha mina papper vad ni har av mig i datorn. Alla.", "access"),
        ("Jag begär registerutdrag.", "access"),
        ("Hur har ni fått tag på min adress egentligen?", "access"),
        ("Har någon hos er lämnat ut mitt nummer och i så fall till vem?", "access"),
        ("Jag vill veta vem som har öppnat min journal.", "access"),
        ("Kan jag få en lista på när mitt konto har använts?", "access"),
        ("Jag skulle behöva få inspelningen av samtalet.", "access"),
        ("Radera mina uppgifter.", "erasure"),
        ("kan ni raddera mina upgifter", "erasure"),
        ("Glöm mig.", "erasure"),
        ("Stryk mig ur rullorna.", "erasure"),
        ("Jag onskar att ni raderar alla mina uppgifter fran ert system.", "erasure"),
        ("jag vill int vara kund mer å ni får gärna ta bort alla mina uppgifter", "erasure"),
        ("Kan ni ta mina uppgifter bort?", "erasure"),
        ("Ni har min personbeteckning i systemet, det behövs inte. Ta bort den.", "erasure"),
        ("Jag tycker inte att ni ska ha kvar mina lönebesked.", "erasure"),
        ("Det finns ingen anledning att ni har kvar mig i systemet.", "erasure"),
        ("Mitt efternamn är felstavat i ert system, det står Peterson med ett s.", "rectification"),
        ("Mitt nya telefonnummer är 050 000 7788, uppdatera era uppgifter tack.", "rectification"),
        ("I registret är jag fru. Jag är herre. Ändra.", "rectification"),
        ("fel mejl i ert register, rätt är jp.laurent@example.net", "rectification"),
        ("Radera inte mina uppgifter, rätta dem.", "rectification"),
        ("Begränsa användningen av mina kunduppgifter tills reklamationen är avgjord.", "restriction"),
        ("Så länge utredningen pågår ska mina uppgifter spärras.", "restriction"),
        ("Låt mina uppgifter vara kvar men använd dem inte till något innan ni hör av er.", "restriction"),
        ("Förstör inte loggarna ännu. Jag behöver dem i en rättegång.", "restriction"),
        ("Kan ni skicka er registerbeskrivning?", "register_description"),
        ("Länken till dataskyddspolicyn fungerar inte. Kan ni mejla den?", "register_description"),
        ("Skicka det där pappret om hur kundregistret sköts.", "register_description"),
        ("Har ni rekisteriseloste på svenska?", "register_description"),
        ("Kan ni skicka mina träningsdata i ett format som min nya app kan läsa?", "portability"),
        ("Jag vill att mina uppgifter överförs till min nya leverantör.", "portability"),
        ("Jag undanber mig all direktmarknadsföring.", "objection"),
        ("Sluut ring hit.", "objection"),
        ("Jag motsätter mig att ni profilerar mig.", "objection"),
        ("Inga fler reklamblad tack!", "objection"),
        ("Jag återkallar mitt samtycke.", "consent_withdrawal"),
        ("Ja tar tillbaka lovet.", "consent_withdrawal"),
        ("Jag samtycker inte längre till att mitt kort sparas.", "consent_withdrawal"),
        ("Skicka först en kopia av mina uppgifter och radera sedan alltihop.", "access erasure"),
        ("Rätta adressen eller ta bort mig helt.", "erasure rectification"),
    ],
)
def test_a_request_is_named(body: str, rights: str) -> None:
    """Every way of asking leads to the right that is asked for, and to no other."""
    assert named(body) == set(rights.split())


@pytest.mark.parametrize(
    "body",
    [
        "Jag heter inte Patrik utan Petra.",
        "ja heiter Börje å int Birger",
        "Mitt efternamn är Holm, inte Holmberg.",
        "jag ar fodd 1957 inte 1975",
        "Ni skriver Karlsson med K men jag stavar med C.",
        "Rätt stavning av mitt namn är Thérèse.",
        "Telefonnumret ni har till mig är gammalt. Det nya är 050 000 1234.",
        "Posten går till min gamla adress. Jag bor på Ringvägen 3 nu.",
        "Jag har fått nytt efternamn, Lund.",
        "Ni kallar mig herr Nyman. Jag är en kvinna.",
        "Ni tror att jag är 90. Jag är 80.",
        "Enligt er är jag död. Jag lever.",
        "Det står i er journal att jag röker. Det har jag aldrig gjort.",
        "Betalningsanmärkningen är inte min utan min brors.",
        "Jag är inte diabetiker som det står i era papper.",
        "Ta inte bort mig, ändra bara adressen till Storgatan 2.",
    ],
)
def test_what_is_so_and_not_so_is_a_correction(body: str) -> None:
    """Who tells that something about them is otherwise asks for rectification, without the word."""
    assert named(body) == {"rectification"}


@pytest.mark.parametrize(
    "body",
    [
        "Rätta stavfelet på skylten, det ska vara Café med accent.",
        "Offerten ska vara på 120 och inte 210.",
        "Jag skrev fel i mitt förra mejl, mötet är på tisdag.",
        "Rätta deltagarantalet till 14, jag räknade fel.",
        "Leverera till min nya adress Storgatan 1 på fredag.",
        "I protokollet står det fel om taket, ändra det.",
        "Jag är inte hemma på fredag.",
        "Det står på skärmen att jag inte är inloggad.",
        "Enligt er faktura har jag köpt tre, men jag köpte två.",
        "Hur stavas ert domännamn?",
        "Min adress är inte svår att hitta, sväng vänster.",
        "Jag står som sista punkt på agendan, ändra det till första.",
        "Enligt er har jag förlorat garantin, det stämmer inte.",
        "Ni har fel pris på er hemsida, jag köpte för 20.",
    ],
)
def test_other_corrections_are_nobodys_data(body: str) -> None:
    """Orders, invoices, signs, minutes and one's own slips are corrected without a ticket."""
    assert named(body) == set()


@pytest.mark.parametrize(
    ("body", "rights"),
    [
        ("Jag vill inte ha kontot kvar.", "erasure"),
        ("Låt inte mina grejer ligga kvar hos er.", "erasure"),
        ("Jag är inte kund längre så ni behöver inte spara något om mig.", "erasure"),
        ("Gör er av med allt ni har om mig.", "erasure"),
        ("Mitt gamla konto kan ni slopa.", "erasure"),
        ("Jag vill få mina uppgifter raderade.", "erasure"),
        ("Jag hör att det finns en anmärkning på mig. Den vill jag se.", "access"),
        ("Jag har hemligt nummer. Hur fick ni tag på det?", "access"),
        ("Har ni nånting om mig kvar sen 2015?", "access"),
        ("Ni har filmat mig i butiken. Jag vill se den filmen.", "access"),
        ("Kan ni skriv ut e åt me va som står om me?", "access"),
        ("Jag vill veta varför jag nekades kredit och vilka uppgifter ni tittade på.", "access"),
        ("jag vill se mina uppgiffter", "access"),
        ("Hur länge sparar ni inspelningarna och vem får se dem?", "register_description"),
        ("Vad används uppgifterna i formuläret till?", "register_description"),
        ("Innan jag registrerar mig vill jag veta vad uppgifterna används till.", "register_description"),
        ("Vem är personuppgiftsansvarig hos er?", "register_description"),
        ("Vad innehåller min personalakt?", "access"),
        ("Jag begär ut samtliga handlingar i mitt ärende.", "access"),
        ("Hur sköts medlemsregistret hos er och vem har hand om det?", "register_description"),
        ("Till vilka länder skickas uppgifterna och på vilken rättslig grund?", "register_description"),
        ("Lämna inga spår av mig i systemet.", "erasure"),
        ("Det står Herr på kuvertet. Jag är fru.", "rectification"),
        ("Ni har glömt mitt andra efternamn.", "rectification"),
        ("Jag byter app. Hur får jag med mig mina recept?", "portability"),
        ("Delar ni kundernas uppgifter med andra företag? Var kan man läsa om det?", "register_description"),
        ("Jag letar efter texten om dataskydd men hittar bara en trasig länk.", "register_description"),
        ("Jag vill se hela konversationen mellan mig och er kundtjänst.", "access"),
        ("Jag misstänker att någon har snokat i min journal. Visa mig loggen.", "access"),
        ("Ni skickade kallelsen till Lena Berg, men jag heter Lena Borg.", "rectification"),
        ("Sista siffran i min personbeteckning är K, ni har R.", "rectification"),
        ("Ni får skriva när det gäller min reparation men inget annat.", "objection"),
        ("Bocka ur rutan där jag godkände att ni delar mina uppgifter.", "consent_withdrawal"),
        ("Jag vill inte ha fler mejl från er.", "objection"),
        ("Försäljare behöver inte ringa hit.", "objection"),
        ("Sluta gissa saker om mig.", "objection"),
        ("Mitt ja gäller inte längre.", "consent_withdrawal"),
        ("Ni får inte läsa min puls mera.", "consent_withdrawal"),
        ("Räkna mitt ja som ett nej.", "consent_withdrawal"),
    ],
)
def test_everyday_words_ask_as_well(body: str, rights: str) -> None:
    """Idioms, dialect and questions without the words of the law name the right that is meant."""
    assert named(body) == set(rights.split())


@pytest.mark.parametrize(
    ("body", "rights"),
    [
        ("Skicka mig först allt ni har om mig och ta sedan bort det.", "access erasure"),
        ("Jag vill läsa vad ni har om mig. När jag läst det kan ni göra er av med alltihop.", "access erasure"),
        ("Uppgiften om min skuld är fel, rätta den. Visa den inte för någon innan det är gjort.",
         "rectification restriction"),
        ("Jag vill ha en kopia av dokumentet om mig. Tills tvisten är avgjord får ni inte dela det.",
         "access restriction"),
        ("Mitt namn är felstavat, det är Ekström. Och skicka inte fler reklambrev.", "rectification objection"),
        ("Var fick ni min adress? Sluta skicka reklam.", "access objection"),
        ("Skicka er registerbeskrivning och allt ni har om mig.", "access register_description"),
    ],
)  # fmt: skip
def test_a_second_right_is_not_lost(body: str, rights: str) -> None:
    """Two things asked in one mail are both named."""
    assert named(body) == set(rights.split())


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ("Som ombud för Stina Holm begär vi ut alla handlingar som rör henne.", Right.ACCESS),
        ("Som ombud för Maria Lind ber vi er radera hennes uppgifter.", Right.ERASURE),
    ],
)
def test_an_agent_asks_for_somebody(body: str, right: Right) -> None:
    """Who asks by proxy asks for the same right, and is flagged."""
    assert str(right) in named(body)
    assert "agent" in judged(body).flags


@pytest.mark.parametrize(
    "body",
    [
        "Inga fler möten den här veckan tack.",
        "Skicka inga fler varor, hyllan är full.",
        "Ring mig inte på förmiddagen, jag sover då.",
        "Larmet ringer hela natten, få slut på det.",
        "Kasta inte lådorna, vi behöver dem i flytten.",
        "Skicka mig allt ni har om värmepumpar.",
        "Jag vill läsa vad ni skrivit i offerten.",
        "Radera lagringen på min telefon, jag ska sälja den.",
        "Ta bort allt från skrivbordet på min dator.",
        "Använd inte min parkeringsplats medan jag är bortrest.",
        "Vem har lämnat paketet utanför min dörr?",
        "Bocka ur rutan för hemleverans, jag hämtar själv.",
        "Till vilka länder skickar ni varor?",
        "Vi byter operatör och vill ta med oss numret.",
        "Jag vill bli lämnad vid stationen.",
        "Ni har gjort mig glad i er butik.",
        "Spärra kortet tills jag hittat plånboken.",
        "Kan ni flytta mina filer till den nya datorn?",
        "Skriver ni integritetspolicyer åt småföretag?",
        "Vi behöver en registerbeskrivning till vår förening, kan ni göra en?",
        "Tack för att ni tog bort mina uppgifter så snabbt!",
        "Stryk mig från deltagarlistan till julfesten.",
        "Får jag hämta mina papper på torsdag?",
        "Mer information om offerten? Jag skulle vilja se prislistan.",
        "Ta bort testkontot.",
    ],
)
def test_look_alikes_name_no_right(body: str) -> None:
    """Goods, meetings, files, others' duties and thanks use the same words and ask for nothing."""
    assert named(body) == set()


@pytest.mark.parametrize(
    "body",
    [
        "Vi har fel i faktureringen, kan ni rätta till det?",
        "Kan ni radera loggfilerna på servern, disken är full.",
        "Radera det förra mejlet, jag skickade fel bilaga.",
        "Ta bort snön från parkeringen.",
        "Kan ni ändra leveransadressen på order 4411?",
        "Min dator är låst, kan ni låsa upp den?",
        "Jag har slutat få ert nyhetsbrev, lägg gärna till mig igen.",
        "Vilka uppgifter behöver ni för att teckna avtalet?",
        "Bifogat registerutdrag från Bolagsverket enligt överenskommelse.",
        "Vi har uppdaterat vår integritetspolicy. Du behöver inte göra något.",
        "Använd inte hissen förrän montören varit här.",
        "Hur exporterar jag kundlistan till excel?",
        "Jag ångrar köpet och vill ha pengarna tillbaka.",
        "Går det att begränsa antalet inloggningar?",
        "kan inte på torsdag så ta bort mig från mötesinbjudan",
        "ta bort mig från nyhetsbrevet tack",
        "Den andra adressen på fakturan är vår.",
    ],
)
def test_ordinary_mail_is_left_alone(body: str) -> None:
    """Mail with the same words but another matter is no request."""
    assert judged(body).kind is not Kind.REQUEST


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ("Radera inte mina uppgifter.", Right.ERASURE),
        ("Jag vill inte att ni raderar mig.", Right.ERASURE),
        ("Ni behöver inte ta bort mitt konto.", Right.ERASURE),
    ],
)
def test_a_negated_act_is_not_asked_for(body: str, right: Right) -> None:
    """What the writer does not want is not named."""
    assert right not in judged(body).rights


@pytest.mark.parametrize(
    ("body", "rights"),
    [
        ("Ta inte bort mina uppgifter utan rätta dem.", "rectification"),
        ("Ni ska inte radera något, bara rätta min adress.", "rectification"),
        ("Rätta ingenting, visa mig bara vad som står om mig.", "access"),
        ("Radera ingenting ännu, jag vill först läsa vad ni har om mig.", "access"),
        ("Jag vill inte ha en kopia av mina uppgifter, jag vill att de raderas.", "erasure"),
        ("Frys inte kontot, radera det.", "erasure"),
        ("Radera inte uppgifterna, lås dem.", "restriction"),
        ("Ni behöver inte radera mig, det räcker att ni slutar skicka reklam.", "objection"),
    ],
)
def test_what_is_not_wanted_adds_nothing(body: str, rights: str) -> None:
    """ "Not this but that" asks for that alone; a no to erasure is no restriction."""
    assert named(body) == set(rights.split())


@pytest.mark.parametrize(
    "body",
    [
        "Jag begärde radering i mars men har ångrat mig, behåll kontot.",
        "Ni har redan raderat mina uppgifter, tack för det.",
        "Jag tar tillbaka min begäran om radering.",
        "Jag ville radera mitt konto men hittade knappen själv, så det är klart.",
        "Utdraget kom i dag, allt var som det skulle.",
    ],
)
def test_what_is_done_or_withdrawn_is_asked_no_more(body: str) -> None:
    """A request that was answered, taken back or solved names no right."""
    assert named(body) == set()


def test_a_negation_elsewhere_does_not_stop_a_request() -> None:
    """That somebody has never bought anything negates nothing of what is asked."""
    assert Right.ERASURE in judged("Jag har aldrig handlat hos er, radera mina uppgifter.").rights


def test_the_subject_of_an_answer_asks_nothing() -> None:
    """A reply that says thanks under an old subject is no request."""
    assert judged("Tack, det gick fort. Ha det gott!", "Re: Radera mina uppgifter").kind is not Kind.REQUEST


@pytest.mark.parametrize(
    ("body", "flag"),
    [
        ("Min dotter är 9 och har skapat konto, radera det.", "child"),
        ("Min man gick bort i våras, ta bort hans uppgifter.", "deceased"),
        ("Som ombud för min klient begär jag kopia på hans uppgifter, fullmakt bifogas.", "agent"),
        ("Om ni inte raderar mina uppgifter anmäler jag er till dataombudsmannen.", "complaint"),
        ("Polisinrättningen begär abonnentuppgifter i en förundersökning.", "police"),
        ("Tredje gången jag ber er radera mina uppgifter.", "earlier_request"),
        ("Jag fick en annan kunds faktura i mitt kuvert.", "breach"),
        ("I brevet låg någon annans räkning.", "breach"),
        ("När jag loggade in såg jag en annan kunds beställningar.", "breach"),
        ("Ni har mejlat min journal till fel person.", "breach"),
        ("Alla mottagare syns i ert mejl, hundra adresser.", "breach"),
        ("Bärbara datorn med kunduppgifterna är stulen.", "breach"),
        ("Konsumentombudsmannen begär ett utlåtande i ärendet.", "authority"),
        ("Vi har tagit emot ett klagomål. Utredning begärs. Dnr 1234/182/2026", "authority"),
        ("Ni bryter mot GDPR och jag tänker anmäla det.", "complaint"),
    ],
)
def test_what_deserves_attention_is_flagged(body: str, flag: str) -> None:
    """Children, the dead, agents, complaints, the police and earlier requests are shown."""
    assert flag in judged(body).flags


@pytest.mark.parametrize(
    "body",
    [
        "Jag fick en annan färg än jag beställde.",
        "Vi har fått fel kunds logotyp på visitkorten.",
        "Kan ni skicka fakturan till en annan person hos oss?",
        "Myndigheten har köpt tio skärmar av er.",
        "Jag klagar på kaffet.",
    ],
)
def test_ordinary_trouble_is_not_flagged(body: str) -> None:
    """A wrong parcel is no breach, a customer that is an authority asks nothing, a complaint about coffee is none."""
    assert judged(body).flags == ()


def test_formal_and_flat_mails_are_judged_well() -> None:
    """On the formal and the flat batch the rules alone reach the floor that was agreed."""
    result = report()
    text = "\n".join(lines(result, errors=True))
    assert result.macro_f1("sv") >= 0.88, text
    assert result.share(lambda item: item.missed, lambda item: item.mail.request, "sv") <= 0.08, text
    assert result.share(lambda item: item.false, lambda item: not item.mail.request, "sv") <= 0.08, text


@pytest.mark.parametrize("path", BATCHES, ids=lambda path: path.stem)
def test_our_swedish_mails_are_well_formed(path: Path) -> None:
    """Each line has its fields, known labels, an id of its own and an example domain."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert set(row) == {"id", "batch", "lang", "subject", "body", "from", "labels", "request", "note"}
        assert row["batch"] == path.stem
        assert row["lang"] == "sv"
        assert set(row["labels"]) <= set(map(str, Right))
        assert row["request"] == bool(row["labels"])
        assert row["from"].rstrip(">").endswith((".example", "example.com", "example.org", "example.net"))
