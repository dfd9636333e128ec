"""Tickets, their requests, questions, tasks and reminders. A status is written here and decided in `core/ticket.py`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from mailbot.core.rights import Channel, Ground, Outcome, Right
from mailbot.core.ticket import RUNNING, Event, Status, apply
from mailbot.errors import BadInputError
from mailbot.store.connection import Connection, Row, adding, among

_ORDER = {right.value: place for place, right in enumerate(Right)}  # in which people read them
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


BLANK: Mapping[str, Any] = {  # what a ticket without these says of itself
    "requester_name": "",
    "requester_address": "",
    "postal_address": "",
    "reply_to": "",
    "provisional": False,
    "explanations": {},
    "extended": False,
    "extension_reason": "",
    "identified": False,
    "assigned_to": "",
    "flags": [],
    "evidence": [],
    "rules_version": "",
    "authenticity": [],
    "outside_suspected": False,
    "outside_denied": False,
    "hold": False,
    "files_purged": False,
}
_BY_ID = "SELECT * FROM ticket WHERE id = :id"
_BY_REFERENCE = "SELECT * FROM ticket WHERE reference = :reference"
_OF_TICKET = "WHERE ticket_id = :ticket_id"


def next_reference(connection: Connection, prefix: str, year: int) -> str:
    """The next reference of the year, as JALO-2026-0014; unique within the caller's transaction."""
    name = f"{prefix}-{year}"
    number = connection.value(
        """INSERT INTO counter (name, value) VALUES (:name, 1)
 ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value""",
        {"name": name},
    )
    return f"{name}-{number:04d}"


def add(connection: Connection, values: Mapping[str, Any], rights: Iterable[Right]) -> Ticket:
    """Opens a ticket with its requests. `values` are the columns of the table."""
    number = connection.add_numbered("ticket", {**BLANK, **values})
    for right in rights:
        _add_request(connection, number, right)
    return by_id(connection, number)


def _add_request(connection: Connection, number: int, right: Right) -> None:
    connection.add("request", {"ticket_id": number, "right": right.value, "status": "open"})


def set_rights(connection: Connection, ticket_id: int, rights: Sequence[Right]) -> None:
    """Makes these the requests of the ticket: new ones are added, others that have no outcome are removed."""
    have = set(connection.column(f'SELECT "right" FROM request {_OF_TICKET}', {"ticket_id": ticket_id}))
    for right in have - set(rights):
        connection.run(
            f'DELETE FROM request {_OF_TICKET} AND "right" = :right', {"ticket_id": ticket_id, "right": right}
        )
    for right in rights:
        if right not in have:
            _add_request(connection, ticket_id, right)


def by_id(connection: Connection, ticket_id: int, *, lock: bool = False) -> Ticket:
    """The ticket of that number, which exists; locked for this transaction when asked (PostgreSQL)."""
    return _whole(connection, connection.one(_BY_ID + (connection.held if lock else ""), {"id": ticket_id}))


def by_reference(connection: Connection, reference: str, *, lock: bool = False) -> Ticket:
    """The ticket of that reference (any case); locked for this transaction when asked (PostgreSQL).

    Raises BadInputError when there is none.
    """
    query = _BY_REFERENCE + (connection.held if lock else "")
    row = connection.row(query, {"reference": reference.strip().upper()})
    if row is None:
        raise BadInputError(f"there is no ticket {reference}", "See: mailbot tickets")
    return _whole(connection, row)


def maybe(connection: Connection, reference: str) -> Ticket | None:
    """The ticket of that reference (any case), None when there is none."""
    row = connection.row(_BY_REFERENCE, {"reference": reference.strip().upper()})
    return _whole(connection, row) if row else None


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
    listed, values = among("status", [status.value for status in statuses or ()])
    filters = {
        f"status IN {listed}": statuses,
        "lower(requester_address) = :address": address,
        'id IN (SELECT ticket_id FROM request WHERE "right" = :right)': right,
        "language = :language": language,
        "assigned_to = :assigned_to": assigned_to,
        "due_on <= :due_by": due_by,
    }
    where = " AND ".join(words for words, wanted in filters.items() if wanted is not None)
    values |= {"address": (address or "").lower(), "right": right, "language": language}
    values |= {"assigned_to": assigned_to, "due_by": due_by}
    rows = connection.rows(
        f"SELECT * FROM ticket {'WHERE ' + where if where else ''} ORDER BY due_on, reference",
        {name: value for name, value in values.items() if f":{name}" in where},
    )
    requests = _requests(connection, [row["id"] for row in rows])
    return tuple(_ticket(row, requests.get(row["id"], ())) for row in rows)


def people_of(connection: Connection, statuses: Iterable[Status], *, but: Ticket) -> frozenset[str]:
    """Names and addresses of the requesters of tickets in these statuses, without one ticket's own person."""
    listed, values = among("status", [status.value for status in statuses])
    rows = connection.rows(
        f"""SELECT requester_name, requester_address FROM ticket
 WHERE status IN {listed} AND id != :but AND lower(requester_address) != :person""",
        {**values, "but": but.id, "person": but.requester_address.lower()},
    )
    return frozenset(word for row in rows for word in row.values() if word)


def change(connection: Connection, found: Ticket, **values: Any) -> Ticket:
    """Writes columns of a ticket other than its status."""
    if "status" in values:
        raise ValueError("a status is changed by move() alone")
    connection.change("ticket", found.id, values)
    return by_id(connection, found.id)


def move(connection: Connection, found: Ticket, event: Event) -> Ticket:
    """Applies an event to a ticket as it stands now: the only statement that writes a status.

    Raises IllegalMoveError, and changes nothing, when the table of transitions has no such move.
    """
    standing = by_id(connection, found.id, lock=True)
    after = apply(standing.status, event)
    if after is standing.status:
        return standing
    connection.change("ticket", found.id, {"status": after.value})
    return replace(standing, status=after)


def set_request(connection: Connection, ticket_id: int, right: Right, **values: Any) -> None:
    """Writes status, outcome or ground of one request."""
    changes = ", ".join(f"{name} = :{name}" for name in values)
    connection.run(
        f'UPDATE request SET {changes} {_OF_TICKET} AND "right" = :right',
        {**values, "ticket_id": ticket_id, "right": right.value},
    )


def questions(connection: Connection, ticket_id: int) -> tuple[Question, ...]:
    """The questions that were sent, oldest first."""
    rows = connection.rows(f"SELECT * FROM question {_OF_TICKET} ORDER BY id", {"ticket_id": ticket_id})
    return tuple(Question(**row) for row in rows)


def add_question(connection: Connection, ticket_id: int, kind: str, sent_at: datetime, *, counted: bool = True) -> None:
    """Writes down that a question was sent."""
    connection.add("question", {"ticket_id": ticket_id, "kind": kind, "sent_at": sent_at, "counted": counted})


def answer_questions(connection: Connection, ticket_id: int, answered_at: datetime) -> int:
    """Ends every open question of the ticket; how many there were."""
    return connection.run(
        f"UPDATE question SET answered_at = :at {_OF_TICKET} AND answered_at IS NULL",
        {"at": answered_at, "ticket_id": ticket_id},
    )


def tasks(connection: Connection, ticket_id: int) -> tuple[Task, ...]:
    """Every duty of the ticket."""
    rows = connection.rows(f"SELECT * FROM task {_OF_TICKET} ORDER BY id", {"ticket_id": ticket_id})
    return tuple(Task(**row) for row in rows)


def add_task(connection: Connection, ticket_id: int, kind: str, words: str) -> None:
    """Writes down a duty, once."""
    duty = {"ticket_id": ticket_id, "kind": kind, "text": words}
    if connection.row(f"SELECT id FROM task {_OF_TICKET} AND kind = :kind AND text = :text", duty) is None:
        connection.add("task", {**duty, "done_by": "", "note": ""})


def end_task(connection: Connection, ticket_id: int, task_id: int, *, now: datetime, by: str, note: str) -> Task:
    """Ticks a duty off.

    Raises BadInputError when the ticket has no such open duty.
    """
    row = connection.row(
        f"""UPDATE task SET done_at = :now, done_by = :by, note = :note
 {_OF_TICKET} AND id = :id AND done_at IS NULL RETURNING *""",
        {"now": now, "by": by, "note": note, "ticket_id": ticket_id, "id": task_id},
    )
    if row is None:
        raise BadInputError(f"the ticket has no open task {task_id}", "See: mailbot ticket show")
    return Task(**row)


def reminded(connection: Connection, ticket_id: int) -> frozenset[str]:
    """Keys of the reminders that staff have had."""
    return frozenset(connection.column(f"SELECT key FROM reminder {_OF_TICKET}", {"ticket_id": ticket_id}))


def note_reminders(connection: Connection, ticket_id: int, keys: Iterable[str], now: datetime) -> None:
    """Writes down reminders in the transaction that queues their mail, so that none is doubled."""
    rows = [{"ticket_id": ticket_id, "key": key, "sent_at": now} for key in keys]
    connection.run_many(adding("reminder", ("ticket_id", "key", "sent_at")), rows)


def unnoticed(connection: Connection, statuses: Iterable[Status]) -> tuple[int, ...]:
    """Numbers of the tickets in these statuses of which staff have had no notice at all."""
    listed, values = among("status", [status.value for status in statuses])
    query = f"""SELECT id FROM ticket WHERE status IN {listed} AND NOT EXISTS
 (SELECT 1 FROM reminder WHERE reminder.ticket_id = ticket.id AND reminder.key LIKE :noticed)"""
    return tuple(connection.column(query, {**values, "noticed": f"{NOTICED}%"}))


def noticed_between(connection: Connection, moment: datetime, now: datetime) -> int:
    """How many first notices of tickets went to staff after `moment` and not later than `now`."""
    query = "SELECT count(*) FROM reminder WHERE key = :key AND sent_at > :moment AND sent_at <= :now"
    return int(connection.value(query, {"key": NOTICED, "moment": moment, "now": now}))


def blank(connection: Connection, ticket_id: int, now: datetime) -> None:
    """Removes every word and address of a ticket; status, dates and outcomes stay."""
    words = {
        "requester_name": "",
        "requester_address": "",
        "postal_address": "",
        "reply_to": "",
        "extension_reason": "",
    }
    connection.change("ticket", ticket_id, {**words, "evidence": [], "authenticity": [], "purged_at": now})
    connection.run(f"UPDATE task SET text = '', note = '', done_by = '' {_OF_TICKET}", {"ticket_id": ticket_id})


def _requests(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[Request, ...]]:
    found: dict[int, list[Request]] = {}
    for start in range(0, len(ids), 500):
        listed, values = among("id", list(ids[start : start + 500]))
        rows = connection.rows(f"SELECT * FROM request WHERE ticket_id IN {listed}", values)
        for row in sorted(rows, key=lambda row: _ORDER[row["right"]]):
            found.setdefault(row["ticket_id"], []).append(
                Request(
                    right=Right(row["right"]),
                    status=row["status"],
                    outcome=Outcome(row["outcome"]) if row["outcome"] else None,
                    ground=Ground(row["ground"]) if row["ground"] else None,
                )
            )
    return {number: tuple(items) for number, items in found.items()}


def _whole(connection: Connection, row: Row) -> Ticket:
    return _ticket(row, _requests(connection, [row["id"]]).get(row["id"], ()))


def _ticket(row: Row, requests: tuple[Request, ...]) -> Ticket:
    return Ticket(**{**row, "status": Status(row["status"]), "channel": Channel(row["channel"])}, requests=requests)
