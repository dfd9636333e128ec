"""Steps over working days. Which days those are is the calendar's word; here is only the walking.

Saturdays and Sundays are never working days (Reg. 1182/71 2(2)); a calendar adds its public holidays. A day itself that
works counts as reached: rolling moves nothing then.
"""

from datetime import date, timedelta
from typing import Protocol

ONE_DAY = timedelta(days=1)


class Calendar(Protocol):
    """The working days of one country."""

    def is_working_day(self, day: date) -> bool:
        """Whether offices are open on that day."""
        ...

    def name(self, day: date, language: str) -> str | None:
        """The name of the public holiday on that day as it stands inside a sentence; None for any other day."""
        ...


def on_or_after(day: date, calendar: Calendar) -> date:
    """The first working day from `day` onward."""  # Reg. 1182/71 3(4)
    while not calendar.is_working_day(day):
        day += ONE_DAY
    return day


def on_or_before(day: date, calendar: Calendar) -> date:
    """The last working day up to and including `day`."""
    while not calendar.is_working_day(day):
        day -= ONE_DAY
    return day


def days_after(day: date, count: int, calendar: Calendar) -> date:
    """The working day that is `count` working days after `day`; `count` 0 gives `day` itself."""
    for _ in range(count):
        day = on_or_after(day + ONE_DAY, calendar)
    return day


def days_before(day: date, count: int, calendar: Calendar) -> date:
    """The working day that is `count` working days before `day`; `count` 0 gives `day` itself."""
    for _ in range(count):
        day = on_or_before(day - ONE_DAY, calendar)
    return day
