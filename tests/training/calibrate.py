"""Calibration: logistic functions from margins and rule scores to probabilities, and the thresholds of a verdict.

Everything is fitted on margins for mails of hands that the model has not learned from; what a request asks for, on
requests only. The rules were written with many of these mails in sight and look better on them than they are: mails
that no writer of rules has read weigh more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from mailbot.core.calibration import ANY, COLUMNS, Logistic, any_inputs, right_inputs
from mailbot.core.classify import RuleOpinion
from mailbot.core.rulebook import Thresholds

_FREEDOM = 10.0  # C of the logistic fits: barely held back, they have few numbers

LEAST_REQUEST = 0.5  # no ticket for what is more likely something else


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
    found: np.ndarray, targets: np.ndarray, *, unread: np.ndarray, missed: float, false: float, unsure: float
) -> Thresholds:
    """Where a score becomes a verdict: no more missed than `missed`, no more false than `false`, as long as no more
    than `unsure` of all mail is left to people; where not all can be had, false tickets give way before missed ones.
    Rights are named from the share that is best on mails no writer of rules has read."""
    score, request = found[:, ANY], targets[:, ANY] == 1
    low = min(float(np.quantile(score[request], missed)), 0.5)
    high = max(float(np.quantile(score[~request], 1 - false)), low)
    between = np.sort(score[(score >= low) & (score < high)])
    room = int(unsure * len(score))
    if len(between) > room:
        high = float(between[room])
    high = max(float(high), LEAST_REQUEST)
    return _naming(found[unread], targets[unread], Thresholds(request=round(high, 3), unsure=round(float(low), 3)))


def _naming(found: np.ndarray, targets: np.ndarray, limits: Thresholds) -> Thresholds:
    """The thresholds with the share from which a right is named: where the mean F1 of the rights is highest."""
    tried = [replace(limits, right=round(float(share), 2)) for share in np.arange(0.3, 0.7, 0.02)]
    return max(tried, key=lambda limits: mean_f1(named(found, limits), targets[:, :ANY]))


def named(found: np.ndarray, limits: Thresholds) -> np.ndarray:
    """Which rights a verdict of a request names, from the scores of every mail."""
    scores, asked = found[:, :ANY], found[:, ANY] >= limits.request
    least = np.minimum(limits.right * found[:, ANY], np.maximum(scores.max(1), limits.unsure))
    return (scores >= least[:, None]) & asked[:, None]


def mean_f1(named: np.ndarray, asked: np.ndarray) -> float:
    """Mean over the columns of the harmonic mean of precision and recall."""
    hits = (named & (asked == 1)).sum(0)
    return float(np.mean(2 * hits / np.maximum(1, named.sum(0) + asked.sum(0))))
