"""Common words and endings of languages, ready to be counted.

A word that several languages share gives each a part of a point; an ending gives less than a whole word. Words are
compared in their plain form, and once more without diacritics when that finds nothing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mailbot.core.recent import Recent
from mailbot.core.words import MAX_CHUNK, fold, plain

Points = tuple[tuple[str, float], ...]  # language and points, in the order of the languages
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_ENDING_POINTS = 0.4  # of a whole word's point
_LEAST_STEM = 3  # letters before an ending
_REMEMBERED = 6_000  # chunks whose points are kept; as many again that were not met lately


@dataclass(frozen=True, kw_only=True)
class LanguageWords:
    """What is known of the words of each language."""

    exact: Mapping[str, Points]
    folded: Mapping[str, Points]
    endings: Mapping[str, Points]
    _seen: Recent[Points] = field(default_factory=lambda: Recent(_REMEMBERED, MAX_CHUNK), repr=False, compare=False)

    def points(self, chunk: str) -> Points:
        """Which languages the words of a chunk (what stands between white space) speak for, and how much."""
        known = self._seen.get(chunk)
        if known is None:
            known = self._seen.keep(chunk, self._count(WORD.findall(chunk)))
        return known

    def _count(self, found: list[str]) -> Points:
        if len(found) == 1:
            return self._look_up(plain(found[0]))
        points: dict[str, float] = {}
        for word in found:
            for language, value in self._look_up(plain(word)):
                points[language] = points.get(language, 0.0) + value
        return tuple(points.items())

    def _look_up(self, word: str) -> Points:
        return self.exact.get(word) or self.folded.get(word) or self._by_ending(word)

    def _by_ending(self, word: str) -> Points:
        for length in range(min(8, len(word) - _LEAST_STEM), 1, -1):
            if known := self.endings.get(word[-length:]):
                return known
        return ()


def language_words(lists: Mapping[str, Iterable[str]]) -> LanguageWords:
    """From a list of words and endings ("*kaa") for each language."""
    exact: dict[str, set[str]] = {}
    folded: dict[str, set[str]] = {}
    endings: dict[str, set[str]] = {}
    for language, words in lists.items():
        for word in words:
            if word.startswith("*"):
                endings.setdefault(plain(word[1:]), set()).add(language)
                endings.setdefault(fold(plain(word[1:])), set()).add(language)
            else:
                exact.setdefault(plain(word), set()).add(language)
                folded.setdefault(fold(plain(word)), set()).add(language)
    return LanguageWords(
        exact=_shared(exact, 1.0), folded=_shared(folded, 1.0), endings=_shared(endings, _ENDING_POINTS)
    )


def _shared(found: Mapping[str, set[str]], whole: float) -> dict[str, Points]:
    return {
        word: tuple((language, whole / len(languages)) for language in sorted(languages))
        for word, languages in found.items()
    }
