"""The random kills in a size that a build can afford; `python -m tests.crash.run --kills 500` does the rest.

MAILBOT_KILLS=500 makes this test as long as that.
"""

import os
import random
from pathlib import Path

import pytest
from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink

from crash.run import torture
from crash.workshop import Forge

KILLS = int(os.environ.get("MAILBOT_KILLS", "0"))


def _seed() -> int:
    return int(os.environ.get("MAILBOT_SEED", "0")) or random.SystemRandom().randrange(10**6)


@pytest.mark.server
@pytest.mark.slow
def test_nothing_is_lost_or_doubled_by_random_kills(
    dovecot: Dovecot, smtp_sink: SmtpSink, tmp_path: Path, forge: Forge
) -> None:
    """After dozens of kill -9: one ticket for each request, one Message-ID for each approved reply, the chain whole."""
    seed = _seed()
    print(f"MAILBOT_SEED={seed}")
    figures = torture(KILLS or 25, seed, folder=tmp_path, imap=dovecot, smtp=smtp_sink, forge=forge)
    print("\n".join(figures.lines()))
    assert sum(figures.kills.values()) >= (KILLS or 25)


@pytest.mark.server
@pytest.mark.slow
def test_nothing_is_lost_or_doubled_on_postgresql(
    dovecot: Dovecot, smtp_sink: SmtpSink, tmp_path: Path, forge: Forge, postgres: str
) -> None:
    """The same story, from poll to reminder, with the same kills, on a PostgreSQL address."""
    seed = _seed()
    print(f"MAILBOT_SEED={seed}")
    figures = torture(KILLS or 12, seed, folder=tmp_path, imap=dovecot, smtp=smtp_sink, forge=forge, url=postgres)
    print("\n".join(figures.lines()))
    assert figures.requests >= 3
