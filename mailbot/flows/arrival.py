"""A message as it arrived, and what it was judged to be: the values that intake works with.

Nothing is decided here but by what a message is known again, and which of its words a ticket keeps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from mailbot.core.classify import Verdict
from mailbot.core.deadline import ReceiptNote, received_instant
from mailbot.core.message import Address, Message
from mailbot.core.staff import StaffMember
from mailbot.flows.office import Office
from mailbot.mail.authenticity import trusted_received
from mailbot.mail.own import Origin, keyed_hash

TEXT_CHARACTERS = 100_000  # of the writer's words kept beside the raw bytes


class Reading(Protocol):
    """Bytes to a message and a message to a verdict."""

    @property
    def version(self) -> str: ...

    def warm(self) -> None: ...

    def read(self, raw: bytes) -> Message: ...

    def judge(self, message: Message) -> Verdict: ...


class What(StrEnum):
    """What a message turned out to be."""

    NOTHING = "not_request"
    OWN = "own"
    AUTOMATIC = "automatic"
    COMMAND = "command"
    BOUNCE = "bounce"
    FOLLOW_UP = "follow_up"
    OUTSIDE = "outside"  # staff seem to have answered by themselves
    TICKET = "ticket"


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A message as it lay in its folder."""

    folder: str
    uidvalidity: int
    uid: int
    raw: bytes = field(repr=False)
    internal_date: datetime  # aware; where the server does not say, the newest Received line or the moment of reading
    size: int
    whole: bool = True  # False: the bytes of its files were not fetched
    dated: bool = True  # False: the server did not say when it came


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A message and what is to be done with it."""

    what: What
    arrival: Arrival
    message: Message
    hash: str
    verdict: Verdict | None = None
    ticket_id: int | None = None  # what it belongs to
    origin: Origin | None = None
    forwarded_by: StaffMember | None = None
    attempt: bool = False  # somebody who is not staff used a token; the mail itself is read as any other
    flags: tuple[str, ...] = ()

    @property
    def matters(self) -> bool:
        """True when something has to be written about it beyond that it was seen."""
        if self.attempt:
            return True
        if self.what is What.OWN:
            return self.origin is not None and (self.origin.rewritten or self.origin.kind == "canary")
        return self.what not in (What.NOTHING, What.AUTOMATIC)


def hash_of(office: Office, message: Message, arrival: Arrival) -> str:
    """The keyed hash by which a message is recognised after its folder was renumbered or it was moved (promise 5)."""
    return keyed_hash(
        office.key,
        message.message_id,
        message.header("From"),
        message.header("Date"),
        message.header("Subject"),
        arrival.size,
        arrival.internal_date.timestamp() if arrival.dated else "",
    )


def words_of(message: Message) -> str:
    """What the writer wrote and passed on, as a ticket keeps it."""
    words = message.visible_text
    if message.forwarded_text:
        words = f"{words}\n\n{message.forwarded_text}".strip("\n")
    return words[:TEXT_CHARACTERS]


def inner_writer(office: Office, message: Message) -> Address | None:
    """Who wrote what staff forwarded; None when it names no address, or one of our own."""
    found = message.forward.sender if message.forward else None
    ours = office.own_addresses | {person.address.lower() for person in office.staff}
    return found if found is not None and found.address and found.address.lower() not in ours else None


def received_of(office: Office, judged: Judged, now: datetime) -> tuple[datetime, Sequence[ReceiptNote]]:
    """When the message was received, with what is to be said of that (law 3)."""
    hops = trusted_received(judged.message, office.options.trusted_received)
    return received_instant(judged.arrival.internal_date, hops, now, date_header=judged.message.date)
