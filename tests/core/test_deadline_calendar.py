"""Working days of Finland and of other countries, and the file of deadline rules."""

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import holidays
import pytest

from mailbot.core.deadline import SuspensionCount
from mailbot.core.rights import Right
from mailbot.core.working_days import days_after, days_before, on_or_after, on_or_before
from mailbot.errors import ConfigurationError
from mailbot.gateway.deadline_rules import load_rules, shipped_rules
from mailbot.gateway.resources import shipped
from mailbot.gateway.working_days import WorkingDays, easter_sunday

RULES = shipped("rules") / "deadlines.toml"


def days_of(first: int, last: int) -> list[date]:
    start = date(first, 1, 1)
    return [start + timedelta(days=n) for n in range((date(last, 12, 31) - start).days + 1)]


def test_finland_agrees_with_the_library_but_for_the_eves() -> None:
    """From 2019 to 2060 our Finnish holidays are the library's without the two eves, and with them if so chosen."""
    library = holidays.country_holidays("FI", years=range(2019, 2061), language="fi")
    eves = {day for day, name in library.items() if name in {"Jouluaatto", "Juhannusaatto"}}
    assert len(eves) == 2 * 42
    plain, with_eves = WorkingDays("FI", eves_as_holidays=False), WorkingDays("FI", eves_as_holidays=True)
    every_day = days_of(2019, 2060)
    assert {day for day in every_day if plain.name(day, "fi")} == set(library) - eves
    assert {day for day in every_day if with_eves.name(day, "fi")} == set(library)


def test_eves_are_working_days() -> None:
    """Christmas Eve and Midsummer Eve are working days unless the policy says otherwise (policy P2)."""
    christmas, midsummer = date(2026, 12, 24), date(2026, 6, 19)
    assert all(WorkingDays("FI").is_working_day(day) for day in (christmas, midsummer))
    assert not any(WorkingDays("FI", eves_as_holidays=True).is_working_day(day) for day in (christmas, midsummer))


def test_aland_day_is_a_working_day() -> None:
    """9 June is a working day (policy P3), and a Finnish region has no calendar of its own."""
    assert WorkingDays("FI").is_working_day(date(2026, 6, 9))
    with pytest.raises(ConfigurationError, match="Use 'FI'"):
        WorkingDays("FI-01")


def test_weekends_are_never_working_days() -> None:
    """No Saturday and no Sunday is a working day, in any calendar."""
    for country in ("FI", "SE"):
        calendar = WorkingDays(country)
        assert not any(calendar.is_working_day(day) for day in days_of(2026, 2026) if day.weekday() >= 5)


def test_holiday_names_in_three_languages() -> None:
    """A holiday is named in the language asked, an ordinary day not at all."""
    calendar = WorkingDays("FI")
    assert calendar.name(date(2026, 12, 6), "fi") == "itsenäisyyspäivä"
    assert calendar.name(date(2026, 12, 6), "sv") == "självständighetsdagen"
    assert calendar.name(date(2026, 12, 6), "en") == "Independence Day"
    assert calendar.name(date(2026, 12, 7), "fi") is None


def test_extra_days_off() -> None:
    """A day off that the configuration adds is no working day and has a name."""
    calendar = WorkingDays("FI", extra=[date(2026, 12, 7)])
    assert not calendar.is_working_day(date(2026, 12, 7))
    assert calendar.name(date(2026, 12, 7), "fi") == "vapaapäivä"


def test_other_countries() -> None:
    """Another country or one of its regions follows the library, in English where it has English names."""
    assert not WorkingDays("SE").is_working_day(date(2025, 6, 6))
    assert WorkingDays("SE").name(date(2025, 6, 6), "sv") == "Nationaldagen"
    assert not WorkingDays("DE-BY").is_working_day(date(2025, 6, 19))
    assert WorkingDays("DE-BE").is_working_day(date(2025, 6, 19))
    assert WorkingDays("DE").name(date(2025, 10, 3), "en") == "German Unity Day"
    assert WorkingDays("DE").name(date(2025, 10, 3), "fi")


@pytest.mark.parametrize("country", ["XX", "", "Finland", "DE-XX", "FI-01", "../FI"])
def test_unknown_country(country: str) -> None:
    """An unknown country or region is one line with its cure."""
    with pytest.raises(ConfigurationError) as caught:
        WorkingDays(country)
    assert len(caught.value.problems) == 1
    assert "Use " in str(caught.value)


def test_finland_needs_no_library() -> None:
    """A Finnish deadline is reckoned without loading the library of other countries, which is slow to load."""
    code = (
        "import sys, datetime; from mailbot.gateway.working_days import WorkingDays;"
        "WorkingDays('FI').is_working_day(datetime.date(2026, 11, 3)); print('holidays' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "False"


def test_easter_of_known_years() -> None:
    """The rule of Easter gives the earliest, the latest and ordinary Easters of the printed tables."""
    known = ["1818-03-22", "1943-04-25", "2008-03-23", "2024-03-31", "2025-04-20", "2038-04-25", "2049-04-18"]
    assert [easter_sunday(int(day[:4])).isoformat() for day in known] == known


def test_steps_over_working_days() -> None:
    """Steps pass over weekends and holidays; a working day itself counts as reached."""
    calendar = WorkingDays("FI")
    friday, monday, tuesday = date(2026, 12, 4), date(2026, 12, 7), date(2026, 12, 8)
    sunday = date(2026, 12, 6)
    assert (on_or_after(sunday, calendar), on_or_before(sunday, calendar)) == (monday, friday)
    assert (on_or_after(friday, calendar), on_or_before(friday, calendar)) == (friday, friday)
    assert (days_after(friday, 2, calendar), days_before(tuesday, 2, calendar)) == (tuesday, friday)
    assert days_before(date(2026, 12, 28), 1, calendar) == date(2026, 12, 24)
    assert days_after(sunday, 0, calendar) == sunday


def test_shipped_rules_say_what_the_policies_say() -> None:
    """The shipped file holds the readings of policies P2, P4, P8, P9 and P10, and three languages."""
    policy = shipped_rules().policy
    assert policy.eves_as_holidays is False
    assert policy.suspension_count is SuspensionCount.WHOLE_DAYS
    assert policy.target_days == {Right.RECTIFICATION: 5, Right.REGISTER_DESCRIPTION: 5}
    assert policy.act_by_rights == {Right.RESTRICTION, Right.OBJECTION, Right.CONSENT_WITHDRAWAL}
    assert set(policy.texts) == {"fi", "sv", "en"}


def test_every_holiday_and_policy_names_its_source() -> None:
    """Each holiday of the file carries its source, and each policy a comment with an article or a policy number."""
    text = RULES.read_text(encoding="utf-8")
    assert text.count("source = ") == text.count("[[holidays.FI]]") == 15
    for policy in ("eves_as_holidays", "suspension_count", "extension_reserve_days", "[policy.target_days]"):
        comment = text[: text.index(f"\n{policy}")].rsplit("\n\n", 1)[-1]
        assert "GDPR" in comment or "EDPB" in comment or "Reg." in comment


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("eves_as_holidays = false", 'eves_as_holidays = "no"', "true or false"),
        ("eves_as_holidays = false", "eve_as_holiday = false", "unknown key 'eve_as_holiday'"),
        ('"whole_days"\n', '"half_days"\n', "whole_days, day_difference"),
        ("rectification = 5", "rectifying = 5", "unknown rights: rectifying"),
        ("rectification = 5", "rectification = -1", "from 0 to 60"),
        ('["restriction", ', '["restricting", ', "unknown rights: restricting"),
        ('date = "12-06"', 'date = "13-06"', "not readable"),
        ('date = "12-06"', 'date = "02-29"', "not readable"),
        ("easter = 39", 'easter = "soon"', "not readable"),
        ('received = "Saapui {received}."', 'received = "Saapui {when}."', "must use ['received']"),
        ('received = "Saapui {received}."', 'received = "Saapui {received."', "[texts.fi]"),
        ('received = "Saapui {received}."\n', "", "received is missing"),
        ('weekdays = ["ma", ', "weekdays = [", "must have 7 names"),
        ('date = "{weekday} {day}.', 'date = "{viikonpäivä} {day}.', "knows no"),
    ],
)
def test_wrong_rules_are_named(tmp_path: Path, old: str, new: str, word: str) -> None:
    """A mistake in the file is named, with the name of the file."""
    text = RULES.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_rules(path)
    assert word in str(caught.value)
    assert all(problem.startswith("mine.toml: ") for problem in caught.value.problems)


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    """Several mistakes are all named at once."""
    text = RULES.read_text(encoding="utf-8")
    text = text.replace("rectification = 5", "rectifying = 5").replace("as_holidays = false", "as_holidays = 3")
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_rules(path)
    assert len(caught.value.problems) == 2


def test_unreadable_rules(tmp_path: Path) -> None:
    """A missing file, broken TOML and bytes that are no text are each one clear line."""
    with pytest.raises(ConfigurationError, match="can not be read"):
        load_rules(tmp_path / "missing.toml")
    path = tmp_path / "broken.toml"
    for content in (b"[policy", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match="not valid TOML"):
            load_rules(path)
