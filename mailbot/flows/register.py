"""A letter, a call or a visit becomes a ticket: the law asks for no form (EDPB 01/2022, 52-53), the clock is one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailbot.core.lines import one_line
from mailbot.core.message import ADDRESS
from mailbot.core.rights import Channel, Right
from mailbot.core.staff import Actor
from mailbot.core.ticket import Status
from mailbot.errors import BadInputError
from mailbot.flows import clock, prepare
from mailbot.flows.office import Office
from mailbot.store import audit, messages, tickets
from mailbot.store.database import Connection
from mailbot.store.tickets import Ticket

LANGUAGE = re.compile(r"[a-z]{2}")
NAME_CHARACTERS = 200


@dataclass(frozen=True, kw_only=True)
class Told:
    """What staff know of a request that did not come by e-mail."""

    channel: Channel
    received_at: datetime  # aware; an oral request is dated when it was spoken
    rights: Sequence[Right]
    name: str
    email: str = ""  # where the answer goes; "" for paper
    address: str = ""  # postal
    language: str = ""
    words: str = ""  # what was asked, as written down


def register(connection: Connection, office: Office, told: Told, actor: Actor, *, now: datetime) -> Ticket:
    """Opens the ticket with its dates and drafts.

    Raises BadInputError for a receipt in the future, no right, or nobody to answer to.
    """
    actor.must_draft()
    if told.received_at > now:
        raise BadInputError("the day of receipt lies in the future", "Give the day on which it arrived.")
    if not told.rights:
        raise BadInputError("no right is named", f"Give --right with one of: {', '.join(Right)}.")
    if not (told.email or told.address or told.channel in (Channel.COUNTER, Channel.PHONE)):
        raise BadInputError("there is nowhere to answer to", "Give --email or --address.")
    if told.email and not ADDRESS.fullmatch(told.email):
        raise BadInputError(f"{told.email!r} is not a mail address", "Write aino@example.org, or give --address.")
    if told.language and not LANGUAGE.fullmatch(told.language):
        raise BadInputError(f"{told.language!r} is not a language", "Give fi, sv, en, or another ISO 639-1 code.")
    rights = tuple(right for right in Right if right in set(told.rights))
    deadline = clock.reckon(office, told.received_at, rights)
    year = clock.today(office, now).year
    ticket = tickets.add(
        connection,
        {
            "reference": tickets.next_reference(connection, office.controller.reference_prefix, year),
            "status": Status.OPEN.value,
            "language": told.language or office.controller.language,
            "channel": told.channel.value,
            "requester_name": one_line(told.name, NAME_CHARACTERS),
            "requester_address": told.email,
            "postal_address": told.address,
            "received_at": told.received_at,
            "opened_at": now,
            **clock.columns(deadline),
        },
        rights,
    )
    if told.words:
        row = {"ticket_id": ticket.id, "direction": "in", "kind": "request", "from_name": told.name}
        messages.add(connection, {**row, "text": told.words, "received_at": told.received_at})
    details = {"channel": told.channel.value, "rights": list(rights), "received_at": told.received_at}
    audit.append(
        connection, now=now, event="registered", actor=actor.id, reference=ticket.reference, details=details
    )  # fmt: skip
    tickets.note_reminders(connection, ticket.id, [f"{tickets.NOTICED} {clock.today(office, now)}"], now)
    return prepare.first_drafts(connection, office, ticket, now)
