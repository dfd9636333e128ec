"""What a notice tells staff to write is what the grammar understands: every example of every language."""

import re
import tomllib
from pathlib import Path

import pytest

from mailbot.core.command import understand
from mailbot.core.command_words import CommandWords
from mailbot.flows.consider import LOOK_FLAGS
from mailbot.gateway.command_rules import load_commands
from mailbot.gateway.resources import shipped

LANGUAGES = ("fi", "sv", "en")
ACTIONS = {
    "approve", "no_data", "ask_identity", "not_a_request", "help", "attach", "facts", "answered_elsewhere",
    "reclassify", "withdrawn",
}  # fmt: skip


@pytest.fixture(scope="module")
def words() -> CommandWords:
    """The shipped words of commands."""
    return load_commands(shipped("rules"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_example_of_a_notice_is_understood(language: str, words: CommandWords) -> None:
    """Each example that a notice may offer is one command, and together they are the ones a notice promises."""
    block = (shipped("templates") / language / "blocks" / "how_to_answer.txt").read_text(encoding="utf-8")
    texts = tomllib.loads((shipped("templates") / language / "words.toml").read_text(encoding="utf-8"))
    by_needs = [re.sub("{{.*?}}", "law", line) for line in re.findall(r"^- (.+)$", block, re.MULTILINE)]
    found = set()
    for line in [*(line for line in by_needs if line != "law"), *texts["staff"]["offers"].values()]:
        said = re.sub(r"\(.*\)", "", line).strip()
        heard = understand(said, ["copy.pdf"] if "(" in line else [], words=words)
        assert len(heard.commands) == 1, (said, heard.unclear)
        found.add(heard.commands[0].action.value)
    assert found == ACTIONS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_advice_of_an_unclear_answer_is_understood(language: str, words: CommandWords) -> None:
    """What the answer to an unclear mail advises to write is a command."""
    path: Path = shipped("templates") / language / "words.toml"
    staff = tomllib.loads(path.read_text(encoding="utf-8"))["staff"]
    advice = re.compile(r"(?:kirjoita|skriv|write):? ([^.]*)", re.IGNORECASE)
    for key, text in staff["unclear"].items():
        if key in ("not_understood", "empty", "no_text"):
            continue
        for said in advice.findall(text):
            first = re.split(r", (?:tai|eller|or) ", said)[0]
            heard = understand(first.strip(), ["copy.pdf"], words=words)
            assert heard.heard or heard.why, (key, first)


@pytest.mark.parametrize("said", ["liite", "liitteenä", "bilaga", "bifogad", "attachment", "attached"])
def test_a_word_about_a_file_attaches_the_file_that_came_with_it(said: str, words: CommandWords) -> None:
    """One word and a file attach it; the word without a file does nothing."""
    heard = understand(said, ["copy.pdf"], words=words)
    assert [(item.action.value, item.args) for item in heard.commands] == [("attach", {"names": ["copy.pdf"]})]
    assert understand(said, [], words=words).commands == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_flag_that_asks_for_a_person_has_its_words(language: str) -> None:
    """A notice can say in words why a person has to look."""
    staff = tomllib.loads((shipped("templates") / language / "words.toml").read_text(encoding="utf-8"))["staff"]
    assert staff["flags"].keys() >= LOOK_FLAGS
