"""Trains the second reader and calibrates it with the rules: `python -m tests.training.train`.

Reads `tests/corpus/{written,own}` and the rules, writes `rules/second_reader.bin` and, for the report,
`var/out_of_hand.npz`. The same mails and rules give the same file. Nothing of `held_out` is touched.
"""

import re
import time

import numpy as np
from threadpoolctl import threadpool_limits

from mailbot.core.calibration import LABELS, Logistic
from mailbot.gateway.resources import shipped
from mailbot.gateway.second_reader import FILE, write_second_reader
from tests.training import calibrate
from tests.training.corpus import OUT_OF_HAND, read_mails, rule_opinions
from tests.training.learning import BUCKETS, features, learn, quantised

MISSED = 0.01  # of the requests, on mails of strange hands: below it nothing is even unsure
OTHERS = 1.5  # mails that ask nothing for each request: here they are one for one, in any mailbox they are more
UNREAD = re.compile(r"own/((fi|sv|en)-[kqrs]|[a-z]+-p-\d*[02468]$)")  # files that no writer of rules worked on
READ_WEIGHT = 0.1  # how much the others count in the calibration: the rules look better on them than they are


def train() -> None:
    """Learns, calibrates, writes."""
    begun = time.perf_counter()
    mails = read_mails()
    hands = [mail.hand for mail in mails]
    targets = np.array([mail.targets for mail in mails])
    found = features([mail.reading for mail in mails], [mail.batch for mail in mails])
    learned = learn(found, targets, hands)
    print(f"{len(mails)} mails learned, {time.perf_counter() - begun:.0f} s", flush=True)
    opinions = rule_opinions(mails)
    inputs = calibrate.inputs_of(learned.margins, opinions)
    weights = np.array([1.0 if UNREAD.match(mail.file) else READ_WEIGHT for mail in mails])
    strange = calibrate.out_of_hand(inputs.together, targets, weights, hands)
    alone = calibrate.out_of_hand(inputs.alone, targets, weights, hands)
    limits = calibrate.thresholds(strange, targets, unread=weights == 1.0, missed=MISSED, others=OTHERS)
    buckets, rows, scales = quantised(learned.weights)
    header = {
        "labels": [str(right) for right in LABELS],
        "mails": len(mails),
        "buckets": BUCKETS,
        "scales": scales,
        "biases": [round(float(bias), 6) for bias in learned.biases],
        "alone": [_numbers(f) for f in calibrate.fit(inputs.alone, targets, weights)],
        "together": [_numbers(f) for f in calibrate.fit(inputs.together, targets, weights)],
        "thresholds": {"request": limits.request, "unsure": limits.unsure, "right": limits.right},
    }
    path = shipped("rules") / FILE
    write_second_reader(path, buckets, rows, header)
    OUT_OF_HAND.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        OUT_OF_HAND, ids=[m.id for m in mails], margins=learned.margins.astype(np.float32),
        together=strange, alone=alone,
        rules=np.array([[o.scores.get(r, 0.0) for r in LABELS] + [o.any_score] for o in opinions]),
    )  # fmt: skip
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {limits}, {time.perf_counter() - begun:.0f} s")


def _numbers(function: Logistic) -> list[float]:
    return [function.bias, *function.weights]


if __name__ == "__main__":
    with threadpool_limits(1):  # sums in one order: as many processors as there may be, the same file
        train()
