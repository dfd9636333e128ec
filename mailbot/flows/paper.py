"""A reply on paper: for those who gave a postal address and no mail address. Printed here, posted by people.

The letter says exactly what the draft says; what leaves the house has been approved like any mail. That it was posted
is a person's word: `ticket posted`, or for a reply `ticket answered --how letter`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from mailbot.core.draft import DraftKind, DraftState
from mailbot.core.staff import Actor
from mailbot.errors import BadInputError, IllegalMoveError
from mailbot.flows import clock, decide
from mailbot.flows.decide import Done
from mailbot.flows.deliver import after_sending
from mailbot.flows.office import Office
from mailbot.store import audit, drafts, messages, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft


class Printer(Protocol):
    """Makes the pages; `gateway/letters.py` keeps this promise."""

    def __call__(
        self,
        text: str,
        *,
        sender: Sequence[str],
        recipient: Sequence[str],
        language: str,
        day: date,
        subject: str = "",
        reference: str = "",
    ) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A letter ready to be printed."""

    reference: str
    pages: bytes = field(repr=False)  # PDF
    approved: bool  # False: for reading only
    enclosures: tuple[str, ...]  # files that go along


def letter(
    connection: Connection, office: Office, reference: str, actor: Actor, printer: Printer, *, now: datetime,
    kind: DraftKind = DraftKind.REPLY,
) -> Letter:  # fmt: skip
    """The approved draft of that kind as a letter, or the one that waits for approval.

    Raises BadInputError where there is no postal address or a fact is missing, IllegalMoveError without a draft.
    """
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference)
    if not ticket.postal_address:
        raise BadInputError(f"{ticket.reference} has no postal address", "Its reply goes by mail once it is approved.")
    draft = _draft(drafts.of_ticket(connection, ticket.id), kind)
    if draft is None:
        raise IllegalMoveError(f"{ticket.reference} has no {kind} to print", "See: mailbot ticket show")
    if draft.needs:
        wanted = "; ".join(f"{need.name}: {need.question}" for need in draft.needs)
        raise BadInputError("the letter is not ready", f"It needs {wanted}")
    organisation = office.controller.organisation
    pages = printer(
        draft.text,
        sender=[organisation.name, organisation.street, f"{organisation.postal_code} {organisation.city}".strip()],
        recipient=[ticket.requester_name, *address_lines(ticket.postal_address)],
        language=draft.language,
        day=clock.today(office, now),
        subject=draft.subject,
        reference=ticket.reference,
    )
    approved = draft.state is DraftState.APPROVED
    if approved:
        details = {"kind": kind.value, "fingerprint": draft.fingerprint}
        audit.append(
            connection, now=now, event="letter_printed", actor=actor.id, reference=ticket.reference, details=details
        )
    names = tuple(item.name for item in draft.attachments)
    return Letter(reference=ticket.reference, pages=pages, approved=approved, enclosures=names)


def posted(
    connection: Connection, office: Office, reference: str, actor: Actor, *, now: datetime, on: date | None,
    kind: DraftKind = DraftKind.REPLY,
) -> Done:  # fmt: skip
    """An approved letter was posted on that day: a question suspends, an extension counts, a reply ends the requests.

    Raises IllegalMoveError when none was approved for paper, BadInputError for a day ahead or before its approval.
    """
    actor.must_draft()
    ticket = tickets.by_reference(connection, reference, lock=True)
    draft = _draft(drafts.of_ticket(connection, ticket.id), kind)
    given = drafts.approval_of(connection, draft.id) if draft else None
    if draft is None or given is None or draft.recipient:
        raise IllegalMoveError(f"{ticket.reference} has no approved {kind} for paper", "Approve it, print it, post it.")
    today = clock.today(office, now)
    day = on or today
    if not clock.today(office, given.approved_at) <= day <= today:
        raise BadInputError(f"{day} is not between the approval and today", "Give the day on which it was posted.")
    moment = now if day == today else max(given.approved_at, decide.local_noon(office, day))
    if any(
        item.direction == "out" and item.hash == draft.fingerprint for item in messages.of_ticket(connection, ticket.id)
    ):
        raise IllegalMoveError(f"that {kind} was posted before", "See: mailbot ticket show")
    names = [{"name": item.name, "type": item.type, "bytes": item.size} for item in draft.attachments]
    row = {"ticket_id": ticket.id, "direction": "out", "kind": kind.value, "subject": draft.subject, "text": draft.text}
    messages.add(connection, {**row, "attachments": names, "received_at": moment, "hash": draft.fingerprint})
    event, moved = after_sending(connection, office, ticket, draft, moment)
    details = {"kind": kind.value, "fingerprint": draft.fingerprint, "on": day, "how": "letter"}
    audit.append(connection, now=now, event=event.value, actor=actor.id, reference=ticket.reference, details=details)
    return Done(ticket=moved, what="posted", detail=kind.value)


def _draft(versions: Sequence[Draft], kind: DraftKind) -> Draft | None:
    """The newest approved version, or else the newest that waits."""
    for state in (DraftState.APPROVED, DraftState.PENDING):
        found = [draft for draft in versions if draft.kind is kind and draft.state is state]
        if found:
            return found[-1]
    return None


def address_lines(address: str) -> list[str]:
    """A postal address in lines, as it was typed in lines or with commas."""
    return [line.strip() for line in re.split(r"[\n,]", address) if line.strip()]
