"""A text as words, clauses and sentences, and what its words are: harmless, polite, a name, a doubt.

Nothing is ordered here; the scanner asks. Words that exist in several languages ("no", "sen", "last") are weighed by
the language most words of their clause belong to, and a curt clause is a doubt if it is one in any language.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mailbot.core.command_reading import Own
from mailbot.core.command_values import Why
from mailbot.core.command_words import LANGUAGES, REFERENCE, CommandWords, Match, Token

_CLAUSE_MARKS = frozenset("\n,;.!?…/&+|()[]")
_SENTENCE_MARKS = frozenset("\n;.!?…")


@dataclass(frozen=True, kw_only=True)
class Clause:
    """Tokens `start` up to `end`. Sentences are numbered from 0."""

    start: int
    end: int
    sentence: int
    opens_sentence: bool
    opens_paragraph: bool


@dataclass(kw_only=True)
class ClauseText:
    """The writer's own text, cut into clauses by `split()`."""

    own: Own
    words: CommandWords
    tokens: list[Token]
    clauses: list[Clause] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)  # sentences that end with a question mark
    ends: dict[int, int] = field(default_factory=dict)  # sentence -> the token behind its last

    def split(self) -> None:
        """Cut the tokens into clauses and sentences."""
        start, sentence, opens, paragraph = 0, 0, True, True
        for index in range(len(self.tokens)):
            gap = self.gap(index)
            joined = self.tokens[index].folded in self.words.conjunctions
            turns = index + 1 < len(self.tokens) and self.tokens[index + 1].folded in self.words.turns
            ends_sentence = (gap != "." and bool(_SENTENCE_MARKS & set(gap))) or index + 1 == len(self.tokens)
            if not (joined or turns or ends_sentence or _CLAUSE_MARKS & set(gap) or _dash(gap)):
                continue
            end = index if joined else index + 1
            if end > start:
                self.ends[sentence] = end
                self.clauses.append(
                    Clause(start=start, end=end, sentence=sentence, opens_sentence=opens, opens_paragraph=paragraph)
                )
                opens = paragraph = False
            start = index + 1
            if "?" in gap:
                self.asked.add(sentence)
            if ends_sentence:
                sentence, opens = sentence + 1, True
            paragraph = paragraph or gap.count("\n") > 1

    def gap(self, index: int) -> str:
        """What stands between a token and the next; a dot inside a number or an abbreviation is nothing."""
        end = self.tokens[index].end
        if index + 1 == len(self.tokens):
            return self.own.text[end:]
        gap = self.own.text[end : self.tokens[index + 1].start]
        digits = self.own.text[end - 1 : end].isdigit() and self.tokens[index + 1].text[:1].isdigit()
        return "" if digits and gap in {".", ",", ":", "/"} else gap

    def may_precede(self, token: Token) -> bool:
        folded = token.folded
        known = any(folded in words for words in self.words.skip.values())
        return known or REFERENCE.fullmatch(token.text) is not None

    def tokens_of(self, text: str) -> list[Token]:
        """The words of a piece of text."""
        return self.words.tokens(text)

    def closed_rest(self, match: Match, clause: Clause) -> bool:
        fillers = self.words.fillers[match.phrase.language]
        return all(token.folded in fillers for token in self.tokens[match.end : clause.end])

    def is_name(self, at: int, language: str) -> bool:
        token = self.tokens[at]
        known = token.folded in self.words.fillers[language] or self.is_said(token)
        return (
            not known
            and not self.colon_at(at)
            and next(iter(self.words.commands.candidates(token.folded)), None) is None
        )

    def colon_at(self, at: int) -> bool:
        return self.own.text[self.tokens[at].end :][:1] == ":"

    def asks(self, span: range) -> bool:
        """Whether the words have the order of a question ("can I send")."""
        return any(self.words.questions.longest(self.tokens, at, span.stop, self.words.no_skip) for at in span)

    def doubt_of(self, token: Token, language: str = "") -> Why | None:
        """The kind of doubt a word carries in a language, or in any."""
        for tongue in (language,) if language else LANGUAGES:
            for kind, doubts in self.words.tongues[tongue].doubts.items():
                if token.folded in doubts:
                    return Why(kind)
        return None

    def is_said(self, token: Token) -> bool:
        """Whether a capital word is no name, for it doubts or orders ("Soita Pekalle", "Call Bob")."""
        return token.folded in self.words.no_names or self.doubt_of(token) is not None

    def sentence_end(self, clause: Clause) -> int:
        return self.tokens[self.ends[clause.sentence] - 1].end

    def is_curt(self, rest: Sequence[Token]) -> bool:
        """One or two words that doubt in any language, however harmless they are in another ("no", "sen")."""
        return 0 < len(rest) <= 2 and any(self.doubt_of(token) for token in rest)

    def not_calm(self, clause: Clause) -> Iterator[Token]:
        at = clause.start
        while at < clause.end:
            calm = self.words.harmless.longest(self.tokens, at, clause.end, self.words.no_skip)
            if calm is None:
                yield self.tokens[at]
            at = calm.end if calm else at + 1

    def is_polite(self, span: Sequence[Token]) -> bool:
        """Thanks, a wish, an apology: "kiitos selkeästä luonnoksesta", "sorry for the delay"."""
        if span[0].folded not in self.words.openers or len(span) > 10:
            return False
        return not any(token.text.isdigit() or self.doubt_of(token) for token in span)

    def greets(self, span: Sequence[Token]) -> bool:
        """ "Hei Maija", "Dear Privacy Team": a greeting with names and nothing else."""
        named = all(token.text[:1].isupper() and not self.is_said(token) for token in span[1:])
        return named and len(span) <= 5 and span[0].folded in self.words.greetings

    def languages(self, span: Sequence[Token]) -> list[str]:
        """The languages most words of a clause belong to ("last" is English or, without its dots, Swedish)."""
        known = dict.fromkeys(LANGUAGES, 0)
        for language, tongue in self.words.tongues.items():
            sets = (tongue.fillers, tongue.done, tongue.told, tongue.whom, tongue.papers, *tongue.doubts.values())
            known[language] = sum(any(token.folded in words for words in sets) for token in span)
        return [language for language in LANGUAGES if known[language] == max(known.values())]

    def doubt_in(self, span: Sequence[Token], token: Token) -> Why | None:
        """A word's doubt, in the language most of the clause's words belong to."""
        by_size = sorted(LANGUAGES, key=lambda language: -sum(t.folded in self.words.fillers[language] for t in span))
        return next((why for language in by_size if (why := self.doubt_of(token, language))), None)

    def line_of(self, clause: Clause) -> tuple[int, int]:
        place = self.tokens[clause.start].start
        end = self.own.text.find("\n", place)
        return self.own.text.rfind("\n", 0, place) + 1, len(self.own.text) if end < 0 else end

    def opens_line(self, clause: Clause) -> bool:
        start, _ = self.line_of(clause)
        return clause.start == 0 or self.tokens[clause.start - 1].end <= start


def _dash(gap: str) -> bool:
    return gap.strip() in {"-", "–", "—"} and gap != gap.strip()
