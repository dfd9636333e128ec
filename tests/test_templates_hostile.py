"""Mail text is data: nothing that a requester writes becomes template, header or markup; no template runs for ever."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.letter import ReplyItem
from mailbot.core.rights import Outcome, Right
from mailbot.errors import BadInputError, ConfigurationError
from mailbot.gateway import template_language
from mailbot.gateway.profiles import load_profile
from mailbot.gateway.resources import shipped
from mailbot.gateway.template_preview import sample_facts
from mailbot.gateway.templates import Renderer

RENDERER = Renderer([shipped("templates")])
JALO = load_profile("jalo-it", shipped("rules"))
ERASURE = (ReplyItem(right=Right.ERASURE),)


def _facts(**more: Any) -> dict[str, Any]:
    return {**sample_facts(RENDERER, JALO, "en"), **more}


def _own(tmp_path: Path, body: str, header: str = "subject: Mine") -> Renderer:
    """A renderer whose English acknowledgement is an administrator's own."""
    path = tmp_path / "en" / "letters" / "acknowledgement.txt"
    path.parent.mkdir(parents=True)
    path.write_text(f"{header}\n---\n{body}", encoding="utf-8")
    return Renderer([tmp_path, shipped("templates")])


def _problem(renderer: Renderer) -> str:
    with pytest.raises(ConfigurationError) as caught:
        renderer.letter("acknowledgement", "en", _facts(items=ERASURE))
    (line,) = caught.value.problems
    assert "acknowledgement.txt" in line
    assert "\n" not in line
    return line


@pytest.mark.parametrize("name", ["{{ 7*7 }}", "{% for x in y %}", "<script>alert(1)</script>", "{{ org.name }}", "%s"])
def test_a_name_that_looks_like_code_is_printed_as_it_is(name: str) -> None:
    """A requester named {{ 7*7 }} or <script> is greeted by just that name."""
    text = RENDERER.reply("en", ERASURE, _facts(requester_name=name))
    assert text.body.splitlines()[0] == f"Dear {name},"


def test_a_name_with_line_breaks_is_one_line() -> None:
    """Line breaks, control characters and direction marks in a name neither break the greeting nor hide anything."""
    text = RENDERER.reply("en", ERASURE, _facts(requester_name="Ann\r\nBcc: x@example.com\x00\u202e Exa\x1emple"))
    assert text.body.splitlines()[0] == "Hello,"  # an address inside: no name to greet by
    text = RENDERER.reply("en", ERASURE, _facts(requester_name="Ann\r\n\tExa\x1emple\u202e\x00"))
    assert text.body.splitlines()[0] == "Dear Ann Example,"


@pytest.mark.parametrize(
    "theirs",
    ["Hello\r\nBcc: x@example.com", "=?UTF-8?Q?=0A?=Bcc: x@example.com", "a\u2028b\u2029c\x0b\x0c", "x" * 5000],
)
def test_a_subject_stays_one_harmless_line(theirs: str) -> None:
    """A subject with line breaks, encoded words or great length gives one short line without them."""
    subject = RENDERER.reply("en", ERASURE, _facts(original_subject=theirs)).subject
    assert len(subject) < 160
    assert "=?" not in subject
    assert subject.isprintable()
    assert subject.endswith("(JALO-2026-0014)")


def test_facts_of_staff_are_data_too() -> None:
    """What staff write into a draft is never a template either, and its lines cannot escape their list."""
    item = ReplyItem(right=Right.RECTIFICATION, values={"correction": "{{ org }}\n- {% raw %}\n| x\x1ey"})
    body = RENDERER.reply("en", [item], _facts()).body
    assert "- {{ org }}\n- {% raw %}\n- | xy\n" in body


@settings(max_examples=60, deadline=None)
@given(name=st.text(max_size=60), subject=st.text(max_size=60), correction=st.text(min_size=1, max_size=200))
def test_any_text_gives_a_clean_reply(name: str, subject: str, correction: str) -> None:
    """Whatever is written as name, subject or fact, the reply is whole and free of control characters."""
    item = ReplyItem(right=Right.RECTIFICATION, values={"correction": correction})
    text = RENDERER.reply("fi", [item], _facts(requester_name=name, original_subject=subject))
    assert JALO.authority("fi").name in text.body
    assert not {char for char in text.body if ord(char) < 32 and char not in "\n\t"}
    assert "\n" not in text.subject


def test_an_own_template_wins_over_the_shipped_one(tmp_path: Path) -> None:
    """A file in an earlier folder replaces the shipped one; the rest stays."""
    renderer = _own(tmp_path, "Hello {{ name }}, this is ours.\n")
    assert renderer.letter("acknowledgement", "en", _facts(items=ERASURE)).body == "Hello Ann Example, this is ours.\n"
    assert renderer.reply("en", ERASURE, _facts()) == RENDERER.reply("en", ERASURE, _facts())


def test_an_unknown_variable_is_one_clear_line(tmp_path: Path) -> None:
    """A fact that does not exist is named, with the file."""
    assert "'nmae' is undefined" in _problem(_own(tmp_path, "Hello {{ nmae }}\n"))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{% for i in range(1000000000) %}x{% endfor %}", "call is not allowed"),
        ("{% macro m() %}{{ m() }}{% endmacro %}", "macro is not allowed"),
        ("{{ 'a' * 1000000000 }}", "mul is not allowed"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "call is not allowed"),
        ("{{ name|center(100000000) }}", "'center' is not allowed"),
        ("{% set x = 1 %}", "assign is not allowed"),
        ("{% for a in items recursive %}x{% endfor %}", "recursive loop is not allowed"),
        ("{% include name %}", "literal name"),
        ("{% include '../secrets.txt' %}", "only files of blocks/ and reply/"),
        ("{% import 'blocks/greeting.txt' as g %}", "import is not allowed"),
        ("{% if %}", "Mend the template"),
        ("{% for a in b %}{% for c in d %}{% for e in f %}{% for g in h %}x"
         "{% endfor %}{% endfor %}{% endfor %}{% endfor %}", "more than 3 loops"),
    ],
)  # fmt: skip
def test_what_could_run_for_ever_is_refused_before_it_runs(tmp_path: Path, body: str, why: str) -> None:
    """Loops over made-up ranges, recursion, arithmetic and calls are refused at once, with file and line."""
    started = time.perf_counter()
    with pytest.raises(ConfigurationError) as caught:
        _own(tmp_path, body + "\n").letter("acknowledgement", "en", _facts(items=ERASURE))
    assert time.perf_counter() - started < 2
    assert any(why in problem for problem in caught.value.problems)
    with pytest.raises(ConfigurationError):
        _own(tmp_path / "again", body + "\n").check()


def test_a_block_that_includes_itself_is_one_clear_line(tmp_path: Path) -> None:
    """Blocks that include each other end in an error, not in a dead process."""
    renderer = _own(tmp_path, "{% include 'blocks/loop.txt' %}\n")
    block = tmp_path / "en" / "blocks" / "loop.txt"
    block.parent.mkdir()
    block.write_text("audience: part\n---\n{% for item in items %}{% include 'blocks/loop.txt' %}{% endfor %}\n")
    assert "recursion" in _problem(renderer)


def test_a_text_can_not_grow_without_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the cap a text is refused, however it came to be so long."""
    monkeypatch.setattr(template_language, "MAX_OUTPUT", 10_000)
    body = "{% for a in items %}{% for b in items %}{{ reason }}{% endfor %}{% endfor %}\n"
    renderer = _own(tmp_path, body)
    with pytest.raises(BadInputError, match="grew beyond"):
        renderer.letter("acknowledgement", "en", _facts(items=ERASURE * 20, reason="x" * 100))


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("subjct: Mine", "unknown header 'subjct'"),
        ("need: something", "this need can not be read"),
        ("need: ground choice magic: Why?", "'magic' is not a valid Ground"),
    ],
)
def test_a_header_that_is_not_well_made_is_named(tmp_path: Path, header: str, why: str) -> None:
    """A misspelt header or need gives its line."""
    assert why in _problem(_own(tmp_path, "Hello\n", header))


def test_files_that_are_no_templates_are_named(tmp_path: Path) -> None:
    """A file without header line, in another encoding, or of enormous size is one clear line."""
    path = tmp_path / "en" / "letters" / "acknowledgement.txt"
    path.parent.mkdir(parents=True)
    for content, why in ((b"Hello\n", "no line '---'"), (b"\xff\xfe---\n", "UTF-8"), (b"-" * 300_000, "larger than")):
        path.write_bytes(content)
        assert why in _problem(Renderer([tmp_path, shipped("templates")]))


def test_staff_mail_quotes_the_message_line_by_line() -> None:
    """What the requester wrote stands in a notice as a quotation, so that it can not pose as the notice's own words."""
    written = "Hello\n\nAPPROVED\n---\n{{ token }}\n\x1eOne-time code: fake"
    facts = {
        "reference": "JALO-2026-0014",
        "one_line": "erasure",
        "due_on": sample_facts(RENDERER, JALO, "en")["due_on"],
        "message_text": written,
        "requester": "Ann <ann@example.com>",
        "token": "real",
    }
    body = RENDERER.staff("notice", "en", facts).body
    assert "> Hello\n>\n> APPROVED\n> ---\n> {{ token }}\n> One-time code: fake\n" in body
    assert "\nOne-time code: real\n" in body
    assert body.count("\nOne-time code:") == 1


def test_a_draft_stands_in_the_notice_in_full() -> None:
    """The text of a draft is in the notice exactly as it would be sent."""
    reply = RENDERER.reply("sv", [ReplyItem(right=Right.ACCESS, outcome=Outcome.NO_DATA)], _facts())
    draft = SimpleNamespace(
        title="draft", to="ann@example.com", subject=reply.subject, text=reply.body, attachments=(), changes=""
    )
    facts = {"reference": "R", "one_line": "x", "due_on": _facts()["due_on"], "drafts": [draft]}
    for name in ("notice", "reminder", "command_result"):
        assert reply.body in RENDERER.staff(name, "fi", facts).body
