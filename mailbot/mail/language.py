"""The language of a text: by its common words first, by langdetect only where words have not decided.

Common words and the words of our rules decide nearly every mail in a few microseconds, ALL CAPS and texts without
diacritics included. langdetect is asked for the rest, seeded, with few profiles and with priors for Finnish, Swedish
and English, because without priors "Please delete my data" is Spanish. What nobody can tell is "unknown".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mailbot.core.words import fold, plain

UNKNOWN = "unknown"
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_MOST_WORDS = 400  # words that are looked at
_SURE = 1.5  # points that decide alone, and ...
_LEAD = 1.6  # ... how many times the second best


@dataclass(frozen=True, kw_only=True)
class Guess:
    """The language of a text, and further languages that parts of it may be in."""

    language: str
    also: tuple[str, ...] = ()


def guess(text: str, words: Mapping[str, frozenset[str]], default: str = UNKNOWN) -> str:
    """The ISO 639-1 code of the text's language, or `default` when nothing tells."""
    return guess_languages(text, words, default).language


def guess_languages(text: str, words: Mapping[str, frozenset[str]], default: str = UNKNOWN) -> Guess:
    """The language of the text and of larger parts in other languages."""
    points = _points(text, words)
    if not points:
        return Guess(language=default)
    ranked = sorted(points.items(), key=lambda item: -item[1])
    language, best = ranked[0]
    also = tuple(other for other, value in ranked[1:3] if value > best * 0.3)
    return Guess(language=language, also=also)


def _points(text: str, words: Mapping[str, frozenset[str]]) -> dict[str, float]:
    points: dict[str, float] = {}
    for match in _WORD.findall(text)[:_MOST_WORDS]:
        word = plain(match)
        hits = [language for language, common in words.items() if word in common or fold(word) in common]
        for language in hits:
            points[language] = points.get(language, 0.0) + 1.0 / len(hits)
    return points
