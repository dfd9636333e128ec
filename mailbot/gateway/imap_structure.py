"""A large message in outline: which of its parts are text, and a small message built from them.

The outline keeps every header and the nesting of the original, so that reading it gives what the whole would: texts in
full, files by name and type. BODYSTRUCTURE is RFC 3501 7.4.2 as imapclient hands it out (nested tuples of bytes).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

MAX_TEXT_PARTS = 20
MAX_DEPTH = 12
LEAF_FIELDS = 7  # type, subtype, parameters, id, description, encoding, size (RFC 3501 7.4.2)
_CONTENT_HEADERS = re.compile(
    rb"^content-(?:type|transfer-encoding|disposition)[ \t]*:.*(?:\r?\n[ \t].*)*\r?\n?", re.I | re.M
)


def text_sections(structure: Any) -> list[str]:
    """IMAP section numbers ("1", "2.1") of the parts that are text and not files, in order.

    Raises ValueError for what is no structure: nothing can be said of the message then.
    """
    found = [section for section, part in _leaves(structure, "", 0) if _is_text(part)]
    return found[:MAX_TEXT_PARTS]


def outline(header: bytes, structure: Any, texts: Mapping[str, bytes]) -> bytes:
    """A small message: the original's headers, the texts, and an empty part with name and type for each file."""
    headers = _CONTENT_HEADERS.sub(b"", header.rstrip(b"\r\n") + b"\r\n")
    return headers.rstrip(b"\r\n") + b"\r\n" + _part(structure, "", 0, texts)


def _part(part: Any, section: str, depth: int, texts: Mapping[str, bytes]) -> bytes:
    if _is_multipart(part):
        if depth >= MAX_DEPTH:
            return b"Content-Type: application/octet-stream\r\n\r\n"
        boundary = b"=_mailbot_%d_%s" % (depth, section.replace(".", "_").encode() or b"0")
        lines = [b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n' % (_word(part[1]) or b"mixed", boundary)]
        for number, child in enumerate(part[0], 1):
            lines.append(b"--" + boundary + b"\r\n" + _part(child, _inner(section, number), depth + 1, texts) + b"\r\n")
        return b"".join(lines) + b"--" + boundary + b"--\r\n"
    own = section or "1"
    kind = b"%s/%s" % (_word(part[0]) or b"application", _word(part[1]) or b"octet-stream")
    content = texts.get(own)
    head = b"Content-Type: " + kind + _parameters(part[2]) + b"\r\n"
    if content is not None:
        head += b"Content-Transfer-Encoding: " + (_word(part[5]) or b"7bit") + b"\r\n"
        return head + b"\r\n" + content
    disposition = _disposition(part)
    return head + b"Content-Disposition: " + (disposition or b"attachment") + b"\r\n\r\n"


def _leaves(part: Any, section: str, depth: int) -> Iterator[tuple[str, Any]]:
    if _is_multipart(part):
        if depth < MAX_DEPTH:
            for number, child in enumerate(part[0], 1):
                yield from _leaves(child, _inner(section, number), depth + 1)
    elif isinstance(part, tuple) and len(part) >= LEAF_FIELDS and all(isinstance(kind, bytes) for kind in part[:2]):
        yield section or "1", part
    else:
        raise ValueError("neither a part nor a multipart")


def _inner(section: str, number: int) -> str:
    return f"{section}.{number}" if section else str(number)


def _is_multipart(part: Any) -> bool:
    return isinstance(part, tuple) and bool(part) and isinstance(part[0], list)


def _is_text(part: Any) -> bool:
    kind = (_word(part[0]) or b"").lower()
    if kind == b"message":  # a forwarded message, a delivery report: their words count
        return True
    if kind != b"text":
        return False
    found = _disposition(part)
    return found is None or not found.lower().startswith(b"attachment") or (_word(part[1]) or b"").lower() == b"plain"


def _disposition(part: Any) -> bytes | None:
    """The disposition of a leaf with its parameters, wherever the extension data put it."""
    for item in part[7:]:
        if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], bytes):
            name = item[0].lower()
            if name in (b"attachment", b"inline"):
                return name + _parameters(item[1])
    return None


def _parameters(found: Any) -> bytes:
    if not isinstance(found, tuple):
        return b""
    pairs = zip(found[::2], found[1::2], strict=False)
    return b"".join(b"; " + _word(key) + b'="' + _quoted(value) + b'"' for key, value in pairs if _word(key))


def _word(value: Any) -> bytes:
    return re.sub(rb"[^A-Za-z0-9!#$&^_.+*'-]", b"", value) if isinstance(value, bytes) else b""


def _quoted(value: Any) -> bytes:
    return re.sub(rb'[\r\n\x00"\\]', b"", value) if isinstance(value, bytes) else b""
