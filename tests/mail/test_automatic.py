"""No robot talks to a robot, and no person is taken for one."""

from collections.abc import Callable

import pytest

from mailbot.core.message import Message
from mailbot.mail.automatic import bounced
from mailbot.mail.parse import read_message, read_text
from mailbot.mail.patterns import ReadingPatterns

Fixture = Callable[[str], bytes]
HEAD = "From: aino@example.com\nTo: t@yritys.example\nMessage-ID: <a@example.com>\n"


def mail(headers: str, body: str = "Hei", subject: str = "x") -> bytes:
    return f"{HEAD}Subject: {subject}\n{headers}\n{body}\n".encode()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("auto_reply_rfc3834", "auto_reply"),
        ("out_of_office_fi_without_headers", "auto_reply"),
        ("bounce_rfc3464", "bounce"),
        ("bounce_headers_only_delayed", "bounce"),
        ("bounce_in_words_qmail", "bounce"),
        ("read_receipt_rfc8098", "read_receipt"),
        ("calendar_answer", "calendar"),
        ("newsletter_from_a_bulk_service", "list"),
        ("person_on_holiday_asks_for_erasure_fi", None),
        ("person_through_a_group_address", None),
        ("exchange_person_with_suppress_header", None),
        ("erasure_fi_plain", None),
    ],
)
def test_machines_are_told_from_persons(
    name: str, kind: str | None, fixture_bytes: Fixture, patterns: ReadingPatterns
) -> None:
    """Each sort of automatic mail is named, each person's letter is none."""
    assert read_message(fixture_bytes(name), patterns).automatic == kind


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ("Auto-Submitted: no\n", None),
        ("Auto-Submitted: auto-generated\n", "auto_generated"),
        ("Auto-Submitted: auto-replied; owner-email=a@b.example\n", "auto_reply"),
        ("X-Autoreply: yes\n", "auto_reply"),
        ("Precedence: auto_reply\n", "auto_reply"),
        ("Precedence: bulk\n", None),
        ("Return-Path: <>\n", None),
        ("Return-Path: <>\nX-Auto-Response-Suppress: All\n", "auto_generated"),
        ("X-Auto-Response-Suppress: All\n", None),
        ("X-Failed-Recipients: a@b.example\n", "bounce"),
        ("List-Id: <l.example>\nList-Unsubscribe: <mailto:u@l.example>\nPrecedence: list\n", None),
        ("List-Unsubscribe: <mailto:u@l.example>\nFeedback-ID: 1\n", "list"),
        ("List-Unsubscribe: <mailto:u@l.example>\nFeedback-ID: 1\nIn-Reply-To: <b@c.example>\n", None),
    ],
)
def test_headers_tell_as_much_as_they_prove(headers: str, kind: str | None, patterns: ReadingPatterns) -> None:
    """A certain sign decides alone; a mark that persons' mail carries as well does not."""
    assert read_message(mail(headers), patterns).automatic == kind


def test_bulk_and_list_marks_become_flags(fixture_bytes: Fixture, patterns: ReadingPatterns) -> None:
    """What proves nothing is still told."""
    assert set(read_message(fixture_bytes("person_through_a_group_address"), patterns).flags) == {"bulk", "list"}
    assert read_message(mail("Return-Path: <>\n"), patterns).flags == ("null_return_path",)


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Automaattinen vastaus: Tietopyyntö", "Kiitos viestistäsi!"),
        ("Autosvar: Er offert", "Jag är på vårdledig fram till 7.1."),
        ("Automatic reply: Your request", "I am out of the office."),
        ("Poissa: Vs: Pyyntönne", "Olen vanhempainvapaalla helmikuun loppuun. Asiani hoitaa sinä aikana kollega."),
        ("Re: Your reply", "I am out of the office until Monday. In urgent matters please contact our switchboard."),
        ("SV: Svar", "Hej! Jag är föräldraledig till den 1 mars. Kontakta Malin i brådskande fall."),
    ],
)
def test_out_of_office_notes_without_headers_are_known(subject: str, body: str, patterns: ReadingPatterns) -> None:
    """Notes in Finnish, Swedish and English are known by subject and words."""
    assert read_text(subject, body, patterns=patterns).automatic == "auto_reply"


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Re: Automaattinen vastaus: Tietopyyntö", "Robottinne vastasi. Poistakaa silti tietoni."),
        ("Poissa", "Olen poissa rekisteristänne pian, toivottavasti. Poistakaa tietoni."),
        ("Re: Tilaus", "Olen lomalla perjantaihin. Haluan nähdä tietoni ennen sitä."),
        ("Lomalla", "Hei, poistakaa tilini kun olen lomalla."),
        ("Re: Your reply", "I am out of the office until Monday. Delete my account and all my data before that."),
        ("SV: Svar", "Jag är på semester. Ta bort mina uppgifter ur registret så länge."),
    ],
)
def test_a_request_is_never_a_note(subject: str, body: str, patterns: ReadingPatterns) -> None:
    """One sentence that asks for something makes it a person's letter."""
    assert read_text(subject, body, patterns=patterns).automatic is None


def bounce_of(name: str, read: Fixture, patterns: ReadingPatterns) -> tuple[str, str, str, str]:
    found = bounced(read_message(read(name), patterns))
    assert found is not None
    return found.original_message_id, found.recipient, found.status, found.action


def test_a_bounce_names_what_came_back(fixture_bytes: Fixture, patterns: ReadingPatterns) -> None:
    """Original Message-ID, recipient and status come from the report, the returned headers, or the words."""
    assert bounce_of("bounce_rfc3464", fixture_bytes, patterns) == (
        "<reply-1@yritys.example>",
        "veli@example.org",
        "5.1.1",
        "failed",
    )
    assert bounce_of("bounce_headers_only_delayed", fixture_bytes, patterns) == (
        "<reply-2@yritys.example>",
        "veli@example.org",
        "4.4.1",
        "delayed",
    )
    assert bounce_of("bounce_in_words_qmail", fixture_bytes, patterns) == (
        "<reply-3@yritys.example>",
        "veli@example.org",
        "5.7.1",
        "",
    )


def test_a_returned_message_is_no_forward(fixture_bytes: Fixture, patterns: ReadingPatterns) -> None:
    """What a bounce gives back is ours, never a request."""
    message = read_message(fixture_bytes("bounce_rfc3464"), patterns)
    assert message.forward is None
    assert message.forwarded_text == ""


def test_an_ordinary_mail_is_no_bounce() -> None:
    """Only a bounce bounces."""
    assert bounced(Message(text="550 5.1.1 User unknown <a@example.com>")) is None
