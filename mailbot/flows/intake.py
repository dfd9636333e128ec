"""A message becomes a ticket, a follow-up, a bounce, a staff command, or nothing.

First it is considered (reading only): whose mail it is, what it belongs to, what it asks. Then, if it matters, one
transaction writes everything that follows: message, ticket, drafts, staff notice, audit entry, and the poller's cursor.
Staff mail is judged before request classification. In doubt a person looks: nothing that may be a request is dropped.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from mailbot.core import one_time
from mailbot.core.classify import Kind, Verdict
from mailbot.core.deadline import ReceiptNote, received_instant
from mailbot.core.message import Address, Message
from mailbot.core.rights import Channel, Right
from mailbot.core.staff import StaffMember, by_address
from mailbot.core.ticket import ENDED, RUNNING, Event, Status
from mailbot.flows import canary, clock, notify, own_mail, prepare, staff_mail
from mailbot.flows.decide import back_to_drafted
from mailbot.flows.deliver import reply_lost
from mailbot.flows.office import Office
from mailbot.mail.authenticity import Authenticity, trusted_received
from mailbot.mail.authenticity import judge as judge_authenticity
from mailbot.mail.automatic import CERTAIN, Bounce, bounced
from mailbot.mail.own import Origin, keyed_hash, origin, origin_of
from mailbot.mail.parse import HUMAN_MUST_LOOK
from mailbot.mail.thread import reply_references
from mailbot.store import audit, cursors, messages, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.outbox import Outgoing
from mailbot.store.tickets import Ticket

TEXT_CHARACTERS = 100_000  # of the writer's words kept beside the raw bytes
LOOK_FLAGS = HUMAN_MUST_LOOK - {"empty"}  # a mail of nothing at all asks for nothing
WAITING = frozenset({Status.AWAITING_IDENTITY, Status.AWAITING_REQUESTER})  # a question to the requester is open
FOLLOW_UP_NOTICES = 5  # notices an hour of what comes to one ticket; the rest is kept and told by the last of them


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
    internal_date: datetime  # aware
    size: int
    whole: bool = True  # False: the bytes of its files were not fetched


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
        arrival.internal_date.timestamp(),
    )


def consider(connection: Connection, office: Office, reading: Reading, arrival: Arrival) -> Judged:
    """What a message is; reads the database and changes nothing. Never raises for any bytes."""
    message = reading.read(arrival.raw)
    known = {"arrival": arrival, "message": message, "hash": hash_of(office, message, arrival)}
    own = origin(office.key, message)
    if own is not None:
        return Judged(what=What.OWN, origin=own, **known)  # type: ignore[arg-type]
    if message.automatic == "bounce" and (came_back := _came_back(connection, office, message)):
        return Judged(what=What.BOUNCE, ticket_id=came_back.ticket_id, **known)  # type: ignore[arg-type]
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


def _came_back(connection: Connection, office: Office, message: Message) -> Outgoing | None:
    """The mail of ours that a bounce returns: by its Message-ID, by our mark where a relay rewrote that, or the newest
    reply that went to the recipient it names."""
    report = bounced(message)
    if report is None:
        return None
    marked = origin_of(office.key, report.origin)
    ids = [report.original_message_id, marked.message_id if marked else ""]
    ours = outbox.by_message_ids(connection, ids)
    if ours or report.original_message_id:
        return next(iter(ours), None)
    return outbox.newest_to(connection, report.recipient) if report.recipient else None


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
    if verdict.kind is Kind.NOT_REQUEST and not set(flags) & (LOOK_FLAGS | {"strange_reference"}):
        return Judged(what=What.NOTHING, verdict=verdict, **known)
    if message.automatic and verdict.kind is not Kind.REQUEST:
        return Judged(what=What.AUTOMATIC, verdict=verdict, **known)
    writer = _inner_writer(office, message) if member is not None else message.sender
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


def _repeats(connection: Connection, writer: Address | None, verdict: Verdict) -> int | None:
    """The running ticket of the same person that already holds all that this message asks for."""
    if writer is None or not writer.address or not verdict.rights:
        return None
    for ticket in tickets.find(connection, statuses=RUNNING, address=writer.address):
        if ticket.status is not Status.NEEDS_TRIAGE and set(verdict.rights) <= set(ticket.rights):
            return ticket.id
    return None


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
        _bounced(connection, office, judged, now)
    elif judged.what is What.OUTSIDE:
        _answered_outside(connection, office, judged, now)
    elif judged.what is What.FOLLOW_UP:
        return _follow_up(connection, office, judged, now)
    elif judged.what is What.TICKET:
        open_ticket(connection, office, judged, now)
        return True
    return False


def _is_copy(connection: Connection, judged: Judged) -> bool:
    """True for a message that a ticket already holds: delivered twice, or copied to another place with a new date."""
    message = judged.message
    sender = message.sender.address if message.sender else ""
    return messages.has_copy(
        connection, message_id=message.message_id, sender=sender, subject=message.subject, text=_words(message)
    )


def _words(message: Message) -> str:
    """What the writer wrote and passed on, as a ticket keeps it."""
    words = message.visible_text
    if message.forwarded_text:
        words = f"{words}\n\n{message.forwarded_text}".strip("\n")
    return words[:TEXT_CHARACTERS]


def _own(connection: Connection, judged: Judged, now: datetime) -> None:
    own = judged.origin
    assert own is not None  # What.OWN
    if own.kind == "canary":
        canary.arrived(connection, own, now)
    elif own.rewritten:
        outbox.alias(connection, outbox.hashed(own.message_id), judged.message.message_id)


def _bounced(connection: Connection, office: Office, judged: Judged, now: datetime) -> None:
    report, found = bounced(judged.message), _came_back(connection, office, judged.message)
    if not report or not found or not _is_final(report):
        return
    mail, reason = outbox.by_id(connection, found.id, lock=True), report.diagnostic or report.status
    if mail.audience == "data_subject":
        if mail.state != "failed":  # a second report about the same mail tells nothing new
            reply_lost(connection, office, mail, reason, now, Event.REPLY_BOUNCED)
            outbox.end(connection, mail.id, "failed", now)
        _store(connection, judged, judged.ticket_id or 0, "bounce")
    elif mail.state != "failed":
        outbox.end(connection, mail.id, "failed", now)
        audit.append(connection, now=now, event="staff_bounce", actor="mailbot", details={"reason": reason})
        own_mail.staff_unreachable(connection, office, mail.recipient, reason, now)
        own_mail.alarm(connection, office, f"mail to staff {mail.recipient} comes back: {reason}", now=now)


def _is_final(report: Bounce) -> bool:
    """True when the server will not try again (RFC 3464 2.3.3, RFC 3463 2)."""
    return report.action in ("", "failed") and not report.status.startswith("4")


def _answered_outside(connection: Connection, office: Office, judged: Judged, now: datetime) -> None:
    ticket = tickets.by_id(connection, judged.ticket_id or 0, lock=True)
    _store(connection, judged, ticket.id, "outside")
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
    _tell(connection, office, moved, ["outside_suspected"], now)


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


def _follow_up(connection: Connection, office: Office, judged: Judged, now: datetime) -> bool:
    """A message in the thread of a ticket: an answer, thanks, a complaint, a repetition.

    If it asks for more it is a ticket of its own, linked, with its own receipt (law 2.7), and ends an open question all
    the same. True when a ticket was opened.
    """
    ticket = tickets.by_id(connection, judged.ticket_id or 0, lock=True)
    ended = ticket.status in {*ENDED, Status.ANSWERED}
    asked = _asked(judged.verdict, by_rules=not ended)
    more = bool(asked) and (ended or bool(asked - set(ticket.rights))) and ticket.status is not Status.NEEDS_TRIAGE
    if not more or ticket.status in WAITING:
        _attach(connection, office, judged, ticket, now)
    if more:
        open_ticket(connection, office, judged, now, linked_to=ticket.id)
    return more


def _asked(verdict: Verdict | None, *, by_rules: bool) -> set[Right]:
    """The rights a message asks for. In a running matter a fact like "my customer number is 4711" reads like a wish to
    the second reader, so there a rule must have said it too; the message reaches staff in any case."""
    if verdict is None or verdict.kind is not Kind.REQUEST:
        return set()
    said = {item.right for item in verdict.evidence if item.rule != "second_reader"}
    return {right for right in verdict.rights if not by_rules or right in said}


def _attach(connection: Connection, office: Office, judged: Judged, ticket: Ticket, now: datetime) -> None:
    _store(connection, judged, ticket.id, "follow_up")
    waiting = ticket.status in WAITING
    if waiting:
        tickets.answer_questions(connection, ticket.id, _received(office, judged, now)[0])
        moved = tickets.move(connection, ticket, Event.REQUESTER_ANSWERED)
        ticket = back_to_drafted(connection, clock.rewrite(connection, office, moved))
    audit.append(
        connection,
        now=now,
        event=Event.REQUESTER_ANSWERED.value if waiting else "message_received",
        actor="requester",
        reference=ticket.reference,
    )
    _tell_of_follow_up(connection, office, judged, ticket, now)


def _tell_of_follow_up(connection: Connection, office: Office, judged: Judged, ticket: Ticket, now: datetime) -> None:
    """Staff see what was written; a machine that writes without end, whatever its headers say, gets few notices."""
    sender = judged.message.sender.address if judged.message.sender else ""
    name = f"follow-ups of {ticket.reference}"
    told = outbox.answers_between(connection, name, now - timedelta(hours=1), now)
    if told >= FOLLOW_UP_NOTICES:
        return
    outbox.note_answer(connection, name, ticket.reference, now)
    known = sender.lower() == ticket.requester_address.lower() or judged.forwarded_by is not None
    news = ["follow_up" if known else "follow_up_other"]
    if told == FOLLOW_UP_NOTICES - 1:
        news.append("follow_up_last")
    _tell(connection, office, ticket, news, now, address=sender, flags=judged.message.flags)


def _tell(
    connection: Connection,
    office: Office,
    ticket: Ticket,
    news: Sequence[str],
    now: datetime,
    *,
    address: str = "",
    flags: Sequence[str] = (),
) -> None:
    """A notice about an open ticket with what is new in its first warnings."""
    for person in notify.reached(office, now):
        words = office.texts.words(person.language)["staff"]
        lines = [str(words["news"][one]).format(address=address) for one in news]
        lines += [str(words["flags"][flag]) for flag in flags if flag in LOOK_FLAGS and flag not in ticket.flags]
        facts = notify.ticket_facts(connection, office, ticket, person, now)
        warnings = list(dict.fromkeys([*lines, *facts["warnings"]]))
        notify.tell(connection, office, ticket, "notice", now=now, to=[person], facts={"warnings": warnings})


def open_ticket(
    connection: Connection, office: Office, judged: Judged, now: datetime, *, linked_to: int | None = None
) -> Ticket:
    """A new ticket with its message, requests, dates, drafts, and the notice to staff."""
    message, verdict = judged.message, judged.verdict
    assert verdict is not None  # What.TICKET and What.FOLLOW_UP were judged
    received_at, notes = _received(office, judged, now)
    requester = _requester(office, judged)
    flags = list(dict.fromkeys([*judged.flags, *verdict.flags, *(note.value for note in notes)]))
    if judged.forwarded_by is not None:
        flags.append("forwarded")
    if requester is None:
        flags.append("no_sender")
    sure = verdict.kind is Kind.REQUEST and requester is not None and bool(verdict.rights)
    sure = sure and not set(judged.flags) & {"from_ourselves", "from_staff", "automatic", "strange_reference"}
    rights = tuple(right for right in Right if right in verdict.rights)
    proof = judge_authenticity(message, office.options.authserv_id)
    reply_to = next((item.address for item in message.reply_to if requester and item.address != requester.address), "")
    deadline = clock.reckon(office, received_at, rights)
    ticket = tickets.add(
        connection,
        {
            "reference": tickets.next_reference(
                connection, office.controller.reference_prefix, clock.today(office, now).year
            ),
            "status": (Status.OPEN if sure else Status.NEEDS_TRIAGE).value,
            "language": _language(office, verdict),
            "channel": Channel.EMAIL.value,
            "requester_name": requester.name if requester else "",
            "requester_address": requester.address if requester else "",
            "reply_to": reply_to if not judged.forwarded_by else "",
            "received_at": received_at,
            "opened_at": now,
            "flags": flags,
            "evidence": [asdict(item) for item in verdict.evidence],
            "rules_version": verdict.rules_version,
            "authenticity": _proof(proof),
            "linked_to": linked_to,
            **clock.columns(deadline),
        },
        rights,
    )
    _store(connection, judged, ticket.id, "request")
    audit.append(
        connection,
        now=now,
        event="opened",
        actor="mailbot",
        reference=ticket.reference,
        details={"verdict": verdict.kind.value, "rights": list(rights), "rules": verdict.rules_version,
                 "received_at": received_at, "due_on": ticket.due_on},
    )  # fmt: skip
    if sure:
        ticket = prepare.first_drafts(connection, office, ticket, now)
    announce(connection, office, ticket, now)
    return ticket


def announce(connection: Connection, office: Office, ticket: Ticket, now: datetime) -> None:
    """The notice of a new ticket; above the cap it waits for the merged one, and is never dropped (promise 6)."""
    if tickets.noticed_between(connection, now - timedelta(hours=1), now) >= office.options.notices_per_hour:
        return
    notify.tell(connection, office, ticket, "notice", now=now)
    tickets.note_reminders(connection, ticket.id, [tickets.NOTICED], now)


def _proof(proof: Authenticity) -> list[str]:
    """What speaks for and against the sender, as codes: good results first, then what was wrong or missing."""
    good = [f"{name}_pass" for name in ("dmarc", "dkim", "spf") if getattr(proof, name) == "pass"]
    return [*good, *proof.notes]


def _requester(office: Office, judged: Judged) -> Address | None:
    """Who asks: the inner writer when staff forward, the sender otherwise; never a guess."""
    return _inner_writer(office, judged.message) if judged.forwarded_by is not None else judged.message.sender


def _inner_writer(office: Office, message: Message) -> Address | None:
    """Who wrote what staff forwarded; None when it names no address, or one of our own."""
    found = message.forward.sender if message.forward else None
    ours = office.own_addresses | {person.address.lower() for person in office.staff}
    return found if found is not None and found.address and found.address.lower() not in ours else None


def _language(office: Office, verdict: Verdict) -> str:
    return verdict.language if verdict.language not in ("", "unknown") else office.controller.language


def _received(office: Office, judged: Judged, now: datetime) -> tuple[datetime, Sequence[ReceiptNote]]:
    hops = trusted_received(judged.message, office.options.trusted_received)
    return received_instant(judged.arrival.internal_date, hops, now, date_header=judged.message.date)


def _store(connection: Connection, judged: Judged, ticket_id: int, kind: str) -> None:
    message, arrival = judged.message, judged.arrival
    words = _words(message)
    leaked = bool(outbox.tokens(connection, one_time.quoted(message.text), ()))  # a token is never at rest (design 8)
    messages.add(
        connection,
        {
            "ticket_id": ticket_id,
            "direction": "out" if kind == "outside" else "in",
            "kind": kind,
            "message_id": message.message_id,
            "references": list(reply_references(message)[1]),
            "from_name": message.sender.name if message.sender else "",
            "from_address": message.sender.address if message.sender else "",
            "subject": message.subject,
            "text": one_time.without(words[:TEXT_CHARACTERS]),
            "attachments": [{"name": a.name, "type": a.type, "bytes": a.size} for a in message.attachments],
            "received_at": arrival.internal_date,
            "date_at": message.date,
            "folder": arrival.folder,
            "uidvalidity": arrival.uidvalidity,
            "uid": arrival.uid,
            "hash": judged.hash,
            "flags": list(message.flags),
            "raw": None if leaked else arrival.raw,
        },
    )
