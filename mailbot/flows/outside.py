"""The human beside the bot answered by hand: staff are asked whether that was the answer (design 8).

It is seen by a flag on the message, by a mail in the Sent folder, or by staff mail in the thread. It never ends the
clock: only a person's word does.
"""

from datetime import datetime
from typing import Any

from mailbot.core.message import Message
from mailbot.core.ticket import RUNNING, Event
from mailbot.flows.arrival import Judged, Reading
from mailbot.flows.news import tell_news
from mailbot.flows.office import Office
from mailbot.flows.opening import store_message
from mailbot.mail.own import origin
from mailbot.store import audit, cursors, messages, tickets
from mailbot.store.database import Connection
from mailbot.store.tickets import Ticket


def answered_outside(connection: Connection, office: Office, judged: Judged, now: datetime) -> None:
    """Staff wrote to the requester in the thread of a ticket: the mail is kept, and they are asked."""
    ticket = tickets.by_id(connection, judged.ticket_id or 0, lock=True)
    store_message(connection, judged, ticket.id, "outside")
    suspect_outside_answer(connection, office, ticket, now)


def suspect_outside_answer(connection: Connection, office: Office, ticket: Ticket, now: datetime) -> None:
    """Staff seem to have answered from their own mail program: they are asked, and the clock runs on (design 8)."""
    if ticket.status not in RUNNING or ticket.outside_suspected:
        return
    moved = tickets.move(connection, ticket, Event.ANSWERED_OUTSIDE_SUSPECTED)
    moved = tickets.change(connection, moved, outside_suspected=True)
    audit.append(
        connection, now=now, event=Event.ANSWERED_OUTSIDE_SUSPECTED.value, actor="mailbot", reference=ticket.reference
    )
    tell_news(connection, office, moved, ["outside_suspected"], now)


def flagged(office: Office, ticket_id: int, now: datetime) -> None:
    """A message of a ticket carries \\Answered: its human has replied from a mail program (design 8)."""
    with office.database.write() as connection:
        ticket = tickets.by_id(connection, ticket_id, lock=True)
        if not ticket.outside_denied:
            suspect_outside_answer(connection, office, ticket, now)


def sent(office: Office, reading: Reading, folder: str, uidvalidity: int, fetched: Any, now: datetime) -> None:
    """A mail that the human sent: to a requester or in a ticket's thread it raises the question to staff."""
    message = reading.read(fetched.raw)
    with office.database.write() as connection:
        sent_by_hand(connection, office, message, fetched.internal_date or message.date or now, now)
        cursors.put(connection, folder, uidvalidity, fetched.uid, now)


def sent_by_hand(connection: Connection, office: Office, message: Message, sent_at: datetime, now: datetime) -> None:
    """A mail in the human's Sent folder to a requester, or in a running ticket's thread, is perhaps the answer."""
    if origin(office.key, message) is not None:
        return
    numbers = set(messages.tickets_of_ids(connection, (*message.in_reply_to, *message.references)))
    for address in (*message.to, *message.cc):
        numbers |= {ticket.id for ticket in tickets.find(connection, statuses=RUNNING, address=address.address)}
    for number in sorted(numbers):
        ticket = tickets.by_id(connection, number, lock=True)
        if sent_at >= ticket.received_at and not ticket.outside_denied:
            suspect_outside_answer(connection, office, ticket, now)
