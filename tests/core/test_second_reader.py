"""The second reader: what it sees, what it shows, and what its data file must be."""

import time
from pathlib import Path

import pytest

from mailbot.core.bucket_rows import BucketRows
from mailbot.core.calibration import ANY, COLUMNS, LABELS, Calibration, Logistic
from mailbot.core.classify import RuleOpinion, decide
from mailbot.core.rights import Right
from mailbot.core.rulebook import Thresholds
from mailbot.core.second_reader import BIAS, RULE, SecondReader, Weights
from mailbot.core.word_features import MAX_CHARACTERS, pair_hashes, plain_word, sentences, stem_hash, word_hashes
from mailbot.errors import ConfigurationError
from mailbot.gateway.resources import shipped
from mailbot.gateway.second_reader import FILE, load_second_reader, write_second_reader

NO_RULES = RuleOpinion(scores={}, any_score=0.0)
BUCKETS = 1 << 12
ERASURE = LABELS.index(Right.ERASURE)


def taught(*words: str, pairs: tuple[tuple[str, str], ...] = ()) -> SecondReader:
    """A reader for which these words and pairs, and nothing else, speak for erasure and for any request."""
    row = bytearray([BIAS]) * COLUMNS
    row[ERASURE] = row[ANY] = 255
    index = [0] * BUCKETS
    hashes = [word_hashes(word)[-1] for word in words]
    hashes += [next(pair_hashes([stem_hash(first), stem_hash(second)])) for first, second in pairs]
    for found in hashes:
        index[found % BUCKETS] = 1
    table = bytes([BIAS]) * COLUMNS + bytes(row)
    weights = Weights(table=table, index=index, scales=(0.1,) * COLUMNS, biases=(-0.5,) * COLUMNS, version="taught")
    calibration = Calibration(
        alone=(Logistic(bias=0.0, weights=(4.0,)),) * COLUMNS,
        together=(Logistic(bias=0.0, weights=(4.0, 0.0, 0.0, 4.0, 0.0, 0.0)),) * ANY
        + (Logistic(bias=0.0, weights=(4.0, 0.0, 4.0, 0.0)),),
        thresholds=Thresholds(request=0.6, unsure=0.3, right=0.5),
    )
    return SecondReader(weights, calibration)


@pytest.fixture(scope="module")
def shipped_reader() -> SecondReader:
    return load_second_reader(shipped("rules"))


def test_words_are_known_without_case_and_diacritics() -> None:
    """A mail typed without diacritics or in capitals has the same words."""
    assert [plain_word(w) for line in sentences("PYYDÄN tietojani") for w in line] == ["pyydan", "tietojani"]
    assert [plain_word(w) for line in sentences("pyydan TIETOJANI") for w in line] == ["pyydan", "tietojani"]


def test_addresses_and_long_numbers_have_no_content() -> None:
    """No address and no telephone number can be learned by heart."""
    words = [plain_word(w) for line in sentences("maija@example.com https://example.com/x 0401234567 15") for w in line]
    assert words == ["@", "url", "0", "15"]


def test_pairs_do_not_cross_the_end_of_a_sentence() -> None:
    """Two words in different sentences are no pair; a question mark is a word of its own sentence."""
    assert sentences("Poistakaa. Tietoni on?") == [["poistakaa"], ["tietoni", "on", "?"]]


def test_a_taught_word_speaks_for_its_right_only() -> None:
    """What was learned for erasure moves erasure and any request, and no other right."""
    alone = taught("poistakaa").alone("Poistakaa!")
    assert alone.scores[Right.ERASURE] > 0.5 > alone.scores[Right.ACCESS]
    assert alone.any_score > 0.5


def test_a_word_counts_once_however_often_it_stands() -> None:
    """Saying it twice is not asking twice."""
    reader = taught("poistakaa")
    assert reader.margins("poistakaa") == reader.margins("poistakaa. Poistakaa. POISTAKAA")


def test_a_pair_needs_both_words_near_each_other() -> None:
    """A pair moves the margin only where both words stand in one sentence, in this order."""
    reader = taught(pairs=(("poistakaa", "tietoni"),))
    near = reader.margins("poistakaa minun tietoni")[ERASURE]
    assert near > reader.margins("poistakaa. minun tietoni")[ERASURE]
    assert near > reader.margins("tietoni minun poistakaa")[ERASURE]


def test_both_readers_make_one_score() -> None:
    """What the rules saw lifts the score of the same words, and the thresholds travel with the scores."""
    reader = taught("poistakaa")
    without = reader.opinion("poistakaa", NO_RULES)
    rules = RuleOpinion(scores={Right.ERASURE: 0.9}, any_score=0.9)
    together = reader.opinion("poistakaa", rules)
    assert together.scores[Right.ERASURE] > without.scores[Right.ERASURE]
    assert together.any_score > without.any_score
    assert together.thresholds == reader.calibration.thresholds


def test_a_right_is_never_surer_than_any_request() -> None:
    """What a mail asks for is a part of the belief that it asks at all, with the rules and without."""
    reader = taught("poistakaa")
    rules = RuleOpinion(scores={Right.ERASURE: 1.0}, any_score=0.1)
    for opinion in (reader.opinion("poistakaa", rules), reader.alone("poistakaa")):
        assert 0 < max(opinion.scores.values()) < opinion.any_score


def test_a_verdict_names_what_both_readers_were() -> None:
    """The version of a verdict holds that of the rules and that of the data file."""
    second = taught("poistakaa").opinion("poistakaa", NO_RULES)
    for opinion, version in ((second, "v+taught"), (None, "v")):
        verdict = decide(NO_RULES, language="fi", version="v", thresholds=Thresholds(), second=opinion)
        assert verdict.rules_version == version


def test_the_words_that_moved_it_are_shown_where_they_stand() -> None:
    """Evidence holds exactly the words of the text at its offsets, capitals and diacritics as written."""
    text = "Hei,\nPOISTAKAA minut — kiitos Äiti"
    (evidence,) = taught("poistakaa").opinion(text, NO_RULES).evidence
    assert (evidence.right, evidence.rule, evidence.text) == ("erasure", RULE, "POISTAKAA")
    assert text[evidence.start : evidence.end] == evidence.text


def test_nothing_is_shown_for_mail_that_is_left_alone() -> None:
    """Mail below the thresholds carries no evidence of the second reader."""
    assert taught("poistakaa").opinion("kiitos ja hyvää viikonloppua", NO_RULES).evidence == ()


@pytest.mark.parametrize("text", ["", "?", "\x00\ud800", "İİİ ß ﬁ", "a" * 200_000, "a.b." * 50_000, "1 " * 60_000])
def test_any_text_is_read_quickly(text: str) -> None:
    """No text breaks the reader or takes long; what lies beyond the limit is not read."""
    reader = taught("poistakaa")
    begun = time.perf_counter()
    reader.opinion(text, NO_RULES)
    assert reader.moved(text, [Right.ERASURE]) == ()
    assert time.perf_counter() - begun < 2
    assert reader.margins("x " * MAX_CHARACTERS) == reader.margins("x " * (MAX_CHARACTERS // 2) + "poistakaa")


def test_the_shipped_file_is_small_and_knows_plain_requests(shipped_reader: SecondReader) -> None:
    """The data file is at most 4 MB, and tells a plain request from a plain mail in three languages."""
    assert (shipped("rules") / FILE).stat().st_size <= 4_000_000
    asked = ["Poistakaa kaikki tietoni rekisteristänne.", "Radera alla mina uppgifter.", "Please delete all my data."]
    other = ["Voitteko toimittaa laskun uudestaan?", "När kommer min beställning?", "When will the parcel arrive?"]
    scores = [shipped_reader.alone(text) for text in asked]
    assert min(score.scores[Right.ERASURE] for score in scores) > 0.5
    assert max(shipped_reader.alone(text).any_score for text in other) < min(score.any_score for score in scores)


def test_an_ordinary_mail_is_read_in_about_a_millisecond(shipped_reader: SecondReader) -> None:
    """Two hundred mails of ordinary length, in words mostly met before, take well under a second."""
    mail = " ".join(f"Hei, tilasin teiltä kaapelin {n}. ja haluaisin tietää koska se tulee perille." for n in range(8))
    begun = time.perf_counter()
    for n in range(200):
        shipped_reader.opinion(f"{mail} sana{n}", NO_RULES)
    assert time.perf_counter() - begun < 1.0


def test_a_file_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    """Half a model never judges: each fault is a configuration error that names the file."""
    with pytest.raises(ConfigurationError, match=FILE):
        load_second_reader(tmp_path)
    whole = (shipped("rules") / FILE).read_bytes()
    for broken in (b"", b"other\n" + whole, whole[:-1000], whole.replace(b'"erasure"', b'"erosion"', 1)):
        (tmp_path / FILE).write_bytes(broken)
        with pytest.raises(ConfigurationError, match=FILE):
            load_second_reader(tmp_path)


def test_a_written_file_is_read_back_and_one_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """The same input writes the same bytes; rows that are not whole or lie outside the table are refused."""
    header = {
        "labels": [str(right) for right in LABELS],
        "buckets": 8,
        "scales": [1.0] * COLUMNS,
        "biases": [0.0] * COLUMNS,
        "alone": [[0.0, 1.0]] * COLUMNS,
        "together": [[0.0] * 7] * ANY + [[0.0] * 5],
        "thresholds": {"request": 0.6, "unsure": 0.3, "right": 0.5},
    }
    write_second_reader(tmp_path / FILE, [1, 5], bytes(COLUMNS * 2), header)
    first = (tmp_path / FILE).read_bytes()
    assert list(load_second_reader(tmp_path).weights.index) == [0, 1, 0, 0, 0, 2, 0, 0]
    write_second_reader(tmp_path / FILE, [1, 5], bytes(COLUMNS * 2), header)
    assert (tmp_path / FILE).read_bytes() == first
    for buckets, rows in (([1, 5], bytes(COLUMNS * 2 + 1)), ([1, 8], bytes(COLUMNS * 2))):
        write_second_reader(tmp_path / FILE, buckets, rows, header)
        with pytest.raises(ConfigurationError, match=FILE):
            load_second_reader(tmp_path)


def test_each_bucket_finds_its_own_row() -> None:
    """A bucket's row is its place among the buckets that have one, wherever it lies; the others have none."""
    numbers = [0, 1, 255, 256, 300, 5_000, 65_535]
    rows = BucketRows(numbers, 65_536)
    assert [rows[number] for number in numbers] == [1, 2, 3, 4, 5, 6, 7]
    assert sum(1 for row in rows if row) == len(numbers)
    assert list(BucketRows([], 8)) == [0] * 8


@pytest.mark.parametrize("numbers", [[5, 1], [1, 1], [8], list(range(256))])
def test_rows_that_can_not_be_kept_so_are_refused(numbers: list[int]) -> None:
    """Out of order, twice, beyond the table, or too close together to count in a byte."""
    with pytest.raises(ValueError, match="rows"):
        BucketRows(numbers, 256 if len(numbers) > 2 else 8)
