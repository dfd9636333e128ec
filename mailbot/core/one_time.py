"""The written form of a one-time code: how it is found in what people quote, and how it is kept out of everything else.

A code is staff's right to decide. It may stand in mail to that person and nowhere else: not in a draft, a file, a note,
a stored message. What looks like one is treated as one; whether it is real is not known here.
"""

import re

_CODE = re.compile(r"(?<![A-Z0-9])MB-((?:[A-Z2-7]{4}-){7}[A-Z2-7]{4})(?![A-Z0-9])", re.IGNORECASE)
_BYTES = re.compile(_CODE.pattern.encode("ascii"), re.IGNORECASE)
HIDDEN = "MB-…"
_MOST = 100  # no thread of ours quotes more; a text full of them is an attack
_TOP = re.compile(r"\W*[—–-]{1,3} ?[A-ZÅÄÖ0-9-]{2,20}-(?:19|20)\d\d-\d{4,9} ?[—–-]{1,3}\W*", re.IGNORECASE)


def written(random: str) -> str:
    """The code of 32 letters of base 32, in the groups that people can read."""
    return "MB-" + "-".join(random[place : place + 4] for place in range(0, 32, 4))


def top_line(reference: str) -> str:
    """The first line of every mail that can be answered with a command."""
    return f"— {reference} —"


def is_top_line(line: str) -> bool:
    """True where a mail of ours begins in a text, also when a mail program quotes it without any mark."""
    return len(line) < 60 and _TOP.fullmatch(line) is not None


def quoted(text: str) -> tuple[str, ...]:
    """Codes that stand in a text, in their canonical form, in order, also behind quote marks; the first hundred."""
    found = _CODE.findall("".join(line.lstrip("> \t|") + "\n" for line in text.splitlines()))
    return tuple(dict.fromkeys(f"MB-{part.upper()}" for part in found))[:_MOST]


def without(text: str) -> str:
    """The text with every code hidden."""
    return _CODE.sub(HIDDEN, text)


def stands_in(content: bytes) -> bool:
    """True for a file that holds a code in plain bytes."""
    return _BYTES.search(content) is not None
