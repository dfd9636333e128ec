"""Mail to staff: whole with the least of facts, in their language, and its examples are commands that work."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from mailbot.core.command import understand
from mailbot.core.command_values import Action
from mailbot.core.controller import LANGUAGES
from mailbot.core.letter import ReplyItem
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.gateway.command_rules import load_commands
from mailbot.gateway.profiles import load_profile
from mailbot.gateway.resources import shipped
from mailbot.gateway.templates import STAFF, Renderer

RENDERER = Renderer([shipped("templates")])
JALO = load_profile("jalo-it", shipped("rules"))
ILAAKSO = load_profile("ilaakso-it", shipped("rules"))
LEAST: Mapping[str, Any] = {
    "reference": "JALO-2026-0014",
    "one_line": "x",
    "due_on": date(2026, 12, 3),
    "today": date(2026, 11, 9),
    "to": "ann@example.com",
    "sent_at": date(2026, 11, 9),
    "subject": "Re: x",
    "text": "Hello\n",
    "what": "x",
}
ATTACHING = {"liitteenä", "bifogad", "attached"}
APPROVING = {"fi": "hyväksyn", "sv": "godkänner", "en": "approve"}


def _needs(right: Right, language: str) -> tuple[Any, ...]:
    return RENDERER.needs("reply", right, Outcome.FULFILLED, language)


@pytest.mark.parametrize("language", [*LANGUAGES, "de"])
@pytest.mark.parametrize("name", STAFF)
def test_every_staff_text_stands_on_the_least_of_facts(name: str, language: str) -> None:
    """What is not known is left out; a heading without its lines never shows."""
    text = RENDERER.staff(name, language, LEAST)
    assert text.body.strip()
    assert not re.search(r"\n[A-ZÅÄÖ ]{8,}\n\n[A-ZÅÄÖ ]{8,}\n", text.body)
    assert "None" not in text.body


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("right", [Right.ACCESS, Right.RECTIFICATION, Right.ERASURE])
def test_each_example_of_an_answer_is_a_command(language: str, right: Right) -> None:
    """What a notice tells staff to write is understood as exactly one command, the same in each language."""
    words = load_commands(shipped("rules"))
    offers = tuple(RENDERER.words(language)["staff"]["offers"])
    body = RENDERER.staff("notice", language, {**LEAST, "needs": _needs(right, language), "offers": offers}).body
    examples = re.findall(r"^- (.+)$", body.rsplit("\n\n", 2)[1], re.MULTILINE)
    heard = [understand(line, ("copy.csv",) if "(" in line else (), words=words) for line in examples]
    actions = [[command.action.value for command in found.commands] for found in heard]
    first = {Right.ACCESS: [["attach"]], Right.RECTIFICATION: [["facts"]], Right.ERASURE: []}[right]
    assert actions == [*first, *([{"partly": "facts"}.get(offer, offer)] for offer in offers), ["help"]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_other_words_that_staff_are_told_to_write_work_too(language: str) -> None:
    """A bounce and the news of an outside answer name what to write."""
    words = load_commands(shipped("rules"))
    text = " ".join(RENDERER.staff("bounce", language, LEAST).body.split())
    (command,) = understand(text.rpartition(": ")[2], (), words=words).commands
    assert command.action.value == "answered_elsewhere"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_that_is_quoted_is_understood(language: str) -> None:
    """Where an answer to staff quotes what to write, just that works."""
    words = load_commands(shipped("rules"))
    tables = RENDERER.words(language)["staff"]
    texts = [*tables["unclear"].values(), *tables["trouble"].values(), *tables["news"].values()]
    quoted = {found for text in texts for found in re.findall(r"[”“]([^”“]+)”", text)}
    assert len(quoted) >= 5
    for written in quoted:
        heard = understand(written, ("copy.csv",) if written in ATTACHING else (), words=words)
        assert len(heard.commands) == 1, (written, heard.unclear)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_understood_is_named_in_the_readers_language(language: str) -> None:
    """Each action has a name; the answer to a command mail uses it."""
    names = RENDERER.words(language)["staff"]["actions"]
    assert set(names) == {action.value for action in Action}
    body = RENDERER.staff("command_result", language, {**LEAST, "understood": ["no_data"]}).body
    assert f"- {names['no_data']}\n" in body


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_ready_draft_asks_for_one_word(language: str) -> None:
    """With a ready draft the notice names the one word; with needs it lists them instead."""
    draft = {"title": "d", "to": "a@example.com", "subject": "s", "text": "t", "attachments": (), "changes": ""}
    ready = RENDERER.staff("notice", language, {**LEAST, "drafts": [draft], "ready": True}).body
    assert f": {APPROVING[language]}\n" in ready.replace("\n" + APPROVING[language], " " + APPROVING[language])
    waiting = RENDERER.staff("notice", language, {**LEAST, "drafts": [draft], "needs": _needs(Right.ACCESS, language)})
    (need,) = _needs(Right.ACCESS, language)
    assert f"- {need.question}\n" in waiting.body


def test_staff_are_told_in_which_language_to_write() -> None:
    """Where the reply is in another language than the notice, the facts it needs are asked for in that one."""
    draft = {"title": "d", "to": "a@example.com", "subject": "s", "text": "t", "attachments": (), "changes": ""}
    facts = {**LEAST, "needs": _needs(Right.RECTIFICATION, "fi"), "drafts": [draft]}
    body = RENDERER.staff("notice", "fi", {**facts, "reply_language": "sv"}).body
    assert "Vastaus on ruotsiksi: kirjoita tiedot ruotsiksi." in body
    body = RENDERER.staff("notice", "fi", {**facts, "reply_language": "de"}).body
    assert "Vastaus on suomeksi ja englanniksi" in body
    assert "Vastaus on" not in RENDERER.staff("notice", "fi", {**facts, "reply_language": "fi"}).body


def test_what_has_to_be_done_at_once_stands_first() -> None:
    """An act-by date is the first line of the notice."""
    facts = {**LEAST, "act_by_on": date(2026, 11, 4), "act_by_why": "Stop marketing."}
    assert RENDERER.staff("notice", "en", facts).body.startswith("AT ONCE, by Wed 4 November 2026\nStop marketing.\n")


def test_the_checklist_names_each_system_and_each_recipient() -> None:
    """Erasure lists every usual system once, what the law keeps, and every recipient to be told (GDPR 19)."""
    lines = RENDERER.checklist(JALO, [ReplyItem(right=Right.ERASURE)], "en")
    texts = [line.text for line in lines]
    for system in ("customer register (CRM system)", "Google Analytics", "Leadfeeder", "HubSpot"):
        assert f"Erase the person's data: {system}." in texts
    told = [line.key for line in lines if line.article_19]
    assert told == ["article19/leadfeeder", "article19/hubspot"]
    assert len({line.key for line in lines}) == len(lines)
    bound = [line.text for line in RENDERER.checklist(ILAAKSO, [ReplyItem(right=Right.ERASURE)], "en")]
    assert "Erase everything that the law does not oblige you to keep: accounting software." in bound


def test_the_checklist_follows_the_outcome() -> None:
    """No data is made sure of by searching; a refusal and a description touch no system and tell no recipient."""
    found = RENDERER.checklist(JALO, [ReplyItem(right=Right.ERASURE, outcome=Outcome.NO_DATA)], "en")
    assert any(line.text.startswith("Search and make sure") for line in found)
    assert not any(line.article_19 for line in found)
    refused = ReplyItem(right=Right.ACCESS, outcome=Outcome.REFUSED, ground=Ground.EXCESSIVE)
    texts = [line.text for line in RENDERER.checklist(JALO, [refused], "en")]
    assert not any("CRM" in text for text in texts)
    assert any("can prove" in text for text in texts)
    (line,) = RENDERER.checklist(JALO, [ReplyItem(right=Right.REGISTER_DESCRIPTION)], "en")
    assert "up to date" in line.text


def test_two_requests_share_their_checklist_lines() -> None:
    """A line that two requests have in common stands once."""
    items = [ReplyItem(right=Right.ERASURE), ReplyItem(right=Right.RECTIFICATION, values={"correction": "x"})]
    lines = RENDERER.checklist(JALO, items, "fi")
    assert len({line.key for line in lines}) == len(lines)
    assert sum(line.key == "article19/hubspot" for line in lines) == 1
