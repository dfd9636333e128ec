"""Decisions of staff, from whichever door: approve, reject, edit, extend, ask, refuse, close.

The rule: a decision takes the ticket as it is in this transaction, checks the person, moves the status by the table,
and writes its audit entry, or changes nothing. An approval fixes the final bytes and the Message-ID here and now; the
outbox row, the approval, the ticket and the audit entry are one commit.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from mailbot.core.deadline import time_zone
from mailbot.core.draft import QUESTIONS, DraftKind, DraftState, fingerprint
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.core.staff import Actor
from mailbot.core.ticket import (
    RUNNING,
    ClosingFacts,
    Event,
    ExtensionFacts,
    Status,
    closing_blocked_by,
    extension_blocked_by,
    refusal_blocked_by,
    reopening_blocked_by,
)
from mailbot.errors import BadInputError, IllegalMoveError, NotPermittedError
from mailbot.flows import clock, notify, prepare
from mailbot.flows.office import Office
from mailbot.flows.prepare import Wish
from mailbot.mail.compose import Letter, Part, compose
from mailbot.mail.own import HEADER, mark
from mailbot.store import audit, drafts, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft
from mailbot.store.tickets import Ticket

REPLY_HEADERS = {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"}  # RFC 3834 5


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a decision did: the ticket as it stands now, and what happened in a word for the answer."""

    ticket: Ticket
    what: str  # a key of the words "done" in the staff language files
    detail: str = ""
    draft: Draft | None = None  # a new version that waits for approval


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
    while staff have not said whether an answer was given outside. Raises BadInputError for another fingerprint or a
    draft that is not ready, NotPermittedError for a person who may not.
    """
    actor.must_approve()
    ticket = tickets.by_reference(connection, reference, lock=True)
    draft = _draft_of(connection, ticket, fingerprint_given)
    _must_be_sendable(ticket, draft, confirmed=confirmed)
    event = Event.REPLY_APPROVED if draft.kind is DraftKind.REPLY else Event.OTHER_DRAFT_APPROVED
    first = _waiting_for_second(connection, office, draft, actor, now)
    if first:
        _write(connection, ticket, actor, "approved_by_first", now, {"kind": draft.kind.value})
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
    _write(
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
        raise BadInputError("the draft breaks a rule of law", " ".join(draft.blocked))
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
        raise NotPermittedError("you have approved this already", "A second person must approve it too.")
    return False


def _ask_second(
    connection: Connection, office: Office, ticket: Ticket, draft: Draft, actor: Actor, now: datetime
) -> None:
    """The other approvers see what waits for one of them."""
    for person in notify.reached(office, now):
        if person.address.lower() == actor.staff.address.lower() or not person.may_approve():
            continue
        line = str(office.texts.words(person.language)["staff"]["news"]["second_wanted"]).format(name=actor.staff.name)
        facts = notify.ticket_facts(connection, office, ticket, person, now)
        notify.tell(
            connection, office, ticket, "notice",
            now=now, to=[person], facts={"warnings": [line, *facts["warnings"]]}, main=draft,
        )  # fmt: skip


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
            "deadline_on": ticket.due_on,
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


def draft(connection: Connection, office: Office, reference: str, actor: Actor, wish: Wish, *, now: datetime) -> Done:
    """A new version of a draft; the earlier one, and every token and approval for it, is worth nothing after."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    made = prepare.make(connection, office, ticket, wish, by=actor.id, now=now)
    return Done(ticket=tickets.by_id(connection, ticket.id), what="drafted", detail=made.kind.value, draft=made)


def reject(
    connection: Connection, reference: str, actor: Actor, *, now: datetime, kind: DraftKind, reason: str
) -> Done:
    """Rejects the pending draft of that kind; nothing will be sent until a new version is made."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    found = drafts.pending(connection, ticket.id, kind)
    if not found:
        raise IllegalMoveError(f"{ticket.reference} has no {kind} that waits for approval", "See: mailbot ticket show")
    drafts.set_state(connection, found[-1].id, DraftState.REJECTED)
    moved = tickets.move(connection, ticket, Event.DRAFT_REJECTED) if kind is DraftKind.REPLY else ticket
    _write(connection, ticket, actor, "draft_rejected", now, {"kind": kind.value, "reason": reason})
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
    _write(connection, ticket, actor, "approval_undone", now, {})
    return Done(ticket=moved, what="undone")


def reclassify(
    connection: Connection, office: Office, reference: str, actor: Actor, rights: Sequence[Right], *, now: datetime
) -> Done:
    """Says which rights the message exercises; triage ends with it, and new drafts are made."""
    actor.must_draft()
    if not rights:
        raise BadInputError("no right is named", f"Name some of: {', '.join(Right)}.")
    ticket = tickets.by_reference(connection, reference, lock=True)
    event = Event.TRIAGED if ticket.status is Status.NEEDS_TRIAGE else Event.RECLASSIFIED
    drafts.supersede(connection, ticket.id)
    tickets.set_rights(connection, ticket.id, rights)
    moved = tickets.move(connection, tickets.by_id(connection, ticket.id), event)
    moved = clock.rewrite(connection, office, moved)
    _write(connection, ticket, actor, event.value, now, {"rights": [right.value for right in rights]})
    moved = prepare.first_drafts(connection, office, moved, now)
    return Done(ticket=moved, what="reclassified", draft=drafts.newest(connection, ticket.id, DraftKind.REPLY))


def dismiss(connection: Connection, reference: str, actor: Actor, *, now: datetime, reason: str = "") -> Done:
    """A person judges that this was no request; it can be reopened for seven days, then its content is purged."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    moved = tickets.move(connection, ticket, Event.DISMISSED)
    moved = tickets.change(connection, moved, ended_at=now)
    drafts.supersede(connection, ticket.id)
    _write(connection, ticket, actor, "dismissed", now, {"reason": reason})
    return Done(ticket=moved, what="dismissed")


def ask(
    connection: Connection,
    office: Office,
    reference: str,
    actor: Actor,
    kind: DraftKind,
    *,
    now: datetime,
    question: str = "",
) -> Done:
    """Drafts a question to the requester; it waits for approval, and the clock stands only from its sending (law 5)."""
    if kind not in QUESTIONS:
        raise BadInputError(f"{kind} is no question", f"Ask one of: {', '.join(sorted(QUESTIONS))}.")
    values = {"question": question} if question else {}
    done = draft(connection, office, reference, actor, Wish(kind=kind, values=values), now=now)
    return Done(ticket=done.ticket, what="question_drafted", detail=kind.value, draft=done.draft)


def identified(
    connection: Connection, office: Office, reference: str, actor: Actor, *, now: datetime, note: str = ""
) -> Done:
    """Staff are satisfied who the requester is; an open question ends with it."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    tickets.answer_questions(connection, ticket.id, now)
    moved = tickets.move(connection, ticket, Event.IDENTITY_CONFIRMED)
    moved = tickets.change(connection, moved, identified=True)
    moved = back_to_drafted(connection, clock.rewrite(connection, office, moved))
    _write(connection, ticket, actor, "identity_confirmed", now, {"note": note})
    return Done(ticket=moved, what="identified")


def extend(connection: Connection, office: Office, reference: str, actor: Actor, *, now: datetime, reason: str) -> Done:
    """Drafts the extension notice; the later date counts from its sending, inside the first month (GDPR 12(3))."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    blocked = extension_blocked_by(
        ExtensionFacts(
            status=ticket.status,
            reason=reason,
            today=clock.today(office, now),
            one_month_on=ticket.one_month_on,
            already_extended=ticket.extended,
        )
    )
    if blocked:
        raise IllegalMoveError(f"the time for {ticket.reference} can not be extended", "; ".join(blocked))
    made = prepare.make(
        connection,
        office,
        ticket,
        Wish(kind=DraftKind.EXTENSION_NOTICE, values={"reason": reason}),
        by=actor.id,
        now=now,
    )
    tickets.change(connection, ticket, extension_reason=reason)
    return Done(ticket=tickets.by_id(connection, ticket.id), what="extension_drafted", draft=made)


def refuse(
    connection: Connection,
    office: Office,
    reference: str,
    actor: Actor,
    *,
    now: datetime,
    ground: Ground | None,
    reasons: str,
    rights: Sequence[Right] = (),
) -> Done:
    """Drafts a refusal with its ground and reasons (GDPR 12(4)); it is approved like any other reply."""
    actor.must_draft()
    blocked = refusal_blocked_by(ground, reasons)
    if blocked or ground is None:
        raise BadInputError("this can not be refused yet", "; ".join(blocked))
    ticket = tickets.by_reference(connection, reference, lock=True)
    chosen = tuple(rights) or tuple(item.right for item in ticket.requests if item.status == "open")
    values = {f"{right.value}.ground": ground.value for right in chosen}
    values |= {f"{right.value}.reasons": reasons for right in chosen}
    if len(ticket.requests) == 1:
        values = {"ground": ground.value, "reasons": reasons}
    wish = Wish(outcomes=dict.fromkeys(chosen, Outcome.REFUSED), values=values)
    made = prepare.make(connection, office, ticket, wish, by=actor.id, now=now)
    tickets.move(connection, tickets.by_id(connection, ticket.id), Event.REFUSED)
    if made.ready:
        tickets.move(connection, tickets.by_id(connection, ticket.id), Event.DRAFT_MADE)
    for right in chosen:
        tickets.set_request(connection, ticket.id, right, ground=ground.value)
    _write(connection, ticket, actor, "refused", now, {"ground": ground.value, "reasons": reasons})
    return Done(ticket=tickets.by_id(connection, ticket.id), what="refusal_drafted", draft=made)


def answered(
    connection: Connection, office: Office, reference: str, actor: Actor, *, now: datetime, on: date | None, how: str,
    outcome: Outcome | None = None,
) -> Done:  # fmt: skip
    """Staff have answered by other means (letter, call, their own mail program); the requests end with it.

    Without `outcome` they end as the approved letter says, and as fulfilled where there is none. Raises BadInputError
    for a day that lies ahead or before the receipt.
    """
    actor.must_approve()
    ticket = tickets.by_reference(connection, reference, lock=True)
    day = on or clock.today(office, now)
    if day > clock.today(office, now) or day < clock.today(office, ticket.received_at):
        raise BadInputError(f"{day} is not between the receipt and today", "Give the day on which the answer was sent.")
    moved = tickets.move(connection, ticket, Event.ANSWERED_OUTSIDE)
    written = _approved_letter(connection, ticket)
    for item in ticket.requests:
        if item.outcome is None:
            ended = outcome or (written.outcomes.get(item.right) if written else None) or Outcome.FULFILLED
            tickets.set_request(connection, ticket.id, item.right, status="ended", outcome=ended.value)
    drafts.supersede(connection, ticket.id)
    for mail in outbox.of_ticket(connection, ticket.id, lock=True):
        if mail.audience == "data_subject" and mail.state == "queued":
            outbox.end(connection, mail.id, "cancelled", now)
    moment = now if day == clock.today(office, now) else local_noon(office, day)
    moved = tickets.change(connection, moved, answered_at=moment, outside_suspected=False)
    _write(connection, ticket, actor, "answered_outside", now, {"on": day, "how": how})
    return Done(ticket=moved, what="answered_elsewhere")


def _approved_letter(connection: Connection, ticket: Ticket) -> Draft | None:
    """The reply that was approved for paper; one that goes by mail is the outbox's."""
    found = drafts.newest(connection, ticket.id, DraftKind.REPLY)
    return found if found and found.state is DraftState.APPROVED and not found.recipient else None


def not_the_answer(connection: Connection, reference: str, actor: Actor, *, now: datetime) -> Done:
    """Staff say that what was seen outside was not the answer; the work goes on."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    moved = tickets.change(connection, ticket, outside_suspected=False, outside_denied=True)
    _write(connection, ticket, actor, "answered_outside_denied", now, {})
    return Done(ticket=moved, what="not_the_answer")


def withdraw(connection: Connection, reference: str, actor: Actor, *, now: datetime, note: str = "") -> Done:
    """The requester took the request back, as staff have read it."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    moved = tickets.move(connection, ticket, Event.REQUEST_WITHDRAWN)
    for item in ticket.requests:
        if item.outcome is None:
            ended = {"status": "ended", "outcome": Outcome.WITHDRAWN.value, "ground": None}
            tickets.set_request(connection, ticket.id, item.right, **ended)
    drafts.supersede(connection, ticket.id)
    moved = tickets.change(connection, moved, ended_at=now)
    _write(connection, ticket, actor, "request_withdrawn", now, {"note": note})
    return Done(ticket=moved, what="withdrawn")


def note(connection: Connection, reference: str, actor: Actor, *, now: datetime, text: str) -> Done:
    """Writes a note into the ticket's history."""
    actor.must_draft()
    if not text.strip():
        raise BadInputError("the note is empty", "Write what is to be remembered.")
    ticket = tickets.by_reference(connection, reference, lock=True)
    _write(connection, ticket, actor, Event.NOTED.value, now, {"text": text})
    return Done(ticket=ticket, what="noted")


def assign(connection: Connection, office: Office, reference: str, actor: Actor, *, now: datetime, to: str) -> Done:
    """Gives the ticket to a colleague."""
    actor.must_draft()
    person = office.member(to)
    ticket = tickets.by_reference(connection, reference, lock=True)
    changed = tickets.change(connection, ticket, assigned_to=person.address)
    _write(connection, ticket, actor, Event.ASSIGNED.value, now, {"to": person.address})
    return Done(ticket=changed, what="assigned", detail=person.name)


def end_task(
    connection: Connection, reference: str, actor: Actor, *, now: datetime, task_id: int, note_: str = ""
) -> Done:
    """Ticks off a duty, with the day and who."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    ended = tickets.end_task(connection, ticket.id, task_id, now=now, by=actor.staff.address, note=note_)
    _write(connection, ticket, actor, Event.TASK_DONE.value, now, {"task": ended.text, "note": note_})
    return Done(ticket=ticket, what="task_done", detail=ended.text)


def lift(
    connection: Connection, office: Office, reference: str, actor: Actor, *, now: datetime, on: str, reason: str
) -> Done:
    """Drafts the notice before a restriction is lifted (GDPR 18(3)); the ticket can not close before it was sent."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    if Right.RESTRICTION not in ticket.rights:
        raise BadInputError(f"{ticket.reference} holds no restriction", "See: mailbot ticket show")
    wish = Wish(kind=DraftKind.LIFTING_NOTICE, values={"lifts_on": on, "reason": reason})
    made = prepare.make(connection, office, ticket, wish, by=actor.id, now=now)
    tickets.set_request(connection, ticket.id, Right.RESTRICTION, status="lifted")
    _write(connection, ticket, actor, Event.RESTRICTION_LIFTED.value, now, {"on": on, "reason": reason})
    return Done(
        ticket=tickets.by_id(connection, ticket.id), what="question_drafted", detail="lifting_notice", draft=made
    )


def correct_receipt(
    connection: Connection,
    office: Office,
    reference: str,
    actor: Actor,
    *,
    now: datetime,
    received_at: datetime,
    reason: str,
) -> Done:
    """Sets the receipt earlier, or later with a written reason (law 2.5); all dates follow."""
    actor.must_approve()
    ticket = tickets.by_reference(connection, reference, lock=True)
    if received_at > now:
        raise BadInputError("the receipt lies in the future", "Give the day on which it arrived.")
    if received_at > ticket.received_at and not reason.strip():
        raise BadInputError("a later receipt needs a written reason", "Give --reason.")
    changed = tickets.change(connection, ticket, received_at=received_at)
    changed = clock.rewrite(connection, office, changed)
    details = {"from": ticket.received_at, "to": received_at, "reason": reason, "due_on": changed.due_on}
    _write(connection, ticket, actor, Event.RECEIPT_CORRECTED.value, now, details)
    return Done(ticket=changed, what="redated")


def hold(connection: Connection, reference: str, actor: Actor, *, now: datetime, on: bool, reason: str) -> Done:
    """Keeps a ticket from the purge, or lets it go again."""
    actor.must_approve()
    ticket = tickets.by_reference(connection, reference, lock=True)
    changed = tickets.change(connection, ticket, hold=on)
    _write(connection, ticket, actor, Event.HELD.value, now, {"hold": on, "reason": reason})
    return Done(ticket=changed, what="held" if on else "released")


def link(connection: Connection, reference: str, actor: Actor, *, now: datetime, to: str) -> Done:
    """Notes that a ticket belongs with another."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    other = tickets.by_reference(connection, to)
    if other.id == ticket.id:
        raise BadInputError("a ticket can not be linked to itself", "Name another one.")
    changed = tickets.change(connection, ticket, linked_to=other.id)
    _write(connection, ticket, actor, Event.LINKED.value, now, {"to": other.reference})
    return Done(ticket=changed, what="linked", detail=other.reference)


def merge(connection: Connection, office: Office, reference: str, actor: Actor, *, now: datetime, into: str) -> Done:
    """What this ticket holds goes on in another of the same requester; the earlier receipt counts for both."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    other = tickets.by_reference(connection, into, lock=True)
    if other.id == ticket.id or other.status not in RUNNING:
        raise BadInputError(f"{ticket.reference} can not go on in {other.reference}", "Name another running ticket.")
    if ticket.requester_address.lower() != other.requester_address.lower():
        raise BadInputError("the two tickets are of different requesters", "Link them instead.")
    rights = tuple(right for right in Right if right in {*ticket.rights, *other.rights})
    tickets.set_rights(connection, other.id, rights)
    target = tickets.change(connection, other, received_at=min(other.received_at, ticket.received_at))
    target = clock.rewrite(connection, office, target)
    moved = tickets.move(connection, ticket, Event.MERGED)
    moved = tickets.change(connection, moved, linked_to=other.id, ended_at=now)
    drafts.supersede(connection, ticket.id)
    _write(connection, ticket, actor, Event.MERGED.value, now, {"into": other.reference})
    _write(connection, other, actor, Event.MERGED.value, now, {"from": ticket.reference})
    return Done(ticket=moved, what="merged", detail=target.reference)


def close(connection: Connection, reference: str, actor: Actor, *, now: datetime) -> Done:
    """Closes an answered ticket.

    Raises IllegalMoveError naming everything that is still open: an unsent reply, a task, a notice of lifting.
    """
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    blocked = closing_blocked_by(closing_facts(connection, ticket))
    if blocked:
        raise IllegalMoveError(f"{ticket.reference} can not be closed", "; ".join(blocked))
    moved = tickets.change(connection, tickets.move(connection, ticket, Event.CLOSED), ended_at=now)
    _write(connection, ticket, actor, Event.CLOSED.value, now, {})
    return Done(ticket=moved, what="closed")


def closing_facts(connection: Connection, ticket: Ticket) -> ClosingFacts:
    """What stands between a ticket and its end."""
    lifted = any(item.status == "lifted" for item in ticket.requests)
    told = any(
        mail.kind == DraftKind.LIFTING_NOTICE.value and mail.state == "sent"
        for mail in outbox.of_ticket(connection, ticket.id)
    )
    return ClosingFacts(
        unsent_reply=outbox.unsent(connection, ticket.id),
        open_tasks=tuple(task.text for task in tickets.tasks(connection, ticket.id) if task.done_at is None),
        lifted_without_notice=lifted and not told,
        unanswered=tuple(item.right.value for item in ticket.requests if item.outcome is None),
    )


def reopen(
    connection: Connection, office: Office, reference: str, actor: Actor, *, now: datetime, reason: str = ""
) -> Done:
    """Opens an ended ticket again; a dismissed one for seven days, a purged one never."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    ended = clock.today(office, ticket.ended_at or ticket.answered_at or now)
    blocked = reopening_blocked_by(
        ticket.status, ended_on=ended, today=clock.today(office, now), purged=ticket.purged_at is not None
    )
    if blocked:
        raise IllegalMoveError(f"{ticket.reference} can not be reopened", "; ".join(blocked))
    moved = tickets.change(connection, tickets.move(connection, ticket, Event.REOPENED), ended_at=None)
    for item in ticket.requests:
        tickets.set_request(connection, ticket.id, item.right, status="open", outcome=None)
    _write(connection, ticket, actor, Event.REOPENED.value, now, {"reason": reason})
    moved = tickets.by_id(connection, ticket.id)
    if moved.status is Status.OPEN and moved.rights:
        prepare.make(connection, office, moved, Wish(), by=actor.id, now=now)
    return Done(ticket=tickets.by_id(connection, ticket.id), what="reopened")


def local_noon(office: Office, day: date) -> datetime:
    """A moment of a local day, for receipts of which only the day is known."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=time_zone(office.zone))


def back_to_drafted(connection: Connection, ticket: Ticket) -> Ticket:
    """A ticket that came back to open and has a ready reply waits for approval again."""
    reply = drafts.pending(connection, ticket.id, DraftKind.REPLY)
    if ticket.status is Status.OPEN and reply and reply[-1].ready:
        return tickets.move(connection, ticket, Event.DRAFT_MADE)
    return ticket


def _write(
    connection: Connection, ticket: Ticket, actor: Actor, event: str, now: datetime, details: Mapping[str, Any]
) -> None:
    audit.append(
        connection,
        now=now,
        event=event,
        actor=actor.id,
        reference=ticket.reference,
        details={"door": actor.door.value, **details},
    )
