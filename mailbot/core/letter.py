"""What a text is made of before it is words: items of a reply, things kept, lines of the checklist.

Values only. Which template fits, and its words, is known in `gateway/templates.py`; flows speak to it in these types.
What a text still needs is a `Need` of `core/draft.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from mailbot.core.rights import Ground, Outcome, Right
from mailbot.errors import BadInputError, Reason

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_NORDIC = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")


@dataclass(frozen=True, kw_only=True)
class Text:
    """A finished text."""

    subject: str  # one line
    body: str  # lines of at most 72 columns where words allow, ends with a line break


@dataclass(frozen=True, kw_only=True)
class ReplyItem:
    """One request as it is answered: a section of the reply."""

    right: Right
    outcome: Outcome = Outcome.FULFILLED
    ground: Ground | None = None  # for refusals; None: the template's first choice is shown
    values: Mapping[str, str] = field(default_factory=dict)  # facts by the name of their need; dates as ISO


@dataclass(frozen=True, kw_only=True)
class CheckLine:
    """Something staff make true, or make sure of, before they approve; left open it becomes a task."""

    key: str  # stable: "erasure/crm", "article19/accountant"
    text: str
    article_19: bool = False  # True: a recipient has to be told (GDPR 19)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One thing that is not erased."""

    what: str
    law: str  # the law or reason, as named in the reply
    until: date | str  # the last day, or words where no day can be named


def parse_day(text: str) -> date:
    """A day as staff write it: 2026-12-31 or 31.12.2026.

    Raises BadInputError for anything else.
    """
    cleaned = text.strip()
    try:
        if found := _ISO.fullmatch(cleaned):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _NORDIC.fullmatch(cleaned):
            return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError as error:
        raise BadInputError(_no_day(cleaned), "Write it as 2026-12-31 or 31.12.2026.") from error
    raise BadInputError(_no_day(cleaned), "Write it as 2026-12-31 or 31.12.2026.")


def _no_day(said: str) -> Reason:
    return Reason(f"{said[:40]!r} is not a date", "no_day", said=said[:40])


def kept_things(lines: str, law: str, until: date | str) -> tuple[Kept, ...]:
    """The kept things, one a line: "what", or "what; law; last day" where a line has its own law and day."""
    things = []
    for line in lines.splitlines():
        what, *own = (part.strip() for part in line.strip(" \t-•*").split(";", 2))
        if what:
            things.append(Kept(what=what, law=own[0] if own else law, until=parse_day(own[1]) if own[1:] else until))
    return tuple(things)
