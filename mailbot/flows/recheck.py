"""The mailbox is read again after a change of rules: what would now be judged otherwise than is remembered?

Only a report, unless tickets are to be opened: then a message that was left alone and now asks for something becomes a
ticket with its original receipt, and the month has run since then. Nothing else is ever acted on twice: what is part of
a ticket stays there, no staff command is obeyed again, cursors and flags stay as they were. Mail that was never read is
the poller's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from mailbot.core.classify import Kind
from mailbot.core.ticket import RUNNING
from mailbot.errors import BadInputError
from mailbot.flows import clock, intake
from mailbot.flows.arrival import Judged, Reading, What
from mailbot.flows.mailbox import Folders, Mailbox, names_of
from mailbot.flows.office import Office
from mailbot.flows.staff_mail import Reader as CommandReader
from mailbot.flows.take import judge
from mailbot.store import cursors, messages, tickets

LEFT_ALONE = frozenset({What.NOTHING.value, What.AUTOMATIC.value})


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One message that is judged otherwise now. No word and no address of it."""

    folder: str
    uid: int
    received_at: datetime
    before: str  # what was remembered: a verdict, or the reference of its ticket
    now: str  # what it would be
    rights: tuple[str, ...]
    due_on: date | None  # of the ticket that it would be
    opened: str = ""  # the reference of the ticket that was opened


@dataclass(kw_only=True)
class Round:
    """What one look found."""

    read: int = 0
    unchanged: int = 0
    unread: int = 0  # not read by the poller yet
    differences: list[Difference] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # folders that could not be read


def recheck(
    office: Office,
    mailbox: Mailbox,
    reading: Reading,
    commands: CommandReader,
    folders: Folders,
    *,
    since: date,
    now: datetime,
    open_tickets: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Round:
    """Judges every message again that arrived on or after `since`. TryLaterError while a poller reads the mailbox.

    Raises BadInputError for a day that lies ahead.
    """
    if since > clock.today(office, now):
        raise BadInputError(f"{since} lies in the future", "Give the day from which on the mailbox is read again.")
    done = Round()
    with office.database.exclusively("poll"):
        for name in names_of(mailbox, folders):
            try:
                state = mailbox.examine(name)
            except BadInputError as error:
                done.problems.append(str(error))
                continue
            uids = mailbox.uids(since=since)
            reading.warm()
            for count, fetched in enumerate(mailbox.read(uids), 1):
                judged = judge(office, mailbox, reading, name, state.uidvalidity, fetched, now)
                _compare(office, judged, commands, done, now, open_tickets=open_tickets)
                progress(count, len(uids))
    return done


def _compare(
    office: Office, judged: Judged, commands: CommandReader, done: Round, now: datetime, *, open_tickets: bool
) -> None:
    done.read += 1
    place = (judged.arrival.folder, judged.arrival.uidvalidity, judged.arrival.uid)
    with office.database.read() as connection:
        holder = messages.ticket_of_hash(connection, judged.hash)
        reference = tickets.by_id(connection, holder).reference if holder else ""
        remembered = cursors.verdict_of(connection, *place)
        if remembered is None and not reference and cursors.known(connection, [judged.hash]):
            remembered = What.NOTHING.value  # left alone under another number
    if reference:
        _if_it_would_be_left_alone(judged, reference, done)
    elif remembered is None:
        done.unread += 1
    elif remembered in LEFT_ALONE and judged.what in (What.TICKET, What.FOLLOW_UP):
        opened = _open(office, judged, commands, now) if open_tickets and _asks(judged) else ""
        done.differences.append(_difference(office, judged, remembered, opened))
    else:
        done.unchanged += 1


def _if_it_would_be_left_alone(judged: Judged, reference: str, done: Round) -> None:
    """A message of a ticket that asks for nothing by the rules of today: people judge that, nothing changes."""
    verdict = judged.verdict
    if verdict is None or verdict.kind is not Kind.NOT_REQUEST or judged.what is not What.NOTHING:
        done.unchanged += 1
        return
    done.differences.append(_difference(None, judged, reference, ""))


def _asks(judged: Judged) -> bool:
    """A mere word in the thread of a ticket opens nothing; a request does, and what nobody is sure of."""
    return judged.what is What.TICKET or (judged.verdict is not None and judged.verdict.kind is Kind.REQUEST)


def _difference(office: Office | None, judged: Judged, before: str, opened: str) -> Difference:
    rights = judged.verdict.rights if judged.verdict else ()
    received = judged.arrival.internal_date
    would_be = office is not None and judged.what is What.TICKET
    return Difference(
        folder=judged.arrival.folder,
        uid=judged.arrival.uid,
        received_at=received,
        before=before,
        now=judged.what.value,
        rights=tuple(right.value for right in rights),
        due_on=clock.reckon(office, received, tuple(rights)).due_on if office is not None and would_be else None,
        opened=opened,
    )


def _open(office: Office, judged: Judged, commands: CommandReader, now: datetime) -> str:
    """The ticket, or "" where the message went into a running one of the same person."""
    arrival: Any = judged.arrival
    with office.database.write() as connection:
        intake.act(connection, office, judged, commands=commands, now=now)
        cursors.forget(connection, arrival.folder, arrival.uidvalidity, arrival.uid)
        holder = messages.ticket_of_hash(connection, judged.hash)
        found = tickets.by_id(connection, holder) if holder else None
    return found.reference if found is not None and found.status in RUNNING else ""
