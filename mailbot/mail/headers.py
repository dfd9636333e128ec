"""Header values become names, addresses, message ids and moments; each behind a guard, none of them ever raises.

What can not be read is left out rather than guessed: an answer must never go to an address we made up.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mailbot.core.message import Address
from mailbot.mail.charset import clean_header, decode_words

_MAX_HEADER = 50_000  # characters looked at in one header
_MAX_ADDRESSES = 500
_MAX_IDS = 200
_SIMPLE = re.compile(r"\s*([^<>()\",:;@\\]*?)\s*<([^<>()\",:;@\\\s]+@[^<>()\",:;@\\\s]+)>\s*")
_BARE = re.compile(r"[^\s<>()\",:;@\\]+@[^\s<>()\",:;@\\]+")
_USABLE = re.compile(r"(?:[^\s@<>()\",:;\\]{1,64}|\"[^\"\r\n\x00-\x1f]{1,62}\")@[^\s@<>()\",;\\]{1,255}")
_COMMENT = re.compile(r"\(([^()]{0,500})\)")
_MAX_ID_BYTES = 998  # no line of a header is longer (RFC 5322 2.1.1), and no database must index more
_ID = re.compile(r"<([^<>\s]{1,900})>")
_BARE_ID = re.compile(r"[^\s<>@]{1,400}@[^\s<>@]{1,400}")


def addresses(value: str) -> tuple[Address, ...]:
    """The usable addresses of a raw From, To, Cc or Reply-To value, in order."""
    if not value:
        return ()
    simple = _SIMPLE.fullmatch(value) if len(value) < 500 else None
    if simple:
        found = [_address(simple.group(1), simple.group(2))]
    else:
        found = [_mailbox(piece) for piece in _pieces(value[:_MAX_HEADER])[:_MAX_ADDRESSES]]
    return tuple(address for address in found if address is not None)


def _pieces(value: str) -> list[str]:
    """The mailboxes of an address list: split at commas and semicolons outside quotes, angles and comments.

    Group names ("Team: a@b, c@d;", RFC 5322 3.4) are dropped with their colon.
    """
    pieces: list[str] = []
    piece: list[str] = []
    quoted = escaped = angle = False
    comment = 0
    for char in value:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = quoted or comment > 0
        elif char == '"' and not comment:
            quoted = not quoted
        elif not quoted and char == "(":
            comment += 1
        elif not quoted and char == ")":
            comment = max(0, comment - 1)
        elif not quoted and not comment:
            if char in ",;" and not angle:
                pieces.append("".join(piece))
                piece = []
                continue
            if char == ":" and not angle:
                piece = []
                continue
            angle = char == "<" or (angle and char != ">")
        piece.append(char)
    pieces.append("".join(piece))
    return pieces


def _mailbox(piece: str) -> Address | None:
    """One mailbox: `Name <a@b>`, `a@b (Name)` or `a@b`; None when it holds no usable address."""
    opening = piece.rfind("<")
    if opening >= 0:
        inside = piece[opening + 1 :].partition(">")[0]
        return _address(piece[:opening], inside.rpartition(":")[2] if inside.startswith("@") else inside)
    comment = _COMMENT.search(piece)
    bare = _BARE.search(_COMMENT.sub(" ", piece))
    return _address(comment.group(1) if comment else "", bare.group(0)) if bare else None


def _address(name: str, spec: str) -> Address | None:
    spec = clean_header(decode_words(spec) if "=?" not in spec else spec, 400).strip(" '")
    if not _USABLE.fullmatch(spec):
        return None
    local, _, domain = spec.rpartition("@")
    shown = clean_header(decode_words(name.strip().strip('"').replace('\\"', '"')), 200).strip("\"' ")
    return Address(name=shown, address=f"{local}@{domain.lower().rstrip('.')}")


def message_ids(value: str) -> tuple[str, ...]:
    """The ids of a raw Message-ID, In-Reply-To or References value, with angle brackets, in order, once each."""
    if not value:
        return ()
    found = [f"<{inner}>" for inner in _ID.findall(value[:_MAX_HEADER])]
    if not found and (bare := _BARE_ID.fullmatch(value.strip()[:900])):
        found = [f"<{bare.group(0)}>"]
    clean = (clean_header(one, 1000) for one in found)
    usable = (one for one in clean if " " not in one and 2 < len(one.encode("utf-8", "replace")) <= _MAX_ID_BYTES)
    return tuple(dict.fromkeys(usable))[:_MAX_IDS]


def moment(value: str) -> datetime | None:
    """The aware moment of a raw Date value, or None. A missing zone counts as UTC (RFC 5322 3.3)."""
    try:
        parsed = parsedate_to_datetime(value.strip()[:200])
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
