"""A draft is approved, rejected, or its approval is taken back.

An approval covers exactly the draft of one fingerprint and fixes the final bytes and the Message-ID here and now: the
outbox row, the approval, the ticket and the audit entry are one commit. Nothing is approved that needs a fact, breaks a
rule of law, or is another version than the person read; four eyes hold where the configuration asks for them.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mailbot.core.draft import DraftKind, DraftState, fingerprint
from mailbot.core.rights import Outcome
from mailbot.core.staff import Actor
from mailbot.core.ticket import (
    Event,
)
from mailbot.errors import BadInputError, IllegalMoveError, NotPermittedError, Reason
from mailbot.flows.copies import copies_awaited
from mailbot.flows.decide.done import Done, write
from mailbot.flows.news import tell_news
from mailbot.flows.office import Office
from mailbot.mail.compose import Letter, Part, compose
from mailbot.mail.own import HEADER, mark
from mailbot.store import drafts, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft
from mailbot.store.tickets import Ticket

REPLY_HEADERS = {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"}  # RFC 3834 5


def approve(
    connection: Connection,
    office: Office,
    reference: str,
    actor: Actor,
    *,
    now: datetime,
    fingerprint_given: str,
    open_lines: Iterable[str] = (),
    confirmed: bool = False,
) -> Done:
    """Approves exactly the draft of that fingerprint and queues its final bytes.

    `open_lines` are checklist lines (or parts of them) that are not done yet and stay as tasks. `confirmed` is needed
    while staff have not said whether an answer was given outside, and while the same person waits for a copy of what
    the reply says is erased. Raises BadInputError for another fingerprint or a draft that is not ready,
    NotPermittedError for a person who may not.
    """
    actor.must_approve()
    ticket = tickets.by_reference(connection, reference, lock=True)
    draft = _draft_of(connection, ticket, fingerprint_given)
    _must_be_sendable(ticket, draft, confirmed=confirmed)
    awaited = copies_awaited(connection, ticket, draft.outcomes) if draft.kind is DraftKind.REPLY else ()
    if awaited and not confirmed:
        raise IllegalMoveError(
            f"the same person waits for a copy of their data ({', '.join(awaited)})",
            "Give the copy before you erase, or approve again with --confirm.",
        )
    event = Event.REPLY_APPROVED if draft.kind is DraftKind.REPLY else Event.OTHER_DRAFT_APPROVED
    first = _waiting_for_second(connection, office, draft, actor, now)
    if first:
        write(connection, ticket, actor, "approved_by_first", now, {"kind": draft.kind.value})
        _ask_second(connection, office, ticket, draft, actor, now)
        return Done(ticket=ticket, what="approved_first", draft=draft)
    given = drafts.approve(
        connection, draft, staff=actor.staff.address, door=actor.door.value, now=now,
        second=drafts.first_approver(connection, draft.id),
    )  # fmt: skip
    moved = tickets.move(connection, ticket, event)
    if draft.recipient:
        _queue(connection, office, ticket, draft, given.id, now)
    _keep_open(connection, ticket, draft, tuple(open_lines))
    write(
        connection, ticket, actor, f"{draft.kind.value}_approved", now,
        {"version": draft.version, "fingerprint": draft.fingerprint, "open": list(open_lines)},
    )  # fmt: skip
    return Done(ticket=moved, what="approved", detail=draft.kind.value)


def _draft_of(connection: Connection, ticket: Ticket, wanted: str) -> Draft:
    low = wanted.strip().lower()
    fitting = [draft for draft in drafts.of_ticket(connection, ticket.id) if low and draft.fingerprint.startswith(low)]
    if len(low) < 8 or not fitting:
        raise BadInputError(
            f"no draft of {ticket.reference} has that fingerprint; it may have changed since you read it",
            f"Read it again: mailbot ticket show {ticket.reference}",
        )
    return fitting[-1]


def _must_be_sendable(ticket: Ticket, draft: Draft, *, confirmed: bool) -> None:
    if draft.state is not DraftState.PENDING:
        raise IllegalMoveError(
            f"version {draft.version} of the {draft.kind} is {draft.state}", "Read the newest version and approve that."
        )
    if fingerprint(draft.content()) != draft.fingerprint:
        raise IllegalMoveError(
            "the draft in the database is not what its fingerprint says", "Run: mailbot audit verify"
        )
    if draft.needs:
        wanted = "; ".join(f"{need.name} ({need.kind}): {need.question}" for need in draft.needs)
        raise BadInputError("the draft is not ready", f"It needs {wanted}")
    if draft.blocked:
        what = Reason("the draft breaks a rule of law", "blocked", findings=draft.findings)
        raise BadInputError(what, " ".join(draft.blocked))
    if ticket.outside_suspected and draft.kind is DraftKind.REPLY and not confirmed:
        raise IllegalMoveError(
            "somebody seems to have answered outside mailbot",
            "Say 'answered elsewhere' if that was the answer, or approve again with --confirm.",
        )


def _waiting_for_second(connection: Connection, office: Office, draft: Draft, actor: Actor, now: datetime) -> bool:
    """True when the rule of four eyes holds this approval until another person gives theirs."""
    if draft.kind is not DraftKind.REPLY:
        return False
    rules = office.options.four_eyes
    refused = {Outcome.REFUSED, Outcome.PARTLY_FULFILLED, Outcome.NOT_IDENTIFIED} & set(draft.outcomes.values())
    asked = ("refusals" in rules and bool(refused)) or ("attachments" in rules and bool(draft.attachments))
    if not asked:
        return False
    first = drafts.first_approver(connection, draft.id)
    if not first:
        drafts.approve_first(connection, draft, staff=actor.staff.address, door=actor.door.value, now=now)
        return True
    if first.lower() == actor.staff.address.lower():
        what = Reason("you have approved this already", "approved_already")
        raise NotPermittedError(what, "A second person must approve it too.")
    return False


def _ask_second(
    connection: Connection, office: Office, ticket: Ticket, draft: Draft, actor: Actor, now: datetime
) -> None:
    """The other approvers see what waits for one of them."""
    tell_news(
        connection, office, ticket, ["second_wanted"], now, name=actor.staff.name, but=actor.staff.address, main=draft
    )


def _queue(
    connection: Connection, office: Office, ticket: Ticket, draft: Draft, approval_id: int, now: datetime
) -> None:
    """The final bytes and the Message-ID, fixed now; delivery only repeats them (RFC 5321 4.5.3.2.6)."""
    message_id = f"<{ticket.reference.lower()}.{secrets.token_hex(12)}@{office.domain}>"
    raw = compose(
        Letter(
            sender=draft.sender,
            recipient=draft.recipient,
            recipient_name=ticket.requester_name,
            subject=draft.subject,
            text=draft.text,
            html=draft.html,
            message_id=message_id,
            date=now,
            in_reply_to=draft.in_reply_to,
            references=draft.references,
            parts=[Part(name=f.name, type=f.type, content=f.content) for f in drafts.files(connection, draft.id)],
            headers={**REPLY_HEADERS, HEADER: mark(office.key, message_id, draft.kind.value)},
        )
    )
    outbox.queue(
        connection,
        {
            "audience": "data_subject",
            "kind": draft.kind.value,
            "ticket_id": ticket.id,
            "draft_id": draft.id,
            "approval_id": approval_id,
            "fingerprint": draft.fingerprint,
            "sender": office.sender_address,
            "recipient": draft.recipient,
            "message_id": message_id,
            "next_at": now,
            "made_at": now,
        },
        raw,
    )


def _keep_open(connection: Connection, ticket: Ticket, draft: Draft, open_lines: Sequence[str]) -> None:
    """Checklist lines named as open stay as tasks; the rest is done by the person's word (design 7)."""
    for named in open_lines:
        low = named.strip().lower()
        fitting = [line for line in draft.checklist if low and low in f"{_key(line)} {_words(line)}".lower()]
        if not fitting:
            tickets.add_task(connection, ticket.id, "checklist", named.strip())
        for line in fitting:
            kind = "article_19" if isinstance(line, Mapping) and line.get("article_19") else "checklist"
            tickets.add_task(connection, ticket.id, kind, _words(line))


def _key(line: Any) -> str:
    return str(line["key"]) if isinstance(line, Mapping) else ""


def _words(line: Any) -> str:
    return str(line["text"]) if isinstance(line, Mapping) else str(line)


def reject(
    connection: Connection, reference: str, actor: Actor, *, now: datetime, kind: DraftKind, reason: str
) -> Done:
    """Rejects the pending draft of that kind; nothing will be sent until a new version is made."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    found = drafts.pending(connection, ticket.id, kind)
    if not found:
        what = Reason(f"{ticket.reference} has no {kind} that waits for approval", "nothing_waits", draft=kind.value)
        raise IllegalMoveError(what, "See: mailbot ticket show")
    drafts.set_state(connection, found[-1].id, DraftState.REJECTED)
    moved = tickets.move(connection, ticket, Event.DRAFT_REJECTED) if kind is DraftKind.REPLY else ticket
    write(connection, ticket, actor, "draft_rejected", now, {"kind": kind.value, "reason": reason})
    return Done(ticket=moved, what="rejected", detail=kind.value)


def undo_approval(connection: Connection, reference: str, actor: Actor, *, now: datetime) -> Done:
    """Takes back an approval whose reply has not been tried yet."""
    actor.must_approve()
    ticket = tickets.by_reference(connection, reference, lock=True)
    waiting = [
        mail
        for mail in outbox.of_ticket(connection, ticket.id, lock=True)
        if mail.audience == "data_subject" and mail.state == "queued"
    ]
    if not waiting or any(outbox.attempts(connection, mail.id) for mail in waiting):
        raise IllegalMoveError(
            "nothing approved is waiting, or its sending has begun", "What left can not be called back."
        )
    for mail in waiting:
        outbox.end(connection, mail.id, "cancelled", now)
        if mail.approval_id is not None:
            drafts.withdraw_approval(connection, mail.approval_id, now)
    moved = tickets.move(connection, ticket, Event.APPROVAL_UNDONE)
    write(connection, ticket, actor, "approval_undone", now, {})
    return Done(ticket=moved, what="undone")
