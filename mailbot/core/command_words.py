"""The words staff commands are made of, and how a text is held against them.

Words are data (rules/commands.toml); here is only how they match: tokens of a text against phrases of words, without
case and diacritics, with a slip of one letter allowed in a few named words. A match says where it stands, nothing more;
what it means is decided in command.py. Time is linear in the text: every phrase is found by its first word.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

LANGUAGES = ("fi", "sv", "en")
_WORD = re.compile(
    r"[A-Za-zÅÄÖåäö]{2,}-\d{4}-\d+"  # a ticket's reference
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # an address
    r"|\w+(?:(?:['’-]|(?<=[A-Z0-9]):(?=[a-zåäö]))\w+)*"
)
REFERENCE = re.compile(r"[A-Za-zÅÄÖåäö]{2,}-\d{4}-\d+")


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    if char in "’‘`´":
        return "'"
    base = unicodedata.normalize("NFKD", char)[0]
    lower = base.casefold()
    return lower if len(lower) == 1 else base


def fold(text: str) -> str:
    """The same text, character for character, in lower case and without diacritics."""
    return "".join(_fold_char(char) for char in text)


def fold_word(word: str) -> str:
    """A word as it is compared: folded, without apostrophes ("don't" is "dont")."""
    return fold(word).replace("'", "")


@dataclass(frozen=True, kw_only=True)
class Token:
    """One word of a text. `start` and `end` count characters of that text."""

    text: str
    folded: str
    start: int
    end: int

    @property
    def is_name(self) -> bool:
        """Looks like a name: one capital, then small letters."""
        return self.text[:1].isupper() and (self.text[1:].islower() or len(self.text) == 1)


@dataclass(frozen=True, kw_only=True)
class WordSet:
    """A set of words, of stems (words with any ending) and of ends (words with any beginning)."""

    exact: frozenset[str] = frozenset()
    stems: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()

    @classmethod
    def of(cls, words: Iterable[str]) -> "WordSet":
        """From words as written in the data: "word", "stem*" or "*end"."""
        folded = [fold_word(word) for word in words]
        stems = tuple(sorted(word[:-1] for word in folded if word.endswith("*")))
        ends = tuple(sorted(word[1:] for word in folded if word.startswith("*")))
        exact = frozenset(word for word in folded if not word.endswith("*") and not word.startswith("*"))
        return cls(exact=exact, stems=stems, ends=ends)

    def __contains__(self, folded: str) -> bool:
        return (
            folded in self.exact
            or (bool(self.stems) and folded.startswith(self.stems))
            or (bool(self.ends) and folded.endswith(self.ends))
        )

    def __or__(self, other: "WordSet") -> "WordSet":
        return WordSet(exact=self.exact | other.exact, stems=self.stems + other.stems, ends=self.ends + other.ends)


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """Words in a row that mean `meaning` (an action, a ground, ...)."""

    meaning: str
    language: str
    words: tuple[WordSet, ...]
    optional: tuple[bool, ...]

    @classmethod
    def of(cls, line: str, meaning: str, language: str) -> "Phrase":
        """From a line as written in the data: `a|b stem* word?`."""
        parts = line.split()
        return cls(
            meaning=meaning,
            language=language,
            words=tuple(WordSet.of(part.removesuffix("?").split("|")) for part in parts),
            optional=tuple(part.endswith("?") for part in parts),
        )

    def end(self, tokens: Sequence[Token], at: int, stop: int, skip: WordSet) -> tuple[int, int] | None:
        """Index behind the match that begins exactly at `at`, and how many words it has; None without a match."""
        return self._from(0, tokens, at, stop, skip, 0)

    def _from(
        self, part: int, tokens: Sequence[Token], at: int, stop: int, skip: WordSet, matched: int
    ) -> tuple[int, int] | None:
        if part == len(self.words):
            return (at, matched) if matched else None
        found = _seek(tokens, at, stop, self.words[part], skip if matched else None)
        if found is not None:
            end = self._from(part + 1, tokens, found + 1, stop, skip, matched + 1)
            if end is not None:
                return end
        return self._from(part + 1, tokens, at, stop, skip, matched) if self.optional[part] else None


def _seek(tokens: Sequence[Token], at: int, stop: int, words: WordSet, skip: WordSet | None) -> int | None:
    """Where a word of `words` stands, at `at` or behind at most two words of `skip`."""
    for index in range(at, min(at + 3, stop)):
        if tokens[index].folded in words:
            return index
        if skip is None or tokens[index].folded not in skip:
            return None
    return None


@dataclass(frozen=True, kw_only=True)
class Match:
    """A phrase found in a text: tokens `start` up to `end`."""

    phrase: Phrase
    start: int
    end: int
    size: int  # how many words of the text were matched


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """Phrases, found by their first word."""

    by_word: Mapping[str, tuple[Phrase, ...]]
    by_stem: Mapping[str, tuple[Phrase, ...]]

    @classmethod
    def of(cls, phrases: Iterable[Phrase]) -> "Lexicon":
        """Index phrases; the first word of a phrase is never optional."""
        words: dict[str, list[Phrase]] = {}
        stems: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            for word in phrase.words[0].exact:
                words.setdefault(word, []).append(phrase)
            for stem in phrase.words[0].stems:
                stems.setdefault(stem, []).append(phrase)
        return cls(
            by_word={word: tuple(found) for word, found in words.items()},
            by_stem={stem: tuple(found) for stem, found in stems.items()},
        )

    def candidates(self, folded: str) -> Iterable[Phrase]:
        """Phrases that can begin with this word."""
        yield from self.by_word.get(folded, ())
        for stem, phrases in self.by_stem.items():
            if folded.startswith(stem):
                yield from phrases

    def longest(self, tokens: Sequence[Token], at: int, stop: int, skip: Mapping[str, WordSet]) -> Match | None:
        """The phrase with most words that begins at `at`; the first one written wins a tie."""
        best: Match | None = None
        for phrase in self.candidates(tokens[at].folded):
            found = phrase.end(tokens, at, stop, skip[phrase.language])
            if found is not None and (best is None or found[1] > best.size):
                best = Match(phrase=phrase, start=at, end=found[0], size=found[1])
        return best


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """Words in which one slip is forgiven, and right words that only look like a slip."""

    keys: frozenset[str]
    known: frozenset[str]

    def mend(self, folded: str) -> str:
        """The key word this is a slip of, or the word itself."""
        if len(folded) < 6 or folded in self.known:
            return folded
        near = (key for key in self.keys if key[0] == folded[0] and key[-1] == folded[-1] and one_slip(folded, key))
        return next(near, folded)


def one_slip(left: str, right: str) -> bool:
    """Whether one letter is missing, added, changed, or two neighbours are swapped."""
    if left == right or abs(len(left) - len(right)) > 1:
        return False
    head = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    if len(left) == len(right):
        same = left[head + 1 :] == right[head + 1 :]
        swapped = left[head : head + 2] == right[head : head + 2][::-1] and left[head + 2 :] == right[head + 2 :]
        return same or swapped
    longer, shorter = (left, right) if len(left) > len(right) else (right, left)
    return longer[head + 1 :] == shorter[head:]


@dataclass(frozen=True, kw_only=True)
class Furniture:
    """What surrounds a command in a mail: endings, footers, quoted history. Every word is folded."""

    sign_offs: tuple[str, ...]
    weak_sign_offs: tuple[str, ...]  # only on a line of their own, or with a mark behind them
    footers: tuple[str, ...]
    quote_ends: tuple[str, ...]
    quote_marks: tuple[str, ...]
    from_headers: frozenset[str]
    other_headers: frozenset[str]
    signature: WordSet  # titles, firms, streets and what stands before a number
    opening_days: WordSet
    opening_words: WordSet
    messages: WordSet  # "this message"
    secret: WordSet  # "is confidential"
    intended: WordSet  # "is intended", with
    alone: WordSet  # "only"
    disclaimer: WordSet  # one of these stands in every sentence of a disclaimer
    signature_files: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Tongue:
    """The words of one language around its commands."""

    fillers: WordSet  # may surround an approval; those of every language included
    done: WordSet  # "I deleted", "checked": a report of work, harmless beside an approval
    told: WordSet  # what may stand in such a report: the person's data, registers, days
    whom: WordSet  # the person and colleagues: only behind the work, for before it they would have done it
    looked: WordSet  # of `done`, the work that is done on drafts and lists,
    papers: WordSet  # which these are
    past: WordSet  # times that are no "later" where work done is reported: "deleted this morning"
    doubts: Mapping[str, WordSet]  # why a clause is no command, by kind
    reasons: WordSet  # words that lead to a reason and are not part of it
    what: Mapping[str, WordSet]  # kind of draft -> its words
    open_lines: tuple[str, ...]
    open_words: tuple[str, ...]
    open_keys: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CommandWords:
    """Everything of rules/commands.toml, ready for matching."""

    commands: Lexicon
    harmless: Lexicon
    questions: Lexicon
    tongues: Mapping[str, Tongue]
    greetings: WordSet  # first words of a greeting by name
    no_names: WordSet  # verbs that a short order begins with; no name, however they are written
    systems: WordSet  # names of registers and systems
    openers: WordSet  # first words of thanks, wishes and apologies
    imperatives: WordSet  # orders that a colleague could be meant to carry out
    consents: WordSet  # "hyväksyn", "approved": consent in so many words
    not_sendable: WordSet  # things one asks for with "send": a draft, a list
    fillers: Mapping[str, WordSet]  # language -> words that change nothing
    skip: Mapping[str, WordSet]  # language -> words that may stand inside an order
    spelling: Spelling
    furniture: Furniture
    negative_signs: frozenset[str]
    rights: Mapping[str, WordSet]
    grounds: Lexicon
    channels: Mapping[str, WordSet]
    turns: frozenset[str]  # "but": what stands behind it is weighed by itself
    conjunctions: frozenset[str]
    request_words: tuple[str, ...]  # parts of words: "tarkastuspyyntö", "begäran"
    no_skip: Mapping[str, WordSet] = field(default_factory=lambda: dict.fromkeys(LANGUAGES, WordSet()))

    def tokens(self, text: str) -> list[Token]:
        """The words of a text, slips mended."""
        return list(self.each_token(text))

    def each_token(self, text: str) -> Iterator[Token]:
        """The words of a text one by one."""
        for match in _WORD.finditer(text):
            folded = self.spelling.mend(fold_word(match.group()))
            yield Token(text=match.group(), folded=folded, start=match.start(), end=match.end())
