"""The due date's calendar entry: one whole day, the same entry when it moves, nothing of a person in it."""

import sys
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import icalendar
import pytest

from mailbot.errors import BadInputError, ConfigurationError
from mailbot.gateway.calendar_file import due_ics

MADE_AT = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
DUE = date(2026, 12, 3)


def raw(**changes: Any) -> bytes:
    given: dict[str, Any] = {
        "reference": "JALO-2026-0014",
        "due_on": DUE,
        "summary": "Vastaa pyyntöön JALO-2026-0014",
        "sequence": 0,
        "organizer": "privacy@example.com",
        "made_at": MADE_AT,
    }
    return due_ics(**(given | changes))


def entry(**changes: Any) -> Any:
    (found,) = icalendar.Calendar.from_ical(raw(**changes)).walk("VEVENT")
    return found


def test_the_entry_is_the_whole_due_date() -> None:
    """It begins on the due date and ends before the next day, as dates without a time."""
    found = entry()
    assert (found["DTSTART"].dt, found["DTEND"].dt) == (DUE, DUE + timedelta(days=1))
    assert found["DTSTART"].params["VALUE"] == "DATE"
    assert found["SUMMARY"] == "Vastaa pyyntöön JALO-2026-0014"


def test_a_moved_date_updates_the_same_entry() -> None:
    """The UID stays and the sequence grows, so a calendar replaces the old entry."""
    before, after = entry(), entry(due_on=date(2027, 2, 3), sequence=1)
    assert before["UID"] == after["UID"] == "JALO-2026-0014@example.com"
    assert (before["SEQUENCE"], after["SEQUENCE"]) == (0, 1)


def test_two_tickets_are_two_entries() -> None:
    """Another reference is another UID."""
    assert entry()["UID"] != entry(reference="JALO-2026-0015")["UID"]


def test_a_cancelled_entry_leaves_the_calendar() -> None:
    """An ended ticket is taken out: method CANCEL, status CANCELLED, no alarm."""
    given = raw(cancelled=True, sequence=2)
    assert b"METHOD:CANCEL\r\n" in given
    assert entry(cancelled=True, sequence=2)["STATUS"] == "CANCELLED"
    assert b"VALARM" not in given


def test_nobody_is_asked_and_nobody_is_busy() -> None:
    """The entry is published: no attendee, no answer wanted, the day stays free."""
    assert b"METHOD:PUBLISH\r\n" in raw()
    assert "ATTENDEE" not in entry()
    assert entry()["TRANSP"] == "TRANSPARENT"


def test_only_what_is_given_stands_in_it() -> None:
    """Of people and machines nothing is added: our own address is the only one."""
    text = raw().decode()
    assert text.count("@") == 2  # the UID and the organizer
    assert "mailto:privacy@example.com" in text


def test_the_file_keeps_the_line_rules_of_its_format() -> None:
    """Lines end in CRLF, none is longer than 75 octets, and a line break in a text can not become a line of its own."""
    hostile = "Pyyntö\r\nATTENDEE:mailto:someone@example.org " + "ä" * 200
    given = raw(summary=hostile)
    assert all(len(line) <= 75 for line in given.split(b"\r\n"))
    assert b"\n" not in given.replace(b"\r\n", b"")
    assert "ATTENDEE" not in entry(summary=hostile)


def test_the_stamp_is_universal_time() -> None:
    """A moment of another zone is written in UTC."""
    helsinki = MADE_AT.astimezone(timezone(timedelta(hours=2)))
    assert entry(made_at=helsinki)["DTSTAMP"].dt == MADE_AT
    assert raw(made_at=helsinki) == raw()


WRONG = {"count": {"sequence": -1}, "naive": {"made_at": MADE_AT.replace(tzinfo=None)}, "nobody": {"organizer": ""}}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_wrong_values_are_refused(changes: dict[str, Any]) -> None:
    """A negative count, a moment without zone and an entry of nobody are one clear line each."""
    with pytest.raises(BadInputError):
        raw(**changes)


def test_without_the_extra_package_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain installation says which extra to install."""
    monkeypatch.setitem(sys.modules, "icalendar", None)
    with pytest.raises(ConfigurationError, match=r"install mailbot\[calendar\]"):
        raw()
