"""The loop: what is due now, signals, watchdog. Each duty is one round of a flow; a failed round is tried again later.

The loop decides nothing about mail. It polls at least every `interval_s`, earlier when IDLE hints at news; sends what
is due; reminds on working mornings; purges once a day. Trouble backs off with jitter, is logged in one line without
people in it, and is told to the alarm address when it lasts.
"""

import logging
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailbot.core.deadline import local_date, time_zone
from mailbot.errors import ConfigurationError, MailbotError, NotPermittedError
from mailbot.flows.deliver import alarm, deliver
from mailbot.flows.poll import poll
from mailbot.flows.purge import purge
from mailbot.flows.remind import remind
from mailbot.gateway.imap import ImapMailbox
from mailbot.wiring import House

LOG = logging.getLogger("mailbot")
IDLE_CYCLE_S = 240.0  # RFC 2177 asks for less than 29 minutes; NATs and providers forget sooner
DELIVER_EVERY_S = 15.0
BACK_OFF_S = (5.0, 15.0, 60.0, 180.0, 600.0, 900.0)
ALARM_AFTER = timedelta(hours=1)  # trouble that lasts so long is told


@dataclass(kw_only=True)
class _Duty:
    """One thing that is done again and again, with its own back-off."""

    name: str
    work: Callable[[], float]  # does a round; seconds until the next
    failures: int = 0
    next_at: float = 0.0  # monotonic seconds
    failing_since: datetime | None = None


@dataclass(kw_only=True)
class _Daemon:
    house: House
    now: Callable[[], datetime]
    stop: threading.Event = field(default_factory=threading.Event)
    mailbox: ImapMailbox | None = None

    def poll(self) -> float:
        """A round of reading, then waiting in IDLE where the server can."""
        house = self.house
        if self.mailbox is None:
            self.mailbox = house.mailbox()
            self.mailbox.connect()
        try:
            done = poll(house.office, self.mailbox, house.reader, house.commands, house.folders(), clock_now=self.now)
        except MailbotError:
            self.drop()
            raise
        for problem in done.problems:
            LOG.warning("%s", problem)
        if done.tickets or done.commands:
            LOG.info("poll: %d tickets, %d staff replies", done.tickets, done.commands)
        return 0.0 if self._idle() else float(house.config.imap.interval_s)

    def _idle(self) -> bool:
        """True when a whole interval was waited in IDLE, or the server said something."""
        imap = self.house.config.imap
        if not imap.idle or self.mailbox is None or "IDLE" not in self.mailbox.capabilities():
            return False
        names = self.house.folders().names
        try:
            self.mailbox.examine(names[0] if names else "INBOX")
            until = time.monotonic() + min(imap.interval_s, IDLE_CYCLE_S)
            while not self.stop.is_set() and (left := until - time.monotonic()) > 0:
                if self.mailbox.wait(min(left, 5.0)):
                    return True
                _watchdog()
        except MailbotError:
            self.drop()
            raise
        return True

    def deliver(self) -> float:
        """A round of sending."""
        with self.house.transport() as transport:
            done = deliver(self.house.office, transport, now=self.now())
        if done.sent or done.failed:
            LOG.info("deliver: %d sent, %d refused", done.sent, done.failed)
        if done.stopped:
            LOG.warning("deliver: the mail server does not take mail now: %s", done.stopped)
        return DELIVER_EVERY_S

    def remind(self) -> float:
        """Reminders from the configured hour on; the query itself never says a thing twice."""
        office, moment = self.house.office, self.now()
        local = moment.astimezone(time_zone(office.zone))
        if local.hour >= office.options.digest_hour and office.calendar.is_working_day(local_date(moment, office.zone)):
            remind(office, now=moment)
        return 900.0

    def purge(self) -> float:
        """What may go, once a day."""
        purge(self.house.office, now=self.now())
        return 86_400.0

    def drop(self) -> None:
        """Lets go of a connection that is in doubt."""
        if self.mailbox is not None:
            self.mailbox.close()
        self.mailbox = None


def serve(house: House, what: str, now: Callable[[], datetime]) -> int:
    """Runs until SIGTERM or SIGINT; the exit code.

    Raises ConfigurationError and NotPermittedError at once: no waiting cures them (RestartPreventExitStatus=77 78).
    """
    daemon = _Daemon(house=house, now=now)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.stop.set())
    duties = _duties(daemon, what)
    house.office.database.prepare()
    _notify("READY=1")
    try:
        while not daemon.stop.is_set():
            _round(daemon, duties)
    finally:
        _notify("STOPPING=1")
        daemon.drop()
        house.database.close()
    return 0


def _duties(daemon: _Daemon, what: str) -> list[_Duty]:
    found = []
    if what in ("deliver", "all"):
        found.append(_Duty(name="deliver", work=daemon.deliver))
    if what == "all":
        found += [_Duty(name="remind", work=daemon.remind), _Duty(name="purge", work=daemon.purge)]
    if what in ("poll", "all"):
        found.append(_Duty(name="poll", work=daemon.poll))
    return found


def _round(daemon: _Daemon, duties: list[_Duty]) -> None:
    for duty in duties:
        if not daemon.stop.is_set() and time.monotonic() >= duty.next_at:
            _do(daemon, duty)
    _watchdog()
    pause = min(duty.next_at for duty in duties) - time.monotonic()
    daemon.stop.wait(max(0.0, min(pause, 5.0)))


def _do(daemon: _Daemon, duty: _Duty) -> None:
    try:
        duty.next_at = time.monotonic() + duty.work()
        duty.failures, duty.failing_since = 0, None
    except (ConfigurationError, NotPermittedError):
        raise
    except MailbotError as error:
        LOG.warning("%s: %s", duty.name, error)
        pause = BACK_OFF_S[min(duty.failures, len(BACK_OFF_S) - 1)]
        duty.failures += 1
        duty.next_at = time.monotonic() + pause * random.uniform(0.8, 1.2)
        duty.failing_since = duty.failing_since or daemon.now()
        _tell_when_it_lasts(daemon, duty, error)


def _tell_when_it_lasts(daemon: _Daemon, duty: _Duty, error: MailbotError) -> None:
    if duty.failing_since is None or daemon.now() - duty.failing_since < ALARM_AFTER:
        return
    try:
        with daemon.house.database.write() as connection:
            alarm(connection, daemon.house.office, f"{duty.name} has stopped: {error.what}", now=daemon.now())
    except MailbotError as second:
        LOG.error("the alarm could not be queued: %s", second)


def _watchdog() -> None:
    _notify("WATCHDOG=1")


def _notify(text: str) -> None:
    """Tells systemd (sd_notify(3)) when it listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(text.encode(), address)
    except OSError as error:
        LOG.warning("systemd could not be told: %s", error.strerror)
