"""The database as a thing to open and to ask for transactions, alike on SQLite and PostgreSQL.

A transaction happens whole or not at all, and a view for reading sees one moment. Errors of the driver become ours
here: a full disk, a locked or damaged file, a server that is away. The library that makes and changes tables is loaded
only for that: an ordinary start finds them made (`fresh_*.sql` makes them where there are none).
"""

import contextlib
import fcntl
import hashlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from mailbot.errors import ConfigurationError, HeldError, TryLaterError
from mailbot.store.connection import Connection
from mailbot.store.drivers import driver_of
from mailbot.store.failures import no_file, ours, shown

__all__ = ["SCHEMA_VERSION", "Connection", "Database", "take_turns"]  # flows name Connection

SCHEMA_VERSION = "0001"
VERSION_TABLE = "alembic_version"


class Database:
    """One controller's memory."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.driver = driver_of(url)
        self._idle: list[Any] = []  # connections of the driver that wait for the next transaction

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One durable transaction: all of it happens, or nothing. Errors of the driver come out as ours."""
        with self._transaction(self.driver.begin_write) as connection:
            yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view for reading: every statement sees the same moment."""
        with self._transaction(self.driver.begin_read) as connection:
            yield connection

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        with self._guarded():
            raw = self._begun(begin)
            try:
                yield Connection(raw, self.driver.name)
                self.driver.commit(raw)
            except BaseException:
                with contextlib.suppress(*self.driver.errors):
                    raw.execute("ROLLBACK")
                raise
            finally:
                self._give_back(raw)

    def _begun(self, begin: str) -> Any:
        """A connection with a transaction begun; one whose server went away while it was idle is replaced."""
        while self._idle:
            raw = self._idle.pop()
            try:
                raw.execute(begin)
                return raw
            except self.driver.errors:
                gone = self.driver.broken(raw)
                raw.close()
                if not gone:
                    raise
        raw = self._opened()
        try:
            raw.execute(begin)
        except BaseException:
            raw.close()
            raise
        return raw

    def _opened(self) -> Any:
        try:
            return self.driver.open()
        except self.driver.errors as error:
            raise ours(error, self.url, connecting=True) from error

    def _give_back(self, raw: Any) -> None:
        if self.driver.broken(raw):
            raw.close()
        else:
            self._idle.append(raw)

    @contextlib.contextmanager
    def _session(self) -> Iterator[Any]:
        """A connection of the driver without a transaction."""
        with self._guarded():
            raw = self._begun("SELECT 1")
            try:
                yield raw
            finally:
                self._give_back(raw)

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
            return self._version(connection)

    def _version(self, connection: Connection) -> str | None:
        found = connection.column(self.driver.tables)
        if VERSION_TABLE not in found and found:
            raise ConfigurationError(
                [f"database.url: {shown(self.url)} holds tables of another program; name an empty database"]
            )
        if VERSION_TABLE not in found:
            return None
        version: str | None = connection.value(f"SELECT version_num FROM {VERSION_TABLE}")
        return version

    def upgrade(self) -> None:
        """Brings the schema to this version; safe to repeat, and for several processes at once.

        Raises ConfigurationError for a schema newer than this mailbot.
        """
        with self.write() as connection:
            take_turns(connection, "upgrade")
            version = self._version(connection)
            if version is None:
                _make(connection)
        if version is not None and version > SCHEMA_VERSION:
            raise _other_schema(version)
        if version is not None and version < SCHEMA_VERSION:
            # sqlalchemy and alembic are loaded only here: they cost half a second that no ordinary start needs
            importlib.import_module("mailbot.store.migrations").upgrade(self.url)

    def compact(self) -> None:
        """After a purge: nothing of what went stays in the SQLite file or its write-ahead log.

        Raises TryLaterError when somebody reads the log for so long that it can not be emptied.
        PostgreSQL keeps old rows until VACUUM and its own log until it is recycled (README, "What a purge leaves").
        """
        if not self.is_sqlite:
            return
        with self._session() as raw:
            raw.execute("VACUUM")
            (busy, *_) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise TryLaterError("what was purged still lies in the database's log: it is being read", "Purge again.")

    def lock_file(self, name: str) -> Path:
        """Where the lock lies: beside the SQLite file, or for PostgreSQL nowhere (advisory locks)."""
        return Path(self.url.removeprefix("sqlite:///") + f".{name}.lock")

    def close(self) -> None:
        """Lets go of every connection."""
        while self._idle:
            self._idle.pop().close()

    @contextlib.contextmanager
    def exclusively(self, name: str) -> Iterator[None]:
        """Holds the lock (one poller a mailbox, one sender a SQLite file); death releases it.

        Raises HeldError when another process holds it.
        """
        with _flock(self.lock_file(name), name) if self.is_sqlite else self._advisory(name):
            yield

    @contextlib.contextmanager
    def _advisory(self, name: str) -> Iterator[None]:
        """A lock of the session: it ends with `with`, with the process, and with the connection."""
        with self._session() as raw:
            (held,) = raw.execute("SELECT pg_try_advisory_lock(%s)", [_number(name)]).fetchone()
            if not held:
                raise _held(name)
            try:
                yield
            finally:
                with contextlib.suppress(*self.driver.errors):  # the server's end releases it as well
                    raw.execute("SELECT pg_advisory_unlock(%s)", [_number(name)])

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except self.driver.errors as error:
            raise ours(error, self.url) from error


def take_turns(connection: Connection, name: str) -> None:
    """Waits until no other transaction does the same thing; what it wrote is seen then. SQLite has one writer."""
    if connection.dialect == "postgresql":
        connection.row("SELECT pg_advisory_xact_lock(:n)", {"n": _number(name)})


def _make(connection: Connection) -> None:
    """Every table, as the newest migration leaves them."""
    script = Path(__file__).with_name(f"fresh_{connection.dialect}.sql").read_text(encoding="utf-8")
    for statement in script.split(";\n"):
        if statement.strip():
            connection.run(statement)
    connection.add(VERSION_TABLE, {"version_num": SCHEMA_VERSION})


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
