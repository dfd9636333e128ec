"""The audit chain: each entry holds the hash of the one before, so nothing is altered, removed or reordered unseen.

The chain itself holds no personal data: a reference, an event, a staff id, and a salted digest of the details. Details
and salts lie in rows of their own that may be purged; a purged detail leaves the chain whole (design, promise 9).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

GENESIS = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One link. `at` is aware UTC; `actor` is a staff id ("staff:1"), "requester", "mailbot" or "cli:USER"."""

    seq: int  # starts at 1, without gaps
    at: datetime
    event: str
    reference: str  # ticket reference, or ""
    actor: str
    detail_digest: str  # hex SHA-256 over salt + canonical details, or "" when there are none
    previous: str
    hash: str


def detail_text(details: Mapping[str, object]) -> str:
    """Details in the canonical form whose digest enters the chain."""
    return json.dumps(dict(details), ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def detail_digest(salt: str, text: str) -> str:
    """Salted digest of details: without the salt a guess at a name can not be confirmed."""
    return hashlib.sha256(f"{salt}\x00{text}".encode()).hexdigest()


def link(*, seq: int, at: datetime, event: str, reference: str, actor: str, digest: str, previous: str) -> Entry:
    """The next entry of the chain, with its hash.

    Raises ValueError for a naive `at`.
    """
    if at.tzinfo is None:
        raise ValueError("an audit entry needs an aware time")
    return Entry(
        seq=seq,
        at=at,
        event=event,
        reference=reference,
        actor=actor,
        detail_digest=digest,
        previous=previous,
        hash=_hash(seq, at, event, reference, actor, digest, previous),
    )


def faults(entries: Iterable[tuple[Entry, str | None, str | None]]) -> Iterable[str]:
    """What is wrong with the chain, one line each, oldest first; nothing when it is whole.

    Each item is an entry with its salt and detail text, both None when the detail was purged.
    """
    previous, expected, last_at = GENESIS, 1, None
    for entry, salt, text in entries:
        if entry.seq != expected:
            yield f"entry {expected} is missing (found {entry.seq})"
        if entry.previous != previous:
            yield f"entry {entry.seq} does not follow entry {expected - 1}: reordered, removed or inserted"
        if entry.hash != _hash(
            entry.seq, entry.at, entry.event, entry.reference, entry.actor, entry.detail_digest, entry.previous
        ):
            yield f"entry {entry.seq} was altered"
        if salt is not None and text is not None and detail_digest(salt, text) != entry.detail_digest:
            yield f"the details of entry {entry.seq} were altered"
        if last_at is not None and entry.at < last_at:
            yield f"entry {entry.seq} is dated before the one it follows"
        previous, expected, last_at = entry.hash, entry.seq + 1, entry.at


def _hash(seq: int, at: datetime, event: str, reference: str, actor: str, digest: str, previous: str) -> str:
    canonical = json.dumps([seq, at.isoformat(), event, reference, actor, digest, previous], separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()
