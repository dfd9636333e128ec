"""The life of a ticket: which status follows which event, and what stands in the way.

`TRANSITIONS` is the whole truth and `apply()` the only place where a status is ever decided. An illegal move raises
and changes nothing. What happened in the world (a mail went out, an answer came, a bounce came back) is never illegal:
where it moves nothing it is recorded and the status stays (`RECORDED_ANYWHERE`).

Three readings that the words alone do not give:
* `drafted` means that a *reply* draft is ready and waits for approval. A draft that still needs a fact leaves the
  ticket `open`. A flow that brings a ticket back to `open` looks for a ready reply draft and, if one stands, records
  `draft_made`.
* Only the reply answers. Sending an acknowledgement, a question, an extension notice or a lifting notice never does.
* A question waits for the requester from the moment it is *sent*; until then, approved or not, nothing has moved.

Overdue is computed from dates, never a status. Outcomes belong to requests, not to the ticket (see `rights`).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from mailbot.core.rights import Ground
from mailbot.errors import IllegalMoveError, Reason

REOPENING_DAYS = 7  # calendar days a dismissed ticket can be reopened, unless the controller allows more


class Status(StrEnum):
    """Where a ticket is."""

    NEEDS_TRIAGE = "needs_triage"  # a person must say what this is; the clock runs
    OPEN = "open"  # ours to work on: no reply draft is ready
    AWAITING_IDENTITY = "awaiting_identity"  # a question about identity or authority was sent
    AWAITING_REQUESTER = "awaiting_requester"  # a clarification was sent
    DRAFTED = "drafted"  # a reply draft is ready for approval
    APPROVED = "approved"  # the reply is approved and not yet sent
    ANSWERED = "answered"  # the reply was sent; duties after it may be open
    CLOSED = "closed"  # nothing is left to do
    WITHDRAWN = "withdrawn"  # the requester took the request back
    DISMISSED = "dismissed"  # a person judged it to be no request


class Event(StrEnum):
    """What happened to a ticket, in the past tense."""

    # decided by staff or by the flow of work
    TRIAGED = "triaged"
    RECLASSIFIED = "reclassified"  # other rights than thought: the drafts made so far are superseded
    DISMISSED = "dismissed"
    DRAFT_MADE = "draft_made"  # a reply draft is ready
    DRAFT_INCOMPLETE = "draft_incomplete"  # its newest version needs a fact again
    DRAFT_REJECTED = "draft_rejected"
    REFUSED = "refused"  # one request is to be refused; the reply that says so is still to be approved
    REPLY_APPROVED = "reply_approved"
    APPROVAL_UNDONE = "approval_undone"
    OTHER_DRAFT_APPROVED = "other_draft_approved"  # acknowledgement, question, extension notice, lifting notice
    IDENTITY_CONFIRMED = "identity_confirmed"
    ANSWERED_OUTSIDE = "answered_outside"  # staff say: the person has been answered by other means
    REQUEST_WITHDRAWN = "request_withdrawn"
    MERGED = "merged"  # its content went on in another ticket
    CLOSED = "closed"
    REOPENED = "reopened"
    # happened in the world
    REPLY_SENT = "reply_sent"  # the reply that ends the last request was accepted by our server
    PART_SENT = "part_sent"  # a reply was accepted, other requests of the ticket are still unanswered
    IDENTITY_ASKED = "identity_asked"  # the question was sent
    AUTHORITY_ASKED = "authority_asked"  # the question was sent
    CLARIFICATION_ASKED = "clarification_asked"  # the question was sent
    REQUESTER_ANSWERED = "requester_answered"
    REPLY_BOUNCED = "reply_bounced"
    DELIVERY_FAILED = "delivery_failed"  # our server refused the reply for good
    ACKNOWLEDGED = "acknowledged"  # the acknowledgement was sent
    EXTENDED = "extended"  # the extension notice was sent: the later date applies from here
    LIFTING_ANNOUNCED = "lifting_announced"  # the notice of GDPR 18(3) was sent
    OTHER_BOUNCED = "other_bounced"  # mail of ours that is not the reply came back or was refused for good
    ANSWERED_OUTSIDE_SUSPECTED = "answered_outside_suspected"  # a question to staff; never ends the clock
    # written down by staff
    RECEIPT_CORRECTED = "receipt_corrected"
    RESTRICTION_LIFTED = "restriction_lifted"
    TASK_DONE = "task_done"
    ASSIGNED = "assigned"
    LINKED = "linked"
    NOTED = "noted"
    HELD = "held"  # kept from the purge
    REDATED = "redated"  # the same facts under a new holiday list or policy
    PURGED = "purged"


Moves = dict[Event, Status]

_ENDS_WITHOUT_REPLY: Moves = {
    Event.ANSWERED_OUTSIDE: Status.ANSWERED,
    Event.REQUEST_WITHDRAWN: Status.WITHDRAWN,
}
_QUESTIONS: Moves = {
    Event.IDENTITY_ASKED: Status.AWAITING_IDENTITY,
    Event.AUTHORITY_ASKED: Status.AWAITING_IDENTITY,  # an agent's authority is a matter of identity (law 13)
    Event.CLARIFICATION_ASKED: Status.AWAITING_REQUESTER,
}
_WORK: Moves = _ENDS_WITHOUT_REPLY | {
    Event.DISMISSED: Status.DISMISSED,
    Event.MERGED: Status.CLOSED,
    Event.RECLASSIFIED: Status.OPEN,
}


def _waiting(status: Status) -> Moves:
    """While a question is open the reply may be drafted and even sent: no answer is no reason to be late (law 5)."""
    stays = (Event.DRAFT_MADE, Event.DRAFT_INCOMPLETE, Event.DRAFT_REJECTED, Event.REFUSED, Event.OTHER_DRAFT_APPROVED)
    return (
        _WORK
        | _QUESTIONS
        | dict.fromkeys(stays, status)
        | {
            Event.REQUESTER_ANSWERED: Status.OPEN,
            Event.IDENTITY_CONFIRMED: Status.OPEN,
            Event.REPLY_APPROVED: Status.APPROVED,
            Event.RECLASSIFIED: status,
        }
    )


# Every status stands here; one without a way out would be an empty dict. None is: even an end can have been a mistake,
# so the three ends can be reopened (and `reopening_blocked_by` says when not).
TRANSITIONS: dict[Status, Moves] = {
    Status.NEEDS_TRIAGE: _ENDS_WITHOUT_REPLY
    | {
        Event.TRIAGED: Status.OPEN,
        Event.DISMISSED: Status.DISMISSED,
        Event.MERGED: Status.CLOSED,
        Event.OTHER_DRAFT_APPROVED: Status.NEEDS_TRIAGE,
    },
    Status.OPEN: _WORK
    | _QUESTIONS
    | {
        Event.DRAFT_MADE: Status.DRAFTED,
        Event.DRAFT_INCOMPLETE: Status.OPEN,
        Event.DRAFT_REJECTED: Status.OPEN,
        Event.REFUSED: Status.OPEN,
        Event.OTHER_DRAFT_APPROVED: Status.OPEN,
        Event.IDENTITY_CONFIRMED: Status.OPEN,
    },
    Status.AWAITING_IDENTITY: _waiting(Status.AWAITING_IDENTITY),
    Status.AWAITING_REQUESTER: _waiting(Status.AWAITING_REQUESTER),
    Status.DRAFTED: _WORK
    | _QUESTIONS
    | {
        Event.DRAFT_MADE: Status.DRAFTED,
        Event.DRAFT_INCOMPLETE: Status.OPEN,
        Event.DRAFT_REJECTED: Status.OPEN,
        Event.REFUSED: Status.OPEN,  # the ready draft said something else
        Event.REPLY_APPROVED: Status.APPROVED,
        Event.OTHER_DRAFT_APPROVED: Status.DRAFTED,
        Event.IDENTITY_CONFIRMED: Status.DRAFTED,
    },
    Status.APPROVED: _ENDS_WITHOUT_REPLY
    | {
        Event.REPLY_SENT: Status.ANSWERED,
        Event.PART_SENT: Status.OPEN,
        Event.APPROVAL_UNDONE: Status.DRAFTED,
        Event.DELIVERY_FAILED: Status.OPEN,
        Event.OTHER_DRAFT_APPROVED: Status.APPROVED,
    },
    Status.ANSWERED: {
        Event.CLOSED: Status.CLOSED,
        Event.REOPENED: Status.OPEN,
        Event.REPLY_SENT: Status.ANSWERED,  # a second recipient, or a resend after a restart
        Event.REPLY_BOUNCED: Status.OPEN,  # sending means accepted and no bounce (law 3)
        Event.DELIVERY_FAILED: Status.OPEN,
        Event.REQUEST_WITHDRAWN: Status.ANSWERED,
        Event.OTHER_DRAFT_APPROVED: Status.ANSWERED,
    },
    Status.CLOSED: {
        Event.REOPENED: Status.OPEN,
        Event.REPLY_BOUNCED: Status.OPEN,
    },
    Status.WITHDRAWN: {
        Event.REOPENED: Status.OPEN,
        Event.REPLY_SENT: Status.WITHDRAWN,  # it was on its way when the withdrawal came
    },
    Status.DISMISSED: {
        Event.REOPENED: Status.NEEDS_TRIAGE,
    },
}

# The world does not ask the table: these are recorded in every status and move it only where the table says so.
RECORDED_ANYWHERE: frozenset[Event] = frozenset(
    {
        Event.IDENTITY_ASKED,
        Event.AUTHORITY_ASKED,
        Event.CLARIFICATION_ASKED,
        Event.REQUESTER_ANSWERED,
        Event.REPLY_BOUNCED,
        Event.DELIVERY_FAILED,
        Event.ACKNOWLEDGED,
        Event.EXTENDED,
        Event.LIFTING_ANNOUNCED,
        Event.OTHER_BOUNCED,
        Event.ANSWERED_OUTSIDE_SUSPECTED,
        Event.RECEIPT_CORRECTED,
        Event.RESTRICTION_LIFTED,
        Event.TASK_DONE,
        Event.ASSIGNED,
        Event.LINKED,
        Event.NOTED,
        Event.HELD,
        Event.REDATED,
        Event.PURGED,
    }
)

OPENING: frozenset[Status] = frozenset({Status.OPEN, Status.NEEDS_TRIAGE})  # how a ticket begins
ENDED: frozenset[Status] = frozenset({Status.CLOSED, Status.WITHDRAWN, Status.DISMISSED})
RUNNING: frozenset[Status] = frozenset(Status) - ENDED - {Status.ANSWERED}  # the clock runs; reminders are due


def apply(status: Status, event: Event) -> Status:
    """The status after `event`. Raises IllegalMoveError, and changes nothing, when the table has no such move."""
    after = TRANSITIONS[status].get(event)
    if after is not None:
        return after
    if event in RECORDED_ANYWHERE:
        return status
    possible = ", ".join(sorted(TRANSITIONS[status])) or "nothing, this is an end"
    what = Reason(f"A ticket that is {status} can not take the event {event}", "illegal_move", status=status.value)
    raise IllegalMoveError(what, f"Possible: {possible}")


@dataclass(frozen=True, kw_only=True)
class ClosingFacts:
    """What the store knows about a ticket that someone wants to close."""

    unsent_reply: bool = False  # an approved reply has not been accepted by our server
    open_tasks: tuple[str, ...] = ()  # short names of open duties, as "tell the accounting office (GDPR 19)"
    lifted_without_notice: bool = False  # a restriction was lifted and the person has not been told
    unanswered: tuple[str, ...] = ()  # rights of the ticket that have no outcome yet


def closing_blocked_by(facts: ClosingFacts) -> tuple[str, ...]:
    """Every reason why the ticket can not close, one line each; empty when it can."""
    reasons = [f"the request for {right} has no outcome yet" for right in facts.unanswered]
    if facts.unsent_reply:
        reasons.append("the approved reply has not been sent")
    reasons.extend(f"the task is open: {task}" for task in facts.open_tasks)  # GDPR 19
    if facts.lifted_without_notice:  # GDPR 18(3)
        reasons.append("the restriction was lifted and the person has not been told")
    return tuple(reasons)


@dataclass(frozen=True, kw_only=True)
class ExtensionFacts:
    """What is known when someone wants more time."""

    status: Status
    reason: str  # written or chosen by staff; there is no default reason
    today: date  # local
    one_month_on: date  # local; never moved by a suspension
    already_extended: bool = False


def extension_blocked_by(facts: ExtensionFacts) -> tuple[str, ...]:
    """Every reason why the time can not be extended, one line each; empty when it can (GDPR 12(3))."""
    reasons = []
    if facts.status not in RUNNING or facts.status is Status.NEEDS_TRIAGE:
        reasons.append(Reason(f"the ticket is {facts.status}", "illegal_move", status=facts.status.value))
    if not facts.reason.strip():  # GDPR 12(3): "together with the reasons for the delay"
        reasons.append(Reason("an extension needs its reason in words", "extension_reason"))
    if facts.already_extended:  # one extension only
        reasons.append(Reason("the time was extended before, and the law allows it once", "extended_before"))
    if facts.today > facts.one_month_on:  # the notice must go out inside the first month
        last = facts.one_month_on
        day = f"{last.day}.{last.month}.{last.year}"
        reasons.append(Reason(f"the last day for the notice was {last.isoformat()}", "extension_late", day=day))
    return tuple(reasons)


def refusal_blocked_by(ground: Ground | None, reasons: str) -> tuple[str, ...]:
    """Every reason why a request can not be refused yet, one line each; empty when it can (GDPR 12(4))."""
    missing = []
    if ground is None:
        missing.append(Reason("a refusal needs its legal ground", "refusal_ground"))
    if not reasons.strip():
        missing.append(Reason("a refusal needs its reasons in words", "refusal_reasons"))
    return tuple(missing)


def reopening_blocked_by(
    status: Status, *, ended_on: date, today: date, purged: bool = False, days: int = REOPENING_DAYS
) -> tuple[str, ...]:
    """Every reason why an ended ticket can not be reopened, one line each; empty when it can.

    `days` is for how many calendar days the controller lets a dismissed one be reopened.
    """
    reasons = []
    if purged:
        reasons.append("its content has been purged")
    last_day = ended_on + timedelta(days=days)
    if status is Status.DISMISSED and today > last_day:
        reasons.append(f"a dismissed ticket can be reopened for {days} days, until {last_day.isoformat()}")
    return tuple(reasons)


def diagram() -> str:
    """The table as a mermaid state diagram, the same text every time."""
    lines = ["stateDiagram-v2"]
    lines += [f"    [*] --> {status}" for status in Status if status in OPENING]
    for status in Status:
        lines += [f"    {status} --> {target}: {events}" for target, events in _arrows(status)]
    lines += [f"    {status} --> [*]" for status in Status if status in ENDED]
    return "\n".join(lines) + "\n"


def _arrows(status: Status) -> list[tuple[Status, str]]:
    """One arrow for each target that is not the status itself, with the events that lead there."""
    moves = TRANSITIONS[status]
    targets = [target for target in Status if target is not status and target in moves.values()]
    return [(target, ", ".join(event for event in Event if moves.get(event) is target)) for target in targets]
