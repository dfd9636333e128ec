"""What each reader is worth, alone and together: `python -m tests.training.report [--held-out | FILE...]`.

Figures are for mails of hands that neither the model nor its calibration has seen (the rules' writers saw many of the
written batches, none of the held-out mails). Names of files of the corpus (`sv-p-01`): their mails judged as in use by
the shipped data file, for new mails before they are learned. `--held-out` does so with the mails that are kept for a
last look: not for tuning.
"""

import sys
from collections.abc import Sequence

import numpy as np

from mailbot.core.calibration import ANY, LABELS
from mailbot.core.classify import Kind, Verdict
from mailbot.core.rulebook import Thresholds
from mailbot.flows.understand import Understanding
from mailbot.gateway.resources import shipped
from mailbot.gateway.rulebook import load_rulebook
from mailbot.gateway.second_reader import load_second_reader
from tests.training.calibrate import mean_f1, named
from tests.training.corpus import OUT_OF_HAND, Mail, read_mails

FIVE = slice(0, 5)
HEAD = f"{'mails':>6}{'F1 five':>9}{'F1 eight':>9}{'missed':>9}{'false':>9}{'unsure':>9}"


def area(score: np.ndarray, truth: np.ndarray) -> float:
    """The area under the curve: how often a request scores above a non-request."""
    order = np.argsort(np.argsort(score)) + 1.0
    for value in np.unique(score):
        same = score == value
        order[same] = order[same].mean()
    asked = truth == 1
    n, m = int(asked.sum()), int((~asked).sum())
    return float((order[asked].sum() - n * (n + 1) / 2) / max(1, n * m))


def ranking_line(name: str, score: np.ndarray, truth: np.ndarray) -> str:
    """How well a score parts requests from other mail, whatever the threshold."""
    asked = truth == 1
    kept = [float((score[~asked] >= np.quantile(score[asked], lost)).mean()) for lost in (0.01, 0.02, 0.05)]
    return f"{name:26}{area(score, truth):8.4f}" + "".join(f"{share:12.1%}" for share in kept)


def verdict_line(name: str, score: np.ndarray, rights: np.ndarray, truth: np.ndarray, limits: Thresholds) -> str:
    """Macro-F1 of the five rights and of all, missed, false and unsure at given thresholds."""
    asked, request, unsure = truth[:, ANY] == 1, limits.request, limits.unsure
    return (
        f"{name:26}{len(score):6}{mean_f1(rights[:, FIVE], truth[:, FIVE]):9.3f}{mean_f1(rights, truth[:, :ANY]):9.3f}"
        f"{(score[asked] < unsure).mean():9.1%}{(score[~asked] >= request).mean():9.1%}"
        f"{((score >= unsure) & (score < request)).mean():9.1%}"
    )


def reliability(found: np.ndarray, truth: np.ndarray) -> list[str]:
    """Among scores of about so much, how many are right: any request, and all rights together."""
    lines = [f"{'score':12}{'requests':>9}{'mean':>8}{'true':>8}{'rights':>10}{'mean':>8}{'true':>8}"]
    pairs = ((found[:, ANY], truth[:, ANY]), (found[:, :ANY].ravel(), truth[:, :ANY].ravel()))
    for low in np.arange(0.0, 1.0, 0.1):
        line = f"{low:.1f} - {low + 0.1:.1f}  "
        for width, (score, asked) in zip((9, 10), pairs, strict=True):
            inside = (score >= low) & (score < low + 0.1 + (low > 0.85))
            values = f"{score[inside].mean():8.3f}{asked[inside].mean():8.3f}" if inside.any() else f"{'-':>8}{'-':>8}"
            line += f"{inside.sum():{width}}{values}"
        lines.append(line)
    return lines


def cross_validated() -> None:
    """Prints the figures on the training mails, each judged by what strange hands taught."""
    with np.load(OUT_OF_HAND) as stored:
        place = {name: number for number, name in enumerate(stored["ids"])}
        mails = [mail for mail in read_mails() if mail.id in place]  # mails written since are left out
        order = [place[mail.id] for mail in mails]
        rules, alone, together = (stored[name][order] for name in ("rules", "alone", "together"))
    truth = np.array([mail.targets for mail in mails])
    limits = load_second_reader(shipped("rules")).calibration.thresholds
    print(f"{'request or not':26}{'area':>8}{'false at 1%':>12}{'at 2%':>12}{'at 5% missed':>12}")
    for name, found in (("rules alone", rules), ("second reader alone", alone), ("both", together)):
        print(ranking_line(name, found[:, ANY], truth[:, ANY]))
    print(f"\n{'verdicts':26}{HEAD}")
    plain = Thresholds()
    rules_named = (rules[:, :ANY] >= plain.right) & (rules[:, [ANY]] >= plain.request)
    print(verdict_line("rules alone", rules[:, ANY], rules_named, truth, plain))
    print(verdict_line("second reader alone", alone[:, ANY], named(alone, limits), truth, limits))
    for name, chosen in [("both", np.ones(len(mails), bool)), *groups(mails)]:
        found = together[chosen]
        print(verdict_line(name, found[:, ANY], named(found, limits), truth[chosen], limits))
    print("\nreliability of both")
    print("\n".join(reliability(together, truth)))


def groups(mails: Sequence[Mail]) -> list[tuple[str, np.ndarray]]:
    """The mails of each language and of each hand."""
    languages = np.array([mail.language if mail.language in {"fi", "sv", "en"} else "other" for mail in mails])
    hands = np.array([mail.hand for mail in mails])
    found = [(name, languages == name) for name in ("fi", "sv", "en", "other")]
    return found + [(name, hands == name) for name in sorted(set(hands))]


def in_use(mails: Sequence[Mail]) -> None:
    """Prints the figures on mails that the shipped data file has not learned, judged as in use."""
    rulebook = load_rulebook(shipped("rules"))
    reader = load_second_reader(shipped("rules"))
    truth = np.array([mail.targets for mail in mails])
    print(f"{'as in use':26}{HEAD}{'language':>9}{'five, unsure too':>17}")
    for name, second in (("rules alone", None), ("both", reader)):
        understanding = Understanding(rulebook=rulebook, second_reader=second)
        verdicts = [understanding.judge(mail.message) for mail in mails]
        for language in (None, "fi", "sv", "en"):
            chosen = [i for i, mail in enumerate(mails) if language in (None, mail.language)]
            if chosen:
                print(in_use_line(f"{name} {language or ''}", [(mails[i], verdicts[i]) for i in chosen]))
        if second:
            score = np.array([verdict.request_score for verdict in verdicts])
            print(f"area under the curve {area(score, truth[:, ANY]):.4f}")
    opinions = [reader.alone(mail.reading) for mail in mails]
    alone = np.array([[*opinion.scores.values(), opinion.any_score] for opinion in opinions])
    limits = reader.calibration.thresholds
    print(verdict_line("second reader alone", alone[:, ANY], named(alone, limits), truth, limits))
    print(f"area under the curve {area(alone[:, ANY], truth[:, ANY]):.4f}")


def in_use_line(name: str, judged: Sequence[tuple[Mail, Verdict]]) -> str:
    """The figures of verdicts as the product gives them."""
    kinds = np.array([verdict.kind.value for _, verdict in judged])
    asked = np.array([mail.request for mail, _ in judged])
    truth = np.array([mail.targets[:ANY] for mail, _ in judged])
    named = np.array([[right in v.rights and v.kind is Kind.REQUEST for right in LABELS] for _, v in judged])
    either = np.array([[right in v.rights for right in LABELS] for _, v in judged])  # of requests and unsure mails
    language = np.mean([mail.language == verdict.language for mail, verdict in judged])
    return (
        f"{name:26}{len(judged):6}{mean_f1(named[:, FIVE], truth[:, FIVE]):9.3f}{mean_f1(named, truth):9.3f}"
        f"{(kinds[asked] == Kind.NOT_REQUEST).mean():9.1%}{(kinds[~asked] == Kind.REQUEST).mean():9.1%}"
        f"{(kinds == Kind.UNSURE).mean():9.1%}{language:9.1%}{mean_f1(either[:, FIVE], truth[:, FIVE]):17.3f}"
    )


if __name__ == "__main__":
    asked_for = sys.argv[1:]
    if asked_for == ["--held-out"]:
        in_use(read_mails(["held_out"]))
    elif asked_for:
        in_use([mail for mail in read_mails(["own"]) if mail.batch in asked_for])
    else:
        cross_validated()
