"""Goes through the writer's own text, clause by clause, and hears commands, harmless words and doubts.

A clause is what stands between marks and conjunctions. A command must begin its clause (greetings and other harmless
words may stand before it). An approving clause must be closed: nothing in it but known words. What is neither command,
nor harmless, nor a report of work done, is a doubt. Only the first thousand words are heard; more is a doubt too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from mailbot.core import command_args as args
from mailbot.core.command_beside import Beside
from mailbot.core.command_clauses import Clause
from mailbot.core.command_reading import Own
from mailbot.core.command_values import SAID, TURNED_DOWN, Action, Command, Heard, Why
from mailbot.core.command_words import REFERENCE, CommandWords, Match

_MAX_WORDS = 1000
_MAX_NAMING = 300  # characters in which rights are named
_FREE = frozenset({Action.REJECT, Action.NOTE, Action.EXTEND, Action.REFUSE, Action.ASSIGN})
_ASKS = frozenset({Action.ASK_IDENTITY, Action.ASK_AUTHORITY, Action.ASK_CLARIFICATION})
_REASONED = frozenset({Action.REJECT, Action.EXTEND, Action.REFUSE})
_ALIASES = {SAID: Action.RECLASSIFY, TURNED_DOWN: Action.REJECT}
_BEFORE = ("condition", "hedge", "time")
_AFTER = ("hedge",)
_AFTER_REASONED = ("time", "hedge")


@dataclass(kw_only=True)
class Scanner(Beside):
    """One pass over one text. The lists grow; everything else stays."""

    files: tuple[str, ...]
    missing: Why | None = None
    references: list[str] = field(default_factory=list)

    def run(self) -> Heard:
        """Hear the whole text."""
        self.split()
        until = 0
        for number, clause in enumerate(self.clauses):
            if self.tokens[clause.start].start < until:
                continue
            until = self._hear(number, clause)
        if self.words.negative_signs & set(self.own.text):
            self.doubts.append(Why.NEGATION)
        return Heard(
            commands=tuple(self.commands),
            doubts=tuple(self.doubts),
            missing=self.missing,
            words=len(self.tokens),
            words_before=self.words_before,
            references=tuple(dict.fromkeys(self.references)),
        )

    def _hear(self, number: int, clause: Clause) -> int:
        """Hear one clause; the place up to which the text is used."""
        self.references += [
            t.text.upper() for t in self.tokens[clause.start : clause.end] if REFERENCE.fullmatch(t.text)
        ]
        found = self.command_at(clause)
        if found is None:
            facts = args.bare_facts(self.own.text, self.line_of(clause)) if self.opens_line(clause) else None
            if facts is not None:
                self.commands.append(Command(action=Action.FACTS, args=facts))
                return self.line_of(clause)[1]
            self.hear_beside(clause)
            return 0
        match, action = found
        if action is Action.APPROVE:
            return self._approve(number, clause, match)
        return self._order(number, clause, match, action)

    def command_at(self, clause: Clause) -> tuple[Match, Action] | None:
        """The command that begins this clause, if its form is right."""
        at = clause.start
        while at < clause.end:
            match = self.words.commands.longest(self.tokens, at, clause.end, self.words.skip)
            calm = self.words.harmless.longest(self.tokens, at, clause.end, self.words.no_skip)
            if calm is not None and (match is None or calm.size > match.size):
                at = calm.end
                continue
            if match is not None and self._fits(match, clause):
                meaning = match.phrase.meaning
                return match, _ALIASES.get(meaning) or Action(meaning)
            if not self.may_precede(self.tokens[at]):
                return None
            at += 1
        return None

    def _fits(self, match: Match, clause: Clause) -> bool:
        """Whether a phrase has the form its command needs; "korjattu" without a colon is only a report."""
        meaning, rest = match.phrase.meaning, self.own.text[self.tokens[match.end - 1].end :]
        colon = rest.lstrip(" \t*_")[:1] in {":", "="}
        line_rest = rest.split("\n", 1)[0]
        if meaning == Action.EDIT:
            return colon or not line_rest.strip(" .!-–")
        if meaning == Action.FACTS:
            return colon or args.has_arrow(line_rest) or args.has_values(line_rest)
        if meaning in {Action.STATUS, Action.HELP}:
            return self.closed_rest(match, clause)
        if meaning in {Action.RECLASSIFY, SAID}:
            said = self._affirmed(match, clause)
            named = bool(args.rights(self.tokens_of(said), self.words))
            return named and (meaning == Action.RECLASSIFY or args.names_request(said, self.words))
        if meaning == Action.NOTE:
            return colon or (clause.opens_sentence and bool(line_rest.strip(" .!")))
        return meaning != Action.ASSIGN or args.assignee(self.tokens_of(line_rest), self.words) is not None

    def _affirmed(self, match: Match, clause: Clause) -> str:
        """The sentence from a command on, up to a "not": "this is an access request, not an erasure"."""
        begin = self.tokens[match.start].start
        said = self.own.text[begin : min(self.sentence_end(clause), begin + _MAX_NAMING)]
        no = self.words.tongues[match.phrase.language].doubts["negation"]
        end = next((token.start for token in self.tokens_of(said) if token.folded in no), len(said))
        return said[:end]

    def _approve(self, number: int, clause: Clause, match: Match) -> int:
        language = match.phrase.language
        what = self.closed(clause, language)
        if isinstance(what, Why):
            self.doubts.append(what)
            return 0
        if clause.sentence in self.asked or self.asks(range(clause.start, clause.end)):
            self.doubts.append(Why.QUESTION)
            return 0
        if self.addressed and self.tokens[match.start].folded in self.words.imperatives:
            self.doubts.append(Why.NOT_UNDERSTOOD)  # "Hi Matti, please approve" asks a colleague
            return 0
        if self._asks_for_something(clause):
            self.doubts.append(Why.NOT_UNDERSTOOD)
            return 0
        open_lines, until = self._open_lines(number)
        extra: dict[str, object] = {"what": what} if what else {}
        if open_lines:
            extra["open"] = open_lines
        self.commands.append(Command(action=Action.APPROVE, args=extra))
        return until

    def _asks_for_something(self, clause: Clause) -> bool:
        """ "Send the draft", "lähetä lista": sent to whom? Only a word of consent makes it an approval."""
        said = [token.folded for token in self.tokens[clause.start : clause.end]]
        consents = any(word in self.words.consents for word in said)
        return not consents and any(word in self.words.not_sendable for word in said)

    def closed(self, clause: Clause, language: str) -> str | Why:
        """The kind of draft an approving clause names ("" for the reply), or why it is not closed."""
        tongue, at, what, found, names = self.words.tongues[language], clause.start, "", False, 0
        while at < clause.end:
            token = self.tokens[at]
            calm = self.words.harmless.longest(self.tokens, at, clause.end, self.words.no_skip)
            match = self.words.commands.longest(self.tokens, at, clause.end, self.words.fillers)
            kind = next((kind for kind, said in tongue.what.items() if token.folded in said), "")
            if found and token.is_name and self.is_name(at, language) and names < 2 and not self._receives(clause, at):
                at, names = at + 1, names + 1
            elif names:
                return Why.NOT_UNDERSTOOD  # a name may end an approval; nothing stands behind it
            elif calm is not None and (match is None or calm.size >= match.size):
                at = calm.end
            elif match is not None and match.phrase.meaning == Action.APPROVE and match.phrase.language == language:
                at, found = match.end, True
            elif kind:
                at, what = at + 1, kind
            elif token.folded in tongue.fillers or REFERENCE.fullmatch(token.text):
                at += 1
            else:
                return self.doubt_of(token, language) or Why.NOT_UNDERSTOOD
        return what

    def _receives(self, clause: Clause, at: int) -> bool:
        """Whether a name is one the mail shall go to ("till Pekka", "Pekalle"): that may be somebody else."""
        folded = self.tokens[at].folded
        if any(token.folded in self.words.consents for token in self.tokens[clause.start : at]):
            return False  # "hyväksyn vastauksen Matti Meikäläiselle"
        return (at > 0 and self.tokens[at - 1].folded in {"till", "at"}) or (len(folded) > 5 and folded.endswith("lle"))

    def _open_lines(self, number: int) -> tuple[list[str], int]:
        """Checklist lines named as open in the clauses behind an approval, and the place behind them."""
        if number + 1 == len(self.clauses):
            return [], 0
        start = self.tokens[self.clauses[number + 1].start].start
        lines, length = args.open_lines(self.own.text[start : self.own.ending], self.words)
        return lines, start + length if lines else 0

    def _order(self, number: int, clause: Clause, match: Match, action: Action) -> int:
        if self._doubted(clause, match, action):
            return 0
        after = self.tokens[match.end - 1].end
        if action is Action.EDIT:
            return self._edit(after)
        if action is Action.ATTACH:
            return self._attach(clause)
        text, until = self._tail(number, match) if action in _FREE | _ASKS | {Action.FACTS} else ("", 0)
        if action in _REASONED and self._approves(text):
            self.commands.append(Command(action=Action.APPROVE, args={}))  # weighed as a contradiction
        if match.phrase.meaning == TURNED_DOWN and text:
            action = self._turned_down(text)
        given = self._arguments(action, clause, match, text)
        if given is None:
            self.missing = self.missing or Why.NO_TEXT
            return until
        self.commands.append(Command(action=action, args=given))
        return until

    def _turned_down(self, text: str) -> Action:
        """What "avslå: ..." turns down: the request where a ground is named, the draft where its faults are."""
        said = [token.folded for token in self.tokens_of(text)]
        faults = [tongue.doubts["fault"] for tongue in self.words.tongues.values()]
        of_draft = any(word in self.words.not_sendable or any(word in fault for fault in faults) for word in said)
        of_request = "ground" in args.refusal(text, self.words)
        if of_draft == of_request:
            self.missing = self.missing or Why.DRAFT_OR_REQUEST
        return Action.REFUSE if of_request else Action.REJECT

    def _approves(self, text: str) -> bool:
        """Whether a reason says "approve" in so many words: then the mail says two things."""
        tokens = self.tokens_of(text)
        found = (self.words.commands.longest(tokens, at, len(tokens), self.words.no_skip) for at in range(len(tokens)))
        said = [match for match in found if match and match.phrase.meaning == Action.APPROVE]
        return any(tokens[match.start].folded in self.words.spelling.keys for match in said)

    def _arguments(self, action: Action, clause: Clause, match: Match, text: str) -> dict[str, object] | None:
        """The arguments of an order; None where what it needs is missing."""
        said = self.own.text[self.tokens[match.start].start : self.sentence_end(clause)]
        match_args: dict[str, object] = {}
        if action in {Action.REJECT, Action.EXTEND}:
            reason = args.without_object(text, self.words) if action is Action.REJECT else text
            match_args = {"reason": reason} if reason else {}
        elif action is Action.NOTE:
            self._weigh_note(text)
            return {"text": text} if text else None
        elif action in _ASKS:
            match_args = {"question": text} if text else {}
        elif action is Action.FACTS:
            return args.facts(text)
        elif action is Action.REFUSE:
            match_args = args.refusal(text, self.words)
        elif action is Action.ASSIGN:
            to = args.assignee(self.tokens_of(text), self.words)
            return {"to": to} if to else None
        elif action is Action.RECLASSIFY:
            match_args = {"rights": args.rights(self.tokens_of(self._affirmed(match, clause)), self.words)}
        elif action is Action.ANSWERED_ELSEWHERE:
            match_args = args.answered(said, self.words)
        return match_args

    def _weigh_note(self, text: str) -> None:
        """A note on a condition, a mistake or a later time may speak of the draft: no approval beside it."""
        tokens = self.tokens_of(text)
        for language in self.languages(tokens):
            doubts = self.words.tongues[language].doubts
            kinds = ("condition", "contrast", "time", "hedge", "fault")
            self.doubts += [Why(kind) for kind in kinds if any(token.folded in doubts[kind] for token in tokens)]

    def _doubted(self, clause: Clause, match: Match, action: Action) -> bool:
        """Notes a question, a condition or a later time around an order; such an order is none."""
        if action in {Action.STATUS, Action.HELP, Action.NOTE, Action.EDIT, Action.FACTS, Action.ASSIGN}:
            return False
        colon = self.colon_at(match.end - 1)
        said = range(clause.start, match.end if colon or action in _ASKS else clause.end)
        if self.asks(said) or (clause.sentence in self.asked and not colon and action not in _ASKS):
            self.doubts.append(Why.QUESTION)
            return True
        tongue = self.words.tongues[match.phrase.language]
        said = range(said.start, next((at for at in said if self._leads_to_reason(at, match, action)), said.stop))
        between = self.words.skip[match.phrase.language]  # "let us FIRST ask who that is" asks now
        for at in [at for at in said if not match.start <= at < match.end]:
            if action in _ASKS and self.tokens[at].folded in between:
                continue
            kinds = _BEFORE if at < match.start else _AFTER_REASONED if action in _REASONED else _AFTER
            doubt = next((kind for kind in kinds if self.tokens[at].folded in tongue.doubts[kind]), None)
            if doubt is not None:
                self.doubts.append(Why(doubt))
                return True
        return False

    def _leads_to_reason(self, at: int, match: Match, action: Action) -> bool:
        """Whether a word behind an order begins its reason, in which nothing is a doubt: "because they must ..."."""
        folded = self.tokens[at].folded
        tongue = self.words.tongues[match.phrase.language]
        return (
            action in _REASONED
            and at >= match.end
            and folded in tongue.reasons
            and not any(folded in doubt for doubt in tongue.doubts.values())
        )

    def _edit(self, after: int) -> int:
        text = self.own.text[after:].lstrip(" \t*_:=.!-–\n").strip()
        if not text:
            self.missing = self.missing or Why.NO_TEXT
        else:
            self.commands.append(Command(action=Action.EDIT, args={"text": text}))
        return len(self.own.text)

    def _attach(self, clause: Clause) -> int:
        said = self.own.text[self.tokens[clause.start].start : self.sentence_end(clause)]
        named = args.named_files(said, self.files)
        if not named:
            self.missing = self.missing or Why.NO_ATTACHMENT
        else:
            self.commands.append(Command(action=Action.ATTACH, args={"names": list(named)}))
        return 0

    def _tail(self, number: int, match: Match) -> tuple[str, int]:
        """The free text behind a command and the place where it ends: at the next command, paragraph or ending."""
        first = self.tokens[match.end - 1].end
        last = self.own.ending if first < self.own.ending else len(self.own.text)
        begun = match.end < self.clauses[number].end
        for clause in self.clauses[number + 1 :]:
            place = self.tokens[clause.start].start
            if place >= last:
                break
            if (begun and clause.opens_paragraph) or self._interrupts(clause):
                last = place
                break
            begun = True
        return args.clean_tail(self.own.text[first:last], self.words, match.phrase.language), last

    def _interrupts(self, clause: Clause) -> bool:
        """Whether a clause in the middle of a text is a command of its own."""
        found = self.command_at(clause)
        if found is None:
            return False
        match, action = found
        if action is Action.APPROVE:
            return not isinstance(self.closed(clause, match.phrase.language), Why)
        if action in {Action.NOTE, Action.EDIT, Action.FACTS, Action.ATTACH, Action.ANSWERED_ELSEWHERE}:
            return self.colon_at(match.end - 1) or (clause.opens_sentence and match.start == clause.start)
        return True


def scan(own: Own, files: Sequence[str], words: CommandWords) -> Heard:
    """Hear the commands of a text."""
    spoken = (token for token in words.each_token(own.text) if not own.is_ending(token.start))
    tokens = list(islice(spoken, _MAX_WORDS + 1))
    scanner = Scanner(own=own, files=tuple(files), words=words, tokens=tokens[:_MAX_WORDS])
    if len(tokens) > _MAX_WORDS:
        scanner.doubts.append(Why.NOT_UNDERSTOOD)
    return scanner.run()
