"""Text to words with their places, so that rules can look for words near each other.

Words keep the offsets of the original text, so evidence is exact whatever was done to compare them. A word is compared
in its plain form: NFC, case folded, without soft hyphens, zero-width characters, hyphens, apostrophes and inflection
colons ("CV:ni" is "cvni", "e-mail" is "email", "don’t" is "dont"), and no letter more than twice in a row.
Distances count words; a comma or a wrapped line counts as one or two more. Nothing here knows a language.
Time is linear in the length of the text, and texts beyond MAX_LENGTH are read at their beginning and their end.
"""

import re
import unicodedata
from dataclasses import dataclass, field

MAX_LENGTH = 150_000  # characters read in full; of longer texts the first HEAD and the last TAIL are read
HEAD, TAIL = 100_000, 50_000
MAX_WORD = 60  # characters; longer runs are no words

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
    r"|(?P<line>[ \t\r]*\n\s*)"
    r"|(?P<pause>[,:()\[\]–—\"”“•*/]|(?<=\s)-)"
)
_REPEATED = re.compile(r"(\w)\1{2,}")
_DROPPED = str.maketrans("", "", _INVISIBLE + "-'’´`:")
_FOLDED = str.maketrans("äöåéèëáàüõøæ", "aoaeeeaauooa")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_SHORT_LINE = 45  # characters; a longer line was wrapped by the mail program, its end means nothing


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


@dataclass(frozen=True, kw_only=True)
class Words:
    """The words of a text in order; the lists run in parallel."""

    text: str
    raw: list[str] = field(default_factory=list)  # as written; shapes as their sign (`BUILT_IN`)
    starts: list[int] = field(default_factory=list)  # offset of the first character
    ends: list[int] = field(default_factory=list)  # offset after the last character
    sentences: list[int] = field(default_factory=list)  # number of the sentence, from 0
    places: list[int] = field(default_factory=list)  # running place with pauses counted
    subject_words: int = 0  # how many of the first words belong to the subject


def split_words(text: str, *, subject_length: int = 0, abbreviations: frozenset[str] = frozenset()) -> Words:
    """Words of a text whose first `subject_length` characters are the subject line."""
    if len(text) <= MAX_LENGTH:
        return _split(text, [(0, len(text))], subject_length, abbreviations)
    return _split(text, [(0, HEAD), (len(text) - TAIL, len(text))], subject_length, abbreviations)


def _split(text: str, parts: list[tuple[int, int]], subject_length: int, abbreviations: frozenset[str]) -> Words:
    raw: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    sentences: list[int] = []
    places: list[int] = []
    sentence = place = subject_words = line_start = 0
    for begin, end in parts:
        for match in _TOKEN.finditer(text, begin, end):
            kind = match.lastgroup
            if kind == "word":
                word = match[0]
            elif kind == "pause":
                place += 1
                continue
            elif kind == "line":
                ends_here = _ends_sentence(text, match, line_start, subject_length)
                sentence, place = (sentence + 1, place + 4) if ends_here else (sentence, place + 1)
                line_start = match.end()
                continue
            elif kind == "stop":
                if _is_full_stop(text, match, raw, abbreviations):
                    sentence, place = sentence + 1, place + 2
                continue
            elif kind == "dots":
                place += 2
                continue
            else:
                word = f"<{kind}>" if kind != "number" else match[0]
            raw.append(word)
            starts.append(match.start())
            ends.append(match.end())
            sentences.append(sentence)
            places.append(place)
            place += 1
            if match.start() < subject_length:
                subject_words += 1
            if kind == "question":
                sentence, place = sentence + 1, place + 2
        sentence, place = sentence + 1, place + 20
    return Words(
        text=text, raw=raw, starts=starts, ends=ends, sentences=sentences, places=places, subject_words=subject_words
    )


def _ends_sentence(text: str, line: re.Match[str], line_start: int, subject_length: int) -> bool:
    """An empty line ends a sentence, and so does a short line before a capital, a dash or a figure."""
    if line[0].count("\n") > 1 or line.start() <= subject_length:
        return True
    if line.start() - line_start >= _SHORT_LINE or line.end() >= len(text):
        return False
    following = text[line.end()]
    return following.isupper() or following in "-*•–>" or following.isdigit()


def _is_full_stop(text: str, stop: re.Match[str], raw: list[str], abbreviations: frozenset[str]) -> bool:
    """A stop ends a sentence unless it belongs to a number, an initial, an abbreviation or a name with a dot."""
    if stop[0] != ".":
        return True
    following = text[stop.end() : stop.end() + 1]
    if following and not following.isspace() and following not in "\"”)'":
        return False
    if not raw:
        return False
    last = raw[-1]
    return (
        not (last[-1].isdigit() and _goes_on(text, stop.end())) and len(last) > 1 and last.lower() not in abbreviations
    )


def _goes_on(text: str, after: int) -> bool:
    """Whether the sentence goes on in small letters or figures after a number and its dot ("12. maaliskuuta")."""
    following = text[after : after + 4].strip()
    return bool(following) and (following[0].islower() or following[0].isdigit())
