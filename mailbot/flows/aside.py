"""What can not be read is set aside for a person: a ticket to be looked at, with its clock and a notice (promise 2).

Two kinds: bytes that nothing here can deal with, kept with the ticket; and a message that its server holds and does not
give, of which a person is told where it lies. Neither is ever an answer to anybody but staff.
"""

import hashlib
from dataclasses import replace

from mailbot.core.classify import Kind, Verdict
from mailbot.core.message import Message
from mailbot.flows.arrival import Arrival, Judged, Reading, What
from mailbot.flows.office import Office
from mailbot.mail.own import keyed_hash

UNREADABLE = "unreadable"
ARRIVAL_UNKNOWN = "arrival_unknown"


def unreadable(office: Office, arrival: Arrival) -> Judged:
    """Bytes that break what reads them."""
    message = Message(flags=(UNREADABLE,), defects=(UNREADABLE,), size=arrival.size)
    return _set_aside(office, arrival, message, hashlib.sha256(arrival.raw).hexdigest(), arrival.internal_date)


def not_given(office: Office, reading: Reading, arrival: Arrival) -> Judged:
    """A message that the server does not give; its headers, if any came, tell a person which one it is."""
    message = reading.read(arrival.raw) if arrival.raw else Message()
    message = replace(message, flags=(*message.flags, UNREADABLE), defects=("not_given",), size=arrival.size)
    return _set_aside(office, arrival, message, arrival.folder, arrival.uidvalidity, arrival.uid)


def _set_aside(office: Office, arrival: Arrival, message: Message, *marks: object) -> Judged:
    """`marks` are what it is known again by."""
    return Judged(
        what=What.TICKET,
        arrival=arrival,
        message=message,
        hash=keyed_hash(office.key, UNREADABLE, *marks),
        verdict=Verdict(kind=Kind.UNSURE, flags=(UNREADABLE,), language="unknown"),
        flags=(UNREADABLE, *(() if arrival.dated else (ARRIVAL_UNKNOWN,))),
    )
