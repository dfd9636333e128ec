"""The due date of a ticket as a calendar entry (RFC 5545, RFC 5546): all day, updated in place when the date moves.

A calendar is read by telephones, assistants and colleagues, so nothing of a person stands in it: only the reference and
words of ours. The entry is published and asks for no answer. Its UID comes from the reference, and whoever moves the
date counts `sequence` up; that is how a calendar knows the newer of two.
"""

import importlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mailbot.errors import BadInputError, ConfigurationError

PRODUCT = "-//mailbot//due dates//EN"
MEDIA_TYPE = "text/calendar; method=PUBLISH; charset=utf-8"


def due_ics(
    reference: str,
    due_on: date,
    *,
    summary: str,
    sequence: int,
    organizer: str,
    made_at: datetime,
    description: str = "",
    cancelled: bool = False,
) -> bytes:
    """A calendar file with one all-day entry on the due date.

    `sequence` starts at 0 and grows with every change; `organizer` is our own address, its domain is part of the UID;
    `made_at` is aware. `cancelled` takes the entry out of the calendar again. Raises BadInputError for a negative
    sequence or a naive moment, ConfigurationError when the extra `calendar` is missing.
    """
    if sequence < 0 or made_at.tzinfo is None:
        raise BadInputError("A calendar entry needs a sequence from 0 and a moment with its zone")
    library = _library()
    event = library.Event()
    event.add("uid", f"{reference}@{_domain(organizer)}")
    event.add("sequence", sequence)
    event.add("dtstamp", made_at.astimezone(UTC))
    event.add("dtstart", due_on)  # RFC 5545 3.6.1: a DATE is a whole day, wherever the reader is
    event.add("dtend", due_on + timedelta(days=1))
    event.add("summary", summary)
    if description:
        event.add("description", description)
    event.add("organizer", f"mailto:{organizer}")
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")  # a due date keeps nobody busy
    if not cancelled:
        event.add_component(_morning_alarm(library, summary))
    return _calendar(library, event, "CANCEL" if cancelled else "PUBLISH")


def _calendar(library: Any, event: Any, method: str) -> bytes:
    calendar = library.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _morning_alarm(library: Any, summary: str) -> Any:
    """A reminder at nine on the morning before: fifteen hours before the day begins."""
    alarm = library.Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", timedelta(hours=-15))
    return alarm


def _domain(address: str) -> str:
    domain = address.rpartition("@")[2]
    if not domain:
        raise BadInputError("A calendar entry needs an organizer's address", "Give one like privacy@example.com.")
    return domain.lower()


def _library() -> Any:
    try:
        return importlib.import_module("icalendar")
    except ImportError as error:
        raise ConfigurationError(["calendar: files need one more package; install mailbot[calendar]"]) from error
