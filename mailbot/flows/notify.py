"""Mail to staff: each with a one-time token of its own, queued in the transaction of what it tells of.

The token is random (160 bits) and stands in the body, its hash in the database; the Message-ID carries as many
bits, so that a telephone that quotes nothing can still answer. No such Message-ID is ever named to others, and the
bytes leave the outbox once a server has taken them (design 8).
"""

import base64
import difflib
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from mailbot.core import one_time
from mailbot.core.draft import DraftKind, DraftState
from mailbot.core.letter import Text
from mailbot.core.rights import Right
from mailbot.core.staff import StaffMember, by_address
from mailbot.core.ticket import RUNNING, Status
from mailbot.flows import clock, own_mail, prepare
from mailbot.flows.offers import offers
from mailbot.flows.office import Office
from mailbot.mail.compose import Part
from mailbot.store import cursors, drafts, messages, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft
from mailbot.store.tickets import Ticket

SECOND_READER = "second_reader"  # the rule that its evidence names
MESSAGE_CHARACTERS = 6000  # of the requester's own words shown in a notice; all of it stands in `ticket show`


def tell(
    connection: Connection,
    office: Office,
    ticket: Ticket,
    template: str,
    *,
    now: datetime,
    to: Iterable[StaffMember] | None = None,
    facts: Mapping[str, Any] | None = None,
    with_token: bool = True,
    main: Draft | None = None,
    parts: Sequence[Part] = (),
    in_reply_to: str = "",
    asks_outside: bool | None = None,
    withdrawn: bool = False,
    seen: Iterable[int] = (),
) -> None:
    """Queues a mail about a ticket to each of `to` (all who are reached), each with a token of their own.

    `main` is the draft the mail is about; without it all that wait are shown and the reply is what "approve" means.
    `asks_outside`: the mail asks whether an answer was given outside (a notice does while that is open), so that an
    approval in reply to it is a confirmed one. `withdrawn`: the newest message seems to take the request back.
    `seen`: numbers of the drafts that the person has read; what has changed since is shown.
    """
    asks = ticket.outside_suspected and (template == "notice" if asks_outside is None else asks_outside)
    if template == "notice":
        note_dates_told(connection, office, ticket, now)
    shown_drafts = (main,) if main else drafts.pending(connection, ticket.id)
    for person in reached(office, now) if to is None else to:
        token, message_id = _new_token(), own_mail.new_message_id(office)
        signs = with_token and person in office.staff  # an alarm address decides nothing
        shown = {**ticket_facts(connection, office, ticket, person, now, shown_drafts), **(facts or {})}
        shown["drafts"] = [
            _shown(connection, draft, office.texts.words(person.language), tuple(seen))
            for draft in reversed(shown_drafts)
        ]
        said = (*shown.get("news", ()),)
        more = (*shown.pop("more_warnings", ()), *shown["warnings"])
        shown["warnings"] = [line for line in dict.fromkeys(more) if line not in said]
        shown["offers"] = offers(office, ticket, person, shown_drafts, withdrawn=withdrawn)
        shown["ready"] = "approve" in shown["offers"]
        text = office.texts.staff(template, person.language, {**shown, "token": token if signs else ""})
        text = Text(subject=text.subject, body=f"{one_time.top_line(ticket.reference)}\n\n{text.body}")
        own_mail.mail_staff(
            connection,
            office,
            person,
            text,
            kind=template,
            now=now,
            ticket=ticket,
            parts=(*parts, *calendar_entry(connection, office, ticket, person, now)),
            in_reply_to=in_reply_to,
            message_id=message_id,
        )
        if signs:
            _store_token(connection, office, ticket, person, token, message_id, now, shown_drafts, asks_outside=asks)


def note_dates_told(connection: Connection, office: Office, ticket: Ticket, now: datetime) -> None:
    """All dates of the ticket were just said: what was planned for today or before needs no reminder any more."""
    key = f"{tickets.NOTICED} {clock.today(office, now)}"
    if key not in tickets.reminded(connection, ticket.id):
        tickets.note_reminders(connection, ticket.id, [key], now)


def reached(office: Office, now: datetime) -> tuple[StaffMember, ...]:
    """Who gets mail about tickets: active staff; for one who is away their deputy, or the alarm address."""
    found: dict[str, StaffMember] = {}
    for person in office.active_staff():
        stands_in = _stand_in(office, person, clock.today(office, now))
        found.setdefault(stands_in.address.lower(), stands_in)
    return tuple(found.values())


def _stand_in(office: Office, person: StaffMember, today: date) -> StaffMember:
    if not person.is_away(today):
        return person
    deputy = by_address(office.staff, person.deputy) if person.deputy else None
    if deputy is not None and deputy.active and not deputy.is_away(today):
        return deputy
    present = [one for one in office.active_staff() if one.may_approve() and not one.is_away(today)]
    if present or not office.options.alarm_address:
        return present[0] if present else person
    return replace(person, address=office.options.alarm_address, roles=frozenset())  # design 8: one person, no deputy


def calendar_entry(
    connection: Connection, office: Office, ticket: Ticket, person: StaffMember, now: datetime
) -> tuple[Part, ...]:
    """The due date for the person's calendar, when it is not there yet, has moved, or is no longer awaited."""
    if office.due_entry is None:
        return ()
    name = f"calendar {ticket.id} {outbox.hashed(person.address.lower())[:16]}"
    known = cursors.read_state(connection, name)
    count, _, day = known[0].partition(" ") if known else ("-1", "", "")
    wanted = ticket.due_on.isoformat() if ticket.status in RUNNING else ""
    if day == wanted:
        return ()
    cursors.note_state(connection, name, f"{int(count) + 1} {wanted}", now)
    made = office.due_entry(
        ticket.reference,
        ticket.due_on,
        summary=f"{ticket.reference}: {one_line(ticket, office.texts.words(person.language))}",
        sequence=int(count) + 1,
        organizer=office.sender_address,
        made_at=now,
        description=explanation(ticket, person.language),
        cancelled=not wanted,
    )
    return (Part(name=f"{ticket.reference}.ics", type="text/calendar", content=made),)


def _new_token() -> str:
    return one_time.written(base64.b32encode(secrets.token_bytes(20)).decode("ascii"))


def _store_token(
    connection: Connection,
    office: Office,
    ticket: Ticket,
    person: StaffMember,
    token: str,
    message_id: str,
    now: datetime,
    shown_drafts: Sequence[Draft],
    *,
    asks_outside: bool,
) -> None:
    shown = {draft.kind.value: draft.id for draft in shown_drafts}
    about = shown.get(DraftKind.REPLY.value) if len(shown) != 1 else next(iter(shown.values()))
    outbox.add_token(
        connection,
        {
            "hash": outbox.hashed(token),
            "message_id_hash": outbox.hashed(message_id),
            "staff": person.address.lower(),
            "ticket_id": ticket.id,
            "drafts": {**shown, "main": about} if about else shown,
            "asked_outside": asks_outside,
            "made_at": now,
            "expires_at": now + timedelta(days=office.options.token_days),
        },
    )


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
        "checklist": prepare.checklist_in(office, reply, person.language) if reply else (),
        "needs": prepare.needs_in(office, reply, person.language) if reply else (),
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


def difference(before: str, after: str) -> str:
    """What changed between two texts, as a unified diff without its header."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++")))


def _shown(connection: Connection, draft: Draft, words: Mapping[str, Any], seen: Collection[int]) -> dict[str, Any]:
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
