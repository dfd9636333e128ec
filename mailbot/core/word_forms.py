"""Many word forms with wildcards, found by few comparisons.

A form is its literal parts: ("tieto", "ni") is any word that begins with the one and ends with the other, a single part
is the whole word. Forms are shelved by their first letters, or by their last when they begin with a wildcard, so that
a word is compared with a handful of thousands. Time is linear in the word.
"""

from dataclasses import dataclass, field

Parts = tuple[str, ...]
_LETTERS = 3  # by which forms are shelved


@dataclass(frozen=True, kw_only=True)
class _Targets:
    """The slots that one form speaks for, and those it is an exception of."""

    slots: set[int] = field(default_factory=set)
    denied: set[int] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True)
class WordForms:
    """Forms, each with its slots."""

    _whole: dict[str, _Targets] = field(default_factory=dict)
    _by_beginning: dict[str, dict[Parts, _Targets]] = field(default_factory=dict)
    _by_ending: dict[str, dict[Parts, _Targets]] = field(default_factory=dict)

    def add(self, parts: Parts, slot: int, *, exception: bool = False) -> None:
        """Shelves one form for one slot."""
        if len(parts) == 1:
            targets = self._whole.setdefault(parts[0], _Targets())
        elif parts[0]:
            targets = self._by_beginning.setdefault(parts[0][:_LETTERS], {}).setdefault(parts, _Targets())
        else:
            targets = self._by_ending.setdefault(parts[-1][-_LETTERS:], {}).setdefault(parts, _Targets())
        (targets.denied if exception else targets.slots).add(slot)

    def find(self, word: str) -> tuple[set[int], set[int]]:
        """Slots of which a form fits the word and no exception does, and the slots whose exceptions fit."""
        found: set[int] = set()
        denied: set[int] = set()
        if whole := self._whole.get(word):
            found |= whole.slots
            denied |= whole.denied
        for length in range(_LETTERS + 1):
            shelves = (
                self._by_beginning.get(word[:length]) if length else None,
                self._by_ending.get(word[-length:] if length else ""),
            )
            for shelf in shelves:
                for parts, targets in shelf.items() if shelf else ():
                    if fits(parts, word):
                        found |= targets.slots
                        denied |= targets.denied
        return found - denied, denied


def fits(parts: Parts, word: str) -> bool:
    """Whether the word has this form."""
    if len(parts) == 1:
        return word == parts[0]
    if not word.startswith(parts[0]) or not word.endswith(parts[-1]):
        return False
    at, end = len(parts[0]), len(word) - len(parts[-1])
    for part in parts[1:-1]:
        at = word.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return at <= end
