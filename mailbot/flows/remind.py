"""Staff are told what is due: before, on and after the due date, once each, whatever was missed while all was off.

The question is "due and not yet reminded" (core/reminders.py). What was said is written down in the transaction that
queues the mail, so that it is never said twice, also when two rounds run at once. Several tickets come as one digest a
person; notices that were held back by the cap are in it too, merged and never dropped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mailbot.core.reminders import Audience, Reminder, ReminderKey, ReminderKind, reminders_due
from mailbot.core.staff import StaffMember, by_address
from mailbot.core.ticket import RUNNING, Status
from mailbot.flows import clock, notify
from mailbot.flows.office import Office
from mailbot.store import audit, outbox, tickets
from mailbot.store.database import Connection, take_turns
from mailbot.store.tickets import Ticket

SECTION = {
    ReminderKind.OVERDUE: "overdue",
    ReminderKind.ACT_BY: "act_now",
    ReminderKind.LAST_EXTENSION: "extend",
}


@dataclass(frozen=True, kw_only=True)
class _Due:
    """One ticket and what is to be said of it."""

    ticket: Ticket
    reminder: Reminder


@dataclass(kw_only=True)
class Round:
    """What one round did."""

    reminded: list[str] = field(default_factory=list)  # references
    escalated: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)  # new tickets whose notice was held back


def remind(office: Office, *, now: datetime) -> Round:
    """Queues everything that is due to be said now."""
    done = Round()
    with office.database.write() as connection:
        take_turns(connection, "remind")
        due = list(_due(connection, office, now))
        new = [ticket for ticket in _running(connection) if "noticed" not in tickets.reminded(connection, ticket.id)]
        if not due and not new:
            return done
        staff = [item for item in due if item.reminder.audience is Audience.STAFF]
        for person in office.active_staff():
            _tell_person(connection, office, person, staff, new, now)
        for item in due:
            if item.reminder.audience is Audience.DEPUTY:
                _escalate(connection, office, item, now)
            tickets.note_reminders(connection, item.ticket.id, [str(key) for key in item.reminder.covers], now)
            names = done.escalated if item.reminder.audience is Audience.DEPUTY else done.reminded
            names.append(item.ticket.reference)
            _write(connection, item, now)
        for ticket in new:
            tickets.note_reminders(connection, ticket.id, ["noticed"], now)
            done.merged.append(ticket.reference)
        outbox.refusals_told(connection, now)
    return done


def _running(connection: Connection) -> tuple[Ticket, ...]:
    return tickets.find(connection, statuses=RUNNING)


def _due(connection: Connection, office: Office, now: datetime) -> Iterable[_Due]:
    today = clock.today(office, now)
    for ticket in _running(connection):
        known = tickets.reminded(connection, ticket.id) - {"noticed"}
        found = reminders_due(
            clock.of_ticket(connection, office, ticket),
            today=today,
            calendar=office.calendar,
            status=ticket.status,
            already={ReminderKey.of(key) for key in known},
            days_before=office.options.days_before,
            noticed_on=clock.today(office, ticket.opened_at),
        )
        yield from (_Due(ticket=ticket, reminder=reminder) for reminder in found)


def _tell_person(
    connection: Connection,
    office: Office,
    person: StaffMember,
    due: Sequence[_Due],
    new: Sequence[Ticket],
    now: datetime,
) -> None:
    """One mail: a reminder with its draft and token when it is about one ticket, a digest when about several."""
    if len(due) == 1 and not new:
        item = due[0]
        facts = {
            "days_left": item.reminder.days_left,
            "overdue": item.ticket.overdue(clock.today(office, now)),
            "can_extend_until": item.ticket.one_month_on if item.reminder.kind is ReminderKind.LAST_EXTENSION else "",
        }
        notify.tell(connection, office, item.ticket, "reminder", now=now, to=_reached(office, person, now), facts=facts)
        return
    if not due and not new:
        return
    text = office.texts.staff("digest", person.language, digest_facts(connection, office, person, due, new, now))
    for member in _reached(office, person, now):
        notify.mail_staff(connection, office, member, text, kind="digest", now=now)
    for item in due:  # each ticket can be answered by replying to a mail of its own once it is pressing
        if item.reminder.kind in (ReminderKind.OVERDUE, ReminderKind.DUE):
            notify.tell(connection, office, item.ticket, "reminder", now=now, to=_reached(office, person, now))
    for ticket in new:
        notify.tell(connection, office, ticket, "notice", now=now, to=_reached(office, person, now))


def _reached(office: Office, person: StaffMember, now: datetime) -> tuple[StaffMember, ...]:
    """The person, or their deputy while they are away."""
    if not person.is_away(clock.today(office, now)):
        return (person,)
    deputy = by_address(office.staff, person.deputy) if person.deputy else None
    return (deputy,) if deputy is not None and deputy.active else (person,)


def digest_facts(
    connection: Connection,
    office: Office,
    person: StaffMember,
    due: Sequence[_Due],
    new: Sequence[Ticket],
    now: datetime,
) -> dict[str, Any]:
    """The lists of a digest in the person's language."""
    words = office.texts.words(person.language)
    facts: dict[str, Any] = {"today": clock.today(office, now), "overdue": [], "act_now": [], "due": [], "extend": []}
    for item in due:
        facts[SECTION.get(item.reminder.kind, "due")].append(_row(item.ticket, words, person.language))
    waiting = (Status.AWAITING_IDENTITY, Status.AWAITING_REQUESTER)
    facts["waiting"] = [_row(t, words, person.language) for t in _running(connection) if t.status in waiting]
    facts["new"] = [_row(ticket, words, person.language) for ticket in new]
    facts["suspicious"] = [f"{at:%Y-%m-%d %H:%M} UTC: {why}, {sender}" for at, why, _, sender in
                           outbox.untold_refusals(connection)]  # fmt: skip
    count, root = audit.root(connection)
    facts["root"] = f"{count}: {root}"
    return facts


def _row(ticket: Ticket, words: Any, language: str) -> dict[str, Any]:
    return {
        "reference": ticket.reference,
        "one_line": notify.one_line(ticket, words),
        "due_on": ticket.due_on,
        "line": notify.explanation(ticket, language),
    }


def _escalate(connection: Connection, office: Office, item: _Due, now: datetime) -> None:
    """Silence until shortly before the due date: deputies hear of it, and all staff where nobody has one."""
    named = {person.deputy.lower() for person in office.active_staff() if person.deputy}
    deputies = [person for person in office.active_staff() if person.address.lower() in named]
    others = deputies or [person for person in office.active_staff() if person.may_approve()]
    facts = {
        "silent_since": clock.today(office, item.ticket.opened_at),
        "notified": ", ".join(person.name for person in office.active_staff()),
        "overdue": item.ticket.overdue(clock.today(office, now)),
    }
    notify.tell(connection, office, item.ticket, "escalation", now=now, to=others, facts=facts)


def _write(connection: Connection, item: _Due, now: datetime) -> None:
    audit.append(
        connection,
        now=now,
        event="reminded",
        actor="mailbot",
        reference=item.ticket.reference,
        details={"covers": [str(key) for key in item.reminder.covers], "audience": item.reminder.audience.value},
    )
