"""A ticket gets its drafts: the text, what it still needs, what to do before approving, and its fingerprint.

A draft is made whole or not at all; a new version supersedes the one before. Facts that staff gave for an earlier
version go on in the next unless the outcome they belong to has changed. Nothing here sends or approves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mailbot.core import one_time
from mailbot.core.draft import Content, DraftKind, Need, NeedKind, fingerprint, unmet
from mailbot.core.letter import CheckLine, ReplyItem, Text
from mailbot.core.lint import Checked, Finding, lint
from mailbot.core.lint_files import File as LintedFile
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.core.ticket import RUNNING, Event, Status
from mailbot.errors import BadInputError, IllegalMoveError, Reason
from mailbot.flows import clock
from mailbot.flows.copies import copies_awaited
from mailbot.flows.office import Office
from mailbot.mail.charset import clean_header
from mailbot.mail.compose import SUBJECT_LENGTH, html_of
from mailbot.mail.mime import safe_name
from mailbot.mail.own import HEADER
from mailbot.store import audit, drafts, messages, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft, File
from mailbot.store.messages import StoredMessage
from mailbot.store.tickets import Ticket

MAX_ATTACHMENTS_BYTES = 20 * 1024 * 1024  # what most mail servers still take once encoded
PROGRAMS = (
    ".exe",
    ".com",
    ".bat",
    ".cmd",
    ".scr",
    ".js",
    ".vbs",
    ".ps1",
    ".msi",
    ".jar",
    ".sh",
    ".lnk",
    ".hta",
    ".pif",
)
MISSING = ("placeholder", "copy_missing")  # findings that only say again that a fact is missing
SPOKE_AGAINST = frozenset({"dmarc_fail", "dkim_fail", "spf_fail"})
REQUESTERS = frozenset({"request", "follow_up"})  # kinds of messages that the requester's side wrote
DRAFTABLE = frozenset(Status) - {Status.CLOSED, Status.DISMISSED, Status.WITHDRAWN, Status.APPROVED}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants a new version to be. What is not said goes on as it was."""

    kind: DraftKind = DraftKind.REPLY
    outcomes: Mapping[Right, Outcome] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[File] = ()
    text: str | None = None  # replaces the words
    fresh: bool = False  # True: nothing of the earlier version goes on


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
    plan = _plan(office, ticket, wish, before)
    files = _files(connection, wish, before, plan)
    received = messages.of_ticket(connection, ticket.id)
    written = _written(office, ticket, received, wish, plan, now)
    text = _text(written, wish, plan, before)
    if text is not written and wish.kind is DraftKind.REPLY:  # every final reply names the authority (GDPR 12(4))
        facts = facts_of(office, ticket, received, now)
        body = office.texts.completed(ticket.language, text.body, plan.items, facts)
        text = Text(subject=text.subject, body=body)
    thread = _thread(connection, ticket, received)
    needs = unmet(plan.needs, _by_any_name(plan.values), files)
    findings = _findings(connection, office, ticket, received, wish.kind, plan, text, files, needs)
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


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """Outcomes, facts, needs and checklist of the version to be made."""

    outcomes: dict[Right, Outcome]
    values: dict[str, str]
    items: tuple[ReplyItem, ...]
    needs: tuple[Need, ...]
    checklist: tuple[CheckLine, ...]


def _plan(office: Office, ticket: Ticket, wish: Wish, before: Draft | None) -> _Plan:
    language = office.controller.language  # questions and checklist are for staff
    if wish.kind is not DraftKind.REPLY:
        values = {**(before.values if before else {}), **wish.values}
        needs = office.texts.needs(wish.kind.value, None, None, language)
        _known(
            wish.values,
            needs,
            extra={need.name for need in office.texts.optional(wish.kind.value, None, None, language)},
        )
        return _Plan(outcomes={}, values=values, items=(), needs=needs, checklist=())
    outcomes = _outcomes(office, ticket, wish, before)
    if not outcomes:
        raise BadInputError(
            Reason(f"{ticket.reference} has no rights yet", "no_rights"),
            f"Say which: mailbot ticket reclassify {ticket.reference} --right …",
        )
    kept = before.values if before and before.outcomes == outcomes else _still_fitting(before, outcomes)
    values = {**kept, **wish.values}
    several = _clashing(office, outcomes, language)
    items = _items(outcomes, values)
    needs = tuple(need for item in items for need in _needs(office, item, several, language))
    _known(wish.values, needs, extra=_optional_names(office, items, language))
    return _Plan(
        outcomes=outcomes,
        values=values,
        items=items,
        needs=needs,
        checklist=office.texts.checklist(office.controller, items, language),
    )


def _outcomes(office: Office, ticket: Ticket, wish: Wish, before: Draft | None) -> dict[Right, Outcome]:
    earlier = before.outcomes if before else {}
    found: dict[Right, Outcome] = {}
    for request in ticket.requests:
        if request.status != "open" and request.outcome is not None and request.right not in wish.outcomes:
            continue  # answered before, in part
        proposed = wish.outcomes.get(request.right) or earlier.get(request.right) or Outcome.FULFILLED
        possible = office.texts.outcomes(request.right)
        if proposed not in possible:
            what = Reason(f"{request.right} can not end as {proposed}", "no_such_outcome")
            raise BadInputError(what, f"Choose one of {', '.join(possible)}.")
        found[request.right] = proposed
    strange = set(wish.outcomes) - set(ticket.rights)
    if strange:
        raise BadInputError(
            f"{ticket.reference} holds no request for {', '.join(sorted(strange))}", "Reclassify the ticket first."
        )
    return found


def _still_fitting(before: Draft | None, outcomes: Mapping[Right, Outcome]) -> dict[str, str]:
    """Facts of rights whose outcome is as it was; plain names stay only where no outcome changed."""
    if before is None:
        return {}
    same = {right.value for right, outcome in outcomes.items() if before.outcomes.get(right) is outcome}
    return {name: value for name, value in before.values.items() if "." in name and name.split(".")[0] in same}


def _clashing(office: Office, outcomes: Mapping[Right, Outcome], language: str) -> frozenset[str]:
    """Names of needs that more than one of the rights has: those are written "right.name"."""
    seen: list[str] = []
    for right, outcome in outcomes.items():
        seen += {need.name for need in office.texts.needs("reply", right, outcome, language)}
    return frozenset(name for name in seen if seen.count(name) > 1)


def _item(right: Right, outcome: Outcome, values: Mapping[str, str]) -> ReplyItem:
    own = {name: value for name, value in values.items() if "." not in name}
    prefix = f"{right.value}."
    own |= {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
    ground = own.pop("ground", "")
    try:
        named = Ground(ground) if ground else None
    except ValueError as error:
        known = ", ".join(Ground)
        what = Reason(f"{ground!r} is no ground", "no_such_choice", name=ground, known=known)
        raise BadInputError(what, f"Choose one of {known}.") from error
    return ReplyItem(right=right, outcome=outcome, ground=named, values=own)


def _needs(office: Office, item: ReplyItem, several: frozenset[str], language: str) -> tuple[Need, ...]:
    found = office.texts.needs("reply", item.right, item.outcome, language, item.ground)
    return tuple(
        Need(
            name=f"{item.right.value}.{need.name}" if need.name in several else need.name,
            kind=NeedKind(need.kind),
            question=need.question,
            choices=tuple(need.choices),
        )
        for need in found
    )


def _optional_names(office: Office, items: Sequence[ReplyItem], language: str) -> set[str]:
    """Facts that can be given though nothing waits for them, plainly or as "right.name"."""
    found: set[str] = set()
    for item in items:
        names = {"ground", "registers", "told", "law_id"}
        names |= {n.name for n in office.texts.optional("reply", item.right, item.outcome, language, item.ground)}
        names |= {need.name for need in office.texts.needs("reply", item.right, item.outcome, language, item.ground)}
        found |= names | {f"{item.right.value}.{name}" for name in names}
    return found


def _by_any_name(values: Mapping[str, str]) -> dict[str, str]:
    """Facts also by their plain name, where they were given as "right.name" and one right alone asks for them."""
    return {**{name.rpartition(".")[2]: value for name, value in values.items()}, **values}


def _known(given: Mapping[str, str], needs: Sequence[Need], *, extra: set[str]) -> None:
    known = {need.name for need in needs if need.kind is not NeedKind.ATTACHMENT} | extra
    for name, value in given.items():
        if name not in known:
            wanted = ", ".join(sorted(need.name for need in needs if need.kind is not NeedKind.ATTACHMENT))
            what = Reason(
                f"this draft asks for no fact called {name!r}", "no_such_fact", name=name, known=wanted or "–"
            )
            raise BadInputError(what, f"It asks for: {wanted or 'none'}.")
        need = next((need for need in needs if need.name in (name, name.rpartition(".")[2])), None)
        if need and need.kind is NeedKind.CHOICE and need.choices and value not in need.choices:
            offered = ", ".join(need.choices)
            what = Reason(f"{value!r} is no choice for {name}", "no_such_choice", name=value, known=offered)
            raise BadInputError(what, f"Choose one of {offered}.")


def _files(connection: Connection, wish: Wish, before: Draft | None, plan: _Plan) -> tuple[File, ...]:
    asked = any(need.kind is NeedKind.ATTACHMENT for need in plan.needs)
    kept = drafts.files(connection, before.id) if before and (asked or wish.kind is not DraftKind.REPLY) else ()
    named: dict[str, File] = {file.name: file for file in kept if file.content}
    for file in wish.files:
        name = safe_name(file.name) or "file"
        check_file(name, file.content)
        named[name] = File(name=name, type=file.type, content=file.content)
    if sum(len(file.content) for file in named.values()) > MAX_ATTACHMENTS_BYTES:
        raise BadInputError(
            Reason(f"the attachments are larger than {MAX_ATTACHMENTS_BYTES // 2**20} MB together", "files_too_large"),
            "Send them another way and tell the requester how, or split them.",
        )
    return tuple(named.values())


def check_file(name: str, content: bytes) -> None:
    """Raises BadInputError for a file that nobody should send: empty, or a program."""
    if not content:
        raise BadInputError(Reason(f"the file {name} is empty", "file_empty", name=name), "Attach the file itself.")
    if one_time.stands_in(content) or HEADER.encode() in content:
        what = Reason(f"the file {name} holds mail to staff", "file_of_ours", name=name)
        raise BadInputError(what, "A notice never leaves the house.")
    if name.lower().endswith(PROGRAMS) or content[:2] == b"MZ" or content[:4] == b"\x7fELF":
        what = Reason(f"the file {name} is a program", "file_program", name=name)
        raise BadInputError(what, "Attach the data as a document.")


def _text(ticket_text: Text, wish: Wish, plan: _Plan, before: Draft | None) -> Text:
    """The words of the version: new ones from staff, their earlier ones, or those of the template."""
    if one_time.quoted("\n".join([wish.text or "", *wish.values.values()])):
        what = Reason("the text holds a part of the mail to staff", "text_of_ours")
        raise BadInputError(what, "Write the new text alone, without quoting.")
    if wish.text is not None:
        return Text(subject=before.subject if before else ticket_text.subject, body=wish.text.strip("\n") + "\n")
    if before and before.edited and before.outcomes == plan.outcomes and not wish.values:
        return Text(subject=before.subject, body=before.text)  # staff's own words stay when only a file is added
    return ticket_text


def _written(
    office: Office, ticket: Ticket, received: Sequence[StoredMessage], wish: Wish, plan: _Plan, now: datetime
) -> Text:
    """The words of the template."""
    facts = facts_of(office, ticket, received, now)
    if wish.kind is DraftKind.REPLY:
        return office.texts.reply(ticket.language, plan.items, facts)
    return office.texts.letter(wish.kind.value, ticket.language, {**facts, **_letter_facts(office, ticket, wish, plan)})


def _letter_facts(office: Office, ticket: Ticket, wish: Wish, plan: _Plan) -> dict[str, Any]:
    extra: dict[str, Any] = {**plan.values}
    if wish.kind is DraftKind.EXTENSION_NOTICE:
        longer = clock.reckon(office, ticket.received_at, ticket.rights, extended=True)
        extra |= {"due_on": ticket.one_month_on, "new_due_on": longer.due_on}
    return extra


def facts_of(office: Office, ticket: Ticket, received: Sequence[StoredMessage], now: datetime) -> dict[str, Any]:
    """The facts that every text about a ticket may use; `received` are its messages."""
    first = next((item for item in received if item.direction == "in"), None)
    return {
        "controller": office.controller,
        "contact": office.sender_address,
        "reference": ticket.reference,
        "requester_name": ticket.requester_name,
        "today": clock.today(office, now),
        "received_on": clock.today(office, ticket.received_at),
        "due_on": ticket.due_on,
        "explanation_short": ticket.explanations.get("short", {}),
        "original_subject": first.subject if first else "",
        "items": tuple(ReplyItem(right=right) for right in ticket.rights),
        "channel": ticket.channel.value,
        "by_mail": bool(ticket.requester_address),
        "why_asked": "unverified" if _doubtful(ticket) else ticket.channel.value,
    }


def _doubtful(ticket: Ticket) -> bool:
    """Whether a check of the sending server spoke against the address, and none that is aligned spoke for it."""
    return bool(set(ticket.authenticity) & SPOKE_AGAINST) and "dmarc_pass" not in ticket.authenticity


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


def _findings(
    connection: Connection,
    office: Office,
    ticket: Ticket,
    received: Sequence[StoredMessage],
    kind: DraftKind,
    plan: _Plan,
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


def checklist_in(office: Office, draft: Draft, language: str) -> tuple[CheckLine, ...]:
    """The checklist of a reply draft in another language of staff."""
    return office.texts.checklist(office.controller, _items(draft.outcomes, draft.values), language)


def needs_in(office: Office, draft: Draft, language: str) -> tuple[Need, ...]:
    """What a draft still needs, asked in another language of staff."""
    if draft.kind is DraftKind.REPLY:
        several = _clashing(office, draft.outcomes, language)
        items = _items(draft.outcomes, draft.values)
        asked = tuple(need for item in items for need in _needs(office, item, several, language))
    else:
        asked = office.texts.needs(draft.kind.value, None, None, language)
    missing = {need.name for need in draft.needs}
    return tuple(need for need in asked if need.name in missing)


def finding_in(item: Mapping[str, Any], words: Mapping[str, Any]) -> str:
    """A finding of the linter in the reader's language; the draft keeps it in the controller's."""
    known = words["lint"].get(item["rule"])
    return str(known).format(detail=item["detail"]) if known and "detail" in item else str(item["message"])


def _items(outcomes: Mapping[Right, Outcome], values: Mapping[str, str]) -> tuple[ReplyItem, ...]:
    return tuple(_item(right, outcome, values) for right, outcome in outcomes.items())


def _common(outcomes: Mapping[Right, Outcome]) -> str | None:
    found = {outcome.value for outcome in outcomes.values()}
    return found.pop() if len(found) == 1 else None


def _line(line: CheckLine) -> dict[str, Any]:
    return {"key": line.key, "text": line.text, "article_19": line.article_19}
