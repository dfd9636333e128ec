"""Mail of the machine's own, to staff, to the alarm address, or to itself: made into bytes and queued in one place.

None of it needs an approval, all of it carries our mark and says that no person wrote it (RFC 3834 5). What it says is
decided by who calls; its Message-ID is as hard to guess as a token, because an answer to it may prove who answers.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from mailbot.core.letter import Text
from mailbot.core.staff import StaffMember
from mailbot.flows.office import Office
from mailbot.mail.compose import Letter, Part, compose, html_of
from mailbot.mail.own import HEADER, mark
from mailbot.store import cursors, outbox
from mailbot.store.database import Connection
from mailbot.store.tickets import Ticket

HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}  # RFC 3834 5
SAME_ALARM = timedelta(hours=1)  # the same trouble is told no oftener


def new_message_id(office: Office) -> str:
    """A Message-ID nobody can guess (160 random bits)."""
    return f"<{secrets.token_hex(20)}@{office.domain}>"


def queue(
    connection: Connection,
    office: Office,
    text: Text,
    *,
    audience: str,
    kind: str,
    recipient: str,
    language: str,
    now: datetime,
    recipient_name: str = "",
    message_id: str = "",
    ticket: Ticket | None = None,
    parts: Sequence[Part] = (),
    in_reply_to: str = "",
) -> int:
    """Queues one mail that needs no approval; the number of its outbox row. `audience` is never data_subject."""
    message_id = message_id or new_message_id(office)
    raw = compose(
        Letter(
            sender=office.sender,
            recipient=recipient,
            recipient_name=recipient_name,
            subject=text.subject,
            text=text.body,
            html=html_of(text.body, language),
            message_id=message_id,
            date=now,
            in_reply_to=in_reply_to,
            references=(in_reply_to,) if in_reply_to else (),
            parts=parts,
            headers={**HEADERS, HEADER: mark(office.key, message_id, kind)},
        )
    )
    return outbox.queue(
        connection,
        {
            "audience": audience,
            "kind": kind,
            "ticket_id": ticket.id if ticket else None,
            "sender": office.sender_address,
            "recipient": recipient,
            "message_id": message_id,
            "next_at": now,
            "made_at": now,
        },
        raw,
    )


def mail_staff(
    connection: Connection,
    office: Office,
    person: StaffMember,
    text: Text,
    *,
    kind: str,
    now: datetime,
    ticket: Ticket | None = None,
    parts: Sequence[Part] = (),
    in_reply_to: str = "",
    message_id: str = "",
    to: str = "",
) -> int:
    """Queues one mail to one member of staff; the number of its outbox row."""
    return queue(
        connection,
        office,
        text,
        audience="staff",
        kind=kind,
        recipient=to or person.address,
        recipient_name=person.name,
        language=person.language,
        now=now,
        message_id=message_id,
        ticket=ticket,
        parts=parts,
        in_reply_to=in_reply_to,
    )


def alarm(
    connection: Connection,
    office: Office,
    what: str,
    *,
    now: datetime,
    details: Sequence[str] = (),
    recovered: bool = False,
) -> None:
    """Queues a mail to the alarm address, once an hour for the same trouble; without one the log must do."""
    address = office.options.alarm_address
    name = "alarm " + hashlib.sha256(what.encode()).hexdigest()[:16]
    told = cursors.read_state(connection, name)
    if not address or (told and timedelta(0) <= now - told[1] < SAME_ALARM):
        return
    cursors.note_state(connection, name, "told", now)
    language = office.controller.language
    text = office.texts.staff("alarm", language, {**_alarm_facts(what, details), "recovered": recovered})
    queue(connection, office, text, audience="alarm", kind="alarm", recipient=address, language=language, now=now)


def alarm_staff(
    connection: Connection,
    office: Office,
    to: Iterable[StaffMember],
    words: Sequence[str],
    address: str,
    detail: str,
    now: datetime,
) -> None:
    """An alarm about a staff address to each of `to`; `words` is where its sentence stands in the language files."""
    for person in to:
        known: Any = office.texts.words(person.language)["staff"]
        for key in words:
            known = known[key]
        what = str(known).format(address=address).rstrip(".")
        text = office.texts.staff("alarm", person.language, _alarm_facts(what, [detail] if detail else []))
        mail_staff(connection, office, person, text, kind="alarm", now=now)


def staff_unreachable(connection: Connection, office: Office, address: str, detail: str, now: datetime) -> None:
    """Mail to one member of staff does not arrive: the others hear of it, since nobody may know what is due."""
    others = [person for person in office.active_staff() if person.address.lower() != address.lower()]
    alarm_staff(connection, office, others, ("staff_unreachable",), address, detail, now)


def _alarm_facts(what: str, details: Sequence[str]) -> dict[str, Any]:
    return {"what": what, "details": list(details), "since": "", "cure": "", "recovered": False, "tickets": []}
