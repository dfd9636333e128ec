"""Something that ends by itself: a certificate, a token, a secret. When is its end near?

A certificate of a year is renewed weeks before its end, one of six days in its last day or two; so near is two weeks,
or the last quarter of a shorter life. Knows no clock: the moment is given.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

NEAR = timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class Life:
    """What ends and when. Both moments are aware."""

    name: str  # "imap.certificate", "imap.authority", "smtp.token", "smtp.secret" ...
    begins_at: datetime
    ends_at: datetime

    def near_end(self, now: datetime) -> bool:
        """True when it should have been renewed by now."""
        return self.ends_at - now <= min(NEAR, (self.ends_at - self.begins_at) / 4)
