"""The engine: what a rule means, shown with small rules of our own."""

import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.classify import Kind, SecondOpinion, classify, decide, read_by_rules, reading_of
from mailbot.core.compile_rules import compile_language
from mailbot.core.language_words import language_words
from mailbot.core.message import Message
from mailbot.core.rights import Right
from mailbot.core.rulebook import LanguageRules, Rulebook, Thresholds

CONCEPTS = {
    "erase": ["poist(a|e)*", "!poistu*", "ot(a|ta)* .. pois"],
    "my_data": ["*tieto(ni|jani)", "<my> <data>"],
    "my": ["minun", "mun"],
    "data": ["tiedot", "tietoja"],
    "weather": ["sää", "sataa"],
}
NEGATION = {"before": ["älkää", "en halua"], "after": ["ei tarvitse"], "barriers": ["vaan"], "reach": 4}
ERASURE: dict[str, Any] = {
    "name": "erasure",
    "right": "erasure",
    "weight": 0.9,
    "when": ["<erase>", "<my_data>"],
}


def rules_of(*rules: dict[str, Any], counters: Any = (), flags: Any = (), typos: Any = ()) -> LanguageRules:
    """Rules of a small language."""
    compiled, problems = compile_language(
        "fi",
        concepts=CONCEPTS,
        rules=rules or (ERASURE,),
        counters=counters,
        flags=flags,
        negation=NEGATION,
        abbreviations=("esim",),
        typos=typos,
    )
    assert problems == []
    return compiled


def fires(text: str, **changes: Any) -> bool:
    """Whether the erasure rule, changed so, fires in the text."""
    rule = ERASURE | {key.rstrip("_"): value for key, value in changes.items()}
    return bool(read_by_rules(text, rules_of(rule)).scores)


@pytest.mark.parametrize(
    "text",
    [
        "Poistakaa tietoni",
        "Minun tiedot pitäisi poistaa",
        "POISTAKAA MUN TIEDOT",
        "Ottaisitteko mun tiedot pois? Otatteko ne sieltä pois, siis tietoni",
    ],
)
def test_elements_may_stand_in_any_order_and_case(text: str) -> None:
    """A rule fires wherever its elements are near each other."""
    assert fires(text)


def test_an_exception_keeps_a_word_out_of_its_concept() -> None:
    """`!poistu*` keeps leaving a room apart from erasing."""
    assert not fires("Poistukaa huoneesta, tietoni ovat salaisia")


def test_a_rule_ends_where_its_reach_ends() -> None:
    """`near` counts words between the elements."""
    text = "Poistakaa yksi kaksi kolme neljä tietoni"
    assert fires(text, near=4)
    assert not fires(text, near=3)


def test_a_comma_counts_as_a_word() -> None:
    """A pause makes the distance longer by one."""
    assert fires("Poistakaa nyt tietoni", near=1)
    assert not fires("Poistakaa nyt, tietoni", near=1)


def test_a_sentence_end_is_a_wall_unless_the_rule_reaches_across() -> None:
    """`across` says how many sentence ends may lie between."""
    text = "Siellä on tietoni. Poistakaa."
    assert not fires(text)
    assert fires(text, across=1)


def test_an_abbreviation_and_a_number_end_no_sentence() -> None:
    """A full stop after `esim` or a date belongs to it."""
    assert fires("Poistakaa esim. tietoni")
    assert fires("Poistakaa 12. maaliskuuta tietoni")


@pytest.mark.parametrize(
    "text", ["Älkää poistako tietojani", "En halua että poistatte tietoni", "Poistaa ei tarvitse tietojani"]
)
def test_a_negated_act_is_no_request(text: str) -> None:
    """A negation before or after the act stops the rule, and the rule is shown as held back."""
    opinion = read_by_rules(text, rules_of())
    assert not opinion.scores
    assert [item.rule for item in opinion.held_back] == ["fi.erasure"]


def test_a_negation_does_not_reach_past_a_barrier() -> None:
    """`vaan` turns the sentence round."""
    assert fires("Älkää korjatko vaan poistakaa tietoni")


def test_a_rule_may_ignore_negation() -> None:
    """`negation = "ignored"` is for rules whose own words hold it."""
    assert fires("Älkää poistako tietojani", negation="ignored")


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"unless": ["<weather>"]}, False),
        ({"without": ["<weather>"]}, False),
        ({"with": ["<weather>"]}, True),
        ({"with": ["lunta"]}, False),
    ],
)
def test_conditions_look_at_the_sentence_or_the_mail(condition: dict[str, Any], *, allowed: bool) -> None:
    """`unless` looks at the sentence, `without` and `with` at the whole mail."""
    assert fires("Poistakaa tietoni kun sataa", **condition) is allowed


def test_unless_does_not_look_into_other_sentences() -> None:
    """Weather in the next sentence says nothing about this one."""
    assert fires("Poistakaa tietoni. Huomenna sataa.", unless=["<weather>"])


def test_where_tells_the_subject_from_the_body() -> None:
    """A rule for the subject does not fire in the body."""
    rules = rules_of(ERASURE | {"where": "subject"})
    text = "Poistakaa tietoni\nHei"
    assert read_by_rules(text, rules, subject_length=len("Poistakaa tietoni")).scores
    assert not read_by_rules("Hei\nPoistakaa tietoni", rules, subject_length=3).scores


def test_ordered_elements_must_follow_each_other() -> None:
    """`ordered` makes the order of `when` count."""
    assert fires("Poistakaa tietoni", ordered=True)
    assert not fires("Tietoni voi poistaa", ordered=True)


def test_gaps_and_edges_of_phrases() -> None:
    """`..` skips up to three words, `^` and `$` are the ends of the sentence."""
    assert fires("Ottakaa siis ne ihan pois, tietoni")
    assert not fires("Ottakaa yksi kaksi kolme neljä pois, tietoni")
    exact = {"when": [["^ poistakaa $"]]}
    assert fires("Hei! Poistakaa. Kiitos", **exact)
    assert not fires("Hei! Poistakaa ne. Kiitos", **exact)


@pytest.mark.parametrize(
    "written",
    [
        "Pois\u00adtakaa tie\u200btoni",
        unicodedata.normalize("NFD", "Hyvää päivää, poistakaa nämä tietoni"),
        "  POISTAKAAAAA   tietoni",
        "poistakaa tieto-ni",
    ],
)
def test_evidence_is_exact_in_the_text_as_written(written: str) -> None:
    """Whatever was done to compare words, the evidence's offsets cut the original text."""
    (evidence,) = [item for item in read_by_rules(written, rules_of()).evidence if item.right]
    assert written[evidence.start : evidence.end] == evidence.text
    assert evidence.text.casefold().startswith("pois")
    assert evidence.text.endswith("ni")


def test_missing_diacritics_are_found_for_a_little_less() -> None:
    """A word typed without its dots counts, but not quite as much."""
    rule = ERASURE | {"when": [["hävittäkää"], "<my_data>"]}
    exact = read_by_rules("Hävittäkää tietoni", rules_of(rule)).scores[Right.ERASURE]
    folded = read_by_rules("Havittakaa tietoni", rules_of(rule)).scores[Right.ERASURE]
    assert 0.8 < folded < exact


@pytest.mark.parametrize("slip", ["hävitäkää", "hävittäkkää", "hävirtäkää", "hväittäkää".replace("hvä", "häv")])
def test_a_long_stem_tolerates_one_slip(slip: str) -> None:
    """Concepts named in `typos` forgive one wrong, missing, doubled or swapped letter."""
    concepts = CONCEPTS | {"destroy": ["hävittäkää*"]}
    compiled, problems = compile_language(
        "fi",
        concepts=concepts,
        rules=[ERASURE | {"when": ["<destroy>", "<my_data>"]}],
        counters=[],
        flags=[],
        negation={},
        typos=["destroy"],
    )
    assert not problems
    assert read_by_rules(f"{slip} tietoni".replace("ä", "a"), compiled).scores


def test_reasons_add_up_and_a_rule_counts_once() -> None:
    """Two rules make a score of 1-(1-a)(1-b); the same rule twice adds nothing."""
    first, second = ERASURE | {"weight": 0.5}, ERASURE | {"name": "second", "weight": 0.5, "when": ["<erase>"]}
    rules = rules_of(first, second)
    once = read_by_rules("Poistakaa tietoni.", rules).scores[Right.ERASURE]
    twice = read_by_rules("Poistakaa tietoni. Siis poistakaa tietoni!", rules).scores[Right.ERASURE]
    assert once == twice == pytest.approx(0.75)


def test_a_counter_lowers_the_mail_or_its_sentence() -> None:
    """What looks like a request and is none leaves only a part of the score."""
    counter = {"name": "weather", "when": ["<weather>"], "factor": 0.1}
    text = "Poistakaa tietoni. Huomenna sataa."
    whole = read_by_rules(text, rules_of(counters=[counter]))
    sentence = read_by_rules(text, rules_of(counters=[counter | {"scope": "sentence"}]))
    other = read_by_rules(text, rules_of(counters=[counter | {"rights": ["access"]}]))
    assert whole.scores[Right.ERASURE] == pytest.approx(0.09)
    assert sentence.scores[Right.ERASURE] == other.scores[Right.ERASURE] == pytest.approx(0.9)
    assert whole.request_belief < 0.2 < sentence.request_belief


@pytest.mark.parametrize("flag", ["authority", "police", "breach", "complaint"])
def test_a_letter_that_needs_a_person_is_never_dropped(flag: str) -> None:
    """A message without a right but with such a flag is unsure and names no right."""
    rules = rules_of(flags=[{"name": "f", "flag": flag, "when": ["<weather>"]}])
    verdict = decide(read_by_rules("Huomenna sataa", rules), language="fi", version="1", thresholds=Thresholds())
    assert (verdict.kind, verdict.rights, verdict.flags) == (Kind.UNSURE, (), (flag,))


def test_other_flags_change_nothing() -> None:
    """A child in the text alone makes no case."""
    rules = rules_of(flags=[{"name": "f", "flag": "child", "when": ["<weather>"]}])
    verdict = decide(read_by_rules("Huomenna sataa", rules), language="fi", version="1", thresholds=Thresholds())
    assert (verdict.kind, verdict.flags) == (Kind.NOT_REQUEST, ("child",))


@pytest.mark.parametrize(("weight", "kind"), [(0.9, Kind.REQUEST), (0.4, Kind.UNSURE), (0.2, Kind.NOT_REQUEST)])
def test_the_score_decides_the_lane(weight: float, kind: Kind) -> None:
    """Thresholds make a verdict of a score."""
    book = Rulebook(languages={"fi": rules_of(ERASURE | {"weight": weight})}, words=language_words({}), version="v")
    verdict = classify("Poistakaa tietoni", "fi", book)
    assert verdict.kind is kind
    assert verdict.rights == (() if kind is Kind.NOT_REQUEST else (Right.ERASURE,))
    assert verdict.rules_version == "v"


def test_the_second_reader_brings_scores_and_thresholds_of_its_own() -> None:
    """With a second opinion its calibrated scores decide, and the rules' evidence stays."""
    opinion = read_by_rules("Poistakaa tietoni", rules_of())
    second = SecondOpinion(
        scores={Right.ACCESS: 0.7, Right.ERASURE: 0.2}, any_score=0.65, thresholds=Thresholds(request=0.64, right=0.5)
    )
    verdict = decide(opinion, language="fi", version="1", thresholds=Thresholds(), second=second)
    assert (verdict.kind, verdict.rights) == (Kind.REQUEST, (Right.ACCESS,))
    assert [item.rule for item in verdict.evidence] == ["fi.erasure"]


@pytest.mark.parametrize(
    ("any_score", "named"), [(0.9, (Right.ACCESS,)), (0.6, (Right.ACCESS, Right.ERASURE)), (0.5, ())]
)
def test_a_right_is_named_by_its_share_of_a_request(any_score: float, named: tuple[Right, ...]) -> None:
    """Half of the belief in a request names a right; below a request a right needs as much belief of its own."""
    second = SecondOpinion(scores={Right.ACCESS: 0.47, Right.ERASURE: 0.35}, any_score=any_score)
    limits = Thresholds(request=0.6, unsure=0.3, right=0.5)
    verdict = decide(read_by_rules("Hei", rules_of()), language="fi", version="1", thresholds=limits, second=second)
    assert verdict.rights == named


def test_a_request_is_named_after_its_best_right() -> None:
    """When every right scores low, the best one that is not nothing names the request."""
    second = SecondOpinion(scores={Right.ACCESS: 0.4, Right.ERASURE: 0.35}, any_score=0.9)
    verdict = decide(
        read_by_rules("Hei", rules_of()), language="fi", version="1", thresholds=Thresholds(), second=second
    )
    assert verdict.rights == (Right.ACCESS,)


def test_the_reading_is_subject_text_and_forward() -> None:
    """Forwarded text is content; quoted history is not in it."""
    message = Message(subject="Aihe", text="x\n> y", visible_text="x", forwarded_text="Poistakaa tietoni")
    assert reading_of(message) == "Aihe\nx\nPoistakaa tietoni"


@pytest.mark.parametrize(
    "hostile",
    [
        "poistakaa " * 20_000,
        "tietoni. poistakaa " * 10_000,
        "a.b-c'd:e@" * 15_000,
        "poista" * 30_000,
        "älkää ei tarvitse minun mun " * 8_000,
        "\n" * 150_000,
        "1.2.3/" * 30_000,
    ],
)
def test_hostile_text_is_read_in_linear_time(hostile: str) -> None:
    """A hundred and fifty thousand characters of anything take less than two seconds."""
    begun = time.process_time()
    read_by_rules(hostile, rules_of())
    assert time.process_time() - begun < 2


def test_a_request_at_the_end_of_an_endless_text_is_found() -> None:
    """Of a text beyond the limit the beginning and the end are read."""
    assert fires("sana " * 100_000 + ". Poistakaa tietoni")


@given(st.text(max_size=300))
def test_any_text_is_read_and_its_evidence_lies_in_it(text: str) -> None:
    """Whatever stands in a text, nothing breaks and evidence is cut from it."""
    padded = f"{text} poistakaa tietoni"
    for item in read_by_rules(padded, rules_of()).evidence:
        assert padded[item.start : item.end] == item.text
