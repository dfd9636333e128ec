"""The daemon at rest, and how soon a new mail is a committed ticket.

A second IDLE connection tells when the server itself announced the mail; what the daemon needs beyond that is ours.
"""

import contextlib
import select
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import imapclient

from tests.bench.desk import Desk
from tests.bench.mailbox import message
from tests.bench.measure import cpu_s, environment, memory_mb, program
from tests.servers.dovecot import Dovecot

PATIENCE_S = 30.0


def measure(desk: Desk, server: Dovecot, user: str, *, rest_s: float, mails: int) -> dict[str, list[float]]:
    """Resident megabytes, share of a core at rest in percent, and milliseconds beyond the server's own delay."""
    with _daemon(desk) as pid:
        _wait(lambda: _value(desk.database, "SELECT count(*) FROM cursor") > 0)
        time.sleep(3.0)
        before, started = cpu_s(pid), time.monotonic()
        time.sleep(rest_s)
        share = 100 * (cpu_s(pid) - before) / (time.monotonic() - started)
        found = {"idle_mb": [memory_mb(pid)], "idle_percent": [share], "latency_ms": []}
        for number in range(mails):
            found["latency_ms"].append(_one(desk, server, user, 900_000 + 30 * number))
        found["used_mb"] = [memory_mb(pid)]
    return found


def _one(desk: Desk, server: Dovecot, user: str, number: int) -> float:
    have = _value(desk.database, "SELECT count(*) FROM ticket")
    with _observer(server, user) as client:
        client.idle()
        server.append(message(number), user=user)
        if not select.select([client.socket()], [], [], PATIENCE_S)[0]:
            raise RuntimeError("the server announced nothing")
        announced = time.perf_counter()
        _wait(lambda: _value(desk.database, "SELECT count(*) FROM ticket") > have)
        committed = time.perf_counter()
        client.idle_done()
    time.sleep(0.5)
    return 1000 * max(0.0, committed - announced)


@contextlib.contextmanager
def _observer(server: Dovecot, user: str) -> Iterator[imapclient.IMAPClient]:
    client = imapclient.IMAPClient(server.HOST, port=server.port, ssl=False)
    client.login(user, server.PASSWORD)
    client.select_folder("INBOX", readonly=True)
    try:
        yield client
    finally:
        client.logout()


@contextlib.contextmanager
def _daemon(desk: Desk) -> Iterator[int]:
    with (desk.folder / "daemon").open("wb") as output:
        command = program("mailbot", "--config", desk.config, "run", "all")
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment())
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def _wait(done: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > until:
            raise RuntimeError("the daemon did nothing in time")
        time.sleep(0.001)


def _value(path: Path, query: str) -> int:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as db:
            return int(db.execute(query).fetchone()[0])
    except sqlite3.OperationalError:  # no database or no table yet
        return 0
