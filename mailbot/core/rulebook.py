"""Rules as values, ready for use: concepts, rules, counters and flags of one language.

Every chunk of text is looked up once and its slots are remembered, because the same words come again and again; that
memory is the only thing here that changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from mailbot.core.language_words import LanguageWords
from mailbot.core.phrase_index import PhraseIndex
from mailbot.core.phrases import Phrase, Rule, Slots
from mailbot.core.recent import Recent
from mailbot.core.rights import Right
from mailbot.core.word_forms import Parts, WordForms
from mailbot.core.words import (
    BUILT_IN,
    MAX_CHUNK,
    MAX_WORD,
    NUMBER,
    ONE_WORD,
    Step,
    fold,
    has_no_diacritics,
    plain,
    take_apart,
)

ANY = "any"  # the "right" of a rule that sees a request but not which
_REMEMBERED = 6_000  # chunks whose slots are kept; as many again that were not met lately
_MOST_SHARED = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class WordPattern:
    """One word form for one slot: literal parts with any letters between them ("tieto*ni" is "tieto", "ni")."""

    slot: int
    parts: Parts  # a single part is the whole word
    exception: bool = False


@dataclass(frozen=True, slots=True)
class WordSlots:
    """What one word can be."""

    slots: Slots
    folded: bool  # found only after diacritics were taken off, or by tolerating a slip of the finger


@dataclass(frozen=True, slots=True)
class ReadChunk:
    """What stands between two white spaces, as these rules see it."""

    words: tuple[WordSlots, ...]
    slots: Slots  # of all words
    steps: tuple[Step, ...]  # before each word, and one after the last
    folded: bool  # one of the words is
    is_open: bool  # what stands beside it tells whether it ends a sentence


_Made = TypeVar("_Made", ReadChunk, WordSlots)
_NOTHING = WordSlots(frozenset(), folded=False)  # most words; one value serves them all


@dataclass(frozen=True, kw_only=True)
class LanguageRules:
    """Everything that is needed to read mails of one language."""

    language: str
    patterns: InitVar[Sequence[WordPattern]]
    implied: Mapping[int, tuple[int, ...]]  # slots that a word of this slot has too
    typos: InitVar[Sequence[tuple[str, int]]]  # long stems that may hold one slip, and their slot
    phrases: Mapping[int, tuple[Phrase, ...]]  # in an order in which each needs only earlier ones
    rules: tuple[Rule, ...]
    counters: tuple[Rule, ...]
    flags: tuple[Rule, ...]
    negators: int = -1  # slot; what follows is negated
    negators_after: int = -1  # slot; what precedes is negated
    barriers: int = -1  # slot; a negation does not reach past it
    negation_reach: int = 4  # words
    abbreviations: frozenset[str] = frozenset()

    _forms: WordForms = field(default_factory=WordForms, repr=False, compare=False)
    _folded_forms: WordForms = field(default_factory=WordForms, repr=False, compare=False)
    _typos: dict[str, list[tuple[str, int]]] = field(default_factory=dict, repr=False, compare=False)
    _chunks: Recent[ReadChunk] = field(
        default_factory=lambda: Recent(_REMEMBERED, MAX_CHUNK), repr=False, compare=False
    )
    _shared: dict[ReadChunk | WordSlots, Any] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self, patterns: Sequence[WordPattern], typos: Sequence[tuple[str, int]]) -> None:
        for stem, slot in typos:
            self._typos.setdefault(stem[:2], []).append((stem, slot))
        for pattern in patterns:
            self._forms.add(pattern.parts, pattern.slot, exception=pattern.exception)
            folded = tuple(map(fold, pattern.parts))
            if pattern.exception or folded != pattern.parts:  # words without diacritics have tried the others already
                self._folded_forms.add(folded, pattern.slot, exception=pattern.exception)

    @cached_property
    def index(self) -> PhraseIndex:
        """Which phrases can occur among the words of a text."""
        return PhraseIndex(self.phrases)

    @cached_property
    def plain_phrases(self) -> frozenset[int]:
        """The ids of the commonest phrases: words only, one after the other."""
        return frozenset(id(phrase) for group in self.phrases.values() for phrase in group if self._is_plain(phrase))

    def _is_plain(self, phrase: Phrase) -> bool:
        return not any(
            item.gap or item.optional or item.edge or not self.phrases.keys().isdisjoint(item.slots)
            for item in phrase.items
        )

    @cached_property
    def checks(self) -> Mapping[str, tuple[int, ...]]:
        """The slots that each rule needs, the cheapest to look for first."""
        return {
            rule.name: tuple(sorted(needed, key=lambda slot: len(self.phrases.get(slot, ()))))
            for needed, rule in self._needs
        }

    @cached_property
    def _needs(self) -> tuple[tuple[Slots, Rule], ...]:
        every = (*self.rules, *self.counters, *self.flags)
        return tuple((frozenset((*rule.when, *rule.with_)), rule) for rule in every)

    def possible_rules(self, present: set[int]) -> set[str]:
        """Names of the rules, counters and flags all of whose slots are there."""
        return {rule.name for needed, rule in self._needs if needed <= present}

    def read_chunk(self, chunk: str) -> ReadChunk:
        """A chunk taken apart, with the slots of its words."""
        known = self._chunks.get(chunk)
        if known is None:
            known = self._chunks.keep(chunk, self.read_open_chunk(chunk))
        return known

    def read_open_chunk(self, chunk: str, last: str = "", following: str = "") -> ReadChunk:
        """A chunk read beside the word before it and the text after it."""
        apart = take_apart(chunk, self.abbreviations, last, following)
        words = tuple([self._read(word) for word in apart.words])
        return self._one_of(
            ReadChunk(
                words,
                slots=words[0].slots if len(words) == 1 else frozenset().union(*[word.slots for word in words]),
                steps=ONE_WORD if apart.steps == ONE_WORD else apart.steps,
                folded=any(word.folded for word in words),
                is_open=apart.is_open,
            )
        )

    def knows(self, raw: str) -> bool:
        """Whether the rules know the word."""
        return bool(self.read_chunk(raw).slots)

    def _read(self, raw: str) -> WordSlots:
        if raw in BUILT_IN:
            return self._word_slots({BUILT_IN.index(raw)}, set(), folded=False)
        word = plain(raw)
        if not word or len(word) > MAX_WORD:
            return _NOTHING
        found, denied = self._forms.find(word)
        if raw[0].isdigit():
            found.add(BUILT_IN.index(NUMBER))
        if found or not has_no_diacritics(word):
            return self._word_slots(found, denied, folded=False)
        found, denied = self._folded_forms.find(word)
        return self._word_slots(found or self._mistyped(word), denied, folded=True)

    def _mistyped(self, word: str) -> set[int]:
        return {slot for stem, slot in self._typos.get(word[:2], ()) if _one_slip(stem, word)}

    def _word_slots(self, found: set[int], denied: set[int], *, folded: bool) -> WordSlots:
        if not found:
            return _NOTHING
        slots = set(found)
        for slot in found:
            slots.update(self.implied.get(slot, ()))
        return self._one_of(WordSlots(frozenset(slots - denied), folded))

    def _one_of(self, made: _Made) -> _Made:
        """One value for all that are alike: there are far fewer of them than words."""
        if len(self._shared) >= _MOST_SHARED:
            self._shared.clear()
        shared: _Made = self._shared.setdefault(made, made)
        return shared


def _one_slip(stem: str, word: str) -> bool:
    """Whether the word begins with the stem but for one letter wrong, missing, doubled or swapped with the next."""
    if word[:2] != stem[:2] or len(word) < len(stem) - 1:
        return False
    place = next((i for i, (a, b) in enumerate(zip(stem, word, strict=False)) if a != b), len(stem))
    rest, typed = stem[place:], word[place:]
    return (
        typed.startswith(rest[1:])  # one missing
        or typed[1:].startswith(rest[1:])  # one wrong
        or typed[1:].startswith(rest)  # one too many
        or (len(rest) > 1 and typed.startswith(rest[1] + rest[0] + rest[2:]))  # two swapped
    )


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Where a score becomes a verdict."""

    request: float = 0.6
    unsure: float = 0.3
    right: float = 0.5  # a right is named in a request from this score on

    def least_named(self, any_score: float) -> float:
        """The score from which both readers together name a right: in a request its share of the belief that there is
        one decides, below that its own belief."""
        return self.right * any_score if any_score >= self.request else self.right


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """The rules of every language, and the hash of what they were read from."""

    languages: Mapping[str, LanguageRules]
    words: LanguageWords  # common words by which a language is known
    version: str = ""
    thresholds: Thresholds = field(default_factory=Thresholds)

    def for_language(self, language: str) -> LanguageRules | None:
        """The rules of the language; those of `other` for a language that has no rules of its own."""
        return self.languages.get(language) or self.languages.get("other")

    def knows(self, language: str, word: str) -> bool:
        """Whether the rules of the language know the word."""
        return self.languages[language].knows(word)


RIGHT_NAMES = frozenset(Right) | {ANY}
