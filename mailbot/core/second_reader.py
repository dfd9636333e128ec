"""The second reader: a small linear model beside the rules.

It adds up weights of letter groups, words and pairs of words, learned from labelled mails (`make train`), and so knows
ways of asking that no rule foresaw. It never sees a sender, holds no text, and lifts nothing without showing the words
that moved it. What the weights are is decided in training; here they are only read. The memory of words already met is
the only thing that changes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mailbot.core.calibration import ANY, COLUMNS, LABELS, Calibration, any_inputs, right_inputs
from mailbot.core.classify import Evidence, RuleOpinion, SecondOpinion
from mailbot.core.rights import Right
from mailbot.core.word_features import (
    MAX_CHARACTERS,
    REACH,
    TOKEN,
    pair_hash,
    pair_hashes,
    plain_word,
    sentences,
    stem_hash,
    word_hashes,
)

RULE = "second_reader"  # the rule's name in the evidence
BIAS = 128  # a stored weight is a byte, this much above its value
_REMEMBERED = 30_000  # words whose weights are kept; then the memory starts afresh
_WORDS = 6  # words shown for a right, at most
_SHOWN = 0.3  # a word is shown if it moved the label at least so much, compared with the strongest

Sums = tuple[int, ...]  # one number a column


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What was learned: rows of `COLUMNS` bytes, which of them a hash bucket has, and what a step of a byte is worth.

    Most buckets hold nothing and share row 0, so many buckets (few features that meet by chance) cost little memory.
    """

    table: bytes
    index: Sequence[int]  # the row of each bucket; as many buckets as a power of two
    scales: tuple[float, ...]  # a column each
    biases: tuple[float, ...]  # a column each
    version: str = ""  # of the data file


@dataclass(frozen=True)
class _Word:
    """A word once met: how it counts in pairs, and the sums of its weights."""

    plain: str
    stem: int
    sums: Sums
    features: int


@dataclass(frozen=True, kw_only=True)
class Alone:
    """What the model thinks without the rules."""

    scores: Mapping[Right, float]  # 0..1
    any_score: float  # 0..1


class SecondReader:
    """Reads a text with learned weights."""

    def __init__(self, weights: Weights, calibration: Calibration) -> None:
        self.weights = weights
        self.calibration = calibration
        self.version = weights.version
        self._mask = len(weights.index) - 1
        self._words: dict[str, _Word] = {}

    def opinion(self, reading: str, rules: RuleOpinion) -> SecondOpinion:
        """The calibrated scores of both readers together, with the words that moved this one."""
        margins = self.margins(reading)
        together, thresholds = self.calibration.together, self.calibration.thresholds
        scores = {right: together[k](right_inputs(k, margins, rules)) for k, right in enumerate(LABELS)}
        any_score = together[ANY](any_inputs(margins, rules))
        evidence: tuple[Evidence, ...] = ()
        if any_score >= thresholds.unsure:
            evidence = self.moved(reading, [right for right in LABELS if scores[right] >= thresholds.right])
        return SecondOpinion(
            scores=scores, any_score=any_score, evidence=evidence, thresholds=thresholds, version=self.version
        )

    def alone(self, reading: str) -> Alone:
        """What the model thinks without the rules."""
        margins = self.margins(reading)
        values = [logistic((margin,)) for logistic, margin in zip(self.calibration.alone, margins, strict=True)]
        return Alone(scores=dict(zip(LABELS, values[:ANY], strict=True)), any_score=values[ANY])

    def margins(self, text: str) -> tuple[float, ...]:
        """How much the words and pairs of a text speak for each column, before calibration; above 0 is for it."""
        lines = [[self._word(token) for token in line] for line in sentences(text)]
        words = {word.plain: word for line in lines for word in line}.values()
        near = {bucket for line in lines for bucket in self._pairs(line)}
        counts = _add([word.sums for word in words])
        word_norm = max(1, sum(word.features for word in words)) ** -0.5
        pair_norm = max(1, len(near)) ** -0.5
        weights = self.weights
        return tuple(
            bias + scale * (letters * word_norm + both * pair_norm)
            for bias, scale, letters, both in zip(
                weights.biases, weights.scales, counts, self._sum_of(near), strict=True
            )
        )

    def moved(self, text: str, rights: Sequence[Right]) -> tuple[Evidence, ...]:
        """The words that spoke most for each right (for any request if none is given), exact in the text."""
        tokens = list(TOKEN.finditer(text[:MAX_CHARACTERS]))
        words = [self._word(token.group().lower()) for token in tokens]
        columns = [LABELS.index(right) for right in rights] or [ANY]
        evidence: list[Evidence] = []
        for column in columns:
            right = str(LABELS[column]) if column != ANY else ""
            for first, last in _strongest(self._shares(words, column)):
                start, end = tokens[first].start(), tokens[last].end()
                evidence.append(Evidence(right=right, rule=RULE, text=text[start:end], start=start, end=end))
        return tuple(evidence)

    def _word(self, token: str) -> _Word:
        word = self._words.get(token)
        if word is None:
            plain = plain_word(token)
            hashes = word_hashes(plain)
            word = _Word(plain, stem_hash(plain), self._sum_of(h & self._mask for h in hashes), len(hashes))
            if len(self._words) >= _REMEMBERED:
                self._words.clear()
            self._words[token] = word
        return word

    def _pairs(self, line: Sequence[_Word]) -> list[int]:
        mask = self._mask
        return [h & mask for h in pair_hashes([word.stem for word in line])]

    def _sum_of(self, buckets: Iterable[int]) -> Sums:
        table, index = self.weights.table, self.weights.index
        starts = [index[bucket] * COLUMNS for bucket in buckets]
        rows = [table[start : start + COLUMNS] for start in starts if start]
        drop = BIAS * len(rows)
        return tuple([total - drop for total in _add(rows)])

    def _shares(self, words: Sequence[_Word], column: int) -> list[float]:
        """How much each word moved a column: its own weights, and half of each pair it stands in."""
        scale = self.weights.scales[column]
        word_norm = scale * max(1, sum(word.features for word in words)) ** -0.5
        pair_norm = scale * max(1, REACH * len(words)) ** -0.5
        shares = [word.sums[column] * word_norm for word in words]
        for distance in range(1, REACH + 1):
            for at in range(len(words) - distance):
                weight = self._pair_weight(words[at], words[at + distance], column) * pair_norm / 2
                shares[at] += weight
                shares[at + distance] += weight
        return shares

    def _pair_weight(self, first: _Word, second: _Word, column: int) -> int:
        bucket = pair_hash(first.stem, second.stem) & self._mask
        return self.weights.table[self.weights.index[bucket] * COLUMNS + column] - BIAS


def _add(rows: Sequence[Sequence[int]]) -> Sums:
    """The rows added up, a number a column."""
    return tuple(map(sum, zip(*rows, strict=True))) if rows else (0,) * COLUMNS


def _strongest(shares: Sequence[float]) -> list[tuple[int, int]]:
    """The words that moved a label most, neighbours joined: first and last place of each run, in reading order."""
    if not shares or max(shares) <= 0:
        return []
    least = max(shares) * _SHOWN
    strong = [at for at, share in enumerate(shares) if share >= least]
    places = sorted(sorted(strong, key=lambda at: -shares[at])[:_WORDS])
    runs: list[tuple[int, int]] = []
    for at in places:
        if runs and at - runs[-1][1] <= 2:
            runs[-1] = (runs[-1][0], at)
        else:
            runs.append((at, at))
    return runs
