"""The figures of `stats` add up, whatever the tickets; the pictures show them and nothing else."""

import csv
import io
import json
import random
import xml.etree.ElementTree as ElementTree
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.rights import Outcome, Right
from mailbot.core.stats import CSV_HEADER, Case, Stats, as_data, compute, csv_rows
from mailbot.core.stats_plot import HEIGHT, MONTHS_SHOWN, WIDTH, stats_bars, stats_svg
from mailbot.core.ticket import RUNNING, Status

TODAY = date(2026, 11, 4)  # a Wednesday
DAY = timedelta(days=1)
ANSWERED = (Status.ANSWERED, Status.CLOSED)
SVG = "{http://www.w3.org/2000/svg}"


def case(**changes: Any) -> Case:
    given_values: dict[str, Any] = {
        "status": Status.OPEN,
        "rights": (Right.ERASURE,),
        "received_on": date(2026, 10, 20),
        "due_on": date(2026, 11, 20),
        "answered_on": None,
    }
    return Case(**(given_values | changes))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    received = draw(st.dates(date(2025, 1, 1), TODAY))
    status = draw(st.sampled_from(Status))
    ended = received + DAY * draw(st.integers(0, 120))
    return Case(
        status=status,
        rights=tuple(draw(st.sets(st.sampled_from(Right), min_size=1, max_size=3))),
        received_on=received,
        due_on=received + DAY * draw(st.integers(28, 95)),
        answered_on=ended if status in ANSWERED or (draw(st.booleans()) and status in RUNNING) else None,
        outcome=draw(st.sampled_from([None, *Outcome])) if status in ANSWERED else None,
    )


MANY = st.lists(cases(), max_size=25)
FEW = settings(max_examples=40, deadline=None)


def test_an_answer_on_the_due_date_is_in_time_and_a_day_later_is_late() -> None:
    """The due date itself still counts; the day after it does not."""
    due = date(2026, 11, 2)
    found = compute([case(status=Status.CLOSED, due_on=due, answered_on=due + DAY * n) for n in (0, 1)], TODAY)
    assert (found.on_time, found.late, found.on_time_share) == (1, 1, 0.5)


def test_an_unanswered_request_past_its_due_date_counts_as_late() -> None:
    """A share that leaves the overdue out would look better the longer one waits."""
    found = compute([case(due_on=TODAY - DAY), case(status=Status.CLOSED, answered_on=date(2026, 10, 21))], TODAY)
    assert (found.overdue, found.late, found.on_time_share) == (1, 1, 0.5)


def test_due_today_is_not_overdue_and_due_this_week() -> None:
    """The week goes from today to Sunday; an overdue request stands apart."""
    days = [TODAY - DAY, TODAY, date(2026, 11, 8), date(2026, 11, 9)]
    found = compute([case(due_on=day) for day in days], TODAY)
    assert (found.open, found.overdue, found.due_this_week) == (4, 1, 2)


@pytest.mark.parametrize("status", [Status.WITHDRAWN, Status.CLOSED])
def test_what_ended_without_an_answer_is_neither_in_time_nor_late(status: Status) -> None:
    """A withdrawn or merged request leaves the share alone."""
    found = compute([case(status=status, due_on=TODAY - DAY)], TODAY)
    assert (found.received, found.open, found.on_time, found.late, found.on_time_share) == (1, 0, 0, 0, None)


def test_what_was_no_request_is_not_counted() -> None:
    """A dismissed ticket stands in no figure."""
    assert compute([case(status=Status.DISMISSED)], TODAY) == compute([], TODAY)


def test_a_reopened_ticket_is_open_again() -> None:
    """An answer that bounced is none: the clock runs, and nothing is counted as answered."""
    found = compute([case(status=Status.OPEN, due_on=TODAY - DAY, answered_on=date(2026, 10, 30))], TODAY)
    assert (found.open, found.answered, found.on_time, found.overdue) == (1, 0, 0, 1)


def test_the_median_is_said_for_each_right() -> None:
    """A ticket with two rights counts for both; a right without an answer is not named."""
    start = date(2026, 10, 1)
    found = compute(
        [
            case(status=Status.CLOSED, received_on=start, answered_on=start + DAY * days, rights=rights)
            for days, rights in [(2, (Right.ACCESS,)), (4, (Right.ACCESS, Right.ERASURE)), (9, (Right.ACCESS,))]
        ],
        TODAY,
    )
    assert found.by_right == {Right.ACCESS: 4.0, Right.ERASURE: 4.0}
    assert found.median_days == 4.0


def test_moments_become_local_days() -> None:
    """Half past eleven in the evening of UTC is the next day in Helsinki."""
    late_evening = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)
    found = Case.of(
        status=Status.CLOSED,
        rights=[Right.ACCESS],
        received_at=late_evening,
        due_on=date(2026, 12, 3),
        answered_at=late_evening,
        zone="Europe/Helsinki",
    )
    assert (found.received_on, found.answered_on, found.days) == (date(2026, 11, 3), date(2026, 11, 3), 0)


@FEW
@given(MANY)
def test_every_request_is_counted_once(many: list[Case]) -> None:
    """Received is what was no dismissal; open, answered and ended without an answer make it up."""
    found = compute(many, TODAY)
    ended = sum(item.status in (Status.WITHDRAWN,) for item in many)
    assert found.received == sum(item.status is not Status.DISMISSED for item in many)
    assert found.received == found.open + found.answered + ended
    assert found.on_time + found.late == found.answered + found.overdue
    assert found.due_this_week + found.overdue <= found.open


@FEW
@given(MANY)
def test_the_months_add_up_to_the_whole(many: list[Case]) -> None:
    """What came and what was answered by month is what came and was answered, without a month missing between."""
    found = compute(many, TODAY)
    assert sum(month.received for month in found.months) == found.received
    assert sum(month.answered for month in found.months) == found.answered
    assert sum(month.on_time for month in found.months) == found.on_time
    numbers = [month.first.year * 12 + month.first.month for month in found.months]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else found.received == 0


@FEW
@given(MANY, st.randoms(use_true_random=False))
def test_order_does_not_matter(many: list[Case], dice: random.Random) -> None:
    """The same tickets in another order give the same figures."""
    mixed = list(many)
    dice.shuffle(mixed)
    assert compute(mixed, TODAY) == compute(many, TODAY)


@FEW
@given(MANY)
def test_a_median_lies_between_the_fastest_and_the_slowest(many: list[Case]) -> None:
    """No right is faster than its fastest answer nor slower than its slowest."""
    for right, days in compute(many, TODAY).by_right.items():
        real = [item.days for item in many if right in item.rights and item.days is not None]
        assert min(real) <= days <= max(real)


@FEW
@given(MANY)
def test_json_and_csv_say_the_same(many: list[Case]) -> None:
    """Both can be written and read back, and each row has a value for each heading."""
    found = compute(many, TODAY)
    data = json.loads(json.dumps(as_data(found)))
    target = io.StringIO()
    csv.writer(target).writerows(csv_rows(found))
    rows = list(csv.DictReader(io.StringIO(target.getvalue())))
    assert [row["received"] for row in rows] == [str(month["received"]) for month in data["months"]]
    assert [row["late"] for row in rows] == [str(month["late"]) for month in data["months"]]
    assert all(len(row) == len(CSV_HEADER) for row in rows)


@FEW
@given(MANY)
def test_the_picture_stays_inside_its_frame(many: list[Case]) -> None:
    """The SVG is well-formed, no bar leaves the picture, and heights keep the order of the counts."""
    found = compute(many, TODAY)
    root = ElementTree.fromstring(stats_svg(found))
    for bar in root.iter(f"{SVG}rect"):
        x, y, width, height = (float(bar.attrib[name]) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + width <= WIDTH
        assert 0 <= y <= y + height <= HEIGHT
        assert height >= 0
    received = [float(bar.attrib["height"]) for bar in root.iter(f"{SVG}rect") if bar.attrib["class"] == "received"]
    counts = [month.received for month in found.months[-MONTHS_SHOWN:]]
    for height, count in zip(received, counts, strict=False):
        assert (height > 0) == (count > 0)


@FEW
@given(MANY, st.integers(30, 120))
def test_bars_fit_the_terminal(many: list[Case], width: int) -> None:
    """No line is longer than the terminal is wide, and every month shown has its two lines."""
    found = compute(many, TODAY)
    lines = stats_bars(found, width).splitlines()
    assert all(len(line) <= max(width, 56) for line in lines)
    if found.months:
        assert len(lines) == 2 * min(len(found.months), MONTHS_SHOWN) + 1


def test_the_picture_says_in_words_what_it_shows() -> None:
    """A person who does not see it reads the same numbers."""
    answered = case(status=Status.CLOSED, received_on=date(2026, 10, 1), answered_on=date(2026, 10, 9))
    svg = stats_svg(compute([answered], TODAY))
    assert "2026-10: 1 received, 1 answered, 0 late" in svg


@pytest.mark.parametrize("show", [stats_bars, stats_svg])
def test_nothing_received_yet_is_said(show: Any) -> None:
    """An empty house shows no empty axes without words."""
    assert "No request has been received yet." in show(compute([], TODAY))


def test_even_one_of_many_is_seen() -> None:
    """A single late answer among a thousand has a mark of its own."""
    good = [case(status=Status.CLOSED, answered_on=date(2026, 10, 21))] * 999
    late = case(status=Status.CLOSED, due_on=date(2026, 10, 21), answered_on=date(2026, 10, 22))
    bars = stats_bars(compute([*good, late], TODAY))
    assert bars.splitlines()[1].count("▒") == 1


def test_running_tickets_are_the_open_ones() -> None:
    """Every status in which the clock runs is open, and no other."""
    found: dict[Status, Stats] = {status: compute([case(status=status)], TODAY) for status in Status}
    assert {status for status, figures in found.items() if figures.open} == RUNNING
