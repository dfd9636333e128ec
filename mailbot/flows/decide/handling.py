"""What a person finds out about a ticket: its rights, its receipt, its requester, its kin, its duties, its keeper.

Every finding moves the clock and the drafts that depend on it in the same transaction. None of these ends a ticket but
a merge, whose requests go on in the other one.
"""

from collections.abc import Sequence
from datetime import datetime

from mailbot.core.draft import DraftKind
from mailbot.core.rights import Right
from mailbot.core.staff import Actor
from mailbot.core.ticket import (
    RUNNING,
    Event,
    Status,
)
from mailbot.errors import BadInputError
from mailbot.flows import clock, prepare
from mailbot.flows.decide.done import Done, back_to_drafted, call_off, write
from mailbot.flows.office import Office
from mailbot.store import drafts, tickets
from mailbot.store.database import Connection


def reclassify(
    connection: Connection, office: Office, reference: str, actor: Actor, rights: Sequence[Right], *, now: datetime
) -> Done:
    """Says which rights the message exercises; triage ends with it, and new drafts are made."""
    actor.must_draft()
    if not rights:
        raise BadInputError("no right is named", f"Name some of: {', '.join(Right)}.")
    ticket = tickets.by_reference(connection, reference, lock=True)
    event = Event.TRIAGED if ticket.status is Status.NEEDS_TRIAGE else Event.RECLASSIFIED
    drafts.supersede(connection, ticket.id)
    tickets.set_rights(connection, ticket.id, rights)
    moved = tickets.move(connection, tickets.by_id(connection, ticket.id), event)
    moved = clock.rewrite(connection, office, moved)
    write(connection, ticket, actor, event.value, now, {"rights": [right.value for right in rights]})
    moved = prepare.first_drafts(connection, office, moved, now)
    return Done(ticket=moved, what="reclassified", draft=drafts.newest(connection, ticket.id, DraftKind.REPLY))


def identified(
    connection: Connection, office: Office, reference: str, actor: Actor, *, now: datetime, note: str = ""
) -> Done:
    """Staff are satisfied who the requester is; an open question ends with it."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    tickets.answer_questions(connection, ticket.id, now)
    moved = tickets.move(connection, ticket, Event.IDENTITY_CONFIRMED)
    moved = tickets.change(connection, moved, identified=True)
    moved = back_to_drafted(connection, clock.rewrite(connection, office, moved))
    write(connection, ticket, actor, "identity_confirmed", now, {"note": note})
    return Done(ticket=moved, what="identified")


def correct_receipt(
    connection: Connection,
    office: Office,
    reference: str,
    actor: Actor,
    *,
    now: datetime,
    received_at: datetime,
    reason: str,
) -> Done:
    """Sets the receipt earlier, or later with a written reason (law 2.5); all dates follow."""
    actor.must_approve()
    ticket = tickets.by_reference(connection, reference, lock=True)
    if received_at > now:
        raise BadInputError("the receipt lies in the future", "Give the day on which it arrived.")
    if received_at > ticket.received_at and not reason.strip():
        raise BadInputError("a later receipt needs a written reason", "Give --reason.")
    changed = tickets.change(connection, ticket, received_at=received_at)
    changed = clock.rewrite(connection, office, changed)
    details = {"from": ticket.received_at, "to": received_at, "reason": reason, "due_on": changed.due_on}
    write(connection, ticket, actor, Event.RECEIPT_CORRECTED.value, now, details)
    return Done(ticket=changed, what="redated")


def note(connection: Connection, reference: str, actor: Actor, *, now: datetime, text: str) -> Done:
    """Writes a note into the ticket's history."""
    actor.must_draft()
    if not text.strip():
        raise BadInputError("the note is empty", "Write what is to be remembered.")
    ticket = tickets.by_reference(connection, reference, lock=True)
    write(connection, ticket, actor, Event.NOTED.value, now, {"text": text})
    return Done(ticket=ticket, what="noted")


def assign(connection: Connection, office: Office, reference: str, actor: Actor, *, now: datetime, to: str) -> Done:
    """Gives the ticket to a colleague."""
    actor.must_draft()
    person = office.member(to)
    ticket = tickets.by_reference(connection, reference, lock=True)
    changed = tickets.change(connection, ticket, assigned_to=person.address)
    write(connection, ticket, actor, Event.ASSIGNED.value, now, {"to": person.address})
    return Done(ticket=changed, what="assigned", detail=person.name)


def end_task(
    connection: Connection, reference: str, actor: Actor, *, now: datetime, task_id: int, note_: str = ""
) -> Done:
    """Ticks off a duty, with the day and who."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    ended = tickets.end_task(connection, ticket.id, task_id, now=now, by=actor.staff.address, note=note_)
    write(connection, ticket, actor, Event.TASK_DONE.value, now, {"task": ended.text, "note": note_})
    return Done(ticket=ticket, what="task_done", detail=ended.text)


def hold(connection: Connection, reference: str, actor: Actor, *, now: datetime, on: bool, reason: str) -> Done:
    """Keeps a ticket from the purge, or lets it go again."""
    actor.must_approve()
    ticket = tickets.by_reference(connection, reference, lock=True)
    changed = tickets.change(connection, ticket, hold=on)
    write(connection, ticket, actor, Event.HELD.value, now, {"hold": on, "reason": reason})
    return Done(ticket=changed, what="held" if on else "released")


def link(connection: Connection, reference: str, actor: Actor, *, now: datetime, to: str) -> Done:
    """Notes that a ticket belongs with another."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    other = tickets.by_reference(connection, to)
    if other.id == ticket.id:
        raise BadInputError("a ticket can not be linked to itself", "Name another one.")
    changed = tickets.change(connection, ticket, linked_to=other.id)
    write(connection, ticket, actor, Event.LINKED.value, now, {"to": other.reference})
    return Done(ticket=changed, what="linked", detail=other.reference)


def merge(connection: Connection, office: Office, reference: str, actor: Actor, *, now: datetime, into: str) -> Done:
    """What this ticket holds goes on in another of the same requester; the earlier receipt counts for both."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    other = tickets.by_reference(connection, into, lock=True)
    if other.id == ticket.id or other.status not in RUNNING:
        raise BadInputError(f"{ticket.reference} can not go on in {other.reference}", "Name another running ticket.")
    if ticket.requester_address.lower() != other.requester_address.lower():
        raise BadInputError("the two tickets are of different requesters", "Link them instead.")
    rights = tuple(right for right in Right if right in {*ticket.rights, *other.rights})
    tickets.set_rights(connection, other.id, rights)
    target = tickets.change(connection, other, received_at=min(other.received_at, ticket.received_at))
    target = clock.rewrite(connection, office, target)
    moved = tickets.move(connection, ticket, Event.MERGED)
    moved = tickets.change(connection, moved, linked_to=other.id, ended_at=now)
    drafts.supersede(connection, ticket.id)
    begun = call_off(connection, ticket, now)
    write(connection, ticket, actor, Event.MERGED.value, now, {"into": other.reference})
    write(connection, other, actor, Event.MERGED.value, now, {"from": ticket.reference})
    return Done(ticket=moved, what="merged", detail=target.reference, sending_begun=begun)
