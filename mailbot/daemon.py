"""The loop: what is due now, signals, watchdog. Each duty is one round of a flow; a failed round is tried again later.

The loop decides nothing about mail. It polls at least every `interval_s`, earlier when IDLE hints at news; sends what
is due; reminds on working mornings; purges once a day; watches itself. Between duties it waits in IDLE where the server
can. Trouble backs off with jitter, or for as long as the server asks, is logged in one line without people in it, and
is told when it lasts and when it is over. That another mailbot does the work is no trouble. A refused login or a wrong
configuration ends the loop at once: no waiting cures them, and trying again would lock the account.
"""

import logging
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailbot.errors import BadInputError, ConfigurationError, HeldError, MailbotError, NotPermittedError, TryLaterError
from mailbot.flows.canary import canary
from mailbot.flows.deliver import deliver
from mailbot.flows.duties import POLLED
from mailbot.flows.lives import note as note_ends
from mailbot.flows.own_mail import alarm
from mailbot.flows.poll import poll
from mailbot.flows.purge import purge
from mailbot.flows.remind import remind, tell_held_back
from mailbot.gateway import systemd
from mailbot.gateway.imap import ImapMailbox
from mailbot.gateway.imap_errors import BadAnswerError
from mailbot.store import cursors
from mailbot.wiring import House

LOG = logging.getLogger("mailbot")
IDLE_CYCLE_S = 240.0  # RFC 2177 asks for less than 29 minutes; NATs and providers forget sooner
DELIVER_EVERY_S = 5.0
REMIND_EVERY_S = 900.0
CANARY_EVERY_S = 600.0
PURGE_EVERY_S = 86_400.0
LONGEST_PAUSE_S = 30.0  # well within the watchdog's time
BACK_OFF_S = (5.0, 15.0, 60.0, 180.0, 600.0, 900.0)
STAND_BY_S = 30.0  # between two looks whether the other mailbot still does it
ALARM_AFTER = timedelta(hours=1)  # trouble that lasts so long is told


class _StopAskedError(Exception):
    """SIGTERM or SIGINT came while a long round ran; between two messages it can end."""


@dataclass(kw_only=True)
class _Duty:
    """One thing that is done again and again, with its own back-off."""

    name: str
    work: Callable[[], float]  # does a round; seconds until the next
    failures: int = 0
    next_at: float = 0.0  # monotonic seconds
    failing_since: datetime | None = None
    told: bool = False  # people have heard that it fails
    standing_by: bool = False  # another mailbot does it


@dataclass(kw_only=True)
class _Daemon:
    house: House
    now: Callable[[], datetime]
    started_at: datetime
    wake: socket.socket  # readable as soon as a signal has come
    stop: threading.Event = field(default_factory=threading.Event)
    mailbox: ImapMailbox | None = None
    idling: bool = False
    warm: bool = False  # all that the first message needs is loaded
    duties: list[_Duty] = field(default_factory=list)

    def poll(self) -> float:
        """A round of reading; what it leads to is sent at once."""
        house = self.house
        try:
            mailbox = self._connected()
            done = poll(
                house.office,
                mailbox,
                house.reader,
                house.commands,
                house.folders(),
                clock_now=self.now,
                progress=lambda _done, _all: self.breathe(),
            )
        except (MailbotError, _StopAskedError):
            self.drop()
            raise
        tell_held_back(house.office, now=self.now())
        for problem in done.problems:
            LOG.warning("%s", problem)
        if done.tickets or done.commands or done.follow_ups:
            LOG.info("poll: %d tickets, %d staff replies, %d more", done.tickets, done.commands, done.follow_ups)
            self.hurry("deliver")
        pause = self._wait_for_news(mailbox)
        if not self.warm:  # while the server watches: no mail waits for rules to be loaded
            self.warm = True
            house.warm()
        return pause

    def _connected(self) -> ImapMailbox:
        if self.mailbox is None:
            with self.house.database.exclusively("poll"):  # one that stands by does not log in
                pass
            self.mailbox = self.house.mailbox()
            self.mailbox.connect()
            note_ends(self.house.office, self.house.lives(self.mailbox), now=self.now())
        elif self.idling:
            self.idling = False
            self.mailbox.idle_end()
        return self.mailbox

    def _wait_for_news(self, mailbox: ImapMailbox) -> float:
        """Begins to wait in IDLE where the server can; seconds until the next round in any case."""
        imap = self.house.config.imap
        if not imap.idle or "IDLE" not in mailbox.capabilities():
            return float(imap.interval_s)
        folder = (self.house.folders().names or ("INBOX",))[0]
        try:
            mailbox.examine(folder)
            if self._came_meanwhile(mailbox, folder):
                return 0.0
            mailbox.idle_begin()
        except (BadInputError, BadAnswerError) as error:  # the folder is gone, or IDLE is refused: looking goes on
            LOG.info("poll: no IDLE: %s", error)
            self.drop()
            return float(imap.interval_s)
        except MailbotError:
            self.drop()
            raise
        self.idling = True
        return min(float(imap.interval_s), IDLE_CYCLE_S)

    def _came_meanwhile(self, mailbox: ImapMailbox, folder: str) -> bool:
        """True for mail that arrived after the round had searched: IDLE would not speak of it any more."""
        with self.house.database.read() as connection:
            cursor = cursors.get(connection, folder)
        return cursor is not None and bool(mailbox.uids(after=cursor.last_uid))

    def deliver(self) -> float:
        """A round of sending."""
        with self.house.transport() as transport:
            done = deliver(self.house.office, transport, now=self.now(), go_on=self.going_on)
            note_ends(self.house.office, self.house.lives(transport), now=self.now())
        if done.sent or done.failed:
            LOG.info("deliver: %d sent, %d refused", done.sent, done.failed)
        if done.not_permitted:
            raise NotPermittedError(
                f"SMTP {self.house.config.smtp.host}: {done.stopped}", "Check smtp.username and the password it names."
            )
        if done.stopped:
            LOG.warning("deliver: the mail server does not take mail now: %s", done.stopped)
        return max(DELIVER_EVERY_S, done.after_s)

    def remind(self) -> float:
        """Reminders on working mornings; the query itself never says a thing twice."""
        done = remind(self.house.office, now=self.now(), mornings_only=True)
        if done.reminded or done.escalated:
            self.hurry("deliver")
        return REMIND_EVERY_S

    def purge(self) -> float:
        """What may go, once a day."""
        purge(self.house.office, now=self.now())
        return PURGE_EVERY_S

    def canary(self) -> float:
        """The test mail, and a look at the other duties."""
        done = canary(self.house.office, self.house.canary_plan(), now=self.now(), awake_since=self.started_at)
        for told in done.told:
            LOG.warning("alarm: %s%s", told.name, " is over" if told.recovered else "")
            self.house.shout(told.text.subject, told.text.body)
        return CANARY_EVERY_S

    def hurry(self, name: str) -> None:
        """That duty is due now."""
        for duty in self.duties:
            if duty.name == name and not duty.failures:
                duty.next_at = 0.0

    def going_on(self) -> bool:
        """Asked between the steps of a long round: the watchdog is answered; False once a signal has come."""
        systemd.alive()
        return not self.stop.is_set()

    def breathe(self) -> None:
        """Ends a long round between two steps when a signal has come."""
        if not self.going_on():
            raise _StopAskedError

    def drop(self) -> None:
        """Lets go of a connection that is in doubt."""
        if self.mailbox is not None:
            self.mailbox.close()
        self.mailbox, self.idling = None, False


def serve(house: House, what: str, now: Callable[[], datetime]) -> int:
    """Runs until SIGTERM or SIGINT; the exit code.

    Raises ConfigurationError and NotPermittedError at once: no waiting cures them (RestartPreventExitStatus=77 78).
    """
    with _signals() as wake:
        daemon = _Daemon(house=house, now=now, started_at=now(), wake=wake)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: daemon.stop.set())
        daemon.duties = _duties(daemon, what)
        house.office.database.prepare()
        systemd.ready()
        try:
            while not daemon.stop.is_set():
                _round(daemon)
        except _StopAskedError:
            pass
        finally:
            systemd.stopping()
            daemon.drop()
            house.database.close()
    return 0


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """A socket that becomes readable with every signal, so that no wait outlasts one."""
    reading, writing = socket.socketpair()
    reading.setblocking(False)
    writing.setblocking(False)
    before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(before)
        reading.close()
        writing.close()


def _duties(daemon: _Daemon, what: str) -> list[_Duty]:
    found = []
    if what in ("deliver", "all"):
        found.append(_Duty(name="deliver", work=daemon.deliver))
    if what == "all":
        found += [
            _Duty(name="remind", work=daemon.remind),
            _Duty(name="purge", work=daemon.purge),
            _Duty(name="canary", work=daemon.canary),
        ]
    if what in ("poll", "all"):
        found.append(_Duty(name="poll", work=daemon.poll))
    return found


def _round(daemon: _Daemon) -> None:
    for duty in daemon.duties:
        if not daemon.stop.is_set() and time.monotonic() >= duty.next_at:
            _do(daemon, duty)
    systemd.alive()
    left = min(duty.next_at for duty in daemon.duties) - time.monotonic()
    if left > 0 and not daemon.stop.is_set():
        _pause(daemon, min(left, LONGEST_PAUSE_S))


def _pause(daemon: _Daemon, seconds: float) -> None:
    """Waits, in IDLE where that is possible: news make the poll due at once."""
    if daemon.mailbox is None or not daemon.idling:
        daemon.stop.wait(seconds)
        return
    try:
        if daemon.mailbox.news(seconds, daemon.wake):
            daemon.hurry("poll")
    except MailbotError as error:
        LOG.warning("poll: %s", error)
        daemon.drop()
        daemon.hurry("poll")


def _do(daemon: _Daemon, duty: _Duty) -> None:
    try:
        pause = duty.work()
    except (ConfigurationError, NotPermittedError):
        raise
    except HeldError as error:
        if not _done_by_the_other(daemon, duty):
            _failed(daemon, duty, error)
            return
        LOG.log(logging.DEBUG if duty.standing_by else logging.INFO, "%s: standing by: %s", duty.name, error)
        _went_well(daemon, duty, STAND_BY_S)
        duty.standing_by = True
    except MailbotError as error:
        _failed(daemon, duty, error)
    else:
        _went_well(daemon, duty, pause)


def _went_well(daemon: _Daemon, duty: _Duty, pause: float) -> None:
    duty.next_at = time.monotonic() + pause
    if duty.told:
        _tell(daemon, duty)
    duty.failures, duty.failing_since, duty.told, duty.standing_by = 0, None, False, False


def _failed(daemon: _Daemon, duty: _Duty, error: MailbotError) -> None:
    LOG.warning("%s: %s", duty.name, error)
    duty.next_at = time.monotonic() + _back_off(duty.failures, error)
    duty.failures += 1
    duty.failing_since = duty.failing_since or daemon.now()
    _tell_when_it_lasts(daemon, duty, error)


def _done_by_the_other(daemon: _Daemon, duty: _Duty) -> bool:
    """True unless whoever holds the mailbox has not read it for long: then it hangs, and people must hear of it."""
    if duty.name != "poll":
        return True
    try:
        with daemon.house.database.read() as connection:
            last = cursors.read_state(connection, POLLED)
    except MailbotError:
        return True  # the next look will tell
    since = max(last[1], daemon.started_at) if last else daemon.started_at
    return daemon.now() - since < ALARM_AFTER


def _back_off(failures: int, error: MailbotError | None = None) -> float:
    """Seconds until a failed duty is tried again, with jitter, so that many machines do not come back at once."""
    asked = error.after_s if isinstance(error, TryLaterError) else 0.0
    return max(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)] * random.uniform(0.8, 1.2), asked)


def _tell_when_it_lasts(daemon: _Daemon, duty: _Duty, error: MailbotError) -> None:
    """Where the canary watches the duties it does the telling; but nobody watches the canary."""
    watched = duty.name != "canary" and any(other.name == "canary" for other in daemon.duties)
    if watched or duty.told or duty.failing_since is None or daemon.now() - duty.failing_since < ALARM_AFTER:
        return
    duty.told = _tell(daemon, duty, error)


def _tell(daemon: _Daemon, duty: _Duty, error: MailbotError | None = None) -> bool:
    """To the alarm command and the alarm address; without an error that all is well again. False when no way worked."""
    what, given = f"{duty.name} has stopped", daemon.house.config.alarm
    subject = f"mailbot: {what if error else f'{duty.name} is working again'}"
    ways: list[Callable[[], None]] = []
    if given and given.command:
        ways.append(lambda: daemon.house.shout(subject, str(error or "You need not do anything.")))
    if given and given.email:
        ways.append(lambda: _mail_alarm(daemon, f"{what}: {error.what}" if error else what, recovered=error is None))
    failed = 0
    for way in ways:
        try:
            way()
        except MailbotError as second:
            failed += 1
            LOG.error("the alarm could not be told: %s", second)
    return failed < len(ways) or not ways


def _mail_alarm(daemon: _Daemon, what: str, *, recovered: bool) -> None:
    with daemon.house.database.write() as connection:
        alarm(connection, daemon.house.office, what, now=daemon.now(), recovered=recovered)
