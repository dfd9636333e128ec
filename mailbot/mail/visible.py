"""What the writer wrote, apart from what they quoted, and the message they passed on.

History must not decide: an answered request quoted below "kiitos" is no request. But below a forward mark the text
*is* the content, and no sentence of the writer may be lost: where it is not certain that something is history, it
stays. Every line of a text ends up in exactly one of visible, forwarded, quoted and signature.

Whether a header block of Outlook opens history or a forward is said by the subject ("VL:", "VB:", "FW:" forward;
"VS:", "SV:", "RE:" answer), by words of handing over, and by whom the block names. Finnish "VS:" is an answer, yet
many forward with it, so the words count for more.
"""

import re
from dataclasses import dataclass, field, replace
from itertools import islice

from mailbot.core.message import Forward
from mailbot.mail.fineprint import trim
from mailbot.mail.forward import Block, forward_of, header_line, read_block
from mailbot.mail.patterns import MAX_LINE, ReadingPatterns

__all__ = ["ReadingPatterns", "Visible", "prefix_role", "split"]

_MAX_LINES = 20_000  # lines beyond are kept unread
_QUOTE = re.compile(r"\s{0,3}>")
_NOT_QUOTE = re.compile(r"\s*>.*<+\s*|>From .*")
_BAR = re.compile(r"\s{0,3}\|")
_UNQUOTE = re.compile(r"^\s{0,3}[>|] ?")
_RULE = re.compile(r"\s*[_\-=*]{5,}\s*")
_DATE = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b")
_CLOCK = re.compile(r"\b\d{1,2}[.:]\d{2}\b")
_MAX_HAND_OVER = 500  # characters of a note that hands a message over; longer ones speak for themselves
_MAX_ANSWERS = 2000
_MAX_CHAIN = 6
_MAX_OWN = 80  # lines of the writer's that are looked at to tell a note from a letter


@dataclass(frozen=True, kw_only=True)
class Visible:
    """A text taken apart."""

    visible: str = ""  # the writer's own words
    forwarded: str = ""  # the text below a forward mark, fine print cut
    forward: Forward | None = None
    quoted: str = ""  # history
    signature: str = ""  # signatures and fine print that were cut
    defects: tuple[str, ...] = ()  # only_quoted, quote_unclear, answers_inside, forward_chain, many_lines


@dataclass(kw_only=True)
class _Walk:
    """The state of one pass over the lines of a text."""

    lines: list[str]
    patterns: ReadingPatterns
    role: str  # "reply", "forward" or "": what the subject's first prefix says
    recipients: frozenset[str]
    own: list[list[str]] = field(default_factory=lambda: [[]])  # stretches of the writer's lines between quotations
    quoted: list[str] = field(default_factory=list)
    block: Block | None = None
    forwarded: list[str] | None = None
    defects: list[str] = field(default_factory=list)
    beginning: str | None = None  # `own_text`, once there is enough of it
    said: dict[str, bool] = field(default_factory=dict)  # what was asked of it

    def keep(self, start: int, end: int) -> None:
        self.own[-1] += self.lines[start:end]

    def quote(self, start: int, end: int) -> None:
        self.quoted += self.lines[start:end]
        if self.own[-1]:
            self.own.append([])

    def own_text(self) -> str:
        """The beginning of what the writer has said so far, without fine print."""
        if self.beginning is not None:
            return self.beginning
        lines = list(islice((line for stretch in self.own for line in stretch), _MAX_OWN))
        text = "\n".join(trim(lines, self.patterns)[0]).strip()
        if len(lines) == _MAX_OWN:
            self.beginning = text
        return text

    def says(self, what: re.Pattern[str], most: int) -> bool:
        """Whether the beginning is shorter than `most` characters and says this."""
        text = self.own_text()
        if self.beginning is None:
            return len(text) <= most and bool(what.search(text))
        if what.pattern not in self.said:
            self.said[what.pattern] = len(text) <= most and bool(what.search(text))
        return self.said[what.pattern]


def prefix_role(subject: str, patterns: ReadingPatterns) -> str:
    """ "reply" or "forward" as the first prefix of the subject says, or ""."""
    head = subject.strip()[:80]
    if patterns.forward_prefix.match(head):
        return "forward"
    return "reply" if patterns.reply_prefix.match(head) else ""


def split(text: str, patterns: ReadingPatterns, subject: str = "", recipients: frozenset[str] = frozenset()) -> Visible:
    """Take a text apart. `recipients` are the lower-case addresses it was sent to: who is answered is no inner sender.

    Linear in the length of the text.
    """
    if not text.strip():
        return Visible()
    lines = text.split("\n")
    walk = _Walk(
        lines=lines[:_MAX_LINES], patterns=patterns, role=prefix_role(subject, patterns), recipients=recipients
    )
    _take_apart(walk)
    if len(lines) > _MAX_LINES:
        walk.own[-1] += lines[_MAX_LINES:]
        walk.defects.append("many_lines")
    return _result(walk)


def _take_apart(walk: _Walk) -> None:
    at = 0
    while at < len(walk.lines):
        line = walk.lines[at]
        if not line or line.isspace():
            walk.keep(at, at + 1)
            at += 1
        elif _is_quote(line):
            at = _take_quotation(walk, at, _QUOTE)
        else:
            at = _take_line(walk, at)


def _is_quote(line: str) -> bool:
    return bool(_QUOTE.match(line)) and not _NOT_QUOTE.fullmatch(line)


def _take_quotation(walk: _Walk, start: int, mark: re.Pattern[str]) -> int:
    """A run of marked lines (blank lines between them included) is history, or a forward that its client marked."""
    end = at = start
    while at < len(walk.lines) and (mark.match(walk.lines[at]) or not walk.lines[at].strip()):
        at += 1
        if walk.lines[at - 1].strip():
            end = at
    if walk.forwarded is None and walk.role != "reply":
        inner = [_UNQUOTE.sub("", line) for line in walk.lines[start:end]]
        first = next((n for n, line in enumerate(inner) if line.strip()), 0)
        if _is_mark(inner[first], walk.patterns.forward_mark):
            walk.forwarded, walk.block = _below(inner, first + 1, walk.patterns)
            return end
    walk.quote(start, end)
    return end


def _take_line(walk: _Walk, at: int) -> int:
    """One line that is neither blank nor marked: the writer's, or the beginning of something else."""
    line = walk.lines[at]
    if len(line) <= MAX_LINE:
        stripped = line.strip()
        first, last = stripped[0], stripped[-1]
        if last == ":" or first in "-_*=~#+":
            if walk.forwarded is None and _is_mark(line, walk.patterns.forward_mark):
                walk.forwarded, walk.block = _below(walk.lines, at + 1, walk.patterns)
                return len(walk.lines)
            if walk.patterns.reply_above.fullmatch(stripped):
                end = len(walk.lines) if walk.own_text() else at + 1
                walk.quote(at, end)
                return end
        if (found := _history_at(walk, at)) is not None:
            return _take_history(walk, at, found)
        length = _introduction(walk, at)
        if length and (end := _take_introduced(walk, at, length)):
            return end
    walk.keep(at, at + 1)
    return at + 1


def _is_mark(line: str, pattern: re.Pattern[str]) -> bool:
    stripped = line.strip()
    return 0 < len(stripped) <= MAX_LINE and bool(pattern.fullmatch(stripped))


def _history_at(walk: _Walk, at: int) -> Block | None:
    """The header block or "original message" mark at this line, if it is one; the block may be without values."""
    line = walk.lines[at]
    ruled = False
    if line.lstrip()[0] in "-_*=~#+":
        if _is_mark(line, walk.patterns.original_mark):
            return read_block(walk.lines, at + 1, walk.patterns) or Block(start=at + 1, end=at + 1)
        ruled = bool(_RULE.fullmatch(line))
    if not ruled and header_line(line, walk.patterns) is None:
        return None
    block = read_block(walk.lines, at + ruled, walk.patterns)
    if block is None or block.form or "from" not in block.values:
        return None
    needed = 1 if walk.role == "forward" else 2 if walk.role == "reply" or ruled else 3  # web forms name a sender too
    return block if len(block.values) >= needed else None


def _take_history(walk: _Walk, at: int, block: Block) -> int:
    own = walk.own_text()
    if walk.forwarded is None and _passes_on(walk, own, block):
        walk.forwarded, walk.block = _below(walk.lines, block.start, walk.patterns)
        return len(walk.lines)
    following = next((n for n in range(block.end, min(block.end + 3, len(walk.lines))) if walk.lines[n].strip()), None)
    if following is not None and _is_quote(walk.lines[following]):
        walk.quote(at, following)
        return following
    if not own or walk.says(walk.patterns.answers_inside, _MAX_ANSWERS):
        walk.defects.append("answers_inside" if own else "quote_unclear")
        walk.keep(at, len(walk.lines))
    else:
        walk.quote(at, len(walk.lines))
    return len(walk.lines)


def _passes_on(walk: _Walk, own: str, block: Block) -> bool:
    if walk.role == "forward":
        return True
    sender = block.sender
    if sender is not None and sender.address.lower() in walk.recipients:
        return False  # the block names whom this message answers
    if walk.says(walk.patterns.hand_over, _MAX_HAND_OVER):
        return True
    return walk.role == "" and not own


def _introduction(walk: _Walk, at: int) -> int:
    """How many lines (0 to 3) say "On 3 May Maija wrote:" from here."""
    line = walk.lines[at].strip()
    if line[-1] == ":":
        return 1 if walk.patterns.introduction.fullmatch(line) else 0
    if not walk.patterns.introduction_start.match(line):
        return 0
    for length in (2, 3):
        if at + length > len(walk.lines) or not (tail := walk.lines[at + length - 1].strip()) or _is_quote(tail):
            return 0
        line = f"{line} {tail}"
        if len(line) > MAX_LINE:
            return 0
        if tail[-1] == ":":
            return length if walk.patterns.introduction.fullmatch(line) else 0
    return 0


def _take_introduced(walk: _Walk, at: int, length: int) -> int:
    """What an introduction opens: marked lines, or all that follows if it names day and hour (or address); else 0."""
    end = at + length
    following = next((n for n in range(end, min(end + 3, len(walk.lines))) if walk.lines[n].strip()), None)
    if following is None:
        walk.quote(at, end)
        return end
    for mark in (_QUOTE, _BAR):
        if mark.match(walk.lines[following]):
            walk.quote(at, following)
            return following if mark is _QUOTE else _take_quotation(walk, following, _BAR)
    said = " ".join(walk.lines[at:end])
    if not (_DATE.search(said) and (_CLOCK.search(said) or "@" in said)):
        return 0
    own = walk.own_text()
    if not own or walk.says(walk.patterns.answers_inside, _MAX_ANSWERS):
        walk.defects.append("answers_inside" if own else "quote_unclear")
        walk.keep(at, len(walk.lines))
    else:
        walk.quote(at, len(walk.lines))
    return len(walk.lines)


def _below(lines: list[str], start: int, patterns: ReadingPatterns) -> tuple[list[str], Block | None]:
    """The lines of a forwarded message from `start` on, without its header block; marks of a marking client removed."""
    inner = lines[start:]
    filled = [line for line in inner if line.strip()]
    if filled and sum(1 for line in filled if _is_quote(line)) >= 0.8 * len(filled):
        inner = [_UNQUOTE.sub("", line) for line in inner]
    block = read_block(inner, 0, patterns)
    if block is None or block.form:
        return inner, None
    return inner[block.end :], block


def _result(walk: _Walk) -> Visible:
    kept: list[str] = []
    cut: list[str] = []
    for stretch in walk.own:
        own, fine_print = trim(stretch, walk.patterns)
        kept.append("\n".join(own).strip("\n"))
        cut += fine_print
    visible = "\n\n".join(part for part in kept if part.strip()).strip()
    quoted = list(walk.quoted)
    if walk.forwarded is None and walk.role == "forward" and quoted:
        walk.forwarded, walk.block = _below(quoted, 0, walk.patterns)
        quoted = []
    result = Visible(visible=visible, quoted="\n".join(quoted).strip("\n"), signature="\n".join(cut).strip("\n"))
    if walk.forwarded is not None:
        result = _with_forward(result, walk)
    elif not visible and result.quoted.strip():
        walk.defects.append("only_quoted")
    return replace(result, defects=tuple(dict.fromkeys(walk.defects)))


def _with_forward(result: Visible, walk: _Walk) -> Visible:
    lines = walk.forwarded or []
    kept, cut = trim(lines, walk.patterns)
    text = "\n".join(kept).strip()
    forward = forward_of(walk.block, text)
    inner = _innermost(forward, lines, walk)
    signature = "\n".join(part for part in (result.signature, "\n".join(cut).strip("\n")) if part)
    return replace(result, forwarded=text, forward=inner, signature=signature)


def _innermost(forward: Forward, lines: list[str], walk: _Walk) -> Forward:
    """The forward whose sender is the innermost of a chain of forwards; a chain is a defect, for a person to check."""
    current, rest = forward, lines
    for _ in range(_MAX_CHAIN):
        inner = _Walk(
            lines=rest, patterns=walk.patterns, role=prefix_role(current.subject, walk.patterns), recipients=frozenset()
        )
        _take_apart(inner)
        if inner.forwarded is None:
            if inner.quoted and inner.own_text():
                walk.defects.append("forward_history")
            break
        walk.defects.append("forward_chain")
        current, rest = forward_of(inner.block, ""), inner.forwarded
    if current.sender is None:
        current = forward
    return replace(current, text=forward.text)
