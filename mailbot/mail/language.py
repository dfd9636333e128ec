"""The language of a text: by its common words first, by langdetect only where words have not decided.

Common words and endings decide nearly every mail in a few microseconds, ALL CAPS and texts without diacritics included;
very short texts are decided by the words of our own rules. langdetect is asked for the rest, seeded, with few profiles
and with priors for Finnish, Swedish and English, because without priors "Please delete my data" is Spanish. What nobody
can tell is "unknown".
"""

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mailbot.core.language_words import WORD, LanguageWords

UNKNOWN = "unknown"
_PROFILES = ("fi", "sv", "en", "et", "no", "da", "de", "nl", "fr", "es", "it", "pl")
_PRIORS = {"fi": 0.4, "sv": 0.2, "en": 0.2}  # the rest share what is left
_ISO = {"no": "nb"}  # langdetect's name of a language and ours
_MOST_WORDS = 400  # chunks that are looked at, half from the beginning and half from the end
_SURE = 1.0  # points that decide, when ...
_LEAD = 1.5  # ... the second best is so many times behind
_ALSO = 0.4  # share of the best points from which a second language is read too
_LEAST_LETTERS = 12  # for langdetect; shorter texts are a guess
_LEAST_PROBABILITY = 0.7  # of langdetect's best
_STRANGER = 0.3  # of the points of a language that lacks a letter of the text
_RULE_WORD = 0.5  # points of a word that our rules know
_ALPHABETS = {  # letters that only these languages have
    "äö": frozenset({"fi", "sv", "de", "et"}),
    "øæ": frozenset({"nb", "da"}),
    "õ": frozenset({"et"}),
    "ß": frozenset({"de"}),
    "łżśę": frozenset({"pl"}),
    "ñ¿": frozenset({"es"}),
}
Known = Mapping[str, Callable[[str], bool]]
_NOTHING: Known = {}
_SCRIPTS = (  # a letter of the script, language; the first rules are the narrower ones
    (re.compile(r"[іїєґ]", re.IGNORECASE), "uk"),
    (re.compile(r"[а-яё]", re.IGNORECASE), "ru"),
    (re.compile(r"[\u0370-\u03ff]"), "el"),
    (re.compile(r"[\u0590-\u05ff]"), "he"),
    (re.compile(r"[پچژگ]"), "fa"),
    (re.compile(r"[\u0600-\u06ff]"), "ar"),
    (re.compile(r"[\u0e00-\u0e7f]"), "th"),
    (re.compile(r"[\u3040-\u30ff]"), "ja"),
    (re.compile(r"[\uac00-\ud7af]"), "ko"),
    (re.compile(r"[\u4e00-\u9fff]"), "zh"),
    (re.compile(r"[\u0900-\u097f]"), "hi"),
)
_BEYOND_LATIN = re.compile(r"[\u0370-\u1fff\u3040-\ud7af]")  # no letter of a script above stands elsewhere


@dataclass(frozen=True, kw_only=True)
class Guess:
    """The language of a text, and further languages that parts of it may be in."""

    language: str
    also: tuple[str, ...] = ()


def guess(text: str, words: LanguageWords, default: str = UNKNOWN, known: Known = _NOTHING) -> str:
    """The ISO 639-1 code of the text's language, or `default` when nothing tells."""
    return guess_languages(text, words, default, known).language


def guess_languages(text: str, words: LanguageWords, default: str = UNKNOWN, known: Known = _NOTHING) -> Guess:
    """The language of the text, and the languages that larger parts of it may be in.

    `known` tells for a language whether our rules know a word; it is asked where common words have not decided.
    """
    if foreign := _by_script(text):
        return Guess(language=foreign)
    found = text.split()
    if len(found) > _MOST_WORDS:
        found = found[: _MOST_WORDS // 2] + found[-_MOST_WORDS // 2 :]
    points = _without_strangers(_count(found, words), text)
    common = dict(points)  # before our own rules, which know three languages only, are asked
    if not _is_decided(points):
        _ask_rules(points, [word for chunk in found for word in WORD.findall(chunk)], known)
    ranked = sorted(points, key=lambda language: -points[language])
    if _is_decided(points):
        found_too = _also(ranked, points)
        if points != common:
            return _weak(text, ranked[0], common, known, found_too)
        return Guess(language=ranked[0], also=found_too)
    best, second = ([points[language] for language in ranked[:2]] + [0.0, 0.0])[:2]
    language = _detect(text, ranked[:3]) or (ranked[0] if best > second else "") or default
    return Guess(language=language, also=tuple(other for other in ranked[:3] if other != language))


def _weak(text: str, best: str, common: Mapping[str, float], known: Known, also: tuple[str, ...]) -> Guess:
    """A language that only words of our own rules decided: they know no other, so a stranger is asked too.

    Where common words speak no less for the stranger, langdetect names the language.
    """
    strangers = {language: value for language, value in common.items() if language not in known}
    if not strangers or best not in known:
        return Guess(language=best, also=also)
    stranger = max(strangers, key=lambda language: strangers[language])
    if strangers[stranger] >= common.get(best, 0.0):
        told = _detect(text, (best,))
        if told and told not in known:
            return Guess(language=told, also=(best, *also))
    return Guess(language=best, also=tuple(dict.fromkeys((stranger, *also))))


def _is_decided(points: Mapping[str, float]) -> bool:
    """Whether one language is sure, and far before the next."""
    best, second = [*sorted(points.values(), reverse=True), 0.0, 0.0][:2]
    return best >= _SURE and best >= second * _LEAD


def _without_strangers(points: dict[str, float], text: str) -> dict[str, float]:
    """A letter that a language does not have takes most of its points; names may bring one along."""
    if text.isascii():
        return points
    lowered = text.casefold()
    for letters, languages in _ALPHABETS.items():
        if any(letter in lowered for letter in letters):
            points = {
                language: value if language in languages else value * _STRANGER for language, value in points.items()
            }
    return points


def _ask_rules(points: dict[str, float], found: Sequence[str], known: Known) -> None:
    for language, knows in known.items():
        votes = sum(_RULE_WORD for word in found if knows(word))
        if votes:
            points[language] = points.get(language, 0.0) + votes


def _by_script(text: str) -> str:
    """The language of another script, when at least half of the words are written in it."""
    if text.isascii() or not _BEYOND_LATIN.search(text):
        return ""
    found = WORD.findall(text)
    for pattern, language in _SCRIPTS:
        if pattern.search(text):
            general = _SCRIPTS[1][0] if language == "uk" else pattern
            if 2 * sum(1 for word in found if general.search(word) or pattern.search(word)) >= len(found):
                return language
    return ""


def _count(found: Sequence[str], words: LanguageWords) -> dict[str, float]:
    points: dict[str, float] = {}
    for chunk in found:
        for language, value in words.points(chunk):
            points[language] = points.get(language, 0.0) + value
    return points


def _also(ranked: Sequence[str], points: Mapping[str, float]) -> tuple[str, ...]:
    least = points[ranked[0]] * _ALSO
    return tuple(other for other in ranked[1:3] if points[other] >= max(least, 2.0))


def _detect(text: str, likely: Sequence[str]) -> str:
    """langdetect's answer, or "" when the text is too short or the answer too weak."""
    if sum(letter.isalpha() for letter in text[:200]) < _LEAST_LETTERS:
        return ""
    detector = _factory().create()
    detector.set_prior_map(_priors(likely))
    detector.append(text[:2000])
    try:
        best: list[Any] = detector.get_probabilities()
    except _langdetect("lang_detect_exception").LangDetectException:
        return ""
    if not best or best[0].prob < _LEAST_PROBABILITY:
        return ""
    return _ISO.get(str(best[0].lang), str(best[0].lang))


def _priors(likely: Sequence[str]) -> dict[str, float]:
    """Priors of our three languages, and of those that the words speak for."""
    rest = (1.0 - sum(_PRIORS.values())) / (len(_PROFILES) - len(_PRIORS))
    named = {next((name for name, iso in _ISO.items() if iso == language), language) for language in likely}
    priors = {name: _PRIORS.get(name, rest) * (3.0 if name in named else 1.0) for name in _PROFILES}
    total = sum(priors.values())
    return {name: value / total for name, value in priors.items()}


@cache
def _factory() -> Any:
    """langdetect with a few profiles only, seeded, loaded when it is first needed."""
    module = _langdetect("detector_factory")
    module.DetectorFactory.seed = 0
    factory = module.DetectorFactory()
    folder = Path(module.__file__).parent / "profiles"
    factory.load_json_profile([(folder / name).read_text(encoding="utf-8") for name in _PROFILES])
    return factory


def _langdetect(name: str) -> Any:
    """A module of langdetect. Most processes never need it, so that it is not loaded with this one."""
    return importlib.import_module(f"langdetect.{name}")
