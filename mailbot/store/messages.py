"""The messages of tickets, in and out. Raw bytes are kept only here, only for what is part of a ticket."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from mailbot.store.schema import message, ticket


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


_COLUMNS = [column for column in message.c if column.name != "raw"]
# What every new ticket asks is built once: making a statement costs more than running it.
_ADD = insert(message).returning(message.c.id)
_OF_TICKET = select(*_COLUMNS).where(message.c.ticket_id == bindparam("of_ticket")).order_by(message.c.id)
_WITH_HASH = select(message.c.id).where(message.c.hash == bindparam("wanted"))


def add(connection: Connection, values: Mapping[str, Any]) -> int:
    """Stores one message of a ticket; its number."""
    number: int = connection.execute(_ADD, dict(values)).scalar_one()
    return number


def of_ticket(connection: Connection, ticket_id: int) -> tuple[StoredMessage, ...]:
    """The messages of a ticket, oldest first."""
    rows = connection.execute(_OF_TICKET, {"of_ticket": ticket_id}).mappings()
    return tuple(StoredMessage(**row) for row in rows)


def raw(connection: Connection, message_number: int) -> bytes | None:
    """The bytes of a message, None when they were purged."""
    found: bytes | None = connection.execute(select(message.c.raw).where(message.c.id == message_number)).scalar_one()
    return found


def tickets_of_ids(connection: Connection, message_ids: Iterable[str]) -> tuple[int, ...]:
    """Tickets that hold a message with one of these Message-IDs, newest first."""
    wanted = [name for name in message_ids if name]
    if not wanted:
        return ()
    rows = connection.execute(
        select(message.c.ticket_id).where(message.c.message_id.in_(wanted)).order_by(message.c.ticket_id.desc())
    ).scalars()
    return tuple(dict.fromkeys(rows))


def ticket_of_hash(connection: Connection, hash_: str) -> int | None:
    """The ticket that a message with that keyed hash is part of."""
    return connection.execute(select(message.c.ticket_id).where(message.c.hash == hash_)).scalar()


def has_hash(connection: Connection, hash_: str) -> bool:
    """True when a message with that keyed hash is already part of a ticket."""
    return connection.execute(_WITH_HASH, {"wanted": hash_}).first() is not None


def has_copy(connection: Connection, *, message_id: str, sender: str, subject: str, text: str) -> bool:
    """True when a received message of a ticket has the same Message-ID, sender, subject and words.

    It was delivered twice, or copied with a new date: nobody wrote again. A Message-ID alone never tells (promise 5).
    """
    if not message_id:
        return False
    same = select(message.c.id).where(
        message.c.message_id == message_id,
        message.c.direction == "in",
        message.c.from_address == sender,
        message.c.subject == subject,
        message.c.text == text,
    )
    return connection.execute(same).first() is not None


def placed(connection: Connection, folder: str, uidvalidity: int, statuses: Iterable[str]) -> dict[int, int]:
    """UID to ticket number, for the incoming messages of tickets in these statuses that lie in that folder."""
    rows = connection.execute(
        select(message.c.uid, message.c.ticket_id)
        .join(ticket, ticket.c.id == message.c.ticket_id)
        .where(
            message.c.folder == folder,
            message.c.uidvalidity == uidvalidity,
            message.c.direction == "in",
            ticket.c.status.in_(list(statuses)),
        )
    )
    return {uid: number for uid, number in rows if uid is not None}


def move_place(connection: Connection, hash_: str, folder: str, uidvalidity: int, uid: int) -> None:
    """Writes down where a message of a ticket lies now, after its folder was renumbered or it was moved."""
    connection.execute(
        update(message).where(message.c.hash == hash_).values(folder=folder, uidvalidity=uidvalidity, uid=uid)
    )


def blank(connection: Connection, ticket_id: int, *, all_text: bool) -> None:
    """Removes raw bytes and attachment names of a ticket's messages, and with `all_text` every word and address."""
    values: dict[str, Any] = {"raw": None}
    if all_text:
        values |= {"from_name": "", "from_address": "", "subject": "", "text": "", "attachments": [], "references": []}
        values |= {"message_id": ""}
    connection.execute(update(message).where(message.c.ticket_id == ticket_id).values(**values))
