"""One message from its bytes to its consequence, acted on exactly once, whatever is killed and whenever.

The cursor moves in the same transaction as what follows from a message. What matters to nobody is remembered in
batches, since losing a batch only means reading it again. One bad message never stops the mailbox: what can not be
dealt with becomes a ticket for a person, with its bytes.
"""

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from mailbot.errors import BadInputError, IllegalMoveError, MailbotError, TryLaterError
from mailbot.flows import aside, errands, intake
from mailbot.flows.arrival import Arrival, Judged, Reading, What
from mailbot.flows.consider import consider
from mailbot.flows.mailbox import Folders, Mailbox, Round
from mailbot.flows.office import Office
from mailbot.flows.staff_mail import Reader as CommandReader
from mailbot.mail.authenticity import newest_received
from mailbot.store import cursors, messages
from mailbot.store.cursors import Cursor, Seen
from mailbot.store.database import Connection
from mailbot.store.errands import moved as moved_errands
from mailbot.store.failures import RefusedStatementError

OF_THE_MESSAGE = (BadInputError, IllegalMoveError, RefusedStatementError)  # coming again would not help
LOG = logging.getLogger(__name__)
BATCH = 200  # messages of no interest that are remembered in one transaction


@dataclass(kw_only=True)
class Walk:
    """One folder being read."""

    folder: str
    uidvalidity: int
    last_uid: int
    stored: Cursor | None  # where the database has the cursor, as far as we know
    folders: Folders  # what the configuration asks for
    pending: list[Seen] = field(default_factory=list)

    @property
    def place(self) -> tuple[int, int]:
        """How far this walk has come."""
        return self.uidvalidity, self.last_uid


def take_all(
    office: Office,
    mailbox: Mailbox,
    reading: Reading,
    commands: CommandReader,
    walk: Walk,
    uids: Sequence[int],
    done: Round,
    clock_now: Callable[[], datetime],
    progress: Callable[[int, int], None],
    *,
    recognise: bool,
) -> None:
    """Every one of these messages of the open folder; `recognise`: the folder was renumbered, most are known."""
    if uids:
        reading.warm()  # a fault of the rules stops the round here, before any message can be blamed for it
    for count, fetched in enumerate(mailbox.read(uids), 1):
        take(office, mailbox, reading, commands, walk, fetched, done, clock_now(), recognise=recognise)
        progress(count, len(uids))
    if uids:
        walk.last_uid = max(walk.last_uid, uids[-1])  # the last may have been expunged while we read
    if walk.pending or walk.stored is None or (walk.stored.uidvalidity, walk.stored.last_uid) != walk.place:
        flush(office, walk, reading, clock_now())


def take(
    office: Office,
    mailbox: Mailbox,
    reading: Reading,
    commands: CommandReader,
    walk: Walk,
    fetched: Any,
    done: Round,
    now: datetime,
    *,
    recognise: bool,
) -> None:
    """One message from bytes to its consequence."""
    done.read += 1
    judged = judge(office, mailbox, reading, walk.folder, walk.uidvalidity, fetched, now)
    if recognise and _known_before(office, judged):
        walk.last_uid = fetched.uid
        _remember(office, walk, reading, judged, done, now)
        return
    if not judged.matters:
        _remember(office, walk, reading, judged, done, now)
        return
    try:
        opened = _act(office, reading, commands, walk, judged, now)
    except Exception as error:  # noqa: BLE001 - one bad message must never stop the mailbox, and none may be lost
        _raise_unless_of_the_message(error)
        judged = aside.unreadable(office, judged.arrival)
        opened = _act(office, reading, commands, walk, judged, now)
    _count(done, judged, opened=opened)


def judge(
    office: Office, mailbox: Mailbox, reading: Reading, folder: str, uidvalidity: int, fetched: Any, now: datetime
) -> Judged:
    """What a fetched message of the open folder is; one that matters is fetched whole. Changes nothing."""
    arrival = Arrival(
        folder=folder,
        uidvalidity=uidvalidity,
        uid=fetched.uid,
        raw=fetched.raw,
        internal_date=fetched.internal_date or _arrived(reading, fetched, now),
        size=fetched.size,
        whole=fetched.whole,
        dated=fetched.internal_date is not None,
    )
    judged = _consider(office, reading, arrival)
    if not fetched.readable and judged.what not in (What.OWN, What.AUTOMATIC):  # these two are known by their headers
        return aside.not_given(office, reading, arrival)
    if judged.matters and not arrival.whole:
        judged = _considered_whole(office, mailbox, reading, judged)
    return judged if arrival.dated else replace(judged, flags=(*judged.flags, aside.ARRIVAL_UNKNOWN))


def _considered_whole(office: Office, mailbox: Mailbox, reading: Reading, judged: Judged) -> Judged:
    arrival = judged.arrival
    raw = mailbox.whole(arrival.uid, office.options.message_bytes)
    if raw is not None and arrival.size <= office.options.message_bytes:
        return _consider(office, reading, replace(arrival, raw=raw, whole=True))
    return replace(judged, flags=(*judged.flags, "oversize"))


def _arrived(reading: Reading, fetched: Any, now: datetime) -> datetime:
    """When a message came that its server gives no arrival of; people are told that it is not known."""
    stated = newest_received(reading.read(fetched.raw))
    return min(stated, now) if stated is not None else now


def _act(office: Office, reading: Reading, commands: CommandReader, walk: Walk, judged: Judged, now: datetime) -> bool:
    """Everything that follows from a message, what was left alone before it, and the cursor, in one transaction.

    True when a ticket was opened.
    """
    uid = judged.arrival.uid
    with office.database.write() as connection:
        cursors.remember(connection, walk.folder, walk.uidvalidity, walk.pending, reading.version, now)
        moved = _advance(connection, walk, uid, now)
        kinds = errands.new_kinds(connection, judged, walk.folders)
        opened = intake.act(connection, office, judged, commands=commands, now=now)
        errands.note(connection, judged, kinds, now)
        if judged.what in (What.COMMAND, What.OWN, What.NOTHING):
            cursors.remember(connection, walk.folder, walk.uidvalidity, [_seen(judged)], "", now)
    walk.last_uid, walk.stored, walk.pending = uid, moved, []
    return opened


def _advance(connection: Connection, walk: Walk, last_uid: int, now: datetime) -> Cursor:
    """Moves the cursor from where this walk left it.

    Raises TryLaterError when another poller has moved it: our lock was lost with its connection.
    """
    if not cursors.advance(connection, walk.folder, walk.stored, walk.uidvalidity, last_uid, now):
        raise TryLaterError(f"another mailbot reads the folder {walk.folder}", "Wait for it, or stop the other one.")
    return Cursor(folder=walk.folder, uidvalidity=walk.uidvalidity, last_uid=last_uid, polled_at=now)


def _consider(office: Office, reading: Reading, arrival: Arrival) -> Judged:
    """What a message is. If considering it fails, it is set aside for a person, with its bytes (promise 2)."""
    try:
        with office.database.read() as connection:
            return consider(connection, office, reading, arrival)
    except Exception as error:  # noqa: BLE001 - one bad message must never stop the mailbox, and none may be lost
        _raise_unless_of_the_message(error)
        return aside.unreadable(office, arrival)


def _raise_unless_of_the_message(error: Exception) -> None:
    """The disk's, the server's and the configuration's trouble ends the round, and the message is read again.

    What only this message meets is logged by its place; its words, which may be in the error, stay out (promise 10).
    """
    if isinstance(error, MailbotError) and not isinstance(error, OF_THE_MESSAGE):
        raise error
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    LOG.error("a message was set aside for a person: %s in %s", type(error).__name__, where)


def _known_before(office: Office, judged: Judged) -> bool:
    """After a renumbering: True for a message that was dealt with under its old number."""
    place = judged.arrival
    with office.database.write() as connection:
        moved_errands(connection, judged.hash, place.folder, place.uidvalidity, place.uid)
        if messages.has_hash(connection, judged.hash):
            messages.move_place(connection, judged.hash, place.folder, place.uidvalidity, place.uid)
            return True
        return bool(cursors.known(connection, [judged.hash]))


def _seen(judged: Judged) -> Seen:
    return Seen(uid=judged.arrival.uid, verdict=judged.what.value, hash=judged.hash)


def _remember(office: Office, walk: Walk, reading: Reading, judged: Judged, done: Round, now: datetime) -> None:
    done.left_alone += 1
    walk.pending.append(_seen(judged))
    walk.last_uid = judged.arrival.uid
    if len(walk.pending) >= BATCH:
        flush(office, walk, reading, now)


def flush(office: Office, walk: Walk, reading: Reading, now: datetime) -> None:
    """Remembers what was left alone, with the cursor, in one transaction."""
    with office.database.write() as connection:
        cursors.remember(connection, walk.folder, walk.uidvalidity, walk.pending, reading.version, now)
        moved = _advance(connection, walk, walk.last_uid, now)
    walk.stored, walk.pending = moved, []


def _count(done: Round, judged: Judged, *, opened: bool) -> None:
    if opened:
        done.tickets += 1
        done.set_aside += "unreadable" in judged.flags
    elif judged.what in (What.FOLLOW_UP, What.OUTSIDE, What.BOUNCE):
        done.follow_ups += 1
    elif judged.what is What.COMMAND:
        done.commands += 1
    else:
        done.left_alone += 1
