"""What stands beside the orders of a text: politeness, a name, a report of work done, or a doubt.

Whatever is none of the first three is a doubt, and a doubt keeps an approval from counting. Nothing is ordered here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

from mailbot.core.command_clauses import Clause, ClauseText
from mailbot.core.command_values import Command, Why
from mailbot.core.command_words import LANGUAGES, Token

_DAY = re.compile(
    r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d{1,2}\.\d{1,2}\."
    r"|\b(?:klo|kl|at)\.? \d{1,2}(?:[.:]\d\d)?\b",
    re.IGNORECASE,
)


@dataclass(kw_only=True)
class Beside(ClauseText):
    """A text whose clauses without a command are weighed; the lists grow as it is read."""

    commands: list[Command] = field(default_factory=list)
    doubts: list[Why] = field(default_factory=list)
    words_before: int = 0
    addressed: bool = False  # greeted somebody by name
    reported: int = -1  # the sentence in which work was last reported: "I deleted it in the CRM and the newsletter"

    def hear_beside(self, clause: Clause) -> None:
        """A clause without a command: harmless, a report of work done, or a doubt."""
        span = self.tokens[clause.start : clause.end]
        asks = self.words.questions.longest(self.tokens, clause.start, clause.end, self.words.no_skip) is not None
        if clause.sentence in self.asked or asks:  # "is it ready, send": a question needs no mark
            self.doubts.append(Why.QUESTION)
            return
        rest = list(self.not_calm(clause))
        if self.is_curt(rest):
            self.doubts.append(next(why for token in rest if (why := self.doubt_of(token))))
            return
        works = any(token.folded in tongue.done for tongue in self.words.tongues.values() for token in rest)
        if not works and any(all(t.folded in self.words.fillers[language] for t in rest) for language in LANGUAGES):
            return
        if clause.opens_sentence and self.greets(span):
            self.addressed = True
            return
        if (not works and self.is_polite(span)) or self._is_own_name(clause, span):
            return
        if all(self._reports_work(clause, rest, language) for language in self.languages(rest)):
            self.reported = clause.sentence
            return
        if self._begins_report(clause, rest):
            return
        if not self.commands:
            self.words_before += len(span)
        self.doubts.append(next((why for token in rest if (why := self.doubt_in(rest, token))), Why.NOT_UNDERSTOOD))

    def _is_own_name(self, clause: Clause, span: Sequence[Token]) -> bool:
        """A name that ends the sentence of an order: "hyväksyn, Maija"."""
        last = clause.end == len(self.tokens) or self.gap(clause.end - 1).count("\n") > 0
        named = len(span) <= 3 and all(token.is_name and not self.is_said(token) for token in span)
        before = self.gap(clause.start - 1) if clause.start else ""
        return (
            last and named and bool(self.commands) and (not clause.opens_sentence or before.rstrip()[-1:] in {"/", "-"})
        )

    def _begins_report(self, clause: Clause, span: Sequence[Token]) -> bool:
        """The first of several systems that were worked on: "HubSpot and Leadfeeder are done"."""
        place = self.clauses.index(clause) + 1
        if not span or not all(self._is_system(token) for token in span):
            return False
        later = islice(self.clauses, place, place + 2)
        return any(one.sentence == clause.sentence and self._is_report(one) for one in later)

    def _is_report(self, clause: Clause) -> bool:
        span = self.tokens[clause.start : clause.end]
        return any(self._reports_work(clause, span, language) for language in self.languages(span))

    def _reports_work(self, clause: Clause, span: Sequence[Token], language: str) -> bool:
        """Work done on the person's data, told in known words only: any other word may say that it was not done."""
        tongue = self.words.tongues[language]
        done = [token.folded for token in span if token.folded in tongue.done]
        if len(span) > 15 or not (done or (self.reported == clause.sentence and len(span) <= 3)):
            return False
        days = [found.span() for found in _DAY.finditer(self.own.text, span[0].start, span[-1].end + 1)] if span else []
        looked = all(word in tongue.looked for word in done)
        worked = not done
        for token in span:
            worked = worked or token.folded in tongue.done
            if any(start <= token.start < end for start, end in days) or self._is_system(token):
                continue
            if token.folded in tongue.told or token.folded in tongue.done or token.folded in tongue.past:
                continue
            if (worked and token.folded in tongue.whom) or (looked and token.folded in tongue.papers):
                continue
            return False
        return True

    def _is_system(self, token: Token) -> bool:
        """ "CRM", "HubSpot", "HubSpotista": a known one, or a capital inside a word as only such names have."""
        inside = any(a.islower() and b.isupper() for a, b in pairwise(token.text))
        return token.folded in self.words.systems or (inside and self.doubt_of(token) is None)
