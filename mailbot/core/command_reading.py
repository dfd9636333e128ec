"""Which part of a staff mail can hold a command.

Quoted history, forwarded headers and the footers of telephones are cut off; the writer's ending (greeting, name, title,
numbers) is set apart, so that it neither commands nor makes a clear word unclear. A post scriptum is read again.
The mail reader has split the mail already; this is the second wall, for text that comes without quote marks.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailbot.core.command_words import CommandWords, Furniture, Token, fold
from mailbot.core.one_time import is_top_line

_RULE = re.compile(r"^\s*[_=*-]{8,}\s*$")
_HEADER = re.compile(r"^[\W_]*([^\W\d_]+)[\W_]*:")
_INTRO = re.compile(r"^\s*(?:on|den|am|le|ma|ti|ke|to|pe|la|su|mon|tue|wed|thu|fri|sat|sun|\d)\b.*\d")
_POST_SCRIPTUM = re.compile(r"^\W*p\.?\s?s\b")
_MAX_TEXT = 200_000  # characters, and
_MAX_LINES = 2000  # lines that are read at all; far more words than any order may have
_SIGN_OFF = 120  # characters at the end of a line among which a closing greeting is looked for
_DASHED_NAME = re.compile(r"^\s*(?:[-–—/~]{1,3}|t[.:]|br[.,:]?|yt[.,]?)\s*\w")


@dataclass(frozen=True, kw_only=True)
class Own:
    """What the writer wrote. `text` is cut from the mail; the ending stands from `ending` up to `again`."""

    text: str
    ending: int  # len(text) without an ending
    again: int  # where a post scriptum begins; len(text) without one

    def is_ending(self, at: int) -> bool:
        """Whether the character at that place belongs to the ending."""
        return self.ending <= at < self.again


def read_own(visible_text: str, words: CommandWords) -> Own:
    """The writer's own text with its ending found."""
    lines = list(_own_lines(visible_text[:_MAX_TEXT].splitlines()[:_MAX_LINES], words.furniture))
    text = "\n".join(lines)
    ending, again = _ending(lines, words)
    return Own(text=text, ending=min(ending, len(text)), again=min(again, len(text)))


def _own_lines(lines: Sequence[str], furniture: Furniture) -> Iterator[str]:
    """Lines above the first mark of quoted history or of a footer, without lines quoted by '>'."""
    stop = _history_start(lines, furniture)
    for line in lines[:stop]:
        if line.lstrip().startswith((">", "|>")):
            continue
        shown, cut = _without_footer(line, furniture)
        yield shown
        if cut:
            return


def _history_start(lines: Sequence[str], furniture: Furniture) -> int:
    for index, line in enumerate(lines):
        folded = fold(line).strip(" \t*_")
        if line.rstrip() == "--" or _RULE.match(line) or _is_mark(folded, furniture) or is_top_line(line):
            return index
        if folded.rstrip(" :").endswith(furniture.quote_ends) and folded.endswith(":"):
            return _intro_start(lines, index)
        if _INTRO.match(folded) and _introduces(lines, index, furniture):
            return index
        if _is_header_block(lines, index, furniture):
            return index
    return len(lines)


def _is_mark(folded: str, furniture: Furniture) -> bool:
    bare = folded.strip("-–—_=:*> ")
    return (folded[:1] in "-–—_=" and bare.endswith(furniture.quote_marks)) or bare in furniture.quote_marks


def _introduces(lines: Sequence[str], index: int, furniture: Furniture) -> bool:
    """ "Den 20 nov. 2026 skrev Anna:", the verb before the name, over one line or two."""
    said = " ".join(fold(line) for line in lines[index : index + 2])
    verb = any(_find_word(said, end) is not None for end in furniture.quote_ends)
    return verb and any(line.rstrip().endswith(":") for line in lines[index : index + 2])


def _intro_start(lines: Sequence[str], index: int) -> int:
    """The first line of "On ... wrote:", which mail programs wrap over up to three lines."""
    for first in range(index, max(index - 3, -1), -1):
        if not lines[first].strip():
            break
        if _INTRO.match(fold(lines[first])):
            return first
    return index


def _is_header_block(lines: Sequence[str], index: int, furniture: Furniture) -> bool:
    """Outlook's From/Sent/To/Subject, in any of the languages, bold or not."""
    if _header_name(lines[index]) not in furniture.from_headers:
        return False
    return any(_header_name(line) in furniture.other_headers for line in lines[index + 1 : index + 5])


def _header_name(line: str) -> str:
    found = _HEADER.match(fold(line))
    return found.group(1) if found else ""


def _without_footer(line: str, furniture: Furniture) -> tuple[str, bool]:
    """The line up to a telephone's footer, and whether there was one."""
    folded = fold(line)
    start = len(folded) - len(folded.lstrip(" \t([*_-"))
    if folded.startswith(furniture.footers, start):
        return "", True
    found = (folded.find(" " + footer) for footer in furniture.footers)
    at = min((place for place in found if place > 0), default=-1)
    if at > 0 and len(folded[at:].split()) <= 6 and "?" not in folded[at:]:
        return line[:at], True
    return line, False


def _ending(lines: Sequence[str], words: CommandWords) -> tuple[int, int]:
    """Where the ending begins and where a post scriptum begins behind it."""
    place, ending, length = 0, None, sum(len(line) + 1 for line in lines)
    for index, line in enumerate(lines):
        if ending is not None and _POST_SCRIPTUM.match(fold(line)):
            return ending, place
        if ending is None:
            at = _sign_off(line, words)
            if at is None and place and _is_name_line(lines, index, words):
                at = 0
            ending = place + at if at is not None else None
        place += len(line) + 1
    return (length if ending is None else ending), length


def _sign_off(line: str, words: CommandWords) -> int | None:
    """Where in the line a closing greeting begins that has nothing but a name behind it."""
    cut = max(len(line) - _SIGN_OFF, 0)
    found = _sign_off_in(line[cut:], words)
    return None if found is None or (cut and not found) else cut + found


def _sign_off_in(line: str, words: CommandWords) -> int | None:
    folded = fold(line)
    for phrase in words.furniture.sign_offs:
        at = _find_word(folded, phrase)
        if at is not None and _is_signature(words.tokens(line[at + len(phrase) :]), words):
            return at
    bare = folded.strip(" \t.,!:-–/")
    for phrase in words.furniture.weak_sign_offs:
        if bare == phrase:
            return 0
        found = re.search(rf"(?:^|[.,!;\s])({re.escape(phrase)}[.:,/]+\s*\w[^.!?]*)$", folded)
        if found and _is_signature(words.tokens(line[found.start(1) + len(phrase) :]), words):
            return found.start(1)
        if folded.startswith(phrase + " ") and _all_names(words.tokens(line[len(phrase) :]), words):
            return 0
    return None


def _find_word(folded: str, phrase: str) -> int | None:
    at = folded.find(phrase)
    while at >= 0:
        before, after = folded[at - 1 : at], folded[at + len(phrase) : at + len(phrase) + 1]
        if not before.isalnum() and not after.isalnum():
            return at
        at = folded.find(phrase, at + 1)
    return None


def _is_signature(tokens: Sequence[Token], words: CommandWords) -> bool:
    """At most four words that neither doubt nor command."""
    return len(tokens) <= 4 and not _speaks(tokens, words)


def _all_names(tokens: Sequence[Token], words: CommandWords) -> bool:
    return 0 < len(tokens) <= 3 and all(token.is_name for token in tokens) and not _speaks(tokens, words)


def _is_name_line(lines: Sequence[str], index: int, words: CommandWords) -> bool:
    """A line that is only a name: "Maija", "Maija Mallinen, myyntijohtaja", "-maija", "/MM"."""
    line = lines[index].strip()
    tokens = words.tokens(line)
    if not tokens or len(tokens) > 8 or "?" in line or _speaks(tokens, words):
        return False
    if any(token.folded in tongue.fillers for tongue in words.tongues.values() for token in tokens[:1]):
        return False
    if _DASHED_NAME.match(fold(line)) and len(tokens) <= 3:
        return True
    if line.endswith((".", "!", ":")):
        return False
    parts = re.split(r"[,|•·]", line)
    return _all_names(words.tokens(parts[0]), words) or (len(tokens) <= 3 and line.isupper() and len(line) <= 3)


def _speaks(tokens: Sequence[Token], words: CommandWords) -> bool:
    """Whether the words may be more than a name: a doubt or a command in any language."""
    doubts = [doubt for tongue in words.tongues.values() for doubt in tongue.doubts.values()]
    if any(token.folded in words.no_names or any(token.folded in doubt for doubt in doubts) for token in tokens):
        return True
    return any(words.commands.longest(tokens, at, len(tokens), words.no_skip) for at in range(len(tokens)))
