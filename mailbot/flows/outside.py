"""The human beside the bot answered by hand: staff are asked whether that was the answer (design 8).

It is seen by a flag on the message, by a mail in the Sent folder, or by staff mail in the thread. It never ends the
clock: only a person's word does.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from mailbot.core.message import Message
from mailbot.core.ticket import RUNNING, Event
from mailbot.flows import clock
from mailbot.flows.arrival import Judged, Reading
from mailbot.flows.mailbox import Mailbox
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


def look_at_flags(office: Office, mailbox: Mailbox, folder: str, uidvalidity: int, now: datetime) -> None:
    """Messages of running tickets that carry \\Answered: their human has replied from a mail program (design 8)."""
    with office.database.read() as connection:
        placed = messages.placed(connection, folder, uidvalidity, [status.value for status in RUNNING])
    answered = mailbox.answered(sorted(placed)) if placed else frozenset()
    for uid in sorted(answered):
        with office.database.write() as connection:
            ticket = tickets.by_id(connection, placed[uid], lock=True)
            if not ticket.outside_denied:
                suspect_outside_answer(connection, office, ticket, now)


def look_at_sent(
    office: Office, mailbox: Mailbox, reading: Reading, name: str, clock_now: Callable[[], datetime]
) -> None:
    """What the human sent by hand: mail to a requester or in a ticket's thread raises the question to staff.

    Raises BadInputError for a folder that can not be opened.
    """
    state = mailbox.examine(name)
    with office.database.read() as connection:
        cursor = cursors.get(connection, name)
    after = cursor.last_uid if cursor and cursor.uidvalidity == state.uidvalidity else 0
    uids = mailbox.uids(after=after, since=None if after else clock.today(office, clock_now()) - timedelta(days=35))
    for fetched in mailbox.read(uids):
        message, now = reading.read(fetched.raw), clock_now()
        with office.database.write() as connection:
            sent_by_hand(connection, office, message, fetched.internal_date or now, now)
            cursors.put(connection, name, state.uidvalidity, fetched.uid, now)
    if not uids and cursor is None:
        with office.database.write() as connection:
            cursors.put(connection, name, state.uidvalidity, 0, clock_now())


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
