"""Raw bytes become a tree of parts, within bounds that are checked before anything is parsed.

The standard parser is robust but not cheap: nested parts cost it time and memory out of proportion. So size, lines,
parts, depth and the length of structured headers are counted first, by plain searches; what is over a bound is opened
with its headers only and marked oversize, for a person to look at. Nothing here raises for any bytes; nothing here
knows what a mail means.
"""

import binascii
import email
import re
from dataclasses import dataclass, field
from email.errors import MessageError
from email.generator import BytesGenerator
from email.message import Message as Parsed
from email.parser import HeaderParser
from io import BytesIO
from urllib.parse import unquote_to_bytes

from mailbot.mail.charset import clean_header, decode, decode_words

# What the mail code of the standard library raises on hostile input (its bug threads and trials, 3.11 to 3.13).
FAULTS = (
    ValueError, LookupError, AttributeError, TypeError, AssertionError, RecursionError, OverflowError, MessageError,
)  # fmt: skip

MAX_BYTES = 32 * 1024 * 1024  # many servers refuse more than 25 MB; 32 MB take 300 MB of memory
_MAX_LINES = 700_000
_MAX_HEAD = 512 * 1024  # bytes of one header section
_MAX_HEADERS = 1500
_MAX_FIELD = 12_000  # bytes of one Content-Type or Content-Disposition header
_MAX_CONTAINER_FIELD = 2_000  # of a multipart: the standard parser is quadratic in it
_MAX_CONTAINERS = 100  # multiparts and attached messages, so also the depth
_MAX_PARTS = 600
_MAX_DASHED = 30_000  # lines that begin with "--", each of which may be a part
_MAX_WORK = 4_000_000  # lines times containers: each line is compared with every open boundary

_CONTENT_TYPE = re.compile(rb"^content-(?:type|disposition)[ \t]*:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", re.I | re.M)
_CONTAINER = re.compile(rb"content-type[ \t]*:\s*(?:\"\s*)?(?:multipart|message)\s*/", re.I)
_BOUNDARY = re.compile(rb"boundary\*?(?:0\*?)?\s*=\s*(?:\"([^\"\r\n]{1,200})|([^\s;\"]{1,200}))", re.I)
_DASHED = re.compile(rb"^--([^\r\n]{0,200})", re.M)
_BARE_CR = re.compile(rb"\r(?!\n)")
_HEAD_END = re.compile(rb"\r?\n[ \t]*\r?\n")
_WELL_FORMED = re.compile(rb"(?:(?:[!-9;-~]+:|[ \t]).*(?:\n|\Z))*")
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_SPACED_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]+:")
_KNOWN_FIELD = re.compile(
    rb"(?:from|to|cc|subject|date|message-id|mime-version|content-[a-z-]+|received|return-path|reply-to|in-reply-to|"
    rb"references|delivered-to|x-[a-z0-9-]+|dkim-signature|authentication-results|list-[a-z]+|sender)[ \t]*:",
    re.I,
)
_GARBLED = re.compile(r"^--([^\s\"]{1,70})[ \t]*\r?\n(?=content-)", re.I | re.M)
_TYPE = re.compile(r"\s*([\w.+-]{1,60})\s*/\s*([\w.+-]{1,100})")
_ONE_PARAM = re.compile(r"[^;]*;\s*([\w-]{1,40})\s*=\s*\"?([\w.:-]{1,60})\"?\s*;?\s*")
_CONTINUED = re.compile(r"([\w.-]{1,60})\*(?:(\d{1,3})(\*)?|)")
_ESCAPED = re.compile(r"\\(.)")
_HIGH = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_NO_LETTERS = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_NOT_BASE64 = re.compile(rb"(?<==)[\r\n]+(?=[^=])|[\r\n]+[_-]{4,}|[\r\n]+-- ?[\r\n]")
_PATH = re.compile(r"[\\/:]")
_UNSAFE_NAME = re.compile(r"[<>\"|?*]")


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A message taken from its bytes, not yet understood."""

    tree: Parsed
    oversize: bool = False  # only the headers are in `tree`
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """One part that is no container."""

    type: str  # lower case, "text/plain"
    name: str  # safe file name or ""
    disposition: str  # "inline", "attachment" or ""
    params: dict[str, str] = field(default_factory=dict)
    data: bytes = b""


def open_message(raw: bytes) -> Opened:
    """The tree of parts of a raw message. Never raises."""
    mended, defects = _mend(raw)
    if fault := _over_bounds(mended):
        return Opened(tree=_headers_only(mended), oversize=True, defects=(*defects, f"oversize_{fault}"))
    try:
        return Opened(tree=email.message_from_bytes(mended), defects=defects)
    except FAULTS:
        return Opened(tree=_headers_only(mended), oversize=True, defects=(*defects, "unparsable"))


def _mend(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Stray lines above or between the headers taken out, which would end the headers for the parser."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if raw.count(b"\r") != raw.count(b"\r\n"):
        raw = _BARE_CR.sub(b"\n", raw)  # the parser ends a line there, so must every bound that is counted in lines
    if raw[:1] in b"\r\n \t":
        raw = raw.lstrip(b"\r\n \t")
    end = _HEAD_END.search(raw, 0, _MAX_HEAD)
    head = raw[: end.start()] if end else raw[:_MAX_HEAD] if len(raw) <= _MAX_HEAD else b""
    if not head or _WELL_FORMED.fullmatch(head):
        return raw, ()
    lines = head.split(b"\n")
    last_known = max((n for n, line in enumerate(lines) if _KNOWN_FIELD.match(line)), default=-1)
    kept: list[bytes] = []
    stray = False
    for number, line in enumerate(lines):
        looks_right = _FIELD.match(line) or (line[:1] in b" \t" and kept) or (line.startswith(b"From ") and number == 0)
        if number <= last_known and not looks_right:
            stray = True
            continue
        kept.append(_SPACED_FIELD.sub(rb"\1:", line) if number <= last_known else line)
    if kept == lines:
        return raw, ()
    return b"\n".join(kept) + raw[len(head) :], ("stray_line",) if stray else ("spaced_header",)


def _over_bounds(raw: bytes) -> str:
    """Which bound a message breaks, or ""."""
    if len(raw) > MAX_BYTES:
        return "bytes"
    end = _HEAD_END.search(raw, 0, _MAX_HEAD)
    if end is None and len(raw) > _MAX_HEAD:
        return "headers"
    if raw.count(b"\n", 0, end.start() if end else len(raw)) > _MAX_HEADERS and end:
        return "headers"
    lines = raw.count(b"\n")
    if lines > _MAX_LINES:
        return "lines"
    containers = 0
    for match in _CONTENT_TYPE.finditer(raw):
        if match.end() - match.start() > _MAX_FIELD:
            return "headers"
        if _CONTAINER.match(match.group(0)):
            containers += 1
            if match.end() - match.start() > _MAX_CONTAINER_FIELD:
                return "headers"
    if containers > _MAX_CONTAINERS:
        return "parts"
    if lines * (containers + 1) > _MAX_WORK:
        return "lines"
    return _too_many_parts(raw)


def _too_many_parts(raw: bytes) -> str:
    boundaries = {(one or two).rstrip() for one, two in _BOUNDARY.findall(raw)}
    parts = 0
    for dashed, match in enumerate(_DASHED.finditer(raw)):
        parts += match.group(1).rstrip() in boundaries
        if parts > _MAX_PARTS or dashed > _MAX_DASHED:
            return "parts"
    return ""


def _headers_only(raw: bytes) -> Parsed:
    end = _HEAD_END.search(raw, 0, _MAX_HEAD)
    head = raw[: end.start() if end else min(len(raw), 64 * 1024)]
    lines = head[: 256 * 1024].split(b"\n")[:_MAX_HEADERS]
    text = "\n".join(line.rstrip(b"\r").decode("ascii", "surrogateescape") for line in lines)
    try:
        return HeaderParser().parsestr(text + "\n\n")
    except FAULTS:
        return Parsed()


def raw_headers(part: Parsed) -> list[tuple[str, str]]:
    """Names and undecoded values, topmost first."""
    return [(str(name), str(value)) for name, value in part.raw_items()]


def heads_of(part: Parsed) -> dict[str, str]:
    """The first undecoded value of each header, by its name in lower case."""
    return {str(name).lower(): str(value) for name, value in reversed(list(part.raw_items()))}


def children(part: Parsed, kind: str) -> list[Parsed] | None:
    """The parts of a container, None for a leaf. A multipart with a garbled boundary is mended by what it holds."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [child for child in payload if isinstance(child, Parsed)]
    if isinstance(payload, str) and kind.startswith("multipart/") and (found := _GARBLED.search(payload)):
        head = f'Content-Type: multipart/mixed; boundary="{found.group(1)}"\n\n'
        try:
            mended = email.message_from_bytes(head.encode("ascii", "replace") + _decoded(part, {})).get_payload()
        except FAULTS:
            return None
        return [child for child in mended if isinstance(child, Parsed)] if isinstance(mended, list) else None
    return None


def content_type(heads: dict[str, str], default: str = "text/plain") -> str:
    """The declared media type in lower case; what can not be read is text/plain (RFC 2045 5.2)."""
    declared = heads.get("content-type")
    if declared is None:
        return default
    match = _TYPE.match(declared[:300])
    return f"{match.group(1)}/{match.group(2)}".lower() if match else "text/plain"


def leaf_of(part: Parsed, heads: dict[str, str], kind: str) -> Leaf:
    """A leaf with its decoded bytes. Never raises."""
    disposition = heads.get("content-disposition", "")[:100].strip().lower()
    params = parameters(heads.get("content-type", ""))
    return Leaf(
        type=kind,
        name=_file_name(heads, params),
        disposition="attachment" if disposition.startswith("attachment") else "inline" if disposition else "",
        params=params,
        data=_decoded(part, heads),
    )


def _decoded(part: Parsed, heads: dict[str, str]) -> bytes:
    """The bytes of a leaf after transfer decoding (RFC 2045 6); damaged encodings give what can be read."""
    encoding = heads.get("content-transfer-encoding", "").strip().lower()
    data = b""
    try:
        if encoding in ("quoted-printable", "base64"):
            data = str(part.get_payload()).encode("utf-8", "replace")
            return binascii.a2b_qp(data) if encoding[0] == "q" else _base64(data)
        decoded = part.get_payload(decode=True)
        return decoded if isinstance(decoded, bytes) else b""
    except FAULTS:
        return data


def _base64(data: bytes) -> bytes:
    if b"-" in data or b"_" in data or b"=" in data[:-4]:
        data = _NOT_BASE64.split(data, maxsplit=1)[0] or data  # a list's footer below the encoded text
    letters = data.translate(None, _NO_LETTERS)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def written_out(inside: list[Parsed]) -> bytes:
    """The bytes of an attached message or report, as nearly as the parser kept them. Never raises."""
    out = BytesIO()
    try:
        writer = BytesGenerator(out, mangle_from_=False, maxheaderlen=0)
        for child in inside:
            writer.flatten(child)
    except FAULTS:
        return out.getvalue()
    return out.getvalue()


def parameters(value: str) -> dict[str, str]:
    """The parameters of a structured header by name in lower case, RFC 2231 continuations and charsets resolved.

    One pass over the value: the standard library's parser is quadratic in its semicolons.
    """
    if ";" not in value:
        return {}
    if simple := _ONE_PARAM.fullmatch(value):
        return {simple.group(1).lower(): simple.group(2)}
    plain: dict[str, str] = {}
    parts: dict[str, dict[int, tuple[str, bool]]] = {}
    for piece in _statements(value[:_MAX_FIELD])[1:]:
        name, equals, text = piece.partition("=")
        name, text = name.strip().lower(), _unquoted(text.strip())
        if not equals or not name:
            continue
        if continued := _CONTINUED.fullmatch(name):
            number = int(continued.group(2) or 0)
            encoded = bool(continued.group(3)) or continued.group(2) is None  # `name*=` in one piece is always encoded
            parts.setdefault(continued.group(1), {})[number] = (text, encoded)
        else:
            plain.setdefault(name, text)
    return plain | {name: _extended(pieces) for name, pieces in parts.items()}


def _statements(value: str) -> list[str]:
    """The statements between semicolons outside quotes."""
    found: list[str] = []
    start = 0
    quoted = escaped = False
    for at, char in enumerate(value):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = quoted
        elif char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            found.append(value[start:at])
            start = at + 1
    return [*found, value[start:]]


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:].removesuffix('"')) if text.startswith('"') else text


def _extended(pieces: dict[int, tuple[str, bool]]) -> str:
    """The value of `name*0*=utf-8''...; name*1=...` (RFC 2231 3-4)."""
    charset = ""
    data = b""
    for number in sorted(pieces):
        text, encoded = pieces[number]
        if encoded and number == min(pieces) and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        raw = text.encode("utf-8", "surrogateescape" if not _HIGH.search(text) else "replace")
        data += unquote_to_bytes(raw) if encoded else raw
    return decode(data, charset)[0]


def _file_name(heads: dict[str, str], params: dict[str, str]) -> str:
    """The part's file name without any path, control character or encoded word; "" when it gives none."""
    name = parameters(heads.get("content-disposition", "")).get("filename") or params.get("name", "")
    return safe_name(name) if name else ""


def file_name(heads: dict[str, str]) -> str:
    """The file name of a container."""
    return _file_name(heads, parameters(heads.get("content-type", "")))


def safe_name(name: str) -> str:
    """A file name that can not leave its folder: the last component, cleaned, at most 150 characters."""
    text = clean_header(decode_words(name), 1000)
    text = _UNSAFE_NAME.sub("_", _PATH.split(text)[-1]).strip(" .")
    if len(text) > 150:
        stem, dot, suffix = text.rpartition(".")
        text = f"{stem[:130]}.{suffix}" if dot and len(suffix) <= 12 else text[:150]
    return text
