"""Letters and documents on paper say exactly what they were given, and the file is the same whenever it is made."""

import io
import logging
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import time_machine
from pypdf import PdfReader

from mailbot.errors import ConfigurationError
from mailbot.gateway import letters
from mailbot.gateway.letters import Font, Line, document_pdf, find_font, flowing, letter_pdf

DAY = date(2026, 11, 3)
SENDER = ("Jalo IT Oy", "Esimerkkikatu 1", "00100 Helsinki")
RECIPIENT = ("Åsa Öhman", "Esimerkkitie 2 B 3", "20100 TURKU")
TEXT = """\
Hei Åsa Öhman,

olemme poistaneet asiakasrekisteristämme kaikki teitä koskevat tiedot. Laskut
säilytämme kirjanpitolain mukaan vuoden 2032 loppuun.

Säilytämme:
- laskut ja tositteet, joista kirjanpitolaki (1336/1997) määrää, vuoden
  2032 loppuun
- suostumuksenne markkinointikieltoon

Tietosuojavaltuutetun toimisto
PL 800
00531 Helsinki
"""


def letter(text: str = TEXT, **changes: Any) -> bytes:
    given: dict[str, Any] = {
        "sender": SENDER,
        "recipient": RECIPIENT,
        "language": "fi",
        "day": DAY,
        "subject": "Vastaus pyyntöönne",
        "reference": "JALO-2026-0014",
    }
    return letter_pdf(text, **(given | changes))


def pages(raw: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(raw)).pages]


def words(raw: bytes) -> str:
    return " ".join(" ".join(pages(raw)).split())


def placed(raw: bytes) -> dict[str, tuple[float, float]]:
    """The pieces of text of the first page with their place in millimetres from the left and the top."""
    found: dict[str, tuple[float, float]] = {}

    def visit(text: str, _cm: list[float], tm: list[float], _font: object, _size: float) -> None:
        if text.strip():
            found[text.strip()] = (tm[4] / 72 * 25.4, 297 - tm[5] / 72 * 25.4)

    PdfReader(io.BytesIO(raw)).pages[0].extract_text(visitor_text=visit)
    return found


def test_a_letter_says_what_it_was_given() -> None:
    """Every word of text, subject, addresses, reference and date stands on the page, Nordic letters too."""
    said = words(letter())
    for part in (*SENDER, *RECIPIENT, "Vastaus pyyntöönne", "JALO-2026-0014", "3.11.2026", " ".join(TEXT.split())):
        assert part in said


def test_the_address_stands_in_the_window() -> None:
    """Every line of the recipient lies 20 to 105 mm from the left and 45 to 90 mm from the top (DIN 5008 form B)."""
    found = placed(
        letter(recipient=["Åsa Öhman", "c/o Liisa", "Yritys Oy", "Katu 1", "PL 2", "20100 TURKU", "FINLAND"])
    )
    for line in ("Åsa Öhman", "20100 TURKU", "FINLAND"):
        left, top = found[line]
        assert 20 <= left <= 25
        assert 45 <= top <= 90


def test_a_very_long_address_stays_above_the_text() -> None:
    """Lines beyond the window are joined into the last one; none is left out."""
    raw = letter(recipient=[f"Rivi {n}" for n in range(1, 12)])
    assert "Rivi 7, Rivi 8, Rivi 9, Rivi 10, Rivi 11" in words(raw)


def test_the_same_letter_is_the_same_file_whatever_the_clock_says() -> None:
    """The bytes depend on the words and the letter's own day only, so an approval covers what is printed."""
    first = letter()
    with time_machine.travel("2031-05-05"):
        assert letter() == first
    assert letter(day=date(2026, 11, 4)) != first


def test_a_long_letter_goes_on_and_counts_its_pages() -> None:
    """Nothing is cut at the end of a page, and each page says how many there are."""
    text = "\n\n".join(f"Kappale {n}. " + "Sanoja rivin täytteeksi. " * 12 for n in range(40))
    found = pages(letter(text))
    assert len(found) > 2
    assert [f"{n} ({len(found)})" in page for n, page in enumerate(found, 1)] == [True] * len(found)
    assert "Kappale 39." in found[-1]


@pytest.mark.parametrize(
    "text", ["{nb} pages", "**bold** __not__ <b>markup</b>", "{{ 7*7 }} %s \\x41", "a\x1fpages\x1fb"]
)
def test_text_is_only_text(text: str) -> None:
    """Nothing in a text is markup, a placeholder or a page number."""
    assert " ".join(text.split()) in words(letter(text))


def test_a_letter_the_font_does_not_know_is_shown_as_a_question_mark(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is left out silently, and no log repeats a name."""
    with caplog.at_level(logging.DEBUG):
        said = words(letter("Nimi: 漢字 Ωmega Ж"))
    assert "Nimi: ?? Ωmega Ж" in said
    assert "漢" not in caplog.text


def test_wrapped_lines_flow_again_and_short_ones_stay() -> None:
    """A paragraph becomes one line, a list item too, and an address keeps its lines."""
    assert list(flowing(TEXT)) == [
        Line(text="Hei Åsa Öhman,", opens=True),
        Line(
            text="olemme poistaneet asiakasrekisteristämme kaikki teitä koskevat tiedot. Laskut "
            "säilytämme kirjanpitolain mukaan vuoden 2032 loppuun.",
            opens=True,
        ),
        Line(text="Säilytämme:", opens=True),
        Line(text="laskut ja tositteet, joista kirjanpitolaki (1336/1997) määrää, vuoden 2032 loppuun", mark="-"),
        Line(text="suostumuksenne markkinointikieltoon", mark="-"),
        Line(text="Tietosuojavaltuutetun toimisto", opens=True),
        Line(text="PL 800"),
        Line(text="00531 Helsinki"),
    ]


@pytest.mark.parametrize("text", ["", "\n\n", " ", "---", "===\n===", "1. \n2. x"])
def test_odd_texts_make_a_page(text: str) -> None:
    """An empty or strange text never fails."""
    assert len(pages(letter(text))) == 1


def test_a_document_has_title_headings_and_date() -> None:
    """A register description shows its title, and underlined lines become headings without their underline."""
    raw = document_pdf("Tietosuojaseloste", "Rekisterinpitäjä\n----------------\nJalo IT Oy\n", language="fi", day=DAY)
    assert words(raw) == "Tietosuojaseloste 3.11.2026 Rekisterinpitäjä Jalo IT Oy 1 (1)"
    assert PdfReader(io.BytesIO(raw)).metadata.title == "Tietosuojaseloste"  # type: ignore[union-attr]


LINES_BEFORE_THE_END = (41, 42, 43)  # the last two would leave a heading alone


def test_a_heading_never_stands_alone_at_the_end_of_a_page() -> None:
    """A heading without room for its text begins the next page."""
    for count in LINES_BEFORE_THE_END:
        text = "\n".join(f"Rivi {n}" for n in range(count)) + "\n\nOtsikko\n=======\n\nSen teksti\n"
        for page in pages(document_pdf("Seloste", text, language="fi", day=DAY)):
            assert ("Otsikko" in page) == ("Sen teksti" in page)


def test_dates_are_written_as_the_language_does() -> None:
    """Finnish and Swedish of Finland write 3.11.2026, English the month's name."""
    assert [letters.day_in_words(DAY, code) for code in ("fi", "sv", "en")] == [
        "3.11.2026",
        "3.11.2026",
        "3 November 2026",
    ]


def test_the_language_of_the_page_is_said() -> None:
    """A screen reader finds the language in the file."""
    assert str(PdfReader(io.BytesIO(letter(language="sv"))).root_object["/Lang"]) == "sv"


def test_a_machine_without_a_font_says_what_to_install(tmp_path: Path) -> None:
    """One line names the cure."""
    with pytest.raises(ConfigurationError, match="fonts-dejavu-core"):
        find_font([tmp_path])


def test_a_file_that_is_no_font_is_said(tmp_path: Path) -> None:
    """A damaged font is a matter of configuration."""
    wrong = tmp_path / "font.ttf"
    wrong.write_bytes(b"no font")
    with pytest.raises(ConfigurationError, match="is no font"):
        letter(font=Font(regular=wrong, bold=wrong))


def test_without_the_extra_package_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain installation says which extra to install."""
    monkeypatch.setitem(sys.modules, "fpdf", None)
    with pytest.raises(ConfigurationError, match=r"install mailbot\[letters\]"):
        letter()
