"""Rows for tests of the store, made by the store itself."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from mailbot.core.draft import Content, DraftKind, fingerprint
from mailbot.core.rights import Channel, Right
from mailbot.core.ticket import Status
from mailbot.store import drafts, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft, File
from mailbot.store.outbox import Outgoing
from mailbot.store.tickets import Ticket

NOW = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)
MEMBER = "anna@example.com"
REQUESTER = "ritva@example.org"


def make_ticket(connection: Connection, rights: tuple[Right, ...] = (Right.ERASURE,), **more: Any) -> Ticket:
    """An open ticket received now."""
    values = {
        "reference": tickets.next_reference(connection, "JALO", 2026),
        "status": Status.OPEN.value,
        "language": "fi",
        "channel": Channel.EMAIL.value,
        "requester_name": "Ritva Esimerkki",
        "requester_address": REQUESTER,
        "received_at": NOW,
        "opened_at": NOW,
        "due_on": date(2026, 12, 3),
        "target_on": date(2026, 11, 26),
        "one_month_on": date(2026, 12, 3),
        **more,
    }
    return tickets.add(connection, values, rights)


def make_draft(connection: Connection, ticket: Ticket, *, text: str = "Hei", files: tuple[File, ...] = ()) -> Draft:
    """A ready reply."""
    content = Content(
        sender="Jalo <privacy@example.com>",
        recipient=REQUESTER,
        subject="Pyyntönne",
        text=text,
        html="",
        in_reply_to="<a@example.org>",
        attachments=tuple(file.digest() for file in files),
    )
    values = {
        "ticket_id": ticket.id,
        "kind": DraftKind.REPLY.value,
        "language": "fi",
        "sender": content.sender,
        "recipient": content.recipient,
        "subject": content.subject,
        "text": content.text,
        "in_reply_to": content.in_reply_to,
        "fingerprint": fingerprint(content),
        "made_by": "mailbot",
        "made_at": NOW,
    }
    return drafts.add(connection, values, files)


def row_of(draft: Draft, approval_id: int | None, **more: Any) -> dict[str, Any]:
    """The outbox row of an approved reply."""
    return {
        "audience": "data_subject",
        "kind": "reply",
        "ticket_id": draft.ticket_id,
        "draft_id": draft.id,
        "approval_id": approval_id,
        "fingerprint": draft.fingerprint,
        "sender": "privacy@example.com",
        "recipient": draft.recipient,
        "message_id": f"<{draft.id}.reply@example.com>",
        "next_at": NOW,
        "made_at": NOW,
        **more,
    }


def queue_reply(connection: Connection, **more: Any) -> Outgoing:
    """A ticket whose reply was approved and queued."""
    draft = make_draft(connection, make_ticket(connection))
    given = drafts.approve(connection, draft, staff=MEMBER, door="cli", now=NOW)
    return outbox.by_id(connection, outbox.queue(connection, row_of(draft, given.id, **more), b"To: x\r\n\r\nHei\r\n"))


def queue_notice(connection: Connection, *, at: datetime = NOW, **more: Any) -> Outgoing:
    """A mail to staff."""
    row = {"audience": "staff", "kind": "notice", "sender": "privacy@example.com", "recipient": MEMBER}
    row |= {"message_id": f"<{at.timestamp()}.{more.get('kind', '')}@example.com>", "next_at": at, "made_at": at}
    return outbox.by_id(connection, outbox.queue(connection, {**row, **more}, b"To: x\r\n\r\nMB-token\r\n"))


HOUR = timedelta(hours=1)
