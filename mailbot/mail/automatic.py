"""Was this written by a person or by a machine?

Two mistakes are possible and they are not alike: a person's request taken for a machine's is lost, a machine's note
taken for a person's costs a glance. So one certain sign is asked for, or two that agree. Marks that many people's
mails carry as well only become flags: `Precedence: bulk` (discussion lists), `X-Auto-Response-Suppress` (Exchange),
an empty Return-Path alone, and the List headers (a group address stamps them on every letter that passes through it).
"""

import re
from dataclasses import dataclass
from email.parser import HeaderParser

from mailbot.core.message import Message
from mailbot.mail.charset import clean_text, decode
from mailbot.mail.headers import addresses, message_ids
from mailbot.mail.own import HEADER
from mailbot.mail.patterns import ReadingPatterns
from mailbot.mail.visible import prefix_role

# Never answered and never a request.
CERTAIN = frozenset({"auto_reply", "bounce", "read_receipt", "feedback_report", "calendar"})
# Sent by a program, yet possibly carrying a person's words (a web form, a newsletter's answer): read them all the same.
MAY_CARRY_WORDS = frozenset({"auto_generated", "list"})

_REPORTS = {
    "delivery-status": "bounce",  # RFC 3464
    "disposition-notification": "read_receipt",  # RFC 8098
    "feedback-report": "feedback_report",  # RFC 5965
}
_AUTO_HEADERS = (
    "x-autoreply", "x-autorespond", "x-auto-reply", "x-autoreply-from", "x-mail-autoreply", "x-autoresponder",
)  # fmt: skip
_BULK_SERVICE = (
    "feedback-id", "list-unsubscribe-post", "x-campaign", "x-campaignid", "x-campaign-id", "x-mailgun-sid", "x-sg-eid",
    "x-mc-user", "x-mailchimp-campaign", "x-csa-complaints", "x-mailer-recptid", "x-newsletter", "x-report-abuse",
)  # fmt: skip
_LIST = ("list-id", "list-unsubscribe", "list-post", "list-help")
_BLANK_LINE = re.compile(r"\r?\n[ \t]*\r?\n")
_SENTENCE = re.compile(r"[.!?\n]+")
_WORD = re.compile(r"\w+")
_MAX_AWAY = 1200  # characters; an out-of-office note is short
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_BASIC_STATUS = re.compile(r"\b([45])\d\d[ -]")
_TEXT_ID = re.compile(r"^\s*>?\s*message-id:\s*(<[^<>\s]{3,900}>)", re.I | re.M)
_TEXT_ADDRESS = re.compile(r"<?([^\s<>()\",:;]{1,64}@[^\s<>()\",:;]{1,200}[^\s<>()\",:;.])>?")


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What the structure of the bytes says and a `Message` no longer shows."""

    report_type: str = ""  # of multipart/report
    calendar_method: str = ""  # "REPLY", "REQUEST", ...
    types: frozenset[str] = frozenset()  # media types of all parts


@dataclass(frozen=True, kw_only=True)
class Bounce:
    """What a server says about a message of ours that it could not deliver."""

    original_message_id: str = ""  # with angle brackets; "" when the report does not tell
    recipient: str = ""
    status: str = ""  # "5.1.1" (RFC 3463); "4.x.x" is a delay or a temporary failure
    diagnostic: str = ""
    action: str = ""  # failed, delayed, delivered, relayed, expanded; "" when not told
    origin: str = ""  # our own mark among the returned headers, unproven; "" when there is none


def judge(message: Message, signs: Signs, patterns: ReadingPatterns) -> tuple[str | None, tuple[str, ...]]:
    """(kind or None, flags). Kinds: see `CERTAIN` and `MAY_CARRY_WORDS`; "own" is decided elsewhere, by its HMAC.

    `list` needs List-Unsubscribe or List-Id and a sign that no person sent it (a sender nobody writes from, the headers
    of a bulk service), and no sign that it answers something: behind a group address, persons' letters carry List
    headers too.
    """
    headers = {name.lower(): value for name, value in reversed(message.headers)}
    flags = _flags(headers, signs)
    local = message.sender.address.rpartition("@")[0].lower() if message.sender else ""
    kind = (
        _by_structure(signs)
        or _by_headers(headers, message, patterns, local)
        or _by_words(message, patterns, flags, local)
        or _by_list(headers, message, patterns, local)
    )
    return kind, flags


def _flags(headers: dict[str, str], signs: Signs) -> tuple[str, ...]:
    found: list[str] = []
    if headers.get("precedence", "").strip().lower() in ("bulk", "junk", "list"):
        found.append("bulk")
    if any(name in headers for name in _LIST):
        found.append("list")
    if headers.get("return-path", "x").strip() in ("<>", ""):
        found.append("null_return_path")
    if signs.calendar_method or "text/calendar" in signs.types:
        found.append("calendar")
    return tuple(found)


def _by_structure(signs: Signs) -> str | None:
    if signs.report_type in _REPORTS:
        return _REPORTS[signs.report_type]
    if "message/delivery-status" in signs.types:
        return "bounce"
    return "calendar" if signs.calendar_method in ("REPLY", "COUNTER", "DECLINECOUNTER", "REFRESH") else None


def _by_headers(headers: dict[str, str], message: Message, patterns: ReadingPatterns, local: str) -> str | None:
    automatic = headers.get("auto-submitted", "").split(";")[0].split("(")[0].strip().lower()  # RFC 3834 5
    if automatic == "auto-replied":
        return "auto_reply"
    if patterns.bounce_sender.fullmatch(local) or "x-failed-recipients" in headers:
        return "bounce"
    if any(name in headers for name in _AUTO_HEADERS) or headers.get("precedence", "").lower() == "auto_reply":
        return "auto_reply"
    if automatic and automatic != "no":
        return "auto_reply" if patterns.auto_subject.match(message.subject) else "auto_generated"
    return None


def _by_words(message: Message, patterns: ReadingPatterns, flags: tuple[str, ...], local: str) -> str | None:
    """Notes that carry no header of an automaton."""
    null = "null_return_path" in flags
    subject = message.subject.strip()
    if patterns.bounce_subject.match(subject) and (null or local in ("postmaster", "mailer")):
        return "bounce"
    if patterns.auto_subject.match(subject):
        return "auto_reply"
    may_be_away = null or patterns.away_subject.match(subject) or prefix_role(subject, patterns) == "reply"
    if may_be_away and _only_says_away(message.visible_text, patterns):
        return "auto_reply"
    suppressed = message.header("X-Auto-Response-Suppress").strip().lower() not in ("", "none")
    if null and (suppressed or "bulk" in flags or patterns.machine_sender.fullmatch(local)):
        return "auto_generated"
    return None


def _only_says_away(text: str, patterns: ReadingPatterns) -> bool:
    """Every sentence is one of an out-of-office note's; a single other sentence makes it a person's letter."""
    if not text.strip() or len(text) > _MAX_AWAY or patterns.away_never.search(text):
        return False
    away = False
    for sentence in _SENTENCE.split(text):
        if patterns.away_phrase.search(sentence):
            away = True
        elif len(_WORD.findall(sentence)) > 4 and not patterns.away_filler.search(sentence):
            return False
    return away


def _by_list(headers: dict[str, str], message: Message, patterns: ReadingPatterns, local: str) -> str | None:
    if "list-unsubscribe" not in headers and "list-id" not in headers:
        return None
    if message.in_reply_to or message.references or prefix_role(message.subject, patterns):
        return None
    machine = bool(patterns.machine_sender.fullmatch(local)) or any(name in headers for name in _BULK_SERVICE)
    return "list" if machine else None


def bounced(message: Message) -> Bounce | None:
    """What a bounce says about the message it returns (RFC 3464); None when `message` is none."""
    if message.automatic != "bounce":
        return None
    report = _report(message)
    text = message.text[:50_000]
    returned = _returned(message)
    ids = message_ids(returned.get("message-id", "")) or tuple(_TEXT_ID.findall(text)[:1])
    recipient = report.get("final-recipient") or report.get("original-recipient") or ""
    address = _address(recipient.rpartition(";")[2]) or _address(message.header("X-Failed-Recipients"))
    status = _STATUS.search(report.get("status", "")) or _STATUS.search(text)
    basic = _BASIC_STATUS.search(text)
    return Bounce(
        original_message_id=ids[0] if ids else "",
        recipient=address or _address_in(text, message),
        status=status.group(1) if status else f"{basic.group(1)}.0.0" if basic else "",
        diagnostic=report.get("diagnostic-code", "")[:500],
        action=report.get("action", "").strip().lower()[:20],
        origin=returned.get(HEADER.lower(), ""),
    )


def _report(message: Message) -> dict[str, str]:
    """The fields of the delivery report, those about the recipient before those about the message."""
    data = next((one.content for one in message.attachments if one.type == "message/delivery-status"), b"")
    fields: dict[str, str] = {}
    for block in _BLANK_LINE.split(clean_text(decode(data[:100_000], "utf-8")[0])):
        fields = _header_block(block) | fields
    return fields


def _returned(message: Message) -> dict[str, str]:
    """The headers of the message that came back, from the whole message or its headers alone."""
    for one in message.attachments:
        if one.type in ("message/rfc822", "text/rfc822-headers", "message/global", "message/rfc822-headers"):
            text = decode(one.content[:200_000].lstrip(b"\r\n"), "utf-8")[0]
            return _header_block(clean_text(_BLANK_LINE.split(text, maxsplit=1)[0]))
    return {}


def _header_block(text: str) -> dict[str, str]:
    parsed = HeaderParser().parsestr(text.strip("\r\n") + "\n\n")
    return {name.lower(): " ".join(str(value).split()) for name, value in reversed(list(parsed.raw_items()))}


def _address(value: str) -> str:
    found = addresses(value)
    return found[0].address if found else ""


def _address_in(text: str, message: Message) -> str:
    """The first address a textual bounce names that is none of the bounce's own."""
    own = {one.address for one in (message.sender, *message.to) if one}
    return next((one for one in _TEXT_ADDRESS.findall(text) if one not in own), "")
