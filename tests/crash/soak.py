"""A day in ten minutes: thousands of mails, and everything around mailbot fails again and again; then all must be well.

`python -m tests.crash.soak [--mails 5000] [--minutes 10] [--seed N] [--postgres]` runs the real daemon (`run all`)
against Dovecot, an SMTP server and SQLite or PostgreSQL, restarts it as systemd would, prints its figures and ends with
0 only if nothing was lost, doubled or changed. Meanwhile servers restart, connections break or fall silent, the mail
server defers and hangs up, the disk is full (SQLite), PostgreSQL crashes, and the daemon is killed and restarted.
"""

import argparse
import contextlib
import itertools
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path

if __name__ == "__main__":  # run as a program, not collected by pytest
    sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from servers.dovecot import Dovecot
from servers.postgres import Postgres
from servers.smtp_sink import Behaviour, SmtpSink
from servers.wire import Wire
from story.desk import STAFF, mail

from crash import checks
from crash.run import LATER_S, OTHER, REQUEST, Figures
from crash.workshop import Forge, Workshop
from mailbot.store import cursors, tickets
from mailbot.store.database import Database

REQUESTS = 0.1  # of all mails
AUTOMATIC = 0.2
FULL_DISK_BYTES = 4096  # no file may be written beyond: the next page of database or log does not fit
CATCH_UP_S = 1200.0  # longer than the longest pause of the daemon after many failures in a row
AWAY = "I am out of the office until Monday.\n"


@dataclass(kw_only=True)
class Soak:
    """The mailbot under test, all that stands around it, and what was done to it."""

    shop: Workshop
    url: str
    imap_wire: Wire
    smtp_wire: Wire
    postgres: Postgres | None
    chance: random.Random
    requesters: list[str] = field(default_factory=list)
    others: int = 0
    automatic: int = 0
    approved: list[str] = field(default_factory=list)  # references
    looked_at: int = 0  # deliveries of the sink
    troubles: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    ended: Counter[int] = field(default_factory=Counter)  # exit codes of the daemon
    peak_kb: int = 0
    delivering: threading.Lock = field(default_factory=threading.Lock)  # mail never comes while its server is away
    hands: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2))
    stopping: bool = False
    process: subprocess.Popen[str] | None = None

    # ------------------------------------------------------------------------------------------- the daemon

    def supervise(self) -> None:
        """Starts the daemon whenever it has ended, as systemd does; runs in a thread."""
        log = self.shop.desk.folder / "daemon.log"
        while not self.stopping:
            with log.open("a") as output:
                command = [sys.executable, "-m", "mailbot", "--config", str(self.shop.desk.folder / "mailbot.toml")]
                self.process = subprocess.Popen([*command, "run", "all"], stderr=output, stdout=output, text=True)
                self.starts += 1
                while self.process.poll() is None:
                    self._measure(self.process.pid)
                    time.sleep(0.2)
            self.ended[self.process.returncode] += 1
            time.sleep(0.5)

    def _measure(self, pid: int) -> None:
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            self.peak_kb = max(self.peak_kb, int(next(x for x in lines if x.startswith("VmHWM")).split()[1]))

    def tell(self, number: signal.Signals) -> None:
        """A signal to the daemon, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    # ---------------------------------------------------------------------------------------------- the mails

    def arrive(self, count: int) -> None:
        """So many mails, over one connection: requests, bills, automatic notes, and approvals by staff."""
        raws = [self._mail() for _ in range(count)] + self._approvals(at_most=max(1, count // 4))
        with self.delivering, self.shop.desk.imap.session(self.shop.desk.contact) as client:
            for raw in raws:
                answer = client.append("INBOX", "", None, re.sub(rb"\r?\n", b"\r\n", raw))
                assert answer[0] == "OK", answer

    def _mail(self) -> bytes:
        kind = self.chance.random()
        if kind < REQUESTS:
            number = len(self.requesters) + 1
            self.requesters.append(f"requester{number}@example.org")
            text = REQUEST.format(name=f"Ritva {number}")
            name = f"<{number}@example.org>"
            return mail(f"Ritva {number} <{self.requesters[-1]}>", "Tietojeni poistaminen", text, message_id=name)
        if kind < REQUESTS + AUTOMATIC:
            self.automatic += 1
            raw = mail("Kalle <kalle@example.org>", f"Automatic reply {self.automatic}", AWAY)
            return b"Auto-Submitted: auto-replied\r\n" + raw
        self.others += 1
        return mail("Tuomas <tuomas@supplier.example>", f"Lasku {self.others}", OTHER.format(number=self.others))

    def _approvals(self, *, at_most: int) -> list[bytes]:
        """Answers of staff to notices that have reached them; about a third stay unanswered."""
        found: list[bytes] = []
        accepted = self.shop.desk.smtp.accepted
        while self.looked_at < len(accepted) and len(found) < at_most:
            delivery = accepted[self.looked_at]
            self.looked_at += 1
            notice = message_from_bytes(delivery.content, policy=default)
            if delivery.recipients[0] != STAFF or str(notice["X-Mailbot-Origin"]).split()[1] != "notice":
                continue
            about = next(word for word in str(notice["Subject"]).split() if word.startswith("JALO-")).strip(":,")
            if int(about.rpartition("-")[2]) % 3 == 0 or about in self.approved:
                continue
            name = str(notice["Message-ID"])
            self.approved.append(about)
            found.append(
                mail(f"Anna <{STAFF}>", f"Re: {about}", "Hyväksyn.\n", in_reply_to=name, message_id=f"<re.{name[1:]}")
            )
        return found

    # -------------------------------------------------------------------------------------------- the troubles

    def ways(self) -> dict[str, Callable[[float], None]]:
        """Each trouble lasts about so many seconds, and is over when its function returns."""
        common = {
            "IMAP server killed": lambda s: self._imap_away(self.shop.desk.imap.kill, s),
            "IMAP server restarted": lambda s: self._imap_away(self.shop.desk.imap.stop, s),
            "IMAP connections cut": lambda _s: self.imap_wire.cut(),
            "IMAP connection silent": lambda s: self._held(self.imap_wire, s),
            "SMTP server away": self._smtp_away,
            "SMTP connections cut": lambda _s: self.smtp_wire.cut(),
            "SMTP server defers": lambda s: self._behaves(Behaviour.DEFER, s),
            "SMTP server hangs up after DATA": lambda s: self._behaves(Behaviour.DROP_AFTER_DATA, s),
            "SMTP server is busy": lambda s: self._behaves(Behaviour.BUSY, s),
            "daemon killed": lambda _s: self.tell(signal.SIGKILL),
            "daemon restarted": lambda _s: self.tell(signal.SIGTERM),
        }
        if self.postgres is not None:
            return {**common, "PostgreSQL crashed": self._postgres_away}
        return {**common, "disk full": self._disk_full}

    def _imap_away(self, end: Callable[[], None], seconds: float) -> None:
        with self.delivering:
            end()
            time.sleep(seconds / 2)
            self.shop.desk.imap.start()

    def _smtp_away(self, seconds: float) -> None:
        self.shop.desk.smtp.stop()
        time.sleep(seconds)
        try:
            self.shop.desk.smtp.start()
        except OSError:  # somebody took its port meanwhile; the wire finds the new one
            self.shop.desk.smtp.port = 0
            self.shop.desk.smtp.start()

    def _held(self, wire: Wire, seconds: float) -> None:
        wire.hold()
        time.sleep(seconds)
        wire.release()

    def _behaves(self, behaviour: Behaviour, seconds: float) -> None:
        self.shop.desk.smtp.behaviour = behaviour
        time.sleep(seconds)
        self.shop.desk.smtp.behaviour = Behaviour.ACCEPT

    def _disk_full(self, seconds: float) -> None:
        process = self.process
        if process is None or process.poll() is not None:
            return
        with contextlib.suppress(OSError):  # it may end meanwhile
            _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (FULL_DISK_BYTES, hard))
            time.sleep(seconds)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))

    def _postgres_away(self, seconds: float) -> None:
        assert self.postgres is not None
        self.postgres.stop("immediate")
        time.sleep(seconds / 2)
        self.postgres.start()

    # ------------------------------------------------------------------------------------------------ the day

    def day(self, mails: int, seconds: float) -> None:
        """Mails in bursts and one trouble after the other, until the time is over and all mails have come."""
        supervisor = self.hands.submit(self.supervise)
        trouble = self.hands.submit(self._make_trouble, time.monotonic() + seconds, seconds)
        started = time.monotonic()
        sent = 0
        while sent < mails:
            wanted = min(mails, int(mails * (time.monotonic() - started) / (seconds * 0.95)) + 1)
            if wanted > sent:
                self.arrive(wanted - sent)
                sent = wanted
            time.sleep(self.chance.uniform(0.05, 1.0))
        trouble.result()
        self._catch_up()
        self.stopping = True
        self.tell(signal.SIGTERM)
        supervisor.result(60)
        assert self.process is not None
        assert self.process.poll() == 0, f"the daemon ended with {self.process.poll()}"

    def _make_trouble(self, until: float, seconds: float) -> None:
        ways = self.ways()
        order = list(ways)
        self.chance.shuffle(order)
        for name in itertools.cycle(order):  # each as often as the others, in a random order
            time.sleep(self.chance.uniform(0.3, 0.7) * min(8.0, seconds / len(ways)))
            if time.monotonic() > until:
                return
            ways[name](self.chance.uniform(0.2, 1.0) * min(4.0, seconds / len(ways)))
            self.troubles[name] += 1

    def _catch_up(self) -> None:
        """Waits until the daemon has read everything; it must manage that by itself."""
        last, deadline = max(self.shop.desk.imap.flags(user=self.shop.desk.contact)), time.monotonic() + CATCH_UP_S
        database = Database(self.url)
        try:
            while time.monotonic() < deadline:
                with database.read() as connection:
                    if any(cursor.last_uid >= last for cursor in cursors.folders(connection)):
                        return
                time.sleep(0.5)
        finally:
            database.close()
        log = (self.shop.desk.folder / "daemon.log").read_text(errors="replace")
        raise AssertionError(f"the daemon did not catch up by itself; last it said:\n{log[-3000:]}")


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
