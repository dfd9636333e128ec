"""Rules and words to a verdict with its evidence.

A verdict is a proposal to people, never an act (GDPR 22 does not arise, law 7). Every score comes from words that are
shown with their place in the reading. Flags never choose a right. The second reader is asked through `SecondOpinion`
and can lift, name or doubt, but a verdict without evidence does not exist. Nothing here knows a language or a file:
that is the rulebook.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mailbot.core.message import Message
from mailbot.core.reader import Found, Reader
from mailbot.core.rights import Right
from mailbot.core.rulebook import ANY, LanguageRules, Rulebook, Thresholds

TRIAGE_FLAGS = frozenset({"authority", "police", "breach", "complaint"})  # without a right: unsure, never dropped
_FOLDED_WEIGHT = 0.97  # words found only without their diacritics, or with a slip, count a little less


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
    rules_version: str = ""  # of the rules, and after a "+" of what the second reader learned
    request_score: float = 0.0  # 0..1: belief that the message is a request at all; 0.5 when nothing speaks


@dataclass(frozen=True, kw_only=True)
class SecondOpinion:
    """What the second reader thinks of the same reading."""

    scores: Mapping[Right, float]  # probability of each right
    any_score: float  # probability that it is a request at all
    evidence: tuple[Evidence, ...] = ()  # the words that moved it most, rule "second_reader"
    thresholds: Thresholds | None = None  # chosen together with the calibration; None: the rulebook's
    version: str = ""  # of what the second reader learned


@dataclass(frozen=True, kw_only=True)
class RuleOpinion:
    """What the rules alone see, before anything is decided."""

    scores: Mapping[Right, float]
    any_score: float  # of the best rule, counter-concepts counted
    doubt: float = 1.0  # what counter-concepts leave of an unspoken suspicion
    evidence: tuple[Evidence, ...] = ()
    held_back: tuple[Evidence, ...] = ()  # rules that a negation or a counter-concept stopped
    flags: tuple[str, ...] = ()
    countered: tuple[str, ...] = ()  # counter-concepts that spoke

    @property
    def request_belief(self) -> float:
        """0..1: 0.5 when the rules know nothing, less when counter-concepts spoke, more when rules fired."""
        return self.any_score + (1.0 - self.any_score) * 0.5 * self.doubt


def reading_of(message: Message) -> str:
    """What is read of a message: subject, what the writer wrote, and what they forwarded (content, not history)."""
    parts = [message.subject, message.visible_text]
    if message.forwarded_text:
        parts.append(message.forwarded_text)
    return "\n".join(parts)


def read_by_rules(reading: str, rules: LanguageRules, *, subject_length: int = 0) -> RuleOpinion:
    """What the rules of one language find in a reading."""
    reader = Reader(rules, reading, subject_length=subject_length)
    found, held = reader.find_rules()
    counters = reader.find_counters()
    evidence = [_evidence(reader, item, item.rule.right) for item in found]
    marks = [_evidence(reader, item, "") for item in counters]
    flags = reader.find_flags()
    marks += [_evidence(reader, item, "") for item in flags]
    return RuleOpinion(
        scores=_right_scores(found, counters),
        any_score=_any_score(found, counters),
        doubt=min((item.rule.factor for item in counters), default=1.0),
        evidence=(*evidence, *marks),
        held_back=tuple(_evidence(reader, item, item.rule.right) for item in held),
        flags=tuple(dict.fromkeys(item.rule.flag for item in flags)),
        countered=tuple(dict.fromkeys(item.rule.name for item in counters)),
    )


def merge(opinions: list[RuleOpinion]) -> RuleOpinion:
    """One opinion from the rules of several languages over the same reading: the stronger word counts."""
    scores: dict[Right, float] = {}
    for opinion in opinions:
        for right, score in opinion.scores.items():
            scores[right] = max(score, scores.get(right, 0.0))
    return RuleOpinion(
        scores=scores,
        any_score=max((opinion.any_score for opinion in opinions), default=0.0),
        doubt=min((opinion.doubt for opinion in opinions), default=1.0),
        evidence=tuple(dict.fromkeys(item for opinion in opinions for item in opinion.evidence)),
        held_back=tuple(dict.fromkeys(item for opinion in opinions for item in opinion.held_back)),
        flags=tuple(dict.fromkeys(flag for opinion in opinions for flag in opinion.flags)),
        countered=tuple(dict.fromkeys(name for opinion in opinions for name in opinion.countered)),
    )


def decide(
    rules: RuleOpinion, *, language: str, version: str, thresholds: Thresholds, second: SecondOpinion | None = None
) -> Verdict:
    """The verdict of both readers; `second` holds scores already calibrated together with the rules' scores."""
    if second is None:
        scores, best, belief = dict(rules.scores), rules.any_score, rules.request_belief
        least = thresholds.right if best >= thresholds.request else thresholds.unsure
    else:
        scores, best, belief = dict(second.scores), second.any_score, second.any_score
        thresholds = second.thresholds or thresholds
        least = thresholds.least_named(best)
    if best >= thresholds.request:
        kind = Kind.REQUEST
    elif best >= thresholds.unsure or TRIAGE_FLAGS.intersection(rules.flags):
        kind = Kind.UNSURE
    else:
        kind = Kind.NOT_REQUEST
    return Verdict(
        kind=kind,
        rights=_named(scores, kind, thresholds, least),
        scores={right: round(score, 4) for right, score in scores.items() if score > 0},
        evidence=rules.evidence + (second.evidence if second else ()),
        flags=rules.flags,
        language=language,
        rules_version=f"{version}+{second.version}" if second and second.version else version,
        request_score=round(belief, 4),
    )


def _named(scores: Mapping[Right, float], kind: Kind, thresholds: Thresholds, least: float) -> tuple[Right, ...]:
    """The rights of a verdict; a request whose rights all score low is named after the best of them."""
    if kind is Kind.NOT_REQUEST or not scores:
        return ()
    if kind is Kind.REQUEST:
        least = min(least, max(*scores.values(), thresholds.unsure))
    return tuple(right for right in Right if scores.get(right, 0.0) >= least)


def classify(
    reading: str,
    language: str,
    rulebook: Rulebook,
    second: SecondOpinion | None = None,
    *,
    subject_length: int = 0,
) -> Verdict:
    """The verdict on one reading in a known language."""
    rules = rulebook.for_language(language)
    opinion = read_by_rules(reading, rules, subject_length=subject_length) if rules else merge([])
    return decide(opinion, language=language, version=rulebook.version, thresholds=rulebook.thresholds, second=second)


def _evidence(reader: Reader, item: Found, right: str) -> Evidence:
    start, end = reader.offsets(item)
    return Evidence(right=right, rule=item.rule.name, text=reader.text[start:end], start=start, end=end)


def _weight(item: Found, counters: list[Found], right: str) -> float:
    """The rule's weight after the counter-concepts of its own sentences."""
    weight = item.rule.weight * (_FOLDED_WEIGHT if item.folded else 1.0)
    for counter in counters:
        rule = counter.rule
        if (
            rule.scope == "sentence"
            and counter.sentences & item.sentences
            and (not rule.rights or right in rule.rights)
        ):
            weight *= rule.factor
    return weight


def _combined(found: list[Found], counters: list[Found], right: str) -> float:
    """Independent reasons add up: 1 - (1-a)(1-b)...; a rule counts once, at its best place."""
    best: dict[str, float] = {}
    for item in found:
        if item.rule.right == right:
            best[item.rule.name] = max(best.get(item.rule.name, 0.0), _weight(item, counters, right))
    missing = 1.0
    for weight in best.values():
        missing *= 1.0 - weight
    score = 1.0 - missing
    for rule in {counter.rule.name: counter.rule for counter in counters}.values():
        if rule.scope == "mail" and (not rule.rights or right in rule.rights):
            score *= rule.factor
    return score


def _right_scores(found: list[Found], counters: list[Found]) -> dict[Right, float]:
    rights = {item.rule.right for item in found} - {ANY}
    return {right: _combined(found, counters, right) for right in Right if right in rights}


def _any_score(found: list[Found], counters: list[Found]) -> float:
    return max((_combined(found, counters, right) for right in {item.rule.right for item in found}), default=0.0)
