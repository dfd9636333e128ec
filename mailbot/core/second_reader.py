"""The second reader: a small linear model beside the rules.

It adds up weights of letter groups, words and pairs of words, learned from labelled mails (`make train`), and so knows
ways of asking that no rule foresaw. It never sees a sender, holds no text, and lifts nothing without showing the words
that moved it. What the weights are is decided in training; here they are only read. The memory of chunks of text (what
stands between white space) and words already met is the only thing that changes.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct, unpack

from mailbot.core.calibration import ANY, COLUMNS, LABELS, Calibration
from mailbot.core.classify import Evidence, RuleOpinion, SecondOpinion
from mailbot.core.recent import Recent
from mailbot.core.rights import Right
from mailbot.core.word_features import (
    ENDS,
    MAX_CHARACTERS,
    PAIR_BOTH,
    PAIR_FIRST,
    PAIR_SHIFT,
    REACH,
    TOKEN,
    plain_word,
    stem_hash,
    tokens,
    word_hashes,
)
from mailbot.core.words import MAX_CHUNK

RULE = "second_reader"  # the rule's name in the evidence
BIAS = 128  # a stored weight is a byte, this much above its value
_REMEMBERED = 8_000  # chunks whose words are kept; as many again that were not met lately
_PAIR_BYTES = 8  # a stem of 32 bits times a constant of 32 stays in its lane
_STEM_BITS = (1 << 32) - 1  # of them count as many as MOST_BUCKETS needs after the shift
MOST_BUCKETS = 1 << 32 - PAIR_SHIFT
_LANES = Struct(f"<{COLUMNS}I")  # the sums of a word side by side in one long integer, so that adding is one step
_LANE = 1 << 15  # added to each lane, so that none is ever negative; a word has less than 100 features of a byte
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


@dataclass(frozen=True, slots=True, eq=False)
class _Word:
    """A word once met: how it counts in pairs, and the sums of its weights."""

    plain: str
    first: bytes  # of its stem, as the first of a pair
    second: bytes  # of its stem, as the second of a pair
    sums: int  # lanes
    features: int
    ends: bool  # a sign that ends a sentence


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
        self._chunks: Recent[tuple[_Word, ...]] = Recent(_REMEMBERED, MAX_CHUNK)
        self._words: Recent[_Word] = Recent(_REMEMBERED, MAX_CHUNK)  # numbers and cases share a plain word
        self._line_end = self._word("\n")

    def opinion(self, reading: str, rules: RuleOpinion) -> SecondOpinion:
        """The calibrated scores of both readers together, with the words that moved this one."""
        margins = self.margins(reading)
        *found, any_score = self.calibration.scores(margins, rules)
        scores, thresholds = dict(zip(LABELS, found, strict=True)), self.calibration.thresholds
        evidence: tuple[Evidence, ...] = ()
        if any_score >= thresholds.unsure:
            least = thresholds.least_named(any_score)
            evidence = self.moved(reading, [right for right in LABELS if scores[right] >= least])
        return SecondOpinion(
            scores=scores, any_score=any_score, evidence=evidence, thresholds=thresholds, version=self.version
        )

    def alone(self, reading: str) -> Alone:
        """What the model thinks without the rules."""
        *scores, any_score = self.calibration.scores_alone(self.margins(reading))
        return Alone(scores=dict(zip(LABELS, scores, strict=True)), any_score=any_score)

    def margins(self, text: str) -> tuple[float, ...]:
        """How much the words and pairs of a text speak for each column, before calibration; above 0 is for it."""
        spoken, ends = self._spoken(self._tokens(text))
        words = {word.plain: word for word in spoken}.values()
        near = _pairs(spoken, ends, self._mask)
        letters = self._sums_of_words(words)
        word_norm = max(1, sum([word.features for word in words])) ** -0.5
        pair_norm = max(1, len(near)) ** -0.5
        weights = self.weights
        return tuple(
            [
                bias + scale * (letter * word_norm + both * pair_norm)
                for bias, scale, letter, both in zip(
                    weights.biases, weights.scales, letters, self._sum_of(near), strict=True
                )
            ]
        )

    def moved(self, text: str, rights: Sequence[Right]) -> tuple[Evidence, ...]:
        """The words that spoke most for each right (for any request if none is given), exact in the text."""
        places = list(TOKEN.finditer(text[:MAX_CHARACTERS]))
        words = self._tokens(text)
        columns = [LABELS.index(right) for right in rights] or [ANY]
        evidence: list[Evidence] = []
        for column, shares in zip(columns, self._shares(words, columns), strict=True):
            right = str(LABELS[column]) if column != ANY else ""
            for first, last in _strongest(shares):
                start, end = places[first].start(), places[last].end()
                evidence.append(Evidence(right=right, rule=RULE, text=text[start:end], start=start, end=end))
        return tuple(evidence)

    def _tokens(self, text: str) -> list[_Word]:
        """Every token of the text, each chunk taken apart once."""
        found: list[_Word] = []
        get = self._chunks.get
        for line in text[:MAX_CHARACTERS].split("\n"):
            for chunk in line.split():
                known = get(chunk)
                found += self._chunk(chunk) if known is None else known
            found.append(self._line_end)
        found.pop()
        return found

    def _chunk(self, chunk: str) -> tuple[_Word, ...]:
        found = tokens(chunk)
        words = {token: self._word(token) for token in set(found)}
        return self._chunks.keep(chunk, tuple([words[token] for token in found]))

    def _spoken(self, found: Sequence[_Word]) -> tuple[list[_Word], list[int]]:
        """The words, and after how many of them each sentence ends (see `word_features.sentences`)."""
        words: list[_Word] = []
        ends = [0]
        for word in found:
            if not word.ends:
                words.append(word)
            elif len(words) > ends[-1]:
                if word.plain == "?":
                    words.append(word)
                ends.append(len(words))
        ends.append(len(words))
        return words, ends

    def _word(self, token: str) -> _Word:
        plain = plain_word(token)
        known = self._words.get(plain)
        return self._words.keep(plain, self._new_word(plain)) if known is None else known

    def _new_word(self, plain: str) -> _Word:
        hashes = word_hashes(plain)
        stem = stem_hash(plain)
        sums = [total + _LANE for total in self._sum_of([h & self._mask for h in hashes])]
        return _Word(
            plain=plain,
            first=(stem * PAIR_FIRST & _STEM_BITS).to_bytes(_PAIR_BYTES, "little"),
            second=stem.to_bytes(_PAIR_BYTES, "little"),
            sums=int.from_bytes(_LANES.pack(*sums), "little"),
            features=len(hashes),
            ends=plain in ENDS,
        )

    def _sums_of_words(self, words: Collection[_Word]) -> Sums:
        lanes = sum([word.sums for word in words]).to_bytes(_LANES.size, "little")
        added = _LANE * len(words)
        return tuple([total - added for total in _LANES.unpack(lanes)])

    def _sum_of(self, buckets: Collection[int]) -> Sums:
        table, index = self.weights.table, self.weights.index
        rows = [table[row * COLUMNS : row * COLUMNS + COLUMNS] for row in map(index.__getitem__, buckets) if row]
        together, drop = b"".join(rows), BIAS * len(rows)
        return tuple([sum(together[column::COLUMNS]) - drop for column in range(COLUMNS)])

    def _shares(self, words: Sequence[_Word], columns: Sequence[int]) -> list[list[float]]:
        """How much each word moved each column: its own weights, and half of each pair it stands in."""
        word_norm = max(1, sum([word.features for word in words])) ** -0.5
        pair_norm = max(1, REACH * len(words)) ** -0.5
        own = [self._sums_of_words([word]) for word in words]
        pairs = self._rows_of_pairs(words)
        table = self.weights.table
        found: list[list[float]] = []
        for column in columns:
            scale = self.weights.scales[column]
            word_weight, pair_weight = scale * word_norm, scale * pair_norm
            shares = [sums[column] * word_weight for sums in own]
            for at, other, start in pairs:
                weight = (table[start + column] - BIAS) * pair_weight / 2
                shares[at] += weight
                shares[other] += weight
            found.append(shares)
        return found

    def _rows_of_pairs(self, words: Sequence[_Word]) -> list[tuple[int, int, int]]:
        """The pairs that hold something: places of both words, and where their row begins."""
        index = self.weights.index
        return [
            (at, at + distance, row * COLUMNS)
            for distance, buckets in enumerate(_buckets(words, self._mask), 1)
            for at, row in enumerate(map(index.__getitem__, buckets))
            if row
        ]


def _pairs(words: Sequence[_Word], ends: Sequence[int], mask: int) -> set[int]:
    """The buckets of the pairs near each other in one sentence."""
    found: set[int] = set()
    for distance, buckets in enumerate(_buckets(words, mask), 1):
        for start, end in pairwise(ends):
            if end - distance > start:
                found.update(buckets[start : end - distance])
    return found


def _buckets(words: Sequence[_Word], mask: int) -> Iterator[tuple[int, ...]]:
    """The bucket of each word with the next, with the one after that, and so on up to REACH.

    `word_features.pair_hash` of all pairs of a distance at once: every pair has a lane of its own in a long integer.
    """
    firsts = int.from_bytes(b"".join([word.first for word in words]), "little")
    seconds = int.from_bytes(b"".join([word.second for word in words]), "little")
    size = len(words) * _PAIR_BYTES
    masks = int.from_bytes(mask.to_bytes(_PAIR_BYTES, "little") * len(words), "little")
    for distance in range(1, REACH + 1):
        hashes = (firsts ^ seconds >> 8 * _PAIR_BYTES * distance) * PAIR_BOTH >> PAIR_SHIFT & masks
        yield unpack(f"<{len(words)}Q", hashes.to_bytes(size, "little"))[: max(0, len(words) - distance)]


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
