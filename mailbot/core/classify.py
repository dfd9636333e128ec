"""Rules and words to a verdict with its evidence.

A verdict is a proposal to people, never an act (GDPR 22 does not arise, law 7).
"""

from dataclasses import dataclass, field
from enum import StrEnum

from mailbot.core.rights import Right


class Kind(StrEnum):
    """What a message is, as far as its words tell."""

    REQUEST = "request"
    UNSURE = "unsure"
    NOT_REQUEST = "not_request"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One reason for a right or a flag. `start` and `end` count characters of the reading (see `reading_of`)."""

    right: str  # a Right, or "" for evidence that concerns no right (a flag, a counter-concept)
    rule: str  # the rule's name, "second_reader" for the linear model
    text: str  # exactly the words found
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a message asks for, and why."""

    kind: Kind
    rights: tuple[Right, ...] = ()
    scores: dict[Right, float] = field(default_factory=dict)  # 0..1, calibrated
    evidence: tuple[Evidence, ...] = ()
    flags: tuple[str, ...] = ()  # third_party, child, deceased, authority, breach, complaint, ...
    language: str = ""  # ISO 639-1, or "unknown"
    rules_version: str = ""
