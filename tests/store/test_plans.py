"""Claims about how the hot path asks: by index, whatever the size. EXPLAIN tells, not the clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailbot.core.ticket import RUNNING
from mailbot.store import audit, cursors, messages, outbox, tickets
from mailbot.store.database import Connection, Database

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
ROWS = 1_000_000
TICKETS = 10_000
Asking = Callable[[Connection], object]

ASKED: dict[str, Asking] = {
    "the cursor of a folder": lambda c: cursors.get(c, "INBOX"),
    "a message left alone before": lambda c: cursors.known(c, ["x"]),
    "a message of a ticket, by hash": lambda c: messages.has_hash(c, "x"),
    "the tickets of a thread": lambda c: messages.tickets_of_ids(c, ["<a@example.com>"]),
    "our mail that is answered": lambda c: outbox.by_message_ids(c, ["<a@example.com>"]),
    "tokens that a mail may prove": lambda c: outbox.tokens(c, ["x"], ["<a@example.com>"]),
    "running tickets of a person": lambda c: tickets.find(c, statuses=RUNNING, address="someone@example.com"),
    "a ticket by its reference": lambda c: tickets.maybe(c, "JALO-2026-0001"),
    "messages of running tickets in a folder": lambda c: messages.placed(c, "INBOX", 1, [s.value for s in RUNNING]),
    "running tickets that staff have not heard of": lambda c: tickets.unnoticed(c, RUNNING),
    "mail that is due": lambda c: outbox.due(c, NOW),
    "the end of the audit chain": audit.root,
    "old hashes to forget": lambda c: cursors.count_before(c, NOW - timedelta(days=400)),
}
_SEEN = """INSERT INTO seen (folder, uidvalidity, uid, verdict, hash, rules_version, seen_at)
 SELECT 'Archive', 1, n, 'not_request', 'h' || n, '', '2026-11-01 00:00:00' FROM {numbers}"""
_TICKETS = """INSERT INTO ticket (reference, status, language, channel, requester_name, requester_address,
 postal_address, reply_to, received_at, opened_at, due_on, target_on, one_month_on, provisional, explanations, extended,
 extension_reason, identified, assigned_to, flags, evidence, rules_version, authenticity, outside_suspected,
 outside_denied, hold, files_purged)
 SELECT 'OLD-' || n, 'closed', 'fi', 'email', '', 'person' || n || '@example.com', '', '', '2026-01-01', '2026-01-01',
 '2026-02-01', '2026-02-01', '2026-02-01', false, '{{}}', false, '', false, '', '[]', '[]', '', '[]', false, false,
 false, false FROM {numbers}"""


@pytest.fixture
def large(database: Database) -> Database:
    """A database that remembers a million messages and ten thousand tickets, its statistics up to date."""
    with database.write() as connection:
        connection.run(_SEEN.format(numbers=_numbers(database, ROWS)))
        connection.run(_TICKETS.format(numbers=_numbers(database, TICKETS)))
        connection.run("ANALYZE")
    return database


def _numbers(database: Database, count: int) -> str:
    if not database.is_sqlite:
        return f"generate_series(1, {count}) AS numbers(n)"
    return (
        f"(WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})"
        " SELECT n FROM numbers)"
    )


def test_the_hot_path_never_walks_through_a_large_table(large: Database) -> None:
    """Every question that the poller asks of a large table is answered by an index; one without would be noticed."""
    walked = {name: plan for name, ask in ASKED.items() for plan in _plans(large, ask) if _walks(large, plan)}
    assert walked == {}
    unindexed = _plans(large, lambda c: c.rows("SELECT id FROM seen WHERE verdict = 'never'"))
    assert [_walks(large, plan) for plan in unindexed] == [True]


def _plans(database: Database, ask: Asking) -> list[str]:
    """How the database would answer each statement that is run."""
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.read() as connection:
        connection.raw = noted = _Noting(connection.raw)
        ask(connection)
        connection.raw = noted.raw
        return [
            "\n".join(str(row) for row in noted.raw.execute(explain + statement, *parameters))
            for statement, *parameters in noted.asked
            if statement.lstrip().startswith("SELECT")
        ]


class _Noting:
    """A driver's connection that notes what it is asked."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.asked: list[tuple[Any, ...]] = []

    def execute(self, *asked: Any) -> Any:
        """Notes the statement and carries it out."""
        self.asked.append(asked)
        return self.raw.execute(*asked)


def _walks(database: Database, plan: str) -> bool:
    words = ("SCAN seen", "SCAN ticket") if database.is_sqlite else ("Seq Scan on seen", "Seq Scan on ticket")
    return any(word in plan and f"{word} USING" not in plan for word in words)
