"""What the second reader sees of a text: words, their letter groups, and pairs of words near each other, as hashes.

One definition for learning and for reading. No sender, no name field, no place in the mail: only which words stand
there and which stand together. Diacritics and case do not count, addresses and long numbers lose their content. Every
step takes linear time on any text.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence

MAX_CHARACTERS = 30_000  # what lies beyond is not read; a person's mail is shorter
_MAX_WORD = 24  # letters of a word that count
_GRAMS = (3, 4, 5)  # lengths of letter groups, the edges of the word included
_STEM = 5  # letters of a word that count in a pair
REACH = 3  # words between which pairs are made
PAIR_FIRST, PAIR_BOTH, PAIR_SHIFT = 0x9E3779B1, 0x85EBCA6B, 11
ENDS = frozenset(".!?:\n")
_LONG_NUMBER = re.compile(r"\d{3,}")
TOKEN = re.compile(r"[\w.+-]{1,64}@[\w.-]+|(?:https?://|www\.)[^\s<>]{1,200}|[^\W_]+(?:['’-][^\W_]+)*|[?!.:\n]")


def plain_word(word: str) -> str:
    """A lower-case word as the model knows it: without diacritics, addresses and long numbers without content."""
    if "@" in word:
        return "@"
    if word.startswith(("http", "www.")):
        return "url"
    if not word.isascii():
        word = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return _LONG_NUMBER.sub("0", word)[:_MAX_WORD]


def tokens(chunk: str) -> list[str]:
    """The words of a chunk (what stands between white space) in lower case, and the signs that end a sentence."""
    return TOKEN.findall(chunk.lower())


def sentences(text: str) -> list[list[str]]:
    """The words of each sentence in lower case; a question mark stays as the last word of its sentence."""
    found: list[list[str]] = []
    for line in text[:MAX_CHARACTERS].split("\n"):
        words: list[str] = []
        for token in (token for chunk in line.split() for token in tokens(chunk)):
            if token not in ENDS:
                words.append(token)
            elif words:
                found.append([*words, token] if token == "?" else words)
                words = []
        if words:
            found.append(words)
    return found


def word_hashes(word: str) -> list[int]:
    """Hashes of a plain word and of its letter groups."""
    edged = f" {word} "
    letters: str | bytes = edged.encode() if edged.isascii() else edged
    grams = [letters[i : i + n] for n in _GRAMS for i in range(len(letters) - n + 1)]
    found = [zlib.crc32(gram if isinstance(gram, bytes) else gram.encode()) for gram in grams]
    return [*found, zlib.crc32(f"={word}".encode())]


def stem_hash(word: str) -> int:
    """The hash of the beginning of a plain word, from which pairs are made."""
    return zlib.crc32(word[:_STEM].encode(), 77)


def pair_hash(first: int, second: int) -> int:
    """The hash of two stems in this order; how many words lie between does not count."""
    return (first * PAIR_FIRST ^ second) * PAIR_BOTH >> PAIR_SHIFT


def pair_hashes(stems: Sequence[int]) -> Iterator[int]:
    """Hashes of the pairs near each other in one sentence."""
    for distance in range(1, REACH + 1):
        yield from map(pair_hash, stems, stems[distance:])
