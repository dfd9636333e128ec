"""Why a date is what it is, in words.

The sentences are data (`rules/deadlines.toml`); here is decided which of them are said, in which order, and with which
dates. Nothing here computes a date, and nothing here knows which languages exist: it speaks those it is given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from mailbot.core.working_days import ONE_DAY, Calendar

# Every sentence a language must have, with the fields it must use: no more, no fewer.
SENTENCES: dict[str, frozenset[str]] = {
    "received": frozenset({"received"}),
    "month": frozenset({"end"}),
    "extended": frozenset({"end"}),
    "short_month": frozenset({"month", "day"}),
    "suspended_one": frozenset({"spans", "end"}),
    "suspended": frozenset({"days", "spans", "end"}),
    "suspended_none": frozenset(),
    "answer_day": frozenset({"end"}),
    "rolled": frozenset({"why", "also", "due"}),
    "and_holiday": frozenset({"day", "name"}),
    "due": frozenset({"due"}),
    "late_question": frozenset({"asked"}),
    "provisional_identity": frozenset({"asked"}),
    "provisional_clarification": frozenset({"asked"}),
    "one_month": frozenset({"one_month"}),
    "refusal": frozenset({"one_month"}),
    "short": frozenset({"received", "due"}),
    "short_extended": frozenset({"received", "due"}),
}
DATE_FIELDS: frozenset[str] = frozenset({"weekday", "day", "month", "month_name", "month_short", "year"})


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The words of one language."""

    language: str  # ISO 639-1
    date: str  # pattern over DATE_FIELDS, for people who plan: with the weekday
    plain_date: str  # pattern over DATE_FIELDS, without the weekday
    weekdays: tuple[str, ...]  # seven, Monday first, short
    weekday_names: tuple[str, ...]  # seven, Monday first, as they stand after "which is"
    months: tuple[str, ...]  # twelve, as `short_month` needs them
    sentences: Mapping[str, str]  # one for every key of SENTENCES


@dataclass(frozen=True, kw_only=True)
class Story:
    """The steps by which a due date was reached, to be told."""

    received_on: date
    nominal_on: date  # the last day of the month, or of the three months
    suspended_spans: tuple[tuple[date, date], ...] = ()  # first and last whole day of each wait, in order
    suspended_days: int = 0
    answered_in_time: bool = False  # a question was answered, and no whole day had passed
    grown_on: date  # nominal_on with the suspended days
    unrolled_on: date  # not before the last answer
    due_on: date
    one_month_on: date
    extended: bool = False
    late_questions: tuple[date, ...] = ()  # sent after the due date: they count nothing
    open_questions: tuple[tuple[str, date], ...] = ()  # kind, and the day it was sent


def explain(story: Story, wording: Wording, calendar: Calendar) -> str:
    """The whole explanation, for staff: one paragraph of plain sentences."""
    told = _Teller(wording, calendar)
    parts = [told.say("received", received=story.received_on), *told.way(story)]
    parts += [told.say("late_question", asked=day) for day in story.late_questions]
    parts += [told.say(f"provisional_{kind}", asked=day) for kind, day in story.open_questions]
    if story.extended:
        parts.append(told.say("refusal", one_month=story.one_month_on))  # GDPR 12(4)
    elif story.due_on != story.one_month_on or story.open_questions:
        parts.append(told.say("one_month", one_month=story.one_month_on))  # GDPR 12(3), 12(4)
    return " ".join(parts)


def explain_shortly(story: Story, wording: Wording) -> str:
    """One sentence or two for the requester."""
    sentence = wording.sentences["short_extended" if story.extended else "short"]
    return sentence.format(
        received=write_date(story.received_on, wording, wording.plain_date),
        due=write_date(story.due_on, wording, wording.plain_date),
    )


def write_date(day: date, wording: Wording, pattern: str) -> str:
    """`day` by a pattern over DATE_FIELDS."""
    month = wording.months[day.month - 1]
    return pattern.format(
        weekday=wording.weekdays[day.weekday()],
        day=day.day,
        month=day.month,
        month_name=month,
        month_short=month[:3],
        year=day.year,
    )


class _Teller:
    """Sentences of one language about one calendar."""

    def __init__(self, wording: Wording, calendar: Calendar) -> None:
        self.wording = wording
        self.calendar = calendar

    def say(self, key: str, **fields: object) -> str:
        """One sentence; dates among the fields are written out."""
        written = {name: self.day(value) if isinstance(value, date) else value for name, value in fields.items()}
        return self.wording.sentences[key].format(**written)

    def day(self, day: date) -> str:
        return write_date(day, self.wording, self.wording.date)

    def way(self, story: Story) -> list[str]:
        """From the day of receipt to the due date; each step that changed the date is one sentence."""
        steps = [self.month(story)]
        if story.suspended_days:
            steps.append(self.suspension(story))
        if story.unrolled_on != story.grown_on:
            steps.append(self.say("answer_day", end=story.unrolled_on))
        if story.due_on != story.unrolled_on:
            steps[-1] += self.roll(story)
            ending: list[str] = []
        else:
            steps[-1] += "."
            ending = [self.say("due", due=story.due_on)]
        if story.answered_in_time:
            ending.append(self.say("suspended_none"))
        return [*(step if step.endswith(".") else step + "." for step in steps), *ending]

    def month(self, story: Story) -> str:
        sentence = self.say("extended" if story.extended else "month", end=story.nominal_on)
        if story.nominal_on.day == story.received_on.day:
            return sentence
        month = self.wording.months[story.nominal_on.month - 1]  # Reg. 1182/71 3(2)(c)
        return f"{sentence} {self.say('short_month', month=month, day=story.received_on.day)}"

    def suspension(self, story: Story) -> str:
        key = "suspended_one" if story.suspended_days == 1 else "suspended"
        spans = self.spans(story.suspended_spans)
        return self.say(key, days=story.suspended_days, spans=spans, end=story.grown_on)

    def spans(self, spans: Sequence[tuple[date, date]]) -> str:
        def plain(day: date) -> str:
            return write_date(day, self.wording, self.wording.plain_date)

        return ", ".join(plain(a) if a == b else f"{plain(a)} – {plain(b)}" for a, b in spans)

    def roll(self, story: Story) -> str:
        """Why the last day moved, naming the holidays that fell on the ordinary weekdays it passed."""
        first = story.unrolled_on
        name = self.calendar.name(first, self.wording.language)
        why = name or self.wording.weekday_names[first.weekday()]
        between = [first + ONE_DAY * n for n in range(1, (story.due_on - first).days)]
        named = [(day, self.calendar.name(day, self.wording.language)) for day in between if day.weekday() < 5]
        also = "".join(self.say("and_holiday", day=day, name=name) for day, name in named if name)
        return self.say("rolled", why=why, also=also, due=story.due_on)
