"""A received message as a value: what was read from the bytes, never the bytes themselves.

Everything here is already clean: no NUL, no lone surrogate, no control character in anything that may become a header
(line breaks and tabs live only in the texts). What could not be read is named in `defects`; a message is never refused.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime

ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")  # a whole text that can be a mail address (ask with fullmatch)


@dataclass(frozen=True, kw_only=True)
class Address:
    """One mail address. `address` is lower-case only in its domain; `name` may be empty."""

    name: str = ""
    address: str = ""


def our_address(text: str) -> Address:
    """Our own sender as people write it, "Jalo IT Oy, tietosuoja <privacy@example.com>": a comma needs no quotes."""
    name, bracket, rest = text.rpartition("<")
    if not bracket:
        return Address(address=text.strip())
    return Address(name=name.strip().strip('"').strip(), address=rest.strip().removesuffix(">").strip())


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """One attached or inline file."""

    name: str  # safe file name, never with a path; "" when the part gave none
    type: str  # media type as declared, lower case: "application/pdf"
    size: int  # bytes after transfer decoding
    content: bytes = field(default=b"", repr=False)  # the decoded bytes; b"" when they were not kept


@dataclass(frozen=True, kw_only=True)
class Forward:
    """What a forwarded message carried: the inner writer is the requester when staff forward (design 8)."""

    sender: Address | None  # the inner From; None when the forward header did not name one
    subject: str = ""
    date: str = ""  # as written in the forward header; a hint for people, never for the clock
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One received message, decoded and split into what the writer wrote and what they quoted."""

    message_id: str = ""  # with angle brackets; "" when missing or unusable
    subject: str = ""
    sender: Address | None = None  # first usable From address; None when there is none
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    date: datetime | None = None  # the writer's clock, aware; never used for a deadline (law 2.5)
    in_reply_to: tuple[str, ...] = ()  # message ids with angle brackets
    references: tuple[str, ...] = ()  # message ids with angle brackets, oldest first
    text: str = ""  # the whole body as text
    visible_text: str = ""  # what the writer wrote, without quoted history, signature and disclaimer
    forwarded_text: str = ""  # the text below a forward mark; content, not history
    forward: Forward | None = None
    attachments: tuple[Attachment, ...] = ()
    automatic: str | None = None  # kind of automatic mail: auto_reply, bounce, list, ...; None for a person's
    flags: tuple[str, ...] = ()  # encrypted, tnef, image_only, oversize, unreadable ...: a human must look
    defects: tuple[str, ...] = ()  # what was wrong with the bytes, one short code each
    headers: tuple[tuple[str, str], ...] = ()  # decoded and cleaned, in order; for evidence and authenticity
    size: int = 0  # bytes of the raw message

    def header(self, name: str) -> str:
        """The first header of that name (any case), or an empty string."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")

    def all_headers(self, name: str) -> tuple[str, ...]:
        """Every header of that name, topmost first."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)
