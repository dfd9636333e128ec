"""What the administrator sees when disk, file or server fail: one clear line, the right exit code, and nothing lost."""

import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink
from story.desk import mail

from crash.run import REQUEST
from crash.workshop import Forge, Workshop
from mailbot.config import load
from mailbot.flows import intake
from mailbot.flows.poll import poll
from mailbot.store import messages, tickets
from mailbot.store.database import Database
from mailbot.wiring import House

UNAVAILABLE, CONFIGURATION = 69, 78


@pytest.fixture
def shop(dovecot: Dovecot, smtp_sink: SmtpSink, tmp_path: Path, forge: Forge) -> Workshop:
    """A controller with one ticket and one more request in the mailbox."""
    made = Workshop.make(tmp_path, dovecot, smtp_sink, forge, 1)
    _arrive(made, "Ritva")
    made.must("poll", "--once")
    _arrive(made, "Olli")
    return made


def _arrive(shop: Workshop, name: str) -> None:
    text = REQUEST.format(name=name)
    shop.desk.arrive(mail(f"{name} <{name.lower()}@example.org>", "Tietojeni poistaminen", text))


def _file(shop: Workshop) -> Path:
    return shop.desk.folder / "var" / "test.db"


def _requesters(shop: Workshop) -> set[str]:
    database = Database(f"sqlite:///{_file(shop)}")
    with database.read() as connection:
        found = [ticket.requester_name for ticket in tickets.find(connection)]
    database.close()
    assert len(found) == len(set(found)), found
    return set(found)


def _fails(shop: Workshop, code: int, *words: str, command: tuple[str, ...] = ("poll", "--once"), **order: Any) -> None:
    """The command ends with that code and says these words in one line."""
    started = shop.start(*command, **order)
    ended = started.end()
    lines = [line for line in started.said.splitlines() if line.startswith("mailbot: ")]
    assert (ended, len(lines)) == (code, 1), (ended, lines)
    assert all(word in lines[0] for word in words), lines[0]


@pytest.mark.server
@pytest.mark.slow
def test_a_full_disk_loses_no_request(shop: Workshop) -> None:
    """While nothing can be written poll says so, exit code 69; with room again the request becomes its one ticket."""
    _fails(shop, UNAVAILABLE, "can not be written", file_bytes=40_000)  # a log may begin, and no ticket fits
    assert _requesters(shop) == {"Ritva"}
    shop.must("poll", "--once")
    assert _requesters(shop) == {"Ritva", "Olli"}
    shop.must("audit", "verify")


@pytest.mark.server
@pytest.mark.slow
def test_files_that_are_no_database_of_ours_are_named(shop: Workshop) -> None:
    """Something else, a damaged file, another program's tables, a newer schema: each its line, none overwritten."""
    path = _file(shop)
    with sqlite3.connect(path) as whole:
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole.close()
    kept = path.read_bytes()
    for log in path.parent.glob("test.db-*"):
        log.unlink()

    path.write_bytes(b"Dear diary, today it rained.\n" * 300)
    _fails(shop, UNAVAILABLE, "no database", "mailbot backup")
    assert path.read_bytes().startswith(b"Dear diary")

    path.write_bytes(kept[:8192] + os.urandom(len(kept) - 8192))
    _fails(shop, UNAVAILABLE, "damaged")

    path.write_bytes(b"")
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE invoices (number INTEGER)")
    other.close()
    _fails(shop, CONFIGURATION, "another program")

    path.write_bytes(kept)
    with sqlite3.connect(path) as ours:
        ours.execute("UPDATE alembic_version SET version_num = '9999'")
    ours.close()
    _fails(shop, CONFIGURATION, "9999", "newer mailbot")

    shutil.rmtree(path.parent)
    path.parent.write_text("a file where the folder was")
    _fails(shop, UNAVAILABLE, "can not be made")


@pytest.mark.server
@pytest.mark.slow
def test_a_dead_server_of_either_kind_is_tried_again_later(shop: Workshop) -> None:
    """IMAP and SMTP away: exit code 69 and one line; back again: everything follows, once."""
    shop.desk.imap.kill()
    shop.desk.smtp.stop()
    _fails(shop, UNAVAILABLE, "IMAP")
    _fails(shop, UNAVAILABLE, "mail server", command=("deliver", "--once"))
    shop.desk.imap.start()
    shop.desk.smtp.start()
    text = (shop.desk.folder / "mailbot.toml").read_text()
    assert f"port = {shop.desk.imap.port}" in text, "the server came back elsewhere: the test proves nothing"
    shop.must("poll", "--once")
    assert _requesters(shop) == {"Ritva", "Olli"}


@pytest.mark.server
@pytest.mark.slow
def test_a_message_that_breaks_its_handling_stops_no_other(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that fails for one message: it waits for a person with its bytes, and the next one is dealt with."""
    _arrive(shop, "Maija")
    real = intake.act

    def act(connection: object, office: object, judged: intake.Judged, **more: object) -> bool:
        if judged.message.sender and judged.message.sender.name == "Olli":
            raise KeyError("a fault of this program")
        return real(connection, office, judged, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(intake, "act", act)
    house = House(load(shop.desk.folder / "mailbot.toml"), lambda: datetime.now(UTC))
    with house.mailbox() as mailbox:
        done = poll(
            house.office, mailbox, house.reader, house.commands, house.folders(), clock_now=lambda: datetime.now(UTC)
        )
    assert (done.tickets, done.set_aside) == (2, 1)
    with house.database.read() as connection:
        found = tickets.find(connection)
        aside = next(ticket for ticket in found if "unreadable" in ticket.flags)
        raw = messages.raw(connection, messages.of_ticket(connection, aside.id)[0].id)
    house.database.close()
    assert aside.status == "needs_triage"
    assert raw is not None
    assert b"From: Olli" in raw
    assert {ticket.requester_name for ticket in found} == {"Ritva", "Maija", ""}
