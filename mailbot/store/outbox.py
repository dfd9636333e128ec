"""What waits to be sent, every attempt at it, and the hashes of staff tokens.

A mail to a data subject can not even be queued without its approval (CHECK and foreign key). The bytes of staff mail
leave the row once a server has taken them, so a token is never at rest except as a hash (design 8).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    union_all,
    update,
)

from mailbot.store.schema import answered, attempt, outbox, refusal, token

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
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None


def hashed(value: str) -> str:
    """SHA-256 of a token or a Message-ID, hex. Both hold 128 random bits or more, so no salt is needed."""
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()


def queue(connection: Connection, values: Mapping[str, Any], raw: bytes) -> int:
    """Queues a mail whose bytes and Message-ID are final; its number."""
    row = {**values, "raw": raw, "sha256": hashlib.sha256(raw).hexdigest(), "state": "queued"}
    row["message_id_hash"] = hashed(row["message_id"])
    number: int = connection.execute(insert(outbox).returning(outbox.c.id), row).scalar_one()
    return number


def due(
    connection: Connection, now: datetime, *, after: Outgoing | None = None, limit: int = 50
) -> tuple[Outgoing, ...]:
    """Queued mail whose time has come: mail to data subjects first, then the rest, oldest first.

    With `after` only what stands behind that mail in this order, so that a round tries each mail once.
    """
    rank = case((outbox.c.audience == "data_subject", 0), else_=1)
    query = select(outbox).where(outbox.c.state == "queued", _time_has_come(now))
    if after is not None:
        query = query.where(tuple_(rank, outbox.c.id) > (0 if after.audience == "data_subject" else 1, after.id))
    rows = connection.execute(query.order_by(rank, outbox.c.id).limit(limit)).mappings()
    return tuple(Outgoing(**row) for row in rows)


def _time_has_come(now: datetime) -> ColumnElement[bool]:
    """Its moment is past, or was written by a clock that has been set back since: then it would wait for ever."""
    never_put_off = (outbox.c.next_at == outbox.c.made_at) & (outbox.c.made_at > now)
    return or_(outbox.c.next_at <= now, never_put_off, outbox.c.next_at > now + LONGEST_WAIT)


def take(connection: Connection, number: int, now: datetime) -> Outgoing | None:
    """The mail, locked for this transaction, if it is still queued and its time has come; None otherwise."""
    query = select(outbox).where(outbox.c.id == number, outbox.c.state == "queued", _time_has_come(now))
    row = connection.execute(query.with_for_update(key_share=True)).mappings().first()
    return Outgoing(**row) if row else None


def by_id(connection: Connection, number: int, *, lock: bool = False) -> Outgoing:
    """The mail of that number, which exists; locked for this transaction when asked (PostgreSQL)."""
    query = select(outbox).where(outbox.c.id == number)
    return Outgoing(**connection.execute(query.with_for_update(key_share=True) if lock else query).mappings().one())


def of_ticket(connection: Connection, ticket_id: int, *, lock: bool = False) -> tuple[Outgoing, ...]:
    """Every mail of a ticket, oldest first; locked against its sender when asked (PostgreSQL)."""
    query = select(outbox).where(outbox.c.ticket_id == ticket_id).order_by(outbox.c.id)
    rows = connection.execute(query.with_for_update(key_share=True) if lock else query).mappings()
    return tuple(Outgoing(**row) for row in rows)


def by_message_ids(connection: Connection, message_ids: Iterable[str]) -> tuple[Outgoing, ...]:
    """Our mails with one of these Message-IDs, newest first."""
    hashes = [hashed(name) for name in message_ids if name]
    if not hashes:
        return ()
    rows = connection.execute(select(outbox).where(outbox.c.message_id_hash.in_(hashes)).order_by(outbox.c.id.desc()))
    return tuple(Outgoing(**row) for row in rows.mappings())


def newest_to(connection: Connection, recipient: str) -> Outgoing | None:
    """The newest mail that a server took for a data subject of that address; None when there is none."""
    mine = (func.lower(outbox.c.recipient) == recipient.lower()) & (outbox.c.audience == "data_subject")
    query = select(outbox).where(mine, outbox.c.state == "sent").order_by(outbox.c.id.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return Outgoing(**row) if row else None


_GIVEN: BindParameter[Any] = bindparam("hashes", expanding=True)
_STAFF_MAIL = union_all(
    select(outbox.c.message_id_hash).where(outbox.c.message_id_hash.in_(_GIVEN), outbox.c.audience != "data_subject"),
    select(token.c.message_id_hash).where(token.c.message_id_hash.in_(_GIVEN)),
)


def without_staff_mail(connection: Connection, message_ids: Iterable[str]) -> tuple[str, ...]:
    """The Message-IDs without those of our mail to staff, which are never named to others (design 8)."""
    given = tuple(message_ids)
    hashes = {name: hashed(name) for name in given}
    secret = set(connection.execute(_STAFF_MAIL, {"hashes": list(hashes.values())}).scalars()) if given else set()
    return tuple(name for name in given if hashes[name] not in secret)


def begin_attempt(connection: Connection, number: int, now: datetime) -> int:
    """Writes an attempt down before the network is touched; its number."""
    query = insert(attempt).values(outbox_id=number, started_at=now).returning(attempt.c.id)
    made: int = connection.execute(query).scalar_one()
    return made


def end_attempt(connection: Connection, number: int, *, result: str, answer: str, now: datetime) -> None:
    """Writes down how an attempt ended."""
    connection.execute(update(attempt).where(attempt.c.id == number).values(ended_at=now, result=result, answer=answer))


def unrecorded(connection: Connection, number: int) -> int:
    """How many of the latest attempts in a row have no result: their senders died, or could not write it down."""
    answered_last = select(func.max(attempt.c.id)).where(attempt.c.outbox_id == number, attempt.c.ended_at.is_not(None))
    last = connection.execute(answered_last).scalar() or 0
    query = select(func.count()).select_from(attempt).where(attempt.c.outbox_id == number, attempt.c.id > last)
    return connection.execute(query).scalar_one()


def attempts(connection: Connection, number: int) -> tuple[Attempt, ...]:
    """Every attempt at a mail, oldest first."""
    rows = connection.execute(select(attempt).where(attempt.c.outbox_id == number).order_by(attempt.c.id)).mappings()
    return tuple(Attempt(**row) for row in rows)


def accepted(connection: Connection, found: Outgoing, now: datetime) -> None:
    """A server has taken the mail. The bytes of mail to staff are forgotten, and their Message-ID with them."""
    values: dict[str, Any] = {"state": "sent", "ended_at": now}
    if found.audience != "data_subject":
        values |= {"raw": None, "message_id": ""}
    connection.execute(update(outbox).where(outbox.c.id == found.id).values(**values))


def defer(connection: Connection, number: int, next_at: datetime, *, answered_failure: bool) -> None:
    """The mail is tried again at `next_at`; only a failure that a server answered counts for the back-off."""
    values: dict[str, Any] = {"next_at": next_at}
    if answered_failure:
        values["attempts"] = outbox.c.attempts + 1
    connection.execute(update(outbox).where(outbox.c.id == number).values(**values))


def end(connection: Connection, number: int, state: str, now: datetime) -> None:
    """The mail is not tried any more: failed or cancelled. Staff mail leaves no bytes behind."""
    connection.execute(update(outbox).where(outbox.c.id == number).values(state=state, ended_at=now))
    connection.execute(
        update(outbox).where(outbox.c.id == number, outbox.c.audience != "data_subject").values(raw=None, message_id="")
    )


def unsent(connection: Connection, ticket_id: int) -> bool:
    """True while an approved mail of the ticket waits to be sent."""
    query = select(outbox.c.id).where(
        outbox.c.ticket_id == ticket_id, outbox.c.audience == "data_subject", outbox.c.state == "queued"
    )
    return connection.execute(query).first() is not None


def waiting(connection: Connection) -> int:
    """How many mails are queued."""
    return connection.execute(select(func.count()).select_from(outbox).where(outbox.c.state == "queued")).scalar_one()


def alias(connection: Connection, message_id_hash: str, new_message_id: str) -> None:
    """A relay gave a notice of ours another Message-ID: an answer to that one proves the token too."""
    connection.execute(
        update(token).where(token.c.message_id_hash == message_id_hash).values(message_id_hash=hashed(new_message_id))
    )


def add_token(connection: Connection, values: Mapping[str, Any]) -> None:
    """Stores the hashes of a new token."""
    connection.execute(insert(token), dict(values))


def tokens(connection: Connection, values: Iterable[str], message_ids: Iterable[str]) -> tuple[Token, ...]:
    """Tokens that one of these quoted values or answered Message-IDs proves, newest first."""
    by_value = [hashed(value) for value in values]
    by_id_ = [hashed(name) for name in message_ids if name]
    if not by_value and not by_id_:
        return ()
    query = select(token).where(or_(token.c.hash.in_(by_value), token.c.message_id_hash.in_(by_id_)))
    return tuple(Token(**row) for row in connection.execute(query.order_by(token.c.id.desc())).mappings())


def use_token(connection: Connection, number: int, now: datetime) -> bool:
    """Uses a token up; False when somebody was faster."""
    done = connection.execute(update(token).where(token.c.id == number, token.c.used_at.is_(None)).values(used_at=now))
    return done.rowcount == 1


def note_refusal(
    connection: Connection, *, now: datetime, why: str, ticket_id: int | None, outside: bool, sender: str
) -> None:
    """Writes down a command that did not count; outside ones are told in the next digest."""
    connection.execute(
        insert(refusal).values(at=now, why=why, ticket_id=ticket_id, outside=outside, sender=sender if outside else "")
    )


def untold_refusals(connection: Connection) -> tuple[tuple[datetime, str, int | None, str], ...]:
    """Attempts from outside that no digest has told of: when, why, ticket, sender."""
    query = select(refusal.c.at, refusal.c.why, refusal.c.ticket_id, refusal.c.sender).where(
        refusal.c.outside.is_(True), refusal.c.told_at.is_(None)
    )
    return tuple((row[0], row[1], row[2], row[3]) for row in connection.execute(query.order_by(refusal.c.id)))


def refusals_told(connection: Connection, now: datetime) -> None:
    """The digest that tells of them is queued."""
    connection.execute(update(refusal).where(refusal.c.told_at.is_(None)).values(told_at=now))


def note_answer(connection: Connection, address: str, subject: str, now: datetime) -> None:
    """Counts one unasked answer to an address, so that two robots can not talk for ever (RFC 3834 5)."""
    connection.execute(
        insert(answered).values(address_hash=hashed(address.lower()), subject_hash=hashed(subject), at=now)
    )


def answers_between(connection: Connection, address: str, moment: datetime, now: datetime) -> int:
    """How many unasked answers that address has had after `moment`, not later than `now` (clocks are set back)."""
    mine = answered.c.address_hash == hashed(address.lower())
    where = and_(mine, answered.c.at > moment, answered.c.at <= now)
    return connection.execute(select(func.count()).select_from(answered).where(where)).scalar_one()


def forget_answers_before(connection: Connection, moment: datetime) -> int:
    """Forgets counted answers from before `moment`; the number forgotten."""
    return connection.execute(delete(answered).where(answered.c.at < moment)).rowcount


def forget_refusals_before(connection: Connection, moment: datetime) -> int:
    """Forgets who sent commands that did not count before `moment`; the number forgotten."""
    old = (refusal.c.at < moment) & (refusal.c.sender != "")
    return connection.execute(update(refusal).where(old).values(sender="")).rowcount


def forget_ticket(connection: Connection, ticket_id: int) -> None:
    """Removes bytes, addresses and Message-IDs of a ticket's mails that are no longer queued."""
    mine = (outbox.c.ticket_id == ticket_id) & (outbox.c.state != "queued")
    numbers = select(outbox.c.id).where(mine)
    connection.execute(update(attempt).where(attempt.c.outbox_id.in_(numbers)).values(answer=""))
    connection.execute(update(outbox).where(mine).values(raw=None, recipient="", message_id=""))
    connection.execute(update(refusal).where(refusal.c.ticket_id == ticket_id).values(sender=""))
