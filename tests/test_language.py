"""Which language a text is in: short, loud, without dots, and between neighbours."""

import json
from functools import cache
from pathlib import Path

import pytest

from mailbot.core.rulebook import Rulebook
from mailbot.gateway.resources import shipped
from mailbot.gateway.rulebook import load_rulebook
from mailbot.mail.language import UNKNOWN, guess, guess_languages

CORPUS = Path(__file__).parent / "corpus"


@cache
def rulebook() -> Rulebook:
    """The shipped rules, loaded once."""
    return load_rulebook(shipped("rules"))


def language(text: str, default: str = UNKNOWN) -> str:
    """The language of a text by the shipped words."""
    book = rulebook()
    known = {name: rules.knows for name, rules in book.languages.items() if name != "other"}
    return guess(text, book.words, default, known)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mitä te minusta tiedätte", "fi"),
        ("poistakaa tietoni", "fi"),
        ("POISTAKAA MINUN TIETONI HETI", "fi"),
        ("mita tietoja teilla on minusta", "fi"),
        ("Moi voisitteks poistaa mun tilin", "fi"),
        ("vad vet ni om mig?", "sv"),
        ("RADERA MINA UPPGIFTER", "sv"),
        ("jag vill att ni tar bort mig fran ert register", "sv"),
        ("glöm mig", "sv"),
        ("Please delete my data", "en"),
        ("what have you got on me", "en"),
        ("WIPE MY ACCOUNT NOW", "en"),
        ("thx, pls remove my number", "en"),
        ("Bitte löschen Sie meine Daten", "de"),
        ("Welche Daten haben Sie über mich gespeichert?", "de"),
        ("Palun kustutage minu andmed", "et"),
        ("Soovin teada, millised andmed teil minu kohta on", "et"),
        ("Hvilke opplysninger har dere om meg?", "nb"),
        ("Vennligst slett kontoen min", "nb"),
        ("Hvilke oplysninger har I om mig?", "da"),
        ("Slet venligst min konto hos jer, tak", "da"),
        ("Veuillez supprimer mes données personnelles", "fr"),
        ("Quiero que eliminen mis datos personales", "es"),
        ("Vorrei la cancellazione dei miei dati personali", "it"),
        ("Proszę o usunięcie moich danych osobowych", "pl"),
        ("Graag al mijn gegevens verwijderen", "nl"),
        ("woher habt ihr meine nummer", "de"),
        ("Hvor har I mit nummer fra?", "da"),
        ("Arrêtez de m'appeler", "fr"),
        ("Удалите мои персональные данные", "ru"),
        ("Видаліть мої персональні дані, будь ласка", "uk"),
        ("أرجو حذف بياناتي الشخصية", "ar"),
    ],
)
def test_a_short_text_is_told(text: str, expected: str) -> None:
    """One sentence is enough, shouted or without its dots."""
    assert language(text) == expected


@pytest.mark.parametrize("text", ["", "   ", "12345 67", "😊👍", "!!!", "\u200b"])
def test_what_nobody_can_tell_is_unknown(text: str) -> None:
    """No words, no language: `unknown`, or the controller's own when one is given."""
    assert language(text) == UNKNOWN
    assert language(text, "fi") == "fi"


def test_a_mail_in_two_languages_names_both() -> None:
    """The rules of both are asked."""
    found = guess_languages(
        "Hei, voisitteko poistaa kaikki minun tietoni teidän rekisteristä, kiitos. "
        "Hello, could you please delete all my data from your register, thanks.",
        rulebook().words,
    )
    assert {found.language, *found.also} >= {"fi", "en"}


def test_the_same_text_has_the_same_language_every_time() -> None:
    """langdetect is seeded: nothing is drawn by lot."""
    assert len({language("Zxqv lorem ipsum dolor sit amet qwerty consectetur") for _ in range(5)}) == 1


def test_the_language_of_the_labelled_mails_is_right() -> None:
    """At least 98 of a hundred labelled mails are in the language that their writer says."""
    mails = [
        json.loads(line)
        for path in sorted((CORPUS / "written").glob("g*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    right = sum(language(f"{mail['subject']}\n{mail['body']}") == mail["lang"] for mail in mails)
    assert len(mails) > 1000
    assert right / len(mails) >= 0.98


def test_a_weak_guess_asks_the_rules_of_other_languages_too() -> None:
    """Where only our own rules' words decided, the likeliest stranger is named beside the language."""
    book = rulebook()
    known = {name: rules.knows for name, rules in book.languages.items() if name != "other"}
    found = guess_languages("Hvor har I mit nummer fra?", book.words, UNKNOWN, known)
    assert (found.language, "sv" in found.also) == ("da", True)
    assert guess_languages("glöm mig", book.words, UNKNOWN, known).also == ("da",)
