"""A ticket gets its drafts: the text, what it still needs, what to do before approving, and its fingerprint.

A draft is made whole or not at all; a new version supersedes the one before. Nothing here sends or approves.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mailbot.core.draft import Content, DraftKind, Need, fingerprint, unmet
from mailbot.core.letter import CheckLine, Text
from mailbot.core.lint import Checked, Finding, lint
from mailbot.core.lint_files import File as LintedFile
from mailbot.core.rights import Outcome, Right
from mailbot.core.ticket import RUNNING, Event, Status
from mailbot.errors import IllegalMoveError, Reason
from mailbot.flows import clock
from mailbot.flows.copies import copies_awaited
from mailbot.flows.draft_files import files_of_version
from mailbot.flows.draft_words import facts_of, template_words, words_of_version
from mailbot.flows.office import Office
from mailbot.flows.plan import Plan, Wish, by_any_name, plan_of
from mailbot.mail.charset import clean_header
from mailbot.mail.compose import SUBJECT_LENGTH, html_of
from mailbot.store import audit, drafts, messages, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft, File
from mailbot.store.messages import StoredMessage
from mailbot.store.tickets import Ticket

MISSING = ("placeholder", "copy_missing")  # findings that only say again that a fact is missing

REQUESTERS = frozenset({"request", "follow_up"})  # kinds of messages that the requester's side wrote

DRAFTABLE = frozenset(Status) - {Status.CLOSED, Status.DISMISSED, Status.WITHDRAWN, Status.APPROVED}


def first_drafts(connection: Connection, office: Office, ticket: Ticket, now: datetime) -> Ticket:
    """The reply and the acknowledgement that a ticket has on arrival; the ticket as it stands then."""
    if not ticket.rights:
        return ticket  # triage first: nobody knows yet what to reply to
    make(connection, office, ticket, Wish(kind=DraftKind.ACKNOWLEDGEMENT), by="mailbot", now=now)
    make(connection, office, ticket, Wish(), by="mailbot", now=now)
    return tickets.by_id(connection, ticket.id)


def make(connection: Connection, office: Office, ticket: Ticket, wish: Wish, *, by: str, now: datetime) -> Draft:
    """Makes a new version of a draft and moves the ticket where that leads.

    Raises BadInputError for facts that fit nothing, IllegalMoveError for a ticket that has ended.
    """
    if ticket.status not in DRAFTABLE:
        what = Reason(
            f"{ticket.reference} is {ticket.status}; no draft can be made", "illegal_move", status=ticket.status.value
        )
        raise IllegalMoveError(what, "Reopen it first.")
    before = None if wish.fresh else drafts.newest(connection, ticket.id, wish.kind)
    plan = plan_of(office, ticket, wish, before)
    files = files_of_version(connection, wish, before, plan)
    received = messages.of_ticket(connection, ticket.id)
    written = template_words(office, ticket, received, wish, plan, now)
    text = words_of_version(written, wish, plan, before)
    if text is not written and wish.kind is DraftKind.REPLY:  # every final reply names the authority (GDPR 12(4))
        facts = facts_of(office, ticket, received, now)
        body = office.texts.completed(ticket.language, text.body, plan.items, facts)
        text = Text(subject=text.subject, body=body)
    thread = _thread(connection, ticket, received)
    needs = unmet(plan.needs, by_any_name(plan.values), files)
    findings = findings_of(connection, office, ticket, received, wish.kind, plan, text, files, needs)
    content = Content(
        sender=office.sender,
        recipient=ticket.requester_address,  # the From address, always (design, promise 8)
        subject=clean_header(text.subject, SUBJECT_LENGTH),
        text=text.body,
        html=html_of(text.body, ticket.language if ticket.language in ("fi", "sv") else "en"),
        in_reply_to=thread[0],
        attachments=tuple(file.digest() for file in files),
    )
    found = drafts.add(
        connection,
        {
            "ticket_id": ticket.id,
            "kind": wish.kind.value,
            "outcome": _common(plan.outcomes),
            "outcomes": {right.value: outcome.value for right, outcome in plan.outcomes.items()},
            "values": dict(plan.values),
            "language": ticket.language,
            "sender": content.sender,
            "recipient": content.recipient,
            "subject": content.subject,
            "text": content.text,
            "html": content.html,
            "in_reply_to": content.in_reply_to,
            "references": list(thread[1]),
            "needs": [need.as_json() for need in needs],
            "checklist": [_line(line) for line in plan.checklist],
            "findings": [item.as_json() for item in findings],
            "edited": text is not written,
            "fingerprint": fingerprint(content),
            "made_by": by,
            "made_at": now,
        },
        files,
    )
    audit.append(
        connection,
        now=now,
        event="draft_written",
        actor=by,
        reference=ticket.reference,
        details={"kind": found.kind.value, "version": found.version, "fingerprint": found.fingerprint},
    )
    if wish.kind is DraftKind.REPLY:
        tickets.move(connection, ticket, Event.DRAFT_MADE if found.ready else Event.DRAFT_INCOMPLETE)
    return found


def _thread(connection: Connection, ticket: Ticket, received: Sequence[StoredMessage]) -> tuple[str, tuple[str, ...]]:
    """In-Reply-To and References: the writer's last message (RFC 5322 3.6.4)."""
    address = ticket.requester_address.lower()
    own = [
        item
        for item in received
        if item.kind in REQUESTERS and item.message_id and item.from_address.lower() == address
    ]
    if not own:
        return "", ()  # staff forwarded it: the requester never saw that mail
    last = own[-1]
    return last.message_id, outbox.without_staff_mail(connection, last.references)  # as our answer's References are


def findings_of(
    connection: Connection,
    office: Office,
    ticket: Ticket,
    received: Sequence[StoredMessage],
    kind: DraftKind,
    plan: Plan,
    text: Text,
    files: Sequence[File],
    needs: Sequence[Need],
) -> tuple[Finding, ...]:
    """What the linter says; while facts are missing, that they are is no finding of its own."""
    longer = clock.reckon(office, ticket.received_at, ticket.rights, extended=True)
    checked = Checked(
        kind=kind.value,
        language=ticket.language,
        controller=office.controller,
        text=text.body,
        items=plan.items,
        values=plan.values,
        files=[LintedFile(name=file.name, content=file.content) for file in files],
        recipient=ticket.requester_address,
        requester_address=ticket.requester_address,
        requester_name=ticket.requester_name,
        message_text="\n".join(f"{item.subject}\n{item.text}" for item in received if item.direction == "in"),
        own_addresses=[office.sender_address, *(person.address for person in office.staff)],
        others=sorted(tickets.people_of(connection, RUNNING, but=ticket)),
        new_due_on=longer.due_on if kind is DraftKind.EXTENSION_NOTICE else None,
        awaited_copies=copies_awaited(connection, ticket, plan.outcomes),
    )
    found = lint(checked, office.texts.words(office.controller.language)["lint"])
    return tuple(item for item in found if not (needs and item.rule in MISSING))


def finding_in(item: Mapping[str, Any], words: Mapping[str, Any]) -> str:
    """A finding of the linter in the reader's language; the draft keeps it in the controller's."""
    known = words["lint"].get(item["rule"])
    return str(known).format(detail=item["detail"]) if known and "detail" in item else str(item["message"])


def _common(outcomes: Mapping[Right, Outcome]) -> str | None:
    found = {outcome.value for outcome in outcomes.values()}
    return found.pop() if len(found) == 1 else None


def _line(line: CheckLine) -> dict[str, Any]:
    return {"key": line.key, "text": line.text, "article_19": line.article_19}
