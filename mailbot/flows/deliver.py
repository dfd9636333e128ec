"""The outbox is sent, retried, or handed to a human.

At least once, always the same bytes under the same Message-ID, as every mail server does it (RFC 5321 4.5.3.2.6): one
transaction writes the attempt, then the network, a second one writes the result. An attempt without a result belongs to
a sender that died; its mail is due again at once, and only failures that a server answered count for the back-off.
Before every attempt to a data subject the approval's fingerprint and the digest of the bytes are computed anew. A reply
goes alone; small mail to staff goes in groups that share their two transactions, until one of a group was interrupted.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from mailbot.core.draft import DraftKind, DraftState, fingerprint
from mailbot.core.rights import Outcome
from mailbot.core.staff import by_address
from mailbot.core.ticket import Event, Status
from mailbot.errors import IllegalMoveError, TryLaterError
from mailbot.flows import clock, notify, own_mail
from mailbot.flows.decide import back_to_drafted
from mailbot.flows.duties import SERVER_AWAY
from mailbot.flows.office import Office
from mailbot.store import audit, cursors, drafts, messages, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft
from mailbot.store.outbox import Outgoing, Waiting
from mailbot.store.tickets import Ticket

OF_THE_MAIL = ("accepted", "deferred", "refused")  # results that say nothing about the next mail
# When a mail is tried again after its n-th answered failure; the last line holds until GIVE_UP.
BACK_OFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
)
GIVE_UP = timedelta(days=5)  # RFC 5321 4.5.4.1: at least 4-5 days
UNREACHABLE_PAUSE = timedelta(minutes=2)  # the server is away: not the mail's fault, nothing is counted
FREE_REPEATS = 3  # attempts in a row without a recorded result; after these something eats the records, not a crash
GROUP = 10  # mails to staff that share two transactions: so many may come twice after a power cut, a reply only once
GROUP_BYTES = 512 * 1024  # together
WARN_BEFORE = timedelta(days=1)  # an alarm when a reply is still unsent so shortly before its due date


class Sent(Protocol):
    """What the transport answers: accepted, deferred, refused, dropped, unreachable or not_permitted."""

    @property
    def result(self) -> str: ...

    @property
    def answer(self) -> str: ...

    @property
    def after_s(self) -> float: ...


class Transport(Protocol):
    """Hands one mail to a server; never raises for what a server does."""

    def send(self, sender: str, recipient: str, raw: bytes) -> Sent: ...


@dataclass(kw_only=True)
class Round:
    """What one round did."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    stopped: str = ""  # why the round ended early: the server is away, the login is refused
    not_permitted: bool = False  # it was the login: no waiting cures that
    after_s: float = 0.0  # for how many seconds a server that stopped it asked to be left alone
    waiting: int = 0


def deliver(office: Office, transport: Transport, *, now: datetime, go_on: Callable[[], bool] = lambda: True) -> Round:
    """Sends all that is due, mail to data subjects first. One sender at a time on SQLite, several on PostgreSQL.

    `go_on` is asked before each mail; from its first no on the rest stays queued as it is.
    Raises TryLaterError when another sender holds the outbox of a SQLite database.
    """
    done = Round()
    whole = office.database.exclusively("deliver") if office.database.is_sqlite else nullcontext()
    with whole:
        last: Waiting | None = None
        while not done.stopped and go_on() and (group := _next(office, last, now)):
            last = group[-1]
            with _alone(office, last) as free:
                if free:
                    _attempt(office, transport, group, done, now, go_on)
    with office.database.read() as connection:
        done.waiting = outbox.waiting(connection)
    _note_how_the_server_is(office, done, now)
    return done


def _note_how_the_server_is(office: Office, done: Round, now: datetime) -> None:
    """Since when no mail leaves at all, for the canary to judge; a mail that was put off by itself says nothing."""
    if not (done.stopped or done.sent or done.deferred or done.failed):
        return
    with office.database.write() as connection:
        cursors.note_change(connection, SERVER_AWAY, "yes" if done.stopped else "", now)


def _next(office: Office, after: Waiting | None, now: datetime) -> tuple[Waiting, ...]:
    """The mails that are tried together. Where senders share a database each mail is held, and tried, by itself."""
    with office.database.read() as connection:
        found = outbox.due(connection, now, after=after, limit=GROUP if office.database.is_sqlite else 1)
    group: list[Waiting] = []
    for mail in found:
        by_itself = mail.audience == "data_subject" or mail.repeated > 0
        if group and (by_itself or sum(item.size for item in group) + mail.size > GROUP_BYTES):
            break
        group.append(mail)
        if by_itself:
            break
    return tuple(group)


@contextmanager
def _alone(office: Office, mail: Waiting) -> Iterator[bool]:
    """Holds one mail against other senders (PostgreSQL); False when another has it. Death lets go of it."""
    if office.database.is_sqlite:
        yield True
        return
    try:
        with office.database.exclusively(f"outbox {mail.id}"):
            yield True
    except TryLaterError:
        yield False


@dataclass(frozen=True, kw_only=True)
class _Started:
    """An attempt that was written down."""

    mail: Outgoing
    attempt: int


def _attempt(
    office: Office,
    transport: Transport,
    group: Sequence[Waiting],
    done: Round,
    now: datetime,
    go_on: Callable[[], bool],
) -> None:
    """Tries the mails of a group one after the other; `go_on` is asked between two of them."""
    with office.database.write() as connection:
        every = [_start(connection, office, mail.id, done, now) for mail in group]
    started = [one for one in every if one is not None]
    answers: list[Sent] = []
    touched = 0  # mails that the network has seen something of
    try:
        for one in started:
            if answers and (answers[-1].result not in OF_THE_MAIL or not go_on()):
                break
            assert one.mail.raw is not None  # _start() looked
            touched += 1
            answers.append(transport.send(one.mail.sender, one.mail.recipient, one.mail.raw))
    finally:  # whatever ended it (Ctrl-C, an error): what a server answered is known, and is not sent again
        _write_down(office, started, answers, touched, done, now)


def _write_down(
    office: Office, started: Sequence[_Started], answers: Sequence[Sent], touched: int, done: Round, now: datetime
) -> None:
    """The results that are known; an attempt without one stays only for the mail that was on its way."""
    if not started:
        return
    with office.database.write() as connection:
        for one, sent in zip(started, answers, strict=False):
            _finish(connection, office, one, sent, done, now)
        for one in started[touched:]:
            outbox.take_back(connection, one.attempt)


def _start(connection: Connection, office: Office, number: int, done: Round, now: datetime) -> _Started | None:
    """Writes an attempt down before the network is touched; None for a mail that may not leave, or no longer waits."""
    mail = outbox.take(connection, number, now)
    if mail is None or mail.raw is None:
        return None
    if wrong := _tampered(connection, mail):
        _refuse_to_send(connection, office, mail, wrong, now)
        done.failed += 1
        return None
    _pause_when_nothing_is_recorded(connection, mail, now)
    attempt = outbox.begin_attempt(connection, mail.id, now)
    if mail.audience == "data_subject":
        _write(connection, mail, "delivery_attempted", now, {"attempt": attempt})
    return _Started(mail=mail, attempt=attempt)


def _finish(connection: Connection, office: Office, one: _Started, sent: Sent, done: Round, now: datetime) -> None:
    """Writes the result of an attempt, and what it leads to."""
    state = outbox.state_of(connection, one.mail.id)
    outbox.end_attempt(connection, one.attempt, result=str(sent.result), answer=sent.answer, now=now)
    if state == "queued" or sent.result == "accepted":  # cancelled meanwhile: only what left is told
        _record(connection, office, replace(one.mail, state=state), sent, done, now)


def _pause_when_nothing_is_recorded(connection: Connection, mail: Outgoing, now: datetime) -> None:
    """The next retry, written before the network is touched.

    A sender that died is made good at once. But where result after result can not be written (a disk that is all but
    full takes the attempt and not what follows from it), the same reply would reach a person every few seconds.
    """
    lost = outbox.unrecorded(connection, mail.id) - FREE_REPEATS
    if lost >= 0:
        outbox.defer(connection, mail.id, now + BACK_OFF[min(lost, len(BACK_OFF) - 1)], answered_failure=False)


def _tampered(connection: Connection, mail: Outgoing) -> str:
    """Why a mail may not leave, "" when it may: the bytes and the approval must be what was approved (promise 1)."""
    if mail.raw is None or hashlib.sha256(mail.raw).hexdigest() != mail.sha256:
        return "the queued bytes are not what was approved"
    if mail.audience != "data_subject":
        return ""
    assert mail.draft_id is not None  # CHECK ck_outbox_approved
    assert mail.approval_id is not None
    approval = drafts.approval_by_id(connection, mail.approval_id)
    draft = drafts.by_id(connection, mail.draft_id)
    if approval.withdrawn_at is not None or approval.only_first or approval.draft_id != draft.id:
        return "the approval was taken back"
    if fingerprint(draft.content()) != approval.fingerprint or mail.fingerprint != approval.fingerprint:
        return "the draft is not what was approved"
    if mail.recipient != draft.recipient:
        return "the recipient is not who was approved"
    return ""


def _record(connection: Connection, office: Office, mail: Outgoing, sent: Sent, done: Round, now: datetime) -> None:
    """What an attempt's result leads to."""
    if sent.result == "accepted":
        done.sent += 1
        outbox.accepted(connection, mail, now)
        if mail.audience == "data_subject":
            _after_sending(connection, office, mail, now)
    elif sent.result == "refused":
        done.failed += 1
        _give_up(connection, office, mail, sent.answer, now)
    elif sent.result == "deferred":
        done.deferred += 1
        _defer(connection, office, mail, sent.answer, now)
    else:  # dropped, unreachable, not_permitted: the server's trouble, every other mail would meet it too
        done.deferred += 1
        done.stopped, done.after_s = sent.answer, sent.after_s
        done.not_permitted = sent.result == "not_permitted"
        outbox.defer(connection, mail.id, now + UNREACHABLE_PAUSE, answered_failure=False)
        _warn_when_late(connection, office, mail, sent.answer, now)


def _defer(connection: Connection, office: Office, mail: Outgoing, answer: str, now: datetime) -> None:
    if now - mail.made_at > GIVE_UP:
        _give_up(connection, office, mail, answer, now)
        return
    outbox.defer(connection, mail.id, now + BACK_OFF[min(mail.attempts, len(BACK_OFF) - 1)], answered_failure=True)
    _warn_when_late(connection, office, mail, answer, now)


def _after_sending(connection: Connection, office: Office, mail: Outgoing, now: datetime) -> None:
    """A server took a mail to a data subject: the ticket moves, and staff see the text that was sent."""
    draft, ticket = _of(connection, mail)
    messages.add(
        connection,
        {
            "ticket_id": ticket.id,
            "direction": "out",
            "kind": draft.kind.value,
            "message_id": mail.message_id,
            "from_address": mail.sender,
            "subject": draft.subject,
            "text": draft.text,
            "attachments": [{"name": a.name, "type": a.type, "bytes": a.size} for a in draft.attachments],
            "received_at": now,
        },
    )
    event, ticket = after_sending(connection, office, ticket, draft, now)
    _write(connection, mail, event.value, now, {"kind": draft.kind.value, "fingerprint": draft.fingerprint})
    approval = drafts.approval_of(connection, draft.id)
    person = by_address(office.staff, approval.staff) if approval else None
    notify.tell(
        connection,
        office,
        ticket,
        "delivered",
        now=now,
        to=[person] if person and person.active else None,
        facts={
            "to": mail.recipient,
            "sent_at": clock.today(office, now),
            "subject": draft.subject,
            "text": draft.text,
            "attachments": [a.name for a in draft.attachments],
            "tasks": [task.text for task in tickets.tasks(connection, ticket.id) if task.done_at is None],
            "approver": person.name if person else "",
        },
        with_token=False,
    )


def after_sending(
    connection: Connection, office: Office, ticket: Ticket, draft: Draft, now: datetime
) -> tuple[Event, Ticket]:
    """The event that the sending was, by mail or on paper, and the ticket after it."""
    if draft.kind is DraftKind.REPLY:
        return _answered(connection, ticket, draft, now)
    if draft.kind.value in clock.QUESTION_EVENTS:
        event = clock.QUESTION_EVENTS[draft.kind.value]
        tickets.add_question(connection, ticket.id, draft.kind.value.removesuffix("_question"), now)
        return event, clock.rewrite(connection, office, tickets.move(connection, ticket, event))
    if draft.kind is DraftKind.EXTENSION_NOTICE:
        moved = tickets.move(connection, ticket, Event.EXTENDED)
        moved = tickets.change(connection, moved, extended=True)
        return Event.EXTENDED, clock.rewrite(connection, office, moved)
    event = Event.ACKNOWLEDGED if draft.kind is DraftKind.ACKNOWLEDGEMENT else Event.LIFTING_ANNOUNCED
    return event, tickets.move(connection, ticket, event)


def _answered(connection: Connection, ticket: Ticket, draft: Draft, now: datetime) -> tuple[Event, Ticket]:
    left = [item for item in ticket.requests if item.outcome is None and item.right not in draft.outcomes]
    event = Event.PART_SENT if left else Event.REPLY_SENT
    try:
        moved = tickets.move(connection, ticket, event)
    except IllegalMoveError:  # people moved the ticket on while the mail was on its way: it left, and theirs stands
        return event, tickets.by_id(connection, ticket.id)
    if moved.status is Status.WITHDRAWN:  # it was on its way when the withdrawal came: no request ended with it
        return event, moved
    for right, outcome in draft.outcomes.items():
        ground = draft.values.get(f"{right.value}.ground") or draft.values.get("ground")
        ended = outcome in (Outcome.REFUSED, Outcome.PARTLY_FULFILLED, Outcome.NOT_IDENTIFIED)
        tickets.set_request(
            connection, ticket.id, right, status="ended", outcome=outcome.value, ground=ground if ended else None
        )
    tickets.answer_questions(connection, ticket.id, now)
    return event, tickets.change(connection, moved, answered_at=None if left else now)


def _give_up(connection: Connection, office: Office, mail: Outgoing, answer: str, now: datetime) -> None:
    """A server will never take this mail: a human must know (promise 2)."""
    if mail.audience == "data_subject":
        reply_lost(connection, office, mail, answer, now, Event.DELIVERY_FAILED)
        return
    outbox.end(connection, mail.id, "failed", now)
    if mail.audience == "staff":
        _staff_unreachable(connection, office, mail, answer, now)


def reply_lost(
    connection: Connection, office: Office, mail: Outgoing, answer: str, now: datetime, event: Event
) -> Ticket:
    """A mail to a data subject was refused or came back: the ticket is open again and staff are told why.

    One that came back before its sending was recorded is not sent again: the server had taken it.
    """
    draft, ticket = _of(connection, mail)
    if mail.state == "queued":
        outbox.end(connection, mail.id, "failed", now)
        event = Event.DELIVERY_FAILED
    if draft.kind is not DraftKind.REPLY:
        event = Event.OTHER_BOUNCED
    moved = tickets.move(connection, ticket, event)
    if draft.kind is DraftKind.REPLY:
        for right in draft.outcomes:
            tickets.set_request(connection, ticket.id, right, status="open", outcome=None)
        moved = tickets.change(connection, moved, answered_at=None, ended_at=None)
        drafts.set_state(connection, draft.id, DraftState.PENDING)  # the same words can be approved again
        moved = back_to_drafted(connection, moved)
    _write(connection, mail, event.value, now, {"answer": answer})
    facts = {
        "to": mail.recipient,
        "reason": answer,
        "attempts": len(outbox.attempts(connection, mail.id)),
        "final": True,
    }
    notify.tell(connection, office, moved, "bounce", now=now, facts=facts)
    return moved


def _staff_unreachable(connection: Connection, office: Office, mail: Outgoing, answer: str, now: datetime) -> None:
    """Mail to one member of staff was refused: the others and the alarm address hear of it."""
    audit.append(connection, now=now, event="staff_unreachable", actor="mailbot", details={"answer": answer})
    own_mail.staff_unreachable(connection, office, mail.recipient, answer, now)
    own_mail.alarm(connection, office, f"mail to staff {mail.recipient} is refused: {answer}", now=now)


def _warn_when_late(connection: Connection, office: Office, mail: Outgoing, answer: str, now: datetime) -> None:
    """A reply that can not leave shortly before its due date is a matter for people, once a day."""
    if mail.audience != "data_subject" or mail.ticket_id is None:
        return
    ticket = tickets.by_id(connection, mail.ticket_id)  # its date may have moved since the mail was queued
    if clock.today(office, now + WARN_BEFORE) < ticket.due_on:
        return
    name = f"late {mail.id} {clock.today(office, now)}"
    if cursors.note_state_once(connection, name, "told", now):
        own_mail.alarm(connection, office, f"the reply of {ticket.reference} can not be sent: {answer}", now=now)
        facts = {"to": mail.recipient, "reason": answer, "attempts": mail.attempts + 1, "final": False}
        notify.tell(connection, office, ticket, "bounce", now=now, facts=facts)


def _refuse_to_send(connection: Connection, office: Office, mail: Outgoing, why: str, now: datetime) -> None:
    """What waits in the outbox is not what a person approved: it never leaves, and people hear of it."""
    outbox.end(connection, mail.id, "failed", now)
    _write(connection, mail, "sending_refused", now, {"why": why})
    own_mail.alarm(connection, office, f"a queued mail was not sent: {why}", now=now)
    if mail.audience == "data_subject":
        ticket = tickets.by_id(connection, mail.ticket_id or 0)
        if ticket.status is Status.APPROVED:
            ticket = tickets.move(connection, ticket, Event.DELIVERY_FAILED)
        facts = {"to": mail.recipient, "reason": why, "attempts": mail.attempts, "final": True}
        notify.tell(connection, office, ticket, "bounce", now=now, facts=facts)


def _of(connection: Connection, mail: Outgoing) -> tuple[Draft, Ticket]:
    assert mail.draft_id is not None  # CHECK ck_outbox_approved
    draft = drafts.by_id(connection, mail.draft_id)
    return draft, tickets.by_id(connection, draft.ticket_id)


def _write(connection: Connection, mail: Outgoing, event: str, now: datetime, details: dict[str, Any]) -> None:
    reference = tickets.by_id(connection, mail.ticket_id).reference if mail.ticket_id else ""
    audit.append(connection, now=now, event=event, actor="mailbot", reference=reference, details=details)
