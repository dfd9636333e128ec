"""A day in ten minutes: thousands of mails, and everything around mailbot fails again and again; then all must be well.

`python -m tests.crash.soak [--mails 5000] [--minutes 10] [--seed N] [--postgres]` runs the real daemon (`run all`)
against Dovecot, an SMTP server and SQLite or PostgreSQL, restarts it as systemd would, prints its figures and ends with
0 only if nothing was lost, doubled or changed. Meanwhile servers restart, connections break or fall silent, the mail
server defers and hangs up, the disk is full (SQLite), PostgreSQL crashes, and the daemon is killed and restarted.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

if __name__ == "__main__":  # run as a program, not collected by pytest
    sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from servers.dovecot import Dovecot
from servers.postgres import Postgres
from servers.smtp_sink import SmtpSink
from servers.wire import Wire

from crash import checks
from crash.day import Soak
from crash.run import LATER_S, Figures
from crash.workshop import Forge, Workshop
from mailbot.store import tickets
from mailbot.store.database import Database


def clean_end(soak: Soak) -> None:
    """What any later hour does: pauses are over, staff answer the last notices."""
    for _ in range(2):
        soak.shop.must("poll", "--once")
        soak.shop.must("deliver", "--once", ahead_s=LATER_S)
        soak.arrive(0)
        while soak.looked_at < len(soak.shop.desk.smtp.accepted):
            soak.arrive(0)
    soak.shop.must("poll", "--once")
    soak.shop.must("deliver", "--once", ahead_s=LATER_S)


def verify(soak: Soak) -> Figures:
    """Everything that must hold; AssertionError names what does not."""
    log = (soak.shop.desk.folder / "daemon.log").read_text(errors="replace")
    assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:4000]
    assert not {77, 78, 70} & set(soak.ended), soak.ended
    figures, sink = Figures(seed=0, requests=len(soak.requesters), others=soak.others), soak.shop.desk.smtp
    database = Database(soak.url)
    with database.read() as connection:
        by_reference = {ticket.reference: ticket.requester_address for ticket in tickets.find(connection)}
        approved = [by_reference[name] for name in soak.approved]
        checks.one_ticket_for_each(connection, soak.requesters)
        checks.left_alone_once(connection, soak.others)
        figures.repeats = checks.one_message_id_for_each(connection, sink, approved)
        checks.each_approval_once(connection, approved)
        checks.noticed_once(connection)
        checks.no_reminder_doubled(connection)
        figures.entries = checks.chain_whole(connection)
    checks.file_sound(database)
    database.close()
    assert not any(soak.shop.desk.imap.flags(user=soak.shop.desk.contact).values()), "a flag was set in the mailbox"
    figures.approved = len(approved)
    return figures


def run(
    mails: int, seconds: float, seed: int, *, folder: Path, on_postgres: bool, report: Callable[[str], None]
) -> Figures:
    """The whole soak. Raises AssertionError where something does not hold; `report` is given the figures."""
    started = time.monotonic()
    with ExitStack() as stack:
        server = stack.enter_context(Postgres()) if on_postgres else None
        forge = stack.enter_context(Forge(folder=folder))
        imap, smtp = stack.enter_context(Dovecot()), stack.enter_context(SmtpSink())
        imap_wire = stack.enter_context(Wire(lambda: imap.port))
        smtp_wire = stack.enter_context(Wire(lambda: smtp.port))
        url = server.database() if server else ""
        shop = Workshop.make(folder, imap, smtp, forge, seed, url)
        path = folder / "mailbot.toml"
        text = path.read_text("utf-8").replace(f"port = {imap.port}", f"port = {imap_wire.port}")
        text = text.replace(f"port = {smtp.port}", f"port = {smtp_wire.port}")
        path.write_text(text.replace("[imap]", "[imap]\ntimeout_s = 10\ninterval_s = 5"), encoding="utf-8")
        soak = Soak(
            shop=shop, url=url or f"sqlite:///{folder / 'var' / 'test.db'}", imap_wire=imap_wire, smtp_wire=smtp_wire,
            postgres=server, chance=random.Random(seed),
        )  # fmt: skip
        try:
            soak.day(mails, seconds)
            clean_end(soak)
            figures = verify(soak)
        finally:
            soak.stopping = True
            soak.tell(signal.SIGKILL)
            soak.hands.shutdown()
    report(f"{mails} mails in {time.monotonic() - started:.0f} s, seed {seed}, {'PostgreSQL' if server else 'SQLite'}")
    for line in lines(soak, figures):
        report(line)
    return figures


def lines(soak: Soak, figures: Figures) -> list[str]:
    """The figures, for people."""
    ends = ", ".join(f"{code}: {count}" for code, count in sorted(soak.ended.items()))
    return [
        "troubles: " + ", ".join(f"{name} {count}" for name, count in sorted(soak.troubles.items())),
        f"daemon: {soak.starts} starts, exit codes {ends}; peak memory {soak.peak_kb / 1024:.0f} MB",
        f"connections: IMAP {soak.imap_wire.connections}, SMTP {soak.smtp_wire.connections}",
        f"{figures.requests} requests: one ticket each; {figures.others} bills and {soak.automatic} notes: no ticket",
        f"{figures.approved} replies approved by mail: each under one Message-ID, {figures.repeats} of them repeated",
        f"audit chain of {figures.entries} entries: whole; no flag was set in the mailbox",
    ]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=5000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        run(
            given.mails, given.minutes * 60, given.seed,
            folder=Path(folder), on_postgres=given.postgres, report=lambda line: print(line, flush=True),
        )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
