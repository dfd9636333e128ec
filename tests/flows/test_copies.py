"""A message that was delivered twice, or copied with a new date, is one message."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink
from story.desk import Desk, mail

REQUEST = mail(
    "Maija <maija@example.net>",
    "Tietoni",
    "Pyydän kopion kaikista minua koskevista tiedoista.",
    message_id="<one@example.net>",
)


def test_the_same_mail_again_is_nobodys_follow_up(dovecot: Dovecot, smtp_sink: SmtpSink, tmp_path: Path) -> None:
    """The same words under the same Message-ID, a day apart and with another Received line, open and tell nothing."""
    desk = Desk.make(tmp_path, dovecot, smtp_sink)
    desk.arrive(REQUEST, at=datetime.now(UTC) - timedelta(days=1))
    desk.must("poll", "--once")
    desk.must("deliver", "--once")
    desk.new_mail()
    desk.arrive(b"Received: by mx.example.com; Mon, 02 Nov 2026 10:00:05 +0200\r\n" + REQUEST)
    desk.must("poll", "--once")
    desk.must("deliver", "--once")
    assert len(desk.tickets()) == 1
    assert desk.new_mail() == []


def test_other_words_under_the_same_message_id_are_read(dovecot: Dovecot, smtp_sink: SmtpSink, tmp_path: Path) -> None:
    """A Message-ID alone never makes a message known."""
    desk = Desk.make(tmp_path, dovecot, smtp_sink)
    desk.arrive(REQUEST)
    desk.must("poll", "--once")
    desk.arrive(REQUEST.replace("Pyydän kopion kaikista".encode(), b"Poistakaa heti kaikki"))
    desk.must("poll", "--once")
    rights = {right for ticket in desk.tickets() for right in ticket["rights"]}
    assert rights == {"access", "erasure"}


def test_an_approval_given_before_the_requester_wrote_again_does_nothing(
    dovecot: Dovecot, smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    """The old notice can not approve any more; the newest one, which shows what was written, can."""
    desk = Desk.make(tmp_path, dovecot, smtp_sink)
    erase = "Poistakaa kaikki henkilötietoni rekisteristänne."
    desk.arrive(mail("Maija <maija@example.net>", "Poisto", erase, message_id="<two@example.net>"))
    desk.must("poll", "--once")
    desk.must("deliver", "--once")
    (first,) = desk.new_mail()
    reference = desk.tickets()[0]["reference"]
    sorry = f"Perun pyyntöni {reference}, älkää poistakaan mitään."
    desk.arrive(mail("Maija <maija@example.net>", f"Re: {reference}", sorry, message_id="<three@example.net>"))
    desk.must("poll", "--once")
    desk.must("deliver", "--once")
    newest = desk.new_mail()[-1]

    def approve(notice: EmailMessage, number: int) -> None:
        answer = mail(
            f"Anna <{desk.staff}>",
            "Re: x",
            "hyväksyn",
            message_id=f"<s{number}@s.example>",
            in_reply_to=str(notice["Message-ID"]),
        )
        desk.arrive(answer)
        desk.must("poll", "--once")
        desk.must("deliver", "--once")

    approve(first, 1)
    assert "maija@example.net" not in desk.recipients()
    assert desk.ticket(reference)["status"] == "drafted"
    approve(newest, 2)
    assert "maija@example.net" in desk.recipients()
