"""`mailbot run` as systemd runs it: a process of its own against a real IMAP and a real SMTP server."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from servers.dovecot import Dovecot
from servers.smtp_sink import Behaviour, SmtpSink
from story.desk import STAFF, Desk, mail

pytestmark = pytest.mark.server

ERASE = "Hei,\n\npyydän, että poistatte kaikki minua koskevat henkilötiedot rekistereistänne.\n\nMaija Mallinen\n"
SLOW = "interval_s = 3600"  # what comes sooner came by IDLE
PATIENCE_S = 60.0  # of a busy build machine


@dataclass(kw_only=True)
class Daemon:
    """The process, and what it told systemd."""

    process: subprocess.Popen[str]
    told: socket.socket
    heard: list[str] = field(default_factory=list)

    def hears(self, word: str) -> bool:
        """Whether systemd has been told this since the last look."""
        while True:
            try:
                self.heard.append(self.told.recv(4096).decode())
            except BlockingIOError:
                return word in self.heard

    def ends(self) -> tuple[int, str]:
        """Waits for the end; exit code and stderr."""
        _, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, err


@contextmanager
def running(desk: Desk, what: str = "all") -> Iterator[Daemon]:
    """`mailbot run`, started as systemd starts it."""
    path = str(desk.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        Path(path).unlink(missing_ok=True)
        told.bind(path)
        told.setblocking(False)
        process = subprocess.Popen(
            [sys.executable, "-m", "mailbot", "--config", str(desk.folder / "mailbot.toml"), "run", what],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NOTIFY_SOCKET": path},
        )
        try:
            yield Daemon(process=process, told=told)
        finally:
            process.kill()
            process.communicate()


def until(holds: Callable[[], object], seconds: float = PATIENCE_S) -> float:
    """Waits until it holds; the seconds that took. Fails when it never does."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < seconds, "it did not happen in time"
        time.sleep(0.05)
    return time.monotonic() - started


def request(number: int) -> bytes:
    return mail(f"Maija <maija{number}@customer.example>", "Pyyntö", ERASE, message_id=f"<m{number}@customer.example>")


@pytest.fixture
def desk(tmp_path: Path, dovecot: Dovecot, smtp_sink: SmtpSink) -> Desk:
    made = Desk.make(tmp_path, dovecot, smtp_sink)
    config = tmp_path / "mailbot.toml"
    config.write_text(config.read_text("utf-8").replace("[smtp]", f"{SLOW}\n[smtp]"), encoding="utf-8")
    return made


def test_a_mail_becomes_a_ticket_and_a_notice_within_seconds(desk: Desk) -> None:
    """The server says that mail came: nobody waits for the hourly look; SIGTERM ends it at once and cleanly."""
    with running(desk) as daemon:
        until(lambda: daemon.hears("READY=1"))
        desk.arrive(request(1))
        until(lambda: desk.smtp.accepted)  # the first round reads it, whenever it began
        time.sleep(1.0)
        desk.arrive(request(2))
        took = until(lambda: len(desk.smtp.accepted) == 2)
        assert took < 15
        assert desk.recipients() == [STAFF, STAFF]
        assert daemon.hears("WATCHDOG=1")
        asked = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        code, err = daemon.ends()
        assert code == 0, err
        assert time.monotonic() - asked < 5
        assert daemon.hears("STOPPING=1")
    assert len(desk.tickets()) == 2


def test_a_systemd_that_does_not_listen_holds_nothing_up(desk: Desk) -> None:
    """The socket is full and nobody reads it: the work goes on, and SIGTERM ends it all the same."""
    with running(desk) as daemon:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as noise:
            noise.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    noise.sendto(b"FULL=1", str(desk.folder / "notify"))
        desk.arrive(request(1))
        until(lambda: desk.smtp.accepted)
        daemon.process.send_signal(signal.SIGTERM)
        code, err = daemon.ends()
        assert code == 0, err


def test_it_survives_servers_that_restart(desk: Desk) -> None:
    """Both servers go away and come back: what arrived meanwhile becomes a ticket and a notice."""
    with running(desk) as daemon:
        until(lambda: daemon.hears("READY=1"))
        desk.arrive(request(1))
        until(lambda: desk.smtp.accepted)
        desk.smtp.stop()
        desk.imap.stop()
        time.sleep(0.5)
        desk.imap.start()
        desk.smtp.start()
        desk.arrive(request(2))
        until(lambda: len(desk.smtp.accepted) == 2)
        assert daemon.hears("WATCHDOG=1")
        daemon.process.send_signal(signal.SIGTERM)
        code, err = daemon.ends()
        assert code == 0, err
        assert "Traceback" not in err
        assert "poll:" in err  # one line said what was wrong


@pytest.mark.parametrize("what", ["all", "poll"])
def test_a_wrong_password_ends_it_at_once(desk: Desk, what: str) -> None:
    """No retry storm that would lock the account: one clear line without the secret, exit code 77."""
    (desk.folder / "imap-password").write_text("wrong-and-secret\n", encoding="utf-8")
    with running(desk, what) as daemon:
        code, err = daemon.ends()
    assert code == 77
    assert "refused the login" in err
    assert "wrong-and-secret" not in err
    assert len(err.splitlines()) == 1


def test_a_refused_login_of_the_sender_ends_it(tmp_path: Path, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    """The sender stops as the reader does; the mail stays queued for the day when the password is right."""
    desk = Desk.make(tmp_path, dovecot, smtp_sink)
    config = tmp_path / "mailbot.toml"
    login = 'username = "privacy@example.com"\npassword_file = "imap-password"\nsender ='
    config.write_text(config.read_text("utf-8").replace("sender =", login), encoding="utf-8")
    desk.arrive(request(1))
    desk.must("poll", "--once")
    smtp_sink.behaviour = Behaviour.REFUSE_LOGIN
    with running(desk, "deliver") as daemon:
        code, err = daemon.ends()
    assert code == 77, err
    assert Dovecot.PASSWORD not in err
    assert desk.run("deliver", "--once").code in (0, 77)
    assert smtp_sink.accepted == []


def test_two_daemons_do_nothing_twice(desk: Desk) -> None:
    """The second one waits for the first; a request is one ticket and one notice all the same."""
    with running(desk) as first:
        until(lambda: first.hears("READY=1"))
        with running(desk) as second:
            until(lambda: second.hears("READY=1"))
            desk.arrive(request(1))
            until(lambda: desk.smtp.accepted)
            time.sleep(2.0)
            assert second.process.poll() is None
    assert len(desk.smtp.accepted) == 1
    assert len(desk.tickets()) == 1


def test_trouble_that_lasts_reaches_the_alarm_command(tmp_path: Path, dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    """When reading has stopped for too long, the program of [alarm] is given the words; once."""
    heard = tmp_path / "heard"
    program = tmp_path / "shout"
    program.write_text(f"#!/bin/sh\ncat >> {heard}\necho --- >> {heard}\n", encoding="utf-8")
    program.chmod(0o700)
    desk = Desk.make(tmp_path, dovecot, smtp_sink, more=f'[alarm]\ncommand = ["{program}"]')
    desk.must("poll", "--once")
    _set_back(tmp_path / "var" / "test.db", "polled", datetime(2020, 1, 1, tzinfo=UTC))
    desk.must("canary")
    desk.must("canary")
    text = heard.read_text("utf-8")
    assert text.count("---") == 1
    assert "postilaatikon lukeminen on pysähtynyt" in text.lower()
    desk.must("poll", "--once")
    desk.must("canary")
    assert heard.read_text("utf-8").count("---") == 2  # and once that all is well again


def _set_back(file: Path, name: str, moment: datetime) -> None:
    """Makes the database remember that it happened long ago, as if the machine had stood still since."""
    with sqlite3.connect(file) as database:
        database.execute("UPDATE state SET at = ? WHERE name = ?", (moment.strftime("%Y-%m-%d %H:%M:%S.000000"), name))
    database.close()
