"""How we are doing: what is open, what is due, how many answers came in time, and how long they took.

Pure arithmetic over dates that are already local. On time means answered on the due date or before it; a request that
is open past its due date counts as late although nobody has answered it yet. What a person judged to be no request is
left out, and so is what ended without an answer (withdrawn, merged): it was neither in time nor late.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from mailbot.core.deadline import local_date
from mailbot.core.rights import Outcome, Right
from mailbot.core.ticket import RUNNING, Status

CSV_HEADER = ("month", "received", "answered", "on_time", "late", "median_days")


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is asked of one ticket. Days are local."""

    status: Status
    rights: tuple[Right, ...]
    received_on: date
    due_on: date
    answered_on: date | None  # of the last answer; None while nobody has answered
    outcome: Outcome | None = None  # None unless all its requests agree

    @classmethod
    def of(
        cls,
        *,
        status: Status,
        rights: Sequence[Right],
        received_at: datetime,
        due_on: date,
        answered_at: datetime | None,
        zone: str,
        outcome: Outcome | None = None,
    ) -> "Case":
        """The case of a stored ticket, whose moments are aware, in the controller's time zone."""
        return cls(
            status=status,
            rights=tuple(rights),
            received_on=local_date(received_at, zone),
            due_on=due_on,
            answered_on=local_date(answered_at, zone) if answered_at else None,
            outcome=outcome,
        )

    @property
    def ended_on(self) -> date | None:
        """The day of the answer that stands; a reopened ticket has none (its answer bounced, or was wrong)."""
        return None if self.status in RUNNING else self.answered_on

    @property
    def days(self) -> int | None:
        """Calendar days from receipt to answer, None while there is none."""
        return None if self.ended_on is None else (self.ended_on - self.received_on).days

    @property
    def in_time(self) -> bool:
        """True when it was answered by its due date."""
        return self.ended_on is not None and self.ended_on <= self.due_on

    def late(self, today: date) -> bool:
        """True when it was answered after its due date, or is unanswered past it."""
        if self.ended_on is not None:
            return self.ended_on > self.due_on
        return self.status in RUNNING and today > self.due_on


@dataclass(frozen=True, kw_only=True)
class Month:
    """One calendar month: what came in it, and what was answered in it."""

    first: date
    received: int
    answered: int
    late: int  # of those answered in it
    median_days: float | None

    @property
    def name(self) -> str:
        """As 2026-11."""
        return f"{self.first:%Y-%m}"

    @property
    def on_time(self) -> int:
        """Of those answered in it."""
        return self.answered - self.late


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Everything that `mailbot stats` says."""

    today: date
    received: int  # requests ever received
    open: int
    overdue: int  # of the open ones
    due_this_week: int  # of the open ones: from today to Sunday
    answered: int
    on_time: int
    late: int  # answered too late, and overdue
    median_days: float | None
    by_right: Mapping[Right, float]  # median days to answer; rights with no answer are missing
    outcomes: Mapping[Outcome, int]
    months: tuple[Month, ...]  # without a gap, oldest first

    @property
    def on_time_share(self) -> float | None:
        """0 to 1, None while nothing has been due."""
        decided = self.on_time + self.late
        return self.on_time / decided if decided else None


def compute(cases: Iterable[Case], today: date) -> Stats:
    """The figures of all cases on the local day `today`."""
    counted = [case for case in cases if case.status is not Status.DISMISSED]
    running = [case for case in counted if case.status in RUNNING]
    answered = [case for case in counted if case.ended_on is not None]
    sunday = today + timedelta(days=6 - today.weekday())
    return Stats(
        today=today,
        received=len(counted),
        open=len(running),
        overdue=sum(case.late(today) for case in running),
        due_this_week=sum(today <= case.due_on <= sunday for case in running),
        answered=len(answered),
        on_time=sum(case.in_time for case in counted),
        late=sum(case.late(today) for case in counted),
        median_days=_median(answered),
        by_right={right: found for right in Right if (found := _median(_of_right(answered, right))) is not None},
        outcomes=_outcomes(answered),
        months=tuple(_months(counted, answered)),
    )


def csv_rows(stats: Stats) -> Iterator[tuple[str, ...]]:
    """A header and one row a month, for a spreadsheet; an unknown median is empty."""
    yield CSV_HEADER
    for month in stats.months:
        days = "" if month.median_days is None else f"{month.median_days:g}"
        yield (month.name, str(month.received), str(month.answered), str(month.on_time), str(month.late), days)


def as_data(stats: Stats) -> dict[str, Any]:
    """The figures as JSON can hold them."""
    share = stats.on_time_share
    return {
        "today": stats.today.isoformat(),
        "received": stats.received,
        "open": stats.open,
        "overdue": stats.overdue,
        "due_this_week": stats.due_this_week,
        "answered": stats.answered,
        "on_time": stats.on_time,
        "late": stats.late,
        "on_time_share": None if share is None else round(share, 4),
        "median_days": stats.median_days,
        "median_days_by_right": {right.value: days for right, days in stats.by_right.items()},
        "outcomes": {outcome.value: count for outcome, count in stats.outcomes.items()},
        "months": [
            {
                "month": month.name,
                "received": month.received,
                "answered": month.answered,
                "on_time": month.on_time,
                "late": month.late,
                "median_days": month.median_days,
            }
            for month in stats.months
        ],
    }


def _median(answered: Iterable[Case]) -> float | None:
    days = [case.days for case in answered if case.days is not None]
    return float(median(days)) if days else None


def _of_right(cases: Iterable[Case], right: Right) -> list[Case]:
    return [case for case in cases if right in case.rights]


def _outcomes(answered: Iterable[Case]) -> dict[Outcome, int]:
    found = Counter(case.outcome for case in answered)
    return {outcome: found[outcome] for outcome in Outcome if found[outcome]}


def _months(counted: Sequence[Case], answered: Sequence[Case]) -> Iterator[Month]:
    came = Counter(_first(case.received_on) for case in counted)
    ended: dict[date, list[Case]] = {}
    for case in answered:
        if case.ended_on is not None:
            ended.setdefault(_first(case.ended_on), []).append(case)
    known = came.keys() | ended.keys()
    first = min(known, default=None)
    while first is not None and first <= max(known):
        here = ended.get(first, [])
        yield Month(
            first=first,
            received=came[first],
            answered=len(here),
            late=sum(not case.in_time for case in here),
            median_days=_median(here),
        )
        first = _first(first + timedelta(days=31))


def _first(day: date) -> date:
    return day.replace(day=1)
