"""Two readers, one score: how the rules' scores and the second reader's margins become probabilities.

Logistic functions of very few numbers, fitted on predictions for mails that the model had not learned from, a whole
batch of them left out at a time (Platt 1999; Wolpert 1992, stacked generalization). A score of 0.9 is meant to be
right nine times of ten. Whether a mail asks and what it asks are told apart: the function of a right was fitted on
requests only, and its score is that share of the score of any request. Which thresholds make a request or an unsure
is chosen with them, never by hand.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mailbot.core.classify import RuleOpinion
from mailbot.core.rights import Right
from mailbot.core.rulebook import Thresholds

LABELS: tuple[Right, ...] = tuple(right for right in Right if right is not Right.AUTOMATED_DECISION)
ANY = len(LABELS)  # the column after the rights: any request at all
COLUMNS = len(LABELS) + 1
_STEEPEST = 30.0  # beyond it a float can not tell the score from 0 or 1


@dataclass(frozen=True, kw_only=True)
class Logistic:
    """A probability from a few numbers: 1 / (1 + exp(-(weights . inputs + bias)))."""

    bias: float
    weights: tuple[float, ...]

    def __call__(self, inputs: Sequence[float]) -> float:
        margin = self.bias + sum([w * x for w, x in zip(self.weights, inputs, strict=True)])
        return 1.0 / (1.0 + math.exp(-max(-_STEEPEST, min(_STEEPEST, margin))))


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The fitted functions, one a column, and where a score becomes a verdict."""

    alone: tuple[Logistic, ...]  # of the column's margin
    together: tuple[Logistic, ...]  # of `right_inputs`; the last column of `any_inputs`
    thresholds: Thresholds

    def scores(self, margins: Sequence[float], rules: RuleOpinion) -> tuple[float, ...]:
        """The probability of each column from both readers."""
        shares = [self.together[k](right_inputs(k, margins, rules)) for k in range(ANY)]
        return _parts_of(self.together[ANY](any_inputs(margins, rules)), shares)

    def scores_alone(self, margins: Sequence[float]) -> tuple[float, ...]:
        """The probability of each column from the second reader alone."""
        *shares, asked = (function((margin,)) for function, margin in zip(self.alone, margins, strict=True))
        return _parts_of(asked, shares)


def _parts_of(asked: float, shares: Sequence[float]) -> tuple[float, ...]:
    return (*(asked * share for share in shares), asked)


def right_inputs(column: int, margins: Sequence[float], rules: RuleOpinion) -> tuple[float, ...]:
    """What the score of a right is made of: both readers on it, on any request, and on its strongest rival."""
    right = LABELS[column]
    rival_score = max([score for other, score in rules.scores.items() if other is not right], default=0.0)
    rival_margin = max(*margins[:column], *margins[column + 1 : ANY])
    return (
        margins[column],
        margins[ANY],
        rival_margin,
        rules.scores.get(right, 0.0),
        rules.any_score,
        rival_score,
    )


def any_inputs(margins: Sequence[float], rules: RuleOpinion) -> tuple[float, ...]:
    """What the score of "a request at all" is made of."""
    return (margins[ANY], max(margins[:ANY]), rules.any_score, float(bool(rules.countered)))
