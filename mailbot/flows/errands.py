"""What the configuration asks for in the mailbox itself: a keyword, a copy, a move, and the end of our own test mails.

Nothing here happens unasked (promise 4). Each errand was written down with what it follows from and is done after the
folders were read, at least once: after a kill a copy may be made twice, and none is forgotten. What a server will not
do is a problem that people hear of; the reading goes on.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from mailbot.errors import BadInputError
from mailbot.flows import canary
from mailbot.flows.arrival import Judged, What
from mailbot.flows.mailbox import Folders, Mailbox
from mailbot.flows.office import Office
from mailbot.store import errands, messages
from mailbot.store.database import Connection

KEYWORD, COPY, MOVE, DELETE = "keyword", "copy", "move", "delete"  # done in this order: a move ends the old place


def new_kinds(connection: Connection, judged: Judged, folders: Folders) -> list[str]:
    """What is to be done with a message after its intake; nothing for one that a ticket holds already.

    Asked before the intake: a message that was moved to a folder that is read too would else be moved for ever.
    """
    if judged.what not in (What.TICKET, What.FOLLOW_UP):
        return [DELETE] if folders.delete_canaries and canary.may_be_deleted(judged.origin) else []
    kinds = [kind for kind, wanted in _asked(folders) if wanted]
    return kinds if kinds and not messages.has_hash(connection, judged.hash) else []


def note(connection: Connection, judged: Judged, kinds: Collection[str], now: datetime) -> None:
    """Writes it down, in the transaction of the intake; not for a second copy, which no ticket took."""
    if kinds and (DELETE in kinds or messages.has_hash(connection, judged.hash)):
        place = judged.arrival
        errands.add(connection, kinds, judged.hash, place.folder, place.uidvalidity, place.uid, now)


def run(office: Office, mailbox: Mailbox, folders: Folders, folder: str, uidvalidity: int) -> list[str]:
    """Does what waits in one folder; what could not be done, in words."""
    ways: dict[str, Callable[[list[int]], None]] = {
        KEYWORD: lambda uids: mailbox.mark(folder, uids, folders.keyword),
        COPY: lambda uids: mailbox.copy(folder, uids, folders.copy_to),
        MOVE: lambda uids: mailbox.move(folder, uids, folders.move_to),
        DELETE: lambda uids: mailbox.delete_own(folder, uids),
    }
    wanted = [kind for kind, asked in (*_asked(folders), (DELETE, folders.delete_canaries)) if asked]
    problems = []
    for kind in wanted:
        with office.database.read() as connection:
            uids = errands.waiting(connection, kind, folder, uidvalidity)
        if not uids:
            continue
        try:
            ways[kind](uids)
        except BadInputError as error:
            problems.append(str(error))
            continue
        with office.database.write() as connection:
            errands.done(connection, kind, folder, uidvalidity, uids)
    return problems


def _asked(folders: Folders) -> tuple[tuple[str, str], ...]:
    return ((KEYWORD, folders.keyword), (COPY, folders.copy_to), (MOVE, folders.move_to))
