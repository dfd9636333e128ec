"""The linter: silent on everything that is shipped, and awake to a planted example of each rule in each language."""

import io
import zipfile
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from mailbot.core.controller import LANGUAGES
from mailbot.core.letter import ReplyItem, Text
from mailbot.core.lint import COPIES, GIVEN, RULES, Checked, Severity, lint
from mailbot.core.lint_files import File, is_empty, is_misnamed, is_protected, machine_readable, text_of
from mailbot.core.lint_patterns import PHRASES, identity_codes
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.gateway.profiles import load_profile
from mailbot.gateway.resources import shipped
from mailbot.gateway.template_preview import every_item, sample_facts, sample_item, sample_values
from mailbot.gateway.templates import AS_REPLY, LETTERS, Renderer

RENDERER = Renderer([shipped("templates")])
JALO = load_profile("jalo-it", shipped("rules"))
ILAAKSO = load_profile("ilaakso-it", shipped("rules"))
WORDS: Mapping[str, str] = RENDERER.words("en")["lint"]
REQUESTER = "ann@example.com"


def _locked_zip(name: str) -> File:
    """A zip that says its one file is encrypted."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, b"secret")
    raw = bytearray(made.getvalue())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + place] |= 1
    return File(name="copy.zip", content=bytes(raw))


COPY = _locked_zip("copy.csv")


def _draft(text: str, language: str, items: tuple[ReplyItem, ...] = (), **more: Any) -> Checked:
    facts = sample_facts(RENDERER, JALO, language)
    wanted = any(item.right in COPIES and item.outcome in GIVEN for item in items)
    given: dict[str, Any] = {
        "kind": "reply",
        "language": language,
        "controller": JALO,
        "text": text,
        "items": items,
        "files": (COPY,) if wanted else (),
        "recipient": REQUESTER,
        "requester_address": REQUESTER,
        "requester_name": facts["requester_name"],
        "own_addresses": ("privacy@example.com", "myynti@ilaakso.fi"),
        "new_due_on": facts["new_due_on"],
    }
    return Checked(**{**given, **more})


def _found(draft: Checked) -> set[str]:
    return {finding.rule for finding in lint(draft, WORDS)}


def _shipped(language: str, right: Right, outcome: Outcome = Outcome.FULFILLED) -> tuple[Text, tuple[ReplyItem, ...]]:
    item = sample_item(RENDERER, right, outcome, language)
    return RENDERER.reply(language, [item], sample_facts(RENDERER, JALO, language)), (item,)


@pytest.mark.parametrize("controller", [JALO, ILAAKSO], ids=lambda controller: controller.name)
@pytest.mark.parametrize("language", [*LANGUAGES, "de"])
def test_the_linter_is_silent_on_all_shipped_texts(controller: Any, language: str) -> None:
    """No shipped reply or letter, with its needs met, draws a finding."""
    facts = sample_facts(RENDERER, controller, language)
    for item in every_item(RENDERER, language):
        text = RENDERER.reply(language, [item], facts).body
        assert _found(_draft(text, language, (item,), controller=controller)) == set(), item
    for kind in set(LETTERS) - set(AS_REPLY):
        values = sample_values(RENDERER, RENDERER.needs(kind, None, None, language), language)
        text = RENDERER.letter(kind, language, {**facts, **values, "items": (ReplyItem(right=Right.ERASURE),)}).body
        assert _found(_draft(text, language, kind=kind, values=values, controller=controller)) == set(), kind


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reply_to_several_rights_is_judged_whole(language: str) -> None:
    """Sections that end differently do not contradict each other."""
    items = (
        sample_item(RENDERER, Right.RECTIFICATION, Outcome.REFUSED, language),
        sample_item(RENDERER, Right.ACCESS, Outcome.NO_DATA, language),
        sample_item(RENDERER, Right.ERASURE, Outcome.FULFILLED, language),
    )
    text = RENDERER.reply(language, items, sample_facts(RENDERER, JALO, language)).body
    assert _found(_draft(text, language, items)) == set()


DEMANDS = {
    "fi": [
        "Lähetä meille kopio passistasi.",
        "Tarvitsemme kopion henkilöllisyystodistuksestasi.",
        "Ilmoita henkilötunnuksesi.",
        "Pyyntö on allekirjoitettava.",
        "Täytä ensin liitteenä oleva lomake.",
        "Perustele pyyntösi.",
    ],
    "sv": [
        "Skicka oss en kopia av ditt pass.",
        "Vi behöver en kopia av din identitetshandling.",
        "Uppge din personbeteckning.",
        "Du måste underteckna din begäran.",
        "Fyll i blanketten först.",
        "Vänligen motivera din begäran.",
    ],
    "en": [
        "Please send us a copy of your passport.",
        "We need a copy of your identity card.",
        "Please state your personal identity code.",
        "You must sign the request.",
        "Please fill in the form.",
        "Please explain why you want this.",
    ],
}
HARMLESS = {
    "fi": ["Emme tarvitse kopiota passistasi.", "Pyyntöä ei tarvitse perustella.", "Lomake löytyi huollosta."],
    "sv": ["Du behöver inte motivera din begäran.", "Skicka inte en kopia av ditt pass.", "Utan underskrift går bra."],
    "en": ["You do not need to sign the request.", "Do not send a copy of your passport.", "No form is needed."],
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_demand_for_more_than_the_law_allows_is_caught(language: str) -> None:
    """An ID copy, identity code, signature, form or reasons may not be demanded; saying that none is needed may."""
    text = RENDERER.letter("identity_question", language, sample_facts(RENDERER, JALO, language)).body
    for sentence in DEMANDS[language]:
        assert _found(_draft(f"{text}\n{sentence}\n", language, kind="identity_question")) == {"demands_too_much"}
    for sentence in HARMLESS[language]:
        assert _found(_draft(f"{text}\n{sentence}\n", language, kind="identity_question")) == set(), sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_without_remedy_is_caught(language: str) -> None:
    """A refusal that loses its complaint or its judicial remedy, or the authority, is blocked (GDPR 12(4))."""
    text, items = _shipped(language, Right.ERASURE, Outcome.REFUSED)
    court = next(line for line in text.body.split("\n\n") if PHRASES[language].court.search(line.lower()))
    assert "remedy_missing" in _found(_draft(text.body.replace(court, ""), language, items))
    authority = JALO.authority(language)
    bare = text.body
    for word in (authority.name, authority.email, authority.url):
        bare = bare.replace(word, "")
    assert "remedy_missing" in _found(_draft(bare, language, items))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_without_reasons_is_caught(language: str) -> None:
    """A refusal that gives neither reason nor ground is blocked (GDPR 12(4))."""
    bare = {
        "fi": "Hei, emme poista tietojasi. Voit tehdä kantelun tai mennä tuomioistuimeen. tietosuoja@om.fi",
        "sv": "Hej, vi raderar inte uppgifterna. Du kan lämna klagomål eller gå till domstol. tietosuoja@om.fi",
        "en": "Hello, we will not erase your data. You can complain or go to court. tietosuoja@om.fi",
    }
    item = ReplyItem(right=Right.ERASURE, outcome=Outcome.REFUSED, ground=Ground.LEGAL_CLAIMS)
    assert _found(_draft(bare[language], language, (item,))) == {"reasons_missing"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_extension_without_reason_or_date_is_caught(language: str) -> None:
    """A notice of extension says why and until when (GDPR 12(3))."""
    facts = {**sample_facts(RENDERER, JALO, language), "reason": "X"}
    text = RENDERER.letter("extension_notice", language, facts).body
    later = {**facts, "new_due_on": date(2027, 2, 4)}
    other = RENDERER.letter("extension_notice", language, later).body
    assert _found(_draft(text, language, kind="extension_notice")) == set()
    assert _found(_draft(other, language, kind="extension_notice")) == {"new_date_missing"}
    silent = "\n\n".join(part for part in text.split("\n\n") if not PHRASES[language].reason.search(part.lower()))
    assert "reasons_missing" in _found(_draft(silent, language, kind="extension_notice"))


@pytest.mark.parametrize("written", ["03.02.2027", "2027-02-03", "3 februari 2027", "3. helmikuuta 2027"])
def test_a_new_date_counts_however_it_is_written(written: str) -> None:
    """Staff may write the date as people do."""
    facts = {**sample_facts(RENDERER, JALO, "fi"), "reason": "X"}
    text = RENDERER.letter("extension_notice", "fi", facts).body.replace("3.2.2027", written)
    assert "new_date_missing" not in _found(_draft(text, "fi", kind="extension_notice"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("leak", ["[Täydennä: X]", "[Fyll i: X]", "[Fill in: X]", "{{ name }}", "{% if %}", "XXX"])
def test_a_placeholder_is_caught(language: str, leak: str) -> None:
    """A blank that nobody filled, or a template that leaked, blocks the draft."""
    text, items = _shipped(language, Right.ERASURE)
    assert _found(_draft(f"{text.body}\n{leak}\n", language, items)) == {"placeholder"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_draft_that_is_not_ready_shows_its_blank(language: str) -> None:
    """The blank of a missing need is itself a finding."""
    item = ReplyItem(right=Right.RECTIFICATION)
    text = RENDERER.reply(language, [item], sample_facts(RENDERER, JALO, language)).body
    assert _found(_draft(text, language, (item,))) == {"placeholder"}


def test_a_requester_with_a_strange_name_is_no_placeholder() -> None:
    """A requester named {{ 7*7 }} can be answered."""
    item = ReplyItem(right=Right.ERASURE)
    facts = {**sample_facts(RENDERER, JALO, "en"), "requester_name": "{{ 7*7 }}"}
    text = RENDERER.reply("en", [item], facts).body
    assert _found(_draft(text, "en", (item,), requester_name="{{ 7*7 }}")) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_language_is_caught(language: str) -> None:
    """A text in one of the other languages draws a warning."""
    for other in LANGUAGES:
        text, items = _shipped(other, Right.CONSENT_WITHDRAWAL)
        assert ("language" in _found(_draft(text.body, language, items))) == (other != language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_person_is_caught(language: str) -> None:
    """Another person's name or address in the text or in a text attachment is blocked, a strange address is shown."""
    text, items = _shipped(language, Right.ACCESS)
    others = ("Olli Outo", "olli.outo@example.org")
    for written in others:
        draft = _draft(f"{text.body}\n{written}\n", language, items, others=others)
        assert "other_person" in _found(draft)
        inside = File(name="copy.csv", content=f"name\n{written}\n".encode())
        assert "other_person" in _found(_draft(text.body, language, items, others=others, files=(inside,)))
    assert "unknown_address" in _found(_draft(f"{text.body}\nnobody@example.net\n", language, items))
    known = _draft(f"{text.body}\nnobody@example.net\n", language, items, message_text="use nobody@example.net")
    assert "unknown_address" not in _found(known)
    assert "other_person" not in _found(_draft(f"{text.body}\nOlli Outola\n", language, items, others=("Olli Outo",)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_identity_code_is_caught(language: str) -> None:
    """A personal identity code with a right check character is blocked in the text and shown in a file."""
    text, items = _shipped(language, Right.ACCESS)
    assert "identity_code" in _found(_draft(f"{text.body}\n131052-308T\n", language, items))
    assert "identity_code" not in _found(_draft(f"{text.body}\n131052-308A\n", language, items))
    inside = File(name="copy.csv", content=b"code\n131052-308T\n")
    assert "identity_code_in_file" in _found(_draft(text.body, language, items, files=(inside,)))
    assert identity_codes("010594Y9021 and 131052-308T") == ("010594Y9021", "131052-308T")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_greeting_to_somebody_else_is_caught(language: str) -> None:
    """A reply that greets another name draws a warning; a first name or no name does not."""
    text, items = _shipped(language, Right.ERASURE)
    name = sample_facts(RENDERER, JALO, language)["requester_name"]
    assert _found(_draft(text.body.replace(name, "Olli Outo"), language, items)) == {"greeting"}
    assert _found(_draft(text.body.replace(name, name.split()[0]), language, items)) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_bad_attachment_is_caught(language: str) -> None:
    """An empty file is blocked; a misnamed, unprotected or unreadable one is shown."""
    text, items = _shipped(language, Right.PORTABILITY)
    empty = File(name="copy.csv", content=b" \n")
    assert "attachment_empty" in _found(_draft(text.body, language, items, files=(empty,)))
    wrong = File(name="copy.csv", content=b"%PDF-1.7 ...")
    assert "attachment_misnamed" in _found(_draft(text.body, language, items, files=(wrong,)))
    paper = File(name="copy.pdf", content=b"%PDF-1.7 ...")
    assert {"not_machine_readable", "unprotected"} == _found(_draft(text.body, language, items, files=(paper,)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_access_without_its_copy_is_caught(language: str) -> None:
    """An access reply without a file is blocked, and so is a text that speaks of one (GDPR 15(3))."""
    text, items = _shipped(language, Right.ACCESS)
    assert _found(_draft(text.body, language, items, files=())) == {"copy_missing", "not_attached"}


CONTRADICTIONS = {
    "fi": [
        (Right.ERASURE, Outcome.NO_DATA, "Olemme poistaneet tietosi."),
        (Right.ERASURE, Outcome.FULFILLED, "Emme voi poistaa tietojasi."),
        (Right.RECTIFICATION, Outcome.REFUSED, "Olemme oikaisseet tietosi."),
        (Right.RESTRICTION, Outcome.REFUSED, "Olemme rajoittaneet käsittelyä."),
        (Right.ACCESS, Outcome.FULFILLED, "Meillä ei ole tietojasi."),
    ],
    "sv": [
        (Right.ERASURE, Outcome.NO_DATA, "Vi har raderat uppgifterna."),
        (Right.ERASURE, Outcome.FULFILLED, "Vi kan inte radera uppgifterna."),
        (Right.RECTIFICATION, Outcome.REFUSED, "Vi har rättat uppgifterna."),
        (Right.RESTRICTION, Outcome.REFUSED, "Vi har begränsat behandlingen."),
        (Right.ACCESS, Outcome.FULFILLED, "Vi har inga uppgifter om dig."),
    ],
    "en": [
        (Right.ERASURE, Outcome.NO_DATA, "We have erased your data."),
        (Right.ERASURE, Outcome.FULFILLED, "We cannot erase your data."),
        (Right.RECTIFICATION, Outcome.REFUSED, "We have corrected your data."),
        (Right.RESTRICTION, Outcome.REFUSED, "We have restricted the processing."),
        (Right.ACCESS, Outcome.FULFILLED, "We hold no data about you."),
    ],
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_claim_against_the_outcome_is_caught(language: str) -> None:
    """What the text claims must be what the outcome says."""
    for right, outcome, claim in CONTRADICTIONS[language]:
        text, items = _shipped(language, right, outcome)
        assert _found(_draft(f"{text.body}\n{claim}\n", language, items)) == {"contradiction"}, claim


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_wrong_recipient_is_caught(language: str) -> None:
    """A reply to anybody but the writer is blocked; paper has no recipient."""
    text, items = _shipped(language, Right.ERASURE)
    assert _found(_draft(text.body, language, items, recipient="other@example.com")) == {"recipient"}
    assert _found(_draft(text.body, language, items, recipient="ANN@example.com")) == set()
    assert _found(_draft(text.body, language, items, recipient="")) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reply_without_the_authority_is_shown(language: str) -> None:
    """Staff who rewrote a text and lost the authority are told."""
    short = {"fi": "Hei, tietosi on poistettu.", "sv": "Hej, uppgifterna är borta.", "en": "Hello, your data are gone."}
    draft = _draft(short[language], language, (ReplyItem(right=Right.ERASURE),))
    assert _found(draft) == {"authority_missing"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_copy_comes_before_the_erasure(language: str) -> None:
    """Who still waits for a copy of the data is named beside a reply that erases anything, and only there."""
    text, items = _shipped(language, Right.ERASURE)
    draft = _draft(text.body, language, items, awaited_copies=("JALO-2026-0015",))
    found = lint(draft, RENDERER.words(language)["lint"])
    assert [finding.rule for finding in found] == ["copy_first"]
    assert "JALO-2026-0015" in found[0].message
    text, items = _shipped(language, Right.RECTIFICATION)
    assert _found(_draft(text.body, language, items, awaited_copies=("JALO-2026-0015",))) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_erased_data_are_not_restricted_as_well(language: str) -> None:
    """One reply does not say of all data both that they are erased and that they are kept but not used."""
    facts = sample_facts(RENDERER, JALO, language)
    both = (Right.ERASURE, Right.RESTRICTION)
    items = tuple(sample_item(RENDERER, right, Outcome.FULFILLED, language) for right in both)
    text = RENDERER.reply(language, items, facts).body
    assert _found(_draft(text, language, items)) == {"erased_and_restricted"}
    partly = (sample_item(RENDERER, Right.ERASURE, Outcome.PARTLY_FULFILLED, language), items[1])
    assert "erased_and_restricted" not in _found(_draft(RENDERER.reply(language, partly, facts).body, language, partly))


def test_every_rule_has_its_words_and_its_cure_in_each_language() -> None:
    """Each rule says what is wrong and what to do, in each language."""
    for language in LANGUAGES:
        words = RENDERER.words(language)["lint"]
        assert set(words) == set(RULES)
        for message in words.values():
            assert message.format(detail="X").count(". ") + message.count("” ") + message.count(" {detail} ") >= 1


def test_a_finding_says_its_rule_and_what_was_found() -> None:
    """A finding goes into a draft as rule, severity and message."""
    (finding,) = lint(_draft("Hello, XXX.", "en", kind="acknowledgement"), WORDS)
    assert finding.as_json() == {
        "rule": "placeholder",
        "severity": Severity.BLOCK.value,
        "message": "The text has a blank that is not filled in: XXX Fill it in or take it out.",
        "detail": "XXX",
    }


def test_what_a_file_is_shows_in_its_bytes() -> None:
    """Names and bytes are compared; a broken zip is neither protected nor readable."""
    assert is_protected(COPY)
    assert machine_readable(COPY)
    assert not is_protected(File(name="a.zip", content=b"PK\x03\x04 nonsense"))
    assert is_empty(File(name="a.txt", content=b""))
    assert is_misnamed(File(name="a.pdf", content=b"hello"))
    assert is_misnamed(File(name="a.txt", content=b"\x89PNG\r\n"))
    assert not is_misnamed(File(name="a.txt", content=b"PKW owners"[2:]))
    assert not is_misnamed(File(name="strange.bin", content=b"\x00"))
    assert text_of(File(name="a.csv", content="ä".encode("cp1252"))) == "ä"
    assert text_of(File(name="a.pdf", content=b"%PDF")) == ""
