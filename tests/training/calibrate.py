"""Calibration: logistic functions from margins and rule scores to probabilities, and the thresholds of a verdict.

Everything is fitted on margins for mails of hands that the model has not learned from; what a request asks for, on
requests only. The rules were written with many of these mails in sight and look better on them than they are: mails
that no writer of rules has read weigh more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from mailbot.core.calibration import ANY, COLUMNS, Logistic, any_inputs, right_inputs
from mailbot.core.classify import RuleOpinion
from mailbot.core.rulebook import Thresholds

_FREEDOM = 10.0  # C of the logistic fits: barely held back, they have few numbers

LEAST_REQUEST = 0.5  # no ticket for what is more likely something else
_MOST_REQUEST = 0.56  # from here on the mean F1 hardly rises, and people must look at more


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What the calibrated scores are made of, an array a column."""

    alone: list[np.ndarray]
    together: list[np.ndarray]


def inputs_of(margins: np.ndarray, opinions: Sequence[RuleOpinion]) -> Inputs:
    """The inputs of every mail, made by the product's own functions."""
    rows = [tuple(float(x) for x in row) for row in margins]
    together = [
        np.array([right_inputs(k, row, rules) for row, rules in zip(rows, opinions, strict=True)]) for k in range(ANY)
    ]
    together.append(np.array([any_inputs(row, rules) for row, rules in zip(rows, opinions, strict=True)]))
    return Inputs(alone=[margins[:, [k]] for k in range(COLUMNS)], together=together)


def fit(inputs: Sequence[np.ndarray], targets: np.ndarray, weights: np.ndarray) -> tuple[Logistic, ...]:
    """One logistic function a column: of a right among requests, of any request among all mails."""
    asked = targets[:, ANY] == 1
    among = [asked] * ANY + [np.ones(len(targets), bool)]
    return tuple(_logistic(inputs[k][among[k]], targets[among[k], k], weights[among[k]]) for k in range(COLUMNS))


def _logistic(inputs: np.ndarray, target: np.ndarray, weights: np.ndarray) -> Logistic:
    model = LogisticRegression(C=_FREEDOM, max_iter=1000).fit(inputs, target, sample_weight=weights)
    return Logistic(
        bias=round(float(model.intercept_[0]), 4), weights=tuple(round(float(w), 4) for w in model.coef_[0])
    )


def scores(functions: Sequence[Logistic], inputs: Sequence[np.ndarray]) -> np.ndarray:
    """The probabilities of every mail, a column each; those of the rights are parts of that of any request."""
    found = np.array([[function(row) for row in rows] for function, rows in zip(functions, inputs, strict=True)]).T
    found[:, :ANY] *= found[:, [ANY]]
    return found


def out_of_hand(
    inputs: Sequence[np.ndarray], targets: np.ndarray, weights: np.ndarray, hands: Sequence[str]
) -> np.ndarray:
    """Probabilities by functions fitted on the other hands: what calibration is worth on strangers' mail."""
    result = np.empty(targets.shape)
    owners = np.array(hands)
    for hand in sorted(set(hands)):
        own, others = owners == hand, owners != hand
        functions = fit([column[others] for column in inputs], targets[others], weights[others])
        result[own] = scores(functions, [column[own] for column in inputs])
    return result


def thresholds(
    found: np.ndarray, targets: np.ndarray, *, unread: np.ndarray, missed: float, others: float
) -> Thresholds:
    """Where a score becomes a verdict. No more than `missed` of the requests fall below the lane of the unsure. What is
    a request, and which rights it names, is told from where the mean F1 of the rights is highest on mails that no
    writer of rules has read, when `others` mails that ask nothing come with each request."""
    low = min(float(np.quantile(found[targets[:, ANY] == 1, ANY], missed)), LEAST_REQUEST)
    found, targets = found[unread], targets[unread]
    asked = targets[:, ANY] == 1
    weights = np.where(asked, 1.0, others * asked.sum() / (~asked).sum())
    tried = [
        Thresholds(request=round(float(request), 2), unsure=round(low, 3), right=round(float(share), 2))
        for request in np.arange(LEAST_REQUEST, _MOST_REQUEST, 0.01)
        for share in np.arange(0.3, 0.7, 0.02)
    ]
    return max(tried, key=lambda limits: mean_f1(named(found, limits), targets[:, :ANY], weights))


def named(found: np.ndarray, limits: Thresholds) -> np.ndarray:
    """Which rights a verdict of a request names, from the scores of every mail."""
    scores, asked = found[:, :ANY], found[:, ANY] >= limits.request
    least = np.minimum(limits.right * found[:, ANY], np.maximum(scores.max(1), limits.unsure))
    return (scores >= least[:, None]) & asked[:, None]


def mean_f1(named: np.ndarray, asked: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Mean over the columns of the harmonic mean of precision and recall, mails counted by their weights."""
    counts = np.ones(len(named)) if weights is None else weights
    hits = counts @ (named & (asked == 1))
    return float(np.mean(2 * hits / np.maximum(1, counts @ named + counts @ asked)))
