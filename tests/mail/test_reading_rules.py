"""The reading rules are checked when they are loaded, and every fault is named."""

from pathlib import Path

import pytest

from mailbot.errors import ConfigurationError
from mailbot.gateway.reading_rules import load_reading_patterns
from mailbot.gateway.resources import shipped


def changed(folder: Path, old: str, new: str) -> list[str]:
    text = (shipped("rules") / "reading.toml").read_text(encoding="utf-8")
    assert old in text
    (folder / "reading.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_reading_patterns(folder)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("'välitetty viesti alkaa:'", "'(välitetty'", "lines.forward_mark[5]: is not a regular expression"),
        ("'välitetty viesti alkaa:'", "'(a+)+b'", "lines.forward_mark[5]: repeats a group without bound"),
        ("'välitetty viesti alkaa:'", "'.*a.*b.*c'", "lines.forward_mark[5]: repeats without bound too often"),
        ("'välitetty viesti alkaa:'", "'x?'", "lines.forward_mark[5]: matches nothing at all"),
        ("'välitetty viesti alkaa:'", "'begin forwarded message:'", "lines.forward_mark: the same entry stands twice"),
        ("forward_mark = [", "forward_marks = [", "lines.forward_mark: must be a list of texts"),
        ("forward_mark = [", "forward_marks = [", "lines.forward_marks: unknown key"),
        ("[answers_inside]", "[answer_inside]", "answer_inside: unknown table"),
        ('sent = ["lähetetty"', 'sent = ["från"', "header_names.sent: 'från' stands under from too"),
        ('version = "1"', "version = 1", "version: must be a text"),
        ("[lines]", "[lines", "is not valid TOML"),
    ],
)
def test_a_fault_is_named_with_file_and_key(old: str, new: str, says: str, tmp_path: Path) -> None:
    """The message says which file, which key and what is wrong."""
    problems = changed(tmp_path, old, new)
    assert any(one.startswith("reading.toml: ") and says in one for one in problems), problems


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    """Without the file it is said what to restore."""
    with pytest.raises(ConfigurationError, match="Restore the shipped rules"):
        load_reading_patterns(tmp_path)


def test_the_shipped_rules_load() -> None:
    """Every table is filled and the version is told."""
    patterns = load_reading_patterns(shipped("rules"))
    assert patterns.version
    assert set(patterns.header_names.values()) == {"from", "sent", "to", "cc", "subject", "reply_to", "other"}
