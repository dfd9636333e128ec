"""The commands that others rely on print the fields they were promised, and no traceback for any input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink
from story.desk import Desk, mail

REQUEST = mail("Maija <maija@example.net>", "Tietoni", "Pyydän kopion kaikista minua koskevista tiedoista. Maija")
REPLY = mail("Anna <anna@example.com>", "Re: JALO-2026-0001", "Hyväksyn, kiitos!")


def _run(*arguments: str, stdin: bytes = b"") -> tuple[int, list[dict[str, object]], str]:
    done = subprocess.run(
        [sys.executable, "-m", "mailbot", *arguments], input=stdin, capture_output=True, timeout=120, check=False
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode, [json.loads(line) for line in done.stdout.decode().splitlines()], done.stderr.decode()


def test_classify_prints_its_fields_and_evidence_that_stands_in_the_mail(tmp_path: Path) -> None:
    """Evidence gives exact words at exact places of subject, line break, visible text."""
    (tmp_path / "a.eml").write_bytes(REQUEST)
    code, lines, _ = _run("classify", "--json", str(tmp_path))
    assert code == 0
    (found,) = lines
    assert found.keys() >= {"file", "language", "verdict", "rights", "scores", "evidence", "flags", "automatic"}
    assert (found["language"], found["verdict"], found["rights"]) == ("fi", "request", ["access"])
    assert found["automatic"] is None
    assert all(0 <= score <= 1 for score in found["scores"].values())  # type: ignore[attr-defined]
    parsed = _run("parse", "--json", str(tmp_path / "a.eml"))[1][0]
    reading = f"{parsed['subject']}\n{parsed['visible_text']}"
    assert found["evidence"]
    for item in found["evidence"]:  # type: ignore[attr-defined]
        assert reading[item["start"] : item["end"]] == item["text"]
        assert item.keys() == {"right", "rule", "text", "start", "end"}


def test_parse_prints_its_fields(tmp_path: Path) -> None:
    """Standard input counts as the file "-"."""
    code, lines, _ = _run("parse", "--json", "-", stdin=REQUEST)
    assert code == 0
    (found,) = lines
    assert found["file"] == "-"
    assert found["from"] == {"name": "Maija", "address": "maija@example.net"}
    names = {
        "message_id",
        "subject",
        "to",
        "date",
        "text",
        "visible_text",
        "forwarded_text",
        "attachments",
        "automatic",
        "defects",
    }
    assert found.keys() >= names


def test_command_prints_what_a_reply_would_do() -> None:
    """One word approves; an automatic mail with the same word does nothing."""
    assert _run("command", "--json", "-", stdin=REPLY)[1][0]["commands"] == [{"action": "approve", "args": {}}]
    both = mail("Anna <anna@example.com>", "Re: JALO-2026-0001", "Ei tietoja\nHyväksyn\n")
    (found,) = _run("command", "--json", "-", stdin=both)[1]
    assert found["commands"] == [{"action": "no_data", "args": {}}]
    assert [item["action"] for item in found["dropped"]] == ["approve"], "what is not done is named"
    automatic = REPLY.replace(b"MIME-Version", b"Auto-Submitted: auto-replied\r\nMIME-Version")
    found = _run("command", "--json", "-", stdin=automatic)[1][0]
    assert found["commands"] == []
    assert found["unclear"]


def test_deadline_answers_line_by_line_in_order() -> None:
    """Every line gets one line, good or bad, and a bad one never stops the rest."""
    records = [
        {"received": "2026-11-03T10:00:00+02:00", "tz": "Europe/Helsinki"},
        {"received": "nonsense", "tz": "Europe/Helsinki"},
        {"received": "2026-01-31T10:00:00+02:00", "tz": "Europe/Helsinki", "extended": True},
    ]
    stdin = "\n".join([*(json.dumps(item) for item in records), "not json", "[]", "", "7\n"]).encode()
    _, lines, _ = _run("deadline", "--json", stdin=stdin)
    assert len(lines) == 7
    assert lines[0].keys() == {"due", "one_month", "explanation", "provisional"}
    assert (lines[0]["due"], lines[2]["due"]) == ("2026-12-03", "2026-04-30")
    assert all(lines[number].keys() == {"error"} for number in (1, 3, 4, 5, 6))


@pytest.mark.parametrize("profile", ["jalo-it", "ilaakso-it"])
def test_templates_preview_prints_its_fields(profile: str) -> None:
    """Every text has its audience and language, and no text has a blank left."""
    code, lines, _ = _run("templates", "preview", "--json", "--profile", profile)
    assert code == 0
    for item in lines:
        assert item.keys() == {"template", "language", "audience", "right", "outcome", "subject", "text"}
        assert item["audience"] in ("data_subject", "staff")
        assert item["language"] in ("fi", "sv", "en")
        assert "{{" not in str(item["text"])


@pytest.mark.parametrize(
    "arguments", [["classify", "/no/such/file.eml"], ["parse", "/no/such"], ["command", "/no/such"]]
)
def test_a_missing_file_is_one_line_and_65(arguments: list[str]) -> None:
    """The line names the file."""
    code, lines, told = _run(*arguments)
    assert (code, lines) == (65, [])
    assert "/no/such" in told
    assert len(told.splitlines()) == 1


def test_misuse_ends_with_2() -> None:
    """An unknown command, an unknown option, a poll that is not told to do it once."""
    assert _run("fly")[0] == 2
    assert _run("classify", "--fly", "x")[0] == 2


def test_tickets_and_ticket_show_print_their_fields(dovecot: Dovecot, smtp_sink: SmtpSink, tmp_path: Path) -> None:
    """The fields of the contract, with a draft that says what it needs."""
    desk = Desk.make(tmp_path, dovecot, smtp_sink)
    desk.arrive(REQUEST)
    desk.must("poll", "--once")
    (row,) = desk.tickets()
    fields = {
        "reference",
        "status",
        "rights",
        "language",
        "requester",
        "channel",
        "received_at",
        "due_on",
        "outcome",
        "overdue",
    }
    assert row.keys() == fields
    shown = desk.ticket(row["reference"])
    assert shown.keys() >= fields | {"requests", "messages", "tasks", "flags", "deadline", "timeline", "drafts"}
    assert shown["requests"] == [{"right": "access", "status": "open", "outcome": None, "ground": None}]
    dates = {"due_on", "target_on", "act_by_on", "one_month_on", "provisional", "explanation"}
    assert shown["deadline"].keys() >= dates
    assert {draft["kind"] for draft in shown["drafts"]} == {"reply", "acknowledgement"}
    reply = next(draft for draft in shown["drafts"] if draft["kind"] == "reply")
    assert reply.keys() >= {
        "id",
        "kind",
        "version",
        "outcome",
        "subject",
        "text",
        "attachments",
        "fingerprint",
        "state",
        "ready",
        "needs",
    }
    assert [need["kind"] for need in reply["needs"]] == ["attachment"]
    assert (reply["state"], reply["ready"], len(reply["fingerprint"])) == ("pending", False, 64)
    made = desk.must(
        "ticket", "draft", row["reference"], "--by", desk.staff, "--outcome", "access=no_data", "--json"
    ).json[0]
    assert (made["version"], made["outcome"], made["ready"], made["needs"]) == (2, "no_data", True, [])
    assert (
        desk.run("ticket", "approve", row["reference"], "--by", desk.staff, "--fingerprint", reply["fingerprint"]).code
        == 65
    )
    assert desk.run("ticket", "show", "JALO-1999-0001").code == 65
    assert desk.run("ticket", "approve", row["reference"], "--by", "nobody@x.example", "--fingerprint", "ab").code == 77
