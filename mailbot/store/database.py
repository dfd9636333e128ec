"""The database as a thing to open and to ask for transactions. SQLite (WAL) by default, PostgreSQL by its address.

A writing transaction takes its lock at the start (BEGIN IMMEDIATE): two processes wait for each other and neither fails
half-way. Every commit is durable: synchronous=FULL, and fsync is PostgreSQL's default. Errors of the driver
become ours here: a full disk, a locked or damaged file, a server that is away.
"""

import contextlib
import fcntl
import hashlib
import importlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from mailbot.errors import ConfigurationError, HeldError, TryLaterError
from mailbot.store.failures import no_file, ours, shown

__all__ = ["BUSY_TIMEOUT_MS", "SCHEMA_VERSION", "Connection", "Database", "take_turns"]  # flows name Connection

BUSY_TIMEOUT_MS = 30_000  # how long one process waits for another's transaction
SCHEMA_VERSION = "0001"
VERSION_TABLE = "alembic_version"


class Database:
    """One controller's memory."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite and ":memory:" not in url:
            _make_folder(Path(url.removeprefix("sqlite:///")))
        try:
            self.engine = _engine(url)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            raise ConfigurationError(
                [
                    f"database.url: {shown(url)} can not be used ({type(error).__name__}); "
                    "for PostgreSQL install mailbot[postgres]"
                ]
            ) from error

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One durable transaction: all of it happens, or nothing. Errors of the driver come out as ours."""
        with self._guarded(), self.engine.connect() as connection:
            connection = connection.execution_options(mailbot_writes=True)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view for reading: every statement sees the same moment, and none can write."""
        with self._guarded(), self.engine.connect() as connection:
            if not self.is_sqlite:  # SQLite's log gives every reader its own moment anyway
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    def prepare(self) -> None:
        """Makes the tables in an empty database; refuses one of another version, or of another program.

        Raises ConfigurationError naming `mailbot db upgrade` when the schema is older or newer.
        """
        version = self.version()
        if version is None:
            self.upgrade()
        elif version != SCHEMA_VERSION:
            raise _other_schema(version)

    def version(self) -> str | None:
        """The schema version found, None for an empty database.

        Raises ConfigurationError for a database that holds somebody else's tables.
        """
        with self.read() as connection:
            found = inspect(connection).get_table_names()
            if VERSION_TABLE not in found and found:
                raise ConfigurationError(
                    [f"database.url: {shown(self.url)} holds tables of another program; name an empty database"]
                )
            if VERSION_TABLE not in found:
                return None
            return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()

    def upgrade(self) -> None:
        """Brings the schema to this version; safe to repeat, and for several processes at once.

        Raises ConfigurationError for a schema newer than this mailbot.
        """
        version = self.version()
        if version is not None and version > SCHEMA_VERSION:
            raise _other_schema(version)
        # alembic is loaded only here: it costs 60 ms that no ordinary start needs
        migrations = importlib.import_module("mailbot.store.migrations")
        with self._guarded(), contextlib.nullcontext() if self.is_sqlite else self._advisory("upgrade", wait=True):
            migrations.upgrade(self.engine)

    def compact(self) -> None:
        """After a purge: nothing of what went stays in the SQLite file or its write-ahead log.

        Raises TryLaterError when somebody reads the log for so long that it can not be emptied.
        PostgreSQL keeps old rows until VACUUM and its own log until it is recycled (README, "What a purge leaves").
        """
        if not self.is_sqlite:
            return
        with self._guarded(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("VACUUM")
            (busy, *_) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise TryLaterError("what was purged still lies in the database's log: it is being read", "Purge again.")

    def lock_file(self, name: str) -> Path:
        """Where the lock lies: beside the SQLite file, or for PostgreSQL nowhere (advisory locks)."""
        return Path(self.url.removeprefix("sqlite:///") + f".{name}.lock")

    def close(self) -> None:
        """Lets go of every connection."""
        self.engine.dispose()

    @contextlib.contextmanager
    def exclusively(self, name: str) -> Iterator[None]:
        """Holds the lock (one poller a mailbox, one sender a SQLite file); death releases it.

        Raises HeldError when another process holds it.
        """
        with _flock(self.lock_file(name), name) if self.is_sqlite else self._advisory(name):
            yield

    @contextlib.contextmanager
    def _advisory(self, name: str, *, wait: bool = False) -> Iterator[None]:
        """A lock of the session: it ends with `with`, with the process, and with the connection."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            word = "pg_advisory_lock" if wait else "pg_try_advisory_lock"
            with self._guarded():
                held = connection.execute(text(f"SELECT {word}(:n)"), {"n": _number(name)}).scalar()
            if held is False:
                raise _held(name)
            try:
                yield
            finally:
                with contextlib.suppress(DBAPIError):  # the server's end releases it as well
                    connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": _number(name)})

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            raise ours(error, self.url) from error


def take_turns(connection: Connection, name: str) -> None:
    """Waits until no other transaction does the same thing; what it wrote is seen then. SQLite has one writer."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _number(name)})


def _other_schema(version: str) -> ConfigurationError:
    cure = "run: mailbot db upgrade" if version < SCHEMA_VERSION else "install the newer mailbot that made it"
    return ConfigurationError(
        [f"database: its schema is version {version}, this mailbot needs {SCHEMA_VERSION}; {cure}"]
    )


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"mailbot {name}".encode()).digest()[:8], "big", signed=True)


def _held(name: str) -> HeldError:
    return HeldError(f"another mailbot already runs {name} on this database", "Wait for it, or stop the other one.")


@contextlib.contextmanager
def _flock(path: Path, name: str) -> Iterator[None]:
    handle: IO[str] | None = None
    try:
        handle = open(path, "a+", encoding="ascii")  # noqa: SIM115 - closed below, and its closing is the unlocking
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if handle:
            handle.close()
        raise _held(name) from None
    except OSError as error:
        raise no_file(error, f"the lock {path} can not be taken") from error
    try:
        yield
    finally:
        handle.close()


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():  # personal data: readable by its owner alone from the first byte
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise no_file(error, f"the database {path} can not be made") from error


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10, "options": _options(url)})
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def _pragmas(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # we say BEGIN ourselves, below
        cursor = dbapi.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",  # a committed ticket survives the power cut
            "foreign_keys=ON",
            "secure_delete=ON",  # what is purged leaves no bytes behind
            "cache_size=-4000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("mailbot_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _options(url: str) -> str:
    """Settings of each PostgreSQL session, after those of the address.

    Moments in UTC, no wait without an end, and a commit that is on the disk before it counts, whatever the server's
    own default is.
    """
    given = make_url(url).query.get("options", "")
    before = given if isinstance(given, str) else " ".join(given)
    return f"{before} -c timezone=UTC -c synchronous_commit=on -c lock_timeout={BUSY_TIMEOUT_MS}"
