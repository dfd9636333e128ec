"""Fills a controller's database with what years would bring, in a process of its own: the measuring one stays small.

`python -m tests.bench.forge FILE seen|tickets|outbox COUNT`: remembered messages of another folder, tickets of which
one in a hundred still runs, or notices to staff that wait to be sent.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mailbot.store import outbox, tickets
from mailbot.store.connection import adding
from mailbot.store.database import Connection, Database
from tests.bench.notice import mail

NOW = datetime.now(UTC)
CHUNK = 10_000


def main() -> None:
    """Database file, what, how many."""
    path, what, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    database = Database(f"sqlite:///{path}")
    database.prepare()
    makers: dict[str, Callable[[Connection, int], None]] = {"seen": _seen, "tickets": _tickets, "outbox": _outbox}
    with database.write() as connection:
        makers[what](connection, count)
    database.close()


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _seen(connection: Connection, count: int) -> None:
    same = {"folder": "Archive", "uidvalidity": 1, "verdict": "not_request", "rules_version": "", "seen_at": NOW}
    rows = ({**same, "uid": n, "hash": hashlib.sha256(b"%d" % n).hexdigest()} for n in range(1, count + 1))
    for chunk in _chunks(rows):
        connection.run_many(adding("seen", tuple(chunk[0])), chunk)


def _tickets(connection: Connection, count: int) -> None:
    at, day = NOW - timedelta(days=300), (NOW - timedelta(days=270)).date()
    same = {**tickets.BLANK, "language": "fi", "channel": "email", "received_at": at, "opened_at": at,
            "due_on": day, "target_on": day, "one_month_on": day}  # fmt: skip
    rows = (
        {
            **same,
            "reference": f"OLD-2020-{n:06d}",
            "status": "closed" if n % 100 else "drafted",
            "requester_name": f"Former{n} Customer{n}",
            "requester_address": f"former{n}@elsewhere.example",
        }
        for n in range(1, count + 1)
    )
    for chunk in _chunks(rows):
        connection.run_many(adding("ticket", tuple(chunk[0])), chunk)


def _outbox(connection: Connection, count: int) -> None:
    for number in range(count):
        message_id = f"<{number}.bench@example.com>"
        row = {"audience": "staff", "kind": "notice", "sender": "privacy@example.com", "recipient": "anna@example.org",
               "message_id": message_id, "next_at": NOW, "made_at": NOW}  # fmt: skip
        outbox.queue(connection, row, mail(message_id))


if __name__ == "__main__":
    main()
