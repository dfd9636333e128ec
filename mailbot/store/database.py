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
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from mailbot.errors import ConfigurationError, MailbotError, ServiceUnavailableError, TryLaterError

__all__ = ["Connection", "Database"]  # flows hand a Connection on and never look inside

BUSY_TIMEOUT_MS = 30_000
SCHEMA_VERSION = "0001"


class Database:
    """One controller's memory."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite and ":memory:" not in url:
            _make_folder(Path(url.removeprefix("sqlite:///")))
        try:
            self.engine = _engine(url)
        except (SQLAlchemyError, ImportError) as error:
            raise ConfigurationError(
                [
                    f"database.url: {_safe(url)} can not be used ({type(error).__name__}); "
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
        """A consistent view for reading."""
        with self._guarded(), self.engine.connect() as connection, connection.begin():
            yield connection

    def prepare(self) -> None:
        """Makes the tables in an empty database; refuses one of another version.

        Raises ConfigurationError naming `mailbot db upgrade` when the schema is older or newer.
        """
        version = self.version()
        if version is None:
            self.upgrade()
        elif version != SCHEMA_VERSION:
            cure = "run: mailbot db upgrade" if version < SCHEMA_VERSION else "install the newer mailbot that made it"
            raise ConfigurationError(
                [f"database: its schema is version {version}, this mailbot needs {SCHEMA_VERSION}; {cure}"]
            )

    def version(self) -> str | None:
        """The schema version found, None for an empty database."""
        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def upgrade(self) -> None:
        """Brings the schema to this version; safe to repeat."""
        # alembic is loaded only here: it costs 60 ms that no ordinary start needs
        migrations = importlib.import_module("mailbot.store.migrations")
        with self._guarded():
            migrations.upgrade(self.engine)

    def compact(self) -> None:
        """After a purge: nothing of what went stays in the SQLite file or its write-ahead log.

        PostgreSQL keeps old rows until VACUUM and its own log until it is recycled (README, "What a purge leaves").
        """
        if not self.is_sqlite:
            return
        with self._guarded(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("VACUUM")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def lock_file(self, name: str) -> Path:
        """Where the lock lies: beside the SQLite file, or for PostgreSQL nowhere (advisory locks)."""
        return Path(self.url.removeprefix("sqlite:///") + f".{name}.lock")

    def close(self) -> None:
        """Lets go of every connection."""
        self.engine.dispose()

    @contextlib.contextmanager
    def exclusively(self, name: str) -> Iterator[None]:
        """Holds the lock (one poller a mailbox, one sender a SQLite file); death releases it.

        Raises TryLaterError when another process holds it.
        """
        if self.is_sqlite:
            with _flock(self.lock_file(name), name):
                yield
        else:
            with self._advisory(name):
                yield

    @contextlib.contextmanager
    def _advisory(self, name: str) -> Iterator[None]:
        number = int.from_bytes(hashlib.sha256(f"mailbot {name}".encode()).digest()[:8], "big", signed=True)
        with self._guarded():
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with connection:
            if not connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": number}).scalar():
                raise _held(name)
            try:
                yield
            finally:
                with contextlib.suppress(DBAPIError):  # the server's end releases it as well
                    connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": number})

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _ours(error, self.url) from error


def _held(name: str) -> TryLaterError:
    return TryLaterError(f"another mailbot already runs {name} on this database", "Wait for it, or stop the other one.")


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
        raise ServiceUnavailableError(
            f"the lock {path} can not be taken ({error.strerror})", "Check the folder."
        ) from error
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
        raise ServiceUnavailableError(
            f"the database {path} can not be made ({error.strerror})", "Check the folder's owner, mode and free space."
        ) from error


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
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


def _safe(url: str) -> str:
    head, _, tail = url.rpartition("@")
    return f"{head.split('://')[0]}://***@{tail}" if head else url


def _ours(error: DBAPIError, url: str) -> MailbotError:
    said = str(error.orig).strip().splitlines()[0] if error.orig and str(error.orig).strip() else type(error).__name__
    low = said.lower()
    where = _safe(url)
    if "disk is full" in low or "no space" in low or "disk i/o" in low or "readonly" in low:
        return ServiceUnavailableError(
            f"the database {where} can not be written: {said}", "Free some disk space; nothing was lost."
        )
    if "not a database" in low or "malformed" in low:
        return ServiceUnavailableError(f"the database {where} is damaged: {said}", "Restore it: mailbot backup --help.")
    if "locked" in low or "busy" in low:
        return TryLaterError(f"the database {where} is busy: {said}", "Try again in a moment.")
    if isinstance(error.orig, sqlite3.OperationalError):
        return ServiceUnavailableError(
            f"the database {where} can not be used: {said}", "Check the file and its folder."
        )
    if type(error).__name__ == "OperationalError":
        return TryLaterError(
            f"the database server does not answer: {_masked(said)}", "Check that it runs and the address is right."
        )
    return ServiceUnavailableError(f"the database refused a statement: {_masked(said)}", "Report this with the log.")


def _masked(said: str) -> str:
    return said if "password" not in said.lower() else "the login was refused"
