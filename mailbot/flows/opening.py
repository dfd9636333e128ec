"""A message opens a ticket: its requests, dates, drafts, and the notice to staff, in the caller's transaction.

Who asks is never guessed, and what nobody is sure of waits for a person with its clock running. The message itself is
kept with its bytes, but never a one-time token (design 8).
"""

from dataclasses import asdict
from datetime import datetime, timedelta

from mailbot.core import one_time
from mailbot.core.classify import Kind, Verdict
from mailbot.core.draft import DraftKind
from mailbot.core.lint import COPIES
from mailbot.core.message import Address
from mailbot.core.rights import Channel, Right
from mailbot.core.ticket import RUNNING, Status
from mailbot.flows import clock, notify, prepare
from mailbot.flows.arrival import TEXT_CHARACTERS, Judged, inner_writer, received_of, words_of
from mailbot.flows.copies import copies_awaited
from mailbot.flows.news import tell_news
from mailbot.flows.office import Office
from mailbot.flows.plan import Wish
from mailbot.mail.authenticity import Authenticity
from mailbot.mail.authenticity import judge as judge_authenticity
from mailbot.mail.thread import reply_references
from mailbot.store import audit, drafts, messages, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.tickets import Ticket


def open_ticket(
    connection: Connection,
    office: Office,
    judged: Judged,
    now: datetime,
    *,
    linked_to: int | None = None,
    but: frozenset[Right] = frozenset(),
) -> Ticket:
    """A new ticket with its message, requests, dates, drafts, and the notice to staff.

    `but`: rights that the ticket it is linked to answers already.
    """
    message, verdict = judged.message, judged.verdict
    assert verdict is not None  # What.TICKET and What.FOLLOW_UP were judged
    received_at, notes = received_of(office, judged, now)
    requester = _requester(office, judged)
    flags = list(dict.fromkeys([*judged.flags, *verdict.flags, *(note.value for note in notes)]))
    if judged.forwarded_by is not None:
        flags.append("forwarded")
    if requester is None:
        flags.append("no_sender")
    sure = verdict.kind is Kind.REQUEST and requester is not None and bool(verdict.rights)
    sure = sure and not set(judged.flags) & {"from_ourselves", "from_staff", "automatic", "strange_reference"}
    rights = tuple(right for right in Right if right in verdict.rights and right not in but)
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
            "evidence": [asdict(item) for item in verdict.evidence if item.right not in but],
            "rules_version": verdict.rules_version,
            "authenticity": _proof(proof),
            "linked_to": linked_to,
            **clock.columns(deadline),
        },
        rights,
    )
    store_message(connection, judged, ticket.id, "request")
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
    hold_back_erasure(connection, office, ticket, now)
    return ticket


def hold_back_erasure(connection: Connection, office: Office, ticket: Ticket, now: datetime) -> None:
    """The same person now asks for a copy: a reply that says all is erased comes back with a warning (law 13)."""
    if not set(COPIES) & set(ticket.rights) or not ticket.requester_address:
        return
    for other in tickets.find(connection, statuses=RUNNING, address=ticket.requester_address):
        waiting = drafts.pending(connection, other.id, DraftKind.REPLY)
        if other.id != ticket.id and waiting and copies_awaited(connection, other, waiting[-1].outcomes):
            prepare.make(connection, office, other, Wish(), by="mailbot", now=now)
            tell_news(
                connection, office, tickets.by_id(connection, other.id), ["copy_first"], now, name=ticket.reference
            )


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
    return inner_writer(office, judged.message) if judged.forwarded_by is not None else judged.message.sender


def _language(office: Office, verdict: Verdict) -> str:
    return verdict.language if verdict.language not in ("", "unknown") else office.controller.language


def store_message(connection: Connection, judged: Judged, ticket_id: int, kind: str) -> None:
    """Keeps a message as part of a ticket: its words, where it lay, and its bytes."""
    message, arrival = judged.message, judged.arrival
    words = words_of(message)
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
