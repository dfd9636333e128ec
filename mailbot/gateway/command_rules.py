"""Reads rules/commands.toml into the words of staff commands.

Every mistake of the file is told at once, with its section. The file can extend the words, never the rule that an
approval holds nothing but known words.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mailbot.core.command_values import SAID, TURNED_DOWN, Action
from mailbot.core.command_words import (
    LANGUAGES,
    CommandWords,
    Furniture,
    Lexicon,
    Phrase,
    Spelling,
    Tongue,
    WordSet,
    fold,
    fold_word,
)
from mailbot.core.rights import Ground, Right
from mailbot.errors import ConfigurationError

FILE = "commands.toml"
_DOUBTS = frozenset({"negation", "condition", "contrast", "time", "hedge", "question", "fault"})
_COMMON_WORDS = """
fillers harmless openers imperatives consents not_sendable sign_offs weak_sign_offs footers quote_ends
quote_marks from_headers other_headers
disclaimer signature opening_days opening_words messages secret intended alone greetings systems no_names
signature_files misspelt not_misspelt negative_signs between conjunctions turns request_words
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_LANGUAGE_WORDS = """
fillers harmless questions done told whom looked papers past
open_lines open_words open_keys reasons what doubts commands
"""
_LANGUAGE = frozenset(_LANGUAGE_WORDS.split())
_ACTIONS = frozenset(action.value for action in Action) | {SAID, TURNED_DOWN}
_KIND_WORDS = "acknowledgement identity_question authority_question clarification extension_notice lifting_notice"
_KINDS = frozenset(_KIND_WORDS.split())


def load_commands(folder: Path) -> CommandWords:
    """The words of staff commands in `folder`. Raises ConfigurationError with every problem."""
    path = folder / FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read ({error.strerror}). Restore the shipped file"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{path}: is not valid TOML ({error})"]) from error
    problems = [f"{path}: {problem}" for problem in _problems(data)]
    if problems:
        raise ConfigurationError(problems)
    return _build(data)


def _problems(data: Mapping[str, Any]) -> Iterator[str]:
    sections = {"common", *LANGUAGES, "rights", "grounds", "channels"}
    yield from _keys("", data, sections)
    if sections - set(data):
        return
    yield from _keys("[common]", data["common"], _COMMON)
    for language in LANGUAGES:
        tongue = data[language]
        yield from _keys(f"[{language}]", tongue, _LANGUAGE)
        for name, allowed in (("commands", _ACTIONS), ("doubts", _DOUBTS), ("what", _KINDS)):
            yield from _keys(f"[{language}.{name}]", tongue.get(name, {}), allowed)
        for action, lines in tongue.get("commands", {}).items():
            yield from _phrase_problems(f"[{language}.commands] {action}", lines)
    yield from _keys("[rights]", data["rights"], {right.value for right in Right})
    yield from _keys("[grounds]", data["grounds"], {ground.value for ground in Ground})


def _keys(where: str, table: Mapping[str, Any], wanted: set[str] | frozenset[str]) -> Iterator[str]:
    for key in sorted(set(table) - wanted):
        yield f"{where} unknown key {key!r}; known are {', '.join(sorted(wanted))}".strip()
    for key in sorted(wanted - set(table)):
        yield f"{where} {key!r} is missing".strip()


def _phrase_problems(where: str, lines: Any) -> Iterator[str]:
    if not isinstance(lines, str):
        yield f"{where}: must be a text with one phrase a line"
        return
    for line in _lines(lines):
        if line.split()[0].endswith("?"):
            yield f"{where}: the first word of {line!r} must not be optional"
        if any(not word.strip("*?") for part in line.split() for word in part.split("|")):
            yield f"{where}: {line!r} holds an empty word"


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _words(text: str) -> WordSet:
    return WordSet.of(text.split())


def _phrases(text: str, meaning: str, language: str) -> list[Phrase]:
    return [Phrase.of(line, meaning, language) for line in _lines(text)]


def _each_language(data: Mapping[str, Any], read: Callable[[Mapping[str, Any], str], list[Phrase]]) -> list[Phrase]:
    return [phrase for language in LANGUAGES for phrase in read(data[language], language)]


def _command_phrases(tongue: Mapping[str, Any], language: str) -> list[Phrase]:
    return [phrase for action, text in tongue["commands"].items() for phrase in _phrases(text, action, language)]


def _build(data: Mapping[str, Any]) -> CommandWords:
    common = data["common"]
    shared = _words(common["fillers"])
    tongues = {language: _tongue(data[language], shared) for language in LANGUAGES}
    commands = _each_language(data, _command_phrases)
    harmless = [p for language in LANGUAGES for p in _phrases(common["harmless"], "harmless", language)]
    harmless += _each_language(data, lambda tongue, language: _phrases(tongue["harmless"], "harmless", language))
    return CommandWords(
        commands=Lexicon.of(commands),
        harmless=Lexicon.of(harmless),
        questions=Lexicon.of(_each_language(data, lambda t, language: _phrases(t["questions"], "question", language))),
        tongues=tongues,
        greetings=_words(common["greetings"]),
        no_names=_words(common["no_names"]),
        systems=_words(common["systems"]),
        openers=_words(common["openers"]),
        imperatives=_words(common["imperatives"]),
        consents=_words(common["consents"]),
        not_sendable=_words(common["not_sendable"]),
        fillers={language: tongue.fillers for language, tongue in tongues.items()},
        skip={language: tongue.fillers | _words(common["between"]) for language, tongue in tongues.items()},
        spelling=_spelling(common, tongues, commands),
        furniture=_furniture(common),
        negative_signs=frozenset(common["negative_signs"].split()),
        conjunctions=_words(common["conjunctions"]).exact,
        turns=_words(common["turns"]).exact,
        request_words=tuple(fold(part) for part in common["request_words"].split()),
        rights={name: _words(text) for name, text in data["rights"].items()},
        grounds=Lexicon.of(
            Phrase.of(line, name, "en") for name, text in data["grounds"].items() for line in text.split(";")
        ),
        channels={name: _words(text) for name, text in data["channels"].items()},
    )


def _tongue(data: Mapping[str, Any], shared: WordSet) -> Tongue:
    return Tongue(
        fillers=_words(data["fillers"]) | shared,
        done=_words(data["done"]),
        told=_words(data["told"]),
        whom=_words(data["whom"]),
        looked=_words(data["looked"]),
        papers=_words(data["papers"]),
        past=_words(data["past"]),
        doubts={kind: _words(text) for kind, text in data["doubts"].items()},
        reasons=_words(data["reasons"]),
        what={kind: _words(text) for kind, text in data["what"].items()},
        open_lines=tuple(fold_word(word) for word in data["open_lines"].split()),
        open_words=tuple(fold_word(word) for word in data["open_words"].split()),
        open_keys=tuple(fold_word(word) for word in data["open_keys"].split()),
    )


def _spelling(common: Mapping[str, Any], tongues: Mapping[str, Tongue], commands: list[Phrase]) -> Spelling:
    known = set(_words(common["not_misspelt"]).exact)
    for phrase in commands:
        known.update(*(words.exact for words in phrase.words))
    for tongue in tongues.values():
        known |= tongue.fillers.exact | tongue.done.exact | tongue.told.exact | tongue.reasons.exact
        known.update(*(words.exact for words in tongue.doubts.values()))
    return Spelling(keys=_words(common["misspelt"]).exact, known=frozenset(known))


def _furniture(common: Mapping[str, Any]) -> Furniture:
    def folded(name: str) -> tuple[str, ...]:
        return tuple(fold(line) for line in _lines(common[name]))

    return Furniture(
        sign_offs=folded("sign_offs"),
        weak_sign_offs=folded("weak_sign_offs"),
        footers=folded("footers"),
        quote_ends=folded("quote_ends"),
        quote_marks=folded("quote_marks"),
        from_headers=_words(common["from_headers"]).exact,
        other_headers=_words(common["other_headers"]).exact,
        signature=_words(common["signature"]),
        opening_days=_words(common["opening_days"]),
        opening_words=_words(common["opening_words"]),
        messages=_words(common["messages"]),
        secret=_words(common["secret"]),
        intended=_words(common["intended"]),
        alone=_words(common["alone"]),
        disclaimer=_words(common["disclaimer"]),
        signature_files=tuple(fold(name).removesuffix("*") for name in common["signature_files"].split()),
    )
