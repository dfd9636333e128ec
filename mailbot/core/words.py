"""Text to words with their places, so that rules can look for words near each other.

A text is read in chunks (what stands between white space), because the same chunks come again and again in mail and
need to be taken apart only once. Words keep the offsets of the original text, so evidence is exact whatever was done to
compare them. A word is compared in its plain form: NFC, case folded, without soft hyphens, zero-width characters,
hyphens, apostrophes and inflection colons ("CV:ni" is "cvni", "e-mail" is "email", "don’t" is "dont"), and no letter
more than twice in a row. Distances count words; a comma or a wrapped line counts as one or two more. Nothing here knows
a language. Time is linear in the length of the text; texts beyond MAX_LENGTH are read at their beginning and their end.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

MAX_LENGTH = 150_000  # characters read in full; of longer texts the first HEAD and the last TAIL are read
HEAD, TAIL = 100_000, 50_000
MAX_WORD = 60  # characters; longer runs are no words
MAX_CHUNK = 40  # characters; longer chunks are not worth remembering

EMAIL, URL, NUMBER, QUESTION = "<email>", "<url>", "<number>", "<question>"  # plain forms that stand for a shape
BUILT_IN = (EMAIL, URL, NUMBER, QUESTION)

_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_CHARACTER = rf"[\w{_INVISIBLE}\u0300-\u036f]"
_TOKEN = re.compile(
    rf"(?P<url>(?:https?://|www\.)[^\s<>\"]{{1,2000}})"
    rf"|(?P<email>[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,8}})"
    rf"|(?P<number>\d{{1,18}}(?:[.,:/]\d{{1,18}}){{0,6}}(?!\w))"
    rf"|(?P<word>{_CHARACTER}+(?:[-'’´`]{_CHARACTER}+|:[a-zåäö]{{1,5}}(?!\w))*)"
    r"|(?P<dots>\.\.+|…)"
    r"|(?P<question>\?+[!?]*)"
    r"|(?P<stop>[.!;]+)"
    r"|(?P<pause>[,:()\[\]–—\"”“•*/]|^-)"
)
_REPEATED = re.compile(r"(\w)\1{2,}")
_DROPPED = str.maketrans("", "", _INVISIBLE + "-'’´`:")
_FOLDED = str.maketrans("äöåéèëáàüõøæ", "aoaeeeaauooa")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_SHORT_LINE = 45  # characters; a longer line was wrapped by the mail program, its end means nothing

Step = tuple[int, int]  # places to pass, sentences that end
NO_STEP: Step = (0, 0)
SENTENCE_END: Step = (2, 1)
LINE: Step = (1, 0)
LINE_END: Step = (4, 1)  # a line that ends a sentence
GAP: Step = (20, 1)  # what was left out of a text that is too long
ONE_WORD = (NO_STEP, NO_STEP)


def plain(word: str) -> str:
    """The form in which words are compared."""
    if word.isascii() and word.isalnum():
        lowered = word.lower()
    else:
        lowered = unicodedata.normalize("NFC", word.translate(_DROPPED)).casefold()
    return _REPEATED.sub(r"\1\1", lowered)


def fold(word: str) -> str:
    """Without diacritics, as typed on a keyboard that has none: ä -> a, ö -> o, å -> a."""
    return word.translate(_FOLDED)


def has_no_diacritics(word: str) -> bool:
    """Whether the plain word could have lost its diacritics in typing."""
    return _ASCII_WORD.fullmatch(word) is not None


class Line(NamedTuple):
    """A line that holds something."""

    chunks: list[str]
    begin: int  # offset of the line
    step: Step  # from the line before
    in_subject: bool


class _Before(Enum):
    """What stands before a line."""

    NOTHING = 0
    SHORT = 1  # a line that its writer ended
    WRAPPED = 2  # a line that the mail program ended
    END = 3  # the subject, or an empty line


def lines_of(text: str, subject_length: int = 0) -> Iterator[Line]:
    """The lines that hold something; the subject is what begins before the offset `subject_length`."""
    if len(text) <= MAX_LENGTH:
        yield from _lines(text, 0, subject_length, NO_STEP)
    else:
        yield from _lines(text[:HEAD], 0, subject_length, NO_STEP)
        yield from _lines(text[-TAIL:], len(text) - TAIL, subject_length, GAP)


def _lines(text: str, begin: int, subject_length: int, first: Step) -> Iterator[Line]:
    """An empty line ends a sentence, and so does a short line before a capital, a dash or a figure."""
    before = _Before.NOTHING
    for line in text.split("\n"):
        chunks = line.split()
        if chunks:
            in_subject = begin < subject_length
            if before is _Before.NOTHING:
                step = first
            elif before is _Before.END or (before is _Before.SHORT and _looks_new(chunks[0][0])):
                step = LINE_END
            else:
                step = LINE
            yield Line(chunks, begin, step, in_subject)
            wrapped = len(line) >= _SHORT_LINE and len(line.strip()) >= _SHORT_LINE
            before = _Before.END if in_subject else _Before.WRAPPED if wrapped else _Before.SHORT
        elif before is not _Before.NOTHING:
            before = _Before.END
        begin += len(line) + 1


def _looks_new(letter: str) -> bool:
    return letter.isupper() or letter in "-*•–>" or letter.isdigit()


@dataclass(frozen=True, slots=True)
class Chunk:
    """What stands between two white spaces, taken apart; everything in reading order."""

    words: tuple[str, ...]  # as written; shapes as their sign (`BUILT_IN`)
    spans: tuple[tuple[int, int], ...]  # of each word in the chunk
    steps: tuple[Step, ...]  # before each word, and one after the last
    is_open: bool = False  # whether a full stop in it ends a sentence is told by what stands beside the chunk


def take_apart(chunk: str, abbreviations: frozenset[str], last: str = "", following: str = "") -> Chunk:
    """The words of a chunk. Of an open one the word before it and the text after it tell how it ends."""
    if chunk.isalpha():
        return Chunk((chunk,), ((0, len(chunk)),), ONE_WORD)
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    steps: list[Step] = []
    step = NO_STEP
    is_open = False
    for match in _TOKEN.finditer(chunk):
        kind = match.lastgroup
        if kind == "pause":
            step = _and(step, (1, 0))
        elif kind == "dots":
            step = _and(step, (2, 0))
        elif kind == "stop":
            before = words[-1] if words else last
            is_open = is_open or _is_open(match, words)
            if _is_full_stop(match, before, abbreviations, following):
                step = _and(step, SENTENCE_END)
        else:
            words.append(match[0] if kind in ("word", "number") else f"<{kind}>")
            spans.append(match.span())
            steps.append(step)
            step = SENTENCE_END if kind == "question" else NO_STEP
    return Chunk(tuple(words), tuple(spans), (*steps, step), is_open)


def _and(first: Step, second: Step) -> Step:
    return first[0] + second[0], first[1] + second[1]


def _is_open(stop: re.Match[str], words: list[str]) -> bool:
    """Whether a full stop follows another chunk's word, or a figure at the end of its chunk."""
    return stop[0] == "." and (not words or (stop.end() == len(stop.string) and words[-1][-1].isdigit()))


def _is_full_stop(stop: re.Match[str], last: str, abbreviations: frozenset[str], following: str) -> bool:
    """A stop ends a sentence unless it belongs to a number, an initial, an abbreviation or a name with a dot."""
    if stop[0] != ".":
        return True
    after = stop.string[stop.end() :]
    if after and after[0] not in "\"”)'":
        return False
    goes_on = (after or following)[:1]  # in small letters or figures after a number and its dot ("12. maaliskuuta")
    if last[-1:].isdigit() and (goes_on.islower() or goes_on.isdigit()):
        return False
    return len(last) > 1 and last.lower() not in abbreviations
