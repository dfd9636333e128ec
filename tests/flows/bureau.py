"""A controller at work for a test: real IMAP, real SMTP, a real SQLite file, and a clock that the test moves.

The flows run in this process, so that a hundred small stories take seconds; `tests/story` runs the commands themselves.
One Dovecot and one mail server serve all tests of a file, and every bureau has a mailbox of its own in them.
"""

import imaplib
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from functools import cache
from pathlib import Path
from typing import Any

from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink

from mailbot.config import load
from mailbot.core.staff import Actor, Door
from mailbot.flows import view
from mailbot.flows.deliver import Round as Delivered
from mailbot.flows.deliver import deliver
from mailbot.flows.mailbox import Round as Polled
from mailbot.flows.poll import poll
from mailbot.flows.remind import remind
from mailbot.gateway.resources import shipped
from mailbot.gateway.templates import Renderer
from mailbot.reading import CommandReader, Reader
from mailbot.store import audit, drafts, tickets
from mailbot.store.tickets import Ticket
from mailbot.wiring import House

START = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)  # a Tuesday, ten o'clock in Helsinki
MAIJA = "Maija Mallinen <maija@customer.example>"
ERASE = "Hei,\n\npyydän, että poistatte kaikki minua koskevat henkilötiedot rekistereistänne.\n\nT. Maija Mallinen\n"
ACCESS = (
    "Hei,\n\nhaluan tietää, mitä tietoja minusta on tallennettu. Pyydän jäljennöksen henkilötiedoistani.\n\nMaija\n"
)
_NUMBER = itertools.count(1)

CONFIG = """
profile = "jalo-it"
[database]
url = "sqlite:///memory.db"
[imap]
host = "127.0.0.1"
port = {imap}
security = "none"
username = "{contact}"
password_file = "password"
{imap_more}
[smtp]
host = "127.0.0.1"
port = {smtp}
security = "none"
sender = "Jalo IT Oy, tietosuoja <{contact}>"
{smtp_more}
{staff}
{more}
"""
PERSON = """
[[staff]]
name = "{name}"
email = "{email}"
roles = ["{role}"]
language = "{language}"
active = {active}
"""


@dataclass(frozen=True, kw_only=True)
class Person:
    """A line of the staff list."""

    name: str
    email: str
    role: str = "approver"
    language: str = "en"
    active: bool = True

    def toml(self) -> str:
        return PERSON.format(**{**self.__dict__, "active": str(self.active).lower()})


ANNA = Person(name="Anna Approver", email="anna@example.com")
BERT = Person(name="Bert Second", email="bert@example.com")
DORA = Person(name="Dora Drafter", email="dora@example.com", role="drafter")


@cache
def _reader() -> Reader:
    return Reader(None, "fi", second=True)


@cache
def _commands() -> CommandReader:
    return CommandReader()


@cache
def _texts() -> Renderer:
    return Renderer([shipped("templates")])


@dataclass(kw_only=True)
class Bureau:
    """One controller, its mailbox, and everything it sent."""

    folder: Path
    imap: Dovecot
    smtp: SmtpSink
    contact: str
    house: House
    now: datetime = START
    read: int = 0
    sent: list[EmailMessage] = field(default_factory=list)

    @classmethod
    def make(
        cls,
        folder: Path,
        imap: Dovecot,
        smtp: SmtpSink,
        *,
        staff: Sequence[Person] = (ANNA,),
        more: str = "",
        imap_more: str = "",
        smtp_more: str = "",
        staff_is_mailbox: bool = False,
    ) -> "Bureau":
        """A bureau with a fresh mailbox and an empty database."""
        contact = f"privacy{next(_NUMBER)}@example.com"
        if staff_is_mailbox:
            staff = (Person(name="Anna Approver", email=contact),)
        text = CONFIG.format(
            imap=imap.port, smtp=smtp.port, contact=contact, staff="".join(one.toml() for one in staff), more=more,
            imap_more=imap_more, smtp_more=smtp_more,
        )  # fmt: skip
        (folder / "mailbot.toml").write_text(text, encoding="utf-8")
        (folder / "password").write_text(Dovecot.PASSWORD + "\n", encoding="utf-8")
        house = House(load(folder / "mailbot.toml"), lambda: START)
        house.__dict__.update(reader=_reader(), commands=_commands(), texts=_texts())
        return cls(folder=folder, imap=imap, smtp=smtp, contact=contact, house=house, read=len(smtp.accepted))

    @property
    def database_file(self) -> Path:
        return self.folder / "memory.db"

    # ------------------------------------------------------------------------------ the mailbox and the outbox

    def arrive(self, raw: bytes, *, folder: str = "INBOX", flags: str = "", at: datetime | None = None) -> int:
        """A mail lies in the mailbox; its UID."""
        return self.imap.append(raw, folder, at or self.now, user=self.contact, flags=flags)

    def arrive_all(self, raws: Iterable[bytes]) -> None:
        """Many mails, over one connection."""
        with self.imap.session(self.contact) as client:
            for raw in raws:
                client.append("INBOX", "", imaplib.Time2Internaldate(self.now), raw)

    def poll(self) -> Polled:
        """One round of reading."""
        self.now += timedelta(minutes=1)
        with self.house.mailbox() as mailbox:
            return poll(
                self.house.office,
                mailbox,
                self.house.reader,
                self.house.commands,
                self.house.folders(),
                clock_now=lambda: self.now,
            )

    def deliver(self) -> list[EmailMessage]:
        """One round of sending; what the mail server took."""
        self.now += timedelta(minutes=1)
        with self.house.transport() as transport:
            self.delivered: Delivered = deliver(self.house.office, transport, now=self.now)
        fresh, self.read = self.smtp.accepted[self.read :], len(self.smtp.accepted)
        mails = [message_from_bytes(item.content, policy=default) for item in fresh]
        self.sent += mails
        return mails

    def round(self, *raws: bytes) -> list[EmailMessage]:
        """Mails arrive, are read, and what follows is sent."""
        for raw in raws:
            self.arrive(raw)
        self.poll()
        return self.deliver()

    def remind(self) -> list[EmailMessage]:
        """One round of reminding, and what it sends."""
        remind(self.house.office, now=self.now)
        return self.deliver()

    def to(self, address: str) -> list[EmailMessage]:
        """Everything that was ever sent to an address."""
        return [mail for mail in self.sent if address in str(mail["To"])]

    # ------------------------------------------------------------------------------------------- what is known

    def tickets(self) -> list[Ticket]:
        """Every ticket, by reference."""
        with self.house.office.database.read() as connection:
            return sorted(tickets.find(connection), key=lambda ticket: ticket.reference)

    def ticket(self) -> Ticket:
        """The only ticket."""
        (found,) = self.tickets()
        return found

    def shown(self, reference: str | None = None) -> dict[str, Any]:
        """What `ticket show --json` says."""
        with self.house.office.database.read() as connection:
            wanted = reference or self.ticket().reference
            return view.ticket_view(connection, self.house.office, wanted, self.now.date())

    def newest_draft(self, kind: str = "reply") -> drafts.Draft:
        with self.house.office.database.read() as connection:
            return [d for d in drafts.of_ticket(connection, self.ticket().id) if d.kind.value == kind][-1]

    def events(self, event: str | None = None) -> list[str]:
        """Events of the audit chain, oldest first; with `event` the details of those entries."""
        with self.house.office.database.read() as connection:
            told = list(audit.chain(connection))
        if event is None:
            return [item.entry.event for item in told]
        return [item.detail or "" for item in told if item.entry.event == event]

    def actor(self, address: str = ANNA.email) -> Actor:
        return Actor(staff=self.house.office.member(address), door=Door.CLI)

    # ------------------------------------------------------------------------------------------ ordinary stories

    def opened(self, text: str = ERASE, **more: Any) -> EmailMessage:
        """A request arrives; the notice that the first member of staff gets."""
        mails = self.round(
            written(MAIJA, "Tietopyyntö", text, to=self.contact, message_id="<ask-1@customer.example>", **more)
        )
        return mails[0]

    def answered(self) -> EmailMessage:
        """A request arrives and is answered; the reply that the requester got."""
        notice = self.opened()
        self.round(reply_to(notice, "approve"))
        return self.to("maija@customer.example")[-1]


# -------------------------------------------------------------------------------------------------------- mails


def written(
    sender: str,
    subject: str,
    text: str,
    *,
    to: str,
    message_id: str = "",
    in_reply_to: str = "",
    references: Sequence[str] = (),
    headers: Sequence[tuple[str, str]] = (),
    html: str = "",
    files: Sequence[tuple[str, str, bytes]] = (),
) -> bytes:
    """The bytes of a mail; `html` alone when `text` is empty."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = "Tue, 03 Nov 2026 10:00:00 +0200"
    mail["Message-ID"] = message_id or f"<m{next(_NUMBER)}@mail.example>"
    if in_reply_to:
        mail["In-Reply-To"] = in_reply_to
    if in_reply_to or references:
        mail["References"] = " ".join(dict.fromkeys([*references, *([in_reply_to] if in_reply_to else [])]))
    for name, value in headers:
        mail[name] = value
    if html and not text:
        mail.set_content(html, subtype="html")
    else:
        mail.set_content(text)
        if html:
            mail.add_alternative(html, subtype="html")
    for name, kind, content in files:
        main, _, sub = kind.partition("/")
        mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes()


def body(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def said(mail: EmailMessage) -> str:
    """The plain text on one line, for sentences that are wrapped."""
    return " ".join(body(mail).split())


def code(mail: EmailMessage) -> str:
    """The one-time code in a notice."""
    found = re.search(r"MB-(?:[A-Z2-7]{4}-){7}[A-Z2-7]{4}", body(mail))
    assert found is not None, body(mail)
    return found[0]


def _address(mail: EmailMessage, name: str) -> str:
    return str(mail[name].addresses[0].addr_spec)


def _gmail(notice: EmailMessage, text: str) -> str:
    quoted = "\n".join(f"> {line}".rstrip() for line in body(notice).splitlines())
    who = f"Jalo IT Oy, tietosuoja (<{_address(notice, 'From')}>)"
    return f"{text}\n\nti 3. marrask. 2026 klo 10.05 {who} kirjoitti:\n\n{quoted}\n"


def _outlook(notice: EmailMessage, text: str) -> str:
    return (
        f"{text}\n\nAnna Approver\nJalo IT Oy\n\n________________________________\n"
        f"From: Jalo IT Oy, tietosuoja <{_address(notice, 'From')}>\nSent: Tuesday, November 3, 2026 10:05 AM\n"
        f"To: Anna Approver <{_address(notice, 'To')}>\nSubject: {notice['Subject']}\n\n{body(notice)}"
    )


def _apple(notice: EmailMessage, text: str) -> str:
    quoted = "\n".join(f"> {line}" for line in body(notice).splitlines())
    intro = f"> On 3 Nov 2026, at 10.05, Jalo IT Oy, tietosuoja <{_address(notice, 'From')}> wrote:"
    return f"{text}\n\nSent from my iPhone\n\n{intro}\n> \n{quoted}\n"


def _phone(notice: EmailMessage, text: str) -> str:
    return (
        f"{text}\n\nLähetetty Galaxy-laitteesta\n\n-------- Alkuperäinen viesti --------\n"
        f'Lähettäjä: "Jalo IT Oy, tietosuoja" <{_address(notice, "From")}>\nPäivä: 3.11.2026 10.05 (GMT+02:00)\n'
        f"Saaja: Anna Approver <{_address(notice, 'To')}>\nAihe: {notice['Subject']}\n\n{body(notice)}"
    )


STYLES = {
    "gmail": _gmail,
    "outlook": _outlook,
    "apple": _apple,
    "phone": _phone,
    "unquoted": lambda _notice, text: f"{text}\n",
    "unmarked": lambda notice, text: f"{text}\n\n{body(notice)}",
}


def reply_to(
    notice: EmailMessage,
    text: str,
    *,
    style: str = "unquoted",
    sender: str = "",
    in_reply_to: str | None = None,
    **more: Any,
) -> bytes:
    """A mail program's answer to a notice; `in_reply_to=""` breaks the thread."""
    answered = str(notice["Message-ID"]) if in_reply_to is None else in_reply_to
    return written(
        sender or str(notice["To"]),
        f"Re: {notice['Subject']}",
        STYLES[style](notice, text),
        to=_address(notice, "From"),
        in_reply_to=answered,
        **more,
    )


POSTFIX = """\
This is the mail system at host mx.example.com.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

                   The mail system

<maija@customer.example>: host mx.customer.example[192.0.2.7] said: 550 5.1.1
    <maija@customer.example>: Recipient address rejected: User unknown (in
    reply to RCPT TO command)
"""
EXCHANGE = """\
Delivery has failed to these recipients or groups:

maija@customer.example
The email address you entered couldn't be found. Please check the recipient's email address and try to resend.

Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'
"""


def bounce(
    reply: EmailMessage, to: str, *, server: str = "postfix", message_id: str | None = None, status: str = "5.1.1"
) -> bytes:
    """What a server sends when it can not deliver (RFC 3464), as Postfix and Exchange write it."""
    returned = "".join(f"{name}: {value}\r\n" for name, value in reply.items() if not name.startswith("Content"))
    if message_id is not None:
        returned = returned.replace(f"Message-ID: {reply['Message-ID']}", f"Message-ID: {message_id}")
    text, kind = (POSTFIX, "message/rfc822") if server == "postfix" else (EXCHANGE, "text/rfc822-headers")
    action = "failed" if status.startswith("5") else "delayed"
    sender = "MAILER-DAEMON@mx.example.com (Mail Delivery System)" if server == "postfix" else "postmaster@example.com"
    parts = [
        f"From: {sender}", f"To: {to}", "Subject: Undelivered Mail Returned to Sender",
        "Date: Tue, 3 Nov 2026 10:10:00 +0200", f"Message-ID: <{server}-{status}@mx.example.com>",
        "Auto-Submitted: auto-replied", *([f"In-Reply-To: {reply['Message-ID']}"] if server == "exchange" else []),
        "MIME-Version: 1.0", 'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"', "",
        "--b1", "Content-Type: text/plain; charset=us-ascii", "", text,
        "--b1", "Content-Type: message/delivery-status", "",
        "Reporting-MTA: dns; mx.example.com", "",
        "Final-Recipient: rfc822; maija@customer.example", f"Action: {action}", f"Status: {status}",
        "Diagnostic-Code: smtp; 550 5.1.1 User unknown", "",
        "--b1", f"Content-Type: {kind}", "", returned, "--b1--", "",
    ]  # fmt: skip
    return "\r\n".join(parts).replace("\r\n", "\n").replace("\n", "\r\n").encode()
