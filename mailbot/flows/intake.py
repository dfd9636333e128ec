"""A message becomes a ticket, a follow-up, a bounce, a staff command, or nothing.

First it is considered (`consider.py`, reading only). Then, if it matters, one transaction writes everything that
follows: message, ticket, drafts, staff notice, audit entry, and the poller's cursor.
"""

from datetime import datetime

from mailbot.flows import canary, staff_mail
from mailbot.flows.arrival import Judged, What, words_of
from mailbot.flows.bounce import mail_came_back
from mailbot.flows.follow_up import follow_up
from mailbot.flows.office import Office
from mailbot.flows.opening import open_ticket
from mailbot.flows.outside import answered_outside
from mailbot.store import cursors, messages, outbox
from mailbot.store.database import Connection


def act(connection: Connection, office: Office, judged: Judged, *, commands: staff_mail.Reader, now: datetime) -> bool:
    """Everything that follows from a message, in the caller's transaction; True when a ticket was opened.

    A message that lay elsewhere before (its folder was renumbered, it was moved or copied) only gets its new place.
    """
    arrival = judged.arrival
    if messages.has_hash(connection, judged.hash):
        messages.move_place(connection, judged.hash, arrival.folder, arrival.uidvalidity, arrival.uid)
        return False
    if judged.what in (What.TICKET, What.FOLLOW_UP) and _is_copy(connection, judged):
        return False
    if judged.attempt and not cursors.known(connection, [judged.hash]):
        staff_mail.obey(connection, office, judged.message, commands, now=now, raw=arrival.raw)  # refuses it
    if judged.what is What.OWN:
        _own(connection, judged, now)
    elif judged.what is What.COMMAND:
        if cursors.known(connection, [judged.hash]):
            staff_mail.copied(connection, judged.message, now)
        else:
            oversize = arrival.size if "oversize" in judged.flags else 0
            staff_mail.obey(
                connection, office, judged.message, commands,
                now=now, ticket_id=judged.ticket_id, raw=arrival.raw, oversize=oversize,
            )  # fmt: skip
    elif judged.what is What.BOUNCE:
        mail_came_back(connection, office, judged, now)
    elif judged.what is What.OUTSIDE:
        answered_outside(connection, office, judged, now)
    elif judged.what is What.FOLLOW_UP:
        return follow_up(connection, office, judged, now)
    elif judged.what is What.TICKET:
        open_ticket(connection, office, judged, now)
        return True
    return False


def _is_copy(connection: Connection, judged: Judged) -> bool:
    """True for a message that a ticket already holds: delivered twice, or copied to another place with a new date."""
    message = judged.message
    sender = message.sender.address if message.sender else ""
    return messages.has_copy(
        connection, message_id=message.message_id, sender=sender, subject=message.subject, text=words_of(message)
    )


def _own(connection: Connection, judged: Judged, now: datetime) -> None:
    own = judged.origin
    assert own is not None  # What.OWN
    if own.kind == "canary":
        canary.arrived(connection, own, now)
    elif own.rewritten:
        outbox.alias(connection, outbox.hashed(own.message_id), judged.message.message_id)
