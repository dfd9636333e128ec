"""The main job from end to end, as a user runs it: commands, a real Dovecot, a real SMTP server, a real SQLite file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink

from story.desk import CONTACT, STAFF, Desk, body, mail

LONG_ID = "<" + "0123456789" * 6 + "abcd@outlook.mail.example>"  # 85 characters, as Outlook writes them


@dataclass(frozen=True, kw_only=True)
class Written:
    """One of the six mails and what must come of it."""

    sender: str
    subject: str
    text: str
    message_id: str
    right: str = ""
    language: str = ""
    sign: str = ""  # words that only a reply in that language holds


MAILS = (
    Written(
        sender="matti@example.net",
        subject="Tietopyyntö",
        text="Hei, haluaisin tietää, mitä tietoja teillä on minusta. Matti",
        message_id=LONG_ID,
        right="access",
        language="fi",
        sign="Tietosuojavaltuutetun toimisto",
    ),
    Written(
        sender="liisa@example.net",
        subject="Väärä numero",
        text="Puhelinnumeroni on teillä väärin. Korjatkaa se: 050 111 2222 ei ole minun, oikea on 040 333 4444.",
        message_id="<b@example.net>",
        right="rectification",
        language="fi",
        sign="Tietosuojavaltuutetun toimisto",
    ),
    Written(
        sender="olli@example.net",
        subject="Rekisteriseloste",
        text="Pyydän henkilötietolain mukaisen rekisteriselosteen asiakasrekisteristänne.",
        message_id="<c@example.net>",
        right="register_description",
        language="fi",
        sign="Tietosuojavaltuutetun toimisto",
    ),
    Written(
        sender="sven@example.net",
        subject="Radera",
        text="Hej, jag vill att ni raderar mina personuppgifter ur kundregistret. Hälsningar, Sven",
        message_id="<d@example.net>",
        right="erasure",
        language="sv",
        sign="Dataombudsmannens byrå",
    ),
    Written(
        sender="joan@example.net",
        subject="My data",
        text="Please restrict the processing of my personal data until you have checked that it is accurate.",
        message_id="<e@example.net>",
        right="restriction",
        language="en",
        sign="Office of the Data Protection Ombudsman",
    ),
    Written(
        sender="myynti@vendor.example",
        subject="Tarjous",
        text="Hei! Tarjoamme uudet tulostimet puoleen hintaan perjantaihin asti. Varaa esittely.",
        message_id="<f@example.net>",
    ),
)
REQUESTS = tuple(item for item in MAILS if item.right)


@pytest.fixture(params=[STAFF, CONTACT], ids=["staff-elsewhere", "staff-is-the-mailbox"])
def desk(request: pytest.FixtureRequest, dovecot: Dovecot, smtp_sink: SmtpSink, tmp_path: Path) -> Iterator[Desk]:
    """Six mails lie in the mailbox; the staff address is another one, or the polled mailbox itself."""
    made = Desk.make(tmp_path, dovecot, smtp_sink, staff=request.param)
    for item in MAILS:
        made.arrive(mail(item.sender, item.subject, item.text, message_id=item.message_id))
    return made


def _reply(desk: Desk, reference: str) -> dict[str, object]:
    drafts = desk.ticket(reference)["drafts"]
    return next(item for item in reversed(drafts) if item["kind"] == "reply")  # type: ignore[no-any-return]


def _approve(desk: Desk, reference: str) -> int:
    fingerprint = str(_reply(desk, reference)["fingerprint"])
    return desk.run("ticket", "approve", reference, "--by", desk.staff, "--fingerprint", fingerprint).code


def test_six_mails_become_five_answered_tickets(desk: Desk, tmp_path: Path) -> None:
    """Five requests are recognised, dated, drafted, approved and answered; the sales offer leaves nothing behind."""
    before = desk.imap.flags(user=desk.contact)
    desk.must("poll", "--once")
    again = desk.must("poll", "--once", "--json").json[0]
    assert again["read"] == 0

    found = {item["requester"]["address"]: item for item in desk.tickets()}
    assert set(found) == {item.sender for item in REQUESTS}
    for item in REQUESTS:
        ticket = found[item.sender]
        assert ticket["rights"] == [item.right]
        assert ticket["language"] == item.language
        assert ticket["outcome"] is None
        due = desk.must("deadline", "--received", ticket["received_at"], "--json").json[0]
        assert ticket["due_on"] == due["due"]
        assert date.fromisoformat(ticket["due_on"]).weekday() < 5

    desk.must("deliver", "--once")
    assert set(desk.recipients()) == {desk.staff}, "before approval mail goes to staff alone"
    notices = desk.new_mail()
    assert len(notices) == len(REQUESTS)
    assert all(notice["In-Reply-To"] is None for notice in notices)

    not_ready = found["matti@example.net"]["reference"]
    assert not _reply(desk, not_ready)["ready"]
    assert _approve(desk, not_ready) == 65
    copy = tmp_path / "tiedot.pdf"
    copy.write_bytes(b"%PDF-1.4 the copy")
    desk.must("ticket", "draft", not_ready, "--by", desk.staff, "--attach", str(copy))
    wrong = found["liisa@example.net"]["reference"]
    assert _reply(desk, wrong)["needs"][0]["name"] == "correction"  # type: ignore[index]
    desk.must("ticket", "draft", wrong, "--by", desk.staff, "--set", "correction=050 111 2222 -> 040 333 4444")

    for item in REQUESTS:
        assert _approve(desk, found[item.sender]["reference"]) == 0
    desk.must("deliver", "--once")
    desk.must("deliver", "--once")
    sent = desk.new_mail()
    for item in REQUESTS:
        mine = [one for one in sent if one["To"].addresses[0].addr_spec == item.sender]
        assert len(mine) == 1, "exactly one reply each"
        reply = mine[0]
        assert reply["In-Reply-To"] == item.message_id
        assert item.message_id in reply["References"].split()
        assert reply["Auto-Submitted"] == "auto-replied"
        assert item.sign in body(reply)
        assert not reply["Cc"]
        assert not reply["Bcc"]
    assert "myynti@vendor.example" not in desk.recipients()
    attached = {one["To"].addresses[0].addr_spec for one in sent if list(one.iter_attachments())} - {desk.staff}
    assert attached == {"matti@example.net"}

    assert {ticket["status"] for ticket in desk.tickets()} == {"answered"}
    assert {ticket["outcome"] for ticket in desk.tickets()} == {"fulfilled"}
    assert desk.run("audit", "verify").code == 0
    assert desk.imap.flags(user=desk.contact) == before, "no flag of the mailbox changed"


def test_one_reply_by_mail_approves(desk: Desk) -> None:
    """Staff reply one word to the notice: by the token it quotes, or by answering its Message-ID alone."""
    desk.must("poll", "--once")
    desk.must("deliver", "--once")
    notices = {str(item["Subject"]).split(":")[0]: item for item in desk.new_mail()}
    quoting, silent = desk.by_right("erasure")["reference"], desk.by_right("restriction")["reference"]
    for reference, quote in ((quoting, True), (silent, False)):
        notice = notices[reference]
        words = "Hyväksyn, kiitos!\n"
        if quote:
            words += "\n" + "\n".join(f"> {line}" for line in body(notice).splitlines())
        answer_to = "<lost@example.net>" if quote else str(notice["Message-ID"])
        desk.arrive(
            mail(
                f"Anna <{desk.staff}>",
                f"Re: {reference}",
                words,
                message_id=f"<{reference}@s.example>",
                in_reply_to=answer_to,
            )
        )
    if desk.staff == desk.contact:  # notices come back into the polled mailbox
        for notice in notices.values():
            desk.arrive(notice.as_bytes())
    polled = desk.must("poll", "--once", "--json").json[0]
    assert polled["commands"] == 2
    assert polled["tickets"] == 0, "our own notices and staff's answers are nobody's request"
    desk.must("deliver", "--once")
    reached = {one["To"].addresses[0].addr_spec for one in desk.new_mail()}
    assert reached == {"sven@example.net", "joan@example.net", desk.staff}
    assert desk.ticket(quoting)["status"] == "answered"
    assert desk.ticket(silent)["status"] == "answered"
    assert desk.run("audit", "verify").code == 0


def test_unrelated_mail_is_not_stored(desk: Desk) -> None:
    """Of the sales offer the database holds no address, no subject and no word."""
    desk.must("poll", "--once")
    content = b"".join(path.read_bytes() for path in (desk.folder / "var").iterdir())
    for word in ("vendor.example", "Tarjous", "tulostimet", "f@example.net"):
        assert word.encode() not in content
    assert b"matti@example.net" in content, "the search itself works"


def test_logs_name_tickets_and_not_people(desk: Desk) -> None:
    """Neither poll nor deliver write an address, a name or a subject to their log, also when they log all they do."""
    said = ""
    for arguments in (["--verbose", "poll", "--once"], ["--verbose", "deliver", "--once"]):
        done = desk.run(*arguments)
        said += done.err + done.out
    for word in ("matti@", "Matti", "Tietopyyntö", "sven@", "Tarjous"):
        assert word not in said
