"""A message in the thread of a ticket: an answer, thanks, a complaint, a repetition, or a further request.

It ends an open question; what asks for more is a ticket of its own. Staff see what was written, and a machine that
writes without end gets few notices.
"""

from datetime import datetime, timedelta

from mailbot.core.classify import Kind, Verdict
from mailbot.core.rights import Right
from mailbot.core.ticket import ENDED, RUNNING, Event, Status
from mailbot.flows import clock, prepare
from mailbot.flows.arrival import Judged, received_of
from mailbot.flows.consider import LOOK_FLAGS, WITHDRAWAL
from mailbot.flows.decide import back_to_drafted
from mailbot.flows.news import tell_news
from mailbot.flows.office import Office
from mailbot.flows.opening import open_ticket, store_message
from mailbot.flows.plan import Wish
from mailbot.store import audit, drafts, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.tickets import Ticket

WAITING = frozenset({Status.AWAITING_IDENTITY, Status.AWAITING_REQUESTER})  # a question to the requester is open
FOLLOW_UP_NOTICES = 5  # notices an hour of what comes to one ticket; the rest is kept and told by the last of them


def follow_up(connection: Connection, office: Office, judged: Judged, now: datetime) -> bool:
    """A message in the thread of a ticket: an answer, thanks, a complaint, a repetition.

    If it asks for more it is a ticket of its own, linked, with its own receipt (law 2.7), and ends an open question all
    the same. True when a ticket was opened.
    """
    ticket = tickets.by_id(connection, judged.ticket_id or 0, lock=True)
    ended = ticket.status in {*ENDED, Status.ANSWERED}
    asked = _asked(judged.verdict, by_rules=not ended)
    if _takes_back(judged):
        asked -= set(ticket.rights)  # "I withdraw my request for erasure" asks for no erasure
    more = bool(asked) and (ended or bool(asked - set(ticket.rights))) and ticket.status is not Status.NEEDS_TRIAGE
    if not more or ticket.status in WAITING or _takes_back(judged):
        _attach(connection, office, judged, ticket, now)
    if more:
        shared = frozenset[Right]() if ended else frozenset(ticket.rights)  # those are answered in the first ticket
        open_ticket(connection, office, judged, now, linked_to=ticket.id, but=shared)
    return more


def _takes_back(judged: Judged) -> bool:
    """Whether the message reads as if a request were withdrawn; a person decides whether it is (law 7)."""
    return judged.verdict is not None and WITHDRAWAL in judged.verdict.flags


def _asked(verdict: Verdict | None, *, by_rules: bool) -> set[Right]:
    """The rights a message asks for. In a running matter a fact like "my customer number is 4711" reads like a wish to
    the second reader, so there a rule must have said it too; the message reaches staff in any case."""
    if verdict is None or verdict.kind is not Kind.REQUEST:
        return set()
    said = {item.right for item in verdict.evidence if item.rule != "second_reader"}
    return {right for right in verdict.rights if not by_rules or right in said}


def _anew(connection: Connection, office: Office, ticket: Ticket, now: datetime) -> None:
    """What waits for approval answers the newest message from now on (RFC 5322 3.6.4), as a new version."""
    if ticket.status in (Status.OPEN, Status.DRAFTED):
        for draft in drafts.pending(connection, ticket.id):
            current = tickets.by_id(connection, ticket.id)
            prepare.make(connection, office, current, Wish(kind=draft.kind), by="mailbot", now=now)


def _attach(connection: Connection, office: Office, judged: Judged, ticket: Ticket, now: datetime) -> None:
    store_message(connection, judged, ticket.id, "follow_up")
    waiting = ticket.status in WAITING
    if waiting:
        tickets.answer_questions(connection, ticket.id, received_of(office, judged, now)[0])
        moved = tickets.move(connection, ticket, Event.REQUESTER_ANSWERED)
        ticket = back_to_drafted(connection, clock.rewrite(connection, office, moved))
    audit.append(
        connection,
        now=now,
        event=Event.REQUESTER_ANSWERED.value if waiting else "message_received",
        actor="requester",
        reference=ticket.reference,
    )
    if _is_requester(judged, ticket):
        _anew(connection, office, ticket, now)
        ticket = tickets.by_id(connection, ticket.id)
    _tell_of_follow_up(connection, office, judged, ticket, now)


def _is_requester(judged: Judged, ticket: Ticket) -> bool:
    sender = judged.message.sender.address if judged.message.sender else ""
    return sender.lower() == ticket.requester_address.lower()


def _tell_of_follow_up(connection: Connection, office: Office, judged: Judged, ticket: Ticket, now: datetime) -> None:
    """Staff see what was written; a machine that writes without end, whatever its headers say, gets few notices."""
    sender = judged.message.sender.address if judged.message.sender else ""
    name = f"follow-ups of {ticket.reference}"
    told = outbox.answers_between(connection, name, now - timedelta(hours=1), now)
    if told >= FOLLOW_UP_NOTICES:
        return
    outbox.note_answer(connection, name, ticket.reference, now)
    known = _is_requester(judged, ticket) or judged.forwarded_by is not None
    news = [] if known else ["follow_up_other"]
    if _takes_back(judged) and ticket.status in RUNNING:
        news.append("withdrawal")
    elif known:
        news.append("follow_up")
    if told == FOLLOW_UP_NOTICES - 1:
        news.append("follow_up_last")
    flags = [flag for flag in judged.message.flags if flag in LOOK_FLAGS]
    tell_news(connection, office, ticket, news, now, address=sender, flags=flags)
