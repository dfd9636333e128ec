"""A message is understood: language, rules, second reader, one verdict.

The walk is short and pure: reading -> language -> rules (asked first, they cost little) -> second reader (asked only
where it can change something) -> verdict. Knows no file and no mailbox; the rulebook and the readers come from outside.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Protocol

from mailbot.core.classify import (
    Evidence,
    Kind,
    RuleOpinion,
    SecondOpinion,
    Verdict,
    decide,
    merge,
    read_by_rules,
    reading_of,
)
from mailbot.core.message import Message
from mailbot.core.rulebook import LanguageRules, Rulebook
from mailbot.mail.language import UNKNOWN, Guess, guess_languages
from mailbot.mail.parse import UNSEEN, read_text
from mailbot.mail.patterns import ReadingPatterns


class SecondReader(Protocol):
    """A reader beside the rules. It sees the reading and the rules' opinion, and answers with calibrated scores."""

    def opinion(self, reading: str, rules: RuleOpinion) -> SecondOpinion | None:
        """Calibrated scores of both readers together, or None when it has nothing to add."""


@dataclass(frozen=True, kw_only=True)
class Understanding:
    """Everything that is needed to judge a message."""

    rulebook: Rulebook
    patterns: ReadingPatterns = field(
        default_factory=ReadingPatterns, repr=False
    )  # for texts that are not yet messages
    second_reader: SecondReader | None = None
    default_language: str = "unknown"  # of the controller; for texts too short to tell

    def judge(self, message: Message) -> Verdict:
        """The verdict on a message. Never raises for any text."""
        reading = reading_of(message)
        guess = self.guess(reading)
        opinion = self.rule_opinion(reading, guess, subject_length=len(message.subject))
        language = guess.language if guess.language != UNKNOWN else _spoken(opinion)
        second = self.second_reader.opinion(reading, opinion) if self.second_reader else None
        verdict = decide(
            opinion,
            language=language,
            version=self.rulebook.version,
            thresholds=self.rulebook.thresholds,
            second=second,
        )
        if verdict.kind is Kind.NOT_REQUEST and not message.automatic and not UNSEEN.isdisjoint(message.flags):
            return replace(verdict, kind=Kind.UNSURE)  # what nobody has read is no "not a request"
        return verdict

    def guess(self, reading: str) -> Guess:
        """The language of a reading, and of larger parts of it."""
        return guess_languages(reading, self.rulebook.words, self.default_language, self._known)

    @cached_property
    def _known(self) -> dict[str, Callable[[str], bool]]:
        """Whether the rules of a language know a word; they are compiled when they are asked."""
        book = self.rulebook
        return {language: partial(book.knows, language) for language in book.languages if language != "other"}

    def judge_text(self, subject: str, body: str) -> Verdict:
        """The verdict on a bare subject and body, split into what was written and what was quoted."""
        return self.judge(read_text(subject, body, patterns=self.patterns))

    def rule_opinion(self, reading: str, guess: Guess, *, subject_length: int = 0) -> RuleOpinion:
        """What the rules of every language that the text may hold see in it."""
        return merge([read_by_rules(reading, rules, subject_length=subject_length) for rules in self._rules_for(guess)])

    def held_back(self, message: Message) -> tuple[Evidence, ...]:
        """Rules that would have fired but for a negation; for explanations."""
        reading = reading_of(message)
        guess = self.guess(reading)
        return self.rule_opinion(reading, guess, subject_length=len(message.subject)).held_back

    def _rules_for(self, guess: Guess) -> list[LanguageRules]:
        """The rules of the languages guessed; of a language unknown, all rules: what fires tells the language."""
        if guess.language == UNKNOWN:
            return list(self.rulebook.languages.values())
        found = (self.rulebook.for_language(language) for language in (guess.language, *guess.also))
        return list({id(rules): rules for rules in found if rules}.values())


def _spoken(opinion: RuleOpinion) -> str:
    """The language whose rules fired in a text too short to tell otherwise."""
    spoken = {item.rule.split(".", 1)[0] for item in opinion.evidence if item.right} - {"other"}
    return spoken.pop() if len(spoken) == 1 else UNKNOWN
