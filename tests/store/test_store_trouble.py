"""Locks that death releases, and what a disk, a file or a server can do to us: one clear line each."""

import contextlib
import multiprocessing
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from making import NOW, make_ticket, queue_reply
from servers.postgres import Postgres

from mailbot.errors import (
    ConfigurationError,
    MailbotError,
    NotPermittedError,
    ServiceUnavailableError,
    TryLaterError,
)
from mailbot.store import audit, cursors, tickets
from mailbot.store import drivers as module
from mailbot.store.database import Database, take_turns
from mailbot.store.failures import RefusedStatementError, shown

HOLD = """
import sys, time
from mailbot.store.database import Database
with Database(sys.argv[1]).exclusively("poll"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_keeps_others_out_and_death_releases_it(database: Database) -> None:
    """While a process lives nobody else polls; killed with SIGKILL it leaves no lock behind."""
    url = database.url
    with subprocess.Popen([sys.executable, "-c", HOLD, url], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TryLaterError, match="already runs poll"), database.exclusively("poll"):
            pass
        with database.exclusively("deliver"):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
    for _ in range(50):
        try:
            with database.exclusively("poll"):
                return
        except TryLaterError:
            threading.Event().wait(0.1)
    pytest.fail("the lock outlived its holder")


def test_a_lock_is_free_after_an_error(database: Database) -> None:
    """What goes wrong under a lock does not keep it."""
    with pytest.raises(RuntimeError, match="wrong"), database.exclusively("poll"):
        raise RuntimeError("wrong")
    with database.exclusively("poll"):
        pass


def test_a_reader_sees_one_moment_and_writes_nothing(database: Database) -> None:
    """What is committed meanwhile is not seen half-way through a view."""
    with database.read() as reading:
        assert audit.count(reading) == 0
        with database.write() as writing:
            audit.append(writing, now=NOW, event="noted", actor="x")
        assert audit.count(reading) == 0
    with database.read() as reading:
        assert audit.count(reading) == 1


def test_a_commit_of_sqlite_reaches_the_disk_before_it_counts(sqlite: Database) -> None:
    """WAL with synchronous=FULL: fsync at every commit; foreign keys hold; what is deleted is overwritten."""
    with sqlite.write() as connection:
        found = {name: connection.value(f"PRAGMA {name}") for name in
                 ("journal_mode", "synchronous", "foreign_keys", "secure_delete")}  # fmt: skip
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_a_new_sqlite_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Personal data are readable by nobody else, from the first byte."""
    path = tmp_path / "new" / "fresh.db"
    database = Database(f"sqlite:///{path}")
    database.prepare()
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    database.close()
    assert set(modes.values()) == {"0o600"}, modes


def _one_line(error: MailbotError) -> str:
    said = str(error)
    assert "\n" not in said
    assert "Traceback" not in said
    return said


def test_a_full_disk_is_said_and_changes_nothing(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that does not fit is undone whole; with room again everything goes on."""
    limit = [0]

    opened = sqlite.driver.open

    def _limited() -> Any:
        raw = opened()
        if limit[0]:
            raw.execute(f"PRAGMA max_page_count={limit[0]}")
        return raw

    monkeypatch.setattr(sqlite.driver, "open", _limited)
    with sqlite.read() as connection:
        limit[0] = int(connection.value("PRAGMA page_count")) + 2
    sqlite.close()
    with pytest.raises(ServiceUnavailableError) as caught, sqlite.write() as connection:  # noqa: PT012 - the transaction is part of it
        make_ticket(connection)
        cursors.note_state(connection, "big", "x" * 100_000, NOW)
    assert "full" in _one_line(caught.value)
    limit[0] = 0
    sqlite.close()
    with sqlite.write() as connection:
        assert tickets.find(connection) == ()
        assert make_ticket(connection).reference == "JALO-2026-0001"


def test_a_vacuum_without_room_is_said(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors outside a transaction come out as ours too."""
    with sqlite.write() as connection:
        make_ticket(connection)
    blocker = sqlite3.connect(sqlite.url.removeprefix("sqlite:///"), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    hasty = Database(sqlite.url)
    with pytest.raises(TryLaterError, match="busy"):
        hasty.compact()
    blocker.rollback()
    blocker.close()
    hasty.compact()
    hasty.close()


def test_a_locked_database_asks_to_come_again(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program that holds the file longer than the wait is told in one line, exit code 75."""
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    hasty = Database(sqlite.url)
    with sqlite.write() as connection:
        make_ticket(connection)
        with pytest.raises(TryLaterError) as caught, hasty.write():
            pass
    assert "busy" in _one_line(caught.value)
    assert caught.value.exit_code == 75
    hasty.close()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"Dear diary, " * 1000),
        lambda path: path.write_bytes(path.read_bytes()[:4096] + os.urandom(path.stat().st_size - 4096)),
    ],
    ids=["not a database", "malformed"],
)
def test_a_damaged_file_is_named(sqlite: Database, spoil: Any) -> None:
    """A file that is no database, or was one, is said with its cure; exit code 69."""
    with sqlite.write() as connection:
        queue_reply(connection)
    sqlite.close()
    path = Path(sqlite.url.removeprefix("sqlite:///"))
    spoil(path)
    for log in path.parent.glob("test.db-*"):
        log.unlink()
    with pytest.raises(ServiceUnavailableError) as caught, Database(sqlite.url).write() as connection:  # noqa: PT012 - the transaction is part of it
        connection.rows("SELECT count(*) FROM ticket, outbox, message, draft")
        make_ticket(connection)
    assert "damaged" in _one_line(caught.value)
    assert caught.value.exit_code == 69


def test_a_folder_where_the_file_should_be_is_said(tmp_path: Path) -> None:
    """Nothing that lies there is opened or replaced."""
    with pytest.raises(ServiceUnavailableError) as caught:
        Database(f"sqlite:///{tmp_path}").prepare()
    assert str(tmp_path) in _one_line(caught.value)


def test_a_place_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    """A file stands where a folder is needed."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceUnavailableError, match="can not be made"):
        Database(f"sqlite:///{tmp_path / 'file' / 'x' / 'test.db'}")


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("postgresql+psycopg://postgres:hunter2@127.0.0.1:1/x", ServiceUnavailableError),
        ("postgresql+psycopg://postgres:hunter2@/x?host=/nonexistent", ServiceUnavailableError),
        ("nonsense://user:hunter2@host/x", ConfigurationError),
        ("postgresql+psycopg://user:hunter2@host:port/x", ConfigurationError),
    ],
)
def test_an_address_that_leads_nowhere_is_said_without_its_password(url: str, kind: type[MailbotError]) -> None:
    """A server that is not there, a driver that does not exist: one line, never the secret."""
    with pytest.raises(kind) as caught:
        Database(url).prepare()
    assert "hunter2" not in _one_line(caught.value)


def test_a_password_among_the_options_is_not_shown_either() -> None:
    """Whatever stands behind the question mark stays out of every message."""
    assert shown("postgresql+psycopg://u@h/db?password=hunter2") == "postgresql+psycopg://u@h/db"
    assert "hunter2" not in shown("postgresql+psycopg://u:hunter2@h/db")


def test_a_database_or_role_that_does_not_exist_is_a_matter_of_configuration(postgres: str) -> None:
    """The cure is named: create it."""
    wrong = [re.sub(r"@/\w+", "@/nowhere", postgres), postgres.replace("postgres@", "nobody_here@")]
    for url in wrong:
        with pytest.raises(ConfigurationError, match="create the database or role"):
            Database(url).prepare()


def test_a_role_without_rights_is_not_permitted(postgres_ready: Database) -> None:
    """Exit code 77, and what to grant."""
    with postgres_ready.write() as connection:
        connection.run("CREATE ROLE bare LOGIN")
    bare = Database(postgres_ready.url.replace("postgres@", "bare@"))
    with pytest.raises(NotPermittedError) as caught, bare.read() as connection:
        tickets.find(connection)
    assert caught.value.exit_code == 77
    bare.close()
    with postgres_ready.write() as connection:
        connection.run("DROP ROLE bare")


def test_a_server_that_goes_away_and_comes_back_is_met_again() -> None:
    """In the middle of work: try later. While it is down: unavailable. When it is back: all committed is there."""
    if missing := Postgres.missing():
        pytest.skip(missing)
    with Postgres() as server:
        database = Database(server.database())
        database.prepare()
        with database.write() as connection:
            make_ticket(connection)
        with pytest.raises(TryLaterError), database.write() as connection:  # noqa: PT012 - the transaction is part of it
            make_ticket(connection)
            server.stop("immediate")
            tickets.find(connection)
        with pytest.raises((ServiceUnavailableError, TryLaterError)) as caught, database.read():
            pass
        _one_line(caught.value)
        server.start()
        with database.read() as connection:
            assert [t.reference for t in tickets.find(connection)] == ["JALO-2026-0001"]
        database.close()


def test_two_transactions_that_embrace_end_in_try_later(postgres_ready: Database) -> None:
    """PostgreSQL breaks a deadlock by ending one of the two; that one is told to come again."""
    both = threading.Barrier(2, timeout=10)
    ended: list[object] = []

    def take(first: str, second: str) -> None:
        try:
            with postgres_ready.write() as connection:
                take_turns(connection, first)
                both.wait()
                take_turns(connection, second)
            ended.append("through")
        except MailbotError as error:
            ended.append(type(error))

    threads = [threading.Thread(target=take, args=names) for names in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(str, ended)) == sorted(map(str, ["through", TryLaterError]))


def _write_many(url: str, count: int, answers: Any) -> None:
    database = Database(url)
    try:
        for _ in range(count):
            with database.write() as connection:
                ticket = make_ticket(connection)
                audit.append(connection, now=NOW, event="opened", actor="x", reference=ticket.reference)
        answers.put("done")
    except MailbotError as error:
        answers.put(repr(error))
    database.close()


def test_several_processes_write_at_once_and_nobody_fails(database: Database) -> None:
    """References are unique, the chain is whole, and no transaction had to be given up."""
    database.close()
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    processes = [fork.Process(target=_write_many, args=(database.url, 15, answers)) for _ in range(3)]
    for process in processes:
        process.start()
    assert [answers.get(timeout=60) for _ in processes] == ["done"] * 3
    for process in processes:
        process.join(30)
    with database.read() as connection:
        assert len({t.reference for t in tickets.find(connection)}) == 45
        assert [told.entry.seq for told in audit.chain(connection)] == list(range(1, 46))


@pytest.mark.parametrize("statement", ["SELECT 1 / 0", "SELECT repeat('x', 2000000000)"])
def test_a_value_that_postgresql_never_takes_is_no_broken_connection(
    postgres_ready: Database, statement: str
) -> None:
    """Coming again would not help, so it is told as a refused statement (classes 22 and 54 of SQLSTATE)."""
    with pytest.raises(RefusedStatementError), postgres_ready.read() as connection:
        connection.value(statement)


def test_a_commit_that_kept_nothing_is_an_error(postgres_ready: Database) -> None:
    """After a failed statement that somebody swallowed, PostgreSQL answers COMMIT with a quiet ROLLBACK."""
    with pytest.raises(MailbotError), postgres_ready.write() as connection, contextlib.suppress(Exception):
        connection.value("SELECT 1 / 0")
