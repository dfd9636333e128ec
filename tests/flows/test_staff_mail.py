"""Staff work by answering mail: what one reply does, in the styles that mail programs write."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from bureau import ACCESS, ANNA, MAIJA, STYLES, Bureau, Person, body, bounce, reply_to, said, written

from mailbot.core.ticket import Status

NO_PROOF = ("unquoted", False)  # neither code nor Message-ID: see test_attacks
COPY = ("copy.csv", "text/csv", b"name;city\r\nMaija;Turku\r\n")


PROOFS = [(style, threaded) for style in sorted(STYLES) for threaded in (True, False) if (style, threaded) != NO_PROOF]


@pytest.mark.parametrize(("style", "threaded"), PROOFS)
def test_one_word_approves(bureau: Bureau, style: str, threaded: bool) -> None:
    """An approval counts by the quoted code alone, or by the answered Message-ID alone."""
    notice = bureau.opened()
    bureau.round(reply_to(notice, "approve", style=style, in_reply_to=None if threaded else ""))
    assert len(bureau.to("maija@customer.example")) == 1
    assert bureau.ticket().status is Status.ANSWERED


@pytest.mark.parametrize("style", ["outlook", "gmail"])
def test_a_reply_in_html_alone_counts(bureau: Bureau, style: str) -> None:
    """Outlook and Gmail may send no plain text at all."""
    notice = bureau.opened()
    quoted = "<br>".join(body(notice).splitlines())
    html = {
        "outlook": '<p class="MsoNormal">approve</p><div style="border-top:solid #E1E1E1 1.0pt"><p><b>From:</b> Jalo'
        f" IT &lt;{bureau.contact}&gt;<br><b>Sent:</b> Tuesday, November 3, 2026 10:05 AM<br><b>To:</b> Anna"
        f"<br><b>Subject:</b> {notice['Subject']}</p></div><p>{quoted}</p>",
        "gmail": '<div dir="ltr">approve</div><br><div class="gmail_quote"><div class="gmail_attr">On Tue, Nov 3, 2026 '
        f'at 10:05 AM Jalo IT &lt;{bureau.contact}&gt; wrote:<br></div><blockquote class="gmail_quote">{quoted}'
        "</blockquote></div>",
    }[style]
    bureau.round(written(ANNA.email, f"Re: {notice['Subject']}", "", html=html, to=bureau.contact))
    assert bureau.ticket().status is Status.ANSWERED


def test_a_whole_ticket_is_carried_by_mail_alone(bureau: Bureau) -> None:
    """Identity question, its answer, the copy attached, the approval: nobody touches a command line."""
    notice = bureau.opened(ACCESS)
    (asked,) = bureau.round(reply_to(notice, "Kysy henkilöllisyys, kiitos!", style="outlook"))
    assert "Question about identity" in said(asked)
    bureau.round(reply_to(asked, "Ok, hyväksyn tämän, kiitos.", style="gmail"))
    (question,) = bureau.to("maija@customer.example")
    assert bureau.ticket().status is Status.AWAITING_IDENTITY
    assert question["In-Reply-To"] == "<ask-1@customer.example>"
    told = bureau.round(
        written(
            MAIJA, "Re: kysymys", "Olen asiakas 4711.\n", to=bureau.contact, in_reply_to=str(question["Message-ID"])
        )
    )[0]
    (drafted,) = bureau.round(reply_to(told, "liite mukana", style="apple", files=[COPY]))
    assert "copy.csv" in body(drafted)
    bureau.round(reply_to(drafted, "godkänner", style="phone"))
    reply = bureau.to("maija@customer.example")[-1]
    assert [part.get_filename() for part in reply.iter_attachments()] == ["copy.csv"]
    assert next(reply.iter_attachments()).get_payload(decode=True) == COPY[2]
    assert bureau.ticket().status is Status.ANSWERED
    people = {address.addr_spec for mail in bureau.sent for address in mail["To"].addresses}
    assert people == {ANNA.email, "maija@customer.example"}


def test_an_acknowledgement_leaves_staff_with_a_code_for_the_reply(bureau: Bureau) -> None:
    """The answer to "acknowledge" brings the waiting reply and can be approved."""
    notice = bureau.opened()
    mails = bureau.round(reply_to(notice, "acknowledge"))
    answer = next(mail for mail in mails if "One-time code" in body(mail))
    assert len(bureau.to("maija@customer.example")) == 1
    bureau.round(reply_to(answer, "approve"))
    assert len(bureau.to("maija@customer.example")) == 2


def test_new_words_come_back_with_the_difference_before_they_can_leave(bureau: Bureau) -> None:
    """An edit takes an approval in the same mail with it: nobody has seen the new draft yet."""
    notice = bureau.opened()
    (drafted,) = bureau.round(reply_to(notice, "approve\nedit: Hei Maija,\n\nkaikki tietosi on poistettu."))
    assert bureau.to("maija@customer.example") == []
    assert "Changed since the last version" in body(drafted)
    (again,) = bureau.round(reply_to(notice, "approve"))
    assert bureau.to("maija@customer.example") == [], "the code of the first notice is used up"
    bureau.round(reply_to(again, "approve"))
    assert "kaikki tietosi on poistettu" in body(bureau.to("maija@customer.example")[0])


def test_staff_answer_in_any_language(bureau: Bureau) -> None:
    """The language of a reply need not be that of the notice."""
    notice = bureau.opened(ACCESS)
    (drafted,) = bureau.round(reply_to(notice, "ei tietoja"))
    bureau.round(reply_to(drafted, "godkänns"))
    assert bureau.ticket().status is Status.ANSWERED


CLEAR_BUT_USELESS = {
    "empty": "",
    "contradiction": "approve\nreject: wrong person",
    "unknown reference": "JALO-2026-9999: approve",
    "a question": "Shall I approve this?",
    "fact that nothing asks for": "corrected: telephone 12 -> 21",
    "nonsense": "Lorem ipsum dolor sit amet.",
}


@pytest.mark.parametrize("text", CLEAR_BUT_USELESS.values(), ids=CLEAR_BUT_USELESS.keys())
def test_what_is_unclear_changes_nothing_and_is_answered(bureau: Bureau, text: str) -> None:
    """The person hears what was understood and how to go on, and the code is not used up."""
    notice = bureau.opened()
    (answer,) = bureau.round(reply_to(notice, text, style="gmail"))
    assert answer["To"].addresses[0].addr_spec == ANNA.email
    assert "Nothing was changed" in body(answer)
    assert bureau.newest_draft().version == 1
    assert bureau.to("maija@customer.example") == []
    bureau.round(reply_to(notice, "approve"))
    assert bureau.ticket().status is Status.ANSWERED


def test_a_file_without_a_word_is_not_attached(bureau: Bureau) -> None:
    """Only an attachment: nothing changes, the person is told to say so."""
    notice = bureau.opened(ACCESS)
    (answer,) = bureau.round(reply_to(notice, "", files=[COPY]))
    assert "no word about it" in said(answer)
    assert bureau.newest_draft().attachments == ()


def test_a_huge_attachment_is_refused_with_its_size(bureau: Bureau) -> None:
    """What no mail server would take is not put into a draft; the answer says how large it was."""
    notice = bureau.opened(ACCESS)
    small = reply_to(notice, "attached", files=[("copy.zip", "application/zip", b"PK\x03\x04")])
    line = b"AAAA" * 19 + b"\r\n"
    raw = small.replace(b"UEsDBA==\r\n", b"UEsDBAAA\r\n" + line * (30 * 1024 * 1024 // 57))
    (answer,) = bureau.round(raw)
    assert "(41 MB)" in body(answer), "as it was sent, in base64"
    assert "Nothing was changed" in body(answer)
    assert bureau.newest_draft().attachments == ()


def test_a_command_for_an_ended_ticket_changes_nothing(bureau: Bureau) -> None:
    """Who decides too late is told how the matter stands."""
    notice = bureau.opened()
    (done,) = bureau.round(reply_to(notice, "not a request"))
    assert bureau.ticket().status is Status.DISMISSED
    (answer,) = bureau.round(reply_to(done, "no data"))
    assert bureau.ticket().status is Status.DISMISSED
    assert "Nothing was changed" in body(answer)


def test_all_commands_of_a_mail_happen_or_none(bureau: Bureau) -> None:
    """A note beside an impossible command is not kept either."""
    notice = bureau.opened()
    bureau.round(reply_to(notice, "note: she called\nassign: nobody@example.com"))
    assert bureau.events("noted") == []
    assert len(bureau.events("command_failed")) == 1


def test_a_bounce_of_mail_to_staff_alarms_the_others(bureau_of: Callable[..., Bureau]) -> None:
    """Nobody may know what is due: colleagues and the alarm address hear of it, once."""
    bureau = bureau_of(more='[[staff]]\nname = "Bert"\nemail = "bert@example.com"\nroles = ["approver"]\n'
                            '[alarm]\nemail = "admin@other-domain.example"\n')  # fmt: skip
    notice = bureau.opened()
    mails = bureau.round(bounce(notice, bureau.contact), bounce(notice, bureau.contact, server="exchange"))
    people = sorted(mail["To"].addresses[0].addr_spec for mail in mails)
    assert people == ["admin@other-domain.example", "bert@example.com"]


def test_a_reply_to_the_news_of_delivery_is_answered_with_a_way_on(bureau: Bureau) -> None:
    """That mail carries no code; whoever orders something by it gets one."""
    notice = bureau.opened()
    delivered = bureau.round(reply_to(notice, "approve"))[-1]
    assert "has been sent" in delivered["Subject"]
    (answer,) = bureau.round(reply_to(delivered, "note: she called to say thanks"))
    assert "held no code" in said(answer)
    bureau.round(reply_to(answer, "note: she called to say thanks"))
    assert len(bureau.events("noted")) == 1


def test_a_reply_to_a_digest_that_names_a_ticket_brings_its_draft_and_a_code(bureau: Bureau) -> None:
    """A digest shows no draft, so nothing can be approved from it; one more reply can."""
    bureau.opened()
    bureau.round(written("otto@elsewhere.example", "Request", "Please erase all my personal data.", to=bureau.contact))
    bureau.now += timedelta(days=20)
    digest = next(mail for mail in bureau.remind() if "Data protection requests" in mail["Subject"])
    (answer,) = bureau.round(reply_to(digest, "JALO-2026-0002: approve"))
    assert bureau.to("otto@elsewhere.example") == []
    assert "JALO-2026-0002" in answer["Subject"]
    bureau.round(reply_to(answer, "approve"))
    assert len(bureau.to("otto@elsewhere.example")) == 1


def test_several_commands_in_one_mail_are_shown_as_one_change(bureau: Bureau) -> None:
    """The draft returns with the difference to what was read, its checklist, and the name of the approval not done."""
    notice = bureau.opened()
    (told,) = bureau.round(reply_to(notice, "no data\napprove\n\nnote: searched the register"))
    text = said(told)
    assert "Your approval was not carried out, because the same message changed the draft." in text
    assert "Changed since the last version:" in text
    assert "> -We have erased" in body(told) or "> -Olemme poistaneet" in body(told)
    assert "DO THIS BEFORE YOU APPROVE" in text
    assert bureau.to("maija@customer.example") == []
    bureau.round(reply_to(told, "approve"))
    assert len(bureau.to("maija@customer.example")) == 1


@pytest.mark.parametrize(
    ("language", "said_so"),
    [
        ("fi", "Mitään ei tehty: Luonnos ei kysy tietoa nimeltä color."),
        ("sv", "Ingenting gjordes: Utkastet frågar inte efter någon uppgift som heter color."),
        ("en", "Nothing was done: The draft asks for no fact called color."),
    ],
)
def test_what_failed_is_said_in_the_readers_own_language(
    bureau_of: Callable[..., Bureau], language: str, said_so: str
) -> None:
    """No error of the program reaches staff in another language than theirs."""
    person = Person(name="Anna Approver", email="anna@example.com", language=language)
    bureau = bureau_of(staff=(person,))
    (told,) = bureau.round(reply_to(bureau.opened(), "fact: color = blue"))
    assert said_so in said(told)


def test_facts_of_one_mail_are_all_kept_and_may_name_their_right(bureau: Bureau) -> None:
    """Several facts count together, the outcome among them, and "right.name" is the name where there is one right."""
    notice = bureau.opened()
    assert "- fact: outcome = partly" in said(notice)
    (told,) = bureau.round(reply_to(notice, "tieto: lopputulos = osittain\nfact: ground = legal_claims"))
    names = [need.name for need in bureau.newest_draft().needs]
    assert {"kept", "reasons"} <= set(names)
    bureau.round(reply_to(told, "fact: erasure.kept = the invoices\nfact: reasons = they are in the accounts"))
    values = bureau.newest_draft().values
    assert (values["erasure.kept"], values["reasons"]) == ("the invoices", "they are in the accounts")
    assert not {"kept", "reasons"} & {need.name for need in bureau.newest_draft().needs}
    assert "the invoices" in bureau.newest_draft().text


def test_a_notice_offers_only_what_makes_sense(bureau: Bureau) -> None:
    """A register description asks nobody who they are and is never without data; what is not ready is not approved."""
    notice = bureau.opened("Hei,\n\npyydän nähtäväkseni rekisteriselosteenne.\n")
    assert re.findall(r"^- (.+?)\r?$", body(notice).partition("HOW TO ANSWER")[2], re.MULTILINE) == [
        "approve",
        "not a request",
        "help",
    ]


def test_a_notice_shows_words_that_tell_why(bureau: Bureau) -> None:
    """Single words that only the second reader weighed stand in no notice where a rule has said more."""
    notice = said(bureau.opened())
    assert "“poistatte kaikki minua koskevat" in notice
    assert "“henkilötiedot”" not in notice


def test_a_triage_notice_says_how_to_name_the_rights(bureau: Bureau) -> None:
    """Whoever has to decide what is asked reads the names of the rights and one example."""
    bureau.opened()
    reference = bureau.ticket().reference
    stranger = written("Otto <otto@elsewhere.example>", f"Re: {reference}", "Mitä kuuluu?\n", to=bureau.contact)
    (notice,) = bureau.round(stranger)
    assert "- reclassify: access and erasure" in said(notice)
    assert "The rights: access, rectification, erasure, restriction" in said(notice)
    bureau.round(reply_to(notice, "reclassify: access and erasure"))
    assert [right.value for right in bureau.tickets()[1].rights] == ["access", "erasure"]
