"""What a mail to staff says about a ticket, in the reader's language: who asks what, until when, what was drafted.

Facts only; the words around them stand in the templates. The data subject's own words are shown, their files named.
"""

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mailbot.core.draft import DraftKind, DraftState
from mailbot.core.rights import Right
from mailbot.core.staff import StaffMember
from mailbot.core.ticket import Status
from mailbot.flows import clock, prepare
from mailbot.flows.office import Office
from mailbot.flows.plan import checklist_in, needs_in
from mailbot.store import drafts, messages, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft
from mailbot.store.tickets import Ticket

SECOND_READER = "second_reader"  # the rule that its evidence names

MESSAGE_CHARACTERS = 6000  # of the requester's own words shown in a notice; all of it stands in `ticket show`


def ticket_facts(
    connection: Connection,
    office: Office,
    ticket: Ticket,
    person: StaffMember,
    now: datetime,
    waiting: Sequence[Draft] | None = None,
) -> dict[str, Any]:
    """Everything a staff mail about a ticket may say, in the person's language."""
    words = office.texts.words(person.language)
    waiting = drafts.pending(connection, ticket.id) if waiting is None else waiting
    reply = next((draft for draft in waiting if draft.kind is DraftKind.REPLY), None)
    received = [item for item in messages.of_ticket(connection, ticket.id) if item.direction == "in"]
    shown = received[-1] if received else None
    today = clock.today(office, now)
    return {
        "controller": office.controller,
        "one_line": one_line(ticket, words),
        "reference": ticket.reference,
        "due_on": ticket.due_on,
        "explanation": explanation(ticket, person.language),
        "act_by_on": ticket.act_by_on,
        "act_by_why": _act_by_why(ticket, words),
        "target_on": ticket.target_on,
        "provisional": ticket.provisional,
        "warnings": _warnings(ticket, words),
        "evidence": _evidence(ticket, words),
        "requester": _who(ticket),
        "authenticity": [str(words["staff"]["authenticity"].get(code, code)) for code in ticket.authenticity],
        "earlier": _earlier(connection, ticket, words),
        "received_on": clock.today(office, ticket.received_at),
        "message_subject": shown.subject if shown else "",
        "message_text": shown.text[:MESSAGE_CHARACTERS] if shown else "",
        "files": [f"{item['name'] or '?'} ({_size(item['bytes'])})" for item in (shown.attachments if shown else [])],
        "checklist": checklist_in(office, reply, person.language) if reply else (),
        "needs": needs_in(office, reply, person.language) if reply else (),
        "findings": [prepare.finding_in(item, words) for draft in waiting for item in draft.findings],
        "days_left": (ticket.due_on - today).days,
        "overdue": ticket.overdue(today),
        "can_extend_until": "",
        "status": ticket.status.value,
        "reply_language": ticket.language,
        "token": "",
    }


def one_line(ticket: Ticket, words: Mapping[str, Any]) -> str:
    """What is asked, in a few words."""
    names = ", ".join(words["rights"][right.value] for right in ticket.rights)
    if ticket.status is Status.NEEDS_TRIAGE:
        question = words["staff"]["triage"]
        return f"{question} ({names})" if names else question
    return names or words["staff"]["triage"]


def explanation(ticket: Ticket, language: str) -> str:
    """Why the due date is what it is, in a language."""
    found = ticket.explanations.get("long", {})
    return found.get(language) or found.get("en") or ""


def shown_draft(
    connection: Connection, draft: Draft, words: Mapping[str, Any], seen: Collection[int]
) -> dict[str, Any]:
    return {
        "title": words["staff"]["drafts"][draft.kind.value],
        "to": draft.recipient or words["staff"]["on_paper"],
        "subject": draft.subject,
        "text": draft.text,
        "attachments": [f"{item.name} ({_size(item.size)})" for item in draft.attachments],
        "ready": draft.ready,
        "changes": _changes(connection, draft, seen),
    }


def _changes(connection: Connection, draft: Draft, seen: Collection[int]) -> str:
    """What differs from the version the person has read, or else from the one before."""
    earlier = [
        item
        for item in drafts.of_ticket(connection, draft.ticket_id)
        if item.kind is draft.kind and item.version < draft.version and item.state is not DraftState.PENDING
    ]
    read = [item for item in earlier if item.id in seen] or earlier[-1:]
    return difference(read[-1].text, draft.text) if read else ""


def difference(before: str, after: str) -> str:
    """What changed between two texts, as a unified diff without its header."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++")))


def _warnings(ticket: Ticket, words: Mapping[str, Any]) -> list[str]:
    known = words["staff"]["flags"]
    lines = [str(words["staff"]["news"]["outside_suspected"])] if ticket.outside_suspected else []
    lines += [str(known.get(flag, flag)) for flag in ticket.flags]
    if ticket.reply_to:
        lines.append(str(words["staff"]["reply_to"]).format(address=ticket.reply_to))
    return lines


def _act_by_why(ticket: Ticket, words: Mapping[str, Any]) -> str:
    reasons = words["staff"]["act_by"]
    urgent = [right for right in ticket.rights if right.value in reasons]
    return " ".join(str(reasons[right.value]) for right in urgent)


def _evidence(ticket: Ticket, words: Mapping[str, Any]) -> list[str]:
    """For each right the words that say it, longest first and none inside another; at most three a right.

    Single words that only the second reader weighed are shown where nothing else speaks for that right.
    """
    lines = []
    for right in dict.fromkeys(item["right"] for item in ticket.evidence):
        name = words["rights"].get(right) if right else words["staff"]["noticed"]
        found = [item for item in ticket.evidence if item["right"] == right]
        telling = [one for one in found if one["rule"] != SECOND_READER or len(str(one["text"]).split()) > 1] or found
        said = sorted({str(item["text"]) for item in telling}, key=len, reverse=True)
        kept = [text for place, text in enumerate(said) if not any(text in longer for longer in said[:place])]
        if name:
            lines.append(f"{name}: " + ", ".join(f"“{' '.join(text.split())}”" for text in kept[:3]))
    return lines


def _who(ticket: Ticket) -> str:
    return (
        f"{ticket.requester_name} <{ticket.requester_address}>".strip()
        if ticket.requester_address
        else ticket.requester_name
    )


def _earlier(connection: Connection, ticket: Ticket, words: Mapping[str, Any]) -> list[str]:
    if not ticket.requester_address:
        return []
    found = tickets.find(connection, address=ticket.requester_address)
    return [
        f"{item.reference} ({item.received_at:%d.%m.%Y}): {_names(item.rights, words)}"
        for item in found
        if item.id != ticket.id
    ]


def _names(rights: Iterable[Right], words: Mapping[str, Any]) -> str:
    return ", ".join(str(words["rights"][right.value]) for right in rights) or "?"


def _size(count: int) -> str:
    return (
        f"{count} B" if count < 1024 else f"{count / 1024:.0f} kB" if count < 1024**2 else f"{count / 1024**2:.1f} MB"
    )
