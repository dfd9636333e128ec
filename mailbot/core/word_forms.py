"""Many word forms with wildcards, found by few comparisons.

A form is its literal parts: ("tieto", "ni") is any word that begins with the one and ends with the other, a single part
is the whole word. Forms are kept by their whole beginning, or by their whole ending when they begin with a wildcard,
so that a word looks up its own beginnings and endings and is compared with hardly anything. Time is linear in the word.
"""

from dataclasses import dataclass, field

Parts = tuple[str, ...]
Codes = tuple[int, ...]  # a slot, or the complement (~slot) of one that the form is an exception of
_Shelf = dict[str, dict[Parts, Codes]]
_EDGE = 2  # letters by which the lengths of beginnings and endings are kept
_INNER = 3  # letters by which forms without beginning and ending are kept


@dataclass(frozen=True, kw_only=True)
class WordForms:
    """Forms, each with its slots. Kept small: a rulebook has ten thousand forms."""

    _whole: dict[str, Codes] = field(default_factory=dict)
    _by_beginning: _Shelf = field(default_factory=dict)  # "tieto*" and "tieto*ni" under "tieto"
    _by_ending: _Shelf = field(default_factory=dict)  # "*tieto" and "*tie*to" under their last part
    _inside: _Shelf = field(default_factory=dict)  # "*tieto*" under its first letters
    _beginnings: dict[str, set[int]] = field(default_factory=dict)  # first letters of a key -> lengths of such keys
    _endings: dict[str, set[int]] = field(default_factory=dict)  # last letters of a key -> lengths

    def add(self, parts: Parts, slot: int, *, exception: bool = False) -> None:
        """Shelves one form for one slot."""
        code = ~slot if exception else slot
        if len(parts) == 1:
            self._whole[parts[0]] = (*self._whole.get(parts[0], ()), code)
        elif parts[0]:
            self._beginnings.setdefault(parts[0][:_EDGE], set()).add(len(parts[0]))
            _put(self._by_beginning, parts[0], parts, code)
        elif len(parts) == 3 and not parts[2] and len(parts[1]) >= _INNER:
            _put(self._inside, parts[1][:_INNER], parts, code)
        else:
            self._endings.setdefault(parts[-1][-_EDGE:], set()).add(len(parts[-1]))
            _put(self._by_ending, parts[-1], parts, code)

    def find(self, word: str) -> tuple[set[int], set[int]]:
        """Slots of which a form fits the word and no exception does, and the slots whose exceptions fit."""
        codes = set(self._whole.get(word, ()))
        shelves: list[dict[Parts, Codes]] = []
        for edge in range(_EDGE + 1):  # keys may be shorter than an edge, or empty
            for length in self._beginnings.get(word[:edge], ()):
                if shelf := self._by_beginning.get(word[:length]):
                    shelves.append(shelf)
            for length in self._endings.get(word[len(word) - edge :], ()):
                if shelf := self._by_ending.get(word[len(word) - length :]):
                    shelves.append(shelf)
        if self._inside:
            shelves += [
                shelf for at in range(len(word) - _INNER + 1) if (shelf := self._inside.get(word[at : at + _INNER]))
            ]
        for shelf in shelves:
            for parts, found in shelf.items():
                if fits(parts, word):
                    codes.update(found)
        if not codes:
            return codes, set()
        denied = {~code for code in codes if code < 0}
        return {code for code in codes if code >= 0} - denied, denied


def _put(shelf: _Shelf, key: str, parts: Parts, code: int) -> None:
    forms = shelf.setdefault(key, {})
    forms[parts] = (*forms.get(parts, ()), code)


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
