"""What is still to be done in the mailbox with messages that became tickets, and with test mails of ours.

An errand is written in the transaction of what it follows from and removed when it is done, so a kill between the two
loses none; it may be done twice. A message is known by its hash, since it may move before its errand is done.
"""

from collections.abc import Iterable
from datetime import datetime

from mailbot.store.connection import Connection

_ADD = """INSERT INTO errand (hash, kind, folder, uidvalidity, uid, made_at)
 VALUES (:hash, :kind, :folder, :uidvalidity, :uid, :made_at) ON CONFLICT (hash, kind) DO NOTHING"""
_OPEN = "SELECT uid FROM errand WHERE kind = :kind AND folder = :folder AND uidvalidity = :uidvalidity ORDER BY uid"
_DONE = "DELETE FROM errand WHERE kind = :kind AND folder = :folder AND uidvalidity = :uidvalidity AND uid = :uid"
_MOVE = "UPDATE errand SET folder = :folder, uidvalidity = :uidvalidity, uid = :uid WHERE hash = :hash"


def add(
    connection: Connection, kinds: Iterable[str], hash_: str, folder: str, uidvalidity: int, uid: int, now: datetime
) -> None:
    """Writes down what is to be done with a message; each kind once."""
    place = {"hash": hash_, "folder": folder, "uidvalidity": uidvalidity, "uid": uid, "made_at": now}
    connection.run_many(_ADD, [{**place, "kind": kind} for kind in kinds])


def waiting(connection: Connection, kind: str, folder: str, uidvalidity: int) -> list[int]:
    """UIDs of that folder with which this is still to be done, ascending."""
    return connection.column(_OPEN, {"kind": kind, "folder": folder, "uidvalidity": uidvalidity})


def done(connection: Connection, kind: str, folder: str, uidvalidity: int, uids: Iterable[int]) -> None:
    """That was done with these."""
    place = {"kind": kind, "folder": folder, "uidvalidity": uidvalidity}
    connection.run_many(_DONE, [{**place, "uid": uid} for uid in uids])


def moved(connection: Connection, hash_: str, folder: str, uidvalidity: int, uid: int) -> None:
    """The message lies elsewhere now."""
    connection.run(_MOVE, {"hash": hash_, "folder": folder, "uidvalidity": uidvalidity, "uid": uid})
