"""Reads the rule files of a folder, and an administrator's own beside them, into a `Rulebook`.

Every problem of every file is told at once, with file and line. An override file has the form of a shipped one: a
concept of the same name is extended, a rule of the same name is replaced, and `off = ["name"]` switches rules off.
The version is a hash of everything that was read.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mailbot.core.classify import read_by_rules
from mailbot.core.compile_rules import Problem, compile_language
from mailbot.core.language_words import language_words
from mailbot.core.rulebook import LanguageRules, Rulebook, Thresholds
from mailbot.errors import ConfigurationError

COMMON = "common"  # the "language" whose concepts and rules every language has
LANGUAGES = "languages.toml"  # common words of many languages
_LANGUAGE = re.compile(rb"^language = \"([a-z]+)\"$", re.M)
_KEYS = {"language", "words", "abbreviations", "typos", "negation", "concepts", "rule", "counter", "flag", "off",
         "thresholds"}  # fmt: skip


@dataclass(kw_only=True)
class _Source:
    """One language as it stands in its files, later files on top."""

    texts: list[tuple[Path, str]] = field(default_factory=list)
    abbreviations: list[str] = field(default_factory=list)
    typos: list[str] = field(default_factory=list)
    negation: dict[str, Any] = field(default_factory=dict)
    concepts: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"rule": [], "counter": [], "flag": []})
    thresholds: dict[str, float] = field(default_factory=dict)


def load_rulebook(folder: Path, overrides: Path | None = None, *, whole: bool = True) -> Rulebook:
    """The rulebook of the folder's *.toml. Raises ConfigurationError with every problem found.

    Unless it is wanted whole, the rules of a language are compiled when they are first asked for: most rounds meet one.
    """
    files = _files_of(folder) + (_files_of(overrides, own=True) if overrides else [])
    problems = [problem for file in files for problem in file.problems]
    if not files:
        problems.append(f"{folder}: no rule files")
    languages = _Languages(files)
    if whole:
        problems += languages.compile_all()
    if problems:
        raise ConfigurationError(list(dict.fromkeys(problems)))
    return Rulebook(
        languages=languages,
        words=language_words(_word_lists(folder / LANGUAGES, files)),
        version=_version(files),
        thresholds=replace(Thresholds(), **languages.common.thresholds),
    )


@dataclass(frozen=True, kw_only=True)
class _File:
    """One rule file. It is parsed when its language is asked for."""

    path: Path
    raw: bytes
    own: bool  # an administrator's, not shipped
    language: str
    problems: tuple[str, ...] = ()

    @cached_property
    def text(self) -> str:
        return self.raw.decode("utf-8")

    @cached_property
    def data(self) -> dict[str, Any]:
        return tomllib.loads(self.text)


def _files_of(folder: Path, *, own: bool = False) -> list[_File]:
    """The rule files of a folder; the shipped one also holds other things than rules."""
    found = [_file(path, own=own) for path in sorted(folder.glob("*.toml"))]
    return [file for file in found if file.language or file.problems]


def _file(path: Path, *, own: bool) -> _File:
    raw = path.read_bytes()
    language, problem = "", ""
    if told := _LANGUAGE.search(raw):
        language = told[1].decode()
    elif own or b"language" in raw:
        try:
            language = str(tomllib.loads(raw.decode("utf-8")).get("language", ""))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            problem = f"{path}: {error}"
        if own and not language and not problem:
            problem = f'{path}: a rule file says whose language it holds: language = "fi"'
    return _File(path=path, raw=raw, own=own, language=language, problems=(problem,) if problem else ())


def _version(files: Sequence[_File]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.path.name.encode() + b"\0" + file.raw + b"\0")
    return digest.hexdigest()[:12]


class _Languages(Mapping[str, LanguageRules]):
    """The rules of each language, compiled once."""

    def __init__(self, files: Sequence[_File]) -> None:
        self._files = files
        self._names = tuple(dict.fromkeys(file.language for file in files if file.language not in (COMMON, "")))
        self._made: dict[str, LanguageRules] = {}

    @cached_property
    def common(self) -> _Source:
        """What every language has."""
        return self._source(COMMON)[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, language: str) -> LanguageRules:
        if language not in self._names:
            raise KeyError(language)
        if language not in self._made and (problems := self._compile(language)):
            raise ConfigurationError(problems)
        return self._made[language]

    def compile_all(self) -> list[str]:
        """Compiles every language; what is wrong with them."""
        return [
            *self._source(COMMON)[1],
            *(problem for language in self._names for problem in self._compile(language)),
        ]

    def _compile(self, language: str) -> list[str]:
        source, problems = self._source(language)
        merged = _with_common(source, self.common)
        self._made[language], found = compile_language(
            language,
            concepts=merged.concepts,
            rules=merged.tables["rule"],
            counters=merged.tables["counter"],
            flags=merged.tables["flag"],
            negation=merged.negation,
            abbreviations=merged.abbreviations,
            typos=merged.typos,
        )
        return problems + [_placed(problem, merged.texts) for problem in found]

    def _source(self, language: str) -> tuple[_Source, list[str]]:
        """All files of a language as one, later ones on top."""
        source, problems = _Source(), list[str]()
        for file in self._files:
            if file.language == language:
                problems += _add_file(file, source)
        return source, problems


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


def _add_file(file: _File, source: _Source) -> list[str]:
    try:
        path, text, data = file.path, file.text, file.data
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return [f"{file.path}: {error}"]
    source.texts.append((path, text))
    unknown = sorted(set(data) - _KEYS)
    problems = [f"{path}:{_line(text, key)}: unknown key {key}" for key in unknown]
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
        replaced = {table.get("name") for table in new} if file.own else set()
        tables[:] = [table for table in tables if table.get("name") not in replaced | off] + new
    return problems


def _word_lists(path: Path, files: Sequence[_File]) -> dict[str, list[str]]:
    """Common words of each language: from the shipped list and from an administrator's own files."""
    lists: dict[str, list[str]] = {}
    if path.is_file():
        lists = {language: list(words) for language, words in tomllib.loads(path.read_text("utf-8"))["words"].items()}
    for file in files:
        if file.own:
            lists.setdefault(file.language, []).extend(file.data.get("words", []))
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
