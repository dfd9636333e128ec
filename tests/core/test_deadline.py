"""Dates of a request: worked examples, and a slow second reading of the law over every day of twelve years."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.deadline import (
    Deadline,
    ReceiptNote,
    Suspension,
    SuspensionCount,
    add_months,
    compute,
    local_date,
    received_instant,
)
from mailbot.core.deadline_line import deadline_line
from mailbot.core.rights import Right
from mailbot.core.working_days import on_or_after
from mailbot.errors import BadInputError
from mailbot.gateway.deadline_rules import shipped_rules
from mailbot.gateway.working_days import WorkingDays

EXAMPLES: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "corpus" / "deadlines.json").read_text(encoding="utf-8")
)
VECTORS: list[dict[str, Any]] = EXAMPLES["vectors"]
POLICY = shipped_rules().policy
FINLAND = WorkingDays("FI")
HELSINKI = "Europe/Helsinki"


def dated(received_on: date, **more: Any) -> Deadline:
    """The dates of a request that came at ten in the morning."""
    received_at = datetime(received_on.year, received_on.month, received_on.day, 10, tzinfo=ZoneInfo(HELSINKI))
    return compute(received_at, HELSINKI, more.pop("calendar", FINLAND), more.pop("policy", POLICY), **more)


def asked(first: date, answered: date | None) -> Suspension:
    return Suspension(asked_on=first, answered_on=answered)


# --- worked examples


def suspensions_of(vector: dict[str, Any]) -> list[Suspension]:
    zone = vector["tz"]
    return [
        asked(
            local_date(datetime.fromisoformat(item["from"]), zone), local_date(datetime.fromisoformat(item["to"]), zone)
        )
        for item in vector.get("suspensions", [])
    ]


def of_vector(vector: dict[str, Any], **more: Any) -> Deadline:
    return compute(
        datetime.fromisoformat(vector["received"]),
        vector["tz"],
        more.pop("calendar", FINLAND),
        more.pop("policy", POLICY),
        extended=vector.get("extended", False),
        suspensions=suspensions_of(vector),
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["id"]))
def test_worked_examples(vector: dict[str, Any]) -> None:
    """Every worked example comes out as it was worked by hand, from the day of receipt to the due date."""
    deadline = of_vector(vector)
    assert deadline.due_on.isoformat() == vector["due"]
    assert deadline.received_on.isoformat() == vector["received_local_date"]
    assert deadline.nominal_on.isoformat() == vector["nominal_last_day"]
    if "extension_notice_due" in vector:
        assert deadline.one_month_on.isoformat() == vector["extension_notice_due"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["id"]))
def test_worked_examples_as_lines(vector: dict[str, Any]) -> None:
    """A record gives exactly four fields, the hand-worked due date, and an explanation that ends at that date."""
    answer = deadline_line(vector, POLICY, WorkingDays)
    assert set(answer) == {"due", "one_month", "explanation", "provisional"}
    assert answer["due"] == vector["due"]
    due = date.fromisoformat(vector["due"])
    assert f"{due.day} {due:%b} {due.year}" in str(answer["explanation"])


def test_other_readings_of_policy() -> None:
    """Under the other reading of a policy the same examples give the alternative dates worked by hand."""
    eves = WorkingDays("FI", eves_as_holidays=True)
    difference = {"policy": replace(POLICY, suspension_count=SuspensionCount.DAY_DIFFERENCE)}
    tried = 0
    for vector in VECTORS:
        for name, due in vector.get("alternatives", {}).items():
            other: dict[str, Any] = {"calendar": eves} if name == "eves_as_holidays" else difference
            assert of_vector(vector, **other).due_on.isoformat() == due, vector["id"]
            tried += 1
    assert tried >= 4


def test_finnish_holidays_are_those_of_the_examples() -> None:
    """The holidays of 2024-2030 are exactly those that were listed by hand."""
    listed = {date.fromisoformat(day) for day in EXAMPLES["holidays_FI"]}
    every_day = (date(2024, 1, 1) + timedelta(days=n) for n in range((date(2030, 12, 31) - date(2024, 1, 1)).days + 1))
    assert {day for day in every_day if FINLAND.name(day, "fi")} == listed


# --- a slow second reading of the law, written by walking day by day

EASTER_SUNDAYS = (
    "2024-03-31 2025-04-20 2026-04-05 2027-03-28 2028-04-16 2029-04-01 2030-04-21 2031-04-13 2032-03-28 2033-04-17 "
    "2034-04-09 2035-03-25 2036-04-13"
)


def feasts() -> set[date]:
    """Finland's public holidays, from a printed table of Easter and the words of the statute."""
    days = set()
    for text in EASTER_SUNDAYS.split():
        easter = date.fromisoformat(text)
        days |= {easter + timedelta(days=n) for n in (-2, 0, 1, 39, 49)}
        days |= {date(easter.year, month, day) for month, day in ((1, 1), (1, 6), (5, 1), (12, 6), (12, 25), (12, 26))}
        days |= {d for d in (date(easter.year, 6, n) for n in range(20, 27)) if d.strftime("%a") == "Sat"}
        autumn = [date(easter.year, 10, 31), *(date(easter.year, 11, n) for n in range(1, 7))]
        days |= {d for d in autumn if d.strftime("%a") == "Sat"}
    return days


FEASTS = feasts()


def walk_months(day: date, count: int) -> date:
    """Turn the pages of the calendar: the day with the same number `count` new months on, or the month's last page."""
    turned = 0
    number = day.day
    while turned < count:
        day += timedelta(days=1)
        turned += day.day == 1
    while day.day != number and (day + timedelta(days=1)).day != 1:
        day += timedelta(days=1)
    return day


def read_law(received: date, months: int, waits: Iterable[tuple[date, date]] = ()) -> date:
    """The due date, read slowly: each waited day is put into a bag, and the last day is moved one day at a time."""
    bag = set()
    for sent, answer in waits:
        day = sent
        while (day := day + timedelta(days=1)) < answer:
            bag.add(day)
    last = walk_months(received, months)
    for _ in bag:
        last += timedelta(days=1)
    if bag:
        last = max(last, *(answer for sent, answer in waits if (answer - sent).days > 1))
    while last.strftime("%a") in {"Sat", "Sun"} or last in FEASTS:
        last += timedelta(days=1)
    return last


def test_engine_agrees_with_the_slow_reading_on_every_day() -> None:
    """For every day of receipt 2024-2035, plain and extended, the engine and the slow reading give the same dates."""
    silent = replace(POLICY, texts={})
    day, compared = date(2024, 1, 1), 0
    while day <= date(2035, 12, 31):
        one, three = read_law(day, 1), read_law(day, 3)
        plain, extended = dated(day, policy=silent), dated(day, policy=silent, extended=True)
        assert (plain.due_on, plain.one_month_on) == (one, one), day
        assert (extended.due_on, extended.one_month_on) == (three, one), day
        day, compared = day + timedelta(days=1), compared + 1
    assert compared == 4383


@settings(max_examples=400, deadline=None)
@given(
    received=st.dates(date(2024, 1, 1), date(2035, 9, 1)),
    waits=st.lists(st.tuples(st.integers(0, 27), st.integers(0, 50)), max_size=4),
    extended=st.booleans(),
)
def test_engine_agrees_with_the_slow_reading_on_suspensions(
    received: date, waits: list[tuple[int, int]], extended: bool
) -> None:
    """With any questions asked within the month, in any order and overlapping, both readings give the same date."""
    spans = [(received + timedelta(days=a), received + timedelta(days=a + b)) for a, b in waits]
    questions = [asked(*span) for span in spans]
    deadline = dated(received, extended=extended, suspensions=questions)
    assert deadline.due_on == read_law(received, 3 if extended else 1, spans)
    assert deadline.one_month_on == read_law(received, 1)
    assert not deadline.provisional
    assert dated(received, extended=extended, suspensions=reversed(questions)) == deadline


@settings(max_examples=200, deadline=None)
@given(
    received=st.dates(date(2024, 1, 1), date(2035, 12, 1)),
    rights=st.frozensets(st.sampled_from(Right)),
    extended=st.booleans(),
)
def test_order_of_the_dates(received: date, rights: frozenset[Right], extended: bool) -> None:
    """Target, act-by and extension days are working days after receipt and never later than what they lead to."""
    d = dated(received, extended=extended, rights=rights)
    assert d.received_on < d.target_on <= d.unrolled_on <= d.due_on
    assert FINLAND.is_working_day(d.due_on)
    assert FINLAND.is_working_day(d.target_on)
    assert (d.due_on - d.unrolled_on).days <= 4
    if d.act_by_on is not None:
        assert d.act_by_on == on_or_after(d.received_on + timedelta(days=1), FINLAND)
    if d.last_safe_extension_on is not None:
        assert FINLAND.is_working_day(d.last_safe_extension_on)
        assert d.last_safe_extension_on < d.one_month_on
    assert (d.last_safe_extension_on is None) is extended


# --- suspension


def test_open_question_leaves_the_date_provisional() -> None:
    """While a question is open the unsuspended date stays and is marked provisional."""
    plain = dated(date(2026, 11, 3))
    waiting = dated(date(2026, 11, 3), suspensions=[asked(date(2026, 11, 4), None)])
    assert (waiting.due_on, waiting.provisional) == (plain.due_on, True)
    assert plain.provisional is False


def test_question_after_the_due_date_counts_nothing() -> None:
    """A question sent after the due date neither adds days nor makes the date provisional; on that date it counts."""
    received, due = date(2025, 9, 10), date(2025, 10, 10)
    late = dated(received, suspensions=[asked(due + timedelta(days=1), due + timedelta(days=9))])
    assert (late.due_on, late.suspended_days) == (due, 0)
    assert not dated(received, suspensions=[asked(due + timedelta(days=1), None)]).provisional
    in_time = dated(received, suspensions=[asked(due, due + timedelta(days=4))])
    assert (in_time.suspended_days, in_time.due_on) == (3, date(2025, 10, 14))


def test_question_is_judged_by_the_due_date_of_its_own_day() -> None:
    """A second question counts up to the date that the first answer had moved, and not after it."""
    first = asked(date(2025, 9, 11), date(2025, 9, 16))  # 4 days: due 14 October
    assert dated(date(2025, 9, 10), suspensions=[first]).due_on == date(2025, 10, 14)
    counted = [first, asked(date(2025, 10, 14), date(2025, 10, 17))]
    assert dated(date(2025, 9, 10), suspensions=counted).suspended_days == 6
    too_late = [first, asked(date(2025, 10, 15), date(2025, 10, 18))]
    assert dated(date(2025, 9, 10), suspensions=too_late).suspended_days == 4


def test_open_question_keeps_no_door_open_for_another() -> None:
    """A question sent after the date that was shown while another was open counts nothing, whatever comes later."""
    first = asked(date(2025, 9, 11), date(2025, 10, 30))  # shown until its answer: 10 October, provisional
    second = asked(date(2025, 10, 20), date(2025, 11, 10))
    assert dated(date(2025, 9, 10), suspensions=[first, second]).suspended_days == 48


def test_question_on_the_rolled_due_date_counts() -> None:
    """A question sent on a due date that had rolled over a weekend is still in time."""
    question = asked(date(2025, 4, 7), date(2025, 4, 10))  # the month ended on Saturday 5 April
    deadline = dated(date(2025, 3, 5), suspensions=[question])
    assert (deadline.suspended_days, deadline.due_on) == (2, date(2025, 4, 10))


def test_due_date_is_never_before_the_answer() -> None:
    """An answer that comes after the lengthened date moves the due date to its own day, or the next working day."""
    deadline = dated(date(2025, 9, 10), suspensions=[asked(date(2025, 10, 10), date(2025, 11, 1))])  # a Saturday
    assert deadline.unrolled_on == date(2025, 11, 1)
    assert deadline.due_on == date(2025, 11, 3)
    assert deadline.target_on == date(2025, 11, 3)


def test_answer_within_a_day_suspends_nothing() -> None:
    """A question answered on the same or the next day adds no day and moves nothing, even on the last day."""
    for sent in (date(2025, 9, 11), date(2025, 10, 10)):
        for days in (0, 1):
            assert dated(
                date(2025, 9, 10), suspensions=[asked(sent, sent + timedelta(days=days))]
            ).due_on == date(2025, 10, 10)


def test_impossible_questions_are_refused() -> None:
    """A question answered before it was asked, or sent before the request came, is refused."""
    with pytest.raises(BadInputError, match="can not be answered before"):
        asked(date(2026, 11, 5), date(2026, 11, 4))
    with pytest.raises(BadInputError, match="before the request came"):
        dated(date(2026, 11, 3), suspensions=[asked(date(2026, 11, 2), None)])


# --- target, act-by, extension


def test_ordinary_target_is_the_last_working_day_of_the_month() -> None:
    """When the due date rolls forward the target stays before the weekend or the feast."""
    assert dated(date(2025, 3, 18)).target_on == date(2025, 4, 17)  # Good Friday is the nominal day
    assert dated(date(2026, 11, 3)).target_on == date(2026, 12, 3)


@pytest.mark.parametrize("right", [Right.RECTIFICATION, Right.REGISTER_DESCRIPTION])
def test_early_target_of_some_rights(right: Right) -> None:
    """A rectification and a register description aim at five working days, also beside other rights."""
    assert dated(date(2026, 11, 3), rights=[right, Right.ACCESS]).target_on == date(2026, 11, 10)
    assert dated(date(2026, 11, 3), rights=[right], extended=True).target_on == date(2027, 2, 3)


def test_early_target_waits_for_the_answer() -> None:
    """Suspended days move an early target as they move the due date; an open question does not."""
    rights = [Right.RECTIFICATION]
    answered = [asked(date(2026, 11, 4), date(2026, 11, 7))]
    assert dated(date(2026, 11, 3), rights=rights, suspensions=answered).target_on == date(2026, 11, 12)
    still_open = [asked(date(2026, 11, 4), None)]
    assert dated(date(2026, 11, 3), rights=rights, suspensions=still_open).target_on == date(2026, 11, 10)


@pytest.mark.parametrize("right", [Right.OBJECTION, Right.RESTRICTION, Right.CONSENT_WITHDRAWAL])
def test_act_by_is_the_next_working_day(right: Right) -> None:
    """A marketing stop, a restriction and a withdrawn consent are obeyed by the working day after receipt."""
    assert dated(date(2026, 11, 6), rights=[right]).act_by_on == date(2026, 11, 9)  # Friday to Monday
    assert dated(date(2026, 11, 3), rights=[Right.ACCESS]).act_by_on is None


def test_last_safe_extension_leaves_a_working_day() -> None:
    """The last safe day to announce an extension leaves one working day before the one-month date."""
    assert dated(date(2026, 11, 3)).last_safe_extension_on == date(2026, 12, 2)
    assert dated(date(2025, 3, 5)).last_safe_extension_on == date(2025, 4, 4)  # one month: Monday 7 April


# --- explanations


def test_explanation_names_the_holiday() -> None:
    """An explanation names receipt, the month's end, the holiday it falls on and the due date, in three languages."""
    words = dated(date(2026, 11, 6)).explanations
    assert words["fi"] == (
        "Saapui pe 6.11.2026. Kuukausi päättyy su 6.12.2026, joka on itsenäisyyspäivä, "
        "joten määräpäivä on seuraava työpäivä, ma 7.12.2026."
    )
    assert words["sv"] == (
        "Inkom fre 6.11.2026. Månaden går ut sön 6.12.2026, som är självständighetsdagen, "
        "så sista svarsdagen är följande arbetsdag, mån 7.12.2026."
    )
    assert words["en"] == (
        "Received Fri 6 Nov 2026. The month ends Sun 6 Dec 2026, which is Independence Day, "
        "so the due date is the next working day, Mon 7 Dec 2026."
    )


def test_explanation_of_an_ordinary_month() -> None:
    """An ordinary month is explained in three short sentences."""
    assert dated(date(2026, 11, 3)).explanations["fi"] == (
        "Saapui ti 3.11.2026. Kuukausi päättyy to 3.12.2026. Määräpäivä on to 3.12.2026."
    )


def test_explanation_passes_over_weekends_in_silence() -> None:
    """Of the days that are passed only holidays on ordinary weekdays are named."""
    assert dated(date(2026, 11, 25)).explanations["fi"] == (
        "Saapui ke 25.11.2026. Kuukausi päättyy pe 25.12.2026, joka on joulupäivä, "
        "joten määräpäivä on seuraava työpäivä, ma 28.12.2026."
    )
    assert ", ja pe 26.12.2025 on tapaninpäivä, joten" in dated(date(2025, 11, 25)).explanations["fi"]


def test_explanation_of_questions() -> None:
    """Overlapping waits are told as one span; an open question and one answered at once are each told in full."""
    received = date(2025, 9, 10)
    overlapping = [asked(date(2025, 9, 11), date(2025, 9, 16)), asked(date(2025, 9, 15), date(2025, 9, 18))]
    assert dated(received, suspensions=overlapping).explanations["fi"] == (
        "Saapui ke 10.9.2025. Kuukausi päättyy pe 10.10.2025. Vastausta kysymykseen odotettiin 6 kokonaista päivää "
        "(12.9.2025 – 17.9.2025), joten määräaika pitenee ja päättyy to 16.10.2025. Määräpäivä on to 16.10.2025. "
        "Jatkoajasta tai kieltäytymisestä on silti ilmoitettava viimeistään pe 10.10.2025."
    )
    assert dated(received, suspensions=[asked(date(2025, 9, 11), None)]).explanations["sv"] == (
        "Inkom ons 10.9.2025. Månaden går ut fre 10.10.2025. Sista svarsdagen är fre 10.10.2025. "
        "Datumet är preliminärt: frågan om identiteten (tors 11.9.2025) har inte besvarats ännu. "
        "Förlängd tid eller avslag ska ändå meddelas senast fre 10.10.2025."
    )
    at_once = [asked(date(2025, 9, 11), date(2025, 9, 11))]
    assert dated(received, suspensions=at_once).explanations["en"] == (
        "Received Wed 10 Sep 2025. The month ends Fri 10 Oct 2025. The due date is Fri 10 Oct 2025. "
        "The question was answered before one whole day had passed, so the period stays the same."
    )


def test_explanation_tells_every_step() -> None:
    """Short months, suspended days, open and late questions and the one-month date are each told."""
    received = date(2025, 1, 31)
    words = dated(
        received,
        suspensions=[
            asked(date(2025, 2, 3), date(2025, 2, 5)),
            asked(date(2025, 2, 10), None),
            asked(date(2025, 3, 20), None),
        ],
    ).explanations["en"]
    assert "there is no 31 February" in words
    assert "one whole day (4 February 2025)" in words
    assert "provisional: the question about identity (Mon 10 Feb 2025)" in words
    assert "sent Thu 20 Mar 2025 does not count" in words
    assert "must still be announced by Fri 28 Feb 2025" in words


def test_short_form_for_the_requester() -> None:
    """The requester reads the day of receipt and the last day of the answer, without weekdays or reasons."""
    short = dated(date(2026, 11, 3)).short
    assert short["fi"] == "Pyyntö saapui 3.11.2026, ja siihen vastataan viimeistään 3.12.2026."
    assert short["sv"] == "Begäran kom in 3.11.2026 och besvaras senast 3.12.2026."
    assert short["en"].startswith("The request arrived on 3 November 2026 and will be answered by 3 December 2026")
    assert "jatkettu" in dated(date(2026, 11, 3), extended=True).short["fi"]


@settings(max_examples=150, deadline=None)
@given(
    received=st.dates(date(2024, 1, 1), date(2035, 9, 1)),
    waits=st.lists(st.tuples(st.integers(0, 40), st.one_of(st.none(), st.integers(0, 50))), max_size=3),
    extended=st.booleans(),
)
def test_explanation_always_names_the_due_date(
    received: date, waits: list[tuple[int, int | None]], extended: bool
) -> None:
    """Whatever happened, every language names receipt and due date, and no brace, double dot or blank is left over."""
    day = timedelta(days=1)
    spans = [asked(received + day * a, None if b is None else received + day * (a + b)) for a, b in waits]
    deadline = dated(received, extended=extended, suspensions=spans)
    for language, text in deadline.explanations.items():
        due = deadline.due_on
        assert (f"{due:%b} {due.year}" if language == "en" else f"{due.day}.{due.month}.{due.year}") in text
        assert not any(slip in text for slip in ("{", "}", "..", "  ", " .", "None")), text
        assert text.endswith(".")


# --- receipt


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_receipt_is_the_earliest_trustworthy_arrival() -> None:
    """A trusted hop before INTERNALDATE wins; a later hop changes nothing."""
    internal, poll = moment("2026-11-03T10:00:00+02:00"), moment("2026-11-03T10:05:00+02:00")
    earlier, later = moment("2026-11-02T23:00:00+02:00"), moment("2026-11-03T10:00:30+02:00")
    assert received_instant(internal, [earlier, later], poll) == (earlier, (ReceiptNote.HOP_EARLIER,))
    assert received_instant(internal, [later], poll) == (internal, ())
    assert received_instant(internal, [], poll) == (internal, ())


def test_receipt_is_never_after_the_poll() -> None:
    """A server clock that is ahead of ours gives the time of the poll, with a note."""
    poll = moment("2026-11-03T10:05:00+02:00")
    assert received_instant(moment("2026-11-04T10:00:00+02:00"), [], poll) == (poll, (ReceiptNote.AFTER_POLL,))


def test_import_is_suspected() -> None:
    """INTERNALDATE more than seven days older than every trusted hop is kept and flagged."""
    poll = moment("2026-11-20T10:00:00+02:00")
    hop = moment("2026-11-10T10:00:00+02:00")
    old = hop - timedelta(days=7, seconds=1)
    assert received_instant(old, [hop], poll) == (old, (ReceiptNote.IMPORT_SUSPECTED,))
    assert received_instant(hop - timedelta(days=7), [hop], poll)[1] == ()


def test_writers_clock_never_decides() -> None:
    """The Date header never decides; a difference of more than a day is noted."""
    internal = moment("2026-11-03T10:00:00+02:00")
    lying = moment("2026-10-01T10:00:00+03:00")
    assert received_instant(internal, [], internal, date_header=lying) == (internal, (ReceiptNote.DATE_HEADER_DIFFERS,))
    assert received_instant(internal, [], internal, date_header=internal)[1] == ()


def test_naive_times_are_refused() -> None:
    """A time without a zone is refused, as receipt and as request time."""
    with pytest.raises(BadInputError, match="no time zone"):
        received_instant(datetime(2026, 11, 3), [], moment("2026-11-03T10:00:00+02:00"))  # noqa: DTZ001
    with pytest.raises(BadInputError, match="no time zone"):
        compute(datetime(2026, 11, 3), HELSINKI, FINLAND, POLICY)  # noqa: DTZ001


def test_months_are_added_to_the_unclamped_day() -> None:
    """31 January and three months is 30 April, not 28."""
    assert add_months(date(2026, 1, 31), 3) == date(2026, 4, 30)
    assert add_months(date(2026, 11, 30), 3) == date(2027, 2, 28)
