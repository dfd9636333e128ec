"""A ticket as others see it: the fields of the command contract, and the same in lines for people. Changes nothing."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from mailbot.flows.office import Office
from mailbot.store import audit, drafts, messages, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft
from mailbot.store.messages import StoredMessage
from mailbot.store.tickets import Ticket


def ticket_row(ticket: Ticket, today: date) -> dict[str, Any]:
    """One line of `tickets --json`."""
    return {
        "reference": ticket.reference,
        "status": ticket.status.value,
        "rights": [right.value for right in ticket.rights],
        "language": ticket.language,
        "requester": {"name": ticket.requester_name, "address": ticket.requester_address},
        "channel": ticket.channel.value,
        "received_at": ticket.received_at.isoformat(),
        "due_on": ticket.due_on.isoformat(),
        "outcome": ticket.outcome.value if ticket.outcome else None,
        "overdue": ticket.overdue(today),
    }


def ticket_view(connection: Connection, office: Office, reference: str, today: date) -> dict[str, Any]:
    """`ticket show --json`: everything about one ticket.

    Raises BadInputError when there is none of that reference.
    """
    ticket = tickets.by_reference(connection, reference)
    return {
        **ticket_row(ticket, today),
        "requests": [
            {
                "right": item.right.value,
                "status": item.status,
                "outcome": item.outcome.value if item.outcome else None,
                "ground": item.ground.value if item.ground else None,
            }
            for item in ticket.requests
        ],
        "messages": [_message(item) for item in messages.of_ticket(connection, ticket.id)],
        "tasks": [
            {"id": task.id, "kind": task.kind, "text": task.text, "done": task.done_at is not None, "note": task.note}
            for task in tickets.tasks(connection, ticket.id)
        ],
        "flags": list(ticket.flags),
        "evidence": list(ticket.evidence),
        "authenticity": list(ticket.authenticity),
        "reply_to": ticket.reply_to,
        "assigned_to": ticket.assigned_to,
        "outside_suspected": ticket.outside_suspected,
        "linked_to": tickets.by_id(connection, ticket.linked_to).reference if ticket.linked_to else None,
        "deadline": {
            "due_on": ticket.due_on.isoformat(),
            "target_on": ticket.target_on.isoformat(),
            "act_by_on": ticket.act_by_on.isoformat() if ticket.act_by_on else None,
            "one_month_on": ticket.one_month_on.isoformat(),
            "provisional": ticket.provisional,
            "explanation": ticket.explanations.get("long", {}).get(office.controller.language, ""),
        },
        "timeline": list(_timeline(connection, ticket)),
        "drafts": [draft_view(item) for item in drafts.of_ticket(connection, ticket.id)],
    }


def draft_view(draft: Draft) -> dict[str, Any]:
    """One version of a draft as the contract names its fields."""
    return {
        "id": draft.id,
        "kind": draft.kind.value,
        "version": draft.version,
        "outcome": draft.outcome.value if draft.outcome else None,
        "outcomes": {right.value: outcome.value for right, outcome in draft.outcomes.items()},
        "language": draft.language,
        "recipient": draft.recipient,
        "subject": draft.subject,
        "text": draft.text,
        "attachments": [
            {"name": a.name, "type": a.type, "bytes": a.size, "sha256": a.sha256} for a in draft.attachments
        ],
        "fingerprint": draft.fingerprint,
        "state": draft.state.value,
        "ready": draft.ready,
        "needs": [need.as_json() for need in draft.needs],
        "checklist": [line["text"] if isinstance(line, Mapping) else line for line in draft.checklist],
        "findings": list(draft.findings),
    }


def _message(item: StoredMessage) -> dict[str, Any]:
    return {
        "id": item.id,
        "direction": item.direction,
        "kind": item.kind,
        "message_id": item.message_id,
        "from": {"name": item.from_name, "address": item.from_address},
        "subject": item.subject,
        "text": item.text,
        "attachments": item.attachments,
        "received_at": item.received_at.isoformat(),
        "flags": item.flags,
    }


def _timeline(connection: Connection, ticket: Ticket) -> Iterator[dict[str, Any]]:
    for told in audit.chain(connection, ticket.reference):
        yield {
            "at": told.entry.at.isoformat(),
            "event": told.entry.event,
            "actor": told.entry.actor,
            "details": json.loads(told.detail) if told.detail else None,
        }


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The same for people."""
    deadline = found["deadline"]
    yield f"{found['reference']}  {found['status']}" + ("  OVERDUE" if found["overdue"] else "")
    who = found["requester"]
    yield f"  who       {who['name']} <{who['address']}> ({found['channel']}, {found['language']})"
    yield f"  asks      {', '.join(found['rights']) or '?'}"
    yield f"  due       {deadline['due_on']}" + (" (provisional)" if deadline["provisional"] else "")
    yield f"  target    {deadline['target_on']}" + (
        f", act by {deadline['act_by_on']}" if deadline["act_by_on"] else ""
    )
    yield f"  why       {deadline['explanation']}"
    if found["flags"]:
        yield f"  flags     {', '.join(found['flags'])}"
    for task in found["tasks"]:
        yield f"  task {task['id']}    [{'x' if task['done'] else ' '}] {task['text']}"
    for item in found["messages"]:
        yield f"\n{'<-' if item['direction'] == 'in' else '->'} {item['received_at']} {item['kind']}: {item['subject']}"
        yield from (f"   | {line}" for line in item["text"].splitlines())
    for draft in found["drafts"]:
        if draft["state"] in ("pending", "approved"):
            ready = "ready" if draft["ready"] else "not ready"
            yield f"\n{draft['kind']} version {draft['version']} ({draft['state']}, {ready})"
            yield f"   fingerprint {draft['fingerprint']}"
            yield from (f"   needs {need['name']} ({need['kind']}): {need['question']}" for need in draft["needs"])
            yield from (f"   [ ] {line}" for line in draft["checklist"])
            yield f"   Subject: {draft['subject']}"
            yield from (f"   | {line}" for line in draft["text"].splitlines())
    yield "\ntimeline"
    for entry in found["timeline"]:
        yield f"  {entry['at'][:19]}  {entry['event']}  {entry['actor']}"
