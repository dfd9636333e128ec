"""The engine: finds where the rules of a language fire in the words of one text.

Which rules can fire at all is told by the slots of the words alone, wherever they stand, so that most mail costs nearly
nothing; phrases and distances are looked at only then. Work is bounded: places of a slot and tries of a rule are
capped, never backtracked.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from mailbot.core.phrases import Item, Phrase, Rule, Slots
from mailbot.core.rulebook import LanguageRules, ReadChunk
from mailbot.core.words import BUILT_IN, ONE_WORD, QUESTION, Line, lines_of, take_apart

Span = tuple[int, int]  # words from, up to (exclusive)
_QUESTION = BUILT_IN.index(QUESTION)
_MOST_SPANS = 400  # places of one slot that are looked at


@dataclass(frozen=True, slots=True)
class Found:
    """A rule that fired, and the words it used."""

    rule: Rule
    first: int
    last: int  # exclusive
    sentences: frozenset[int]
    folded: bool


class Reader:
    """One text under the rules of one language."""

    def __init__(self, rules: LanguageRules, text: str, *, subject_length: int = 0) -> None:
        self.rules = rules
        self.text = text
        self._lines = list(lines_of(text, subject_length))
        self._texts = [chunk for line in self._lines for chunk in line.chunks]
        self._chunks = list(map(rules.read_chunk, self._texts))
        self._present: set[int] = set().union(*[chunk.slots for chunk in self._chunks])
        self._possible = rules.index.possible(self._present)  # phrases all of whose words are somewhere in the text
        self._rules = rules.possible_rules(self._present)
        self._slots: list[Slots] = []  # of each word
        self._sentences: list[int] = []  # number of the sentence, from 0
        self._at: list[int] = []  # running place with pauses counted
        self._subject_words = 0  # how many of the first words belong to the subject
        self._folded: set[int] = set()
        self._places: defaultdict[int, list[int]] = defaultdict(list)
        self._spans: dict[int, list[Span]] = {}
        self._ends: dict[int, dict[int, set[int]]] = {}
        self._begins: dict[int, list[int]] = {}  # offsets of the chunks of a line, once one is asked for
        self._firsts: list[int] = []  # number of the first word of each chunk, once it is asked for
        if self._rules:
            self._lay_out()

    # places

    def _lay_out(self) -> None:
        """Puts the words in their places."""
        slots, sentences, at = self._slots, self._sentences, self._at
        sentence = place = number = 0
        last_word = -1  # number of the chunk that holds the last word
        for line in self._lines:
            place, sentence = place + line.step[0], sentence + line.step[1]
            for _ in line.chunks:
                chunk = self._chunks[number]
                if chunk.steps is ONE_WORD:
                    slots.append(chunk.slots)
                    sentences.append(sentence)
                    at.append(place)
                    place += 1
                else:
                    if chunk.is_open:
                        chunk = self._read_between(number, last_word)
                    place, sentence = self._lay_out_chunk(chunk, place, sentence)
                if chunk.words:
                    last_word = number
                if chunk.folded:
                    self._folded.update(range(len(slots) - len(chunk.words), len(slots)))
                number += 1
            if line.in_subject:
                self._subject_words = len(slots)
        places = self._places
        for number, found in enumerate(slots):
            for slot in found:
                places[slot].append(number)

    def _lay_out_chunk(self, chunk: ReadChunk, place: int, sentence: int) -> tuple[int, int]:
        """Puts the words of a chunk in their places; where the next one begins."""
        for word, (pauses, ends) in zip(chunk.words, chunk.steps, strict=False):
            place, sentence = place + pauses, sentence + ends
            self._slots.append(word.slots)
            self._sentences.append(sentence)
            self._at.append(place)
            place += 1
        pauses, ends = chunk.steps[-1]
        return place + pauses, sentence + ends

    def _read_between(self, number: int, last_word: int) -> ReadChunk:
        """A chunk whose full stop is understood by what stands beside it."""
        abbreviations = self.rules.abbreviations
        last = take_apart(self._texts[last_word], abbreviations).words[-1] if last_word >= 0 else ""
        following = self._texts[number + 1] if number + 1 < len(self._texts) else ""
        return self.rules.read_open_chunk(self._texts[number], last, following)

    def offsets(self, found: Found) -> Span:
        """Characters of the text that a rule used."""
        return self._word_offsets(found.first)[0], self._word_offsets(found.last - 1)[1]

    def _word_offsets(self, word: int) -> Span:
        if not self._firsts:
            self._firsts = list(accumulate((len(chunk.words) for chunk in self._chunks), initial=0))
        number = bisect_right(self._firsts, word) - 1
        begin = self._begin_of(number)
        first, last = take_apart(self._texts[number], self.rules.abbreviations).spans[word - self._firsts[number]]
        return begin + first, begin + last

    def _begin_of(self, number: int) -> int:
        """The offset of a chunk; those of its line are found together."""
        end = 0
        for nth, line in enumerate(self._lines):
            end += len(line.chunks)
            if number < end:
                if nth not in self._begins:
                    self._begins[nth] = self._find_chunks(line)
                return self._begins[nth][number - end]
        raise IndexError(number)

    def _find_chunks(self, line: Line) -> list[int]:
        found: list[int] = []
        at = line.begin
        for chunk in line.chunks:
            found.append(self.text.index(chunk, at))
            at = found[-1] + len(chunk)
        return found

    # slots

    def has(self, slot: int) -> bool:
        """Whether the slot is anywhere in the text."""
        return slot in self._present and bool(self.spans(slot))

    def spans(self, slot: int) -> list[Span]:
        """Every place of the slot, in order."""
        known = self._spans.get(slot)
        if known is None:
            found = {(number, number + 1) for number in self._places.get(slot, ())[:_MOST_SPANS]}
            for phrase in self.rules.index.of_slot(slot, self._possible):
                found.update(self.spans(phrase.alias) if phrase.alias >= 0 else self._phrase_spans(phrase))
            known = self._spans[slot] = sorted(found)[:_MOST_SPANS]
        return known

    # phrases

    def _phrase_spans(self, phrase: Phrase) -> list[Span]:
        found: list[Span] = []
        follow = self._follow_words if id(phrase) in self.rules.plain_phrases else self._follow
        for start in self._beginnings(phrase)[:_MOST_SPANS]:
            end = follow(phrase.items, start)
            if end > start:
                found.append((start, end))
        return found

    def _beginnings(self, phrase: Phrase) -> list[int]:
        head, sentences = phrase.items[0], self._sentences
        if head.edge:
            return [n for n, sentence in enumerate(sentences) if n == 0 or sentences[n - 1] != sentence]
        if head.optional:  # may begin with its second item
            return list(range(len(sentences)))
        return sorted({start for slot in head.slots for start, _ in self.spans(slot)})

    def _follow(self, items: tuple[Item, ...], start: int) -> int:
        """The end of the shortest run of words from `start` that fits the items, or -1."""
        sentence = self._sentences[start]
        at = {start}
        for item in items:
            if item.edge:
                at = {place for place in at if self._is_edge(place, item.edge, sentence)}
            elif item.gap:
                at |= {
                    place + step
                    for place in at
                    for step in range(1, item.gap + 1)
                    if self._within(place + step - 1, sentence)
                }
            else:
                after = {end for place in at if self._within(place, sentence) for end in self._item_ends(item, place)}
                at = at | after if item.optional else after
            if not at:
                return -1
        return min(at)

    def _follow_words(self, items: tuple[Item, ...], start: int) -> int:
        """The same for the commonest phrases: words only, one after the other."""
        slots, sentences = self._slots, self._sentences
        end = start + len(items)
        if end > len(slots) or sentences[end - 1] != sentences[start]:
            return -1
        for place, item in enumerate(items, start):
            if slots[place].isdisjoint(item.slots):
                return -1
        return end

    def _within(self, place: int, sentence: int) -> bool:
        return place < len(self._slots) and self._sentences[place] == sentence

    def _is_edge(self, place: int, edge: str, sentence: int) -> bool:
        sentences = self._sentences
        if edge == "^":
            return place == 0 or sentences[place - 1] != sentence
        return place >= len(sentences) or sentences[place] != sentence or _QUESTION in self._slots[place]

    def _item_ends(self, item: Item, place: int) -> set[int]:
        """Where the item can end that begins at the place: after the word, or after a phrase of one of its slots."""
        ends = set() if self._slots[place].isdisjoint(item.slots) else {place + 1}
        phrases = self.rules.phrases
        for slot in item.slots & self._present:
            if slot in phrases:
                known = self._ends.get(slot)
                if known is None:
                    known = self._ends[slot] = {}
                    for start, end in self.spans(slot):
                        known.setdefault(start, set()).add(end)
                if place in known:
                    ends |= known[place]
        return ends

    # rules

    def find_rules(self) -> tuple[list[Found], list[Found]]:
        """Rules that fire, and those that would but for a negation."""
        fired: list[Found] = []
        held: list[Found] = []
        self._fire_all(self.rules.rules, fired, held)
        return fired, held

    def find_counters(self) -> list[Found]:
        """Counter-concepts that are there."""
        fired: list[Found] = []
        self._fire_all(self.rules.counters, fired, [])
        return fired

    def find_flags(self) -> list[Found]:
        """Flags that are there."""
        fired: list[Found] = []
        self._fire_all(self.rules.flags, fired, [])
        return fired

    def _fire_all(self, rules: Sequence[Rule], fired: list[Found], held: list[Found]) -> None:
        if self._rules:
            for rule in rules:
                if rule.name in self._rules:
                    self._fire(rule, fired, held)

    def _fire(self, rule: Rule, fired: list[Found], held: list[Found]) -> None:
        """Adds the best place of the rule in each sentence of its first element."""
        if not all(self.spans(slot) for slot in self.rules.checks[rule.name]):
            return
        if any(self.has(slot) for slot in rule.without):
            return
        done: set[int] = set()
        for head in self.spans(rule.when[0]):
            sentence = self._sentences[head[0]]
            if sentence in done or not self._allowed(rule, head):
                continue
            found = self._around(rule, head)
            if found is None or self._excluded(rule, found):
                continue
            if rule.negatable and self._negated(head):
                held.append(found)
                continue
            done.add(sentence)
            fired.append(found)

    def _allowed(self, rule: Rule, head: Span) -> bool:
        in_subject = head[0] < self._subject_words
        return rule.where == "any" or (rule.where == "subject") == in_subject

    def _around(self, rule: Rule, head: Span) -> Found | None:
        """The nearest place of every further element, or None when one is too far away."""
        taken = [head]
        after = head
        for slot in rule.when[1:]:
            nearest = self._nearest(slot, after if rule.ordered else head, rule, taken)
            if nearest is None:
                return None
            taken.append(nearest)
            after = nearest
        first, last = min(span[0] for span in taken), max(span[1] for span in taken)
        used = {self._sentences[number] for number in (first, last - 1)}
        folded = any(number in self._folded for span in taken for number in range(*span))
        return Found(rule, first, last, frozenset(range(min(used), max(used) + 1)), folded)

    def _nearest(self, slot: int, around: Span, rule: Rule, taken: list[Span]) -> Span | None:
        spans = self.spans(slot)
        middle = bisect_left(spans, around)
        best: tuple[int, Span] | None = None
        for span in spans[max(0, middle - 6) : middle + 6]:
            if any(span[0] < used[1] and used[0] < span[1] for used in taken):
                continue
            distance = self._distance(around, span, rule)
            if distance is not None and (best is None or distance < best[0]):
                best = (distance, span)
        return best[1] if best else None

    def _distance(self, a: Span, b: Span, rule: Rule) -> int | None:
        """Words between two places, or None when they are too far apart."""
        if rule.ordered and b[0] < a[1]:
            return None
        first, second = (a, b) if a[0] <= b[0] else (b, a)
        sentences, places = self._sentences, self._at
        if sentences[second[0]] - sentences[first[1] - 1] > rule.across:
            return None
        distance = places[second[0]] - places[first[1] - 1] - 1
        return distance if distance <= rule.near else None

    def _excluded(self, rule: Rule, found: Found) -> bool:
        sentences = self._sentences
        return any(
            sentences[start] in found.sentences
            for slot in rule.unless
            if self.has(slot)
            for start, _ in self.spans(slot)
        )

    def _negated(self, head: Span) -> bool:
        rules = self.rules
        return self._negated_by(rules.negators, head, before=True) or self._negated_by(
            rules.negators_after, head, before=False
        )

    def _negated_by(self, slot: int, head: Span, *, before: bool) -> bool:
        if slot < 0 or not self.has(slot):
            return False
        sentences, places = self._sentences, self._at
        for span in self.spans(slot):
            between = (span[1], head[0]) if before else (head[1], span[0])
            if between[0] > between[1] or sentences[span[0]] != sentences[head[0]]:
                continue
            first, second = (span, head) if before else (head, span)
            distance = places[second[0]] - places[first[1] - 1] - 1
            if distance <= self.rules.negation_reach and not self._barrier(*between):
                return True
        return False

    def _barrier(self, first: int, last: int) -> bool:
        slot = self.rules.barriers
        return slot >= 0 and any(first <= start < last for start, _ in self.spans(slot))
