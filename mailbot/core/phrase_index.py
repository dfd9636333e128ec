"""Which phrases can occur at all among the words of a text, told by a few operations on long integers.

Every phrase has one bit in each of LANES lanes; a slot sets, in the first lane, the bits of the phrases whose first
needed item it is, in the second lane those whose second, and so on. The bits of all slots of a text together, lane by
lane, leave the phrases that have every item somewhere. Phrases can be items of phrases, so this is done until nothing
new is found. A phrase that is named here may still not occur: order and distance are the reader's affair.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_

from mailbot.core.phrases import Phrase

LANES = 3  # items of a phrase that are looked at; the rest would rarely exclude it


class PhraseIndex:
    """The phrases of one language by what they need."""

    def __init__(self, phrases: Mapping[int, Sequence[Phrase]]) -> None:
        self._phrases = [(outer, phrase) for outer, group in phrases.items() for phrase in group]
        self._first: dict[int, int] = {}  # the number of the first phrase of a slot
        self._last: dict[int, int] = {}  # and of its last
        self._bits: dict[int, int] = {}  # of a slot
        self._count = len(self._phrases)
        self._all = (1 << self._count) - 1
        self._idle = 0  # lanes that a phrase does not use
        for number, (outer, phrase) in enumerate(self._phrases):
            self._first.setdefault(outer, number)
            self._last[outer] = number
            self._add(number, phrase)

    def _add(self, number: int, phrase: Phrase) -> None:
        needed = [item.slots for item in phrase.items if item.slots and not item.optional][:LANES]
        for lane in range(LANES):
            bit = 1 << (lane * self._count + number)
            if lane >= len(needed):
                self._idle |= bit
                continue
            for slot in needed[lane]:
                self._bits[slot] = self._bits.get(slot, 0) | bit

    def possible(self, present: set[int]) -> int:
        """The phrases that may occur, a bit each; adds to `present` the slots that they stand for."""
        bits, count = self._bits, self._count
        lanes = reduce(or_, [bits[slot] for slot in present if slot in bits], self._idle)
        seen = 0
        while True:
            found = self._all & lanes
            for lane in range(1, LANES):
                found &= lanes >> lane * count
            if found == seen:
                return seen
            for slot in self._owners(found & ~seen):
                present.add(slot)
                lanes |= bits.get(slot, 0)
            seen = found

    def _owners(self, found: int) -> list[int]:
        """The slots that these phrases stand for, once each."""
        signs = f"{found:b}"[::-1]
        owners: list[int] = []
        at = signs.find("1")
        while at >= 0:
            owners.append(self._phrases[at][0])
            at = signs.find("1", self._last[owners[-1]] + 1)
        return owners

    def of_slot(self, slot: int, possible: int) -> list[Phrase]:
        """Those of the possible phrases that stand for the slot."""
        first = self._first.get(slot)
        if first is None:
            return []
        signs = possible >> first & (1 << self._last[slot] - first + 1) - 1
        found: list[Phrase] = []
        while signs:
            lowest = signs & -signs
            found.append(self._phrases[first + lowest.bit_length() - 1][1])
            signs ^= lowest
        return found
