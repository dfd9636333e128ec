"""Which days are working days: Saturdays, Sundays and the public holidays of one country are not.

Countries of `rules/deadlines.toml` follow the rules written there; every other one comes from the library `holidays`,
which is loaded only then (it costs more than a whole round of polling). The eves of Finland count as the policy says.
Days off of one region are working days (policy P3). Only the configuration's extra days come on top.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from importlib import import_module
from typing import Protocol, cast

from mailbot.errors import ConfigurationError
from mailbot.gateway.deadline_rules import DeadlineRules, HolidayRule, shipped_rules

Names = dict[str, str]  # by language; "" holds the name in a language of the country itself


class WorkingDays:
    """The calendar of one country. Raises ConfigurationError for a country that is not known."""

    def __init__(
        self,
        country: str = "FI",
        eves_as_holidays: bool | None = None,  # None: as the policy of the rules says
        extra: Iterable[date] = (),  # more days off, as a holiday decreed for one year
        rules: DeadlineRules | None = None,  # None: those that come with mailbot
    ) -> None:
        self.country = country.strip().upper()
        self._rules = rules or shipped_rules()
        eves = self._rules.policy.eves_as_holidays if eves_as_holidays is None else eves_as_holidays
        self._extra = frozenset(extra)
        self._source = self._find_source(eves)
        self._years: dict[int, dict[date, Names]] = {}

    def is_working_day(self, day: date) -> bool:
        """Whether offices are open on that day."""
        if day.weekday() >= 5:  # Reg. 1182/71 2(2)
            return False
        return day not in self._extra and day not in self._holidays(day.year)

    def name(self, day: date, language: str) -> str | None:
        """The name of the public holiday on that day as it stands inside a sentence; None for any other day."""
        names = self._holidays(day.year).get(day)
        if names is None:
            return self._rules.extra_names.get(language) if day in self._extra else None
        return names.get(language) or next(iter(names.values()))

    def _holidays(self, year: int) -> dict[date, Names]:
        if year not in self._years:
            self._years[year] = self._source.days(year)
        return self._years[year]

    def _find_source(self, eves: bool) -> "_Source":
        written = self._rules.holidays
        country, _, region = self.country.partition("-")
        if self.country in written:
            return _Written([rule for rule in written[self.country] if eves or not rule.eve])
        if country in written:
            raise ConfigurationError([f"Regions of {country} have no calendar of their own. Use {country!r}"])
        return _Library(country, region, tuple(self._rules.extra_names))


class _Source(Protocol):
    def days(self, year: int) -> dict[date, Names]: ...


class _Written:
    """A country whose holidays follow written rules."""

    def __init__(self, rules: Iterable[HolidayRule]) -> None:
        self._rules = tuple(rules)

    def days(self, year: int) -> dict[date, Names]:
        return {_day(rule, year): dict(rule.names) for rule in self._rules}


class _Library:
    """A country whose holidays the library `holidays` knows."""

    def __init__(self, country: str, region: str, languages: tuple[str, ...]) -> None:
        self._library = import_module("holidays")
        self._country, self._region = country, region or None
        try:
            sample = self._library.country_holidays(country, subdiv=self._region)
        except NotImplementedError as problem:
            where = f"{country}-{region}" if region else country
            cure = "Use a code of ISO 3166, as FI, SE or DE-BY"
            raise ConfigurationError([f"The country {where!r} has no calendar of holidays. {cure}"]) from problem
        spoken: tuple[str, ...] = sample.supported_languages or ()
        found = {wanted: code for wanted in languages for code in spoken if code.split("_", 1)[0] == wanted}
        self._languages: dict[str, str | None] = {**found} or {"": None}

    def days(self, year: int) -> dict[date, Names]:
        found: dict[date, Names] = {}
        for language, code in self._languages.items():
            days = self._library.country_holidays(self._country, subdiv=self._region, years=year, language=code)
            for day, name in cast(dict[date, str], days).items():
                found.setdefault(day, {})[language] = name
        return found


def _day(rule: HolidayRule, year: int) -> date:
    """The day on which a holiday falls in a year."""
    if rule.month_day is not None:
        return date(year, *rule.month_day)
    if rule.easter is not None:
        return easter_sunday(year) + timedelta(days=rule.easter)
    weekday, month, day = rule.weekday_from or (7, 1, 1)
    start = date(year, month, day)
    return start + timedelta(days=(weekday - start.isoweekday()) % 7)


def easter_sunday(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the rule of Meeus, Jones and Butcher)."""
    golden = year % 19
    century, rest = divmod(year, 100)
    leaps, left = divmod(century, 4)
    moon = (19 * golden + century - leaps - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    sunday = (32 + 2 * left + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)
