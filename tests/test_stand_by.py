"""Trouble of one duty as the loop sees it: who stands by raises no alarm, and who is told of an end is told once.

The loop's own step is driven with a clock that the test moves; database, alarm program and mailbox are real.
"""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from servers.dovecot import Dovecot
from servers.odd_imap import Odd, OddImap
from servers.smtp_sink import SmtpSink
from story.desk import Desk

from mailbot import daemon
from mailbot.config import load
from mailbot.store import cursors
from mailbot.store.database import Database
from mailbot.wiring import House

START = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)


@dataclass(kw_only=True)
class Machine:
    """One mailbot that only reads, its clock and what its alarm program was given."""

    loop: daemon._Daemon
    heard: Path
    now: datetime = START
    duties: list[daemon._Duty] = field(default_factory=list)

    def step(self, hours: float = 0.0) -> daemon._Duty:
        """Time passes, then the duty is done once."""
        self.now += timedelta(hours=hours)
        (duty,) = self.duties
        daemon._do(self.loop, duty)
        return duty

    @property
    def alarms(self) -> list[str]:
        """First lines of what the alarm program was given."""
        return self.heard.read_text("utf-8").splitlines() if self.heard.exists() else []


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    """Makes the machine; `url` for another database than a SQLite file."""
    made: list[Machine] = []
    reading, writing = socket.socketpair()

    def machine(imap: object, url: str = "") -> Machine:
        heard, program = tmp_path / "heard", tmp_path / "shout"
        program.write_text(f"#!/bin/sh\nhead -n 1 >> {heard}\n", encoding="utf-8")
        program.chmod(0o700)
        Desk.make(tmp_path, imap, SmtpSink(port=9), more=f'[alarm]\ncommand = ["{program}"]')  # type: ignore[arg-type]
        path = tmp_path / "mailbot.toml"
        if url:
            path.write_text(path.read_text("utf-8").replace("sqlite:///var/test.db", url), encoding="utf-8")
        house = House(load(path), lambda: made[0].now)
        loop = daemon._Daemon(house=house, now=lambda: made[0].now, started_at=START, wake=reading)
        made.append(Machine(loop=loop, heard=heard, duties=daemon._duties(loop, "poll")))
        return made[0]

    yield machine
    for one in made:
        one.loop.drop()
        one.loop.house.database.close()
    reading.close()
    writing.close()


@pytest.mark.server
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_poller_that_stands_by_raises_no_alarm(
    kind: str, dovecot: Dovecot, make: Callable[..., Machine], request: pytest.FixtureRequest
) -> None:
    """Another mailbot holds the mailbox and reads it: hours pass without an alarm and without a login of ours."""
    here = make(dovecot, request.getfixturevalue("postgres") if kind == "postgresql" else "")
    other = Database(here.loop.house.config.database_url())
    other.prepare()
    with other.exclusively("poll"):
        for _ in range(5):
            with other.write() as connection:
                cursors.note_state(connection, "polled", "ok", here.now)
            duty = here.step(hours=0.9)
            assert duty.standing_by
            assert here.loop.mailbox is None
    other.close()
    assert here.alarms == []
    assert here.step().standing_by is False
    assert here.loop.mailbox is not None


@pytest.mark.server
def test_a_poller_that_holds_the_mailbox_and_does_not_read_it_is_told(
    dovecot: Dovecot, make: Callable[..., Machine]
) -> None:
    """The other one hangs: after its time people hear of it once, and once more when reading goes on."""
    here = make(dovecot)
    other = Database(here.loop.house.config.database_url())
    other.prepare()
    with other.exclusively("poll"):
        for _ in range(6):
            here.step(hours=0.7)
    other.close()
    assert here.alarms == ["mailbot: poll has stopped"]
    here.step()
    here.step()
    assert here.alarms == ["mailbot: poll has stopped", "mailbot: poll is working again"]


def test_a_server_that_asks_for_patience_is_left_alone_so_long(make: Callable[..., Machine]) -> None:
    """The next look comes not before the time that the server named."""
    refused = Odd(raw=b"Subject: x\r\n\r\n", trouble={"all": "throttle"})
    with OddImap(messages={1: refused}) as server:
        here = make(server)
        duty = here.step()
        assert duty.failures == 1
        assert duty.next_at - daemon.time.monotonic() > 85


@pytest.mark.parametrize("how", ["bad", "no"])
def test_a_server_that_offers_idle_and_refuses_it_is_looked_at_in_intervals(
    make: Callable[..., Machine], how: str
) -> None:
    """What was read counts as read, nothing has failed, and the next look comes after the ordinary time."""
    with OddImap(messages={1: Odd(raw=b"Subject: x\r\n\r\n")}, idle=how) as server:
        here = make(server)
        for _ in range(3):
            duty = here.step(hours=1)
            assert (duty.failures, duty.failing_since) == (0, None)
    assert here.alarms == []
