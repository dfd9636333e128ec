"""What of our own may be purged, and when (GDPR 5(1)(e)): decisions over dates, nothing else.

A dismissed ticket keeps its content while it can be reopened, so that a wrong judgement can be mended; an ended one as
long as proof is owed (GDPR 5(2)); attachments and proofs of identity go early. A legal hold keeps everything. The
decision itself, without personal data, stays in the audit chain.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailbot.core.ticket import Status


class Purge(StrEnum):
    """What may go of a ticket now."""

    NOTHING = "nothing"
    FILES = "files"  # attachments, raw bytes
    CONTENT = "content"  # every word and address


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is known of a ticket that may be purged. Moments are aware."""

    status: Status
    ended_at: datetime | None  # closed, withdrawn, dismissed
    answered_at: datetime | None
    hold: bool = False
    purged: bool = False


def purge_of(kept: Kept, *, now: datetime, closed_days: int, attachments_days: int, dismissed_days: int) -> Purge:
    """What may go of a ticket at `now`, given the days the controller has chosen."""
    if kept.hold or kept.purged:
        return Purge.NOTHING
    if kept.status is Status.DISMISSED:
        return Purge.CONTENT if _passed(kept.ended_at, dismissed_days, now) else Purge.NOTHING
    if kept.status not in (Status.CLOSED, Status.WITHDRAWN, Status.ANSWERED):
        return Purge.NOTHING
    ended = kept.ended_at or kept.answered_at
    if kept.status is not Status.ANSWERED and _passed(ended, closed_days, now):
        return Purge.CONTENT
    return Purge.FILES if _passed(kept.answered_at or ended, attachments_days, now) else Purge.NOTHING


def _passed(moment: datetime | None, days: int, now: datetime) -> bool:
    return moment is not None and now - moment > timedelta(days=days)
