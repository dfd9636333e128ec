"""One open transaction: statements with named parameters go in, rows by name come out, alike on SQLite and PostgreSQL.

SQL is written where it is used, in words that both databases know; a value is never put into its text. What a column
holds is told by its name, as everywhere in the house: `_at` is an aware moment (kept in UTC), `_on` a local day; the
few names of flags and of JSON stand below, held to the tables by a test. Nothing here opens or ends a transaction.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

Row = dict[str, Any]

FLAGS = frozenset(
    {
        "asked_outside", "counted", "edited", "extended", "files_purged", "hold", "identified", "only_first", "outside",
        "outside_denied", "outside_suspected", "provisional",
    }
)  # fmt: skip
JSON = frozenset(
    {
        "attachments", "authenticity", "checklist", "drafts", "evidence", "explanations", "findings", "flags", "needs",
        "outcomes", "references", "values",
    }
)  # fmt: skip
_PARAMETER = re.compile(r"(?<!:):([a-z]\w*)")


class Connection:
    """What `Database.write()` and `Database.read()` hand out."""

    def __init__(self, raw: Any, dialect: str) -> None:
        self.raw = raw  # the driver's own connection
        self.dialect = dialect  # sqlite | postgresql
        self._in = _into_sqlite if dialect == "sqlite" else _into_postgresql
        self._text = _as_is if dialect == "sqlite" else _for_psycopg

    @property
    def held(self) -> str:
        """Ends a SELECT whose rows are locked for this transaction. Rows of other tables may still come to point at
        them (no deadlock); SQLite has one writer anyway."""
        return "" if self.dialect == "sqlite" else " FOR NO KEY UPDATE"

    def each(self, sql: str, values: Mapping[str, Any] | None = None) -> Iterator[Row]:
        """Every row of the answer, one at a time."""
        cursor = self._run(sql, values)
        columns = _columns(tuple(item[0] for item in cursor.description))
        for found in cursor:
            yield {
                name: value if read is None or value is None else read(value)
                for (name, read), value in zip(columns, found, strict=True)
            }

    def rows(self, sql: str, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Every row of the answer."""
        return list(self.each(sql, values))

    def row(self, sql: str, values: Mapping[str, Any] | None = None) -> Row | None:
        """The first row of the answer, None when there is none."""
        found = self.rows(sql, values)
        return found[0] if found else None

    def one(self, sql: str, values: Mapping[str, Any] | None = None) -> Row:
        """The first row of an answer that can not be empty; LookupError when it is."""
        return self.rows(sql, values)[0]

    def column(self, sql: str, values: Mapping[str, Any] | None = None) -> list[Any]:
        """The first column of every row."""
        return [next(iter(row.values())) for row in self.rows(sql, values)]

    def value(self, sql: str, values: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row, None when there is no row."""
        found = self.column(sql, values)
        return found[0] if found else None

    def run(self, sql: str, values: Mapping[str, Any] | None = None) -> int:
        """Carries a statement out; how many rows it changed."""
        return int(self._run(sql, values).rowcount)

    def run_many(self, sql: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Carries one statement out for each of many rows."""
        bound = [{name: self._in(value) for name, value in row.items()} for row in rows]
        if bound:
            self.raw.cursor().executemany(self._text(sql), bound)

    def add(self, table: str, values: Mapping[str, Any]) -> None:
        """Adds one row."""
        self._run(adding(table, tuple(values)), values)

    def add_numbered(self, table: str, values: Mapping[str, Any]) -> int:
        """Adds one row; the number (`id`) that the database gave it."""
        return int(self.value(adding(table, tuple(values)) + " RETURNING id", values))

    def change(self, table: str, number: int, values: Mapping[str, Any]) -> None:
        """Writes columns of the row of that number."""
        self._run(_changing(table, tuple(values)), {**values, "row_number": number})

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """A part of the transaction that is undone by itself when it raises; the rest goes on (SAVEPOINT)."""
        self.raw.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self.raw.execute("ROLLBACK TO SAVEPOINT part")
            self.raw.execute("RELEASE SAVEPOINT part")
            raise
        self.raw.execute("RELEASE SAVEPOINT part")

    def _run(self, sql: str, values: Mapping[str, Any] | None) -> Any:
        if not values:
            return self.raw.execute(self._text(sql))
        return self.raw.execute(self._text(sql), {name: self._in(value) for name, value in values.items()})


@cache
def adding(table: str, names: tuple[str, ...]) -> str:
    """INSERT of one row with these columns."""
    columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join(f":{name}" for name in names)
    return f"INSERT INTO {table} ({columns}) VALUES ({marks})"


@cache
def _changing(table: str, names: tuple[str, ...]) -> str:
    changes = ", ".join(f'"{name}" = :{name}' for name in names)
    return f"UPDATE {table} SET {changes} WHERE id = :row_number"


def among(name: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """`(:name_0, :name_1)` for an IN, and its values; of no values a list that nothing is in."""
    given = {f"{name}_{place}": value for place, value in enumerate(values)}
    return f"({', '.join(f':{key}' for key in given) or 'NULL'})", given


@cache
def _columns(names: tuple[str, ...]) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    return tuple((name, _reading(name)) for name in names)


def _reading(name: str) -> Callable[[Any], Any] | None:
    """How a value of that column is read; None: as it is."""
    if name.endswith("_at") or name == "at":
        return _moment
    if name.endswith("_on"):
        return _day
    if name in FLAGS:
        return bool
    return json.loads if name in JSON else None


def _moment(value: str | datetime) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _day(value: str | date) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _into_postgresql(value: Any) -> Any:
    """Text without what no database takes, moments in UTC, lists and objects as JSON that reads the same everywhere."""
    if isinstance(value, str):
        return _clean(str(value))
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, Mapping | list | tuple):
        return _clean(json.dumps(value, ensure_ascii=False, sort_keys=True))
    return value


def _into_sqlite(value: Any) -> Any:
    """The same; SQLite knows neither moments nor days: they are kept as text that sorts."""
    if isinstance(value, datetime):
        return _in_utc(value).replace(tzinfo=None).isoformat(" ", "microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return _into_postgresql(value)


def _in_utc(value: datetime) -> datetime:
    """The same moment in UTC; a Date header may name the first or last hours that exist, which have none there."""
    if value.tzinfo is None:
        raise ValueError("a naive datetime reached the store")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return value.replace(tzinfo=UTC)


def _clean(text: str) -> str:
    """PostgreSQL refuses NUL and every database refuses lone surrogates: both are replaced."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _as_is(sql: str) -> str:
    return sql


@cache
def _for_psycopg(sql: str) -> str:
    return _PARAMETER.sub(r"%(\1)s", sql)
