"""How far each folder was read, and what was read there that is not ours to keep.

Of unrelated mail only folder, UIDVALIDITY, UID, verdict and a keyed hash are remembered (design, promise 5).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mailbot.store.connection import Connection, among


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


_GET = "SELECT * FROM cursor WHERE folder = :folder"
_ADD = """INSERT INTO cursor (folder, uidvalidity, last_uid, polled_at)
 VALUES (:folder, :uidvalidity, :last_uid, :polled_at) ON CONFLICT (folder)"""
_PUT = f"""{_ADD} DO UPDATE
 SET uidvalidity = excluded.uidvalidity, last_uid = excluded.last_uid, polled_at = excluded.polled_at"""
_ADVANCE = """UPDATE cursor SET uidvalidity = :uidvalidity, last_uid = :last_uid, polled_at = :polled_at
 WHERE folder = :folder AND uidvalidity = :from_validity AND last_uid = :from_uid"""
_REMEMBER = """INSERT INTO seen (folder, uidvalidity, uid, verdict, hash, rules_version, seen_at)
 VALUES (:folder, :uidvalidity, :uid, :verdict, :hash, :rules_version, :seen_at)
 ON CONFLICT (folder, uidvalidity, uid) DO UPDATE SET verdict = excluded.verdict, hash = excluded.hash,
 rules_version = excluded.rules_version, seen_at = excluded.seen_at"""
_OF_MESSAGE = "FROM seen WHERE folder = :folder AND uidvalidity = :uidvalidity AND uid = :uid"
_STATE = "INSERT INTO state (name, value, at) VALUES (:name, :value, :at) ON CONFLICT (name)"


def get(connection: Connection, folder: str) -> Cursor | None:
    """The cursor of a folder, None before its first poll."""
    row = connection.row(_GET, {"folder": folder})
    return Cursor(**row) if row else None


def put(connection: Connection, folder: str, uidvalidity: int, last_uid: int, now: datetime) -> None:
    """Moves the cursor of a folder; makes it when there is none."""
    connection.run(_PUT, {"folder": folder, "uidvalidity": uidvalidity, "last_uid": last_uid, "polled_at": now})


def advance(
    connection: Connection, folder: str, before: Cursor | None, uidvalidity: int, last_uid: int, now: datetime
) -> bool:
    """Moves the cursor from where the caller knows it to be; False, and nothing changed, when somebody else moved it.

    This is what keeps a message from being acted on twice should a poller lose its lock with its connection.
    """
    values = {"folder": folder, "uidvalidity": uidvalidity, "last_uid": last_uid, "polled_at": now}
    if before is None:
        return connection.run(f"{_ADD} DO NOTHING", values) == 1
    place = {"from_validity": before.uidvalidity, "from_uid": before.last_uid}
    return connection.run(_ADVANCE, {**values, **place}) == 1


def folders(connection: Connection) -> tuple[Cursor, ...]:
    """Every cursor."""
    return tuple(Cursor(**row) for row in connection.rows("SELECT * FROM cursor ORDER BY folder"))


def remember(
    connection: Connection, folder: str, uidvalidity: int, items: Iterable[Seen], rules_version: str, now: datetime
) -> None:
    """Writes down messages that were left alone, all at once; one that was read before is judged anew."""
    same = {"folder": folder, "uidvalidity": uidvalidity, "rules_version": rules_version, "seen_at": now}
    connection.run_many(
        _REMEMBER, [{**same, "uid": item.uid, "verdict": item.verdict, "hash": item.hash} for item in items]
    )


def known(connection: Connection, hashes: Iterable[str]) -> frozenset[str]:
    """Which of these hashes were left alone before, in any folder."""
    wanted = list(hashes)
    found: set[str] = set()
    for start in range(0, len(wanted), 500):
        listed, values = among("hash", wanted[start : start + 500])
        found.update(connection.column(f"SELECT hash FROM seen WHERE hash IN {listed}", values))
    return frozenset(found)


def verdict_of(connection: Connection, folder: str, uidvalidity: int, uid: int) -> str | None:
    """What was remembered of that very message of that folder when it was left alone; None when it was not."""
    place = {"folder": folder, "uidvalidity": uidvalidity, "uid": uid}
    verdict: str | None = connection.value(f"SELECT verdict {_OF_MESSAGE}", place)
    return verdict


def forget(connection: Connection, folder: str, uidvalidity: int, uid: int) -> None:
    """Forgets that a message was left alone: it is part of a ticket now."""
    connection.run(f"DELETE {_OF_MESSAGE}", {"folder": folder, "uidvalidity": uidvalidity, "uid": uid})


def forget_before(connection: Connection, moment: datetime) -> int:
    """Forgets what was left alone before `moment`; the number of rows forgotten."""
    return connection.run("DELETE FROM seen WHERE seen_at < :moment", {"moment": moment})


def count_before(connection: Connection, moment: datetime) -> int:
    """How many of those would be forgotten."""
    return int(connection.value("SELECT count(*) FROM seen WHERE seen_at < :moment", {"moment": moment}))


def count_seen(connection: Connection) -> int:
    """How many messages were left alone and are still remembered."""
    return int(connection.value("SELECT count(*) FROM seen"))


def note_state(connection: Connection, name: str, value: str, now: datetime) -> None:
    """Writes down a fact about the machine itself ("polled", "digest"), replacing the one before."""
    replacing = f"{_STATE} DO UPDATE SET value = excluded.value, at = excluded.at"
    connection.run(replacing, {"name": name, "value": value, "at": now})


def note_change(connection: Connection, name: str, value: str, now: datetime) -> None:
    """Writes down a fact only when it differs from what is known, so that its moment says since when it holds."""
    known = read_state(connection, name)
    if (known[0] if known else "") != value:
        note_state(connection, name, value, now)


def note_state_once(connection: Connection, name: str, value: str, now: datetime) -> bool:
    """Writes down a fact that is written only once; False when it was there already."""
    return connection.run(f"{_STATE} DO NOTHING", {"name": name, "value": value, "at": now}) == 1


def states(connection: Connection, prefix: str) -> list[tuple[str, str, datetime]]:
    """Every fact whose name begins so: name, value, moment; by name."""
    query = "SELECT name, value, at FROM state WHERE name LIKE :prefix ORDER BY name"
    rows = connection.rows(query, {"prefix": f"{prefix}%"})
    return [(row["name"], row["value"], row["at"]) for row in rows]


def read_state(connection: Connection, name: str) -> tuple[str, datetime] | None:
    """The fact of that name and when it was written, None when there is none."""
    row = connection.row("SELECT value, at FROM state WHERE name = :name", {"name": name})
    return (row["value"], row["at"]) if row else None
