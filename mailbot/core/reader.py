"""The engine: finds where the rules of a language fire in the words of one text.

Which rules can fire at all is one comparison of bit masks each, so that most mail costs nearly nothing; phrases and
distances are looked at only then. Work is bounded: places of a slot and tries of a rule are capped, never backtracked.
"""

from bisect import bisect_left
from dataclasses import dataclass

from mailbot.core.rulebook import Item, LanguageRules, Phrase, Rule
from mailbot.core.words import Words, split_words

Span = tuple[int, int]  # words from, up to (exclusive)
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
        self.words: Words = split_words(text, subject_length=subject_length, abbreviations=rules.abbreviations)
        self._places: dict[int, list[int]] = {}
        self._folded: set[int] = set()
        self._spans: dict[int, list[Span]] = {}
        self._ends: dict[int, dict[int, set[int]]] = {}
        self._candidates: dict[int, set[Phrase]] = {}  # phrases whose words are all somewhere in the text
        self._masks: list[int] = []  # the slots of each word
        self._maybe = 0  # slots that are there, or may be once phrases are matched
        self._look_up()

    def _look_up(self) -> None:
        seen, look_up, places = self.rules.remembered, self.rules.look_up, self._places
        present = 0
        for number, raw in enumerate(self.words.raw):
            slots = seen.get(raw) or look_up(raw)
            self._masks.append(slots.mask)
            if slots.mask:
                present |= slots.mask
                for slot in slots.slots:
                    places.setdefault(slot, []).append(number)
                if slots.folded:
                    self._folded.add(number)
        self._maybe = self._with_phrases(present)

    def _with_phrases(self, present: int) -> int:
        """The slots present and those of phrases all of whose words are somewhere in the text."""
        by_key, todo = self.rules.phrases_by_key, list(self._places)
        waiting: list[tuple[int, Phrase]] = []
        while todo:
            for slot in todo:
                waiting += by_key.get(slot, ())
            todo = []
            still: list[tuple[int, Phrase]] = []
            for entry in waiting:
                outer, phrase = entry
                for mask in phrase.masks:
                    if not mask & present:
                        still.append(entry)
                        break
                else:
                    self._candidates.setdefault(outer, set()).add(phrase)
                    if not present >> outer & 1:
                        present |= 1 << outer
                        todo.append(outer)
            waiting = still
        return present

    def has(self, slot: int) -> bool:
        """Whether the slot is anywhere in the text."""
        return bool(self._maybe >> slot & 1) and bool(self.spans(slot))

    def spans(self, slot: int) -> list[Span]:
        """Every place of the slot, in order."""
        known = self._spans.get(slot)
        if known is None:
            found = {(number, number + 1) for number in self._places.get(slot, ())[:_MOST_SPANS]}
            for phrase in self._candidates.get(slot, ()):
                found.update(self.spans(phrase.alias) if phrase.alias >= 0 else self._phrase_spans(phrase))
            known = self._spans[slot] = sorted(found)[:_MOST_SPANS]
        return known

    def offsets(self, found: Found) -> Span:
        """Characters of the text that a rule used."""
        return self.words.starts[found.first], self.words.ends[found.last - 1]

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
        head, sentences = phrase.items[0], self.words.sentences
        if head.edge:
            return [n for n, sentence in enumerate(sentences) if n == 0 or sentences[n - 1] != sentence]
        if head.optional:  # may begin with its second item
            return list(range(len(sentences)))
        return sorted({start for slot in head.slots for start, _ in self.spans(slot)})

    def _follow(self, items: tuple[Item, ...], start: int) -> int:
        """The end of the shortest run of words from `start` that fits the items, or -1."""
        sentence = self.words.sentences[start]
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
        masks, sentences = self._masks, self.words.sentences
        end = start + len(items)
        if end > len(masks) or sentences[end - 1] != sentences[start]:
            return -1
        for place, item in enumerate(items, start):
            if not masks[place] & item.mask:
                return -1
        return end

    def _within(self, place: int, sentence: int) -> bool:
        return place < len(self.words.raw) and self.words.sentences[place] == sentence

    def _is_edge(self, place: int, edge: str, sentence: int) -> bool:
        sentences = self.words.sentences
        if edge == "^":
            return place == 0 or sentences[place - 1] != sentence
        return place >= len(sentences) or sentences[place] != sentence or self.words.raw[place] == "<question>"

    def _item_ends(self, item: Item, place: int) -> set[int]:
        """Where the item can end that begins at the place: after the word, or after a phrase of one of its slots."""
        ends = {place + 1} if self._masks[place] & item.mask else set()
        phrases = self.rules.phrases
        for slot in item.slots:
            if slot in phrases and self._maybe >> slot & 1:
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
        for rule in self.rules.rules:
            if rule.mask & self._maybe == rule.mask:
                self._fire(rule, fired, held)
        return fired, held

    def find_counters(self) -> list[Found]:
        """Counter-concepts that are there."""
        return self._all(self.rules.counters)

    def find_flags(self) -> list[Found]:
        """Flags that are there."""
        return self._all(self.rules.flags)

    def _all(self, rules: tuple[Rule, ...]) -> list[Found]:
        fired: list[Found] = []
        for rule in rules:
            if rule.mask & self._maybe == rule.mask:
                self._fire(rule, fired, [])
        return fired

    def _fire(self, rule: Rule, fired: list[Found], held: list[Found]) -> None:
        """Adds the best place of the rule in each sentence of its first element."""
        if not all(self.has(slot) for slot in self.rules.checks[rule.name]):
            return
        if any(self.has(slot) for slot in rule.without):
            return
        done: set[int] = set()
        for head in self.spans(rule.when[0]):
            sentence = self.words.sentences[head[0]]
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
        in_subject = head[0] < self.words.subject_words
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
        used = {self.words.sentences[number] for number in (first, last - 1)}
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
        sentences, places = self.words.sentences, self.words.places
        if sentences[second[0]] - sentences[first[1] - 1] > rule.across:
            return None
        distance = places[second[0]] - places[first[1] - 1] - 1
        return distance if distance <= rule.near else None

    def _excluded(self, rule: Rule, found: Found) -> bool:
        sentences = self.words.sentences
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
        sentences, places = self.words.sentences, self.words.places
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
