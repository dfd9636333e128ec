"""The audit chain in the database: entries are added in the transaction of the change they tell of, never changed.

Details (free text, addresses) and their salts lie in `audit_detail` and can be purged; the chain keeps their digest.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from mailbot.core.audit import GENESIS, Entry, detail_digest, detail_text, link
from mailbot.store.database import take_turns
from mailbot.store.schema import audit, audit_detail


@dataclass(frozen=True, kw_only=True)
class Told:
    """An entry with what is left of its details (None when purged)."""

    entry: Entry
    salt: str | None
    detail: str | None


_LAST = select(audit.c.seq, audit.c.at, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_ADD, _ADD_DETAIL = insert(audit), insert(audit_detail)  # built once: making a statement costs more than running it


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
    last = connection.execute(_LAST).first()
    salt, words = secrets.token_hex(16), detail_text(details or {})
    entry = link(
        seq=last.seq + 1 if last else 1,
        at=max(now, last.at).astimezone(UTC) if last else now.astimezone(UTC),  # as it will be read again
        event=event,
        reference=reference,
        actor=actor,
        digest=detail_digest(salt, words) if details else "",
        previous=last.hash if last else GENESIS,
    )
    connection.execute(_ADD, asdict(entry))
    if details:
        connection.execute(_ADD_DETAIL, {"seq": entry.seq, "salt": salt, "text": words})
    return entry


def chain(connection: Connection, reference: str | None = None) -> Iterator[Told]:
    """The entries in order, with their details; of one ticket when `reference` is given."""
    query = (
        select(audit, audit_detail.c.salt, audit_detail.c.text)
        .select_from(audit.outerjoin(audit_detail, audit.c.seq == audit_detail.c.seq))
        .order_by(audit.c.seq)
    )
    if reference is not None:
        query = query.where(audit.c.reference == reference)
    for row in connection.execute(query).mappings():
        entry = Entry(**{name: row[name] for name in Entry.__dataclass_fields__})
        yield Told(entry=entry, salt=row["salt"], detail=row["text"])


def root(connection: Connection) -> tuple[int, str]:
    """Number of entries and the hash of the last: what the digest tells staff, so that a cut-off end is noticed."""
    last = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    return (last.seq, last.hash) if last else (0, GENESIS)


def count(connection: Connection) -> int:
    """How many entries there are."""
    return connection.execute(select(func.count()).select_from(audit)).scalar_one()


def purge_details(connection: Connection, reference: str) -> int:
    """Removes the details of one ticket's entries; the chain stays whole. The number removed."""
    of_ticket = select(audit.c.seq).where(audit.c.reference == reference)
    return connection.execute(delete(audit_detail).where(audit_detail.c.seq.in_(of_ticket))).rowcount
