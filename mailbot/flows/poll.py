"""Mailbox to intake, one message at a time, each acted on exactly once, whatever is killed and whenever.

The cursor (UIDVALIDITY and UID of a folder) moves in the same transaction as what follows from a message. What matters
to nobody is remembered in batches, since losing a batch only means reading it again. One bad message never stops the
mailbox: what can not be dealt with becomes a ticket for a person, with its bytes.
"""

import hashlib
import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from mailbot.core.classify import Kind, Verdict
from mailbot.core.message import Message
from mailbot.core.ticket import RUNNING
from mailbot.errors import BadInputError, IllegalMoveError, MailbotError, TryLaterError
from mailbot.flows import canary, clock, intake
from mailbot.flows.intake import Arrival, Judged, Reading, What
from mailbot.flows.office import Office
from mailbot.flows.staff_mail import Reader as CommandReader
from mailbot.mail.own import keyed_hash
from mailbot.store import cursors, messages, tickets
from mailbot.store.cursors import Cursor, Seen
from mailbot.store.database import Connection
from mailbot.store.failures import RefusedStatementError

OF_THE_MESSAGE = (BadInputError, IllegalMoveError, RefusedStatementError)  # coming again would not help
LOG = logging.getLogger(__name__)
BATCH = 200  # messages of no interest that are remembered in one transaction


class FolderState(Protocol):
    """What opening a folder says."""

    @property
    def uidvalidity(self) -> int: ...


class Mailbox(Protocol):
    """A mailbox that is only looked at."""

    def folders(self) -> tuple[str, ...]: ...

    def examine(self, folder: str) -> FolderState: ...

    def uids(self, *, after: int = 0, since: date | None = None) -> list[int]: ...

    def read(self, uids: Sequence[int]) -> Iterator[Any]: ...

    def whole(self, uid: int, limit: int) -> bytes | None: ...

    def answered(self, uids: Sequence[int]) -> frozenset[int]: ...

    def after_intake(self, folder: str, uids: Sequence[int], *, keyword: str, copy_to: str, move_to: str) -> None: ...

    def delete_own(self, folder: str, uids: Sequence[int]) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Which folders are read, from when on, and what happens to messages that became tickets."""

    names: tuple[str, ...] | None  # None: all
    exclude: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    start: str = "35d"  # "35d", a date, or "new"
    keyword: str = ""
    copy_to: str = ""
    move_to: str = ""
    delete_canaries: bool = False  # test mails of ours, and nothing else, are deleted once they have arrived


@dataclass(kw_only=True)
class Round:
    """What one round did."""

    read: int = 0
    tickets: int = 0
    follow_ups: int = 0
    commands: int = 0
    left_alone: int = 0
    set_aside: int = 0
    problems: list[str] = field(default_factory=list)  # folders that could not be read


@dataclass(kw_only=True)
class _Walk:
    """One folder being read."""

    folder: str
    uidvalidity: int
    last_uid: int
    stored: Cursor | None  # where the database has the cursor, as far as we know
    pending: list[Seen] = field(default_factory=list)
    became: list[int] = field(default_factory=list)
    canaries: list[int] = field(default_factory=list)  # test mails of ours, known by their HMAC


def poll(
    office: Office,
    mailbox: Mailbox,
    reading: Reading,
    commands: CommandReader,
    folders: Folders,
    *,
    clock_now: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Round:
    """Reads everything new in every folder. Held by one poller a mailbox; TryLaterError while another polls.

    `clock_now` gives the moment of each message, since a first scan may take long. A folder that can not be opened is
    named in `problems`, and the others are read.
    """
    done = Round()
    with office.database.exclusively("poll"):
        for name in names_of(mailbox, folders):
            try:
                _read_folder(office, mailbox, reading, commands, folders, name, done, clock_now, progress)
            except BadInputError as error:
                done.problems.append(str(error))
        for name in folders.sent:
            _look_at_sent(office, mailbox, reading, name, done, clock_now)
        with office.database.write() as connection:
            cursors.note_state(connection, "polled", "ok", clock_now())
    return done


def names_of(mailbox: Mailbox, folders: Folders) -> tuple[str, ...]:
    """The folders that are read."""
    if folders.names is not None:
        return folders.names
    left_out = {*folders.exclude, *folders.sent}
    return tuple(name for name in mailbox.folders() if name not in left_out)


def _read_folder(
    office: Office,
    mailbox: Mailbox,
    reading: Reading,
    commands: CommandReader,
    folders: Folders,
    name: str,
    done: Round,
    clock_now: Callable[[], datetime],
    progress: Callable[[int, int], None],
) -> None:
    state = mailbox.examine(name)
    with office.database.read() as connection:
        cursor = cursors.get(connection, name)
    renumbered = cursor is not None and cursor.uidvalidity != state.uidvalidity
    if cursor is None or renumbered:
        uids, passed = _first_uids(office, mailbox, folders, clock_now(), cursor)
        walk = _Walk(folder=name, uidvalidity=state.uidvalidity, last_uid=passed, stored=cursor)
    else:
        uids = mailbox.uids(after=cursor.last_uid)
        walk = _Walk(folder=name, uidvalidity=state.uidvalidity, last_uid=cursor.last_uid, stored=cursor)
        _look_at_flags(office, mailbox, walk, clock_now())
    if uids:
        reading.warm()  # a fault of the rules stops the round here, before any message can be blamed for it
    for count, fetched in enumerate(mailbox.read(uids), 1):
        _take(office, mailbox, reading, commands, walk, fetched, done, clock_now(), recognise=renumbered)
        progress(count, len(uids))
    if uids:
        walk.last_uid = max(walk.last_uid, uids[-1])  # the last may have been expunged while we read
    if uids or cursor is None or renumbered:
        _flush(office, walk, reading, clock_now())
    mailbox.after_intake(name, walk.became, keyword=folders.keyword, copy_to=folders.copy_to, move_to=folders.move_to)
    if folders.delete_canaries and walk.canaries:
        mailbox.delete_own(name, walk.canaries)


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


def _take(
    office: Office,
    mailbox: Mailbox,
    reading: Reading,
    commands: CommandReader,
    walk: _Walk,
    fetched: Any,
    done: Round,
    now: datetime,
    *,
    recognise: bool,
) -> None:
    """One message from bytes to its consequence."""
    done.read += 1
    judged = judge(office, mailbox, reading, walk.folder, walk.uidvalidity, fetched)
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
        judged = _unreadable(office, judged.arrival)
        opened = _act(office, reading, commands, walk, judged, now)
    _count(done, judged, opened=opened)
    if judged.what in (What.TICKET, What.FOLLOW_UP):
        walk.became.append(fetched.uid)
    if canary.may_be_deleted(judged.origin):
        walk.canaries.append(fetched.uid)


def judge(office: Office, mailbox: Mailbox, reading: Reading, folder: str, uidvalidity: int, fetched: Any) -> Judged:
    """What a fetched message of the open folder is; one that matters is fetched whole. Changes nothing."""
    arrival = Arrival(
        folder=folder,
        uidvalidity=uidvalidity,
        uid=fetched.uid,
        raw=fetched.raw,
        internal_date=fetched.internal_date,
        size=fetched.size,
        whole=fetched.whole,
    )
    judged = _consider(office, reading, arrival)
    if not judged.matters or arrival.whole:
        return judged
    raw = mailbox.whole(fetched.uid, office.options.message_bytes)
    if raw is not None and fetched.size <= office.options.message_bytes:
        return _consider(office, reading, replace(arrival, raw=raw, whole=True))
    return replace(judged, flags=(*judged.flags, "oversize"))


def _act(office: Office, reading: Reading, commands: CommandReader, walk: _Walk, judged: Judged, now: datetime) -> bool:
    """Everything that follows from a message, what was left alone before it, and the cursor, in one transaction.

    True when a ticket was opened.
    """
    uid = judged.arrival.uid
    with office.database.write() as connection:
        cursors.remember(connection, walk.folder, walk.uidvalidity, walk.pending, reading.version, now)
        moved = _advance(connection, walk, uid, now)
        opened = intake.act(connection, office, judged, commands=commands, now=now)
        if judged.what in (What.COMMAND, What.OWN, What.NOTHING):
            cursors.remember(connection, walk.folder, walk.uidvalidity, [_seen(judged)], "", now)
    walk.last_uid, walk.stored, walk.pending = uid, moved, []
    return opened


def _advance(connection: Connection, walk: _Walk, last_uid: int, now: datetime) -> Cursor:
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
            return intake.consider(connection, office, reading, arrival)
    except Exception as error:  # noqa: BLE001 - one bad message must never stop the mailbox, and none may be lost
        _raise_unless_of_the_message(error)
        return _unreadable(office, arrival)


def _raise_unless_of_the_message(error: Exception) -> None:
    """The disk's, the server's and the configuration's trouble ends the round, and the message is read again.

    What only this message meets is logged by its place; its words, which may be in the error, stay out (promise 10).
    """
    if isinstance(error, MailbotError) and not isinstance(error, OF_THE_MESSAGE):
        raise error
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    LOG.error("a message was set aside for a person: %s in %s", type(error).__name__, where)


def _unreadable(office: Office, arrival: Arrival) -> Judged:
    message = Message(flags=("unreadable",), defects=("unreadable",), size=arrival.size)
    return Judged(
        what=What.TICKET,
        arrival=arrival,
        message=message,
        hash=keyed_hash(office.key, "unreadable", hashlib.sha256(arrival.raw).hexdigest(), arrival.internal_date),
        verdict=Verdict(kind=Kind.UNSURE, flags=("unreadable",), language="unknown"),
        flags=("unreadable",),
    )


def _known_before(office: Office, judged: Judged) -> bool:
    """After a renumbering: True for a message that was dealt with under its old number."""
    with office.database.write() as connection:
        if messages.has_hash(connection, judged.hash):
            place = judged.arrival
            messages.move_place(connection, judged.hash, place.folder, place.uidvalidity, place.uid)
            return True
        return bool(cursors.known(connection, [judged.hash]))


def _seen(judged: Judged) -> Seen:
    return Seen(uid=judged.arrival.uid, verdict=judged.what.value, hash=judged.hash)


def _remember(office: Office, walk: _Walk, reading: Reading, judged: Judged, done: Round, now: datetime) -> None:
    done.left_alone += 1
    walk.pending.append(_seen(judged))
    walk.last_uid = judged.arrival.uid
    if len(walk.pending) >= BATCH:
        _flush(office, walk, reading, now)


def _flush(office: Office, walk: _Walk, reading: Reading, now: datetime) -> None:
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


def _look_at_flags(office: Office, mailbox: Mailbox, walk: _Walk, now: datetime) -> None:
    """Messages of running tickets that carry \\Answered: their human has replied from a mail program (design 8)."""
    with office.database.read() as connection:
        placed = messages.placed(connection, walk.folder, walk.uidvalidity, [status.value for status in RUNNING])
    answered = mailbox.answered(sorted(placed)) if placed else frozenset()
    for uid in sorted(answered):
        with office.database.write() as connection:
            ticket = tickets.by_id(connection, placed[uid], lock=True)
            if not ticket.outside_denied:
                intake.suspect_outside_answer(connection, office, ticket, now)


def _look_at_sent(
    office: Office, mailbox: Mailbox, reading: Reading, name: str, done: Round, clock_now: Callable[[], datetime]
) -> None:
    """What the human sent by hand: mail to a requester or in a ticket's thread raises the question to staff."""
    try:
        state = mailbox.examine(name)
    except BadInputError as error:
        done.problems.append(str(error))
        return
    with office.database.read() as connection:
        cursor = cursors.get(connection, name)
    after = cursor.last_uid if cursor and cursor.uidvalidity == state.uidvalidity else 0
    uids = mailbox.uids(after=after, since=None if after else clock.today(office, clock_now()) - timedelta(days=35))
    for fetched in mailbox.read(uids):
        message, now = reading.read(fetched.raw), clock_now()
        with office.database.write() as connection:
            intake.sent_by_hand(connection, office, message, fetched.internal_date, now)
            cursors.put(connection, name, state.uidvalidity, fetched.uid, now)
    if not uids and cursor is None:
        with office.database.write() as connection:
            cursors.put(connection, name, state.uidvalidity, 0, clock_now())
