"""A controller writes its own profile, guided by questions; nothing is invented."""

from datetime import date
from pathlib import Path

import pytest

from mailbot.cli.profile_questions import write_profile
from mailbot.errors import BadInputError, ConfigurationError
from mailbot.gateway.profiles import load_profile
from mailbot.gateway.resources import shipped
from mailbot.gateway.template_preview import preview
from mailbot.gateway.templates import Renderer

TODAY = date(2026, 11, 22)


def _answers(given: dict[str, str]):  # type: ignore[no-untyped-def]
    def ask(question: str, default: str) -> str:
        return next((answer for part, answer in given.items() if part in question), default)

    return ask


def test_answers_become_a_profile_that_fills_every_text(tmp_path: Path) -> None:
    """A profile written from answers loads, and every text can be written with it."""
    path = tmp_path / "pilvi.toml"
    given = {
        "Name of the organisation": 'Pilvi & "Poika" Oy',
        "Register 1": "asiakasrekisteri",
        "Whose data": "asiakkaat",
        "Which data": "nimi ja osoite",
        "come from": "asiakkaalta itseltään",
        "used for": "tilausten toimittaminen",
        "legal basis": "sopimus",
        "How long": "kolme vuotta",
        "which system": "tilausjärjestelmä",
        "role address": "tietosuoja@pilvi.example",
    }
    missing = write_profile(path, _answers(given), TODAY)
    controller = load_profile(str(path), shipped("rules"))
    assert controller.organisation.name == 'Pilvi & "Poika" Oy'
    assert controller.reference_prefix == "PILVI"
    assert controller.registers[0].name.fi == "asiakasrekisteri"
    assert {line.split(":")[0] for line in missing} == {"GDPR 13(1)(e)", "GDPR 13(1)(f)", "GDPR 13(2)(f)"}
    assert len(preview(Renderer([shipped("templates")]), controller)) > 300


def test_empty_answers_become_gaps_and_no_words(tmp_path: Path) -> None:
    """What nobody said is named with the article that asks for it."""
    path = tmp_path / "tyhja.toml"
    missing = write_profile(path, _answers({"Name of the organisation": "Tyhjä Oy"}), TODAY)
    articles = {line.split(":")[0] for line in missing}
    assert {"GDPR 13(1)(a)", "GDPR 13(1)(c)", "GDPR 13(2)(a)", "GDPR 14(1)(d)", "GDPR 14(2)(f)"} <= articles


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    """The second time nothing is asked and nothing changed."""
    path = tmp_path / "x.toml"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(BadInputError, match="there already"):
        write_profile(path, _answers({}), TODAY)
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_wrong_answer_is_told_and_the_answers_are_kept(tmp_path: Path) -> None:
    """An unknown country names the key; what was written stays as a draft."""
    path = tmp_path / "x.toml"
    given = {"Name of the organisation": "Väärä Oy", "Country": "Suomi"}
    with pytest.raises(ConfigurationError, match="country"):
        write_profile(path, _answers(given), TODAY)
    assert not path.exists()
    assert "Väärä Oy" in (tmp_path / "x.draft.toml").read_text(encoding="utf-8")
