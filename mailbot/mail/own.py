"""Our own mark on our own mail: a header whose HMAC covers the Message-ID (design, promise 6). Never the From address.

The header carries the Message-ID that the mail left with, so that it is still recognised where a relay gave it another.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass

from mailbot.core.message import Message

HEADER = "X-Mailbot-Origin"
_VALUE = re.compile(r"^v1 ([a-z_]{1,30}) (<[^<>\s]{1,400}>) ([0-9a-f]{64})$")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What our own mail says of itself."""

    kind: str  # what the mail was: reply, notice, canary, ...
    message_id: str  # the Message-ID it left with
    rewritten: bool  # True when it arrived under another one


def mark(key: bytes, message_id: str, kind: str) -> str:
    """The value of our header for a mail of that Message-ID."""
    return f"v1 {kind} {message_id} {_mac(key, message_id, kind)}"


def origin(key: bytes, message: Message) -> Origin | None:
    """What our mark on a message says, None when it has none or a forged one.

    A mark copied onto a message with another Message-ID counts only if the message also carries no thread of its own
    (In-Reply-To), because an answer that a mail program decorated with our header must never be taken for ours.
    """
    found = origin_of(key, message.header(HEADER))
    if found is None or message.message_id == found.message_id:
        return found
    if found.message_id in (*message.in_reply_to, *message.references):
        return None
    return Origin(kind=found.kind, message_id=found.message_id, rewritten=True)


def origin_of(key: bytes, value: str) -> Origin | None:
    """What a mark says by itself, None for a forged one: a bounce returns it among the headers of our mail."""
    found = _VALUE.match(" ".join(value.split()))
    if found is None or not hmac.compare_digest(found[3], _mac(key, found[2], found[1])):
        return None
    return Origin(kind=found[1], message_id=found[2], rewritten=False)


def keyed_hash(key: bytes, *parts: object) -> str:
    """The keyed hash by which unrelated mail is remembered (design, promise 5), hex."""
    data = "\x1f".join(str(part) for part in parts)
    return hmac.new(key, b"seen\x00" + data.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _mac(key: bytes, message_id: str, kind: str) -> str:
    return hmac.new(key, f"own\x00{kind}\x00{message_id}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
