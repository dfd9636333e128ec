"""What waits to be sent, every attempt at it, and the hashes of staff tokens.

A mail to a data subject can not even be queued without its approval (CHECK and foreign key). The bytes of staff mail
leave the row once a server has taken them, so a token is never at rest except as a hash (design 8).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mailbot.store.connection import Connection, among

LONGEST_WAIT = timedelta(hours=8)  # no mail is put off longer; one that seems to be was put off by a wrong clock


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One mail of ours. `raw` is None once it has been forgotten."""

    id: int
    audience: str  # data_subject | staff | alarm | canary
    kind: str
    ticket_id: int | None
    draft_id: int | None
    approval_id: int | None
    fingerprint: str | None
    sender: str
    recipient: str
    message_id: str
    message_id_hash: str
    raw: bytes | None = field(repr=False)
    sha256: str
    state: str  # queued | sent | failed | cancelled
    attempts: int
    next_at: datetime
    made_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One queued mail whose time has come, without its bytes."""

    id: int
    audience: str
    next_at: datetime
    size: int  # bytes
    repeated: int  # attempts without a result: their senders died, or could not write it down


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try at sending; without `ended_at` its sender died or still lives."""

    id: int
    outbox_id: int
    started_at: datetime
    ended_at: datetime | None
    result: str | None
    answer: str


@dataclass(frozen=True, kw_only=True)
class Token:
    """One staff member's right to decide once, for the drafts that stood in one mail."""

    id: int
    hash: str
    message_id_hash: str
    staff: str
    ticket_id: int
    drafts: dict[str, int]  # draft kind, and "main" for the one it is about -> draft id shown in that mail
    asked_outside: bool  # that mail asked whether an answer was given outside
    last_message: int  # the number of the ticket's newest message when that mail was made
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None


def hashed(value: str) -> str:
    """SHA-256 of a token or a Message-ID, hex. Both hold 128 random bits or more, so no salt is needed."""
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()


_TIME_HAS_COME = (
    """state = 'queued' AND (next_at <= :now OR next_at > :longest OR (next_at = made_at AND made_at > :now))"""
)
_RANK = "CASE WHEN audience = 'data_subject' THEN 0 ELSE 1 END"
_OF_TICKET = "WHERE ticket_id = :ticket_id"


def queue(connection: Connection, values: Mapping[str, Any], raw: bytes) -> int:
    """Queues a mail whose bytes and Message-ID are final; its number."""
    row = {**values, "raw": raw, "sha256": hashlib.sha256(raw).hexdigest(), "state": "queued", "attempts": 0}
    row["message_id_hash"] = hashed(row["message_id"])
    return connection.add_numbered("outbox", row)


def due(connection: Connection, now: datetime, *, after: Waiting | None = None, limit: int = 50) -> tuple[Waiting, ...]:
    """Queued mail whose time has come: mail to data subjects first, then the rest, oldest first.

    With `after` only what stands behind that mail in this order, so that a round tries each mail once.
    """
    values: dict[str, Any] = {**_moments(now), "limit": limit}
    behind = ""
    if after is not None:
        behind = f"AND ({_RANK}, id) > (:rank, :id)"
        values |= {"rank": 0 if after.audience == "data_subject" else 1, "id": after.id}
    query = f"""SELECT id, audience, next_at, coalesce(length(raw), 0) AS size,
 (SELECT count(*) FROM attempt WHERE outbox_id = outbox.id AND ended_at IS NULL) AS repeated
 FROM outbox WHERE {_TIME_HAS_COME} {behind} ORDER BY {_RANK}, id LIMIT :limit"""
    return tuple(Waiting(**row) for row in connection.rows(query, values))


def _moments(now: datetime) -> dict[str, datetime]:
    """A mail is due when its moment is past, or was written by a clock that has been set back since: then it would wait
    for ever."""
    return {"now": now, "longest": now + LONGEST_WAIT}


def take(connection: Connection, number: int, now: datetime) -> Outgoing | None:
    """The mail, locked for this transaction, if it is still queued and its time has come; None otherwise."""
    query = f"SELECT * FROM outbox WHERE id = :id AND {_TIME_HAS_COME}{connection.held}"
    row = connection.row(query, {**_moments(now), "id": number})
    return Outgoing(**row) if row else None


def by_id(connection: Connection, number: int, *, lock: bool = False) -> Outgoing:
    """The mail of that number, which exists; locked for this transaction when asked (PostgreSQL)."""
    held = connection.held if lock else ""
    return Outgoing(**connection.one(f"SELECT * FROM outbox WHERE id = :id{held}", {"id": number}))


def state_of(connection: Connection, number: int) -> str:
    """Where a mail stands now; locked for this transaction (PostgreSQL)."""
    return str(connection.value(f"SELECT state FROM outbox WHERE id = :id{connection.held}", {"id": number}))


def of_ticket(connection: Connection, ticket_id: int, *, lock: bool = False) -> tuple[Outgoing, ...]:
    """Every mail of a ticket, oldest first; locked against its sender when asked (PostgreSQL)."""
    query = f"SELECT * FROM outbox {_OF_TICKET} ORDER BY id{connection.held if lock else ''}"
    return tuple(Outgoing(**row) for row in connection.rows(query, {"ticket_id": ticket_id}))


def by_message_ids(connection: Connection, message_ids: Iterable[str]) -> tuple[Outgoing, ...]:
    """Our mails with one of these Message-IDs, newest first."""
    hashes = [hashed(name) for name in message_ids if name]
    if not hashes:
        return ()
    listed, values = among("hash", hashes)
    rows = connection.rows(f"SELECT * FROM outbox WHERE message_id_hash IN {listed} ORDER BY id DESC", values)
    return tuple(Outgoing(**row) for row in rows)


def newest_to(connection: Connection, recipient: str) -> Outgoing | None:
    """The newest mail that a server took for a data subject of that address; None when there is none."""
    query = """SELECT * FROM outbox WHERE lower(recipient) = :recipient AND audience = 'data_subject' AND state = 'sent'
 ORDER BY id DESC LIMIT 1"""
    row = connection.row(query, {"recipient": recipient.lower()})
    return Outgoing(**row) if row else None


def without_staff_mail(connection: Connection, message_ids: Iterable[str]) -> tuple[str, ...]:
    """The Message-IDs without those of our mail to staff, which are never named to others (design 8)."""
    given = tuple(message_ids)
    if not given:
        return ()
    hashes = {name: hashed(name) for name in given}
    listed, values = among("hash", list(hashes.values()))
    secret = connection.column(
        f"""SELECT message_id_hash FROM outbox WHERE message_id_hash IN {listed} AND audience != 'data_subject'
 UNION ALL SELECT message_id_hash FROM token WHERE message_id_hash IN {listed}""",
        values,
    )
    return tuple(name for name in given if hashes[name] not in secret)


def begin_attempt(connection: Connection, number: int, now: datetime) -> int:
    """Writes an attempt down before the network is touched; its number."""
    return connection.add_numbered("attempt", {"outbox_id": number, "started_at": now, "answer": ""})


def end_attempt(connection: Connection, number: int, *, result: str, answer: str, now: datetime) -> None:
    """Writes down how an attempt ended."""
    connection.change("attempt", number, {"ended_at": now, "result": result, "answer": answer})


def take_back(connection: Connection, number: int) -> None:
    """The attempt was not made after all: the network was not touched for it."""
    connection.run("DELETE FROM attempt WHERE id = :id", {"id": number})


def unrecorded(connection: Connection, number: int) -> int:
    """How many of the latest attempts in a row have no result: their senders died, or could not write it down."""
    query = """SELECT count(*) FROM attempt WHERE outbox_id = :id AND id >
 (SELECT coalesce(max(id), 0) FROM attempt WHERE outbox_id = :id AND ended_at IS NOT NULL)"""
    return int(connection.value(query, {"id": number}))


def attempts(connection: Connection, number: int) -> tuple[Attempt, ...]:
    """Every attempt at a mail, oldest first."""
    rows = connection.rows("SELECT * FROM attempt WHERE outbox_id = :id ORDER BY id", {"id": number})
    return tuple(Attempt(**row) for row in rows)


def accepted(connection: Connection, found: Outgoing, now: datetime) -> None:
    """A server has taken the mail. The bytes of mail to staff are forgotten, and their Message-ID with them."""
    values: dict[str, Any] = {"state": "sent", "ended_at": now}
    if found.audience != "data_subject":
        values |= {"raw": None, "message_id": ""}
    connection.change("outbox", found.id, values)


def defer(connection: Connection, number: int, next_at: datetime, *, answered_failure: bool) -> None:
    """The mail is tried again at `next_at`; only a failure that a server answered counts for the back-off."""
    query = "UPDATE outbox SET next_at = :next_at, attempts = attempts + :counted WHERE id = :id"
    connection.run(query, {"next_at": next_at, "counted": int(answered_failure), "id": number})


def end(connection: Connection, number: int, state: str, now: datetime) -> None:
    """The mail is not tried any more: failed or cancelled. Staff mail leaves no bytes behind."""
    connection.change("outbox", number, {"state": state, "ended_at": now})
    forgotten = "UPDATE outbox SET raw = NULL, message_id = '' WHERE id = :id AND audience != 'data_subject'"
    connection.run(forgotten, {"id": number})


def unsent(connection: Connection, ticket_id: int) -> bool:
    """True while an approved mail of the ticket waits to be sent."""
    query = f"SELECT id FROM outbox {_OF_TICKET} AND audience = 'data_subject' AND state = 'queued'"
    return connection.row(query, {"ticket_id": ticket_id}) is not None


def waiting(connection: Connection) -> int:
    """How many mails are queued."""
    return int(connection.value("SELECT count(*) FROM outbox WHERE state = 'queued'"))


def alias(connection: Connection, message_id_hash: str, new_message_id: str) -> None:
    """A relay gave a notice of ours another Message-ID: an answer to that one proves the token too."""
    connection.run(
        "UPDATE token SET message_id_hash = :new WHERE message_id_hash = :old",
        {"new": hashed(new_message_id), "old": message_id_hash},
    )


def add_token(connection: Connection, values: Mapping[str, Any]) -> None:
    """Stores the hashes of a new token, and which message of its ticket was the newest then."""
    query = "SELECT max(id) FROM message WHERE ticket_id = :ticket_id"
    newest = connection.value(query, {"ticket_id": values["ticket_id"]}) or 0
    connection.add("token", {"drafts": {}, "asked_outside": False, "last_message": newest, **values})


def tokens(connection: Connection, values: Iterable[str], message_ids: Iterable[str]) -> tuple[Token, ...]:
    """Tokens that one of these quoted values or answered Message-IDs proves, newest first."""
    by_value, values_ = among("value", [hashed(value) for value in values])
    by_name, names = among("name", [hashed(name) for name in message_ids if name])
    if not values_ and not names:
        return ()
    query = f"SELECT * FROM token WHERE hash IN {by_value} OR message_id_hash IN {by_name} ORDER BY id DESC"
    return tuple(Token(**row) for row in connection.rows(query, {**values_, **names}))


def use_token(connection: Connection, number: int, now: datetime) -> bool:
    """Uses a token up; False when somebody was faster."""
    query = "UPDATE token SET used_at = :now WHERE id = :id AND used_at IS NULL"
    return connection.run(query, {"now": now, "id": number}) == 1


def note_refusal(
    connection: Connection, *, now: datetime, why: str, ticket_id: int | None, outside: bool, sender: str
) -> None:
    """Writes down a command that did not count; outside ones are told in the next digest."""
    row = {"at": now, "why": why, "ticket_id": ticket_id, "outside": outside, "sender": sender if outside else ""}
    connection.add("refused_command", row)


def untold_refusals(connection: Connection) -> tuple[tuple[datetime, str, int | None, str], ...]:
    """Attempts from outside that no digest has told of: when, why, ticket, sender."""
    query = (
        "SELECT at, why, ticket_id, sender FROM refused_command WHERE outside IS TRUE AND told_at IS NULL ORDER BY id"
    )
    return tuple((row["at"], row["why"], row["ticket_id"], row["sender"]) for row in connection.rows(query))


def refusals_told(connection: Connection, now: datetime) -> None:
    """The digest that tells of them is queued."""
    connection.run("UPDATE refused_command SET told_at = :now WHERE told_at IS NULL", {"now": now})


def note_answer(connection: Connection, address: str, subject: str, now: datetime) -> None:
    """Counts one unasked answer to an address, so that two robots can not talk for ever (RFC 3834 5)."""
    row = {"address_hash": hashed(address.lower()), "subject_hash": hashed(subject), "at": now}
    connection.add("answered_mail", row)


def answers_between(connection: Connection, address: str, moment: datetime, now: datetime) -> int:
    """How many unasked answers that address has had after `moment`, not later than `now` (clocks are set back)."""
    query = "SELECT count(*) FROM answered_mail WHERE address_hash = :who AND at > :moment AND at <= :now"
    return int(connection.value(query, {"who": hashed(address.lower()), "moment": moment, "now": now}))


def forget_answers_before(connection: Connection, moment: datetime) -> int:
    """Forgets counted answers from before `moment`; the number forgotten."""
    return connection.run("DELETE FROM answered_mail WHERE at < :moment", {"moment": moment})


def forget_refusals_before(connection: Connection, moment: datetime) -> int:
    """Forgets who sent commands that did not count before `moment`; the number forgotten."""
    old = "UPDATE refused_command SET sender = '' WHERE at < :moment AND sender != ''"
    return connection.run(old, {"moment": moment})


def forget_ticket(connection: Connection, ticket_id: int) -> None:
    """Removes bytes, addresses and Message-IDs of a ticket's mails that are no longer queued."""
    mine, of_ticket = f"{_OF_TICKET} AND state != 'queued'", {"ticket_id": ticket_id}
    connection.run(f"UPDATE attempt SET answer = '' WHERE outbox_id IN (SELECT id FROM outbox {mine})", of_ticket)
    connection.run(f"UPDATE outbox SET raw = NULL, recipient = '', message_id = '' {mine}", of_ticket)
    connection.run(f"UPDATE refused_command SET sender = '' {_OF_TICKET}", of_ticket)
