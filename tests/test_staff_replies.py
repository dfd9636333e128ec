"""Whole replies of staff, with the notice quoted as their mail programs quote it, do what their first words say.

Each line of the table was written as staff would, without a look at the rules, and measured before anything was tuned;
`tests/corpus/README.md` tells what was found at first sight.
"""

import json
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mailbot.core.command_words import LANGUAGES
from mailbot.reading import CommandReader, Reader

HERE = Path(__file__).parent
TABLE = [json.loads(line) for line in (HERE / "corpus/staff_replies_quoted.jsonl").read_text("utf-8").splitlines()]
READ, UNDERSTAND = Reader(), CommandReader()
WHO = "Jalo IT Oy, tietosuoja"
HEADERS = {
    "fi": ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe", "tiistai 3. marraskuuta 2026 10.05"),
    "sv": ("Från", "Skickat", "Till", "Ämne", "den 3 november 2026 10:05"),
    "en": ("From", "Sent", "To", "Subject", "Tuesday, November 3, 2026 10:05 AM"),
}
GMAIL = {
    "fi": f"ti 3. marrask. 2026 klo 10.05 {WHO} (<privacy@example.com>) kirjoitti:",
    "sv": f"Den tis 3 nov. 2026 kl 10:05 skrev {WHO} <privacy@example.com>:",
    "en": f"On Tue, Nov 3, 2026 at 10:05 AM {WHO} <privacy@example.com> wrote:",
}
APPLE = {
    "fi": f"{WHO} <privacy@example.com> kirjoitti 3.11.2026 kello 10.05:",
    "sv": f"3 nov. 2026 kl. 10:05 skrev {WHO} <privacy@example.com>:",
    "en": f"On 3 Nov 2026, at 10.05, {WHO} <privacy@example.com> wrote:",
}


@cache
def notice(language: str) -> str:
    """The text of a notice in that language, with the commands that it offers as examples."""
    golden = (HERE / f"golden/jalo-it.{language}.txt").read_text("utf-8")
    _, _, behind = golden.partition("# staff/notice\n")
    return behind.split("#" * 20)[3].lstrip("#\n").split("\n####", 1)[0]


def quoted(style: str, language: str) -> str:
    """The notice as a mail program puts it below an answer."""
    text = notice(language)
    marked = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
    sender, sent, to, subject, day = HEADERS[language]
    block = f"{sender}: {WHO} <privacy@example.com>\n{sent}: {day}\n{to}: Anna Ahola\n{subject}: JALO-2026-0014"
    return {
        "": "",
        "gmail": f"\n\n{GMAIL[language]}\n\n{marked}\n",
        "apple": f"\n\n> {APPLE[language]}\n>\n{marked}\n",
        "outlook": f"\n\n________________________________\n{block}\n\n{text}\n",
    }[style]


def read(row: dict[str, Any]) -> list[str]:
    """What the whole mail would do."""
    mail = EmailMessage()
    mail["From"], mail["To"] = "Anna Ahola <anna@example.com>", f"{WHO} <privacy@example.com>"
    mail["Subject"], mail["Message-ID"] = "Re: JALO-2026-0014", f"<{row['id']}@example.com>"
    mail.set_content(row["text"] + quoted(row["quote"], row["lang"]))
    for name in row["attachments"]:
        mail.add_attachment(b"data", maintype="application", subtype="octet-stream", filename=name)
    message = READ.read(mail.as_bytes())
    found = UNDERSTAND(message.visible_text, [item.name for item in message.attachments])
    return [command.action.value for command in found.commands]


GOT = {row["id"]: read(row) for row in TABLE}


def test_the_table_is_large_enough() -> None:
    """At least 150 replies in three languages, most of them with the notice below, with approvals and doubts."""
    assert len(TABLE) >= 150
    assert len({row["id"] for row in TABLE}) == len(TABLE)
    assert all(sum(row["lang"] == language for row in TABLE) >= 45 for language in LANGUAGES)
    assert sum(bool(row["quote"]) for row in TABLE) >= 0.8 * len(TABLE)
    assert sum(not row["expect"] for row in TABLE) >= 30


def test_no_reply_approves_that_does_not_say_so() -> None:
    """No false approval at all, whatever the mail program quotes."""
    assert [row["text"] for row in TABLE if "approve" not in row["expect"] and "approve" in GOT[row["id"]]] == []


def test_approvals_are_understood() -> None:
    """At least 95 % of the true approvals are understood."""
    true = [row for row in TABLE if "approve" in row["expect"]]
    missed = [row["text"] for row in true if "approve" not in GOT[row["id"]]]
    assert len(missed) <= 0.05 * len(true), missed


@pytest.mark.parametrize("language", LANGUAGES)
def test_orders_are_understood_in_every_language(language: str) -> None:
    """At least 95 % of all replies of a language do exactly what was meant."""
    rows = [row for row in TABLE if row["lang"] == language]
    wrong = [(row["text"], GOT[row["id"]]) for row in rows if sorted(GOT[row["id"]]) != sorted(row["expect"])]
    assert len(wrong) <= 0.05 * len(rows), wrong
