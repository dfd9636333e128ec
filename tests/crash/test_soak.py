"""The soak in a size that a build can afford; `python -m tests.crash.soak` is the day in ten minutes."""

import random
from pathlib import Path

import pytest
from servers.dovecot import Dovecot
from servers.postgres import Postgres

from crash.soak import run


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.parametrize("on_postgres", [False, True])
def test_a_short_day_full_of_trouble_ends_clean(tmp_path: Path, on_postgres: bool) -> None:
    """Each kind of trouble about once, around the running daemon: nothing is lost, doubled or changed."""
    if missing := Dovecot.missing() or (Postgres.missing() if on_postgres else None):
        pytest.skip(missing)
    seed = random.SystemRandom().randrange(10**6)
    figures = run(60, 9.0, seed, folder=tmp_path, on_postgres=on_postgres, report=print)
    assert figures.requests + figures.others > 20
