"""The dates of a ticket, reckoned from what is stored and written back in one place."""

from datetime import date, datetime

from mailbot.core.deadline import Deadline, Suspension, SuspensionKind, compute, local_date
from mailbot.core.rights import Right
from mailbot.core.ticket import Event
from mailbot.flows.office import Office
from mailbot.store import tickets
from mailbot.store.database import Connection
from mailbot.store.tickets import Question, Ticket


def today(office: Office, now: datetime) -> date:
    """The local day of a moment."""
    return local_date(now, office.zone)


def reckon(
    office: Office,
    received_at: datetime,
    rights: tuple[Right, ...],
    questions: tuple[Question, ...] = (),
    *,
    extended: bool = False,
) -> Deadline:
    """All dates of a request received at that moment."""
    return compute(
        received_at,
        office.zone,
        office.calendar,
        office.policy,
        extended=extended,
        suspensions=[_suspension(office, question) for question in questions if question.counted],
        rights=rights,
    )


def of_ticket(connection: Connection, office: Office, ticket: Ticket) -> Deadline:
    """All dates of a stored ticket."""
    return reckon(
        office,
        ticket.received_at,
        ticket.rights,
        tickets.questions(connection, ticket.id),
        extended=ticket.extended,
    )


def columns(deadline: Deadline) -> dict[str, object]:
    """The dates as the ticket's row keeps them."""
    return {
        "due_on": deadline.due_on,
        "target_on": deadline.target_on,
        "act_by_on": deadline.act_by_on,
        "one_month_on": deadline.one_month_on,
        "provisional": deadline.provisional,
        "explanations": {"long": dict(deadline.explanations), "short": dict(deadline.short)},
    }


def rewrite(connection: Connection, office: Office, ticket: Ticket) -> Ticket:
    """Reckons the dates anew after something that moves them, and writes them down."""
    return tickets.change(connection, ticket, **columns(of_ticket(connection, office, ticket)))


def _suspension(office: Office, question: Question) -> Suspension:
    kind = SuspensionKind.CLARIFICATION if question.kind == "clarification" else SuspensionKind.IDENTITY
    answered = local_date(question.answered_at, office.zone) if question.answered_at else None
    return Suspension(asked_on=local_date(question.sent_at, office.zone), answered_on=answered, kind=kind)


QUESTION_EVENTS = {
    "identity_question": Event.IDENTITY_ASKED,
    "authority_question": Event.AUTHORITY_ASKED,
    "clarification": Event.CLARIFICATION_ASKED,
}
