"""Real servers for every test that asks for one by name: `dovecot`, `smtp_sink`, `postgres`.

Where a server is not installed the test is skipped with the reason; on a build machine (CI=true) it fails instead.
"""

import os
from collections.abc import Iterator

import pytest
from servers.dovecot import Dovecot
from servers.postgres import Postgres
from servers.smtp_sink import SmtpSink


def _need(missing: str | None) -> None:
    if missing is None:
        return
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"the build machine must have every server: {missing}")
    pytest.skip(missing)


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    """A fresh Dovecot; any user, password `Dovecot.PASSWORD`."""
    _need(Dovecot.missing())
    with Dovecot() as server:
        yield server


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A fresh SMTP server without encryption that keeps what it is given."""
    with SmtpSink() as sink:
        yield sink


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Postgres]:
    """One PostgreSQL for the whole run."""
    _need(Postgres.missing())
    with Postgres() as server:
        yield server


@pytest.fixture
def postgres(postgres_cluster: Postgres) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database."""
    url = postgres_cluster.database()
    yield url
    postgres_cluster.drop(url)
