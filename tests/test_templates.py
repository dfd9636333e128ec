"""Texts: complete in law, in the reader's language, from data alone."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mailbot.core.controller import LANGUAGES, Controller
from mailbot.core.letter import ReplyItem, kept_things, parse_day
from mailbot.core.lines import MARK, fill
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.errors import BadInputError, MisuseError
from mailbot.gateway.profiles import load_profile
from mailbot.gateway.resources import shipped
from mailbot.gateway.template_preview import every_item, preview, sample_facts, sample_item
from mailbot.gateway.templates import LETTERS, STAFF, WITH_REMEDY, Renderer

Entry = Mapping[str, Any]
RENDERER = Renderer([shipped("templates")])
CONTROLLERS = {name: load_profile(name, shipped("rules")) for name in ("jalo-it", "ilaakso-it")}
JALO = CONTROLLERS["jalo-it"]
ENTRIES: list[tuple[Controller, Entry]] = [
    (controller, entry) for controller in CONTROLLERS.values() for entry in preview(RENDERER, controller)
]
COMPLAINT = {"fi": "77 artikla", "sv": "artikel 77", "en": "Article 77"}
COURT = {"fi": "79 artikla", "sv": "artikel 79", "en": "Article 79"}
COURT_WORD = {"fi": "tuomioistui", "sv": "domstol", "en": "court"}
GROUND = {"fi": "Peruste: ", "sv": "Grund: ", "en": "Ground: "}
REASON = {"fi": "Syy: ", "sv": "Orsak: ", "en": "Reason: "}


def _flat(text: str) -> str:
    """The text without its line breaks."""
    return re.sub(r"\s+", " ", text)


def _facts(language: str = "fi", **more: Any) -> dict[str, Any]:
    return {**sample_facts(RENDERER, JALO, language), **more}


def _languages(entry: Entry) -> tuple[str, ...]:
    return ("fi", "en") if "+fi" in entry["template"] else (entry["language"],)


def test_every_right_and_outcome_has_its_text() -> None:
    """The preview shows every right with every outcome it can have, in every language and bilingually."""
    for name in CONTROLLERS:
        shown = {
            (entry["right"], entry["outcome"], entry["language"], "+fi" in entry["template"])
            for controller, entry in ENTRIES
            if controller.name == name and entry["template"].startswith("reply/")
        }
        for right in Right:
            for outcome in RENDERER.outcomes(right):
                wanted = {(right.value, outcome.value, language, False) for language in LANGUAGES}
                assert wanted | {(right.value, outcome.value, "en", True)} <= shown


def test_the_five_rights_can_end_in_every_way_that_the_law_knows() -> None:
    """Access, rectification, erasure and restriction can end in every outcome; a description is never refused."""
    for right in (Right.ACCESS, Right.RECTIFICATION, Right.ERASURE, Right.RESTRICTION):
        assert set(RENDERER.outcomes(right)) == set(Outcome)
    assert Outcome.REFUSED not in RENDERER.outcomes(Right.REGISTER_DESCRIPTION)
    assert Outcome.REFUSED not in RENDERER.outcomes(Right.CONSENT_WITHDRAWAL)


def test_letters_and_staff_texts_are_all_shown() -> None:
    """The preview shows every letter and every mail to staff in every language."""
    shown = {(entry["template"], entry["language"]) for _, entry in ENTRIES}
    for language in LANGUAGES:
        assert {(f"letters/{kind}", language) for kind in LETTERS} <= shown
        assert {(f"staff/{name}", language) for name in STAFF} <= shown
        assert ("register_description", language) in shown
    assert {(f"letters/{kind}+fi", "en") for kind in LETTERS} <= shown


def test_a_preview_entry_has_exactly_the_promised_keys() -> None:
    """The keys are those of design section 5, and the audience is one of two."""
    for _, entry in ENTRIES:
        assert list(entry) == ["template", "language", "audience", "right", "outcome", "subject", "text"]
        assert entry["audience"] in ("data_subject", "staff")


def test_no_text_shows_a_placeholder() -> None:
    """No text holds a blank, a template mark, a line mark, or a value that was never set."""
    leaks = re.compile(r"\[(?:Täydennä|Fyll i|Fill in)|\{\{|\{%|%\}|\}\}|\bNone\b|Undefined|Wording\(|datetime|" + MARK)
    for _, entry in ENTRIES:
        assert not leaks.search(entry["text"] + entry["subject"]), entry["template"]


def test_every_text_fits_72_columns() -> None:
    """No line of a text is longer than 72 characters unless it is a single word."""
    for _, entry in ENTRIES:
        long = [line for line in entry["text"].split("\n") if len(line) > 72 and " " in line.strip("-> ")]
        assert not long, (entry["template"], entry["language"])


def test_a_text_is_tidy() -> None:
    """A text ends in one line break, has no trailing spaces and no more than one empty line in a row."""
    for _, entry in ENTRIES:
        text = entry["text"]
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert not re.search(r"[ \t]\n|\n\n\n", text), entry["template"]
        assert not re.search(r"\.\.(?!\.)|,,| ,| \.(?!\w)|\( | \)", text), (entry["template"], entry["language"])
        assert entry["subject"] == entry["subject"].strip()
        assert "\n" not in entry["subject"]


def test_every_final_reply_names_the_supervisory_authority() -> None:
    """Each reply carries the authority's contact block in its own language (GDPR 12(4), 15(1)(f))."""
    for controller, entry in ENTRIES:
        if entry["template"].startswith("reply/"):
            for language in _languages(entry):
                authority = controller.authority(language)
                assert authority.name in entry["text"], entry["template"]
                assert authority.postal in entry["text"]
                assert authority.url in entry["text"]


def test_every_refusal_is_complete() -> None:
    """A refusal, whole or partial, gives reasons, ground, complaint and judicial remedy (GDPR 12(4))."""
    refusals = [
        entry
        for _, entry in ENTRIES
        if entry["outcome"] in [outcome.value for outcome in WITH_REMEDY]
        or entry["template"].split("+")[0].removeprefix("letters/") in ("unfounded", "excessive", "not_controller")
    ]
    assert len(refusals) > 200
    for entry in refusals:
        text = _flat(entry["text"])
        for language in _languages(entry):
            assert GROUND[language] in text, entry["template"]
            kept_by_law = "erasure-partly_fulfilled/legal_obligation" in entry["template"]
            assert REASON[language] in text or kept_by_law, entry["template"]
            assert COMPLAINT[language] in text
            assert COURT[language] in text
            assert COURT_WORD[language] in text


def test_a_notice_of_extension_gives_reason_new_date_and_remedies() -> None:
    """The extension notice says until when and why, and how to complain (GDPR 12(3), law 6)."""
    for language, day in (("fi", "3.2.2027"), ("sv", "3.2.2027"), ("en", "3 February 2027")):
        text = _flat(RENDERER.letter("extension_notice", language, _facts(language, reason="Because of X.")).body)
        assert day in text
        assert f"{REASON[language]}Because of X." in text
        assert COMPLAINT[language] in text
        assert COURT[language] in text
        assert JALO.authority(language).name in text


@pytest.mark.parametrize("name", list(CONTROLLERS))
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", [Outcome.FULFILLED, Outcome.PARTLY_FULFILLED])
def test_access_tells_all_of_article_15(name: str, language: str, outcome: Outcome) -> None:
    """An access reply carries 15(1)(a)-(h) and 15(2) of every register that customers are in."""
    controller = CONTROLLERS[name]
    item = sample_item(RENDERER, Right.ACCESS, outcome, language)
    text = _flat(RENDERER.reply(language, [item], sample_facts(RENDERER, controller, language)).body)
    for register in controller.usual_registers():
        for purpose in register.purposes:
            assert purpose.text.of(language) in text  # (a)
        assert register.categories.of(language) in text  # (b)
        for recipient in register.recipients:
            assert recipient.name.of(language) in text  # (c)
        for retention in register.retention:
            assert retention.rule.of(language) in text  # (d)
        assert register.sources.of(language) in text  # (g)
        if register.transfers:
            assert register.transfers.of(language) in text  # 15(2)
    rights = {
        "fi": ("oikaisemme", "poistamme", "rajoitamme", "vastustaa", "Automaattiset päätökset"),
        "sv": ("rätta", "radera", "begränsa", "invända", "Automatiserade beslut"),
        "en": ("correct", "erase", "restrict", "object", "Automated decisions"),
    }
    assert all(word in text for word in rights[language])  # (e), (h)
    assert controller.authority(language).email in text  # (f)


def test_a_reply_can_be_narrowed_to_registers() -> None:
    """Staff name the registers that hold the person, and the reply speaks of no other (EDPB 01/2022 113)."""
    item = ReplyItem(right=Right.ACCESS, values={"registers": "staff, applications"})
    facts = sample_facts(RENDERER, CONTROLLERS["ilaakso-it"], "fi")
    text = RENDERER.reply("fi", [item], facts).body
    assert "Henkilöstörekisteri" in text
    assert "Työhakemukset" in text
    assert "Verkkokaupparekisteri" not in text
    with pytest.raises(BadInputError, match="no register"):
        RENDERER.reply("fi", [ReplyItem(right=Right.ACCESS, values={"registers": "moon"})], facts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_register_description_replaces_the_repealed_one(language: str) -> None:
    """The reply explains the repeal of 2019 and carries the Article 13 and 14 notice of every register inline."""
    text = RENDERER.reply(language, [ReplyItem(right=Right.REGISTER_DESCRIPTION)], _facts(language)).body
    assert "2019" in text
    inline = RENDERER.register_description(JALO, language)
    for register in JALO.registers:
        assert register.groups.of(language) in _flat(text)
        assert register.groups.of(language) in _flat(inline)
    assert JALO.authority(language).name in inline


def test_what_is_ready_at_once_needs_nothing() -> None:
    """Erasure, restriction, register description, objection and consent need no fact; access needs only the copy."""
    for right in (
        Right.ERASURE, Right.RESTRICTION, Right.REGISTER_DESCRIPTION, Right.OBJECTION, Right.CONSENT_WITHDRAWAL,
    ):  # fmt: skip
        assert RENDERER.needs("reply", right, Outcome.FULFILLED, "fi") == ()
    for right in (Right.ACCESS, Right.PORTABILITY):
        (copy,) = RENDERER.needs("reply", right, Outcome.FULFILLED, "fi")
        assert (copy.name, copy.kind.value) == ("copy", "attachment")
    assert RENDERER.needs("reply", Right.ACCESS, Outcome.NO_DATA, "fi") == ()
    (correction,) = RENDERER.needs("reply", Right.RECTIFICATION, Outcome.FULFILLED, "fi")
    assert (correction.name, correction.kind.value) == ("correction", "text")


def test_a_refusal_needs_its_ground_and_reasons() -> None:
    """Each refusal asks for reasons, and for a ground unless the text has only one."""
    for item in every_item(RENDERER, "fi"):
        if item.outcome is Outcome.REFUSED:
            needs = {need.name: need for need in RENDERER.needs("reply", item.right, item.outcome, "fi")}
            assert "reasons" in needs
            assert needs["ground"].kind.value == "choice"
            assert needs["ground"].choices


def test_needs_follow_the_ground() -> None:
    """What is kept under the Accounting Act needs a financial year; what is kept for a claim needs day and reasons."""
    def names(ground: Ground | None) -> set[str]:
        needs = RENDERER.needs("reply", Right.ERASURE, Outcome.PARTLY_FULFILLED, "fi", ground)
        return {need.name for need in needs}

    assert names(None) == {"ground", "kept", "year_end"}
    assert names(Ground.LEGAL_OBLIGATION) == {"kept", "year_end"}
    assert names(Ground.LEGAL_CLAIMS) == {"kept", "until", "reasons"}


def test_every_language_has_the_same_templates_with_the_same_needs() -> None:
    """What one language has, the others have, with the same needs, choices and conditions."""
    names = RENDERER.names("fi")
    assert len(names) > 50
    for language in LANGUAGES[1:]:
        assert RENDERER.names(language) == names
        for name in names:
            ours, theirs = RENDERER.file("fi", name).header, RENDERER.file(language, name).header
            assert (ours.audience, ours.rights) == (theirs.audience, theirs.rights)
            for kind in ("needs", "optional"):
                assert _shape(getattr(ours, kind)) == _shape(getattr(theirs, kind)), (language, name)


def _shape(needs: Any) -> list[tuple[Any, ...]]:
    return [(entry.need.name, entry.need.kind, entry.need.choices, entry.grounds) for entry in needs]


def test_every_language_has_the_same_words() -> None:
    """The tables of words.toml have the same keys in each language."""
    def keys(value: Any, path: str = "") -> set[str]:
        if not isinstance(value, Mapping):
            return {path}
        return {found for key, inner in value.items() for found in keys(inner, f"{path}.{key}")}

    for language in LANGUAGES[1:]:
        assert keys(RENDERER.words(language)) ^ keys(RENDERER.words("fi")) <= {".bilingual"}


def test_names_of_all_rights_outcomes_and_grounds_are_known() -> None:
    """Every right, outcome and ground has a name in each language."""
    for language in LANGUAGES:
        words = RENDERER.words(language)
        assert set(words["rights"]) == set(words["headings"]) == {right.value for right in Right}
        assert set(words["outcomes"]) == {outcome.value for outcome in Outcome}
        assert set(words["grounds"]) == {ground.value for ground in Ground}


def test_what_is_kept_says_which_law_and_until_when() -> None:
    """A partial erasure names each thing kept, the law, and the day computed from the financial year (law 10)."""
    values = {"kept": "Lasku 1042\nLasku 1077", "year_end": "31.3.2024"}
    item = ReplyItem(right=Right.ERASURE, outcome=Outcome.PARTLY_FULFILLED, values=values)
    text = _flat(RENDERER.reply("fi", [item], _facts()).body)
    for invoice in ("Lasku 1042", "Lasku 1077"):
        assert f"{invoice}: säilytetään 31.12.2030 saakka; peruste: kirjanpitolain (1336/1997) 2 luvun 10 §. " in text


def test_a_kept_thing_can_have_its_own_law_and_day() -> None:
    """A line "what; law; day" overrides what the others share."""
    ledger, invoice = kept_things("- Pääkirja; oma laki; 31.3.2034\n- Lasku", "laki", date(2030, 12, 31))
    assert (ledger.what, ledger.law, ledger.until) == ("Pääkirja", "oma laki", date(2034, 3, 31))
    assert (invoice.what, invoice.law, invoice.until) == ("Lasku", "laki", date(2030, 12, 31))


@pytest.mark.parametrize("text", ["2026-02-30", "soon", "", "12/31/2026", "31.12.26"])
def test_a_day_that_is_none_is_refused(text: str) -> None:
    """A date that can not be read gives one clear line, never a guess."""
    with pytest.raises(BadInputError):
        parse_day(text)
    item = ReplyItem(right=Right.ERASURE, outcome=Outcome.PARTLY_FULFILLED, values={"kept": "X", "year_end": text})
    if text:
        with pytest.raises(BadInputError):
            RENDERER.reply("fi", [item], _facts())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_of_staff_gets_the_closing_it_lacks(language: str) -> None:
    """An edited reply that names no authority gets the closing, a refusal with its remedies; a whole one stays."""
    refusal = (ReplyItem(right=Right.ERASURE, outcome=Outcome.REFUSED),)
    text = RENDERER.completed(language, "My own words.", refusal, _facts(language))
    assert text.startswith("My own words.\n\n")
    assert JALO.authority(language).name in text
    assert COURT[language] in _flat(text)
    whole = RENDERER.reply(language, refusal, _facts(language)).body
    assert RENDERER.completed(language, whole, refusal, _facts(language)) == whole
    both = RENDERER.completed("de", "Own words.", (ReplyItem(right=Right.ERASURE),), _facts())
    assert JALO.authority("fi").name in both
    assert JALO.authority("en").name in both


THANKS = {
    "fi": ("viestistäsi", "kirjeestäsi", "käynnistäsi", "soitostasi"),
    "sv": ("meddelande", "brev", "besök", "samtal"),
    "en": ("message", "letter", "visit", "call"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["acknowledgement", "identity_question", "authority_question", "clarification"])
def test_a_letter_thanks_for_what_came(kind: str, language: str) -> None:
    """Who wrote on paper, came to the counter or rang is not thanked for a message."""
    values = {need.name: "x" for need in RENDERER.needs(kind, None, None, language)}
    for channel, thanks in zip(("email", "letter", "counter", "phone"), THANKS[language], strict=True):
        facts = {**_facts(language), **values, "channel": channel, "items": [ReplyItem(right=Right.ERASURE)]}
        first = _flat(RENDERER.letter(kind, language, facts).body)[:120]
        assert [word for word in THANKS[language] if word in first] == [thanks]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_identity_question_says_why_it_is_asked(language: str) -> None:
    """The reason follows what is known: an address alone, a sender that failed a check, a letter, a call."""
    reasons = RENDERER.words(language)["identity_reasons"]
    for why, reason in reasons.items():
        text = _flat(RENDERER.letter("identity_question", language, {**_facts(language), "why_asked": why}).body)
        assert reason in text
    assert set(reasons) == {"email", "letter", "counter", "phone", "unverified"}


def test_a_missing_fact_shows_as_a_blank() -> None:
    """A draft that is not ready still has a text, with a bracketed blank where the fact belongs."""
    for language, blank in (("fi", "[Täydennä: "), ("sv", "[Fyll i: "), ("en", "[Fill in: ")):
        text = RENDERER.reply(language, [ReplyItem(right=Right.RECTIFICATION)], _facts(language)).body
        assert blank in text


def test_a_restriction_says_what_since_when_and_that_lifting_is_told() -> None:
    """The reply names data, day, what still happens, expected end, and the notice before lifting (GDPR 18(3))."""
    text = _flat(RENDERER.reply("en", [ReplyItem(right=Right.RESTRICTION)], _facts("en")).body)
    assert "in force since the date of this reply at the latest" in text, "the day it was made is not the day it began"
    known = ReplyItem(right=Right.RESTRICTION, values={"since": "2026-11-04"})
    assert "as of 4 November 2026." in _flat(RENDERER.reply("en", [known], _facts("en")).body)
    assert "customer register (CRM system)" in text
    assert "Meanwhile we only store the data." in text
    assert "lasts until the reason for it is gone" in text
    assert "always tell you before we lift it" in text
    given = {"since": "2026-11-05", "restricted": "Telephone number", "expected_end": "two weeks"}
    text = _flat(RENDERER.reply("en", [ReplyItem(right=Right.RESTRICTION, values=given)], _facts("en")).body)
    assert "as of 5 November 2026" in text
    assert "- Telephone number" in text
    assert "expect the restriction to last: two weeks." in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reply_to_several_rights_has_one_greeting_and_one_closing(language: str) -> None:
    """Sections stand under numbered headings; greeting, authority and (if any is refused) remedies come once."""
    items = [
        ReplyItem(right=Right.ERASURE),
        sample_item(RENDERER, Right.RECTIFICATION, Outcome.REFUSED, language),
    ]
    text = RENDERER.reply(language, items, _facts(language)).body
    headings = RENDERER.words(language)["headings"]
    for number, item in enumerate(items, 1):
        heading = headings[item.right.value]
        assert f"\n\n{number}. {heading[0].upper()}{heading[1:]}\n\n" in text
    assert text.count(JALO.authority(language).name) == 1
    assert text.count(_facts(language)["requester_name"]) == 1
    assert COURT[language] in _flat(text)
    only = RENDERER.reply(language, items[:1], _facts(language)).body
    assert COURT[language] not in _flat(only)


def test_another_language_gets_finnish_and_english() -> None:
    """A writer of any other language reads the whole reply in Finnish and in English (law 7)."""
    item = ReplyItem(right=Right.ERASURE)
    both = RENDERER.reply("de", [item], _facts()).body
    assert RENDERER.reply("fi", [item], _facts()).body in both
    assert RENDERER.reply("en", [item], _facts()).body in both
    assert both.startswith("(In English below.)")


def test_an_outcome_that_a_right_can_not_have_is_refused() -> None:
    """A withdrawn consent can not be refused, and the error names what is possible."""
    with pytest.raises(MisuseError, match="Choose fulfilled"):
        RENDERER.reply("fi", [ReplyItem(right=Right.CONSENT_WITHDRAWAL, outcome=Outcome.REFUSED)], _facts())
    with pytest.raises(MisuseError):
        RENDERER.reply("fi", [], _facts())
    with pytest.raises(MisuseError):
        RENDERER.letter("love_letter", "fi", _facts())
    with pytest.raises(MisuseError):
        RENDERER.staff("gossip", "fi", {})


def test_some_grounds_have_their_own_text() -> None:
    """A refusal because we are not the controller asks who is, and names them."""
    (real,) = RENDERER.needs("reply", Right.ACCESS, Outcome.REFUSED, "fi", Ground.NOT_CONTROLLER)
    assert real.name == "real_controller"
    text = RENDERER.letter("not_controller", "en", _facts("en", real_controller="Example Ltd")).body
    assert "- Example Ltd" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_missing_name_still_greets(language: str) -> None:
    """Without a name, and with an address in its place, the greeting reads well."""
    plain = {"fi": "Hei,", "sv": "Hej!", "en": "Hello,"}[language]
    for name in ("", "aino@example.com"):
        text = RENDERER.reply(language, [ReplyItem(right=Right.ERASURE)], _facts(language, requester_name=name)).body
        assert text.splitlines()[0] == plain


def test_the_subject_answers_theirs_and_carries_the_reference() -> None:
    """Their subject is repeated once with Re:, without prefixes of any language, with our reference behind it."""
    def subject(theirs: str) -> str:
        return RENDERER.reply("fi", [ReplyItem(right=Right.ERASURE)], _facts(original_subject=theirs)).subject

    assert subject("Tietojen poisto") == "Re: Tietojen poisto (JALO-2026-0014)"
    assert subject("VS: Re: SV: Tietojen poisto") == "Re: Tietojen poisto (JALO-2026-0014)"
    assert subject("Asia (JALO-2026-0014)") == "Re: Asia (JALO-2026-0014)"
    assert subject("") == "Tietosi on poistettu (JALO-2026-0014)"


def test_an_acknowledgement_says_what_was_understood_and_until_when() -> None:
    """The acknowledgement lists what was asked and the due date with its reason; it promises nothing more."""
    items = (ReplyItem(right=Right.ERASURE), ReplyItem(right=Right.ACCESS))
    text = _flat(RENDERER.letter("acknowledgement", "sv", _facts("sv", items=items)).body)
    assert "- radering av uppgifter - tillgång till personuppgifter" in text
    assert "Begäran kom in 3.11.2026 och besvaras senast 3.12.2026. Du behöver" in text
    text = _flat(RENDERER.letter("acknowledgement", "sv", _facts("sv", items=items, explanation_short="")).body)
    assert "Vi fick din begäran 3.11.2026 och svarar senast 3.12.2026. Du behöver" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_identity_question_asks_for_the_least(language: str) -> None:
    """It says that identity papers and sensitive data are not wanted, and when we decide without an answer."""
    text = _flat(RENDERER.letter("identity_question", language, _facts(language)).body)
    refused = {
        "fi": "Älä lähetä meille henkilöpapereita tai muita arkaluonteisia tietoja.",
        "sv": "Skicka inga identitetshandlingar eller andra känsliga uppgifter till oss.",
        "en": "Please do not send us identity papers or other sensitive data.",
    }
    assert refused[language] in text
    assert ("3 December 2026" if language == "en" else "3.12.2026") in text


def test_filling_leaves_lists_and_marked_lines_alone() -> None:
    """Paragraphs are filled, list items hang, marked and quoted lines stay as they are."""
    words = "sana " * 30
    text = fill(f"{words}\n\n- {words}\n{MARK}{words.strip()}\n\n\n\n> {words}")
    lines = text.split("\n")
    assert all(len(line) <= 72 for line in lines if not line.startswith(("sana sana sana", "> ")))
    assert any(line.startswith("  sana") for line in lines)
    assert words.strip() in lines
    assert "\n\n\n" not in text


def test_long_words_are_never_cut() -> None:
    """An address longer than a line stands alone and whole."""
    address = "https://example.com/" + "a" * 90
    assert address in fill(f"See {address} for more.").split("\n")


def test_every_shipped_template_passes_its_check() -> None:
    """`check` reads and parses all templates of all languages without a complaint."""
    RENDERER.check()


def test_all_templates_lie_in_their_language_folder() -> None:
    """Nothing but the three languages lies in the template folder."""
    assert sorted(path.name for path in Path(shipped("templates")).iterdir() if path.is_dir()) == ["en", "fi", "sv"]
