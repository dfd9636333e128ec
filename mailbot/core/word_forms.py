"""Many word forms with wildcards, found by few comparisons.

A form is its literal parts: ("tieto", "ni") is any word that begins with the one and ends with the other, a single part
is the whole word. Forms are shelved by their first letters, or by their last when they begin with a wildcard, so that
a word is compared with a handful of thousands. Time is linear in the word.
"""

from dataclasses import dataclass, field

Parts = tuple[str, ...]
_LETTERS = 3  # by which forms are shelved


Codes = tuple[int, ...]  # a slot, or the complement (~slot) of one that the form is an exception of


@dataclass(frozen=True, kw_only=True)
class WordForms:
    """Forms, each with its slots. Kept small: a rulebook has ten thousand forms."""

    _whole: dict[str, Codes] = field(default_factory=dict)
    _by_beginning: dict[str, dict[Parts, Codes]] = field(default_factory=dict)
    _by_ending: dict[str, dict[Parts, Codes]] = field(default_factory=dict)

    def add(self, parts: Parts, slot: int, *, exception: bool = False) -> None:
        """Shelves one form for one slot."""
        code = ~slot if exception else slot
        if len(parts) == 1:
            self._whole[parts[0]] = (*self._whole.get(parts[0], ()), code)
            return
        if parts[0]:
            shelf = self._by_beginning.setdefault(parts[0][:_LETTERS], {})
        else:
            shelf = self._by_ending.setdefault(parts[-1][-_LETTERS:], {})
        shelf[parts] = (*shelf.get(parts, ()), code)

    def find(self, word: str) -> tuple[set[int], set[int]]:
        """Slots of which a form fits the word and no exception does, and the slots whose exceptions fit."""
        codes = set(self._whole.get(word, ()))
        for length in range(_LETTERS + 1):
            shelves = (
                self._by_beginning.get(word[:length]) if length else None,
                self._by_ending.get(word[-length:] if length else ""),
            )
            for shelf in shelves:
                for parts, found in shelf.items() if shelf else ():
                    if fits(parts, word):
                        codes.update(found)
        denied = {~code for code in codes if code < 0}
        return {code for code in codes if code >= 0} - denied, denied


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
