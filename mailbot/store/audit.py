"""The audit chain in the database: entries are added in the transaction of the change they tell of, never changed.

Details (free text, addresses) and their salts lie in `audit_detail` and can be purged; the chain keeps their digest.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from mailbot.core.audit import GENESIS, Entry, detail_digest, detail_text, link
from mailbot.store.connection import Connection
from mailbot.store.database import take_turns


@dataclass(frozen=True, kw_only=True)
class Told:
    """An entry with what is left of its details (None when purged)."""

    entry: Entry
    salt: str | None
    detail: str | None


_LAST = "SELECT seq, at, hash FROM audit ORDER BY seq DESC LIMIT 1"


def append(
    connection: Connection,
    *,
    now: datetime,
    event: str,
    actor: str,
    reference: str = "",
    details: Mapping[str, Any] | None = None,
) -> Entry:
    """Adds one entry at the end of the chain, within the caller's transaction.

    A clock that was set back never dates an entry before the one it follows.
    """
    take_turns(connection, "audit")
    last = connection.row(_LAST)
    salt, words = secrets.token_hex(16), detail_text(details or {})
    entry = link(
        seq=last["seq"] + 1 if last else 1,
        at=max(now, last["at"]).astimezone(UTC) if last else now.astimezone(UTC),  # as it will be read again
        event=event,
        reference=reference,
        actor=actor,
        digest=detail_digest(salt, words) if details else "",
        previous=last["hash"] if last else GENESIS,
    )
    connection.add("audit", asdict(entry))
    if details:
        connection.add("audit_detail", {"seq": entry.seq, "salt": salt, "text": words})
    return entry


def chain(connection: Connection, reference: str | None = None) -> Iterator[Told]:
    """The entries in order, with their details; of one ticket when `reference` is given."""
    query = """SELECT audit.*, audit_detail.salt, audit_detail.text
 FROM audit LEFT JOIN audit_detail ON audit.seq = audit_detail.seq"""
    if reference is not None:
        query = f"{query} WHERE audit.reference = :reference"
    for row in connection.each(f"{query} ORDER BY audit.seq", {"reference": reference}):
        entry = Entry(**{name: row[name] for name in Entry.__dataclass_fields__})
        yield Told(entry=entry, salt=row["salt"], detail=row["text"])


def root(connection: Connection) -> tuple[int, str]:
    """Number of entries and the hash of the last: what the digest tells staff, so that a cut-off end is noticed."""
    last = connection.row(_LAST)
    return (last["seq"], last["hash"]) if last else (0, GENESIS)


def count(connection: Connection) -> int:
    """How many entries there are."""
    return int(connection.value("SELECT count(*) FROM audit"))


def purge_details(connection: Connection, reference: str) -> int:
    """Removes the details of one ticket's entries; the chain stays whole. The number removed."""
    of_ticket = "SELECT seq FROM audit WHERE reference = :reference"
    return connection.run(f"DELETE FROM audit_detail WHERE seq IN ({of_ticket})", {"reference": reference})
