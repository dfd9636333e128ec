"""Every text as it stands, word for word, in one file a profile and language: for proof-reading and against slips.

After a wanted change write them anew: `MAILBOT_GOLDEN=write python -m pytest tests/test_templates_golden.py`, then read
the difference.
"""

import os
from pathlib import Path

import pytest

from mailbot.core.controller import LANGUAGES
from mailbot.gateway.profiles import load_profile
from mailbot.gateway.resources import shipped
from mailbot.gateway.template_preview import preview
from mailbot.gateway.templates import Renderer

GOLDEN = Path(__file__).parent / "golden"
RENDERER = Renderer([shipped("templates")])
LINE = "#" * 72


def _pages(profile: str) -> dict[str, str]:
    """Language to all of its texts; bilingual ones are the two others put together and are left out."""
    pages = dict.fromkeys(LANGUAGES, "")
    for entry in preview(RENDERER, load_profile(profile, shipped("rules"))):
        if not str(entry["template"]).endswith("+fi"):
            head = f"{LINE}\n# {entry['template']}\n# {entry['subject']}\n{LINE}\n"
            pages[str(entry["language"])] += f"{head}\n{entry['text']}\n"
    return pages


@pytest.mark.parametrize("profile", ["jalo-it", "ilaakso-it"])
def test_texts_are_as_they_were_proof_read(profile: str) -> None:
    """Each text equals the one that was read and found right."""
    for language, page in _pages(profile).items():
        path = GOLDEN / f"{profile}.{language}.txt"
        if os.environ.get("MAILBOT_GOLDEN") == "write":
            path.write_text(page, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == page, f"{path.name} differs"
