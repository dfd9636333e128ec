"""Profiles: what the two organisations have said in public, checked whole, with every problem told at once."""

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mailbot.core.controller import LANGUAGES, CountedFrom, Wording, kept_until
from mailbot.errors import ConfigurationError
from mailbot.gateway.profiles import load_profile, profile_names
from mailbot.gateway.resources import shipped

RULES = shipped("rules")
PROFILES = ("ilaakso-it", "jalo-it")
TELEPHONE = re.compile(r"(?<!\d)(?:\+358|0\d{2,3}[ -]\d)")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


def _broken(tmp_path: Path, text: str) -> list[str]:
    """The problems of a profile made of `text`, without the path before them."""
    (tmp_path / "authority.toml").write_text((RULES / "authority.toml").read_text(encoding="utf-8"), encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_profile(str(path), tmp_path)
    assert all(str(tmp_path) in problem for problem in caught.value.problems)
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


def _jalo() -> str:
    return (RULES / "controllers" / "jalo-it.toml").read_text(encoding="utf-8")


def test_the_two_profiles_are_shipped() -> None:
    """Both organisations have a profile that passes its own check."""
    assert profile_names(RULES) == PROFILES
    for name in PROFILES:
        controller = load_profile(name, RULES)
        assert controller.name == name
        assert controller.country == "FI"
        assert controller.timezone == "Europe/Helsinki"
        assert controller.language == "fi"


def test_jalo_says_what_its_notice_says() -> None:
    """Jalo IT keeps a customer register for three years after the last event, and three web tools."""
    jalo = load_profile("jalo-it", RULES)
    assert (jalo.organisation.name, jalo.reference_prefix) == ("Jalo IT Oy", "JALO")
    assert jalo.notice_on == date(2020, 5, 4)
    crm, web = jalo.registers
    assert crm.retention[0].years == 3
    assert crm.retention[0].counted_from is CountedFrom.LAST_ACTIVITY
    assert [system.id for system in web.systems] == ["google-analytics", "leadfeeder", "hubspot"]


def test_ilaakso_says_what_its_notice_says() -> None:
    """iLaakso keeps accounting, service, web shop, website, applications and staff; accounting is bound by law."""
    ilaakso = load_profile("ilaakso-it", RULES)
    assert ilaakso.organisation.email == "myynti@ilaakso.fi"
    assert [register.id for register in ilaakso.registers] == [
        "accounting", "service", "web-shop", "website", "applications", "staff",
    ]  # fmt: skip
    bound = [register.id for register in ilaakso.registers if any(rule.law for rule in register.retention)]
    assert bound == ["accounting"]
    assert [register.id for register in ilaakso.usual_registers()] == ["accounting", "service", "web-shop", "website"]


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_names_no_person(name: str) -> None:
    """No telephone number and no mailbox but the role address stands in a shipped profile."""
    text = (RULES / "controllers" / f"{name}.toml").read_text(encoding="utf-8")
    assert not TELEPHONE.search(text)
    assert set(ADDRESS.findall(text)) <= {"myynti@ilaakso.fi"}


@pytest.mark.parametrize("name", PROFILES)
def test_what_the_notice_lacks_is_a_gap(name: str) -> None:
    """Each profile owns up to what Article 13 asks and the notice does not tell."""
    controller = load_profile(name, RULES)
    articles = {gap.article for gap in controller.gaps}
    assert {"GDPR 13(1)(c)", "GDPR 13(1)(f)", "GDPR 13(2)(b)", "GDPR 13(2)(f)"} <= articles
    assert controller.automated_decisions is None
    assert controller.backups is None
    for register in controller.registers:
        if register.transfers is None:
            assert any(gap.article == "GDPR 13(1)(f)" and gap.register in ("", register.id) for gap in controller.gaps)
        if any(not purpose.basis for purpose in register.purposes):
            assert any(gap.article == "GDPR 13(1)(c)" and gap.register in ("", register.id) for gap in controller.gaps)


@pytest.mark.parametrize("name", PROFILES)
def test_every_wording_is_said_in_three_ways(name: str) -> None:
    """No wording of a profile is the same text in two languages, but for names of products."""
    data = tomllib.loads((RULES / "controllers" / f"{name}.toml").read_text(encoding="utf-8"))
    for wording in _wordings(data):
        if len(wording["en"]) > 20:
            assert len({wording[language] for language in LANGUAGES}) == 3, wording


def _wordings(data: Any) -> list[dict[str, str]]:
    if isinstance(data, list):
        return [found for item in data for found in _wordings(item)]
    if not isinstance(data, dict):
        return []
    own = [data] if set(data) == set(LANGUAGES) else []
    return own + [found for value in data.values() for found in _wordings(value)]


def test_the_authority_is_named_in_each_language() -> None:
    """The supervisory authority has its contact block in Finnish, Swedish and English; others get the English one."""
    jalo = load_profile("jalo-it", RULES)
    assert jalo.authority("fi").name == "Tietosuojavaltuutetun toimisto"
    assert jalo.authority("sv").name == "Dataombudsmannens byrå"
    assert jalo.authority("en").name == "Office of the Data Protection Ombudsman"
    assert jalo.authority("de") == jalo.authority("en")


def test_a_wording_falls_back_to_english() -> None:
    """A language that is not ours reads English."""
    assert Wording(fi="talo", sv="hus", en="house").of("fr") == "house"


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """A profile with five mistakes gives five lines, each with its key and a cure."""
    text = (
        _jalo()
        .replace('reference_prefix = "JALO"', 'reference_prefix = "jalo!"')
        .replace('timezone = "Europe/Helsinki"', 'timezone = "Europe/Helsingfors"')
        .replace('name = "Jalo IT Oy"', 'name = "Jalo IT Oy"\nphone = "1"')
        .replace('name.sv = "kundregistret"\n', "")
        .replace("years = 3\n", "")
    )
    problems = _broken(tmp_path, text)
    assert len(problems) == 5
    assert any(line.startswith("reference_prefix:") for line in problems)
    assert any("write it like Europe/Helsinki" in line for line in problems)
    assert any(line.startswith("organisation.phone:") and "no such key" in line for line in problems)
    assert any(line.startswith("registers.crm.name.sv:") and "Add it." in line for line in problems)
    assert any(line.startswith("registers.crm.retention.1:") and "belong together" in line for line in problems)


def test_what_only_the_whole_profile_tells_is_checked(tmp_path: Path) -> None:
    """Two registers of one id, a gap of an unknown register, and an unknown law are found."""
    text = (
        _jalo()
        .replace('id = "web"', 'id = "crm"')
        .replace("years = 3\n", 'law = "magna-carta"\nyears = 3\n')
    )
    problems = _broken(tmp_path, text)
    assert any("two have the id 'crm'" in line for line in problems)
    assert any("no register 'web'" in line for line in problems)
    assert any("no law 'magna-carta'" in line and "vouchers" in line for line in problems)


def test_a_country_without_authority_is_refused(tmp_path: Path) -> None:
    """A profile of a country that authority.toml does not know can not be used."""
    problems = _broken(tmp_path, _jalo().replace('country = "FI"', 'country = "XX"'))
    assert len(problems) == 1
    assert "has no country 'XX'" in problems[0]


def test_no_toml_and_no_file_are_one_line_each(tmp_path: Path) -> None:
    """A file that is no TOML, and a name that is no profile, each give one clear line."""
    assert "is not valid TOML" in _broken(tmp_path, "version = ")[0]
    with pytest.raises(ConfigurationError, match=r"no such file.*ilaakso-it, jalo-it"):
        load_profile("nobody", RULES)


@pytest.mark.parametrize(
    ("year_end", "years", "last_day"),
    [
        (date(2024, 3, 31), 6, date(2030, 12, 31)),
        (date(2024, 3, 31), 10, date(2034, 3, 31)),
        (date(2025, 12, 31), 6, date(2031, 12, 31)),
        (date(2025, 12, 31), 10, date(2035, 12, 31)),
        (date(2024, 2, 29), 10, date(2034, 2, 28)),
    ],
)
def test_keeping_ends_as_the_accounting_act_says(year_end: date, years: int, last_day: date) -> None:
    """Six years run from the end of the calendar year, ten from the end of the financial year (law 10)."""
    assert kept_until(year_end, years) == last_day


def test_the_rule_of_counting_can_be_given() -> None:
    """A law that counts otherwise says so."""
    assert kept_until(date(2024, 3, 31), 6, CountedFrom.FINANCIAL_YEAR_END) == date(2030, 3, 31)
    assert kept_until(date(2024, 3, 31), 10, CountedFrom.CALENDAR_YEAR_END) == date(2034, 12, 31)
