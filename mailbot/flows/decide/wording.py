"""A new version of something to send: a reply, a question, an extension, a refusal, a notice of lifting.

Each becomes a draft that waits for approval; nothing leaves here. What the law asks of an extension or a refusal is
asked before its draft is made, so a notice without its reasons never exists.
"""

from collections.abc import Sequence
from datetime import datetime

from mailbot.core.draft import QUESTIONS, DraftKind
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.core.staff import Actor
from mailbot.core.ticket import (
    Event,
    ExtensionFacts,
    extension_blocked_by,
    refusal_blocked_by,
)
from mailbot.errors import BadInputError, IllegalMoveError
from mailbot.flows import clock, prepare
from mailbot.flows.decide.done import Done, write
from mailbot.flows.office import Office
from mailbot.flows.plan import Wish
from mailbot.store import tickets
from mailbot.store.database import Connection


def draft(connection: Connection, office: Office, reference: str, actor: Actor, wish: Wish, *, now: datetime) -> Done:
    """A new version of a draft; the earlier one, and every token and approval for it, is worth nothing after."""
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    made = prepare.make(connection, office, ticket, wish, by=actor.id, now=now)
    return Done(ticket=tickets.by_id(connection, ticket.id), what="drafted", detail=made.kind.value, draft=made)


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
        raise IllegalMoveError(
            f"the time for {ticket.reference} can not be extended", "; ".join(blocked), reasons=blocked
        )
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
        raise BadInputError("this can not be refused yet", "; ".join(blocked), reasons=blocked)
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
    write(connection, ticket, actor, "refused", now, {"ground": ground.value, "reasons": reasons})
    return Done(ticket=tickets.by_id(connection, ticket.id), what="refusal_drafted", draft=made)


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
    write(connection, ticket, actor, Event.RESTRICTION_LIFTED.value, now, {"on": on, "reason": reason})
    return Done(
        ticket=tickets.by_id(connection, ticket.id), what="question_drafted", detail="lifting_notice", draft=made
    )
