"""Rules as values, ready for use: concepts, rules, counters and flags of one language.

A *slot* is a number that stands for a set of word forms, a concept, or one element of a rule. Every word is looked up
once and its slots are remembered, because the same words come again and again; that memory is the only thing here
that changes. What a rule means and how the files look is told at the head of `rules/fi.toml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailbot.core.language_words import LanguageWords
from mailbot.core.rights import Right
from mailbot.core.word_forms import WordForms
from mailbot.core.words import BUILT_IN, MAX_WORD, NUMBER, fold, has_no_diacritics, plain

ANY = "any"  # the "right" of a rule that sees a request but not which
_REMEMBERED = 12_000  # words whose slots are kept; then the memory starts afresh


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One place in a phrase: a word (or concept) of these slots, or a gap of up to `gap` words."""

    slots: frozenset[int] = frozenset()
    mask: int = 0
    gap: int = 0
    optional: bool = False
    edge: str = ""  # "^" the beginning of a sentence, "$" its end


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Phrase:
    """Items that follow each other within one sentence."""

    source: str
    items: tuple[Item, ...]
    masks: tuple[int, ...]  # each must meet the slots present, or the phrase can not occur
    alias: int = -1  # the slot that it is another name of, when it is only that


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """Words that together tell something."""

    name: str
    right: str  # a Right, ANY, or "" for counters and flags
    weight: float = 0.0  # 0..1: how often it is right where it fires
    when: tuple[int, ...]  # every slot, near the first one
    mask: int
    near: int = 8  # words between an element and the first one
    across: int = 0  # sentence ends between them
    ordered: bool = False
    where: str = "any"  # any, subject, body
    with_: tuple[int, ...] = ()  # every slot somewhere in the text
    unless: tuple[int, ...] = ()  # none of the slots in the same sentences
    without: tuple[int, ...] = ()  # none of the slots in the text
    negatable: bool = True  # a negation of the first element stops the rule
    flag: str = ""
    factor: float = 1.0  # counters: what is left of the scores
    rights: tuple[str, ...] = ()  # counters: only these; () all
    scope: str = "mail"  # counters: mail, or sentence
    yes: tuple[str, ...] = ()  # sentences in which it must fire
    no: tuple[str, ...] = ()  # sentences in which it must not


@dataclass(frozen=True, kw_only=True, slots=True)
class WordPattern:
    """One word form for one slot: literal parts with any letters between them ("tieto*ni" is "tieto", "ni")."""

    slot: int
    parts: tuple[str, ...]  # a single part is the whole word
    exception: bool = False


@dataclass(frozen=True, slots=True)
class WordSlots:
    """What one word can be."""

    slots: tuple[int, ...]
    mask: int
    folded: bool  # found only after diacritics were taken off, or by tolerating a slip of the finger


_NOTHING = WordSlots((), 0, False)  # most words; one value serves them all


@dataclass(frozen=True, kw_only=True)
class LanguageRules:
    """Everything that is needed to read mails of one language."""

    language: str
    names: tuple[str, ...]  # name of each slot, for explanations
    patterns: tuple[WordPattern, ...]
    implied: Mapping[int, tuple[int, ...]]  # slots that a word of this slot has too
    typos: tuple[tuple[str, int], ...]  # long stems that may hold one slip, and their slot
    phrases: Mapping[int, tuple[Phrase, ...]]  # in an order in which each needs only earlier ones
    rules: tuple[Rule, ...]
    counters: tuple[Rule, ...]
    flags: tuple[Rule, ...]
    negators: int = -1  # slot; what follows is negated
    negators_after: int = -1  # slot; what precedes is negated
    barriers: int = -1  # slot; a negation does not reach past it
    negation_reach: int = 4  # words
    abbreviations: frozenset[str] = frozenset()
    remembered: dict[str, WordSlots] = field(default_factory=dict, repr=False, compare=False)
    _forms: WordForms = field(default_factory=WordForms, repr=False, compare=False)
    _folded_forms: WordForms = field(default_factory=WordForms, repr=False, compare=False)

    phrases_by_key: dict[int, list[tuple[int, Phrase]]] = field(default_factory=dict, repr=False, compare=False)
    plain_phrases: set[int] = field(default_factory=set, repr=False, compare=False)  # ids: words only, no gaps
    checks: dict[str, tuple[int, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )  # needed, cheapest first

    def __post_init__(self) -> None:
        for rule in (*self.rules, *self.counters, *self.flags):
            needed = sorted({*rule.when, *rule.with_}, key=lambda slot: len(self.phrases.get(slot, ())))
            self.checks[rule.name] = tuple(needed)
        self.plain_phrases.update(
            id(phrase) for phrases in self.phrases.values() for phrase in phrases if self._is_plain(phrase)
        )
        commonness = self._commonness()
        for outer, phrases in self.phrases.items():
            for phrase in phrases:
                for slot in _key(phrase, commonness):
                    self.phrases_by_key.setdefault(slot, []).append((outer, phrase))
        for pattern in self.patterns:
            self._forms.add(pattern.parts, pattern.slot, exception=pattern.exception)
            folded = tuple(map(fold, pattern.parts))
            if pattern.exception or folded != pattern.parts:  # words without diacritics have tried the others already
                self._folded_forms.add(folded, pattern.slot, exception=pattern.exception)

    def _is_plain(self, phrase: Phrase) -> bool:
        return not any(
            item.gap or item.optional or item.edge or any(slot in self.phrases for slot in item.slots)
            for item in phrase.items
        )

    def _commonness(self) -> dict[int, int]:
        """A guess at how common each slot is: the shorter its words and the more of them, the commoner."""
        counts: dict[int, int] = {slot: 40 * len(phrases) for slot, phrases in self.phrases.items()}
        for pattern in self.patterns:
            weight = 1 << max(0, 8 - sum(map(len, pattern.parts)))
            for slot in (pattern.slot, *self.implied.get(pattern.slot, ())):
                counts[slot] = counts.get(slot, 0) + weight
        return counts

    def look_up(self, raw: str) -> WordSlots:
        """The slots of a word as written."""
        known = self.remembered.get(raw)
        if known is None:
            if len(self.remembered) >= _REMEMBERED:
                self.remembered.clear()
            known = self.remembered[raw] = self._read(raw)
        return known

    def knows(self, raw: str) -> bool:
        """Whether the rules know the word."""
        return self.look_up(raw).mask != 0

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
        folded = fold(word)
        return {slot for stem, slot in self.typos if _one_slip(stem, folded)}

    def _word_slots(self, found: set[int], denied: set[int], *, folded: bool) -> WordSlots:
        if not found:
            return _NOTHING
        slots = set(found)
        for slot in found:
            slots.update(self.implied.get(slot, ()))
        slots -= denied
        mask = 0
        for slot in slots:
            mask |= 1 << slot
        return WordSlots(tuple(sorted(slots)), mask, folded)


def _key(phrase: Phrase, commonness: Mapping[int, int]) -> frozenset[int]:
    """The slots of the item that fewest words can be; without one of them the phrase can not occur."""
    needed = [item.slots for item in phrase.items if item.slots and not item.optional]
    return min(needed, key=lambda slots: sum(commonness.get(slot, 0) for slot in slots))


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


RIGHT_NAMES = frozenset(Right) | {ANY}
