"""Rule files: what loads, what is refused with file and line, and what an administrator may change."""

from pathlib import Path

import pytest

from mailbot.core.classify import read_by_rules
from mailbot.core.rights import Right
from mailbot.errors import ConfigurationError
from mailbot.gateway.resources import shipped
from mailbot.gateway.rulebook import check_examples, load_rulebook

HEAD = 'language = "fi"\n[concepts]\nerase = ["poista*"]\nmine = ["tietoni"]\n'
RULE = '[[rule]]\nname = "a"\nright = "erasure"\nweight = 0.9\nwhen = ["<erase>", "<mine>"]\n'


def folder_of(tmp_path: Path, text: str, name: str = "fi.toml") -> Path:
    """A folder with one rule file."""
    folder = tmp_path / name.removesuffix(".toml")
    folder.mkdir()
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def problem_of(tmp_path: Path, text: str) -> str:
    """What the loader says against the file."""
    with pytest.raises(ConfigurationError) as caught:
        load_rulebook(folder_of(tmp_path, text))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (HEAD + RULE + RULE, 6, "two rules are called fi.a"),
        (HEAD + RULE.replace("<mine>", "<yours>"), 9, "concept yours is not defined"),
        (HEAD.replace('"tietoni"', '"Tietoni"') + RULE, 4, "small letters"),
        (HEAD.replace('"tietoni"', '"tiettto"') + RULE, 4, "more than twice"),
        (HEAD.replace('"tietoni"', '"a*b*c*d*e"') + RULE, 4, "at most 3 stars"),
        (HEAD.replace('"tietoni"', '"*"') + RULE, 4, "needs letters"),
        (HEAD.replace('"tietoni"', '"tieto+"') + RULE, 4, "only letters"),
        (HEAD.replace('"tietoni"', '"tietoni", "!tieto*"') + RULE, 4, "an exception covers it"),
        (HEAD.replace('"tietoni"', '"<mine>"') + RULE, 4, "refers to itself"),
        (HEAD + RULE.replace('"<mine>"]', '"<mine>"]\nunless = ["<mine>"]'), 6, "forbids what it needs"),
        (HEAD + RULE.replace("0.9", "1.5"), 6, "between 0 and 1"),
        (HEAD + RULE.replace("erasure", "oblivion"), 6, "right must be one of"),
        (HEAD + RULE + "near = 0\nwhat = 1\n", 6, "unknown key what"),
        (HEAD + RULE.replace('"<mine>"', '"..3 tietoni"'), 9, "a word at its beginning"),
        (HEAD + "colour = 1\n" + RULE, 5, "must be a list"),
        ("colour = 1\n" + HEAD + RULE, 1, "unknown key colour"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path, text: str, line: int, why: str) -> None:
    """A rule that can never fire, a doubled name or a costly pattern stops the load and says where it stands."""
    told = problem_of(tmp_path, text)
    assert f"fi.toml:{line}: " in told
    assert why in told


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    """Two faults are two lines, not one after the other on two runs."""
    told = problem_of(tmp_path, HEAD + RULE.replace("0.9", "2") + RULE.replace('"a"', '"b"').replace("erasure", "x"))
    assert len(told.splitlines()) == 2


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    """A syntax error names the file."""
    assert "fi.toml" in problem_of(tmp_path, "language = ")


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    """A mailbot without rules would call everything not a request."""
    with pytest.raises(ConfigurationError, match="no rule files"):
        load_rulebook(tmp_path)


def test_overrides_replace_extend_and_switch_off(tmp_path: Path) -> None:
    """Beside the configuration a rule of the same name is replaced, a concept extended, a rule switched off."""
    base = folder_of(tmp_path, HEAD + RULE + RULE.replace('"a"', '"b"').replace('when = ["<erase>", ', "when = ["))
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.toml").write_text(
        'language = "fi"\noff = ["b"]\n[concepts]\nerase = ["raderaa"]\n' + RULE.replace("0.9", "0.5"), encoding="utf-8"
    )
    shipped_book, changed = load_rulebook(base), load_rulebook(base, own)
    assert changed.version != shipped_book.version
    rules = changed.languages["fi"]
    assert [rule.name for rule in rules.rules] == ["fi.a"]
    assert read_by_rules("raderaa tietoni", rules).scores == {Right.ERASURE: pytest.approx(0.5)}


def test_an_override_says_whose_language_it_holds(tmp_path: Path) -> None:
    """A file without its language would silently do nothing, so it is an error."""
    base = folder_of(tmp_path, HEAD + RULE)
    own = folder_of(tmp_path, '[concepts]\nerase = ["raderaa"]\n', "own.toml")
    with pytest.raises(ConfigurationError, match="whose language"):
        load_rulebook(base, own)


def test_the_version_is_a_hash_of_the_contents(tmp_path: Path) -> None:
    """The same files give the same version, one changed letter another."""
    base = folder_of(tmp_path, HEAD + RULE)
    first = load_rulebook(base).version
    assert load_rulebook(base).version == first
    (base / "fi.toml").write_text(HEAD + RULE.replace("0.9", "0.8"), encoding="utf-8")
    assert load_rulebook(base).version != first


def test_the_shipped_rules_obey_their_own_examples() -> None:
    """Every `yes` of every shipped rule fires it and no `no` does."""
    assert check_examples(load_rulebook(shipped("rules"))) == []
