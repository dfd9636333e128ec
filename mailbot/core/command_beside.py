"""What stands beside the orders of a text: politeness, a name, a report of work done, or a doubt.

Whatever is none of the first three is a doubt, and a doubt keeps an approval from counting. Nothing is ordered here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from mailbot.core.command_clauses import Clause, ClauseText
from mailbot.core.command_values import Command, Why
from mailbot.core.command_words import LANGUAGES, Token


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
        if any(all(token.folded in self.words.fillers[language] for token in rest) for language in LANGUAGES):
            return
        if clause.opens_sentence and self.greets(span):
            self.addressed = True
            return
        if self.is_polite(span) or self._is_own_name(clause, span):
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
        named = len(span) <= 3 and all(token.is_name and not self.doubt_of(token) for token in span)
        before = self.gap(clause.start - 1) if clause.start else ""
        return (
            last and named and bool(self.commands) and (not clause.opens_sentence or before.rstrip()[-1:] in {"/", "-"})
        )

    def _begins_report(self, clause: Clause, span: Sequence[Token]) -> bool:
        """The first of several things that were worked on: "HubSpot and Leadfeeder are done"."""
        place = self.clauses.index(clause) + 1
        if (
            len(span) > 2
            or not all(token.text[:1].isupper() for token in span)
            or any(self.doubt_of(token) for token in span)
        ):
            return False
        later = islice(self.clauses, place, place + 2)
        return any(one.sentence == clause.sentence and self._done_in(self.tokens[one.start : one.end]) for one in later)

    def _done_in(self, span: Sequence[Token]) -> bool:
        doubted = any(self.doubt_in(span, token) for token in span)
        return not doubted and any(t.folded in self.words.tongues[one].done for one in LANGUAGES for t in span)

    def _reports_work(self, clause: Clause, span: Sequence[Token], language: str) -> bool:
        tongue = self.words.tongues[language]
        goes_on = self.reported == clause.sentence and len(span) <= 3 and not any(t.text.isdigit() for t in span)
        if not goes_on and not any(token.folded in tongue.done for token in span):
            return False
        now = [
            t
            for t in span
            if t.folded in tongue.doubts["time"] and (t.folded in tongue.fillers or t.folded in tongue.past)
        ]
        doubts = tongue.doubts.values()
        rest = [token for token in span if token not in now]
        return len(span) <= 15 and not any(token.folded in doubt for token in rest for doubt in doubts)
