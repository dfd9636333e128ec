"""`mailbot deadline` values: what a record may hold, and one clear line for what it may not."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.deadline_line import deadline_line
from mailbot.gateway.deadline_rules import shipped_rules
from mailbot.gateway.working_days import WorkingDays

POLICY = shipped_rules().policy
GOOD: dict[str, Any] = {"received": "2026-11-03T10:00:00+02:00", "tz": "Europe/Helsinki"}


def answer(record: object) -> dict[str, str | bool]:
    return deadline_line(record, POLICY, WorkingDays)


def span(start: object, end: object, **more: object) -> dict[str, Any]:
    return GOOD | {"suspensions": [{"from": start, "to": end, **more}]}


def test_plain_record() -> None:
    """A record with receipt and zone gives its dates and an English explanation."""
    assert answer(GOOD) == {
        "due": "2026-12-03",
        "one_month": "2026-12-03",
        "explanation": "Received Tue 3 Nov 2026. The month ends Thu 3 Dec 2026. The due date is Thu 3 Dec 2026.",
        "provisional": False,
    }


def test_language_and_country() -> None:
    """A record may choose the language of its explanation and the country of its holidays."""
    assert str(answer(GOOD | {"language": "fi"})["explanation"]).startswith("Saapui ti 3.11.2026. Kuukausi")
    sweden = answer({"received": "2026-05-06T10:00:00+02:00", "tz": "Europe/Stockholm", "country": "SE"})
    assert sweden["due"] == "2026-06-08"  # 6 June is a Saturday
    midsummer = {"received": "2026-05-19T10:00:00+02:00", "tz": "Europe/Stockholm"}
    assert answer(midsummer)["due"] == "2026-06-19"


def test_open_question_is_provisional() -> None:
    """A suspension that is still open marks the date provisional."""
    assert answer(span("2026-11-04T09:00:00+02:00", None))["provisional"] is True


@pytest.mark.parametrize(
    ("record", "word"),
    [
        ({}, "tz is missing"),
        ([], "JSON object"),
        (None, "JSON object"),
        ("2026-11-03", "JSON object"),
        (7, "JSON object"),
        ({"tz": "Europe/Helsinki"}, "received is missing"),
        (GOOD | {"received": "2026-11-03T10:00:00"}, "no time zone"),
        (GOOD | {"received": "2026-11-03"}, "no time zone"),
        (GOOD | {"received": "2026-02-30T10:00:00+02:00"}, "no date and time"),
        (GOOD | {"received": "yesterday"}, "no date and time"),
        (GOOD | {"received": ""}, "no date and time"),
        (GOOD | {"received": 1762156800}, "must be a text"),
        (GOOD | {"received": "9999-12-31T23:59:59+00:00"}, "not plausible"),
        (GOOD | {"received": "0001-01-01T00:00:00+14:00"}, "not plausible"),
        (GOOD | {"received": "x\ny" * 10_000}, "no date and time"),
        (GOOD | {"tz": "Europe/Atlantis"}, "unknown"),
        (GOOD | {"tz": "../../etc/passwd"}, "unknown"),
        (GOOD | {"tz": "/etc/localtime"}, "unknown"),
        (GOOD | {"tz": ""}, "unknown"),
        (GOOD | {"tz": "Europe"}, "unknown"),
        (GOOD | {"tz": "a\x00b"}, "unknown"),
        (GOOD | {"tz": "\ud800"}, "unknown"),
        (GOOD | {"tz": 2}, "must be a text"),
        (GOOD | {"extended": "yes"}, "true or false"),
        (GOOD | {"extended": 1}, "true or false"),
        (GOOD | {"language": "kl"}, "no explanations"),
        (GOOD | {"country": "XX"}, "'XX' has no calendar"),
        (GOOD | {"country": ""}, "no calendar"),
        (GOOD | {"country": "FI-01"}, "Regions of FI"),
        (GOOD | {"suspensions": {}}, "must be a list"),
        (GOOD | {"suspensions": [3]}, "must be an object"),
        (GOOD | {"suspensions": [{"from": "2026-11-04T09:00:00+02:00"}]}, "must be an object"),
        (span("2026-11-06T09:00:00+02:00", "2026-11-05T09:00:00+02:00"), "answered before"),
        (span("2026-11-06T09:00:00+02:00", "2026-11-06T08:00:00+02:00"), "answered before"),
        (span("2026-11-02T09:00:00+02:00", None), "before the request"),
        (span("2026-11-04T09:00", None), "no time zone"),
        (span("2026-11-31", None), "no date and time"),
        (span("2026-11-02", None), "before the request"),
        (span("2026-11-06", "2026-11-05"), "answered before"),
        (span(None, None), "from is missing"),
        (span("2026-11-04T09:00:00+02:00", "9999-12-31T23:59:59+00:00"), "not plausible"),
        (span("2026-11-04T09:00:00+02:00", None, why="staff on holiday"), "does not suspend"),
        (span("2026-11-04T09:00:00+02:00", None, why=[]), "does not suspend"),
    ],
)
def test_bad_records(record: object, word: str) -> None:
    """Bad input gives one line that says what is wrong, and no date."""
    result = answer(record)
    assert set(result) == {"error"}
    line = str(result["error"])
    assert word in line
    assert "\n" not in line
    assert len(line) < 300


def test_a_question_may_be_dated_by_its_day() -> None:
    """Only whole local days count, so a day says as much as an instant in it."""
    instants = answer(span("2026-11-05T09:00:00+02:00", "2026-11-12T08:00:00+02:00"))
    assert answer(span("2026-11-05", "2026-11-12")) == instants
    assert answer(span("2026-11-05T09:00:00+02:00", "2026-11-12")) == instants


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["from", "to", "why"]), inner),
    max_leaves=6,
)
INSTANTS = st.datetimes(timezones=st.timezones()).map(lambda value: value.isoformat())


@settings(max_examples=80, deadline=None)
@given(
    record=st.fixed_dictionaries(
        {"received": INSTANTS | JSON, "tz": st.sampled_from(["Europe/Helsinki", "Pacific/Apia"]) | JSON},
        optional={
            "extended": st.booleans() | JSON,
            "suspensions": st.lists(st.fixed_dictionaries({"from": INSTANTS, "to": INSTANTS | st.none()})) | JSON,
            "language": st.sampled_from(["fi", "sv", "en"]) | JSON,
        },
    )
)
def test_no_record_breaks_it(record: dict[str, Any]) -> None:
    """Whatever JSON holds, the answer is a date or an error, never an exception."""
    assert set(answer(record)) in ({"error"}, {"due", "one_month", "explanation", "provisional"})
