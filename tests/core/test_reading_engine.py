"""What makes reading quick finds the same as what it replaces: word forms, phrases, chunks, hashed pairs, memories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.phrase_index import PhraseIndex
from mailbot.core.phrases import Item, Phrase
from mailbot.core.recent import Recent
from mailbot.core.second_reader import _pairs, _Word
from mailbot.core.word_features import PAIR_FIRST, pair_hashes
from mailbot.core.word_forms import WordForms, fits
from mailbot.core.words import SENTENCE_END, lines_of, take_apart

LETTERS = st.text("abc", min_size=0, max_size=4)
FORMS = st.lists(st.lists(LETTERS, min_size=1, max_size=3).filter(lambda parts: any(parts)), max_size=12)
STEMS = st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6), max_size=5)
SLOTS = st.frozensets(st.integers(0, 7), min_size=1, max_size=2)


@given(FORMS, st.text("abc", min_size=1, max_size=8))
def test_a_word_has_the_slots_of_exactly_the_forms_that_fit(forms: list[list[str]], word: str) -> None:
    """Looking up beginnings and endings finds what comparing with every form would find."""
    shelves = WordForms()
    for slot, parts in enumerate(forms):
        shelves.add(tuple(parts), slot)
    assert shelves.find(word)[0] == {slot for slot, parts in enumerate(forms) if fits(tuple(parts), word)}


@given(st.lists(st.lists(SLOTS, min_size=1, max_size=4), max_size=10), st.sets(st.integers(0, 7)))
def test_a_phrase_whose_words_are_all_there_is_possible(phrases: list[list[frozenset[int]]], present: set[int]) -> None:
    """No phrase that could occur is left out, and those it stands for become words of other phrases."""
    table = {
        10 + n: (Phrase(items=tuple(Item(slots=slots) for slots in items)),) for n, items in enumerate(phrases)
    } | {30: (Phrase(items=(Item(slots=frozenset({10})), Item(slots=frozenset({11})))),)}
    index, found = PhraseIndex(table), set(present)
    possible = index.possible(found)
    for n, items in enumerate(phrases):
        if all(slots & present for slots in items):
            assert 10 + n in found
            assert index.of_slot(10 + n, possible) == list(table[10 + n])
        elif any(not slots & present for slots in items[:3]):
            assert 10 + n not in found
    assert (30 in found) == ({10, 11} <= found)


@given(STEMS)
def test_pairs_side_by_side_have_the_hashes_of_pairs_one_by_one(lines: list[list[int]]) -> None:
    """The lanes of a long integer give the buckets that training gave."""
    mask = (1 << 21) - 1
    words = [_word(stem) for line in lines for stem in line]
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line))
    assert _pairs(words, ends, mask) == {h & mask for line in lines for h in pair_hashes(line)}


def _word(stem: int) -> _Word:
    first = stem * PAIR_FIRST & (1 << 32) - 1
    return _Word("x", first.to_bytes(8, "little"), stem.to_bytes(8, "little"), 0, 1, ends=False)


@pytest.mark.parametrize(
    ("chunk", "last", "following", "ends"),
    [
        ("12.", "", "maaliskuuta", False),
        ("12.", "", "Maaliskuuta", True),
        ("kello.", "", "maaliskuuta", True),
        ("esim.", "", "Maija", False),
        (".", "sana", "Toinen", True),
        (".", "esim", "Toinen", False),
        ("yritys.fi", "", "on", False),
    ],
)
def test_a_full_stop_is_understood_beside_its_neighbours(chunk: str, last: str, following: str, *, ends: bool) -> None:
    """Whether a stop ends a sentence may hang on the word before the chunk and the letter after it."""
    found = take_apart(chunk, frozenset({"esim"}), last, following)
    assert (found.steps[-1] == SENTENCE_END) is ends


@given(st.text("aB.? \n\t-", max_size=60))
def test_lines_hold_every_chunk_in_order(text: str) -> None:
    """Nothing that stands between white space is lost, and every line says where it begins."""
    lines = list(lines_of(text))
    assert [chunk for line in lines for chunk in line.chunks] == text.split()
    for line in lines:
        assert text[line.begin :].split()[0] == line.chunks[0]


def test_a_memory_keeps_what_was_asked_for_lately() -> None:
    """Two generations: what is used stays, what is not goes, and long keys never enter."""
    memory: Recent[int] = Recent(2, longest=3)
    for value, key in enumerate("abc"):
        memory.keep(key, value)
        memory.get("a")
    assert memory.get("a") == 0
    for key in "defg":
        memory.keep(key, 9)
    assert [memory.get(key) for key in "abc"] == [None, None, None]
    assert memory.keep("long", 1) == 1
    assert memory.get("long") is None
    assert sum(memory.get(key) is not None for key in "abcdefg") <= 4
