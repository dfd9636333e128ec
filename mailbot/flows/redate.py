"""Open tickets are dated anew after a new list of holidays or another policy: the same facts, reckoned again.

Only a date that really moves is written. The new dates, their audit entries and the mails to staff are one transaction:
all of it happens, or nothing. What was already said stays said; reminders follow the new dates. A dry run shows the
same difference and writes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from mailbot.core.ticket import RUNNING, Event
from mailbot.errors import BadInputError
from mailbot.flows import clock, notify, own_mail, remind
from mailbot.flows.news import news_facts
from mailbot.flows.office import Office
from mailbot.store import audit, tickets
from mailbot.store.database import Connection
from mailbot.store.tickets import Ticket

DATES = ("due_on", "target_on", "act_by_on", "one_month_on")


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One ticket whose dates move: only the dates that differ, old and new."""

    reference: str
    before: Mapping[str, date | None]
    after: Mapping[str, date | None]


@dataclass(kw_only=True)
class Round:
    """What moved, or would move."""

    shifts: list[Shift] = field(default_factory=list)
    unmoved: int = 0
    problems: list[str] = field(default_factory=list)  # tickets whose dates can not be reckoned, and why


def redate(office: Office, *, now: datetime, by: str = "mailbot", dry_run: bool = False) -> Round:
    """Reckons every open ticket again; `by` is who asked for it, as the audit chain names them."""
    done, moved = Round(), []
    with office.database.read() if dry_run else office.database.write() as connection:
        for found in tickets.find(connection, statuses=RUNNING):
            try:
                ticket = found if dry_run else tickets.by_id(connection, found.id, lock=True)
                columns = clock.columns(clock.of_ticket(connection, office, ticket))
            except BadInputError as error:
                done.problems.append(f"{found.reference}: {error}")
                continue
            shift = _shift(ticket, columns)
            if shift is None:
                done.unmoved += 1
                continue
            done.shifts.append(shift)
            if not dry_run:
                moved.append(_write(connection, ticket, shift, columns, by, now))
        if moved:
            _tell(connection, office, moved, now)
    return done


def _shift(ticket: Ticket, columns: Mapping[str, Any]) -> Shift | None:
    names = [name for name in DATES if getattr(ticket, name) != columns[name]]
    if not names:
        return None
    return Shift(
        reference=ticket.reference,
        before={name: getattr(ticket, name) for name in names},
        after={name: columns[name] for name in names},
    )


def _write(
    connection: Connection, ticket: Ticket, shift: Shift, columns: Mapping[str, Any], by: str, now: datetime
) -> Ticket:
    changed = tickets.change(connection, tickets.move(connection, ticket, Event.REDATED), **columns)
    details = {"before": dict(shift.before), "after": dict(shift.after)}
    audit.append(connection, now=now, event=Event.REDATED.value, actor=by, reference=ticket.reference, details=details)
    return changed


def _tell(connection: Connection, office: Office, moved: Sequence[Ticket], now: datetime) -> None:
    """Each ticket by a notice of its own; above the cap all of them in one list (promise 6)."""
    merged = len(moved) > office.options.notices_per_hour
    for person in notify.reached(office, now):
        if merged:
            facts = {**remind.empty_digest(office, now), "due": [remind.row(office, person, item) for item in moved]}
            text = office.texts.staff("digest", person.language, facts)
            own_mail.mail_staff(connection, office, person, text, kind="digest", now=now)
        for ticket in () if merged else moved:
            facts = news_facts(office.texts.words(person.language)["staff"], ["redated"])
            notify.tell(connection, office, ticket, "notice", now=now, to=[person], facts=facts)
    for ticket in moved:
        notify.note_dates_told(connection, office, ticket, now)
