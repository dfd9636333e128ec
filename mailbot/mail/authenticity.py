"""Who really sent it, as far as the receiving server says: evidence for people, never a reason to drop a message.

`From` proves nothing. An `Authentication-Results` header counts only when it is the topmost one and names the
configured host, for everything below may have been written by the sender (RFC 8601 5). Microsoft 365 writes no host
name at all: its topmost header counts only when the configured host is one of Microsoft's own names. Without a
configured host none counts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailbot.core.message import Message
from mailbot.mail.headers import moment

_COMMENT = re.compile(r"\([^()]{0,500}\)")
_RESULT = re.compile(r"\s*(spf|dkim|dmarc|compauth|arc)\s*=\s*([a-z]{2,20})\b(.*)", re.I | re.S)
_PROPERTY = re.compile(r"(?:^|\s)([a-z]{2,10})\.([a-z-]{1,20})\s*=\s*\"?([^\s;\"]{1,300})", re.I)
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,250})", re.I)
_MICROSOFT = (".outlook.com", ".protection.outlook.com", ".office365.com", ".prod.outlook.com")
_BY_HOST = re.compile(r"\bby\s+([A-Za-z0-9][A-Za-z0-9._-]{0,250})", re.I)
_TWO_LABEL_SUFFIXES = frozenset(
    ("co.uk", "org.uk", "ac.uk", "gov.uk", "com.au", "co.jp", "com.br", "co.nz", "co.za", "com.tr")
)
_MAX_HEADER = 10_000


@dataclass(frozen=True, kw_only=True)
class Authenticity:
    """What the trusted server found. Each result is a word of RFC 8601 ("pass", "fail", ...) or "" when unsaid."""

    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    aligned: bool | None = None  # a passing check vouches for the domain of From; None when nothing trusted was said
    dmarc_aligned: bool = False  # DMARC passed, and for the domain of this From
    dkim_aligned: bool = False  # a DKIM signature of the organisation of From is valid
    reply_to_differs: bool = False  # an answer to Reply-To would reach another address than From
    notes: tuple[str, ...] = ()  # codes: no_authserv_id, no_results, other_host, no_host, dmarc_fail, ...


def judge(message: Message, authserv_id: str | None) -> Authenticity:
    """Read the topmost Authentication-Results if it is of the configured host. Never raises."""
    differs = _reply_to_differs(message)
    notes = ["reply_to_differs"] if differs else []
    header, why = _trusted_header(message, authserv_id)
    if why:
        return Authenticity(reply_to_differs=differs, notes=(*notes, why))
    results = _results(header)
    domain = _domain(message.sender.address) if message.sender else ""
    spf, _ = _best(results, "spf")
    dkim, _ = _best(results, "dkim")
    dmarc, _ = _best(results, "dmarc")
    if "fail" in (spf, dkim, dmarc) or "softfail" in (spf,):
        notes += [f"{name}_{word}" for name, word in (("spf", spf), ("dkim", dkim), ("dmarc", dmarc)) if "fail" in word]
    return Authenticity(
        spf=spf,
        dkim=dkim,
        dmarc=dmarc,
        aligned=_aligned(results, domain, dmarc) if results else None,
        dmarc_aligned=_aligned([one for one in results if one[0] == "dmarc"], domain, dmarc),
        dkim_aligned=_aligned([one for one in results if one[0] == "dkim"], domain, dmarc),
        reply_to_differs=differs,
        notes=tuple(notes),
    )


def _reply_to_differs(message: Message) -> bool:
    own = message.sender.address.lower() if message.sender else ""
    return bool(message.reply_to) and any(one.address.lower() != own for one in message.reply_to)


def _trusted_header(message: Message, authserv_id: str | None) -> tuple[str, str]:
    """(the header's value, "") or ("", why none counts)."""
    if not authserv_id:
        return "", "no_authserv_id"
    found = message.all_headers("Authentication-Results")
    if not found:
        return "", "no_results"
    value = _without_comments(found[0][:_MAX_HEADER])
    head, separator, rest = value.partition(";")
    wanted = authserv_id.strip().lower().rstrip(".")
    if _RESULT.match(head):  # no authserv-id before the first result
        return (value, "") if f".{wanted}".endswith(_MICROSOFT) else ("", "no_host")
    named = head.split()[0].lower().rstrip(".") if head.split() else ""
    if not separator or named != wanted or not _HOST.fullmatch(named):
        return "", "other_host"
    return rest, ""


def _without_comments(value: str) -> str:
    for _ in range(5):
        shorter = _COMMENT.sub(" ", value)
        if shorter == value:
            break
        value = shorter
    return value


def _results(value: str) -> list[tuple[str, str, dict[str, str]]]:
    """(method, result, properties) of each statement; what can not be read is passed over."""
    found = []
    for statement in value.split(";"):
        if match := _RESULT.match(statement):
            properties = {f"{kind}.{name}".lower(): text for kind, name, text in _PROPERTY.findall(match.group(3))}
            found.append((match.group(1).lower(), match.group(2).lower(), properties))
    return found


def _best(results: list[tuple[str, str, dict[str, str]]], method: str) -> tuple[str, dict[str, str]]:
    """The best result of a method: of several DKIM signatures one valid is enough (RFC 6376 6.1)."""
    mine = [(word, properties) for name, word, properties in results if name == method]
    return next((one for one in mine if one[0] == "pass"), mine[0] if mine else ("", {}))


def _aligned(results: list[tuple[str, str, dict[str, str]]], domain: str, dmarc: str) -> bool:
    """Relaxed alignment (RFC 7489 3.1): DMARC passed, or a passing SPF or DKIM of the same organisation as From."""
    if not domain:
        return False
    for method, word, properties in results:
        if word != "pass":
            continue
        names = {
            "dmarc": ("header.from",),
            "dkim": ("header.d", "header.i"),
            "spf": ("smtp.mailfrom", "smtp.helo"),
        }.get(method, ())
        said = [_domain(properties[name]) for name in names if name in properties]
        if method == "dmarc" and not said:
            return True
        if any(_organisation(one) == _organisation(domain) for one in said if one) and dmarc != "fail":
            return True
    return False


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip("<>\"' .").lower()


def _organisation(domain: str) -> str:
    labels = domain.split(".")
    count = 3 if ".".join(labels[-2:]) in _TWO_LABEL_SUFFIXES else 2
    return ".".join(labels[-count:])


def newest_received(message: Message) -> datetime | None:
    """When the last server on the way had the message, by the line it put on top (RFC 5321 4.4); None without one."""
    return next((moment(value.rpartition(";")[2]) for value in message.all_headers("Received")), None)


def trusted_received(message: Message, hosts: Sequence[str]) -> tuple[datetime, ...]:
    """The aware times at which hosts of ours received the message, newest first (law: the earliest may date a request).

    Each relay puts its line on top (RFC 5321 4.4), so reading stops at the first line that is not of a trusted host:
    below it anything may be forged.
    """
    trusted = {host.strip().lower().rstrip(".") for host in hosts}
    times: list[datetime] = []
    for value in message.all_headers("Received"):
        stated, _, when = value.rpartition(";")
        by = _BY_HOST.search(_without_comments(stated[:_MAX_HEADER]))
        if not by or by.group(1).lower().rstrip(".") not in trusted:
            break
        at = moment(when)
        if at is not None:
            times.append(at)
    return tuple(times)
