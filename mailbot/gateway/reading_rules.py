"""`reading.toml` becomes `ReadingPatterns`: every entry compiled once, every fault named by file and key, all at once.

A pattern whose group is repeated without bound is refused: such patterns can take more than linear time on a line that
was made for it. Which words are right is the rules' affair, not this file's.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from mailbot.errors import ConfigurationError
from mailbot.mail.patterns import ReadingPatterns

FILE_NAME = "reading.toml"
_UNBOUNDED_GROUP = re.compile(r"(?<!\\)\)(?:[*+]|\{\d*,\})")
_STARS = re.compile(r"(?<!\\)(?:\\\\)*(?:\.|\]|\\\w)(?:[*+]|\{\d*,\})")
_MAX_UNBOUNDED = 2  # unbounded repetitions in one pattern; more can multiply

# field of ReadingPatterns -> (table, key)
_PLACES = {
    "forward_mark": ("lines", "forward_mark"),
    "original_mark": ("lines", "original_mark"),
    "introduction": ("lines", "introduction"),
    "introduction_start": ("lines", "introduction_start"),
    "reply_above": ("lines", "reply_above"),
    "phone_signature": ("lines", "phone_signature"),
    "list_footer": ("lines", "list_footer"),
    "disclaimer": ("fine_print", "disclaimer"),
    "disclaimer_label": ("fine_print", "disclaimer_label"),
    "disclaimer_words": ("fine_print", "disclaimer_words"),
    "personal": ("fine_print", "personal"),
    "form_field": ("fine_print", "form_field"),
    "no_html": ("fine_print", "no_html"),
    "reply_prefix": ("subject", "reply_prefix"),
    "forward_prefix": ("subject", "forward_prefix"),
    "hand_over": ("hand_over", "phrases"),
    "answers_inside": ("answers_inside", "phrases"),
    "auto_subject": ("automatic", "auto_subject"),
    "away_subject": ("automatic", "away_subject"),
    "away_phrase": ("automatic", "away_phrase"),
    "away_filler": ("automatic", "away_filler"),
    "away_never": ("automatic", "away_never"),
    "bounce_subject": ("automatic", "bounce_subject"),
    "machine_sender": ("automatic", "machine_sender"),
    "bounce_sender": ("automatic", "bounce_sender"),
}
_HEADER_KINDS = ("from", "sent", "to", "cc", "subject", "reply_to", "other")


def load_reading_patterns(folder: Path, *, check: bool = True) -> ReadingPatterns:
    """Read `folder/reading.toml`. Raises `ConfigurationError` with every fault, each as "file: key: what is wrong".

    Unless they are to be checked, the entries are not compiled one by one but together, in a third of the time.
    """
    path = folder / FILE_NAME
    data = _read(path)
    problems: list[str] = []
    compiled = {field: _pattern(data, table, key, problems, check=check) for field, (table, key) in _PLACES.items()}
    names = _header_names(data, problems)
    version = data.get("version")
    if not isinstance(version, str) or not version:
        problems.append("version: must be a text that changes with the rules")
    problems += _unknown(data)
    if problems:
        raise ConfigurationError([f"{path.name}: {problem}" for problem in problems])
    return ReadingPatterns(**compiled, header_names=names, version=str(version))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError([f"{path}: can not be read ({error.strerror}). Restore the shipped rules"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{path.name}: is not valid TOML: {error}"]) from error


def _pattern(data: dict[str, Any], table: str, key: str, problems: list[str], *, check: bool) -> re.Pattern[str]:
    entries = _texts(data, table, key, problems)
    for number, entry in enumerate(entries if check else (), 1):
        if fault := _fault(entry):
            problems.append(f"{table}.{key}[{number}]: {fault}: {entry}")
    if problems or not entries:
        return re.compile(r"(?!)")
    return re.compile("|".join(f"(?:{entry})" for entry in entries), re.I)


def _texts(data: dict[str, Any], table: str, key: str, problems: list[str]) -> list[str]:
    section = data.get(table)
    entries = section.get(key) if isinstance(section, dict) else None
    if not isinstance(entries, list) or not entries or not all(isinstance(one, str) and one for one in entries):
        problems.append(f"{table}.{key}: must be a list of texts, none of them empty")
        return []
    if len(set(entries)) != len(entries):
        problems.append(f"{table}.{key}: the same entry stands twice")
    return [str(one) for one in entries]


def _fault(entry: str) -> str:
    try:
        compiled = re.compile(entry, re.I)
    except re.error as error:
        return f"is not a regular expression ({error})"
    if compiled.fullmatch("") is not None:
        return "matches nothing at all, so it would match everywhere"
    if _UNBOUNDED_GROUP.search(entry):
        return "repeats a group without bound, which can take very long; give a bound as in {0,5}"
    if len(_STARS.findall(entry)) > _MAX_UNBOUNDED:
        return "repeats without bound too often, which can take very long; give bounds as in {0,40}"
    return ""


def _header_names(data: dict[str, Any], problems: list[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for kind in _HEADER_KINDS:
        for name in _texts(data, "header_names", kind, problems):
            lowered = name.lower()
            if lowered in names:
                problems.append(f"header_names.{kind}: {name!r} stands under {names[lowered]} too")
            names[lowered] = kind
    return names


def _unknown(data: dict[str, Any]) -> list[str]:
    known = set(_PLACES.values()) | {("header_names", kind) for kind in _HEADER_KINDS}
    tables = {table for table, _ in known}
    found = [f"{table}: unknown table" for table in data if table not in tables and table != "version"]
    for table in tables:
        section = data.get(table)
        if isinstance(section, dict):
            found += [f"{table}.{key}: unknown key" for key in section if (table, key) not in known]
    return found
