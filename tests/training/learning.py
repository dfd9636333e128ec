"""Learning: hashed features to a ridge classifier, and its margins for mails of hands it has not learned from.

The classifier is linear (regularised least squares, Rifkin & Klautau 2004), solved in the dual: one inverse of the
kernel gives the weights and, in closed form, the margins of every hand as if it had been left out. A feature counts
only if two batches hold it, so that a name or an address met in one is worth nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg as linalg
import scipy.sparse as sparse

from mailbot.core.calibration import COLUMNS
from mailbot.core.second_reader import BIAS
from mailbot.core.word_features import pair_hashes, plain_word, sentences, stem_hash, word_hashes

BUCKETS = 1 << 21  # many, so that few features meet by chance; most stay empty and cost four bytes
RIDGE = 1.0
WORD_WEIGHT = 2.5  # a whole word beside its letter groups
PAIR_WEIGHT = 1.3  # a pair of words beside the letter groups
_KERNEL_SIZE = 2.75  # mean of the kernel's diagonal; RIDGE is chosen for it
_STEPS = 127  # of a quantised weight, on each side of zero


@dataclass(frozen=True, kw_only=True)
class Features:
    """A row for each mail as the reader sums it up, and how much each bucket is worth before learning."""

    rows: sparse.csr_matrix
    worth: np.ndarray  # 0 for a bucket that only one batch holds


@dataclass(frozen=True, kw_only=True)
class Learned:
    """Weights of each bucket and column, biases, and out-of-hand margins."""

    weights: np.ndarray  # buckets x columns
    biases: np.ndarray
    margins: np.ndarray  # mails x columns, each from the mails of other hands


def features(readings: Sequence[str], batches: Sequence[str]) -> Features:
    """The features of every reading, weighed by rarity."""
    indices: list[int] = []
    values: list[float] = []
    ends = [0]
    kind = np.ones(BUCKETS, np.float32)
    cache: dict[str, tuple[list[int], int]] = {}
    for reading in readings:
        words: dict[str, None] = {}
        near: set[int] = set()
        for line in sentences(reading):
            plain = [plain_word(token) for token in line]
            words.update(dict.fromkeys(plain))
            near.update(h % BUCKETS for h in pair_hashes([stem_hash(word) for word in plain]))
        letters: list[int] = []
        for word in words:
            if word not in cache:
                hashes = [h % BUCKETS for h in word_hashes(word)]
                cache[word] = (hashes, hashes[-1])
            letters.extend(cache[word][0])
            kind[cache[word][1]] = WORD_WEIGHT
        kind[list(near)] = PAIR_WEIGHT
        indices += letters + sorted(near)
        values += [max(1, len(letters)) ** -0.5] * len(letters) + [max(1, len(near)) ** -0.5] * len(near)
        ends.append(len(indices))
    rows = sparse.csr_matrix((np.array(values, np.float32), indices, ends), shape=(len(readings), BUCKETS))
    rows.sum_duplicates()
    return Features(rows=rows, worth=_worth(rows, batches, kind))


def _worth(rows: sparse.csr_matrix, batches: Sequence[str], kind: np.ndarray) -> np.ndarray:
    present = rows.copy()
    present.data = np.ones_like(present.data)
    in_mails = np.asarray(present.sum(0)).ravel()
    names = sorted(set(batches))
    member = sparse.csr_matrix(
        (np.ones(len(batches)), ([names.index(b) for b in batches], range(len(batches)))), dtype=np.float32
    )
    in_batches = np.asarray(((member @ present) > 0).sum(0)).ravel()
    rarity = np.log((rows.shape[0] + 1) / (in_mails + 1)) + 1
    worth = np.where(in_batches >= 2, rarity * kind, 0.0)
    size = (rows @ sparse.diags(worth)).power(2).sum(1).mean()
    return worth * (_KERNEL_SIZE / size) ** 0.5


def learn(found: Features, targets: np.ndarray, hands: Sequence[str]) -> Learned:
    """Fits all columns on all mails, and tells the margins with each hand left out."""
    scaled = (found.rows @ sparse.diags(found.worth)).tocsr()
    kernel = (scaled @ scaled.T).toarray().astype(np.float64) + 1.0  # the 1 is the bias
    kernel[np.diag_indices(len(kernel))] += RIDGE
    inverse = _inverse(kernel)
    signs = targets * 2.0 - 1.0
    dual = inverse @ signs
    margins = np.empty_like(dual)
    for hand in sorted(set(hands)):
        one = np.array([i for i, h in enumerate(hands) if h == hand])
        margins[one] = signs[one] - np.linalg.solve(inverse[np.ix_(one, one)], dual[one])
    weights = (scaled.T @ dual) * found.worth[:, None]
    return Learned(weights=np.asarray(weights), biases=dual.sum(0), margins=margins)


def _inverse(matrix: np.ndarray) -> np.ndarray:
    factor, trouble = linalg.lapack.dpotrf(matrix, lower=1, overwrite_a=1)
    inverse, more = linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    if trouble or more:
        raise ArithmeticError(f"the kernel has no inverse ({trouble}, {more})")
    lower = np.tril(inverse)
    return lower + np.tril(inverse, -1).T


def quantised(weights: np.ndarray) -> tuple[list[int], bytes, list[float]]:
    """The buckets that hold something, their weights as bytes, a row each, and what a step is worth in each column."""
    if weights.shape != (BUCKETS, COLUMNS):
        raise ValueError(f"a table of shape {weights.shape}")
    held = np.flatnonzero(np.abs(weights).sum(1))
    scales = np.quantile(np.abs(weights[held]), 1 - 1e-4, axis=0) / _STEPS
    steps = np.clip(np.rint(weights[held] / scales), -_STEPS, _STEPS).astype(np.int16)
    said = np.abs(steps).sum(1) > 0
    rows = (steps[said] + BIAS).astype(np.uint8).tobytes()
    return [int(bucket) for bucket in held[said]], rows, [float(scale) for scale in scales]
