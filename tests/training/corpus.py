"""The labelled mails as the product reads them, and which of them one hand wrote.

A hand is never on both sides of a cross-validation: each file of `written/` is one hand, and so are our own files
of one language (and letter) are one. `held_out/` is asked for by name only, for the last look.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mailbot.core.calibration import LABELS
from mailbot.core.classify import RuleOpinion, reading_of
from mailbot.core.message import Message
from mailbot.flows.understand import Understanding
from mailbot.gateway.reading_rules import load_reading_patterns
from mailbot.gateway.resources import shipped
from mailbot.gateway.rulebook import load_rulebook
from mailbot.mail.parse import read_text

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
OUT_OF_HAND = CORPUS.parent.parent / "var" / "out_of_hand.npz"  # of the last training, for the report
_OWN = re.compile(r"(fi|sv|en|other)-([a-z]?)-?\d+$")
_OWN_HANDS = {"fi": "own fi", "sv": "own sv", "en": "own en", "other": "own en"}


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One labelled mail, read."""

    id: str
    folder: str
    batch: str  # the file it stands in
    hand: str  # who wrote it
    language: str
    message: Message
    reading: str
    labels: frozenset[str]
    request: bool

    @property
    def file(self) -> str:
        """Where it stands, without the ending: "own/sv-k-01"."""
        return f"{self.folder}/{self.batch}"

    @property
    def targets(self) -> list[int]:
        """1 or 0 a column: the rights, then any request."""
        return [int(str(right) in self.labels) for right in LABELS] + [int(self.request)]


def read_mails(folders: Sequence[str] = ("written", "own")) -> list[Mail]:
    """The mails of folders of the corpus, in the order of file names and lines."""
    patterns = load_reading_patterns(shipped("rules"))
    mails: list[Mail] = []
    for folder in folders:
        for path in sorted((CORPUS / folder).glob("*.jsonl")):
            own = _OWN.match(path.stem)
            hand = f"{_OWN_HANDS[own[1]]} {own[2]}".rstrip() if own else path.stem
            for line in path.read_text(encoding="utf-8").splitlines():
                data = json.loads(line)
                message = read_text(data["subject"] or "", data["body"], data["from"], patterns)
                mails.append(
                    Mail(
                        id=data["id"], folder=folder, batch=path.stem, hand=hand, language=data["lang"],
                        message=message, reading=reading_of(message),
                        labels=frozenset(data["labels"]), request=data["request"],
                    )
                )  # fmt: skip
    return mails


def rule_opinions(mails: Sequence[Mail]) -> list[RuleOpinion]:
    """What the rules alone see in each mail, as in use."""
    rulebook = load_rulebook(shipped("rules"))
    understanding = Understanding(rulebook=rulebook)
    return [
        understanding.rule_opinion(
            mail.reading,
            understanding.guess(mail.reading),
            subject_length=len(mail.message.subject),
        )
        for mail in mails
    ]
