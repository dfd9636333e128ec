"""How a connection is opened, and how a transaction begins on it: SQLite (WAL) by default, PostgreSQL by its address.

Every commit is durable (synchronous=FULL; synchronous_commit=on), moments are UTC, and no wait is without an end. The
caller says BEGIN and COMMIT itself: both drivers leave that to us. psycopg is loaded only for its own addresses.
"""

import importlib
import os
import sqlite3
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from mailbot.errors import ConfigurationError
from mailbot.store.failures import no_file, shown

BUSY_TIMEOUT_MS = 30_000  # how long one process waits for another's transaction
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a committed ticket survives the power cut
    "foreign_keys=ON",
    "secure_delete=ON",  # what is purged leaves no bytes behind
    "cache_size=-4000",
)


class Driver(Protocol):
    """One kind of database."""

    name: str  # sqlite | postgresql
    errors: tuple[type[Exception], ...]  # what the driver raises
    begin_write: str
    begin_read: str
    tables: str  # the question for the names of all tables

    def open(self) -> Any:
        """A new connection of the driver."""

    def commit(self, raw: Any) -> None:
        """Ends the transaction for good; raises when it could not be kept."""

    def broken(self, raw: Any) -> bool:
        """True for a connection that can not be used again."""


class Sqlite:
    """A file. A writing transaction takes its lock at the start: two processes wait and neither fails half-way."""

    name = "sqlite"
    errors: tuple[type[Exception], ...] = (sqlite3.Error,)
    begin_write = "BEGIN IMMEDIATE"
    begin_read = "BEGIN"  # the log gives every reader its own moment
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"

    def __init__(self, url: str) -> None:
        self.path = Path(url.removeprefix("sqlite:///"))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not self.path.exists():  # personal data: readable by its owner alone from the first byte
                os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError as error:
            raise no_file(error, f"the database {self.path} can not be made") from error

    def open(self) -> sqlite3.Connection:
        """A new connection with its settings."""
        raw = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
        )  # used by one thread at a time
        try:
            for pragma in _PRAGMAS:
                raw.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            raw.close()
            raise
        return raw

    def commit(self, raw: sqlite3.Connection) -> None:
        """Ends the transaction for good."""
        raw.execute("COMMIT")

    def broken(self, raw: sqlite3.Connection) -> bool:
        """True when a transaction is still open that could not be ended."""
        return raw.in_transaction


class Postgresql:
    """A server."""

    name = "postgresql"
    begin_write = "BEGIN"
    begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    tables = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"

    def __init__(self, url: str) -> None:
        try:
            self._psycopg: Any = importlib.import_module("psycopg")
        except ImportError as error:
            raise not_usable(url, error) from error
        self.errors: tuple[type[Exception], ...] = (self._psycopg.Error,)
        try:
            _ = urlsplit(url).port  # ValueError for one that is no number
            known = self._psycopg.conninfo.conninfo_to_dict(url.replace("+psycopg", "", 1))
        except (ValueError, *self.errors) as error:
            raise not_usable(url, error) from error
        ours = f"-c timezone=UTC -c synchronous_commit=on -c lock_timeout={BUSY_TIMEOUT_MS}"
        self._known = {**known, "options": f"{known.get('options', '')} {ours}", "connect_timeout": 10}

    def open(self) -> Any:
        """A new session; settings of the address come first, ours after them."""
        return self._psycopg.connect(**self._known, autocommit=True)

    def commit(self, raw: Any) -> None:
        """Ends the transaction for good; the server answers a COMMIT after a failed statement with a quiet ROLLBACK."""
        if raw.execute("COMMIT").statusmessage != "COMMIT":
            raise self._psycopg.InternalError("nothing was committed: a statement had failed before")

    def broken(self, raw: Any) -> bool:
        """True when the session has ended, or a transaction is still open."""
        return bool(raw.closed or raw.info.transaction_status)  # IDLE is 0


def driver_of(url: str) -> Driver:
    """The driver for an address; ConfigurationError for one that can not be used."""
    if url.startswith("sqlite:///"):
        return Sqlite(url)
    if url.startswith(("postgresql+psycopg://", "postgresql://")):
        return Postgresql(url)
    raise not_usable(url, ValueError())


def not_usable(url: str, error: Exception) -> ConfigurationError:
    """What is said of an address that leads to no driver."""
    return ConfigurationError(
        [
            f"database.url: {shown(url)} can not be used ({type(error).__name__}); "
            "for PostgreSQL install mailbot[postgres]"
        ]
    )
