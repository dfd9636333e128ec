"""The file of deadline rules becomes a policy and the holiday rules of its countries.

Every problem of the file is named at once (ConfigurationError). Nothing is decided here: the readings stand in the
file, each with its source, and the reckoning in core.
"""

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from mailbot.core.deadline import DeadlinePolicy, SuspensionCount
from mailbot.core.deadline_words import DATE_FIELDS, SENTENCES, Wording
from mailbot.core.rights import Right
from mailbot.errors import ConfigurationError
from mailbot.gateway.resources import shipped

_WORDS = frozenset({"date", "plain_date", "weekdays", "weekday_names", "months", "extra_holiday", *SENTENCES})
_POLICY = frozenset({"eves_as_holidays", "suspension_count", "extension_reserve_days", "target_days", "act_by"})


@dataclass(frozen=True, kw_only=True)
class HolidayRule:
    """One public holiday of a country: exactly one of `month_day`, `easter` and `weekday_from` is given."""

    names: Mapping[str, str]  # by language, as they stand inside a sentence
    month_day: tuple[int, int] | None = None
    easter: int | None = None  # days from Easter Sunday
    weekday_from: tuple[int, int, int] | None = None  # ISO weekday (1 = Monday), on or after month, day
    eve: bool = False  # a holiday only under `eves_as_holidays`


@dataclass(frozen=True, kw_only=True)
class DeadlineRules:
    """The whole file."""

    policy: DeadlinePolicy
    holidays: Mapping[str, tuple[HolidayRule, ...]]  # by country code
    extra_names: Mapping[str, str]  # by language: what a day off is called that only the configuration knows


@cache
def shipped_rules() -> DeadlineRules:
    """The rules that come with mailbot."""
    return load_rules(shipped("rules") / "deadlines.toml")


def load_rules(path: Path) -> DeadlineRules:
    """The rules of a file. Raises ConfigurationError with every problem found."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ConfigurationError([f"{path} can not be read: {problem.strerror}"]) from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigurationError([f"{path} is not valid TOML: {problem}"]) from problem
    reader = _Reader(path.name)
    reader.known(data, frozenset({"policy", "holidays", "texts"}), "the file")
    texts = reader.table(data, "texts")
    wordings = {language: reader.wording(language, texts[language]) for language in texts}
    reader.need(bool(wordings), "[texts] names no language")
    policy = reader.policy(reader.table(data, "policy"), wordings)
    holidays = {country: reader.holidays(country, days) for country, days in reader.table(data, "holidays").items()}
    if reader.problems:
        raise ConfigurationError(reader.problems)
    names = {language: str(texts[language]["extra_holiday"]) for language in wordings}
    return DeadlineRules(policy=policy, holidays=holidays, extra_names=names)


class _Reader:
    """Reads what it can and collects what is wrong."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[str] = []

    def need(self, holds: bool, problem: str) -> bool:
        if not holds:
            self.problems.append(f"{self.file}: {problem}")
        return holds

    def known(self, table: Mapping[str, Any], names: frozenset[str], where: str) -> None:
        for name in sorted(set(table) - names):
            self.need(False, f"unknown key {name!r} in {where}")

    def table(self, data: Mapping[str, Any], name: str) -> dict[str, Any]:
        value = data.get(name, {})
        return value if self.need(isinstance(value, dict), f"{name} must be a table") else {}

    def whole(self, table: Mapping[str, Any], name: str, default: int) -> int:
        value = table.get(name, default)
        is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 60
        return value if self.need(is_count, f"{name} must be a number from 0 to 60") else default

    def rights(self, names: object) -> list[Right]:
        given = names if isinstance(names, list | dict) else []
        wrong = [name for name in given if name not in set(Right)]
        self.need(not wrong, f"unknown rights: {', '.join(map(str, wrong))}")
        return [Right(name) for name in given if name not in wrong]

    def policy(self, table: Mapping[str, Any], texts: Mapping[str, Wording]) -> DeadlinePolicy:
        self.known(table, _POLICY, "[policy]")
        eves = table.get("eves_as_holidays", False)
        self.need(isinstance(eves, bool), "eves_as_holidays must be true or false")
        count = table.get("suspension_count", SuspensionCount.WHOLE_DAYS)
        counts = ", ".join(SuspensionCount)
        fits = self.need(count in set(SuspensionCount), f"suspension_count must be one of {counts}")
        targets = self.table(table, "target_days")
        act_by = self.table(table, "act_by")
        self.known(act_by, frozenset({"rights", "working_days"}), "[policy.act_by]")
        return DeadlinePolicy(
            texts=texts,
            eves_as_holidays=bool(eves),
            suspension_count=SuspensionCount(count) if fits else SuspensionCount.WHOLE_DAYS,
            extension_reserve_days=self.whole(table, "extension_reserve_days", 1),
            target_days={right: self.whole(targets, right, 5) for right in self.rights(targets)},
            act_by_rights=frozenset(self.rights(act_by.get("rights", []))),
            act_by_working_days=self.whole(act_by, "working_days", 1),
        )

    def wording(self, language: str, table: object) -> Wording:
        where = f"[texts.{language}]"
        words = table if isinstance(table, dict) else {}
        self.known(words, _WORDS, where)
        for name in sorted(_WORDS - set(words)):
            self.need(False, f"{name} is missing in {where}")
        for name, fields in SENTENCES.items():
            found = self.fields(words.get(name, ""), f"{name} in {where}")
            self.need(name not in words or found == fields, f"{name} in {where} must use {sorted(fields)}")
        for name in ("date", "plain_date"):
            unknown = self.fields(words.get(name, ""), f"{name} in {where}") - DATE_FIELDS
            self.need(not unknown, f"{name} in {where} knows no {sorted(unknown)}")
        return Wording(
            language=language,
            date=str(words.get("date", "")),
            plain_date=str(words.get("plain_date", "")),
            weekdays=self.names(words.get("weekdays"), 7, f"weekdays in {where}"),
            weekday_names=self.names(words.get("weekday_names"), 7, f"weekday_names in {where}"),
            months=self.names(words.get("months"), 12, f"months in {where}"),
            sentences={name: str(words.get(name, "")) for name in SENTENCES},
        )

    def fields(self, pattern: object, where: str) -> frozenset[str]:
        """The names in braces of a pattern."""
        try:
            return frozenset(name for _, name, _, _ in string.Formatter().parse(str(pattern)) if name is not None)
        except ValueError as problem:
            self.need(False, f"{where}: {problem}")
            return frozenset()

    def names(self, value: object, count: int, where: str) -> tuple[str, ...]:
        names = value if isinstance(value, list) else []
        self.need(len(names) == count, f"{where} must have {count} names")
        return tuple(str(name) for name in names)

    def holidays(self, country: str, days: object) -> tuple[HolidayRule, ...]:
        rules = days if isinstance(days, list) else []
        self.need(bool(rules), f"holidays.{country} must list days")
        read = [self.holiday(f"holiday {number} of {country}", rule) for number, rule in enumerate(rules, start=1)]
        return tuple(rule for rule in read if rule is not None)

    def holiday(self, where: str, rule: Any) -> HolidayRule | None:
        """One day; None after its problem has been noted."""
        try:
            names = {str(language): str(name) for language, name in rule["names"].items()}
            eve = bool(rule.get("eve", False))
            if "date" in rule:
                return HolidayRule(names=names, eve=eve, month_day=_month_day(rule["date"]))
            if "easter" in rule:
                return HolidayRule(names=names, eve=eve, easter=int(rule["easter"]))
            month, day = _month_day(rule["from"])
            return HolidayRule(names=names, eve=eve, weekday_from=(int(rule["weekday"]), month, day))
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            self.need(False, f"{where} is not readable ({type(problem).__name__}: {problem})")
            return None


def _month_day(text: str) -> tuple[int, int]:
    """Month and day of "12-06"."""
    month, day = (int(part) for part in text.split("-"))
    every_year = date(2023, month, day)  # a ValueError for what is no day of every year
    return every_year.month, every_year.day
