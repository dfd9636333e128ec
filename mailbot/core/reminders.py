"""Which reminders of a ticket are due now.

The question is always "due by now and not yet reminded", never "became due since yesterday": after two weeks off, one
reminder covers everything that was missed, and nothing is said twice. Every planned reminder has a key; who sends a
reminder stores all keys it covers, in one transaction, and that is what makes it once. When a date moves, the plan
moves with it, and what was already said stays said.

Planned days are working days. Today's date is an argument; away periods, digests and addresses are not known here.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mailbot.core.deadline import Deadline
from mailbot.core.ticket import RUNNING, Status
from mailbot.core.working_days import Calendar, days_after, days_before, on_or_before


class ReminderKind(StrEnum):
    """Why staff are reminded. The order is the order of urgency, most urgent first."""

    OVERDUE = "overdue"  # every working day after the due date
    DUE = "due"  # on the due date
    ESCALATION = "escalation"  # to the deputy: after silence, the working day before the due date, the first day over
    ACT_BY = "act_by"  # a marketing stop or a restriction must be in force today
    LAST_EXTENSION = "last_extension"  # the last safe day to announce an extension
    TARGET = "target"  # the day we aim at
    BEFORE = "before"  # so many working days before the target, or before the due date where the target is early


class Audience(StrEnum):
    """Who is told."""

    STAFF = "staff"
    DEPUTY = "deputy"


@dataclass(frozen=True, kw_only=True, order=True)
class ReminderKey:
    """One planned reminder of one ticket. Stored once sent; `str()` is its stored form, `of()` the way back."""

    on: date  # the working day it was planned for
    kind: ReminderKind

    def __str__(self) -> str:
        return f"{self.on.isoformat()} {self.kind}"

    @classmethod
    def of(cls, text: str) -> "ReminderKey":
        """The key of its stored form."""
        day, _, kind = text.partition(" ")
        return cls(on=date.fromisoformat(day), kind=ReminderKind(kind))


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """One reminder to be sent now. All of `covers` must be stored with it."""

    audience: Audience
    kind: ReminderKind  # the most urgent of what it covers, as things stand today
    covers: tuple[ReminderKey, ...]  # oldest first
    missed: bool  # some of it should have been said on an earlier day
    due_on: date
    days_left: int  # working days until the due date; 0 on it, negative when overdue


def reminders_due(
    deadline: Deadline,
    *,
    today: date,
    calendar: Calendar,
    status: Status,
    already: Collection[ReminderKey] = frozenset(),
    days_before: Iterable[int] = (14, 7, 3, 1),
    noticed_on: date | None = None,
    acted: bool = False,
    silent_since: date | None = None,
    escalate_after_days: int = 5,
) -> tuple[Reminder, ...]:
    """At most one reminder for staff and one for the deputy, covering all that is due by `today` and not in `already`.

    `noticed_on` is the local day of the last notice that said all dates (the first one, or the one about a moved date):
    what was planned for that day or before, and is not about a due date, counts as said. `acted` is true when the
    act-by duty is done. `silent_since` is the local day since when staff have known of it and nobody has done anything;
    after `escalate_after_days` working days of that the deputy hears of it.
    """
    if status not in RUNNING:
        return ()
    first_day = max(deadline.received_on, noticed_on or deadline.received_on)
    planned = {
        *_early(deadline, calendar, status, tuple(days_before), acted, after=first_day),
        *_late(deadline, calendar, today),
    }
    if silent_since is not None:
        long_enough = days_after(silent_since, escalate_after_days, calendar)
        planned.add(ReminderKey(on=long_enough, kind=ReminderKind.ESCALATION))
    waiting = sorted(key for key in planned if key.on <= today and key not in already)
    mine = [key for key in waiting if key.kind is not ReminderKind.ESCALATION]
    deputys = [key for key in waiting if key.kind is ReminderKind.ESCALATION]
    days_left = working_days_left(today, deadline.due_on, calendar)
    return tuple(
        Reminder(
            audience=audience,
            kind=_most_urgent(keys, deadline, today),
            covers=tuple(keys),
            missed=any(key.on < today for key in keys),
            due_on=deadline.due_on,
            days_left=days_left,
        )
        for audience, keys in ((Audience.STAFF, mine), (Audience.DEPUTY, deputys))
        if keys
    )


def working_days_left(today: date, due_on: date, calendar: Calendar) -> int:
    """Working days after today up to the due date: 1 on the working day before it, 0 on it, negative after it."""
    if today > due_on:
        return -_steps(due_on, on_or_before(today, calendar), calendar) or -1
    return _steps(on_or_before(today, calendar), due_on, calendar)


def _steps(start: date, end: date, calendar: Calendar) -> int:
    count = 0
    while start < end:
        start = days_after(start, 1, calendar)
        count += 1
    return count


def _early(
    deadline: Deadline, calendar: Calendar, status: Status, days: tuple[int, ...], acted: bool, *, after: date
) -> Iterator[ReminderKey]:
    """What is planned before the due date. An approved reply only waits to be sent: nothing early is said of it."""
    if status is Status.APPROVED:
        return
    anchors = {deadline.target_on}
    if deadline.target_on < on_or_before(deadline.unrolled_on, calendar):
        anchors.add(deadline.due_on)  # the target is far ahead of the due date, as for a rectification
    keys = [
        ReminderKey(on=days_before(anchor, count, calendar), kind=ReminderKind.BEFORE)
        for anchor in anchors
        for count in days
        if count > 0
    ]
    keys.append(ReminderKey(on=deadline.target_on, kind=ReminderKind.TARGET))
    if deadline.last_safe_extension_on is not None:
        keys.append(ReminderKey(on=deadline.last_safe_extension_on, kind=ReminderKind.LAST_EXTENSION))
    if deadline.act_by_on is not None and not acted:
        keys.append(ReminderKey(on=deadline.act_by_on, kind=ReminderKind.ACT_BY))
    yield from (key for key in keys if after < key.on and key.on != deadline.due_on)


def _late(deadline: Deadline, calendar: Calendar, today: date) -> Iterator[ReminderKey]:
    """What is planned on the due date and after it, and for the deputy. The first notice never replaces these."""
    due = deadline.due_on
    yield ReminderKey(on=days_before(due, 1, calendar), kind=ReminderKind.ESCALATION)
    yield ReminderKey(on=due, kind=ReminderKind.DUE)
    day = days_after(due, 1, calendar)
    yield ReminderKey(on=day, kind=ReminderKind.ESCALATION)
    while day <= today:
        yield ReminderKey(on=day, kind=ReminderKind.OVERDUE)
        day = days_after(day, 1, calendar)


def _most_urgent(keys: Iterable[ReminderKey], deadline: Deadline, today: date) -> ReminderKind:
    """What the reminder is about. Once the due date has come, only that counts, whatever was missed before."""
    kinds = {key.kind for key in keys}
    if kinds == {ReminderKind.ESCALATION}:
        return ReminderKind.ESCALATION
    if today > deadline.due_on:
        return ReminderKind.OVERDUE
    if today == deadline.due_on:
        return ReminderKind.DUE
    return next(kind for kind in ReminderKind if kind in kinds)
