"""A day around the running daemon: the mails that come, and each trouble that servers, disk and signals can make.

Nothing is judged here; `soak.py` runs the day and says whether all held.
"""

import contextlib
import itertools
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from servers.postgres import Postgres
from servers.smtp_sink import Behaviour
from servers.wire import Wire
from story.desk import STAFF, mail

from crash.run import OTHER, REQUEST
from crash.workshop import Workshop
from mailbot.store import cursors
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
