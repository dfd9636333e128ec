"""Mailbox to intake: what is new in every folder, from the cursor on.

The cursor is UIDVALIDITY and UID of a folder. Without a usable one (first run, renumbered folder) so much is read that
no live request is missed; what is known is recognised by its hash. A folder that can not be opened stops no other. Most
rounds find nothing, so what reads, judges and answers a message is loaded with the first one.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from mailbot.core.ticket import RUNNING
from mailbot.errors import BadInputError
from mailbot.flows import clock
from mailbot.flows.duties import POLLED, UNDONE, UNOPENED
from mailbot.flows.mailbox import Folders, Mailbox, Round, names_of
from mailbot.flows.office import Office
from mailbot.store import cursors, messages
from mailbot.store.cursors import Cursor

if TYPE_CHECKING:
    from mailbot.flows.arrival import Reading
    from mailbot.flows.staff_mail import Reader as CommandReader


def poll(
    office: Office,
    mailbox: Mailbox,
    reading: "Reading",
    commands: "CommandReader",
    folders: Folders,
    *,
    clock_now: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Round:
    """Reads everything new in every folder. Held by one poller a mailbox; TryLaterError while another polls.

    `clock_now` gives the moment of each message, since a first scan may take long. A folder that can not be opened is
    named in `problems`, and the others are read.
    """
    done, opened, unopened = Round(), {}, []
    with office.database.exclusively("poll"):
        for name in names_of(mailbox, folders):
            try:
                opened[name] = _read_folder(
                    office, mailbox, reading, commands, folders, name, done, clock_now, progress
                )
            except BadInputError as error:
                done.problems.append(str(error))
                unopened.append(name)
        for name in folders.sent:
            try:
                _look_at_sent(office, mailbox, reading, name, clock_now)
            except BadInputError as error:
                done.problems.append(str(error))
                unopened.append(name)
        undone = _run_errands(office, mailbox, folders, opened)
        done.problems += undone
        with office.database.write() as connection:
            cursors.note_state(connection, POLLED, "ok", clock_now())
            cursors.note_change(connection, UNOPENED, "\n".join(unopened), clock_now())
            cursors.note_change(connection, UNDONE, "\n".join(undone), clock_now())
    return done


def _read_folder(
    office: Office,
    mailbox: Mailbox,
    reading: "Reading",
    commands: "CommandReader",
    folders: Folders,
    name: str,
    done: Round,
    clock_now: Callable[[], datetime],
    progress: Callable[[int, int], None],
) -> int:
    """Everything new in one folder; its UIDVALIDITY."""
    state = mailbox.examine(name)
    with office.database.read() as connection:
        cursor = cursors.get(connection, name)
    renumbered = cursor is not None and cursor.uidvalidity != state.uidvalidity
    if cursor is None or renumbered:
        uids, passed = _first_uids(office, mailbox, folders, clock_now(), cursor)
    else:
        uids, passed = mailbox.uids(after=cursor.last_uid), cursor.last_uid
    if uids or cursor is None or renumbered:
        from mailbot.flows.take import Walk, take_all  # loads all that reads and answers mail: a third of a start

        walk = Walk(folder=name, uidvalidity=state.uidvalidity, last_uid=passed, stored=cursor, folders=folders)
        take_all(office, mailbox, reading, commands, walk, uids, done, clock_now, progress, recognise=renumbered)
    if cursor is not None and not renumbered:
        _look_at_flags(office, mailbox, name, state.uidvalidity, clock_now())
    return state.uidvalidity


def _run_errands(office: Office, mailbox: Mailbox, folders: Folders, opened: Mapping[str, int]) -> list[str]:
    """What the configuration asks for in the mailbox itself; what could not be done, in words."""
    if not folders.ask:
        return []
    from mailbot.flows import errands  # loads all that reads and answers mail: a third of a start

    return [line for name in opened for line in errands.run(office, mailbox, folders, name, opened[name])]


def _look_at_flags(office: Office, mailbox: Mailbox, folder: str, uidvalidity: int, now: datetime) -> None:
    """Messages of running tickets that carry \\Answered: their human has replied from a mail program (design 8)."""
    with office.database.read() as connection:
        placed = messages.placed(connection, folder, uidvalidity, [status.value for status in RUNNING])
    answered = mailbox.answered(sorted(placed)) if placed else frozenset()
    if answered:
        from mailbot.flows.outside import flagged  # loads all that writes to staff: a third of a start

        for uid in sorted(answered):
            flagged(office, placed[uid], now)


def _look_at_sent(
    office: Office, mailbox: Mailbox, reading: "Reading", name: str, clock_now: Callable[[], datetime]
) -> None:
    """What the human sent by hand is looked at once, from the cursor of that folder on."""
    state = mailbox.examine(name)
    with office.database.read() as connection:
        cursor = cursors.get(connection, name)
    after = cursor.last_uid if cursor and cursor.uidvalidity == state.uidvalidity else 0
    uids = mailbox.uids(after=after, since=None if after else clock.today(office, clock_now()) - timedelta(days=35))
    if not uids and cursor is None:
        with office.database.write() as connection:
            cursors.put(connection, name, state.uidvalidity, 0, clock_now())
    if uids:
        from mailbot.flows.outside import sent  # loads all that reads and answers mail: a third of a start

        for fetched in mailbox.read(uids):
            sent(office, reading, name, state.uidvalidity, fetched, clock_now())


def _first_uids(
    office: Office, mailbox: Mailbox, folders: Folders, now: datetime, cursor: Cursor | None
) -> tuple[list[int], int]:
    """What to read in a folder without a usable cursor, and the UID up to which all is passed over.

    On the first run only what is young enough to be a live request. After a renumbering the same again, and all that
    came since the last poll, however long ago that was; what is known is recognised by its hash.
    """
    every = mailbox.uids()  # asked first: what arrives after this is read in the next round
    if folders.start == "new" and cursor is None:
        return [], max(every, default=0)
    start = _start(folders.start, clock.today(office, now))
    if cursor is not None:
        start = min(start, clock.today(office, cursor.polled_at) - timedelta(days=1))
    uids = mailbox.uids(since=start)
    return uids, (uids[0] - 1 if uids else max(every, default=0))


def _start(start: str, today: date) -> date:
    if start == "new":
        return today - timedelta(days=35)
    if start.endswith("d"):
        return today - timedelta(days=int(start[:-1]))
    return date.fromisoformat(start)
