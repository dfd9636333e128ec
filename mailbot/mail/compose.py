"""Final bytes of a mail of ours: everything fixed here, once, before anything is queued.

Nothing that came from a mail can become a header: names and subjects are stripped of control characters and of `=?`
before they reach one (CPython 3.11.7 and 3.12.1 turn a doubly encoded subject into a real Bcc header otherwise).
Message-IDs over 77 characters survive because no header line is folded inside an id (RFC 5322 2.1.1, 3.6.4).
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from itertools import pairwise

from mailbot.core.message import our_address
from mailbot.mail.charset import clean_header
from mailbot.mail.mime import safe_name

POLICY = SMTP.clone(max_line_length=998)  # long ids stay whole
SUBJECT_LENGTH = 250  # characters of a subject or a name in a header
_LINK = re.compile(r"https://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
_STYLE = (
    "body{font-family:sans-serif;line-height:1.5;max-width:42em;margin:1em auto;padding:0 1em}"
    "pre{white-space:pre-wrap;font-family:inherit;margin:0 0 1em}"
    "@media (prefers-color-scheme:dark){body{background:#111;color:#eee}a{color:#9cf}}"
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file to attach."""

    name: str
    type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A mail of ours before it is bytes."""

    sender: str  # "Name <address>"
    recipient: str
    recipient_name: str = ""
    subject: str
    text: str
    html: str = ""
    message_id: str
    date: datetime  # aware
    in_reply_to: str = ""
    references: Sequence[str] = ()
    parts: Sequence[Part] = ()
    headers: Mapping[str, str] = field(default_factory=dict)  # fixed ones of ours: Auto-Submitted and the like


def compose(letter: Letter) -> bytes:
    """The bytes that will travel, CRLF line ends."""
    mail = EmailMessage(policy=POLICY)
    sender = our_address(letter.sender)
    mail["From"] = _address(sender.name, sender.address)
    mail["To"] = _address(letter.recipient_name, letter.recipient)
    mail["Subject"] = clean_header(letter.subject, SUBJECT_LENGTH)
    mail["Date"] = format_datetime(letter.date)
    mail["Message-ID"] = letter.message_id
    if letter.in_reply_to:
        mail["In-Reply-To"] = letter.in_reply_to
    if letter.references:
        mail["References"] = _folded_ids(letter.references)
    mail["MIME-Version"] = "1.0"
    for key, value in letter.headers.items():
        mail[key] = value
    mail.set_content(letter.text, charset="utf-8", cte="quoted-printable")
    if letter.html:
        mail.add_alternative(letter.html, subtype="html", charset="utf-8", cte="quoted-printable")
    for part in letter.parts:
        main, _, sub = part.type.partition("/")
        mail.add_attachment(
            part.content, maintype=main, subtype=sub or "octet-stream", filename=safe_name(part.name) or "file"
        )
    return mail.as_bytes()


def html_of(text: str, language: str) -> str:
    """The same text as a page: no remote content, readable in light and dark, screen-reader friendly."""
    blocks = [block for block in re.split(r"\n{2,}", text.strip("\n")) if block.strip()]
    body = "\n".join(
        f"<pre>{_linked(block)}</pre>" if _is_list(block) else f"<p>{_paragraph(block)}</p>" for block in blocks
    )
    return (
        f'<!doctype html>\n<html lang="{html.escape(language)}"><head><meta charset="utf-8">'
        f'<meta name="color-scheme" content="light dark"><style>{_STYLE}</style></head>\n'
        f"<body>\n{body}\n</body></html>\n"
    )


def _paragraph(block: str) -> str:
    """Long lines were wrapped for plain text and flow again; short ones (an address, a greeting) keep their breaks."""
    lines = block.split("\n")
    out = _linked(lines[0])
    for before, line in pairwise(lines):
        out += (" " if len(before) + len(line.split(" ", 1)[0]) >= 72 else "<br>\n") + _linked(line)
    return out


def _is_list(block: str) -> bool:
    return any(re.match(r"\s+\S|[-*>•]|\d+[.)]\s", line) for line in block.split("\n"))


def _linked(text: str) -> str:
    out, last = [], 0
    for found in _LINK.finditer(text):
        target = html.escape(found[0])
        out += [html.escape(text[last : found.start()]), f'<a href="{target}">{target}</a>']
        last = found.end()
    return "".join([*out, html.escape(text[last:])])


def _address(name: str, address: str) -> Address | str:
    clean = clean_header(name, SUBJECT_LENGTH).replace('"', "")
    local, _, domain = address.rpartition("@")
    try:
        return Address(display_name=clean, username=local, domain=domain)
    except (ValueError, IndexError):  # a local part that the parser does not like stays as it was written
        return clean_header(address, SUBJECT_LENGTH)


def _folded_ids(ids: Sequence[str]) -> str:
    return " ".join(ids)
