"""Insert, or change what is there already, in one statement: two processes at once never collide on a key.

SQLite and PostgreSQL share the words (ON CONFLICT); SQLAlchemy has them once for each dialect, and only here.
"""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Table


def upsert(connection: Connection, table: Table, row: Mapping[str, Any], keys: Sequence[str]) -> Insert:
    """A statement that adds rows shaped like `row`; where `keys` are taken, the other columns are replaced."""
    made = _insert(connection, table)
    changed = {name: made.excluded[name] for name in row if name not in keys}
    found: Insert = made.on_conflict_do_update(index_elements=list(keys), set_=changed)
    return found


def add_once(connection: Connection, table: Table, row: Mapping[str, Any], keys: Sequence[str]) -> bool:
    """Adds a row; False, and nothing changed, where `keys` are taken."""
    made = _insert(connection, table)
    adding = made.values(**row).on_conflict_do_nothing(index_elements=list(keys))
    return connection.execute(adding.returning(table.c[keys[0]])).first() is not None  # PostgreSQL's rowcount is -1


def _insert(connection: Connection, table: Table) -> Any:
    """The dialect's own INSERT. The other dialect is not loaded: PostgreSQL's costs 60 ms."""
    return importlib.import_module(f"sqlalchemy.dialects.{connection.dialect.name}").insert(table)
