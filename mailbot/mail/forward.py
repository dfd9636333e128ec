"""Header blocks inside a text ("Lähettäjä: … Lähetetty: … Aihe: …"), and the inner message of a forward.

Here is decided only what such a block says, never whether what follows it is history or content (see `visible`). The
inner sender is the requester when staff forward a request (design 8), so an address is taken only where it is written
out.
"""

import re
from dataclasses import dataclass, field

from mailbot.core.message import Address, Forward
from mailbot.mail.headers import addresses
from mailbot.mail.patterns import MAX_LINE, ReadingPatterns

_LINE = re.compile(r"[*_ \t]{0,4}([^\W\d_][\w .\-/()]{0,30}?)[*_ \t]{0,4}:[*_ \t]{0,4}(.{0,400})")
_MAILTO = re.compile(r"\[mailto:([^\]\s]{3,200})\]|<mailto:([^>\s]{3,200})>")
_ADDRESS_IN = re.compile(r"[^\s<>()\[\]\",;:]{1,64}@[^\s<>()\[\]\",;:]{1,200}")
_MAX_BLOCK = 14  # lines


@dataclass(frozen=True, kw_only=True)
class Block:
    """The header lines found at one place of a text."""

    start: int  # index of the first header line
    end: int  # index of the line after the last one
    values: dict[str, str] = field(default_factory=dict)  # kind ("from", "sent", "to", "cc", "subject") -> value
    form: bool = False  # a web form's fields follow: this is no mail header

    @property
    def sender(self) -> Address | None:
        """Who wrote the inner message; the address is "" when only a name is written."""
        return read_sender(self.values.get("from", ""))


def read_block(lines: list[str], start: int, patterns: ReadingPatterns) -> Block | None:
    """The header block that begins at line `start` (blank lines before it are passed over), or None."""
    at = start
    while at < len(lines) and at < start + 3 and not lines[at].strip():
        at += 1
    first = at
    values: dict[str, str] = {}
    kind = ""
    end = at
    while at < min(len(lines), first + _MAX_BLOCK):
        line = lines[at]
        found = header_line(line, patterns)
        if found and found[0] not in values:
            kind, values[found[0]] = found[0], found[1]
            end = at + 1
        elif kind and _continues(line, kind):
            values[kind] += " " + line.strip()
            end = at + 1
        elif line.strip() or not kind or at > end:
            break
        at += 1
    if not values:
        return None
    return Block(start=first, end=end, values=values, form=_is_form(lines, end, patterns))


def header_line(line: str, patterns: ReadingPatterns) -> tuple[str, str] | None:
    """("from", "Maija <maija@example.com>") for a line that names one header of a mail in any known language."""
    if ":" not in line[:40] or len(line) > MAX_LINE * 10:
        return None
    match = _LINE.match(line)
    kind = patterns.header_names.get(match.group(1).strip().lower()) if match else None
    return (kind, match.group(2).strip(" \t*_")) if match and kind else None


def _continues(line: str, kind: str) -> bool:
    stripped = line.strip()
    if not stripped or len(stripped) > MAX_LINE:
        return False
    return line[0] in " \t" or (kind in ("to", "cc") and "@" in stripped and stripped[-1] in ";,>")


def _is_form(lines: list[str], end: int, patterns: ReadingPatterns) -> bool:
    following = [line.strip() for line in lines[end : end + 4] if line.strip()]
    return bool(following) and len(following[0]) <= MAX_LINE * 10 and bool(patterns.form_field.match(following[0]))


def read_sender(value: str) -> Address | None:
    """`Maija <maija@example.com>`, `Maija [mailto:…]`, `Maija (maija@…)`, `maija@…` or only a name (address "")."""
    value = value[:400].strip()
    if not value:
        return None
    if mailto := _MAILTO.search(value):
        value = f"{value[: mailto.start()].strip()} <{mailto.group(1) or mailto.group(2)}>"
    if "<" in value and (found := addresses(value.replace(",", " ") if value.count("@") == 1 else value)):
        return found[0]
    if address := _ADDRESS_IN.search(value):
        name = value[: address.start()].strip(" \"'(<[")
        read = addresses(address.group(0).rstrip("."))
        return Address(name=name, address=read[0].address) if read else None
    return Address(name=value.strip("\"'* "), address="")


def forward_of(block: Block | None, text: str) -> Forward:
    """The forward that a block and the text below it make."""
    if block is None:
        return Forward(sender=None, text=text)
    values = block.values
    return Forward(sender=block.sender, subject=values.get("subject", ""), date=values.get("sent", ""), text=text)
