"""Staff are told what is due: before, on and after the due date, once each, whatever was missed while all was off.

The question is "due and not yet reminded" (core/reminders.py). What was said is written down in the transaction that
queues the mail, so that it is never said twice, also when two rounds run at once. Several tickets come as one digest a
person. Notices that the cap held back come as one list at once and one by one as the cap allows; none is dropped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from mailbot.core.deadline import time_zone
from mailbot.core.reminders import Audience, Reminder, ReminderKey, ReminderKind, reminders_due
from mailbot.core.staff import StaffMember
from mailbot.core.ticket import RUNNING, Status
from mailbot.flows import clock, notify, own_mail
from mailbot.flows.duties import held_back
from mailbot.flows.notice_facts import explanation, one_line
from mailbot.flows.office import Office
from mailbot.store import audit, cursors, outbox, tickets
from mailbot.store.database import Connection, take_turns
from mailbot.store.tickets import Ticket

SECTION = {
    ReminderKind.OVERDUE: "overdue",
    ReminderKind.ACT_BY: "act_now",
    ReminderKind.LAST_EXTENSION: "extend",
}
REMINDED = "reminded"  # state: when the last round was; the canary watches it
MERGED = "merged"  # state: when held-back notices were last told as one list
LISTED = "listed"  # reminder key: the ticket stood in such a list
AN_HOUR = timedelta(hours=1)


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
    merged: list[str] = field(default_factory=list)  # new tickets told in one list
    noticed: list[str] = field(default_factory=list)  # held-back notices that went out on their own


def remind(office: Office, *, now: datetime, mornings_only: bool = False) -> Round:
    """Queues everything that is due to be said now, and the notices that were held back.

    With `mornings_only` reminders wait for the configured hour of a working day; the round counts as done all the same.
    """
    done = Round()
    with office.database.write() as connection:
        take_turns(connection, "remind")
        _tell_held_back(connection, office, done, now)
        due = [] if mornings_only and not _is_morning(office, now) else list(_due(connection, office, now))
        mine = [item for item in due if item.reminder.audience is Audience.STAFF]
        if mine:
            for person in notify.reached(office, now):
                _tell_person(connection, office, person, mine, now)
            outbox.refusals_told(connection, now)
        for item in due:
            if item.reminder.audience is Audience.DEPUTY:
                _escalate(connection, office, item, now)
            tickets.note_reminders(connection, item.ticket.id, [str(key) for key in item.reminder.covers], now)
            names = done.escalated if item.reminder.audience is Audience.DEPUTY else done.reminded
            names.append(item.ticket.reference)
            _write(connection, item, now)
        cursors.note_state(connection, REMINDED, "ok", now)
    return done


def _is_morning(office: Office, now: datetime) -> bool:
    """True from the configured hour on, on working days."""
    hour = now.astimezone(time_zone(office.zone)).hour
    return hour >= office.options.digest_hour and office.calendar.is_working_day(clock.today(office, now))


def tell_held_back(office: Office, *, now: datetime) -> Round:
    """Only the notices of new tickets that the cap held back; for whoever reads the mailbox, after each round."""
    done = Round()
    if held_back(office):
        with office.database.write() as connection:
            take_turns(connection, "remind")
            _tell_held_back(connection, office, done, now)
    return done


def _held_back(connection: Connection) -> list[tuple[Ticket, frozenset[str]]]:
    """Running tickets without a notice of their own, and what was said of each."""
    found = [tickets.by_id(connection, number) for number in tickets.unnoticed(connection, RUNNING)]
    found.sort(key=lambda ticket: (ticket.due_on, ticket.reference))
    return [(ticket, tickets.reminded(connection, ticket.id)) for ticket in found]


def _tell_held_back(connection: Connection, office: Office, done: Round, now: datetime) -> None:
    """One list an hour of what is new, and as many notices of their own as the hour has room for (promise 6)."""
    held = _held_back(connection)
    listed = [ticket for ticket, said in held if LISTED not in said]
    last = cursors.read_state(connection, MERGED)
    room = max(0, office.options.notices_per_hour - tickets.noticed_between(connection, now - AN_HOUR, now))
    if len(listed) > room and (last is None or not timedelta(0) <= now - last[1] < AN_HOUR):
        for person in notify.reached(office, now):
            facts = digest_facts(connection, office, person, (), listed, now)
            text = office.texts.staff("digest", person.language, facts)
            own_mail.mail_staff(connection, office, person, text, kind="digest", now=now)
        for ticket in listed:
            tickets.note_reminders(connection, ticket.id, [LISTED], now)
            done.merged.append(ticket.reference)
        cursors.note_state(connection, MERGED, "told", now)
    for ticket, _ in held[:room]:
        notify.tell(connection, office, ticket, "notice", now=now)
        tickets.note_reminders(connection, ticket.id, [tickets.NOTICED], now)
        done.noticed.append(ticket.reference)


def _noticed_on(office: Office, ticket: Ticket, said: Iterable[str]) -> date:
    """The local day on which all dates were last said."""
    days = [date.fromisoformat(key.removeprefix(tickets.NOTICED).strip()) for key in said
            if key.startswith(f"{tickets.NOTICED} ")]  # fmt: skip
    return max([clock.today(office, ticket.opened_at), *days])


def _running(connection: Connection) -> tuple[Ticket, ...]:
    return tickets.find(connection, statuses=RUNNING)


def _due(connection: Connection, office: Office, now: datetime) -> Iterable[_Due]:
    today = clock.today(office, now)
    for ticket in _running(connection):
        said = tickets.reminded(connection, ticket.id)
        found = reminders_due(
            clock.of_ticket(connection, office, ticket),
            today=today,
            calendar=office.calendar,
            status=ticket.status,
            already={ReminderKey.of(key) for key in said if key[:1].isdigit()},
            days_before=office.options.days_before,
            noticed_on=_noticed_on(office, ticket, said),
            silent_since=_silent_since(connection, office, ticket),
            escalate_after_days=office.options.escalate_after_days,
        )
        yield from (_Due(ticket=ticket, reminder=reminder) for reminder in found)


def _silent_since(connection: Connection, office: Office, ticket: Ticket) -> date | None:
    """The day on which the ticket was opened while nobody of staff has touched it, None afterwards."""
    touched = any(told.entry.actor.startswith("staff:") for told in audit.chain(connection, ticket.reference))
    return None if touched else clock.today(office, ticket.opened_at)


def _tell_person(
    connection: Connection, office: Office, person: StaffMember, due: Sequence[_Due], now: datetime
) -> None:
    """One mail: a reminder with its draft and token when it is about one ticket, a digest when about several.

    Attempts from outside to act as staff stand in a digest, so that they bring one with them.
    """
    if len(due) == 1:
        _remind_of(connection, office, person, due[0], now)
        if not outbox.untold_refusals(connection):
            return
    text = office.texts.staff("digest", person.language, digest_facts(connection, office, person, due, (), now))
    own_mail.mail_staff(connection, office, person, text, kind="digest", now=now)
    for item in due:  # each ticket can be answered by replying to a mail of its own once it is pressing
        if len(due) > 1 and item.reminder.kind in (ReminderKind.OVERDUE, ReminderKind.DUE):
            _remind_of(connection, office, person, item, now)


def _remind_of(connection: Connection, office: Office, person: StaffMember, item: _Due, now: datetime) -> None:
    ticket = item.ticket
    extending = item.reminder.kind is ReminderKind.LAST_EXTENSION
    facts = {
        "days_left": item.reminder.days_left,
        "overdue": ticket.overdue(clock.today(office, now)),
        "can_extend_until": ticket.one_month_on if extending else "",
    }
    notify.tell(connection, office, ticket, "reminder", now=now, to=[person], facts=facts)


def empty_digest(office: Office, now: datetime) -> dict[str, Any]:
    """The facts of a digest that tells nothing yet."""
    lists = ("overdue", "act_now", "due", "extend", "new", "waiting", "suspicious")
    return {"today": clock.today(office, now), "root": "", **{name: [] for name in lists}}


def digest_facts(
    connection: Connection,
    office: Office,
    person: StaffMember,
    due: Sequence[_Due],
    new: Sequence[Ticket],
    now: datetime,
) -> dict[str, Any]:
    """The lists of a digest in the person's language."""
    facts = empty_digest(office, now)
    for item in due:
        facts[SECTION.get(item.reminder.kind, "due")].append(row(office, person, item.ticket))
    waiting = (Status.AWAITING_IDENTITY, Status.AWAITING_REQUESTER)
    facts["waiting"] = [row(office, person, ticket) for ticket in _running(connection) if ticket.status in waiting]
    facts["new"] = [row(office, person, ticket) for ticket in new]
    facts["suspicious"] = [f"{at:%Y-%m-%d %H:%M} UTC: {why}, {sender}" for at, why, _, sender in
                           outbox.untold_refusals(connection)]  # fmt: skip
    count, root = audit.root(connection)
    facts["root"] = f"{count}: {root}"
    return facts


def row(office: Office, person: StaffMember, ticket: Ticket) -> dict[str, Any]:
    """One ticket in a list, in the person's language."""
    return {
        "reference": ticket.reference,
        "one_line": one_line(ticket, office.texts.words(person.language)),
        "due_on": ticket.due_on,
        "line": explanation(ticket, person.language),
    }


def _escalate(connection: Connection, office: Office, item: _Due, now: datetime) -> None:
    """Silence until shortly before the due date: deputies hear of it, and all staff where nobody has one."""
    named = {person.deputy.lower() for person in office.active_staff() if person.deputy}
    present = notify.reached(office, now)
    deputies = [person for person in present if person.address.lower() in named]
    others = deputies or [person for person in present if person.may_approve()] or present
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
