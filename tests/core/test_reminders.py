"""Reminders: what is due by now and not yet said, once and never twice."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.deadline import Deadline, compute
from mailbot.core.reminders import (
    Audience,
    Reminder,
    ReminderKey,
    ReminderKind,
    reminders_due,
    working_days_left,
)
from mailbot.core.rights import Right
from mailbot.core.ticket import RUNNING, Status
from mailbot.gateway.deadline_rules import shipped_rules
from mailbot.gateway.working_days import WorkingDays

POLICY = shipped_rules().policy
FINLAND = WorkingDays("FI")
ONE_DAY = timedelta(days=1)
ORDINARY = date(2026, 11, 3)  # a Tuesday: target and due date Thursday 3 December


def dated(received_on: date = ORDINARY, *rights: Right, **more: Any) -> Deadline:
    received_at = datetime(received_on.year, received_on.month, received_on.day, 10, tzinfo=ZoneInfo("Europe/Helsinki"))
    return compute(received_at, "Europe/Helsinki", FINLAND, POLICY, rights=rights, **more)


def due(deadline: Deadline, today: date, already: set[ReminderKey] | None = None, **more: Any) -> tuple[Reminder, ...]:
    return reminders_due(
        deadline,
        today=today,
        calendar=FINLAND,
        status=more.pop("status", Status.OPEN),
        already=already or set(),
        **more,
    )


def run(deadline: Deadline, days: list[date], **more: Any) -> list[tuple[date, Reminder]]:
    """What is said when the machine runs on the given days and stores what it said."""
    said: set[ReminderKey] = set()
    sent = []
    for today in days:
        for reminder in due(deadline, today, said, **more):
            assert not said & set(reminder.covers)
            said |= set(reminder.covers)
            sent.append((today, reminder))
    return sent


def each_day(first: date, last: date) -> list[date]:
    return [first + ONE_DAY * n for n in range((last - first).days + 1)]


def test_ordinary_request() -> None:
    """A silent request is recalled 14, 7, 3 and 1 working days before, on the day, and each working day after."""
    sent = run(dated(), each_day(ORDINARY, date(2026, 12, 9)))
    told = [(day.isoformat(), r.kind) for day, r in sent if r.audience is Audience.STAFF]
    assert told == [
        ("2026-11-13", ReminderKind.BEFORE),
        ("2026-11-24", ReminderKind.BEFORE),
        ("2026-11-30", ReminderKind.BEFORE),
        ("2026-12-02", ReminderKind.LAST_EXTENSION),  # and the one day before
        ("2026-12-03", ReminderKind.DUE),
        ("2026-12-04", ReminderKind.OVERDUE),
        ("2026-12-07", ReminderKind.OVERDUE),
        ("2026-12-08", ReminderKind.OVERDUE),
        ("2026-12-09", ReminderKind.OVERDUE),
    ]
    assert not any(r.missed for _, r in sent)


def test_deputy_is_told_the_day_before_and_when_overdue() -> None:
    """The deputy hears of a silent ticket on the working day before the due date and on the first day overdue."""
    sent = run(dated(), each_day(ORDINARY, date(2026, 12, 20)))
    assert [day.isoformat() for day, r in sent if r.audience is Audience.DEPUTY] == ["2026-12-02", "2026-12-04"]


def test_two_weeks_off() -> None:
    """After two weeks off exactly one reminder covers all that was missed, and the next run says nothing."""
    deadline = dated()
    said = {key for _, r in run(deadline, each_day(ORDINARY, date(2026, 11, 16))) for key in r.covers}
    back = date(2026, 12, 1)
    (reminder,) = due(deadline, back, said)
    assert reminder.missed
    assert [key.on.isoformat() for key in reminder.covers] == ["2026-11-24", "2026-11-30"]
    assert due(deadline, back, said | set(reminder.covers)) == ()


def test_off_over_the_due_date() -> None:
    """A machine that comes back after the due date says once that the ticket is overdue, covering all it missed."""
    deadline = dated()
    staff, deputy = due(deadline, date(2026, 12, 12))  # a Saturday
    assert (staff.audience, staff.kind, staff.days_left) == (Audience.STAFF, ReminderKind.OVERDUE, -6)
    assert deputy.audience is Audience.DEPUTY
    said = {*staff.covers, *deputy.covers}
    assert due(deadline, date(2026, 12, 12), said) == ()
    assert due(deadline, date(2026, 12, 13), said) == ()
    (again,) = due(deadline, date(2026, 12, 14), said)
    assert (again.kind, again.missed) == (ReminderKind.OVERDUE, False)


def test_early_target_and_late_ceiling() -> None:
    """A rectification is recalled before and on its early target, and again before its month ends."""
    sent = run(dated(ORDINARY, Right.RECTIFICATION), each_day(ORDINARY, date(2026, 12, 3)))
    told = [(day.isoformat(), r.kind) for day, r in sent if r.audience is Audience.STAFF]
    assert told[:4] == [
        ("2026-11-05", ReminderKind.BEFORE),
        ("2026-11-09", ReminderKind.BEFORE),
        ("2026-11-10", ReminderKind.TARGET),
        ("2026-11-13", ReminderKind.BEFORE),
    ]
    assert told[-1] == ("2026-12-03", ReminderKind.DUE)


def test_target_before_a_feast() -> None:
    """Where the due date rolls over Easter the target before it is recalled on its own day."""
    sent = run(dated(date(2025, 3, 18)), each_day(date(2025, 3, 18), date(2025, 4, 22)))
    told = {day: r.kind for day, r in sent if r.audience is Audience.STAFF}
    assert told[date(2025, 4, 17)] is ReminderKind.LAST_EXTENSION  # the same day as the target
    assert told[date(2025, 4, 22)] is ReminderKind.DUE


def test_act_by_is_told_unless_done() -> None:
    """The act-by day of a marketing stop is recalled, unless it is already obeyed."""
    deadline = dated(ORDINARY, Right.OBJECTION)
    (reminder,) = due(deadline, date(2026, 11, 4))
    assert reminder.kind is ReminderKind.ACT_BY
    assert due(deadline, date(2026, 11, 4), acted=True) == ()


def test_first_notice_replaces_early_reminders_only() -> None:
    """A ticket found late is not recalled of days its first notice told, but always of its due date."""
    deadline = dated()
    assert due(deadline, date(2026, 11, 30), noticed_on=date(2026, 11, 30)) == ()
    staff, _ = due(deadline, date(2026, 12, 3), noticed_on=date(2026, 12, 3))
    assert staff.kind is ReminderKind.DUE


def test_extended_request_is_recalled_before_its_new_date() -> None:
    """After an extension the plan follows the new date and no last day to extend is recalled."""
    sent = run(dated(extended=True), each_day(ORDINARY, date(2027, 2, 3)))
    kinds = Counter(r.kind for _, r in sent if r.audience is Audience.STAFF)
    assert kinds == {ReminderKind.BEFORE: 4, ReminderKind.DUE: 1}
    assert sent[-1][0] == date(2027, 2, 3)


@pytest.mark.parametrize("status", sorted(set(Status) - RUNNING))
def test_nothing_after_the_answer(status: Status) -> None:
    """A ticket that is answered or has ended is never recalled."""
    assert due(dated(), date(2026, 12, 20), status=status) == ()


def test_approved_reply_is_recalled_only_when_due() -> None:
    """An approved reply that waits to be sent is recalled on its due date and after, not before."""
    sent = run(dated(), each_day(ORDINARY, date(2026, 12, 4)), status=Status.APPROVED)
    staff = [(day.isoformat(), r.kind) for day, r in sent if r.audience is Audience.STAFF]
    assert staff == [("2026-12-03", ReminderKind.DUE), ("2026-12-04", ReminderKind.OVERDUE)]


def test_keys_survive_storage() -> None:
    """A key read from its stored form is the same key."""
    for kind in ReminderKind:
        key = ReminderKey(on=date(2026, 12, 3), kind=kind)
        assert ReminderKey.of(str(key)) == key


@pytest.mark.parametrize(
    ("today", "left"),
    [
        ("2026-11-28", 4),
        ("2026-12-02", 1),
        ("2026-12-03", 0),
        ("2026-12-04", -1),
        ("2026-12-05", -1),
        ("2026-12-07", -2),
    ],
)
def test_working_days_left(today: str, left: int) -> None:
    """Days left count working days after today up to the due date, and negatively after it."""
    assert working_days_left(date.fromisoformat(today), date(2026, 12, 3), FINLAND) == left


@settings(max_examples=60, deadline=None)
@given(
    received=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    rights=st.frozensets(st.sampled_from(Right), max_size=3),
    runs=st.sets(st.integers(0, 60), max_size=61),
    extended=st.booleans(),
)
def test_no_reminder_missed_and_none_doubled(
    received: date, rights: frozenset[Right], runs: set[int], extended: bool
) -> None:
    """However the machine was on and off, what was said is exactly what an always-on machine says, each thing once."""
    deadline = dated(received, *rights, extended=extended)
    last = max(runs, default=0)
    always = run(deadline, each_day(received, received + ONE_DAY * last))
    sometimes = run(deadline, [received + ONE_DAY * n for n in sorted(runs)])
    expected = Counter(key for _, r in always for key in r.covers)
    got = Counter(key for _, r in sometimes for key in r.covers)
    assert got == (expected if runs else Counter())
    assert set(got.values()) <= {1}
    each_run = Counter((day, r.audience) for day, r in sometimes)
    assert set(each_run.values()) <= {1}
