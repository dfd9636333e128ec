"""What must be true after any number of kills: each check is one sentence, and says what it found instead."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from servers.smtp_sink import SmtpSink

from mailbot.core.audit import faults
from mailbot.store import audit, tickets
from mailbot.store.database import Connection, Database
from mailbot.store.outbox import Outgoing

SAID = ("reminder", "digest", "escalation")  # kinds of mail that `remind` queues


def _rows(connection: Connection, name: str) -> list[dict[str, Any]]:
    return connection.rows(f"SELECT * FROM {name}")


def one_ticket_for_each(connection: Connection, requesters: list[str]) -> None:
    """Each request has one ticket, and nothing else has any."""
    held = Counter(ticket.requester_address for ticket in tickets.find(connection))
    assert held == Counter(requesters), (held - Counter(requesters), Counter(requesters) - held)
    opened = Counter(told.entry.reference for told in audit.chain(connection) if told.entry.event == "opened")
    assert set(opened.values()) <= {1}, opened
    assert len(opened) == len(requesters)


def left_alone_once(connection: Connection, count: int) -> None:
    """Unrelated mail was seen once each."""
    verdicts = [row["verdict"] for row in _rows(connection, "seen")]
    assert verdicts.count("not_request") == count, Counter(verdicts)


def one_message_id_for_each(connection: Connection, sink: SmtpSink, approved: list[str]) -> int:
    """Every approved reply arrived, under one Message-ID, repeated only with the same bytes. How many repeats."""
    mails = [Outgoing(**row) for row in _rows(connection, "outbox")]
    replies = Counter(mail.recipient for mail in mails if mail.audience == "data_subject")
    assert replies == Counter(approved), (replies - Counter(approved), Counter(approved) - replies)
    assert not [mail for mail in mails if mail.state != "sent"], Counter(mail.state for mail in mails)
    arrived = _by_recipient(sink)
    for address in approved:
        assert len({raw for _, raw in arrived[address]}) == 1, (address, "other bytes")
    staff = {raw for address, found in arrived.items() if address not in approved for _, raw in found}
    kept = [mail for mail in mails if mail.audience != "data_subject"]
    assert len(staff) == len(kept), "staff mail was lost, or composed twice"
    return sum(len(found) for found in arrived.values()) - len(staff) - len(approved)


def _by_recipient(sink: SmtpSink) -> dict[str, list[tuple[str, bytes]]]:
    found: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
    for item in sink.accepted:
        name = str(message_from_bytes(item.content, policy=default)["Message-ID"])
        found[item.recipients[0]].append((name, item.content))
    for address, items in found.items():
        bytes_of: dict[str, set[bytes]] = defaultdict(set)
        for name, raw in items:
            bytes_of[name].add(raw)
        assert all(len(raws) == 1 for raws in bytes_of.values()), (address, "one Message-ID, several contents")
    return found


def each_approval_once(connection: Connection, approved: list[str]) -> None:
    """Each approved ticket was approved once and answered once."""
    events = Counter((told.entry.reference, told.entry.event) for told in audit.chain(connection))
    for ticket in tickets.find(connection):
        wanted = 1 if ticket.requester_address in approved else 0
        assert events[(ticket.reference, "reply_approved")] == wanted, ticket.reference
        assert events[(ticket.reference, "reply_sent")] == wanted, ticket.reference
        assert (ticket.status.value == "answered") == bool(wanted), (ticket.reference, ticket.status)


def noticed_once(connection: Connection) -> None:
    """Each ticket was told to staff once when it came: by a notice of its own or in the digest."""
    notices = Counter(row["ticket_id"] for row in _rows(connection, "outbox") if row["kind"] == "notice")
    assert set(notices.values()) <= {1}, notices
    keys = Counter(row["ticket_id"] for row in _rows(connection, "reminder") if row["key"] == "noticed")
    assert len(keys) == len(tickets.find(connection))


def no_reminder_doubled(connection: Connection) -> int:
    """Each reminder of each ticket was said once, whatever mail it stood in; the number of such mails."""
    covered: Counter[tuple[str, str]] = Counter()
    for told in audit.chain(connection):
        if told.entry.event == "reminded":
            covered.update((told.entry.reference, key) for key in json.loads(told.detail or "{}")["covers"])
    assert set(covered.values()) <= {1}, covered.most_common(3)
    said = [row for row in _rows(connection, "outbox") if row["kind"] in SAID]
    moments = Counter((r["kind"], r["made_at"], r["ticket_id"], r["recipient"]) for r in said if r["ticket_id"])
    assert set(moments.values()) <= {1}, moments.most_common(3)
    return len(said)


def lists_disjoint(sink: SmtpSink, recipient: str) -> int:
    """Two lists of the same moment never name the same ticket; the number of lists that arrived."""
    named: Counter[tuple[str, str]] = Counter()
    count = 0
    for found in bodies(sink, recipient):
        if str(found["X-Mailbot-Origin"]).split()[1] == "digest":
            part = found.get_body(("plain",))
            assert part is not None
            text = str(part.get_content())
            named.update((str(found["Date"]), reference) for reference in set(re.findall(r"JALO-2026-\d+", text)))
            count += 1
    assert set(named.values()) <= {1}, named.most_common(3)
    return count


def chain_whole(connection: Connection) -> int:
    """The audit chain has no fault; its length."""
    wrong = list(faults((told.entry, told.salt, told.detail) for told in audit.chain(connection)))
    assert not wrong, wrong
    return audit.count(connection)


def file_sound(database: Database) -> None:
    """SQLite finds no damage in its own file, and no row points nowhere."""
    if database.is_sqlite:
        with database.read() as connection:
            assert connection.value("PRAGMA integrity_check") == "ok"
            assert not connection.rows("PRAGMA foreign_key_check")


def bodies(sink: SmtpSink, recipient: str) -> Iterator[EmailMessage]:
    """What one address received, each Message-ID once, in order."""
    known = set()
    for item in sink.accepted:
        if item.recipients[0] == recipient and item.content not in known:
            known.add(item.content)
            yield message_from_bytes(item.content, policy=default)
