"""The audit chain in a real database: every way to falsify it is found, a purge breaks nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from making import NOW

from mailbot.core.audit import detail_digest, faults, link
from mailbot.store import audit
from mailbot.store.database import Connection, Database


@pytest.fixture
def chain(database: Database) -> Database:
    """Six entries of two tickets, a minute apart."""
    with database.write() as connection:
        for number in range(6):
            audit.append(
                connection,
                now=NOW + timedelta(minutes=number),
                event="noted",
                actor="staff:Anna",
                reference=f"JALO-2026-000{number % 2 + 1}",
                details={"text": f"note {number}"},
            )
    return database


def _faults(connection: Connection) -> list[str]:
    return list(faults((told.entry, told.salt, told.detail) for told in audit.chain(connection)))


def _alter(connection: Connection) -> None:
    connection.run("UPDATE audit SET actor = 'staff:Mallory' WHERE seq = 3")


def _alter_details(connection: Connection) -> None:
    connection.run("UPDATE audit_detail SET text = :text WHERE seq = 3", {"text": '{"text":"other"}'})


def _remove(connection: Connection) -> None:
    connection.run("DELETE FROM audit_detail WHERE seq = 3")
    connection.run("DELETE FROM audit WHERE seq = 3")


def _renumber(connection: Connection, before: int, after: int) -> None:
    connection.run("UPDATE audit SET seq = :after WHERE seq = :before", {"before": before, "after": after})


def _remove_and_renumber(connection: Connection) -> None:
    _remove(connection)
    for number in (4, 5, 6):
        connection.run("DELETE FROM audit_detail WHERE seq = :seq", {"seq": number})
        _renumber(connection, number, number - 1)


def _swap(connection: Connection) -> None:
    connection.run("DELETE FROM audit_detail")
    for before, after in ((3, 99), (4, 3), (99, 4)):
        _renumber(connection, before, after)


def _date_back(connection: Connection) -> None:
    connection.run("UPDATE audit SET at = :at WHERE seq = 4", {"at": NOW - timedelta(days=9)})


def _rewrite_one_soundly(connection: Connection) -> None:
    """The entry itself is consistent; the one that follows it gives it away."""
    row = connection.one("SELECT * FROM audit WHERE seq = 3")
    made = link(seq=3, at=row["at"], event="closed", reference=row["reference"], actor=row["actor"],
                digest=row["detail_digest"], previous=row["previous"])  # fmt: skip
    connection.run("UPDATE audit SET event = 'closed', hash = :hash WHERE seq = 3", {"hash": made.hash})


def _insert(connection: Connection) -> None:
    last = connection.one("SELECT * FROM audit WHERE seq = 2")
    made = link(seq=99, at=NOW, event="forged", reference="", actor="x", digest="", previous=last["hash"])
    connection.add("audit", made.__dict__)


@pytest.mark.parametrize(
    ("falsify", "said"),
    [
        (_alter, "entry 3 was altered"),
        (_alter_details, "the details of entry 3 were altered"),
        (_remove, "entry 3 is missing"),
        (_remove_and_renumber, "entry 3 was altered"),
        (_swap, "entry 3 does not follow entry 2"),
        (_date_back, "entry 4 is dated before"),
        (_rewrite_one_soundly, "entry 4 does not follow entry 3"),
        (_insert, "entry 99 does not follow"),
    ],
)
def test_every_falsification_is_found(chain: Database, falsify: Callable[[Connection], None], said: str) -> None:
    """Altered, removed, renumbered, swapped, back-dated, soundly rewritten and inserted entries are named."""
    with chain.read() as connection:
        assert _faults(connection) == []
    with chain.write() as connection:
        falsify(connection)
    with chain.read() as connection:
        assert any(said in line for line in _faults(connection)), _faults(connection)


def test_a_cut_end_is_seen_in_the_root(chain: Database) -> None:
    """A shortened chain is whole in itself; the root that the digest told staff is no longer there."""
    with chain.read() as connection:
        told = audit.root(connection)
    with chain.write() as connection:
        connection.run("DELETE FROM audit_detail WHERE seq > 4")
        connection.run("DELETE FROM audit WHERE seq > 4")
    with chain.read() as connection:
        assert _faults(connection) == []
        assert audit.root(connection) != told
        assert audit.root(connection)[0] == 4


def test_a_purge_of_details_leaves_the_chain_whole(chain: Database) -> None:
    """The details of one ticket go, those of the other stay, and nothing is a fault."""
    with chain.write() as connection:
        assert audit.purge_details(connection, "JALO-2026-0001") == 3
    with chain.read() as connection:
        assert _faults(connection) == []
        assert {told.entry.reference for told in audit.chain(connection) if told.detail} == {"JALO-2026-0002"}


def test_a_clock_set_back_dates_nothing_before_what_it_follows(database: Database) -> None:
    """The chain stays whole when the machine's clock jumps back by a year."""
    with database.write() as connection:
        audit.append(connection, now=NOW, event="opened", actor="mailbot")
        after = audit.append(connection, now=NOW - timedelta(days=365), event="noted", actor="mailbot")
        assert after.at == NOW
        assert _faults(connection) == []


def test_a_moment_of_another_zone_is_hashed_as_it_is_read_again(database: Database) -> None:
    """An entry written with a local moment (`--now …+02:00`) is whole when it is read back."""
    local = datetime(2026, 11, 3, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    with database.write() as connection:
        made = audit.append(connection, now=local, event="reminded", actor="mailbot", details={"on": local})
        assert made.at.tzinfo is UTC
    with database.read() as connection:
        assert _faults(connection) == []


def test_details_stand_apart_and_salted(chain: Database) -> None:
    """Two equal details have different digests: a guess at a name can not be confirmed from the chain."""
    with chain.write() as connection:
        made = [
            audit.append(connection, now=NOW, event="noted", actor="x", details={"name": "Ritva"}) for _ in range(2)
        ]
        assert made[0].detail_digest != made[1].detail_digest
        told = list(audit.chain(connection))[-1]
        assert told.detail == '{"name":"Ritva"}'
        assert detail_digest(told.salt or "", told.detail) == told.entry.detail_digest


def test_an_entry_of_a_transaction_that_failed_is_not_there(chain: Database) -> None:
    """Change and entry share a transaction: both or neither."""
    with chain.read() as connection:
        before = audit.root(connection)
    with pytest.raises(RuntimeError, match="pulled"), chain.write() as connection:  # noqa: PT012 - the transaction is part of it
        audit.append(connection, now=NOW, event="noted", actor="x")
        raise RuntimeError("the plug was pulled")
    with chain.read() as connection:
        assert audit.root(connection) == before
        assert audit.count(connection) == 6
