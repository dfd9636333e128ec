"""The database grows as the README says: the mail that is nobody's business costs little."""

from datetime import UTC, datetime
from pathlib import Path

from mailbot.store import cursors
from mailbot.store.cursors import Seen
from mailbot.store.database import Database

NOW = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)
COUNT = 20_000


def test_a_mail_that_is_left_alone_takes_a_third_of_a_kilobyte(sqlite: Database) -> None:
    """With its hash and both indexes, in a file that was rewritten."""
    path = Path(sqlite.url.removeprefix("sqlite:///"))
    sqlite.compact()
    before = path.stat().st_size
    for start in range(0, COUNT, 200):
        numbers = range(start, start + 200)
        items = [Seen(uid=uid, verdict="not_request", hash=f"{uid * 7919 % COUNT:064x}") for uid in numbers]
        with sqlite.write() as connection:
            cursors.remember(connection, "INBOX", 1, items, "", NOW)
    sqlite.compact()
    assert (path.stat().st_size - before) / COUNT < 330
