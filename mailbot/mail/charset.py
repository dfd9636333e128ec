"""Bytes become text here, and text becomes safe.

Decoding climbs a ladder (declared, alias, UTF-8, Windows-1252, replacement) and always answers. Cleaned text never
holds a NUL, a lone surrogate, a soft hyphen, a zero-width or a direction mark; a cleaned header never holds a line
break or the start of an encoded word, so nothing that was read can become a second header of a reply.
"""

import base64
import binascii
import codecs
import quopri
import re
import unicodedata
from functools import lru_cache

_ALIASES = {
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "unicode-2-0-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "utf-8-sig": "utf-8",
    "unicode": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-1-windows-3.1-latin-1": "cp1252",
    "ansi": "cp1252",
    "x-ansi": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "x-mac-ce": "mac_latin2",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-greek": "mac_greek",
    "x-mac-turkish": "mac_turkish",
    "x-mac-icelandic": "mac_iceland",
    "x-windows-949": "cp949",
}
# Python also knows "encodings" that are no character sets (zip, rot13, punycode, unicode_escape); mail may not
# name those.
_REAL = re.compile(r"(?:utf|iso8859|iso2022|cp|koi8|mac|gb|big5|euc|shift|johab|hz|tis|ascii|latin|kz1048|ptcp154|hp)")
_CHARSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,60}")

_ENCODED_WORD = re.compile(r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,30})?\?([bBqQ])\?([^?\r\n]{0,4000})\?=")  # RFC 2047 2
_BETWEEN_WORDS = re.compile(r"[ \t\r\n]+")
_MAX_ROUNDS = 3  # encoded words inside encoded words; more is an attack, not a mailer's mistake

_SURROGATES = re.compile("[\ud800-\udfff]")
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x84\x86-\x9f]")
_LINE_ENDS = re.compile("[\r\x0c\x85\u2028\u2029]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_ASCII_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_UNCLEAN = re.compile(  # any of the above; most texts hold none and are looked at once
    "|".join(one.pattern for one in (_SURROGATES, _INVISIBLE, _CONTROLS, _LINE_ENDS, _SPACES)).replace("]|[", "")
)
_HEADER_BREAK = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_ENCODED_START = re.compile(r"=+\?+")


@lru_cache(maxsize=256)
def codec_for(charset: str) -> str | None:
    """Python's name for a declared character set, or None when it is unknown, empty or no character set at all."""
    wanted = charset.strip().strip("\"'").lower()
    if not _CHARSET_NAME.fullmatch(wanted):
        return None
    try:
        name = codecs.lookup(_ALIASES.get(wanted, wanted)).name
    except (LookupError, ValueError, UnicodeError):
        return None
    return name if _REAL.match(name.replace("-", "").replace("_", "")) else None


def decode(data: bytes, charset: str = "") -> tuple[str, bool]:
    """The text of `data`, and whether the declared character set served. Never raises; does not clean."""
    codec = codec_for(charset)
    strict_utf8 = _try(data, "utf-8")
    if codec in (None, "ascii", "utf-8"):
        if strict_utf8 is not None:
            return strict_utf8, codec is not None or strict_utf8.isascii()
        return _rescue(data), False
    if codec == "cp1252" and strict_utf8 is not None and not strict_utf8.isascii():
        return strict_utf8, False  # UTF-8 that calls itself Latin-1; the reverse accident does not happen in prose
    text = _try(data, codec or "utf-8")
    if text is not None:
        return text, True
    return (strict_utf8 if strict_utf8 is not None else _rescue(data)), False


def _try(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError, ValueError, OverflowError):
        return None


def _rescue(data: bytes) -> str:
    """Neither declared nor UTF-8: damaged UTF-8 keeps its good letters, anything else is read as Windows-1252."""
    replaced = data.decode("utf-8", "replace")
    good = sum(1 for char in replaced[:20000] if char > "\x7f" and char != "\ufffd")
    bad = replaced.count("\ufffd", 0, 20000)
    return replaced if good > bad else data.decode("cp1252", "replace")


def decode_words(value: str) -> str:
    """A raw header value as text: 8-bit bytes (as surrogates) and encoded words decoded, not cleaned."""
    if "=?" not in value and value.isascii():
        return value
    text = _unescape(value)
    for _ in range(_MAX_ROUNDS):
        if "=?" not in text:
            break
        text = _decode_round(text)
    return text


def _unescape(value: str) -> str:
    if not _SURROGATES.search(value):
        return value
    escaped = all("\udc80" <= char <= "\udcff" for char in _SURROGATES.findall(value))
    return decode(value.encode("utf-8", "surrogateescape" if escaped else "replace"))[0]


def _decode_round(text: str) -> str:
    """Decode every encoded word once; neighbours of one character set are joined before decoding (RFC 2047 6.2)."""
    out: list[str] = []
    pending: list[tuple[str, bytes]] = []
    last = 0
    for match in _ENCODED_WORD.finditer(text):
        gap = text[last : match.start()]
        if gap and not (pending and _BETWEEN_WORDS.fullmatch(gap)):
            out.append(_flush(pending))
            out.append(gap)
        charset = match.group(1).lower()
        data = _word_bytes(match.group(2), match.group(3))
        if pending and pending[-1][0] == charset:
            pending[-1] = (charset, pending[-1][1] + data)
        else:
            pending.append((charset, data))
        last = match.end()
    out.append(_flush(pending))
    out.append(text[last:])
    return "".join(out)


def _flush(pending: list[tuple[str, bytes]]) -> str:
    text = "".join(decode(data, charset)[0] for charset, data in pending)
    pending.clear()
    return text


def _word_bytes(encoding: str, payload: str) -> bytes:
    data = payload.encode("utf-8", "replace")
    if encoding in "qQ":
        return quopri.decodestring(data, header=True)
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4))
    except (binascii.Error, ValueError):
        return data


def clean_text(text: str) -> str:
    """Text fit to store and to match: NFC, line breaks as \\n, nothing invisible, nothing unstorable."""
    text = text.replace("\r\n", "\n")
    if text.isascii() and not _ASCII_CONTROLS.search(text):
        return text
    if not _UNCLEAN.search(text):
        return unicodedata.normalize("NFC", text)
    text = _LINE_ENDS.sub("\n", text)
    text = _SURROGATES.sub("\ufffd", text)
    text = _CONTROLS.sub("", text)
    text = _INVISIBLE.sub("", text)
    text = _SPACES.sub(" ", text)
    return unicodedata.normalize("NFC", text)


def clean_header(text: str, limit: int = 2000) -> str:
    """One line that can not open another header, nor be decoded into one (CPython 3.11.7 and 3.12.1 would)."""
    if text.isascii() and "=?" not in text:
        if text.isprintable():
            return text.strip()[:limit]
        line = " ".join(text[: limit * 2].split())  # most headers of several lines
        if line.isprintable():
            return line[:limit]
    text = _HEADER_BREAK.sub(" ", clean_text(text)[: limit * 2])
    return _ENCODED_START.sub("= ?", text).strip()[:limit]
