"""One ticket as a zip that can be checked without mailbot, by following the instructions that lie in it."""

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from bureau import ACCESS, MAIJA, Bureau, written
from pypdf import PdfReader

from mailbot.errors import BadInputError
from mailbot.flows.dossier import dossier
from mailbot.gateway.letters import document_pdf
from mailbot.store import audit

OTHER = "Ville Vieras <ville@vieras.example>"


@pytest.fixture
def exported(bureau: Bureau, tmp_path: Path) -> Path:
    """The dossier of an answered ticket, unpacked, in a bureau that has another person's ticket too."""
    bureau.answered()
    bureau.round(written(OTHER, "Tiedot", ACCESS.replace("Maija", "Ville"), to=bureau.contact))
    first = bureau.tickets()[0].reference
    with bureau.house.office.database.read() as connection:
        _, content = dossier(connection, bureau.house.office, first, now=bureau.now, printer=document_pdf)
    folder = tmp_path / "dossier"
    zipfile.ZipFile(io.BytesIO(content)).extractall(folder)
    return folder


def checked(folder: Path) -> "subprocess.CompletedProcess[str]":
    """What the instructions say, done by somebody who has Python and nothing of ours."""
    program = (folder / "VERIFY.txt").read_text("utf-8").split("In Python:\n", 1)[1]
    lines = "\n".join(line.removeprefix("  ") for line in program.splitlines())
    return subprocess.run([sys.executable, "-I", "-c", lines], cwd=folder, capture_output=True, text=True, check=False)


def test_the_instructions_verify_the_chain(bureau: Bureau, exported: Path) -> None:
    """They compute every hash anew and end with the root that staff had in their digests."""
    done = checked(exported)
    with bureau.house.office.database.read() as connection:
        _, root = audit.root(connection)
    assert (done.returncode, done.stdout) == (0, f"whole {root}\n"), done.stderr


def altered(lines: list[str]) -> list[str]:
    return [lines[0].replace("opened", "closed", 1), *lines[1:]]


def removed(lines: list[str]) -> list[str]:
    return [lines[0], *lines[2:]]


def swapped(lines: list[str]) -> list[str]:
    return [lines[1], lines[0], *lines[2:]]


def reworded(lines: list[str]) -> list[str]:
    place = next(place for place, line in enumerate(lines) if '"detail"' in line)
    entry = json.loads(lines[place])
    return [*lines[:place], json.dumps(entry | {"detail": "{}"}) + "\n", *lines[place + 1 :]]


def back_dated(lines: list[str]) -> list[str]:
    return [re.sub(r'"at": "2026-11', '"at": "2026-10', lines[0]), *lines[1:]]


@pytest.mark.parametrize("forgery", [altered, removed, swapped, reworded, back_dated])
def test_the_instructions_find_a_forgery(exported: Path, forgery: Callable[[list[str]], list[str]]) -> None:
    """Whoever changes an entry, its details or its order is found by the same few lines."""
    file = exported / "chain.jsonl"
    before = file.read_text("utf-8").splitlines(keepends=True)
    after = forgery(before)
    assert after != before
    file.write_text("".join(after), encoding="utf-8")
    assert checked(exported).returncode != 0


def test_the_original_mails_are_in_it_as_they_came_and_went(bureau: Bureau, exported: Path) -> None:
    """Byte for byte what lay in the mailbox and what the mail server took."""
    (received,) = (exported / "mails").glob("*-in.eml")
    (sent,) = (exported / "mails").glob("sent-*-reply.eml")
    assert received.read_bytes() in bureau.imap.messages(user=bureau.contact).values()
    assert sent.read_bytes() in [item.content for item in bureau.smtp.accepted]


def test_nothing_of_other_people_is_in_it(exported: Path) -> None:
    """Entries of other tickets are bare links, without details."""
    everything = b"".join(path.read_bytes() for path in exported.rglob("*") if path.is_file() and path.suffix != ".pdf")
    for word in (b"Ville", b"vieras.example"):
        assert word not in everything
    assert b"maija@customer.example" in everything


def test_the_story_can_be_read_on_paper(bureau: Bureau, exported: Path) -> None:
    """The PDF tells who asked, what was answered and when, and names the root of the chain."""
    pages = PdfReader(exported / "dossier.pdf").pages
    text = " ".join("".join(page.extract_text() for page in pages).split())
    with bureau.house.office.database.read() as connection:
        _, root = audit.root(connection)
    for word in (MAIJA.split("<")[0].strip(), "erasure: fulfilled", "poistatte kaikki", "reply_sent", root):
        assert word in text


def test_the_story_is_there_as_data_too(exported: Path) -> None:
    """The JSON is what `ticket show --json` says."""
    found = json.loads((exported / "ticket.json").read_text("utf-8"))
    assert found["status"] == "answered"
    assert found["requester"]["address"] == "maija@customer.example"


def test_a_ticket_that_is_not_there_is_one_clear_line(bureau: Bureau) -> None:
    """No zip, and the command that lists tickets."""
    with bureau.house.office.database.read() as connection, pytest.raises(BadInputError, match="no ticket"):
        dossier(connection, bureau.house.office, "JALO-2026-9999", now=bureau.now)
