"""The messages of tickets, in and out. Raw bytes are kept only here, only for what is part of a ticket."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from mailbot.store.connection import Connection, among


@dataclass(frozen=True, kw_only=True)
class StoredMessage:
    """One message of a ticket without its raw bytes."""

    id: int
    ticket_id: int
    direction: str  # in | out
    kind: str
    message_id: str
    references: list[str]
    from_name: str
    from_address: str
    subject: str
    text: str = field(repr=False)
    attachments: list[dict[str, Any]]
    received_at: datetime
    date_at: datetime | None
    folder: str
    uidvalidity: int | None
    uid: int | None
    hash: str
    flags: list[str]


_COLUMNS = ", ".join(f'"{column.name}"' for column in fields(StoredMessage))
_BLANK: Mapping[str, Any] = {  # what a message without these says of itself
    "message_id": "",
    "references": [],
    "from_name": "",
    "from_address": "",
    "subject": "",
    "text": "",
    "attachments": [],
    "folder": "",
    "hash": "",
    "flags": [],
}
_WITH_HASH = "FROM message WHERE hash = :hash"


def add(connection: Connection, values: Mapping[str, Any]) -> int:
    """Stores one message of a ticket; its number."""
    return connection.add_numbered("message", {**_BLANK, **values})


def of_ticket(connection: Connection, ticket_id: int) -> tuple[StoredMessage, ...]:
    """The messages of a ticket, oldest first."""
    rows = connection.rows(f"SELECT {_COLUMNS} FROM message WHERE ticket_id = :id ORDER BY id", {"id": ticket_id})
    return tuple(StoredMessage(**row) for row in rows)


def raw(connection: Connection, message_number: int) -> bytes | None:
    """The bytes of a message, None when they were purged."""
    found: bytes | None = connection.one("SELECT raw FROM message WHERE id = :id", {"id": message_number})["raw"]
    return found


def tickets_of_ids(connection: Connection, message_ids: Iterable[str]) -> tuple[int, ...]:
    """Tickets that hold a message with one of these Message-IDs, newest first."""
    wanted = [name for name in message_ids if name]
    if not wanted:
        return ()
    listed, values = among("name", wanted)
    query = f"SELECT ticket_id FROM message WHERE message_id IN {listed} ORDER BY ticket_id DESC"
    return tuple(dict.fromkeys(connection.column(query, values)))


def ticket_of_hash(connection: Connection, hash_: str) -> int | None:
    """The ticket that a message with that keyed hash is part of."""
    number: int | None = connection.value(f"SELECT ticket_id {_WITH_HASH}", {"hash": hash_})
    return number


def has_hash(connection: Connection, hash_: str) -> bool:
    """True when a message with that keyed hash is already part of a ticket."""
    return connection.row(f"SELECT id {_WITH_HASH}", {"hash": hash_}) is not None


def has_copy(connection: Connection, *, message_id: str, sender: str, subject: str, text: str) -> bool:
    """True when a received message of a ticket has the same Message-ID, sender, subject and words.

    It was delivered twice, or copied with a new date: nobody wrote again. A Message-ID alone never tells (promise 5).
    """
    if not message_id:
        return False
    same = """SELECT id FROM message WHERE message_id = :message_id AND direction = 'in' AND from_address = :sender
 AND subject = :subject AND text = :text"""
    given = {"message_id": message_id, "sender": sender, "subject": subject, "text": text}
    return connection.row(same, given) is not None


def placed(connection: Connection, folder: str, uidvalidity: int, statuses: Iterable[str]) -> dict[int, int]:
    """UID to ticket number, for the incoming messages of tickets in these statuses that lie in that folder."""
    listed, values = among("status", list(statuses))
    rows = connection.rows(
        f"""SELECT message.uid, message.ticket_id FROM message JOIN ticket ON ticket.id = message.ticket_id
 WHERE message.folder = :folder AND message.uidvalidity = :uidvalidity AND message.uid IS NOT NULL
 AND message.direction = 'in' AND ticket.status IN {listed}""",
        {**values, "folder": folder, "uidvalidity": uidvalidity},
    )
    return {row["uid"]: row["ticket_id"] for row in rows}


def move_place(connection: Connection, hash_: str, folder: str, uidvalidity: int, uid: int) -> None:
    """Writes down where a message of a ticket lies now, after its folder was renumbered or it was moved."""
    connection.run(
        "UPDATE message SET folder = :folder, uidvalidity = :uidvalidity, uid = :uid WHERE hash = :hash",
        {"folder": folder, "uidvalidity": uidvalidity, "uid": uid, "hash": hash_},
    )


def blank(connection: Connection, ticket_id: int, *, all_text: bool) -> None:
    """Removes raw bytes and attachment names of a ticket's messages, and with `all_text` every word and address."""
    connection.run("UPDATE message SET raw = NULL WHERE ticket_id = :id", {"id": ticket_id})
    if all_text:
        connection.run(
            """UPDATE message SET from_name = '', from_address = '', subject = '', text = '', attachments = '[]',
 "references" = '[]', message_id = '' WHERE ticket_id = :id""",
            {"id": ticket_id},
        )
