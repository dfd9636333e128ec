"""What may go, goes: by class and age, leaving the audit chain whole. A dry run only says what would go."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailbot.core.retention import Kept, Purge, purge_of
from mailbot.core.ticket import Event, Status
from mailbot.flows.office import Office
from mailbot.store import audit, cursors, drafts, messages, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.tickets import Ticket

UNCOMPACTED = "uncompacted"  # state: what went from the tables may still lie in the file or its log
ANSWERS_KEPT = timedelta(days=7)  # counts of answers to an address; the caps look back an hour


@dataclass(kw_only=True)
class Round:
    """What went, or would go."""

    content: list[str] = field(default_factory=list)  # references
    files: list[str] = field(default_factory=list)
    seen: int = 0


def purge(office: Office, *, now: datetime, dry_run: bool = False) -> Round:
    """Purges every ticket whose time has come, and hashes of unrelated mail that are old.

    Raises TryLaterError when the file can not be rewritten now; the next round does it.
    """
    done = Round()
    ended = (Status.CLOSED, Status.WITHDRAWN, Status.DISMISSED, Status.ANSWERED)
    with office.database.read() as connection:
        found = [(ticket, _what(office, ticket, now)) for ticket in tickets.find(connection, statuses=ended)]
    for ticket, what in found:
        if what is Purge.NOTHING:
            continue
        if what is Purge.FILES and ticket.files_purged:
            continue
        (done.content if what is Purge.CONTENT else done.files).append(ticket.reference)
        if not dry_run:
            with office.database.write() as connection:
                _go(connection, ticket, what, now)
    horizon = now - timedelta(days=office.options.seen_days)
    with office.database.read() if dry_run else office.database.write() as connection:
        done.seen = cursors.count_before(connection, horizon) if dry_run else cursors.forget_before(connection, horizon)
        if not dry_run:
            outbox.forget_answers_before(connection, now - ANSWERS_KEPT)
            if outbox.forget_refusals_before(connection, horizon):
                cursors.note_state(connection, UNCOMPACTED, "yes", now)
        uncompacted = cursors.read_state(connection, UNCOMPACTED)
    if not dry_run and uncompacted is not None and uncompacted[0]:
        office.database.compact()
        with office.database.write() as connection:
            cursors.note_state(connection, UNCOMPACTED, "", now)
    return done


def _what(office: Office, ticket: Ticket, now: datetime) -> Purge:
    kept = Kept(
        status=ticket.status,
        ended_at=ticket.ended_at,
        answered_at=ticket.answered_at,
        hold=ticket.hold,
        purged=ticket.purged_at is not None,
    )
    options = office.options
    return purge_of(
        kept,
        now=now,
        closed_days=options.closed_days,
        attachments_days=options.attachments_days,
        dismissed_days=options.dismissed_days,
    )


def _go(connection: Connection, ticket: Ticket, what: Purge, now: datetime) -> None:
    """Removes it from the tables; that the file has to be rewritten is written down with it."""
    cursors.note_state(connection, UNCOMPACTED, "yes", now)
    everything = what is Purge.CONTENT
    messages.blank(connection, ticket.id, all_text=everything)
    drafts.blank(connection, ticket.id, all_text=everything)
    tickets.change(connection, ticket, files_purged=True)
    if everything:
        outbox.forget_ticket(connection, ticket.id)
        audit.purge_details(connection, ticket.reference)
        tickets.blank(connection, ticket.id, now)
    audit.append(
        connection, now=now, event=Event.PURGED.value, actor="mailbot", reference=ticket.reference,
        details={"what": what.value},
    )  # fmt: skip
