"""A whole mailbot on loopback for a test: configuration, mailbox, mail server, and commands as a user types them."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink

CONTACT = "privacy@example.com"
STAFF = "anna@example.com"

CONFIG = """
profile = "{profile}"
[database]
url = "sqlite:///var/test.db"
[imap]
host = "127.0.0.1"
port = {imap_port}
security = "none"
username = "{contact}"
password_file = "imap-password"
start = "{start}"
[smtp]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
sender = "Jalo IT Oy, tietosuoja <{contact}>"
[[staff]]
name = "Anna Approver"
email = "{staff}"
roles = ["approver"]
language = "fi"
{more}
"""


@dataclass(kw_only=True)
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> list[Any]:
        """Each line of stdout as JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(kw_only=True)
class Desk:
    """One controller under test."""

    folder: Path
    imap: Dovecot
    smtp: SmtpSink
    staff: str = STAFF
    contact: str = CONTACT
    read: int = 0  # mails of the sink that were looked at

    @classmethod
    def make(
        cls,
        folder: Path,
        imap: Dovecot,
        smtp: SmtpSink,
        *,
        staff: str = STAFF,
        more: str = "",
        profile: str = "jalo-it",
        start: str = "35d",
    ) -> "Desk":
        """Writes the configuration into `folder`."""
        text = CONFIG.format(
            profile=profile,
            imap_port=imap.port,
            smtp_port=smtp.port,
            contact=CONTACT,
            staff=staff,
            more=more,
            start=start,
        )
        (folder / "mailbot.toml").write_text(text, encoding="utf-8")
        (folder / "imap-password").write_text(Dovecot.PASSWORD + "\n", encoding="utf-8")
        return cls(folder=folder, imap=imap, smtp=smtp, staff=staff)

    def run(self, *arguments: str, stdin: str | None = None) -> Ran:
        """One command, as a user runs it."""
        done = subprocess.run(
            [sys.executable, "-m", "mailbot", "--config", str(self.folder / "mailbot.toml"), *arguments],
            capture_output=True,
            text=True,
            input=stdin,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(code=done.returncode, out=done.stdout, err=done.stderr)

    def must(self, *arguments: str) -> Ran:
        """One command that has to succeed."""
        done = self.run(*arguments)
        assert done.code == 0, (arguments, done.err)
        return done

    def arrive(self, raw: bytes, *, at: datetime | None = None, folder: str = "INBOX") -> None:
        """A mail lies in the mailbox."""
        self.imap.append(raw, folder, at or datetime.now(UTC), user=self.contact)

    def tickets(self) -> list[dict[str, Any]]:
        """What `tickets --json` says."""
        return self.must("tickets", "--json").json

    def ticket(self, reference: str) -> dict[str, Any]:
        """What `ticket show --json` says."""
        found: dict[str, Any] = self.must("ticket", "show", reference, "--json").json[0]
        return found

    def by_right(self, right: str) -> dict[str, Any]:
        """The ticket that holds this right."""
        found = next(item for item in self.tickets() if right in item["rights"])
        return self.ticket(found["reference"])

    def new_mail(self) -> list[EmailMessage]:
        """What the mail server took since the last look."""
        every = self.smtp.accepted
        fresh, self.read = every[self.read :], len(every)
        return [message_from_bytes(item.content, policy=default) for item in fresh]

    def recipients(self) -> list[str]:
        """Whom every accepted mail went to."""
        return [recipient for item in self.smtp.accepted for recipient in item.recipients]


def mail(
    sender: str,
    subject: str | None,
    text: str,
    *,
    to: str = CONTACT,
    message_id: str | None = None,
    in_reply_to: str = "",
    headers: Sequence[tuple[str, str]] = (),
) -> bytes:
    """The bytes of an ordinary mail."""
    lines = [f"From: {sender}", f"To: {to}"]
    if subject is not None:
        lines.append(f"Subject: {_encoded(subject)}")
    lines.append("Date: Mon, 02 Nov 2026 10:00:00 +0200")
    if message_id:
        lines.append(f"Message-ID: {message_id}")
    if in_reply_to:
        lines += [f"In-Reply-To: {in_reply_to}", f"References: {in_reply_to}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        text,
    ]
    return "\r\n".join(lines).replace("\r\n", "\n").replace("\n", "\r\n").encode()


def _encoded(subject: str) -> str:
    made = EmailMessage()
    made["Subject"] = subject
    return str(made).split(":", 1)[1].strip() if subject.isascii() else _words(subject)


def _words(subject: str) -> str:
    from email.header import Header

    return Header(subject, "utf-8").encode()


def body(message: EmailMessage) -> str:
    """The plain text of a mail."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())
