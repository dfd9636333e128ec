"""How well labelled mails are judged: per right and language, with every error by name.

A labelled mail is one JSON line: id, lang, subject, body, labels, request. Reading the files is all that is done here
beside counting; printing is the command line's (`mailbot rules test`).
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mailbot.core.classify import Kind, Verdict
from mailbot.core.rights import Right
from mailbot.errors import BadInputError
from mailbot.flows.understand import Understanding
from mailbot.mail.parse import read_text

FIVE = (Right.ACCESS, Right.RECTIFICATION, Right.ERASURE, Right.RESTRICTION, Right.REGISTER_DESCRIPTION)


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """One mail with what a person says about it."""

    id: str
    language: str
    subject: str
    body: str
    labels: frozenset[str]
    request: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One labelled mail and the verdict on it."""

    mail: Labelled
    verdict: Verdict

    @property
    def missed(self) -> bool:
        """A request that nobody would see."""
        return self.mail.request and self.verdict.kind is Kind.NOT_REQUEST

    @property
    def false(self) -> bool:
        """A ticket for mail that is none of our business."""
        return not self.mail.request and self.verdict.kind is Kind.REQUEST

    @property
    def unsure(self) -> bool:
        """Left to a person to decide."""
        return self.verdict.kind is Kind.UNSURE

    @property
    def named(self) -> frozenset[str]:
        """The rights named, of requests and of unsure mails alike."""
        return frozenset(str(right) for right in self.verdict.rights)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Counts of one right (or of one language)."""

    hits: int = 0
    wrong: int = 0  # named where it is not asked for
    lost: int = 0  # asked for and not named

    @property
    def precision(self) -> float:
        """Share of the named that is right; 1 when none is named."""
        return self.hits / (self.hits + self.wrong) if self.hits + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of the asked that is named; 1 when none is asked."""
        return self.hits / (self.hits + self.lost) if self.hits + self.lost else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = 2 * self.hits + self.wrong + self.lost
        return 2 * self.hits / total if total else 1.0


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result on a set of labelled mails."""

    judged: tuple[Judged, ...]
    seconds: float = field(default=0.0, compare=False)  # for judging alone

    def figures(self, right: str, language: str | None = None) -> Figures:
        """Counts of one right, in one language or in all; rights named in an unsure verdict count as named."""
        hits = wrong = lost = 0
        for item in self._of(language):
            asked, named = right in item.mail.labels, right in item.named
            hits, wrong, lost = hits + (asked and named), wrong + (named and not asked), lost + (asked and not named)
        return Figures(hits=hits, wrong=wrong, lost=lost)

    def macro_f1(self, language: str | None = None) -> float:
        """Mean F1 of the five rights of the statute's card."""
        return sum(self.figures(right, language).f1 for right in FIVE) / len(FIVE)

    def count(self, of: Callable[[Judged], bool], language: str | None = None) -> int:
        """How many mails are so."""
        return sum(of(item) for item in self._of(language))

    def share(
        self, of: Callable[[Judged], bool], among: Callable[[Judged], bool], language: str | None = None
    ) -> float:
        """Which share of some mails is so; 0 when there are none."""
        chosen = [item for item in self._of(language) if among(item)]
        return sum(of(item) for item in chosen) / len(chosen) if chosen else 0.0

    def languages(self) -> tuple[str, ...]:
        """Languages of the labels, commonest first."""
        counts: dict[str, int] = {}
        for item in self.judged:
            counts[item.mail.language] = counts.get(item.mail.language, 0) + 1
        return tuple(sorted(counts, key=lambda language: -counts[language]))

    def errors(self) -> tuple[Judged, ...]:
        """Missed, false, and requests whose rights are named otherwise."""
        return tuple(
            item
            for item in self.judged
            if item.missed or item.false or (item.verdict.kind is Kind.REQUEST and item.named != item.mail.labels)
        )

    def _of(self, language: str | None) -> Iterable[Judged]:
        return (item for item in self.judged if language is None or item.mail.language == language)


def read_labelled(paths: Sequence[Path]) -> list[Labelled]:
    """The labelled mails of JSON Lines files. Raises BadInputError with file and line."""
    mails: list[Labelled] = []
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInputError(f"{path} can not be read: {error}") from error
        for number, line in enumerate(lines, 1):
            if line.strip():
                mails.append(_labelled(line, f"{path}:{number}"))
    return mails


def _labelled(line: str, place: str) -> Labelled:
    try:
        data = json.loads(line)
        labels = frozenset(data["labels"])
        return Labelled(
            id=str(data.get("id", place)),
            language=str(data["lang"]),
            subject=str(data.get("subject") or ""),
            body=str(data["body"]),
            labels=labels,
            request=bool(data.get("request", bool(labels))),
            note=str(data.get("note") or ""),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadInputError(f"{place}: not a labelled mail ({error!r})", "One JSON object a line") from error


def evaluate(paths: Sequence[Path], understanding: Understanding, *, language: str | None = None) -> Report:
    """Judges every labelled mail of the files, of one language or of all."""
    chosen = [mail for mail in read_labelled(paths) if language in (None, mail.language)]
    messages = [(mail, read_text(mail.subject, mail.body, patterns=understanding.patterns)) for mail in chosen]
    begun = time.perf_counter()
    judged = tuple(Judged(mail=mail, verdict=understanding.judge(message)) for mail, message in messages)
    return Report(judged=judged, seconds=time.perf_counter() - begun)


def lines(report: Report, *, errors: bool = False) -> Iterable[str]:
    """The report as lines of text."""
    yield f"{'language':24}{'mails':>6}{'macroF1':>9}{'missed':>8}{'false':>7}{'unsure':>8}{'lang ok':>9}"
    for language in (None, *report.languages()):
        yield _language_line(report, language)
    yield ""
    yield f"{'right':24}{'precision':>10}{'recall':>8}{'F1':>7}{'asked':>7}"
    for right in Right:
        figures = report.figures(right)
        if figures.hits + figures.wrong + figures.lost:
            asked = figures.hits + figures.lost
            yield f"{right:24}{figures.precision:10.3f}{figures.recall:8.3f}{figures.f1:7.3f}{asked:7}"
    if report.seconds:
        yield f"{len(report.judged) / report.seconds:.0f} mails a second"
    if errors:
        yield from (_error_line(item) for item in report.errors())


def _language_line(report: Report, language: str | None) -> str:
    mails = report.count(lambda _: True, language)
    requests = report.count(lambda item: item.mail.request, language)
    missed = report.count(lambda item: item.missed, language)
    false = report.count(lambda item: item.false, language)
    right_language = report.share(lambda item: item.verdict.language == item.mail.language, lambda _: True, language)
    unsure = report.share(lambda item: item.unsure, lambda _: True, language)
    return (
        f"{language or 'all':24}{mails:6}{report.macro_f1(language):9.3f}{missed / max(1, requests):8.1%}"
        f"{false / max(1, mails - requests):7.1%}{unsure:8.1%}{right_language:9.1%}"
    )


def _error_line(item: Judged) -> str:
    what = "MISSED" if item.missed else "FALSE" if item.false else "OTHER"
    text = f"{item.mail.subject} || {item.mail.body}".replace("\n", " / ")[:400]
    asked, named = ",".join(sorted(item.mail.labels)) or "-", ",".join(sorted(item.named)) or "-"
    why = ", ".join(dict.fromkeys(f"{e.rule}[{e.text}]".replace("\n", " ") for e in item.verdict.evidence))
    return f"{what} {item.mail.id} asked {asked} named {named} | {text}\n    {why}"
