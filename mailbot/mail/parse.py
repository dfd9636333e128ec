"""Any bytes become a `Message`. This never raises, and takes bounded time and memory (see `mime` for the bounds).

What could not be read is said in `defects`; what a person must look at is said in `flags`: encrypted, opaque_signed,
tnef, image_only, attachment_only, oversize, unreadable, partial, empty. A body that is a file is read as the body. A
message that is attached is the content of a forward; the message a bounce returns is not.
"""

import re
from dataclasses import dataclass, field, replace
from email.message import Message as Parsed
from functools import lru_cache

from mailbot.core.message import Attachment, Forward, Message
from mailbot.mail.automatic import CERTAIN, Signs, judge
from mailbot.mail.charset import clean_header, clean_text, decode, decode_words
from mailbot.mail.headers import addresses, message_ids, moment
from mailbot.mail.html import MAX_TAGS, to_text
from mailbot.mail.mime import (
    Leaf,
    children,
    content_type,
    file_name,
    heads_of,
    leaf_of,
    open_message,
    parameters,
    raw_headers,
    written_out,
)
from mailbot.mail.patterns import ReadingPatterns
from mailbot.mail.visible import split

_UNSEEN = ("encrypted", "opaque_signed", "tnef", "image_only", "attachment_only", "oversize", "unreadable", "partial")
UNSEEN = frozenset(_UNSEEN)  # something may be asked there that we could not read
HUMAN_MUST_LOOK = UNSEEN | {"empty"}

_MAX_TEXT = 2_000_000  # characters of body text
_MAX_INNER = 4  # attached messages inside attached messages
_MAX_ATTACHMENTS = 500
_ENOUGH = 60  # characters of plain text that need no second look at the HTML
_TEXT_FILE = re.compile(r"\.(?:txt|text|html?|md|log)$", re.I)
_PGP = re.compile(r"^-----BEGIN PGP MESSAGE-----", re.M)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.I)
_RICH_TAG = re.compile(r"</?[A-Za-z][^<>]{0,60}>")
_LETTER = re.compile(r"\w")
_MOST_RUBBISH = 20  # characters that may be broken in however short a text
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # escape belongs to ISO 2022
_CONTROL_BYTES = bytes(byte for byte in range(128) if _CONTROLS.match(chr(byte)))


@dataclass(kw_only=True)
class _Body:
    """What a walk over the parts has found so far."""

    texts: list[Leaf] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    files: list[Leaf] = field(default_factory=list)  # attached texts, in case there is no other text
    inner: list[Parsed] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    types: set[str] = field(default_factory=set)
    report_type: str = ""
    calendar_method: str = ""
    images: bool = False  # the HTML shows pictures
    tags: int = 2 * MAX_TAGS  # how many more tags of this message may be built into trees
    markup: int = 5_000_000  # how many more characters of HTML are read


def read_message(raw: bytes, patterns: ReadingPatterns) -> Message:
    """Read one message. Never raises; bounded in time and memory for any bytes."""
    opened = open_message(raw)
    message = _read_tree(opened.tree, patterns, size=len(raw), depth=0)
    bare = not message.headers and not raw.isspace() and raw != b""  # no header at all: this may be no mail
    if not opened.oversize and not opened.defects and not bare:
        return message
    flags = [flag for flag in message.flags if not (opened.oversize and flag in ("empty", "attachment_only"))]
    return replace(
        message,
        flags=_unique(flags + ["oversize"] * opened.oversize + ["unreadable"] * bare),
        defects=_unique([*opened.defects, *message.defects]),
    )


def read_text(
    subject: str,
    body: str,
    sender: str = "",
    patterns: ReadingPatterns = ReadingPatterns(),  # noqa: B008  a frozen value
) -> Message:
    """The same split for a bare subject and body, as labelled collections hold them."""
    title = clean_header(subject)
    text = clean_text(body)[:_MAX_TEXT].strip()
    parts = split(text, patterns, title)
    found = addresses(sender)
    message = Message(
        subject=title, sender=found[0] if found else None, text=text, visible_text=parts.visible,
        forwarded_text=parts.forwarded, forward=parts.forward, defects=parts.defects, size=len(body),
    )  # fmt: skip
    kind, flags = judge(message, Signs(), patterns)
    return replace(message, automatic=kind, flags=flags)


def _read_tree(tree: Parsed, patterns: ReadingPatterns, *, size: int, depth: int) -> Message:
    message = _read_headers(raw_headers(tree))
    body = _Body()
    _collect(tree, body, patterns)
    text = _text_of(body)
    if len(text) > _MAX_TEXT:
        text = text[:_MAX_TEXT]
        body.defects.append("text_cut")
    parts = split(text, patterns, message.subject, frozenset(one.address.lower() for one in message.to + message.cc))
    message = replace(
        message,
        size=size,
        text=text,
        visible_text=parts.visible,
        forwarded_text=parts.forwarded,
        forward=parts.forward,
        attachments=tuple(body.attachments[:_MAX_ATTACHMENTS]),
    )
    signs = Signs(report_type=body.report_type, calendar_method=body.calendar_method, types=frozenset(body.types))
    kind, signals = judge(message, signs, patterns)
    flags = [*_content_flags(message, body), *signals]
    defects = [*message.defects, *body.defects, *parts.defects]
    if kind or flags or defects:
        message = replace(message, automatic=kind, flags=_unique(flags), defects=_unique(defects))
    if body.inner and kind not in CERTAIN and depth < _MAX_INNER:
        message = _with_inner(message, body.inner, patterns, depth)
    return message


def _read_headers(raw: list[tuple[str, str]]) -> Message:
    """The headers as values; every one is optional and every reading guarded."""
    first: dict[str, str] = {}
    counts: dict[str, int] = {}
    decoded: list[tuple[str, str]] = []
    for name, value in raw:
        key = name.lower()
        first.setdefault(key, value)
        counts[key] = counts.get(key, 0) + 1
        decoded.append((_header_name(name), clean_header(decode_words(value[:20_000]), 10_000)))
    senders = [one for name, value in raw if name.lower() == "from" for one in addresses(_unfolded(value))]
    ids = message_ids(_plain(first.get("message-id", "")))
    defects = [code for code, wrong in (
        ("no_from", not senders),
        ("several_from", len({one.address.lower() for one in senders}) > 1),
        ("no_message_id", not ids),
        ("several_subjects", counts.get("subject", 0) > 1),
    ) if wrong]  # fmt: skip
    return Message(
        message_id=ids[0] if ids else "",
        subject=clean_header(decode_words(first.get("subject", "")[:20_000])),
        sender=senders[0] if senders else None,
        reply_to=addresses(_unfolded(first.get("reply-to", ""))),
        to=addresses(_unfolded(first.get("to", ""))),
        cc=addresses(_unfolded(first.get("cc", ""))),
        date=moment(_plain(first.get("date", ""))),
        in_reply_to=message_ids(_plain(first.get("in-reply-to", ""))),
        references=message_ids(_plain(first.get("references", ""))),
        headers=tuple(decoded),
        defects=tuple(defects),
    )


@lru_cache(maxsize=512)
def _header_name(name: str) -> str:
    return clean_header(name, 100)


def _unfolded(value: str) -> str:
    return value.replace("\r", "").replace("\n", "") if "\n" in value or "\r" in value else value


def _plain(value: str) -> str:
    return _unfolded(value).encode("ascii", "ignore").decode()


def _collect(part: Parsed, body: _Body, patterns: ReadingPatterns, default: str = "text/plain") -> None:
    heads = heads_of(part)
    kind = content_type(heads, default)
    body.types.add(kind)
    inside = children(part, kind)
    if inside is None:
        if kind.startswith("multipart/"):
            body.defects.append("multipart_without_parts")
        _collect_leaf(leaf_of(part, heads, kind), body)
    elif kind.startswith("message/"):
        _collect_message(heads, kind, inside, body)
    elif kind == "multipart/alternative":
        _collect_alternative(inside, body, patterns)
    else:
        if kind == "multipart/report":
            body.report_type = parameters(heads.get("content-type", "")).get("report-type", "").lower()
        elif kind == "multipart/encrypted":
            body.flags.append("encrypted")
        for child in inside:
            _collect(child, body, patterns, "message/rfc822" if kind == "multipart/digest" else "text/plain")


def _collect_message(heads: dict[str, str], kind: str, inside: list[Parsed], body: _Body) -> None:
    """An attached message, or the fields of a report (which the parser gives as messages)."""
    data = written_out(inside)
    body.attachments.append(Attachment(name=file_name(heads), type=kind, size=len(data), content=data))
    if kind in ("message/rfc822", "message/global") and inside:
        body.inner.append(inside[0])
    elif kind == "message/partial":
        body.flags.append("partial")


def _collect_alternative(inside: list[Parsed], body: _Body, patterns: ReadingPatterns) -> None:
    """One of several forms of the same text: the plain one, unless it only says that there is another."""
    forms: list[_Body] = []
    for child in inside:
        form = _Body()
        _collect(child, form, patterns)
        forms.append(form)
    for form in forms:
        body.attachments += form.attachments
        body.files += form.files
        body.inner += form.inner
        body.flags += form.flags
        body.defects += form.defects
        body.types |= form.types
        body.calendar_method = body.calendar_method or form.calendar_method
    chosen = _best_form([form for form in forms if form.texts], patterns)
    if chosen:
        body.texts += chosen.texts


def _best_form(forms: list[_Body], patterns: ReadingPatterns) -> _Body | None:
    plain = next((form for form in forms if all(leaf.type == "text/plain" for leaf in form.texts)), None)
    rich = next((form for form in reversed(forms) if any(leaf.type == "text/html" for leaf in form.texts)), None)
    if plain is None or rich is None:
        return plain or rich or (forms[-1] if forms else None)
    text = "\n".join(_leaf_text(leaf, _Body()) for leaf in plain.texts).strip()
    if len(text) >= _ENOUGH and not patterns.no_html.search(text[:600]):
        return plain
    other = "\n".join(_leaf_text(leaf, _Body()) for leaf in rich.texts).strip()
    return rich if len(other) > len(text) or patterns.no_html.search(text[:600]) else plain


def _collect_leaf(leaf: Leaf, body: _Body) -> None:
    kind = leaf.type
    if kind == "text/calendar":
        body.calendar_method = body.calendar_method or leaf.params.get("method", "").upper()
    is_text = kind in ("text/plain", "text/html", "text/enriched", "text/richtext") or kind.startswith("multipart/")
    if is_text and leaf.disposition != "attachment" and not leaf.name:
        body.texts.append(leaf)
        return
    if kind == "message/rfc822" or leaf.name.lower().endswith(".eml"):
        body.inner += _messages_in(leaf)
    _flag_leaf(leaf, body)
    named_text = kind.startswith(("text/", "application/octet")) and _TEXT_FILE.search(leaf.name)
    if is_text or named_text or kind == "text/calendar":
        body.files.append(leaf)
    body.attachments.append(Attachment(name=leaf.name, type=kind, size=len(leaf.data), content=leaf.data))


def _messages_in(leaf: Leaf) -> list[Parsed]:
    """A message attached as a file, or in a transfer encoding that the parser does not open."""
    opened = open_message(leaf.data)
    is_message = not opened.oversize and any(name in opened.tree for name in ("From", "Subject", "Date"))
    return [opened.tree] if is_message else []


def _flag_leaf(leaf: Leaf, body: _Body) -> None:
    kind = leaf.type
    if kind in ("application/ms-tnef", "application/vnd.ms-tnef") or leaf.name.lower() == "winmail.dat":
        body.flags.append("tnef")
    elif kind == "application/pgp-encrypted":
        body.flags.append("encrypted")
    elif kind in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
        signed = leaf.params.get("smime-type", "").lower() == "signed-data" or leaf.name.lower().endswith(".p7s")
        body.flags.append("opaque_signed" if signed else "encrypted")


def _text_of(body: _Body) -> str:
    text = _joined(body.texts, body)
    if not _LETTER.search(text) and body.files:
        from_files = _joined(body.files, body)
        if _LETTER.search(from_files):
            body.defects.append("body_was_file")
            return from_files
    return text


def _joined(leaves: list[Leaf], body: _Body) -> str:
    return "\n\n".join(text for leaf in leaves if (text := _leaf_text(leaf, body).strip("\n"))).strip()


def _leaf_text(leaf: Leaf, body: _Body) -> str:
    """A text part as clean text."""
    charset = leaf.params.get("charset", "")
    html = leaf.type == "text/html" or (leaf.type != "text/plain" and leaf.name.lower().endswith((".html", ".htm")))
    if html and not charset and (meta := _META_CHARSET.search(leaf.data[:2048])):
        charset = meta.group(1).decode("ascii")
    text, served = decode(leaf.data, charset)
    if not served and charset:
        body.defects.append("charset")
    if _is_rubbish(leaf.data, text):
        body.flags.append("unreadable")
    if html:
        page = to_text(text[: body.markup], body.tags)
        body.markup -= min(len(text), body.markup)
        body.tags -= min(page.tags, body.tags)
        body.images = body.images or page.images
        if not page.complete or not body.markup:
            body.defects.append("html_cut")
        return clean_text(page.text)
    if leaf.type in ("text/enriched", "text/richtext"):
        return clean_text(_RICH_TAG.sub("", text))
    if leaf.params.get("format", "").lower() == "flowed":
        return clean_text(_unflow(clean_text(text), delete_space=leaf.params.get("delsp", "").lower() == "yes"))
    return clean_text(text)


def _is_rubbish(data: bytes, text: str) -> bool:
    """Whether a twentieth of the text is no text: control characters, or letters that could not be read."""
    most = max(_MOST_RUBBISH, len(text) // 20)
    if text.count("\ufffd") > most:
        return True
    return len(data) - len(data.translate(None, _CONTROL_BYTES)) > most and len(_CONTROLS.findall(text)) > most


def _unflow(text: str, *, delete_space: bool) -> str:
    """Soft line breaks undone (RFC 3676 4.2): a line that ends in a space goes on in the next of its quotation."""
    out: list[str] = []
    flowing = -1  # quotation level of the line that goes on, or -1
    for line in text.split("\n"):
        content = line.lstrip(">")
        level = len(line) - len(content)
        content = content.removeprefix(" ")
        soft = content.endswith(" ") and content != "-- "
        piece = content[:-1] if soft and delete_space else content
        if flowing == level and content != "-- ":
            out[-1] += piece
        else:
            out.append(f"{'>' * level} {piece}" if level else piece)
        flowing = level if soft else -1
    return "\n".join(out)


def _content_flags(message: Message, body: _Body) -> list[str]:
    """What a person must look at because we could not, or because there is nothing to read."""
    flags = [flag for flag in body.flags if flag != "tnef"]
    if _PGP.search(message.text[:200_000]):
        flags.append("encrypted")
    has_text = bool(_LETTER.search(message.text))
    if "tnef" in body.flags and not has_text:
        flags.append("tnef")
    if has_text or flags:
        return flags
    pictures = body.images or any(one.type.startswith("image/") for one in body.attachments)
    if pictures:
        flags.append("image_only")
    elif body.attachments and not body.inner:
        flags.append("attachment_only")
    elif not body.inner and not _LETTER.search(message.subject):
        flags.append("empty")
    return flags


def _with_inner(message: Message, inner: list[Parsed], patterns: ReadingPatterns, depth: int) -> Message:
    """An attached message is what is forwarded: its sender, its words and its files count (design 8)."""
    read = [_read_tree(one, patterns, size=0, depth=depth + 1) for one in inner[:10]]
    texts = [text for one in read for text in (one.visible_text, one.forwarded_text) if text]
    first = read[0]
    deepest = first.forward if first.forward is not None and first.forward.sender is not None else None
    text = "\n\n".join(texts)
    forward = message.forward or Forward(
        sender=deepest.sender if deepest else first.sender,
        subject=first.subject,
        date=first.header("Date"),
        text=text,
    )
    defects = [*message.defects, *(["forward_chain"] if deepest or len(read) > 1 else [])]
    return replace(
        message,
        forward=forward,
        forwarded_text="\n\n".join(part for part in (message.forwarded_text, text) if part),
        attachments=(*message.attachments, *(file for one in read for file in one.attachments))[:_MAX_ATTACHMENTS],
        flags=_unique([*message.flags, *(flag for one in read for flag in one.flags if flag in HUMAN_MUST_LOOK)]),
        defects=_unique([one for one in defects if one != "only_quoted"]),
    )


def _unique(items: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
