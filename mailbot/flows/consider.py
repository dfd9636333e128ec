"""What a message is: whose mail, what it belongs to, what it asks. Reads the database and changes nothing.

Mail of our own is known by its mark, staff mail is judged before request classification, and in doubt a person looks:
nothing that may be a request is dropped.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from mailbot.core.classify import Kind, Verdict
from mailbot.core.message import Address, Message
from mailbot.core.staff import StaffMember, by_address
from mailbot.core.ticket import RUNNING, Status
from mailbot.flows import prepare, staff_mail
from mailbot.flows.arrival import TEXT_CHARACTERS, Arrival, Judged, Reading, What, hash_of, inner_writer
from mailbot.flows.bounce import came_back
from mailbot.flows.office import Office
from mailbot.mail.automatic import CERTAIN
from mailbot.mail.own import keyed_hash, origin
from mailbot.mail.parse import HUMAN_MUST_LOOK
from mailbot.store import messages, outbox, tickets
from mailbot.store.database import Connection

WITHDRAWAL = "withdrawal"  # the flag of words that take a request back (rules/*.toml)
LOOK_FLAGS = HUMAN_MUST_LOOK - {"empty"}  # a mail of nothing at all asks for nothing


def consider(connection: Connection, office: Office, reading: Reading, arrival: Arrival) -> Judged:
    """What a message is; reads the database and changes nothing. Never raises for any bytes."""
    message = reading.read(arrival.raw)
    known = {"arrival": arrival, "message": message, "hash": hash_of(office, message, arrival)}
    own = origin(office.key, message)
    if own is not None:
        return Judged(what=What.OWN, origin=own, **known)  # type: ignore[arg-type]
    if message.automatic == "bounce" and (returned := came_back(connection, office, message)):
        return Judged(what=What.BOUNCE, ticket_id=returned.ticket_id, **known)  # type: ignore[arg-type]
    about_token = staff_mail.is_about_a_token(connection, message)
    if about_token and (message.automatic in CERTAIN or _member(office, message)):
        return _to_staff_mail(connection, office, message, known)
    if message.automatic in CERTAIN:
        return Judged(what=What.AUTOMATIC, **known)  # type: ignore[arg-type]
    judged = _from_a_person(connection, office, reading, message, known)
    if not about_token:
        return judged
    asks = judged.verdict is not None and judged.verdict.kind is not Kind.NOT_REQUEST
    what = judged.what if asks or judged.what is not What.TICKET else What.NOTHING
    return replace(judged, what=what, attempt=True)


def _member(office: Office, message: Message) -> StaffMember | None:
    """The active member of staff whose address a mail bears; one who has left is a person like any other."""
    found = by_address(office.staff, message.sender.address) if message.sender else None
    return found if found is not None and found.active else None


def _to_staff_mail(connection: Connection, office: Office, message: Message, known: dict[str, Any]) -> Judged:
    """A command; or, when staff wrote to the requester from the notice, an answer given outside.

    A command is recognised again by its words, so that its copy in a Sent folder is not obeyed a second time.
    """
    number = staff_mail.ticket_of(connection, message)
    if number is None and (reference := _reference(office, message)):  # an answer to a digest names its ticket
        named = tickets.maybe(connection, reference)
        number = named.id if named else None
    if number is not None and not message.automatic:
        requester = tickets.by_id(connection, number).requester_address.lower()
        if requester in _recipients(message) - office.own_addresses - {""}:
            return Judged(what=What.OUTSIDE, ticket_id=number, **known)
    words = (message.message_id, message.header("From"), message.header("Date"), message.text)
    again = {**known, "hash": keyed_hash(office.key, "command", *words)}
    return Judged(what=What.COMMAND, ticket_id=number, **again)


def _recipients(message: Message) -> frozenset[str]:
    return frozenset(one.address.lower() for one in (*message.to, *message.cc))


def _from_a_person(
    connection: Connection, office: Office, reading: Reading, message: Message, known: dict[str, Any]
) -> Judged:
    sender = message.sender.address.lower() if message.sender else ""
    member = _member(office, message)
    thread = _thread(connection, office, message, sender, member)
    if member is not None and message.forward is None:
        return _from_staff(office, reading, message, sender, thread, known)
    if thread.ticket is not None:
        return Judged(
            what=What.FOLLOW_UP, ticket_id=thread.ticket, verdict=reading.judge(message), flags=thread.flags, **known
        )
    verdict = reading.judge(message)
    flags = [*thread.flags, *(flag for flag in message.flags if flag in LOOK_FLAGS and not message.automatic)]
    if sender in office.own_addresses and member is None:
        flags.append("from_ourselves")
    if message.automatic:
        flags.append("automatic")
    writer = inner_writer(office, message) if member is not None else message.sender
    taken_back = _takes_back(connection, writer, verdict)
    if taken_back is not None and not message.automatic:
        return Judged(what=What.FOLLOW_UP, ticket_id=taken_back, verdict=verdict, flags=tuple(flags), **known)
    if verdict.kind is Kind.NOT_REQUEST and not set(flags) & (LOOK_FLAGS | {"strange_reference"}):
        return Judged(what=What.NOTHING, verdict=verdict, **known)
    if message.automatic and verdict.kind is not Kind.REQUEST:
        return Judged(what=What.AUTOMATIC, verdict=verdict, **known)
    repeated = _repeats(connection, writer, verdict)
    if repeated is not None:
        return Judged(what=What.FOLLOW_UP, ticket_id=repeated, verdict=verdict, flags=tuple(flags), **known)
    return Judged(what=What.TICKET, verdict=verdict, forwarded_by=member, flags=tuple(flags), **known)


@dataclass(frozen=True, kw_only=True)
class _Thread:
    ticket: int | None = None
    flags: tuple[str, ...] = ()


def _thread(
    connection: Connection, office: Office, message: Message, sender: str, member: StaffMember | None
) -> _Thread:
    """The ticket a message belongs to: by our Message-ID, or by its reference or thread from an address it knows."""
    ids = (*message.in_reply_to, *message.references)
    ours = [
        mail for mail in outbox.by_message_ids(connection, ids) if mail.audience == "data_subject" and mail.ticket_id
    ]
    if ours:
        return _Thread(ticket=ours[0].ticket_id)
    for number in messages.tickets_of_ids(connection, ids):
        if member is not None or sender in _addresses(connection, number):
            return _Thread(ticket=number)
    reference = _reference(office, message)
    if reference is None:
        return _Thread()
    found = tickets.maybe(connection, reference)
    if found is None:
        return _Thread()
    if member is not None or sender in _addresses(connection, found.id):
        return _Thread(ticket=found.id)
    return _Thread(flags=("strange_reference",))  # a stranger names a ticket: a person looks, it never goes in


def _addresses(connection: Connection, number: int) -> frozenset[str]:
    ticket = tickets.by_id(connection, number)
    known = {
        item.from_address.lower() for item in messages.of_ticket(connection, number) if item.kind in prepare.REQUESTERS
    }
    return frozenset(known | {ticket.requester_address.lower()}) - {""}


def _reference(office: Office, message: Message) -> str | None:
    """A reference of ours in the subject or the writer's own words."""
    pattern = rf"\b{re.escape(office.controller.reference_prefix)}-(?:19|20)\d\d-\d{{4,9}}\b"
    found = re.search(pattern, f"{message.subject}\n{message.visible_text}"[:TEXT_CHARACTERS], re.IGNORECASE)
    return found[0].upper() if found else None


def _from_staff(
    office: Office, reading: Reading, message: Message, sender: str, thread: _Thread, known: dict[str, Any]
) -> Judged:
    """Mail that staff wrote without a token and without forwarding anything.

    In the thread of a ticket it is an answer given outside, or, when it went to nobody but us, a command that proves
    nothing: it is answered, and if somebody forged the address, the person whose it is hears of it.
    """
    if thread.ticket is not None:
        ours = office.own_addresses | {person.address.lower() for person in office.staff}
        only_to_us = bool(_recipients(message)) and _recipients(message) <= ours
        return Judged(what=What.COMMAND if only_to_us else What.OUTSIDE, ticket_id=thread.ticket, **known)
    if sender in office.own_addresses or message.automatic:
        return Judged(what=What.NOTHING, **known)  # what they send themselves is nobody's request (design 8)
    verdict = reading.judge(message)
    if verdict.kind is Kind.NOT_REQUEST:
        return Judged(what=What.NOTHING, verdict=verdict, **known)
    return Judged(what=What.TICKET, verdict=verdict, flags=("from_staff",), **known)


def _takes_back(connection: Connection, writer: Address | None, verdict: Verdict) -> int | None:
    """The newest running ticket of a person who takes a request back in a mail of its own, without any thread."""
    if WITHDRAWAL not in verdict.flags or writer is None or not writer.address:
        return None
    found = tickets.find(connection, statuses=RUNNING, address=writer.address)
    return found[-1].id if found else None


def _repeats(connection: Connection, writer: Address | None, verdict: Verdict) -> int | None:
    """The running ticket of the same person that already holds all that this message asks for."""
    if writer is None or not writer.address or not verdict.rights:
        return None
    for ticket in tickets.find(connection, statuses=RUNNING, address=writer.address):
        if ticket.status is not Status.NEEDS_TRIAGE and set(verdict.rights) <= set(ticket.rights):
            return ticket.id
    return None
