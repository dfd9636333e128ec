"""Mail to staff: each with a one-time token of its own, queued in the transaction of what it tells of.

The token is random (160 bits) and stands in the body, its hash in the database; the Message-ID carries as many
bits, so that a telephone that quotes nothing can still answer. No such Message-ID is ever named to others, and the
bytes leave the outbox once a server has taken them (design 8).
"""

import base64
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from mailbot.core import one_time
from mailbot.core.draft import DraftKind
from mailbot.core.letter import Text
from mailbot.core.staff import StaffMember, by_address
from mailbot.core.ticket import RUNNING
from mailbot.flows import clock, own_mail
from mailbot.flows.notice_facts import explanation, one_line, shown_draft, ticket_facts
from mailbot.flows.offers import offers
from mailbot.flows.office import Office
from mailbot.mail.compose import Part
from mailbot.store import cursors, drafts, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft
from mailbot.store.tickets import Ticket


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
            shown_draft(connection, draft, office.texts.words(person.language), tuple(seen))
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
