"""One Dovecot and one mail server for all stories of a file; each bureau has its own mailbox in them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bureau import Bureau
from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Dovecot, SmtpSink]]:
    """A real IMAP and a real SMTP server."""
    if missing := Dovecot.missing():
        pytest.skip(missing)
    with Dovecot() as imap, SmtpSink() as smtp:
        yield imap, smtp


@pytest.fixture
def bureau_of(servers: tuple[Dovecot, SmtpSink], tmp_path: Path) -> Iterator[Callable[..., Bureau]]:
    """Makes the bureau of a test, with its own staff and policies."""
    made: list[Bureau] = []

    def make(**options: Any) -> Bureau:
        made.append(Bureau.make(tmp_path, *servers, **options))
        return made[-1]

    yield make
    for bureau in made:
        bureau.house.office.database.close()


@pytest.fixture
def bureau(bureau_of: Callable[..., Bureau]) -> Bureau:
    """A bureau with one approver who reads English."""
    return bureau_of()
