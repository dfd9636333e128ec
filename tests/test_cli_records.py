"""Lists, figures, the audit chain, backups and the schema, as a user types the commands."""

import csv
import io
import json
import shutil
import sqlite3
import xml.etree.ElementTree as ElementTree
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink
from story.desk import STAFF, Desk
from story.inside import Inside

from mailbot.core.stats import CSV_HEADER
from mailbot.store.database import SCHEMA_VERSION

PETER = '[[staff]]\nname = "Peter Approver"\nemail = "peter@example.com"'


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Inside:
    """A controller whose requests come over the counter: no server is troubled."""
    return Inside.of(Desk.make(tmp_path, Dovecot(tmp_path / "nowhere"), SmtpSink(port=9), more=PETER), capsys)


def new(desk: Inside, right: str = "erasure", *, days_ago: int = 1, name: str = "Aino Esimerkki", **more: str) -> str:
    """A letter becomes a ticket; its reference."""
    received = (datetime.now(UTC) - timedelta(days=days_ago)).date().isoformat()
    options = {"channel": "letter", "received": received, "right": right, "name": name, "by": STAFF,
               "address": "Esimerkkitie 2, 20100 TURKU", **more}  # fmt: skip
    words = [part for key, value in options.items() for part in (f"--{key}", value)]
    return str(desk.must("ticket", "new", *words, "--json").json[0]["reference"])


def listed(desk: Inside, *filters: str) -> list[str]:
    return sorted(row["reference"] for row in desk.must("tickets", "--json", *filters).json)


# --------------------------------------------------------------------------------------------------------- lists


def test_filters_choose_tickets(desk: Inside) -> None:
    """Status, right, language, requester, person, day and lateness each leave the tickets that fit, and no other."""
    fresh = new(desk)
    old = new(desk, "access", days_ago=45)
    swedish = new(desk, "rectification", language="sv", email="sven@customer.example")
    desk.must("ticket", "assign", fresh, STAFF, "--by", STAFF)
    desk.must("ticket", "answered", swedish, "--how", "phone", "--by", STAFF)
    assert listed(desk) == sorted([fresh, old, swedish])
    assert listed(desk, "--open") == sorted([fresh, old])
    assert listed(desk, "--overdue") == [old]
    assert listed(desk, "--right", "access") == [old]
    assert listed(desk, "--language", "sv") == [swedish]
    assert listed(desk, "--requester", "SVEN@customer.example") == [swedish]
    assert listed(desk, "--assigned", STAFF) == [fresh]
    assert listed(desk, "--status", "drafted", "--status", "answered") == sorted([fresh, swedish])
    today = datetime.now(UTC).date()
    assert listed(desk, "--due-by", today.isoformat()) == [old]
    assert listed(desk, "--right", "access", "--language", "sv") == []
    assert desk.must("tickets", "--right", "portability").out == "no tickets\n"


def test_the_list_for_people_marks_what_is_overdue(desk: Inside) -> None:
    """One line a ticket, by due date, with the word that matters."""
    old, fresh = new(desk, days_ago=45), new(desk)
    lines = desk.must("tickets").out.splitlines()
    assert [old in lines[1], "OVERDUE" in lines[1]] == [True, True]
    assert [fresh in lines[2], "OVERDUE" in lines[2]] == [True, False]


def test_an_unknown_reference_is_one_clear_line(desk: Inside) -> None:
    """No traceback and the code of bad input."""
    done = desk.run("ticket", "show", "JALO-2026-9999")
    assert (done.code, len(done.err.splitlines())) == (65, 1)


# ------------------------------------------------------------------------------------------------------- figures


def test_figures_come_as_data_table_and_plot(desk: Inside, tmp_path: Path) -> None:
    """JSON for programs, CSV by month for a spreadsheet, SVG and bars for people; the same tickets in each."""
    new(desk, days_ago=45)
    answered = new(desk)
    desk.must("ticket", "answered", answered, "--how", "phone", "--by", STAFF)
    (figures,) = desk.must("stats", "--json").json
    text = json.dumps(figures)
    assert '"open": 1' in text
    assert '"overdue": 1' in text
    rows = list(csv.reader(io.StringIO(desk.must("stats", "--csv").out)))
    assert tuple(rows[0]) == CSV_HEADER
    assert sum(int(row[1]) for row in rows[1:]) == 2
    plot = tmp_path / "stats.svg"
    desk.must("stats", "--svg", str(plot))
    assert ElementTree.parse(plot).getroot().tag.endswith("svg")
    said = desk.must("stats").out
    assert said.startswith("open 1, overdue 1, due this week 0\nanswered 1, in time 50%\n")
    assert "median days to answer 1, erasure 1\noutcomes: fulfilled 1\n" in said
    assert desk.run("stats", "--svg", str(tmp_path / "no" / "folder.svg")).code == 69


# ----------------------------------------------------------------------------------------------------- the chain


def test_the_chain_is_whole_until_somebody_changes_it(desk: Inside) -> None:
    """A changed entry in the database is named, and the command ends with the code of bad input."""
    new(desk)
    assert desk.must("audit", "verify", "--json").json[0]["whole"] is True
    with closing(sqlite3.connect(desk.folder / "var" / "test.db")) as database, database:
        database.execute("UPDATE audit SET event = 'closed' WHERE seq = 2")
    done = desk.run("audit", "verify")
    assert done.code == 65
    assert "entry 2 was altered" in done.out


def test_a_dossier_is_one_file(desk: Inside, tmp_path: Path) -> None:
    """The zip holds story, data, chain, instructions and the PDF."""
    reference = new(desk)
    target = tmp_path / "dossier.zip"
    desk.must("audit", "export", reference, "--output", str(target))
    with zipfile.ZipFile(target) as archive:
        assert {"story.txt", "ticket.json", "chain.jsonl", "VERIFY.txt", "dossier.pdf"} <= set(archive.namelist())


# ------------------------------------------------------------------------------------------------------ on paper


def test_a_letter_is_printed_posted_and_closed(desk: Inside, tmp_path: Path) -> None:
    """From the counter to the envelope with the commands a person types."""
    reference, target = new(desk), tmp_path / "letter.pdf"
    assert desk.must("ticket", "letter", reference, "--by", STAFF, "--output", str(target), "--json").json[0] == {
        "file": str(target), "approved": False, "enclosures": [],
    }  # fmt: skip
    draft = desk.ticket(reference)["drafts"][-1]
    desk.must("ticket", "approve", reference, "--by", STAFF, "--fingerprint", draft["fingerprint"])
    assert "ticket posted" in desk.must("ticket", "letter", reference, "--by", STAFF, "--output", str(target)).out
    assert "Aino Esimerkki" in PdfReader(target).pages[0].extract_text()
    today = datetime.now(UTC).date().isoformat()
    desk.must("ticket", "answered", reference, "--on", today, "--how", "letter", "--by", STAFF)
    desk.must("ticket", "close", reference, "--by", STAFF)
    shown = desk.ticket(reference)
    assert (shown["status"], shown["outcome"]) == ("closed", "fulfilled")


# ------------------------------------------------------------------------------------------- backups, the schema


def test_a_backup_restores_by_being_put_back(desk: Inside, tmp_path: Path) -> None:
    """Taken while the database is in use; after a loss the copy and its key are put in place and all is there."""
    reference = new(desk)
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(desk.folder / "var" / "test.db")) as busy:
        busy.execute("BEGIN")
        busy.execute("SELECT count(*) FROM ticket").fetchone()
        desk.must("backup", str(copy))
    later = new(desk)
    key = (desk.folder / "var" / "test.key").read_bytes()
    shutil.rmtree(desk.folder / "var")
    (desk.folder / "var").mkdir()
    shutil.copy2(copy, desk.folder / "var" / "test.db")
    shutil.copy2(copy.with_suffix(".key"), desk.folder / "var" / "test.key")
    assert (desk.folder / "var" / "test.key").read_bytes() == key
    assert listed(desk) == [reference]
    assert desk.must("audit", "verify", "--json").json[0]["whole"] is True
    assert new(desk) == later  # the next number after the backup is given again
    assert copy.stat().st_mode & 0o077 == 0
    assert desk.run("backup", str(copy)).code == 65  # nothing is overwritten


def test_upgrading_is_safe_to_repeat(desk: Inside) -> None:
    """The same version, and nothing lost."""
    reference = new(desk)
    for _ in range(2):
        assert SCHEMA_VERSION in desk.must("db", "upgrade").out
    assert listed(desk) == [reference]


def _versioned(desk: Inside, version: str) -> None:
    with closing(sqlite3.connect(desk.folder / "var" / "test.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", (version,))


@pytest.mark.parametrize(("version", "cure"), [("0000", "mailbot db upgrade"), ("9999", "install the newer mailbot")])
def test_another_schema_is_refused(desk: Inside, version: str, cure: str) -> None:
    """One line with both versions and the cure, code 78, and the data as they were."""
    new(desk)
    _versioned(desk, version)
    done = desk.run("tickets")
    assert done.code == 78
    assert cure in done.err
    assert version in done.err


def test_a_newer_schema_is_never_downgraded(desk: Inside) -> None:
    """`db upgrade` of an older mailbot refuses what a newer one made."""
    new(desk)
    _versioned(desk, "9999")
    done = desk.run("db", "upgrade")
    assert (done.code, "newer" in done.err) == (78, True)


@pytest.mark.parametrize("content", [b"this is no database, only text " * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_one_clear_line(desk: Inside, content: bytes) -> None:
    """It is named and left as it is."""
    file = desk.folder / "var" / "test.db"
    file.parent.mkdir()
    file.write_bytes(content)
    done = desk.run("tickets")
    assert done.code in (69, 78)
    assert len(done.err.splitlines()) == 1
    assert file.read_bytes() == content


# ------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("options", "code", "word"),
    [
        ({"received": "2199-01-01"}, 65, "future"),
        ({"received": "yesterday"}, 65, "no day"),
        ({"address": ""}, 65, "nowhere to answer"),
        ({"by": "nobody@example.com"}, 77, "nobody@example.com"),
    ],
)
def test_a_request_that_can_not_be_entered(desk: Inside, options: dict[str, Any], code: int, word: str) -> None:
    """One clear line, the code of bad input or of somebody who may not, and no ticket."""
    today = datetime.now(UTC).date().isoformat()
    given = {"channel": "letter", "received": today, "right": "erasure", "name": "A", "address": "B 1", "by": STAFF}
    given |= options
    done = desk.run("ticket", "new", *(part for key, value in given.items() for part in (f"--{key}", value)))
    assert done.code == code
    assert word in done.err
    assert listed(desk) == []
