"""What every decision has in common: what it did, its audit entry, and the way back to a draft that waits.

Nothing is decided here. `write()` is the one place where a decision enters the audit chain; it runs in the decision's
own transaction, so none exists without its entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from mailbot.core.deadline import time_zone
from mailbot.core.draft import DraftKind
from mailbot.core.staff import Actor
from mailbot.core.ticket import Event, Status
from mailbot.flows.office import Office
from mailbot.store import audit, drafts, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft
from mailbot.store.tickets import Ticket


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a decision did: the ticket as it stands now, and what happened in a word for the answer."""

    ticket: Ticket
    what: str  # a key of the words "done" in the staff language files
    detail: str = ""
    draft: Draft | None = None  # a new version that waits for approval
    sending_begun: bool = False  # what the decision called off may have reached the requester all the same


def write(
    connection: Connection, ticket: Ticket, actor: Actor, event: str, now: datetime, details: Mapping[str, Any]
) -> None:
    """Enters a decision in the audit chain: who, by which door, and what it was."""
    audit.append(
        connection,
        now=now,
        event=event,
        actor=actor.id,
        reference=ticket.reference,
        details={"door": actor.door.value, **details},
    )


def call_off(connection: Connection, ticket: Ticket, now: datetime) -> bool:
    """Cancels what waits to be sent to the requester; True when its sending had begun, so that it may have left.

    A notice of lifting leaves all the same: it is owed whatever becomes of the request (GDPR 18(3)).
    """
    begun = False
    for mail in outbox.of_ticket(connection, ticket.id, lock=True):
        waits = mail.audience == "data_subject" and mail.state == "queued"
        if waits and mail.kind != DraftKind.LIFTING_NOTICE.value:
            begun |= any(attempt.result in (None, "dropped") for attempt in outbox.attempts(connection, mail.id))
            outbox.end(connection, mail.id, "cancelled", now)
    return begun


def local_noon(office: Office, day: date) -> datetime:
    """A moment of a local day, for receipts of which only the day is known."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=time_zone(office.zone))


def back_to_drafted(connection: Connection, ticket: Ticket) -> Ticket:
    """A ticket that came back to open and has a ready reply waits for approval again."""
    reply = drafts.pending(connection, ticket.id, DraftKind.REPLY)
    if ticket.status is Status.OPEN and reply and reply[-1].ready:
        return tickets.move(connection, ticket, Event.DRAFT_MADE)
    return ticket
