"""Tickets, their requests, questions, tasks and reminders. A status is written here and decided in `core/ticket.py`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, func, insert, select, update

from mailbot.core.rights import Channel, Ground, Outcome, Right
from mailbot.core.ticket import RUNNING, Event, Status, apply
from mailbot.errors import BadInputError
from mailbot.store.schema import counter, question, reminder, request, task, ticket
from mailbot.store.upsert import add_once

NOTICED = "noticed"  # reminder key: staff have had the first notice; with a day behind it, a notice of moved dates


@dataclass(frozen=True, kw_only=True)
class Request:
    """One right exercised."""

    right: Right
    status: str  # open | ended | lifted
    outcome: Outcome | None = None
    ground: Ground | None = None


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A case as it stands. Moments are aware UTC (`_at`), dates are local (`_on`)."""

    id: int
    reference: str
    status: Status
    language: str
    channel: Channel
    requester_name: str
    requester_address: str
    postal_address: str
    reply_to: str
    received_at: datetime
    opened_at: datetime
    due_on: date
    target_on: date
    act_by_on: date | None
    one_month_on: date
    provisional: bool
    explanations: dict[str, dict[str, str]] = field(repr=False)  # long | short -> language -> sentences
    extended: bool
    extension_reason: str
    identified: bool
    assigned_to: str
    flags: list[str]
    evidence: list[dict[str, Any]] = field(repr=False)
    rules_version: str
    authenticity: list[str] = field(repr=False)
    linked_to: int | None
    outside_suspected: bool
    outside_denied: bool
    hold: bool
    answered_at: datetime | None
    ended_at: datetime | None
    files_purged: bool
    purged_at: datetime | None
    requests: tuple[Request, ...] = ()

    @property
    def rights(self) -> tuple[Right, ...]:
        """The rights of the ticket, in the order people read them."""
        return tuple(item.right for item in self.requests)

    @property
    def outcome(self) -> Outcome | None:
        """The outcome that all requests agree on, None otherwise."""
        found = {item.outcome for item in self.requests}
        return found.pop() if len(found) == 1 else None

    def overdue(self, today: date) -> bool:
        """True when the clock still runs and its last day has passed (computed, never stored)."""
        return self.status in RUNNING and today > self.due_on


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question to the requester that was sent; between the two moments the clock may stand still (law 5)."""

    id: int
    ticket_id: int
    kind: str
    sent_at: datetime
    answered_at: datetime | None
    counted: bool


@dataclass(frozen=True, kw_only=True)
class Task:
    """A duty to tick off."""

    id: int
    ticket_id: int
    kind: str
    text: str
    done_at: datetime | None
    done_by: str
    note: str


def next_reference(connection: Connection, prefix: str, year: int) -> str:
    """The next reference of the year, as JALO-2026-0014; unique within the caller's transaction."""
    name = f"{prefix}-{year}"
    add_once(connection, counter, {"name": name, "value": 0}, ["name"])
    number = connection.execute(
        update(counter).where(counter.c.name == name).values(value=counter.c.value + 1).returning(counter.c.value)
    ).scalar_one()
    return f"{name}-{number:04d}"


def add(connection: Connection, values: Mapping[str, Any], rights: Iterable[Right]) -> Ticket:
    """Opens a ticket with its requests. `values` are the columns of the table."""
    number = connection.execute(_ADD, dict(values)).scalar_one()
    wanted = [{"ticket_id": number, "right": right.value, "status": "open"} for right in rights]
    if wanted:
        connection.execute(_ADD_REQUEST, wanted)
    return by_id(connection, number)


def set_rights(connection: Connection, ticket_id: int, rights: Sequence[Right]) -> None:
    """Makes these the requests of the ticket: new ones are added, others that have no outcome are removed."""
    have = set(connection.execute(select(request.c.right).where(request.c.ticket_id == ticket_id)).scalars())
    for right in have - set(rights):
        connection.execute(request.delete().where(request.c.ticket_id == ticket_id, request.c.right == right))
    for right in rights:
        if right not in have:
            connection.execute(insert(request).values(ticket_id=ticket_id, right=right.value, status="open"))


def by_id(connection: Connection, ticket_id: int, *, lock: bool = False) -> Ticket:
    """The ticket of that number, which exists; locked for this transaction when asked (PostgreSQL)."""
    row = connection.execute(_HELD_BY_ID if lock else _BY_ID, {"number": ticket_id}).mappings().one()
    return _ticket(row, _requests(connection, [ticket_id]).get(ticket_id, ()))


def by_reference(connection: Connection, reference: str, *, lock: bool = False) -> Ticket:
    """The ticket of that reference (any case); locked for this transaction when asked (PostgreSQL).

    Raises BadInputError when there is none.
    """
    query = select(ticket).where(ticket.c.reference == reference.strip().upper())
    row = connection.execute(_held(query) if lock else query).mappings().first()
    if row is None:
        raise BadInputError(f"there is no ticket {reference}", "See: mailbot tickets")
    return _ticket(row, _requests(connection, [row["id"]]).get(row["id"], ()))


def _held(query: Select[Any]) -> Select[Any]:
    """Locks the rows for this transaction; rows of other tables may still come to point at them (no deadlock)."""
    return query.with_for_update(key_share=True)


# What every new ticket asks is built once: making a statement costs more than running it.
_BY_ID = select(ticket).where(ticket.c.id == bindparam("number"))
_HELD_BY_ID = _held(_BY_ID)
_HELD_STATUS = _held(select(ticket.c.status).where(ticket.c.id == bindparam("number")))
_REQUESTS = select(request).where(request.c.ticket_id.in_(bindparam("numbers", expanding=True)))
_PEOPLE = select(ticket.c.requester_name, ticket.c.requester_address).where(
    ticket.c.status.in_(bindparam("statuses", expanding=True)),
    ticket.c.id != bindparam("but"),
    func.lower(ticket.c.requester_address) != bindparam("person"),
)
_ADD, _ADD_REQUEST = insert(ticket).returning(ticket.c.id), insert(request)


def maybe(connection: Connection, reference: str) -> Ticket | None:
    """The ticket of that reference (any case), None when there is none."""
    query = select(ticket.c.id).where(ticket.c.reference == reference.strip().upper())
    number = connection.execute(query).scalar()
    return None if number is None else by_id(connection, number)


def find(
    connection: Connection,
    *,
    statuses: Iterable[Status] | None = None,
    address: str | None = None,
    right: Right | None = None,
    language: str | None = None,
    assigned_to: str | None = None,
    due_by: date | None = None,
) -> tuple[Ticket, ...]:
    """Tickets that fit every filter, by due date, then reference."""
    query = select(ticket).order_by(ticket.c.due_on, ticket.c.reference)
    if statuses is not None:
        query = query.where(ticket.c.status.in_([status.value for status in statuses]))
    if address is not None:
        query = query.where(func.lower(ticket.c.requester_address) == address.lower())
    if right is not None:
        query = query.where(ticket.c.id.in_(select(request.c.ticket_id).where(request.c.right == right.value)))
    if language is not None:
        query = query.where(ticket.c.language == language)
    if assigned_to is not None:
        query = query.where(ticket.c.assigned_to == assigned_to)
    if due_by is not None:
        query = query.where(ticket.c.due_on <= due_by)
    rows = connection.execute(query).mappings().all()
    requests = _requests(connection, [row["id"] for row in rows])
    return tuple(_ticket(row, requests.get(row["id"], ())) for row in rows)


def people_of(connection: Connection, statuses: Iterable[Status], *, but: Ticket) -> frozenset[str]:
    """Names and addresses of the requesters of tickets in these statuses, without one ticket's own person."""
    given = {
        "statuses": [status.value for status in statuses],
        "but": but.id,
        "person": but.requester_address.lower(),
    }
    return frozenset(word for row in connection.execute(_PEOPLE, given) for word in row if word)


def change(connection: Connection, found: Ticket, **values: Any) -> Ticket:
    """Writes columns of a ticket other than its status."""
    if "status" in values:
        raise ValueError("a status is changed by move() alone")
    connection.execute(update(ticket).where(ticket.c.id == found.id).values(**values))
    return by_id(connection, found.id)


def move(connection: Connection, found: Ticket, event: Event) -> Ticket:
    """Applies an event to a ticket as it stands now: the only statement that writes a status.

    Raises IllegalMoveError, and changes nothing, when the table of transitions has no such move.
    """
    standing = Status(connection.execute(_HELD_STATUS, {"number": found.id}).scalar_one())
    after = apply(standing, event)
    if after is not standing:
        connection.execute(update(ticket).where(ticket.c.id == found.id).values(status=after.value))
    return by_id(connection, found.id)


def set_request(connection: Connection, ticket_id: int, right: Right, **values: Any) -> None:
    """Writes status, outcome or ground of one request."""
    connection.execute(
        update(request).where(request.c.ticket_id == ticket_id, request.c.right == right.value).values(**values)
    )


def questions(connection: Connection, ticket_id: int) -> tuple[Question, ...]:
    """The questions that were sent, oldest first."""
    rows = connection.execute(select(question).where(question.c.ticket_id == ticket_id).order_by(question.c.id))
    return tuple(Question(**row) for row in rows.mappings())


def add_question(connection: Connection, ticket_id: int, kind: str, sent_at: datetime, *, counted: bool = True) -> None:
    """Writes down that a question was sent."""
    connection.execute(insert(question).values(ticket_id=ticket_id, kind=kind, sent_at=sent_at, counted=counted))


def answer_questions(connection: Connection, ticket_id: int, answered_at: datetime) -> int:
    """Ends every open question of the ticket; how many there were."""
    open_ones = (question.c.ticket_id == ticket_id) & question.c.answered_at.is_(None)
    return connection.execute(update(question).where(open_ones).values(answered_at=answered_at)).rowcount


def tasks(connection: Connection, ticket_id: int) -> tuple[Task, ...]:
    """Every duty of the ticket."""
    rows = connection.execute(select(task).where(task.c.ticket_id == ticket_id).order_by(task.c.id)).mappings()
    return tuple(Task(**row) for row in rows)


def add_task(connection: Connection, ticket_id: int, kind: str, words: str) -> None:
    """Writes down a duty, once."""
    same = select(task.c.id).where(task.c.ticket_id == ticket_id, task.c.kind == kind, task.c.text == words)
    if connection.execute(same).first() is None:
        connection.execute(insert(task).values(ticket_id=ticket_id, kind=kind, text=words))


def end_task(connection: Connection, ticket_id: int, task_id: int, *, now: datetime, by: str, note: str) -> Task:
    """Ticks a duty off.

    Raises BadInputError when the ticket has no such open duty.
    """
    where = (task.c.id == task_id) & (task.c.ticket_id == ticket_id) & task.c.done_at.is_(None)
    if connection.execute(update(task).where(where).values(done_at=now, done_by=by, note=note)).rowcount == 0:
        raise BadInputError(f"the ticket has no open task {task_id}", "See: mailbot ticket show")
    return Task(**connection.execute(select(task).where(task.c.id == task_id)).mappings().one())


def reminded(connection: Connection, ticket_id: int) -> frozenset[str]:
    """Keys of the reminders that staff have had."""
    return frozenset(connection.execute(select(reminder.c.key).where(reminder.c.ticket_id == ticket_id)).scalars())


def note_reminders(connection: Connection, ticket_id: int, keys: Iterable[str], now: datetime) -> None:
    """Writes down reminders in the transaction that queues their mail, so that none is doubled."""
    for key in keys:
        connection.execute(insert(reminder), {"ticket_id": ticket_id, "key": key, "sent_at": now})


def noticed_between(connection: Connection, moment: datetime, now: datetime) -> int:
    """How many first notices of tickets went to staff after `moment` and not later than `now`."""
    when = (reminder.c.key == NOTICED) & (reminder.c.sent_at > moment) & (reminder.c.sent_at <= now)
    return connection.execute(select(func.count()).select_from(reminder).where(when)).scalar_one()


def blank(connection: Connection, ticket_id: int, now: datetime) -> None:
    """Removes every word and address of a ticket; status, dates and outcomes stay."""
    words = {
        "requester_name": "",
        "requester_address": "",
        "postal_address": "",
        "reply_to": "",
        "extension_reason": "",
    }
    values = {**words, "evidence": [], "authenticity": [], "purged_at": now}
    connection.execute(update(ticket).where(ticket.c.id == ticket_id).values(**values))
    connection.execute(update(task).where(task.c.ticket_id == ticket_id).values(text="", note="", done_by=""))


def _requests(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[Request, ...]]:
    found: dict[int, list[Request]] = {}
    order = {right.value: place for place, right in enumerate(Right)}
    for start in range(0, len(ids), 500):
        part = list(ids[start : start + 500])
        rows = connection.execute(_REQUESTS, {"numbers": part}).mappings().all()
        for row in sorted(rows, key=lambda row: order[row["right"]]):
            found.setdefault(row["ticket_id"], []).append(
                Request(
                    right=Right(row["right"]),
                    status=row["status"],
                    outcome=Outcome(row["outcome"]) if row["outcome"] else None,
                    ground=Ground(row["ground"]) if row["ground"] else None,
                )
            )
    return {number: tuple(items) for number, items in found.items()}


def _ticket(row: RowMapping, requests: tuple[Request, ...]) -> Ticket:
    values = dict(row)
    values["status"] = Status(values["status"])
    values["channel"] = Channel(values["channel"])
    return Ticket(**values, requests=requests)
