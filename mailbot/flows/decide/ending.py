"""How a ticket ends, and how it is opened again.

A request ends with exactly one outcome, and what still waits to be sent to the requester is called off. A ticket
closes only when nothing is left: no unsent reply, no open task, no restriction lifted without its notice (GDPR 18(3),
19). What was purged never comes back.
"""

from datetime import date, datetime

from mailbot.core.draft import DraftKind, DraftState
from mailbot.core.rights import Outcome
from mailbot.core.staff import Actor
from mailbot.core.ticket import (
    ClosingFacts,
    Event,
    Status,
    closing_blocked_by,
    reopening_blocked_by,
)
from mailbot.errors import BadInputError, IllegalMoveError, Reason
from mailbot.flows import clock, prepare
from mailbot.flows.decide.done import Done, call_off, local_noon, write
from mailbot.flows.office import Office
from mailbot.flows.plan import Wish
from mailbot.store import drafts, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft
from mailbot.store.tickets import Ticket


def answered(
    connection: Connection, office: Office, reference: str, actor: Actor, *, now: datetime, on: date | None, how: str,
    outcome: Outcome | None = None,
) -> Done:  # fmt: skip
    """Staff have answered by other means (letter, call, their own mail program); the requests end with it.

    Without `outcome` they end as the approved letter says, and as fulfilled where there is none. Raises BadInputError
    for a day that lies ahead or before the receipt.
    """
    actor.must_approve()
    ticket = tickets.by_reference(connection, reference, lock=True)
    day = on or clock.today(office, now)
    if day > clock.today(office, now) or day < clock.today(office, ticket.received_at):
        what = Reason(
            f"{day} is not between the receipt and today", "not_between", day=f"{day.day}.{day.month}.{day.year}"
        )
        raise BadInputError(what, "Give the day on which the answer was sent.")
    moved = tickets.move(connection, ticket, Event.ANSWERED_OUTSIDE)
    written = _approved_letter(connection, ticket)
    for item in ticket.requests:
        if item.outcome is None:
            ended = outcome or (written.outcomes.get(item.right) if written else None) or Outcome.FULFILLED
            tickets.set_request(connection, ticket.id, item.right, status="ended", outcome=ended.value)
    drafts.supersede(connection, ticket.id)
    begun = call_off(connection, ticket, now)
    moment = now if day == clock.today(office, now) else local_noon(office, day)
    moved = tickets.change(connection, moved, answered_at=moment, outside_suspected=False)
    write(connection, ticket, actor, "answered_outside", now, {"on": day, "how": how})
    return Done(ticket=moved, what="answered_elsewhere", sending_begun=begun)


def _approved_letter(connection: Connection, ticket: Ticket) -> Draft | None:
    """The reply that was approved for paper; one that goes by mail is the outbox's."""
    found = drafts.newest(connection, ticket.id, DraftKind.REPLY)
    return found if found and found.state is DraftState.APPROVED and not found.recipient else None


def not_the_answer(connection: Connection, reference: str, actor: Actor, *, now: datetime) -> Done:
    """Staff say that what was seen outside was not the answer; the work goes on."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    moved = tickets.change(connection, ticket, outside_suspected=False, outside_denied=True)
    write(connection, ticket, actor, "answered_outside_denied", now, {})
    return Done(ticket=moved, what="not_the_answer")


def withdraw(connection: Connection, reference: str, actor: Actor, *, now: datetime, note: str = "") -> Done:
    """The requester took the request back, as staff have read it."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    moved = tickets.move(connection, ticket, Event.REQUEST_WITHDRAWN)
    for item in ticket.requests:
        if item.outcome is None:
            ended = {"status": "ended", "outcome": Outcome.WITHDRAWN.value, "ground": None}
            tickets.set_request(connection, ticket.id, item.right, **ended)
    drafts.supersede(connection, ticket.id)
    begun = call_off(connection, ticket, now)
    moved = tickets.change(connection, moved, ended_at=now)
    write(connection, ticket, actor, "request_withdrawn", now, {"note": note})
    return Done(ticket=moved, what="withdrawn", sending_begun=begun)


def dismiss(connection: Connection, reference: str, actor: Actor, *, now: datetime, reason: str = "") -> Done:
    """A person judges that this was no request; it can be reopened for seven days, then its content is purged."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    moved = tickets.move(connection, ticket, Event.DISMISSED)
    moved = tickets.change(connection, moved, ended_at=now)
    drafts.supersede(connection, ticket.id)
    begun = call_off(connection, ticket, now)
    write(connection, ticket, actor, "dismissed", now, {"reason": reason})
    return Done(ticket=moved, what="dismissed", sending_begun=begun)


def close(connection: Connection, reference: str, actor: Actor, *, now: datetime) -> Done:
    """Closes an answered ticket.

    Raises IllegalMoveError naming everything that is still open: an unsent reply, a task, a notice of lifting.
    """
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    blocked = closing_blocked_by(closing_facts(connection, ticket))
    if blocked:
        raise IllegalMoveError(f"{ticket.reference} can not be closed", "; ".join(blocked))
    moved = tickets.change(connection, tickets.move(connection, ticket, Event.CLOSED), ended_at=now)
    write(connection, ticket, actor, Event.CLOSED.value, now, {})
    return Done(ticket=moved, what="closed")


def closing_facts(connection: Connection, ticket: Ticket) -> ClosingFacts:
    """What stands between a ticket and its end."""
    lifted = any(item.status == "lifted" for item in ticket.requests)
    told = any(
        mail.kind == DraftKind.LIFTING_NOTICE.value and mail.state == "sent"
        for mail in outbox.of_ticket(connection, ticket.id)
    )
    return ClosingFacts(
        unsent_reply=outbox.unsent(connection, ticket.id),
        open_tasks=tuple(task.text for task in tickets.tasks(connection, ticket.id) if task.done_at is None),
        lifted_without_notice=lifted and not told,
        unanswered=tuple(item.right.value for item in ticket.requests if item.outcome is None),
    )


def reopen(
    connection: Connection, office: Office, reference: str, actor: Actor, *, now: datetime, reason: str = ""
) -> Done:
    """Opens an ended ticket again; a dismissed one for a week or as configured, a purged one never."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    ended = clock.today(office, ticket.ended_at or ticket.answered_at or now)
    blocked = reopening_blocked_by(
        ticket.status,
        ended_on=ended,
        today=clock.today(office, now),
        purged=ticket.purged_at is not None,
        days=office.options.dismissed_days,
    )
    if blocked:
        raise IllegalMoveError(f"{ticket.reference} can not be reopened", "; ".join(blocked))
    moved = tickets.change(connection, tickets.move(connection, ticket, Event.REOPENED), ended_at=None)
    for item in ticket.requests:
        tickets.set_request(connection, ticket.id, item.right, status="open", outcome=None)
    write(connection, ticket, actor, Event.REOPENED.value, now, {"reason": reason})
    moved = tickets.by_id(connection, ticket.id)
    if moved.status is Status.OPEN and moved.rights:
        prepare.make(connection, office, moved, Wish(), by=actor.id, now=now)
    return Done(ticket=tickets.by_id(connection, ticket.id), what="reopened")
