"""How far each folder was read, and what was read there that is not ours to keep.

Of unrelated mail only folder, UIDVALIDITY, UID, verdict and a keyed hash are remembered (design, promise 5).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, select, update

from mailbot.store.schema import cursor, seen, state
from mailbot.store.upsert import add_once, upsert


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """Everything up to and including `last_uid` of this folder has been dealt with."""

    folder: str
    uidvalidity: int
    last_uid: int
    polled_at: datetime  # aware UTC


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One message that was read and left alone."""

    uid: int
    verdict: str
    hash: str  # hex HMAC-SHA-256


def get(connection: Connection, folder: str) -> Cursor | None:
    """The cursor of a folder, None before its first poll."""
    row = connection.execute(select(cursor).where(cursor.c.folder == folder)).mappings().first()
    return Cursor(**row) if row else None


def put(connection: Connection, folder: str, uidvalidity: int, last_uid: int, now: datetime) -> None:
    """Moves the cursor of a folder; makes it when there is none."""
    row = {"folder": folder, "uidvalidity": uidvalidity, "last_uid": last_uid, "polled_at": now}
    connection.execute(upsert(connection, cursor, row, ["folder"]), row)


_ADVANCE = update(cursor).where(
    cursor.c.folder == bindparam("of_folder"),
    cursor.c.uidvalidity == bindparam("from_validity"),
    cursor.c.last_uid == bindparam("from_uid"),
)


def advance(
    connection: Connection, folder: str, before: Cursor | None, uidvalidity: int, last_uid: int, now: datetime
) -> bool:
    """Moves the cursor from where the caller knows it to be; False, and nothing changed, when somebody else moved it.

    This is what keeps a message from being acted on twice should a poller lose its lock with its connection.
    """
    values = {"uidvalidity": uidvalidity, "last_uid": last_uid, "polled_at": now}
    if before is None:
        return add_once(connection, cursor, {"folder": folder, **values}, ["folder"])
    place = {"of_folder": folder, "from_validity": before.uidvalidity, "from_uid": before.last_uid}
    return bool(connection.execute(_ADVANCE, {**values, **place}).rowcount == 1)


def folders(connection: Connection) -> tuple[Cursor, ...]:
    """Every cursor."""
    return tuple(Cursor(**row) for row in connection.execute(select(cursor).order_by(cursor.c.folder)).mappings())


def remember(
    connection: Connection, folder: str, uidvalidity: int, items: Iterable[Seen], rules_version: str, now: datetime
) -> None:
    """Writes down messages that were left alone, all at once; one that was read before is judged anew."""
    rows = [
        {
            "folder": folder,
            "uidvalidity": uidvalidity,
            "uid": item.uid,
            "verdict": item.verdict,
            "hash": item.hash,
            "rules_version": rules_version,
            "seen_at": now,
        }
        for item in items
    ]
    if rows:
        connection.execute(upsert(connection, seen, rows[0], ["folder", "uidvalidity", "uid"]), rows)


def known(connection: Connection, hashes: Iterable[str]) -> frozenset[str]:
    """Which of these hashes were left alone before, in any folder."""
    wanted = list(hashes)
    found: set[str] = set()
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        found.update(connection.execute(select(seen.c.hash).where(seen.c.hash.in_(part))).scalars())
    return frozenset(found)


def verdict_of(connection: Connection, folder: str, uidvalidity: int, uid: int) -> str | None:
    """What was remembered of that very message of that folder when it was left alone; None when it was not."""
    return connection.execute(
        select(seen.c.verdict).where(seen.c.folder == folder, seen.c.uidvalidity == uidvalidity, seen.c.uid == uid)
    ).scalar()


def forget(connection: Connection, folder: str, uidvalidity: int, uid: int) -> None:
    """Forgets that a message was left alone: it is part of a ticket now."""
    mine = (seen.c.folder == folder) & (seen.c.uidvalidity == uidvalidity) & (seen.c.uid == uid)
    connection.execute(delete(seen).where(mine))


def forget_before(connection: Connection, moment: datetime) -> int:
    """Forgets what was left alone before `moment`; the number of rows forgotten."""
    return connection.execute(delete(seen).where(seen.c.seen_at < moment)).rowcount


def count_before(connection: Connection, moment: datetime) -> int:
    """How many of those would be forgotten."""
    return connection.execute(select(func.count()).select_from(seen).where(seen.c.seen_at < moment)).scalar_one()


def count_seen(connection: Connection) -> int:
    """How many messages were left alone and are still remembered."""
    return connection.execute(select(func.count()).select_from(seen)).scalar_one()


def note_state(connection: Connection, name: str, value: str, now: datetime) -> None:
    """Writes down a fact about the machine itself ("polled", "digest"), replacing the one before."""
    row = {"name": name, "value": value, "at": now}
    connection.execute(upsert(connection, state, row, ["name"]), row)


def note_state_once(connection: Connection, name: str, value: str, now: datetime) -> bool:
    """Writes down a fact that is written only once; False when it was there already."""
    return add_once(connection, state, {"name": name, "value": value, "at": now}, ["name"])


def read_state(connection: Connection, name: str) -> tuple[str, datetime] | None:
    """The fact of that name and when it was written, None when there is none."""
    row = connection.execute(select(state.c.value, state.c.at).where(state.c.name == name)).first()
    return (row[0], row[1]) if row else None
