"""The shipped reading rules, and a way to name a fixture."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mailbot.gateway.reading_rules import load_reading_patterns
from mailbot.gateway.resources import shipped
from mailbot.mail.patterns import ReadingPatterns

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def patterns() -> ReadingPatterns:
    """The patterns of the shipped `rules/reading.toml`."""
    return load_reading_patterns(shipped("rules"))


@pytest.fixture
def fixture_bytes() -> Callable[[str], bytes]:
    """The bytes of a mail in `fixtures/`, by its name without ".eml"."""
    return lambda name: (FIXTURES / f"{name}.eml").read_bytes()
