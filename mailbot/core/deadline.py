"""When a request must be answered, by which earlier day we aim to, and when a message counts as received.

Everything is reckoned on local calendar dates, never on instants and never in steps of thirty days (law 3). The order
is fixed: months from the day of receipt, then suspended days, then the day of the last answer, then one roll over days
off. Dates already clamped or rolled are never counted from. While a question is open the unsuspended date stays, marked
provisional; a question that was answered before a whole day had passed, or sent after the due date, counts nothing.
Every date carries its explanation (`deadline_words`).

Not known here: which days are holidays (the calendar says), what time it is, and whether a ticket has been answered.
"""

import calendar as months
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from mailbot.core.deadline_words import Story, Wording, explain, explain_shortly
from mailbot.core.rights import Right
from mailbot.core.working_days import ONE_DAY, Calendar, days_after, days_before, on_or_after, on_or_before
from mailbot.errors import BadInputError

FIRST_YEAR, LAST_YEAR = 1970, 2199  # a date outside is a broken clock or a slip of the hand
IMPORT_GAP = timedelta(days=7)  # INTERNALDATE so much older than every trusted hop looks like an import (law 2.5)
CLOCK_GAP = timedelta(hours=24)  # the writer's Date may differ so much before staff are told (law 2.5)


class SuspensionKind(StrEnum):
    """What may suspend the clock (EDPB 01/2022 158, policy P6). A question about authority is one about identity."""

    IDENTITY = "identity"
    CLARIFICATION = "clarification"


class SuspensionCount(StrEnum):
    """How the days of a wait are counted (policy P4)."""

    WHOLE_DAYS = "whole_days"  # whole days strictly between the question and the answer
    DAY_DIFFERENCE = "day_difference"  # the day of the answer counts too


@dataclass(frozen=True, kw_only=True)
class Suspension:
    """One question that was sent. Raises BadInputError when it was answered before it was asked."""

    asked_on: date  # local day on which the question was *sent*
    answered_on: date | None = None  # local day on which the answer arrived; None while it is open
    kind: SuspensionKind = SuspensionKind.IDENTITY

    def __post_init__(self) -> None:
        if self.answered_on is not None and self.answered_on < self.asked_on:
            raise BadInputError(f"The question of {self.asked_on} can not be answered before it, on {self.answered_on}")


@dataclass(frozen=True, kw_only=True)
class DeadlinePolicy:
    """The readings chosen where the law leaves room; see `rules/deadlines.toml`."""

    texts: Mapping[str, Wording]  # by language
    eves_as_holidays: bool = False  # for whoever builds the calendar (policy P2)
    suspension_count: SuspensionCount = SuspensionCount.WHOLE_DAYS
    extension_reserve_days: int = 1  # working days before the one-month date
    target_days: Mapping[Right, int] = field(default_factory=dict)  # working days from receipt
    act_by_rights: frozenset[Right] = frozenset()
    act_by_working_days: int = 1  # after receipt


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """Every date of a ticket, all local days."""

    received_on: date
    nominal_on: date  # same day one (extended: three) months later, or the last day of that month; never rolled
    unrolled_on: date  # nominal_on with suspended days, not before the last answer; not yet rolled
    due_on: date  # last day to answer; overdue the day after
    one_month_on: date  # last day for an extension notice and for a refusal; never suspended
    target_on: date  # the earlier working day we aim at
    act_by_on: date | None = None  # last day to have obeyed what must be obeyed at once; None when nothing must
    last_safe_extension_on: date | None = None  # leaves time for a bounce; None once extended
    provisional: bool = False  # a question is open: its answer may move the due date later
    extended: bool = False
    suspended_days: int = 0
    explanations: Mapping[str, str] = field(default_factory=dict)  # by language, for staff
    short: Mapping[str, str] = field(default_factory=dict)  # by language, for the requester


def compute(
    received_at: datetime,
    zone: str,
    calendar: Calendar,
    policy: DeadlinePolicy,
    *,
    extended: bool = False,
    suspensions: Iterable[Suspension] = (),
    rights: Iterable[Right] = (),
) -> Deadline:
    """All dates of a request received at the aware instant `received_at`, in the controller's time zone `zone`.

    `extended` is true once the extension notice was *sent*. `suspensions` holds the questions that were sent and that
    staff count. Raises BadInputError for what can not be reckoned.
    """
    story = _reckon(local_date(received_at, zone), calendar, policy, extended, suspensions)
    chosen = frozenset(rights)
    reserve = policy.extension_reserve_days
    return Deadline(
        received_on=story.received_on,
        nominal_on=story.nominal_on,
        unrolled_on=story.unrolled_on,
        due_on=story.due_on,
        one_month_on=story.one_month_on,
        target_on=_target(story, chosen, calendar, policy),
        act_by_on=_act_by(story.received_on, chosen, calendar, policy),
        last_safe_extension_on=None if extended else days_before(story.one_month_on, reserve, calendar),
        provisional=bool(story.open_questions),
        extended=extended,
        suspended_days=story.suspended_days,
        explanations={language: explain(story, words, calendar) for language, words in policy.texts.items()},
        short={language: explain_shortly(story, words) for language, words in policy.texts.items()},
    )


def _reckon(
    received_on: date, calendar: Calendar, policy: DeadlinePolicy, extended: bool, suspensions: Iterable[Suspension]
) -> Story:
    """The way from the day of receipt to the due date, step by step."""
    nominal_on = add_months(received_on, 3 if extended else 1)  # GDPR 12(3): three months from receipt, never 1 + 2
    questions = _sorted_questions(suspensions, received_on)
    clock = _Clock(nominal_on, calendar, policy.suspension_count)
    counted = clock.counted(questions)
    grown_on, unrolled_on = clock.unrolled(counted)
    spans = _merged(clock.spans(counted))
    return Story(
        received_on=received_on,
        nominal_on=nominal_on,
        suspended_spans=tuple(spans),
        suspended_days=_length(spans),
        answered_in_time=not spans and any(q.answered_on for q in counted),
        grown_on=grown_on,
        unrolled_on=unrolled_on,
        due_on=on_or_after(unrolled_on, calendar),  # Reg. 1182/71 3(4): once, at the end
        one_month_on=on_or_after(add_months(received_on, 1), calendar),  # no suspension, policy P5
        extended=extended,
        late_questions=tuple(q.asked_on for q in questions if q not in counted),
        open_questions=tuple((q.kind.value, q.asked_on) for q in counted if q.answered_on is None),
    )


def local_date(moment: datetime, zone: str) -> date:
    """The calendar day of an aware instant in `zone`. Raises BadInputError."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise BadInputError(f"The time {moment.isoformat()} has no time zone", "Write it with its offset, as +02:00")
    _plausible(moment.date())
    return moment.astimezone(time_zone(zone)).date()


def time_zone(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises BadInputError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as problem:  # an unknown key is a KeyError, a path a ValueError
        cure = "Use an IANA name, as Europe/Helsinki"
        raise BadInputError(f"The time zone {name[:60]!r} is unknown", cure) from problem


def add_months(day: date, count: int) -> date:
    """The same day `count` months later, or that month's last day if it has none (Reg. 1182/71 3(2)(c))."""
    years, month = divmod(day.month - 1 + count, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, months.monthrange(year, month)[1]))


def _plausible(day: date) -> None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadInputError(f"The date {day} is not plausible", f"Years {FIRST_YEAR} to {LAST_YEAR} can be reckoned")


def _sorted_questions(suspensions: Iterable[Suspension], received_on: date) -> list[Suspension]:
    questions = sorted(suspensions, key=lambda q: (q.asked_on, q.answered_on or date.max))
    for question in questions:
        _plausible(question.asked_on)
        _plausible(question.answered_on or question.asked_on)
        if question.asked_on < received_on:
            raise BadInputError(f"The question of {question.asked_on} was sent before the request came, {received_on}")
    return questions


@dataclass(frozen=True)
class _Clock:
    """The period from its unsuspended last day on; questions make it longer (law 5)."""

    nominal_on: date
    calendar: Calendar
    count: SuspensionCount

    def counted(self, questions: Sequence[Suspension]) -> list[Suspension]:
        """The questions sent by the due date as it stood on the day of each; a later one counts nothing."""
        counted: list[Suspension] = []
        for question in questions:
            known = [q for q in counted if q.answered_on is not None and q.answered_on <= question.asked_on]
            if question.asked_on <= on_or_after(self.unrolled(known)[1], self.calendar):
                counted.append(question)
        return counted

    def spans(self, questions: Iterable[Suspension]) -> list[tuple[date, date]]:
        """First and last suspended day of each answered question that suspended a day at all."""
        closing = timedelta(0) if self.count is SuspensionCount.DAY_DIFFERENCE else ONE_DAY
        ranges = [(q.asked_on + ONE_DAY, q.answered_on - closing) for q in questions if q.answered_on is not None]
        return [(first, last) for first, last in ranges if first <= last]

    def unrolled(self, questions: Iterable[Suspension]) -> tuple[date, date]:
        """The last day with suspended days added, and the same but not before the last answer that suspended."""
        answered = list(questions)
        grown = self.nominal_on + ONE_DAY * _length(_merged(self.spans(answered)))
        answers = [q.answered_on for q in answered if q.answered_on is not None and self.spans([q])]
        return grown, max([grown, *answers])


def _merged(spans: Iterable[tuple[date, date]]) -> list[tuple[date, date]]:
    """The same days as spans that neither overlap nor touch: overlapping questions count once."""
    merged: list[tuple[date, date]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + ONE_DAY:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _length(spans: Iterable[tuple[date, date]]) -> int:
    return sum((last - first).days + 1 for first, last in spans)


def _target(story: Story, rights: frozenset[Right], calendar: Calendar, policy: DeadlinePolicy) -> date:
    """The last working day within the unrolled period, or earlier where a right of the ticket aims earlier (P8, P9)."""
    waited = story.unrolled_on != story.grown_on  # the answer came so late that there is no earlier day to aim at
    latest = story.due_on if waited else on_or_before(story.unrolled_on, calendar)
    if story.extended:
        return latest
    start = story.received_on + ONE_DAY * story.suspended_days
    aims = [days_after(start, policy.target_days[right], calendar) for right in rights if right in policy.target_days]
    return min([latest, *aims])


def _act_by(received_on: date, rights: frozenset[Right], calendar: Calendar, policy: DeadlinePolicy) -> date | None:
    """The day by which a marketing stop or a restriction must be in force (GDPR 21(3), 18(2), 7(3); P10)."""
    if not rights & policy.act_by_rights:
        return None
    return days_after(received_on, policy.act_by_working_days, calendar)


class ReceiptNote(StrEnum):
    """What staff should know about a time of receipt."""

    HOP_EARLIER = "hop_earlier"  # a trusted server had it before the mailbox
    IMPORT_SUSPECTED = "import_suspected"  # INTERNALDATE is more than 7 days older than every trusted hop
    AFTER_POLL = "after_poll"  # the server's clock was ahead of ours: the time of the poll was taken
    DATE_HEADER_DIFFERS = "date_header_differs"  # the writer's clock differs by more than 24 hours


def received_instant(
    internal_date: datetime,
    trusted_hops: Sequence[datetime],
    poll_time: datetime,
    *,
    date_header: datetime | None = None,
) -> tuple[datetime, tuple[ReceiptNote, ...]]:
    """When a message was received: the earliest trustworthy arrival (law 2.5, policy P1), and what is odd about it.

    `trusted_hops` are the times of `Received` headers written by configured hosts. The writer's `date_header` never
    decides. All are aware; BadInputError otherwise.
    """
    moments = [internal_date, *trusted_hops, poll_time, *([date_header] if date_header else [])]
    if any(moment.utcoffset() is None for moment in moments):
        raise BadInputError("A time of receipt has no time zone", "Read INTERNALDATE with its offset")
    instant = min(internal_date, *trusted_hops, poll_time)
    odd = {
        ReceiptNote.HOP_EARLIER: any(hop < internal_date for hop in trusted_hops),
        ReceiptNote.IMPORT_SUSPECTED: bool(trusted_hops) and min(trusted_hops) - internal_date > IMPORT_GAP,
        ReceiptNote.AFTER_POLL: min([internal_date, *trusted_hops]) > poll_time,
        ReceiptNote.DATE_HEADER_DIFFERS: date_header is not None and abs(date_header - instant) > CLOCK_GAP,
    }
    return instant, tuple(note for note, is_so in odd.items() if is_so)
