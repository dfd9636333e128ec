"""Reads the rule files of a folder, and an administrator's own beside them, into a `Rulebook`.

Every problem of every file is told at once, with file and line. An override file has the form of a shipped one: a
concept of the same name is extended, a rule of the same name is replaced, and `off = ["name"]` switches rules off.
The version is a hash of everything that was read.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mailbot.core.classify import read_by_rules
from mailbot.core.compile_rules import Problem, compile_language
from mailbot.core.language_words import language_words
from mailbot.core.rulebook import Rulebook, Thresholds
from mailbot.errors import ConfigurationError

COMMON = "common"  # the "language" whose concepts and rules every language has
LANGUAGES = "languages.toml"  # common words of many languages
_KEYS = {"language", "words", "abbreviations", "typos", "negation", "concepts", "rule", "counter", "flag", "off",
         "thresholds"}  # fmt: skip


@dataclass(kw_only=True)
class _Source:
    """One language as it stands in its files, later files on top."""

    texts: list[tuple[Path, str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    abbreviations: list[str] = field(default_factory=list)
    typos: list[str] = field(default_factory=list)
    negation: dict[str, Any] = field(default_factory=dict)
    concepts: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"rule": [], "counter": [], "flag": []})
    thresholds: dict[str, float] = field(default_factory=dict)


def load_rulebook(folder: Path, overrides: Path | None = None) -> Rulebook:
    """The rulebook of the folder's *.toml. Raises ConfigurationError with every problem found."""
    sources: dict[str, _Source] = {}
    problems: list[str] = []
    digest = hashlib.sha256()
    for place in [folder] if overrides is None else [folder, overrides]:
        for path in sorted(place.glob("*.toml")):
            raw = path.read_bytes()
            if b"language" not in raw and place is folder:
                continue
            digest.update(path.name.encode() + b"\0" + raw + b"\0")
            problems += _read_file(path, raw, sources, is_override=place is not folder)
    if not sources and not problems:
        problems.append(f"{folder}: no rule files")
    common = sources.pop(COMMON, _Source())
    languages = {}
    for language, source in sources.items():
        merged = _with_common(source, common)
        languages[language], found = compile_language(
            language,
            concepts=merged.concepts,
            rules=merged.tables["rule"],
            counters=merged.tables["counter"],
            flags=merged.tables["flag"],
            negation=merged.negation,
            abbreviations=merged.abbreviations,
            typos=merged.typos,
        )
        problems += [_placed(problem, merged.texts) for problem in found]
    if problems:
        raise ConfigurationError(list(dict.fromkeys(problems)))
    return Rulebook(
        languages=languages,
        words=language_words(_word_lists(folder / LANGUAGES, sources)),
        version=digest.hexdigest()[:12],
        thresholds=replace(Thresholds(), **common.thresholds),
    )


def check_examples(rulebook: Rulebook) -> list[str]:
    """Every rule's own examples that it does not obey: a `yes` it does not fire in, a `no` it fires in."""
    problems: list[str] = []
    for rules in rulebook.languages.values():
        for rule in (*rules.rules, *rules.counters, *rules.flags):
            for text in (*rule.yes, *rule.no):
                fired = any(item.rule == rule.name for item in read_by_rules(text, rules).evidence)
                if fired != (text in rule.yes):
                    problems.append(f"{rule.name} {'does not fire' if not fired else 'fires'} in its example: {text}")
    return problems


def _read_file(path: Path, raw: bytes, sources: dict[str, _Source], *, is_override: bool) -> list[str]:
    try:
        text = raw.decode("utf-8")
        data = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return [f"{path}: {error}"]
    if "language" not in data:  # the shipped folder also holds other things than rules
        return [f'{path}: a rule file says whose language it holds: language = "fi"'] if is_override else []
    source = sources.setdefault(str(data["language"]), _Source())
    source.texts.append((path, text))
    unknown = sorted(set(data) - _KEYS)
    problems = [f"{path}:{_line(text, key)}: unknown key {key}" for key in unknown]
    source.words += data.get("words", [])
    source.abbreviations += data.get("abbreviations", [])
    source.typos += data.get("typos", [])
    source.negation |= data.get("negation", {})
    source.thresholds |= data.get("thresholds", {})
    for name, patterns in data.get("concepts", {}).items():
        if not isinstance(patterns, list) or not patterns or not all(isinstance(item, str) for item in patterns):
            problems.append(f"{path}:{_line(text, name)}: concept {name} must be a list of words and phrases")
            continue
        source.concepts.setdefault(name, []).extend(patterns)
    off = set(data.get("off", ()))
    for kind, tables in source.tables.items():
        new = data.get(kind, [])
        replaced = {table.get("name") for table in new} if is_override else set()
        tables[:] = [table for table in tables if table.get("name") not in replaced | off] + new
    return problems


def _word_lists(path: Path, sources: Mapping[str, _Source]) -> dict[str, list[str]]:
    """Common words of each language: from the shipped list and from the rule files."""
    lists: dict[str, list[str]] = {}
    if path.is_file():
        lists = {language: list(words) for language, words in tomllib.loads(path.read_text("utf-8"))["words"].items()}
    for language, source in sources.items():
        if source.words:
            lists.setdefault(language, []).extend(source.words)
    return lists


def _with_common(source: _Source, common: _Source) -> _Source:
    concepts = {name: list(patterns) for name, patterns in common.concepts.items()}
    for name, patterns in source.concepts.items():
        concepts.setdefault(name, []).extend(patterns)
    return replace(
        source,
        texts=source.texts + common.texts,
        abbreviations=source.abbreviations + common.abbreviations,
        concepts=concepts,
        tables={kind: common.tables[kind] + tables for kind, tables in source.tables.items()},
    )


def _placed(problem: Problem, texts: list[tuple[Path, str]]) -> str:
    """The problem with the file and line where its text stands."""
    for path, text in texts:
        if line := _line(text, f'"{problem.near}"') or _line(text, problem.near):
            return f"{path}:{line}: {problem.what}"
    return f"{texts[0][0]}: {problem.what}" if texts else problem.what


def _line(text: str, piece: str) -> int:
    """The number of the first line that holds the piece, from 1; 0 when none does."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if piece in line), 0)
