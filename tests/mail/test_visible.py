"""What the writer wrote: history does not decide, a forward does, and no sentence of the writer is lost."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.gateway.reading_rules import load_reading_patterns
from mailbot.gateway.resources import shipped
from mailbot.mail.parse import read_message, read_text
from mailbot.mail.patterns import ReadingPatterns
from mailbot.mail.visible import prefix_role, split

SHIPPED = load_reading_patterns(shipped("rules"))
OWN = "Kiitos, tämä riittää.\n\nAino"
OLD = "Poistakaa kaikki tietoni."

ANSWERS = {
    "gmail_fi": "pe 20. lokakuuta 2017 klo 17.50 Kauppa (kauppa@example.com) kirjoitti:\n\n> " + OLD,
    "gmail_fi_unmarked": "to 5. helmik. 2026 klo 16.40 Kauppa <kauppa@example.com> kirjoitti:\n\n" + OLD,
    "gmail_sv": "Den fre 20 okt. 2017 kl 17:50 skrev Butik <butik@example.com>:\n> " + OLD,
    "gmail_en_wrapped": "On Fri, 20 Oct 2017 at 17:50, The Shop of Examples\n<shop@example.com> wrote:\n> " + OLD,
    "apple_fi": "Kauppa <kauppa@example.com> kirjoitti 14.4.2026 kello 12.30:\n\n" + OLD,
    "apple_sv": "17 nov. 2026 kl. 11:40 skrev Butik <butik@example.com>:\n\n" + OLD,
    "apple_en": "> On 18 Jun 2025, at 09:27, Shop <shop@example.com> wrote:\n>\n> " + OLD,
    "thunderbird_fi": "Kauppa kirjoitti 3.2.2026 klo 8.44:\n> " + OLD,
    "german": "Am 3. Mai 2026 um 10:00 schrieb Laden <laden@example.com>:\n> " + OLD,
    "horde_fi": "Lainaus Kauppa <kauppa@example.com>:\n\n> " + OLD,
    "bars": "Kauppa kirjoitti 3.2.2026 klo 8.44:\n| " + OLD,
    "outlook_fi": "Lähettäjä: Kauppa <kauppa@example.com>\nLähetetty: perjantai 20. lokakuuta 2017 17.50\n"
    "Vastaanottaja: Aino\nAihe: Tilaus\n\n" + OLD,
    "outlook_sv": "Från: Butik\nSkickat: den 14 maj 2025 09:31\nTill: Aino\nÄmne: Order\n\n" + OLD,
    "outlook_en": "From: Shop\nSent: Friday\nTo: Aino\nSubject: Order\n\n" + OLD,
    "outlook_mobile": "Hanki Outlook for iOS\n" + "_" * 32 + "\nLähettäjä: Kauppa <kauppa@example.com>\n"
    "Lähetetty: perjantai\nVastaanottaja: Aino\nAihe: Tilaus\n\n" + OLD,
    "original_fi": "-----Alkuperäinen viesti-----\nLähettäjä: Kauppa\nAihe: Tilaus\n\n" + OLD,
    "original_sv": "-----Ursprungligt meddelande-----\nFrån: Butik\n" + OLD,
    "samsung_fi": "-------- Alkuperäinen viesti --------\nLähettäjä: Kauppa <kauppa@example.com>\n"
    "Päivämäärä: 3.9.2024 19.55 (GMT+02:00)\nVastaanottaja: aino@example.org\nAihe: Tilaus\n\n" + OLD,
}


@pytest.mark.parametrize("style", ANSWERS)
def test_history_does_not_decide(style: str, patterns: ReadingPatterns) -> None:
    """Below an answer the old request is history, in every mail program's style."""
    parts = split(f"{OWN}\n\n{ANSWERS[style]}", patterns, "VS: Tilaus")
    assert parts.visible == OWN
    assert OLD in parts.quoted
    assert parts.forward is None


FORWARDS = {
    "gmail_fi": (
        "Fwd: pyyntö",
        "---------- Välitetty viesti ---------\nLähettäjä: Veli <veli@example.org>\n"
        "Päivämäärä: ke 4. marrask. 2026 klo 9.15\nAihe: pyyntö\nVastaanottaja: <aino@example.com>\n\n",
    ),
    "gmail_en": (
        "Fwd: request",
        "---------- Forwarded message ---------\nFrom: Veli <veli@example.org>\n"
        "Date: Wed, 4 Nov 2026 at 09:15\nSubject: request\nTo: <aino@example.com>\n\n",
    ),
    "apple_fi": ("Fwd: pyyntö", "Välitetty viesti alkaa:\n\nLähettäjä: Veli <veli@example.org>\nAihe: pyyntö\n\n"),
    "apple_sv": ("Fwd: begäran", "Vidarebefordrat brev:\n\nFrån: Veli <veli@example.org>\nÄmne: begäran\n\n"),
    "apple_sv_beginning": (
        "Vidarebefordrat brev: begäran",
        "Början på vidarebefordrat brev:\n\nFrån: Veli <veli@example.org>\nÄmne: begäran\n\n",
    ),
    "thunderbird_sv": (
        "Fwd: begäran",
        "-------- Vidarebefordrat meddelande --------\nÄmne: begäran\nDatum: Mon, 16 Nov\n"
        "Från: Veli <veli@example.org>\nTill: aino@example.com\n\n",
    ),
    "outlook_fi": (
        "VL: pyyntö",
        "Lähettäjä: Veli <veli@example.org>\nLähetetty: sunnuntai 15. syyskuuta 2024 6.41\n"
        "Vastaanottaja: Myynti\nAihe: pyyntö\n\n",
    ),
    "outlook_sv": (
        "VB: begäran",
        "-----Ursprungligt meddelande-----\nFrån: Veli [mailto:veli@example.org]\nÄmne: x\n\n",
    ),
    "outlook_en": ("FW: request", "From: Veli (veli@example.org)\nSent: Friday\nTo: Sales\nSubject: request\n\n"),
    "quoted_by_its_client": ("Fwd: pyyntö", "> Lähettäjä: Veli <veli@example.org>\n>\n> "),
}


@pytest.mark.parametrize("style", FORWARDS)
def test_below_a_forward_mark_stands_the_content(style: str, patterns: ReadingPatterns) -> None:
    """The inner writer and the inner words of a forward are read, in every mail program's style."""
    subject, head = FORWARDS[style]
    parts = split(f"Hoidatko tämän? -Aino\n\n{head}{OLD}", patterns, subject)
    assert parts.visible == "Hoidatko tämän? -Aino"
    assert parts.forwarded == OLD
    assert parts.forward is not None
    assert parts.forward.sender is not None
    assert parts.forward.sender.address == "veli@example.org"


def test_a_forward_without_own_words_is_one(patterns: ReadingPatterns) -> None:
    """Nothing above the header block and "VL:" in the subject: a forward."""
    parts = split(FORWARDS["outlook_fi"][1] + OLD, patterns, "VL: pyyntö")
    assert parts.visible == ""
    assert parts.forwarded == OLD
    assert parts.defects == ()


@pytest.mark.parametrize(
    ("subject", "role"),
    [
        ("VS: a", "reply"),
        ("SV: a", "reply"),
        ("Re[2]: a", "reply"),
        ("VL: VS: a", "forward"),
        ("VB: a", "forward"),
        ("Fwd: Re: a", "forward"),
        ("Re: Fwd: a", "reply"),
        ("Vastaus pyyntöön", ""),
        ("VSOP konjakki", ""),
    ],
)
def test_the_first_prefix_tells_answer_from_forward(subject: str, role: str, patterns: ReadingPatterns) -> None:
    """Finnish VS and Swedish SV answer, VL and VB forward; the outermost prefix counts."""
    assert prefix_role(subject, patterns) == role


def test_words_of_handing_over_make_a_forward_of_vs(patterns: ReadingPatterns) -> None:
    """Many forward with "VS:": a note that hands the message over makes what follows content."""
    block = "-----Alkuperäinen viesti-----\nLähettäjä: Veli <veli@example.org>\nAihe: Poisto\n\n" + OLD
    parts = split(f"Hei, tämä tuli minulle mutta kuulunee teille. R.\n\n{block}", patterns, "VS: Poisto")
    assert parts.forwarded == OLD
    answered = split(f"Hoidatteko?\n\n{block}", patterns, "VS: Poisto", frozenset({"veli@example.org"}))
    assert answered.forward is None  # it goes to the very person the block names


def test_a_chain_of_forwards_is_said_so(patterns: ReadingPatterns) -> None:
    """Through two forwards the innermost sender is named, and a person is told to check."""
    inner = "---------- Forwarded message ---------\nFrom: Veli <veli@example.org>\nSubject: x\n\n" + OLD
    outer = (
        "---------- Forwarded message ---------\nFrom: Myynti <myynti@example.com>\nSubject: Fwd: x\n\nFYI\n\n" + inner
    )
    parts = split("Tiedoksi\n\n" + outer, patterns, "Fwd: Fwd: x")
    assert parts.forward is not None
    assert parts.forward.sender is not None
    assert parts.forward.sender.address == "veli@example.org"
    assert OLD in parts.forwarded
    assert "forward_chain" in parts.defects


def test_interleaved_answers_are_all_kept(patterns: ReadingPatterns) -> None:
    """Every answer between quoted questions stays, whatever stands above or below."""
    text = "A kirjoitti:\n> Jatketaanko?\n\nEi.\n\n> Poistetaanko tili?\n\nKyllä, ja kaikki tietoni.\n\n> Terveisin A"
    assert split(text, patterns, "Re: Tilisi").visible == "Ei.\n\nKyllä, ja kaikki tietoni."


def test_answers_inside_unmarked_history_are_kept(patterns: ReadingPatterns) -> None:
    """ "Vastaukset alla punaisella" keeps everything, because colours are lost in text."""
    text = f"Vastaukset alla punaisella.\n\n{ANSWERS['outlook_fi']}\nKyllä, poistakaa."
    parts = split(text, patterns, "VS: Tilaus")
    assert "Kyllä, poistakaa." in parts.visible
    assert "answers_inside" in parts.defects


def test_an_answer_below_the_quotation_is_kept(patterns: ReadingPatterns) -> None:
    """Bottom posting: what follows the marked lines is the writer's."""
    parts = split(f"{ANSWERS['thunderbird_fi']}\n\nPoistakaa vain puhelinnumero.", patterns, "Re: Tilaus")
    assert parts.visible == "Poistakaa vain puhelinnumero."


def test_only_quoted_lines_are_a_defect(patterns: ReadingPatterns) -> None:
    """A body of quoted lines alone shows nothing of the writer's, and says so."""
    parts = split(f"> {OLD}\n> Aino", patterns, "Re: Tilaus")
    assert parts.visible == ""
    assert parts.defects == ("only_quoted",)


def test_unmarked_history_below_nothing_is_kept(patterns: ReadingPatterns) -> None:
    """Where nothing stands above an unmarked quotation, the answer may stand inside it: all is kept."""
    parts = split(ANSWERS["outlook_fi"], patterns, "VS: Tilaus")
    assert OLD in parts.visible
    assert parts.defects == ("quote_unclear",)


def test_a_web_form_is_no_history(patterns: ReadingPatterns) -> None:
    """The fields of a contact form look like a mail's header and are the request."""
    text = "Uusi yhteydenotto.\n\nLähettäjä: Veli\nLähetetty: 22.11.2026\nAihe: Poisto\nViesti: Poistakaa tietoni."
    assert split(text, patterns, "Uusi yhteydenotto").visible == text


@pytest.mark.parametrize(
    "prose",
    [
        "Eilen klo 10.30 myyjänne kirjoitti minulle seuraavaa:\nEmme poista mitään.\nVaadin silti poistoa.",
        "Teidän Jonne kirjoitti:\nei onnistu\nMinusta onnistuu, poistakaa.",
        "From: what I remember you have my old number.\nPlease remove it.",
        "Aihe: tietoni\n\nPoistakaa ne.",
        ">> TÄRKEÄÄ: poistakaa tietoni <<",
    ],
)
def test_prose_that_looks_like_a_mark_is_kept(prose: str, patterns: ReadingPatterns) -> None:
    """Sentences that resemble marks of history stay with the writer."""
    assert split(prose, patterns, "asia").visible == prose


@pytest.mark.parametrize(
    "line",
    [
        "Lähetetty iPhonesta",
        "Lähetetty Samsung-puhelimestani",
        "Lähetetty matkapuhelimesta, pahoittelen kirjoitusvirheitä",
        "Hanki Outlook for Android",
        "Skickat från min iPhone",
        "Hämta Outlook för iOS",
        "Sent from my Galaxy",
        "Sent from Outlook for Android",
        "Get Outlook for iOS",
        "Von meinem iPhone gesendet",
        "Sendt fra min iPhone",
    ],
)
def test_a_telephones_line_is_cut(line: str, patterns: ReadingPatterns) -> None:
    """A telephone's own line goes, the sentence above it stays."""
    parts = split(f"{OLD}\n\n{line}", patterns)
    assert (parts.visible, parts.signature) == (OLD, line)


FINE_PRINT = [
    "Tämä viesti liitteineen on tarkoitettu vain vastaanottajalle ja voi sisältää luottamuksellista tietoa. Sinulla on "
    "oikeus tarkastaa ja poistaa tietosi.",
    "Detta meddelande kan innehålla sekretessbelagd information. Du har rätt till radering.",
    "CONFIDENTIALITY NOTICE: This e-mail may contain personal data. To exercise your right of erasure contact us.",
    "If you are not the intended recipient, please delete it.",
    "--\nEsimerkki Oy, Y-tunnus 0000000-0\nTietosuojaseloste: www.example.com",
]


@pytest.mark.parametrize("fine_print", FINE_PRINT)
def test_fine_print_does_not_decide(fine_print: str, patterns: ReadingPatterns) -> None:
    """Signatures and disclaimers name every right and are cut."""
    parts = split(f"Lasku on väärä.\n\nAino\n\n{fine_print}", patterns)
    assert parts.visible == "Lasku on väärä.\n\nAino"


@pytest.mark.parametrize(
    "kept",
    [
        "Tämä viesti on luottamuksellinen. Pyydän, että poistatte tietoni.",
        "Privacy: please delete everything you hold about me.",
        "If you received this message in error, tell me who else has my data.",
        "--\nPoistakaa minun tietoni, kiitos.",
        "--\nAino\n\nPS. Poistakaa osoite.",
    ],
)
def test_a_person_speaking_is_never_fine_print(kept: str, patterns: ReadingPatterns) -> None:
    """Where the writer speaks of themself, or adds a postscript, nothing of it is cut."""
    parts = split(f"Hei\n\n{kept}", patterns)
    for sentence in ("Pyydän, että poistatte", "delete everything", "tell me who", "Poistakaa minun", "PS. Poistakaa"):
        assert (sentence in kept) == (sentence in parts.visible)


@pytest.mark.parametrize(
    ("name", "visible"),
    [
        ("html_only_outlook_answer_fi", "Hei,\n\npoistatteko tietoni, sillä en ole enää asiakas.\nAino"),
        ("html_gmail_answer_en", "Please send me a copy of my data.\n\nAino"),
    ],
)
def test_html_answers_are_split_too(
    name: str, visible: str, fixture_bytes: Callable[[str], bytes], patterns: ReadingPatterns
) -> None:
    """Outlook's and Gmail's HTML gives the writer's words alone."""
    assert read_message(fixture_bytes(name), patterns).visible_text == visible


def test_apples_quoted_forward_is_a_forward(fixture_bytes: Callable[[str], bytes], patterns: ReadingPatterns) -> None:
    """Apple Mail wraps a forward in a quotation; its words are content all the same."""
    message = read_message(fixture_bytes("html_apple_forward_sv"), patterns)
    assert message.visible_text == "Det här hör väl till er?"
    assert message.forwarded_text == "Ta bort mina uppgifter, tack."
    assert message.forward is not None
    assert message.forward.sender is not None
    assert message.forward.sender.address == "elin@example.org"


def test_a_bare_subject_and_body_split_alike(patterns: ReadingPatterns) -> None:
    """`read_text` gives what the same mail would give."""
    message = read_text("VS: Tilaus", f"{OWN}\n\n{ANSWERS['outlook_fi']}", "Aino <aino@Example.com>", patterns)
    assert message.visible_text == OWN
    assert message.sender is not None
    assert message.sender.address == "aino@example.com"


LINES = st.sampled_from(
    [
        "Moi",
        "",
        "> vanha",
        "-- ",
        "--",
        "Lähetetty iPhonesta",
        "On 3 May 2026 at 10:00, A <a@example.com> wrote:",
        "-----Original Message-----",
        "---------- Forwarded message ---------",
        "From: A <a@example.com>",
        "Sent: Friday",
        "Subject: x",
        "Subject: FW: x",
        "This message is confidential.",
        "Poistakaa minun tietoni.",
        "________________",
        "x mailing list",
        "| palkki",
        "A kirjoitti:",
        "PS. vielä",
    ]
)


@settings(max_examples=400, deadline=None)
@given(lines=st.lists(LINES, max_size=18), subject=st.sampled_from(["x", "Re: x", "FW: x", "VS: x"]))
def test_no_line_is_lost(lines: list[str], subject: str) -> None:
    """Every line ends up somewhere: visible, forwarded, quoted, cut as fine print, or named in the forward."""
    parts = split("\n".join(lines), SHIPPED, subject)
    whole = "\n".join((parts.visible, parts.forwarded, parts.quoted, parts.signature))
    have = Counter(line.strip().removeprefix("> ") for line in whole.split("\n") if line.strip())
    marks = {
        "---------- Forwarded message ---------",
        "-----Original Message-----",
        "________________",
        "From: A <a@example.com>",
        "Sent: Friday",
        "Subject: x",
        "Subject: FW: x",
    }
    wanted = Counter(line.strip().removeprefix("> ") for line in lines if line.strip() and line.strip() not in marks)
    assert not wanted - have
