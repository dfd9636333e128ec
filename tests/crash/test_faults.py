"""Each call to the database and to the network fails once, in turn; the next clean round completes everything.

The measure is a run in which nothing failed: after a fault and one clean round the tickets, the outbox, the audit chain
and the mailbox's cursor are what they are there, and every mail has left under one Message-ID with one content.
Quick by default (every few calls); all calls with MAILBOT_CRASH=long.
"""

import contextlib
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink
from story.desk import STAFF, Desk, mail

from crash import checks
from crash.run import OTHER, REQUEST
from mailbot.config import load
from mailbot.core import rights
from mailbot.core.staff import Actor, Door
from mailbot.errors import IllegalMoveError, MailbotError, TryLaterError
from mailbot.flows import decide
from mailbot.flows.deliver import deliver
from mailbot.flows.office import Office
from mailbot.flows.poll import poll
from mailbot.flows.remind import remind
from mailbot.gateway.smtp import Outcome, Result
from mailbot.store import audit, cursors, outbox, tickets
from mailbot.store.database import Connection, Database
from mailbot.wiring import House

LONG = os.environ.get("MAILBOT_CRASH") == "long"
POINTS = 10**6 if LONG else 6  # at most so many of the calls of a round
LATER = timedelta(hours=10)  # when every pause is over


@dataclass(kw_only=True)
class Fault:
    """Counts calls and makes one of them fail; 0 only counts."""

    at: int = 0
    count: int = 0

    def meets(self) -> bool:
        """True for the call that fails."""
        self.count += 1
        return self.count == self.at


@dataclass(kw_only=True)
class Case:
    """A controller in the middle of its work: a request, an approval by mail and a bill wait."""

    house: House
    smtp: SmtpSink
    base: Path  # the database before the round
    folder: Path
    now: datetime
    number: int = 0
    opened: list[Database] = field(default_factory=list)

    def office(self) -> Office:
        """The same controller on a fresh copy of the database."""
        self.number += 1
        path = self.folder / f"copy-{self.number}.db"
        shutil.copy(self.base, path)
        self.opened.append(Database(f"sqlite:///{path}"))
        return replace(self.house.office, database=self.opened[-1])

    def close(self) -> None:
        """Lets go of the copies."""
        while self.opened:
            database = self.opened.pop()
            database.close()
            for path in self.folder.glob(Path(database.url).name + "*"):
                path.unlink()


class FailingConnection:
    """A real connection of the driver with something in front of every statement."""

    def __init__(self, raw: Any, before: Callable[[str, Any], None]) -> None:
        self.raw = raw
        self._before = before

    def execute(self, statement: str, *values: Any) -> Any:
        """The real statement, unless what stands before it raises."""
        self._before(statement, self.raw)
        return self.raw.execute(statement, *values)

    def cursor(self) -> "FailingConnection":
        """Statements of a cursor are met as well."""
        return FailingConnection(self.raw, self._before)

    def executemany(self, statement: str, rows: Any) -> Any:
        """One statement for many rows."""
        self._before(statement, self.raw)
        return self.raw.executemany(statement, rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


def _meet(office: Office, before: Callable[[str, Any], None]) -> None:
    driver: Any = office.database.driver
    opened = driver.open
    driver.open = lambda: FailingConnection(opened(), before)


def failing_statements(office: Office, fault: Fault) -> None:
    """The statement fails as on a broken disk, and is not carried out."""

    def _fail(statement: str, _raw: Any) -> None:
        if statement not in ("COMMIT", "ROLLBACK") and fault.meets():
            raise sqlite3.OperationalError("disk I/O error")

    _meet(office, _fail)


def failing_commits(office: Office, fault: Fault) -> None:
    """The commit fails, and nothing of the transaction stays."""

    def _fail(statement: str, _raw: Any) -> None:
        if statement == "COMMIT" and fault.meets():
            raise sqlite3.OperationalError("database or disk is full")

    _meet(office, _fail)


def lost_commits(office: Office, fault: Fault) -> None:
    """The commit happens, but the word of it is lost: the flow thinks that it failed."""

    def _fail(statement: str, raw: Any) -> None:
        if statement == "COMMIT" and fault.meets():
            raw.execute("COMMIT")
            raise sqlite3.OperationalError("database is locked")

    _meet(office, _fail)


class FailingMailbox:
    """A real mailbox whose n-th answer does not come."""

    def __init__(self, real: Any, fault: Fault) -> None:
        self._real = real
        self._fault = fault

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found = getattr(self._real, name)

        def call(*given: Any, **named: Any) -> Any:
            if self._fault.meets():
                raise TryLaterError("IMAP broke the connection")
            return self._each(found(*given, **named)) if name == "read" else found(*given, **named)

        return call

    def _each(self, items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            if self._fault.meets():
                raise TryLaterError("IMAP broke the connection")
            yield item


class FailingTransport:
    """A real connection to the mail server whose n-th sending fails in one of the ways that sending can."""

    def __init__(self, real: Any, fault: Fault, how: Result, *, really: bool) -> None:
        self._real = real
        self._fault = fault
        self._how = how
        self._really = really  # the server took the mail, and only its word was lost

    def send(self, sender: str, recipient: str, raw: bytes) -> Any:
        """The real sending, or a failure."""
        fails = self._fault.meets()
        answer = self._real.send(sender, recipient, raw) if self._really or not fails else None
        return Outcome(result=self._how, answer="451 4.3.0 not now") if fails else answer


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """The base: made once by the flows themselves."""
    if missing := Dovecot.missing():
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("faults")
    with Dovecot() as imap, SmtpSink() as smtp:
        desk = Desk.make(folder, imap, smtp)
        house = House(load(folder / "mailbot.toml"), lambda: datetime.now(UTC))
        now = datetime.now(UTC)
        made = Case(house=house, smtp=smtp, base=folder / "base.db", folder=folder, now=now)
        desk.arrive(mail("Ritva <ritva@example.org>", "Tietojeni poistaminen", REQUEST.format(name="Ritva")))
        _poll(made, house.office)
        _deliver(made, house.office)
        (notice,) = checks.bodies(smtp, STAFF)
        name = str(notice["Message-ID"])
        desk.arrive(mail(f"Anna <{STAFF}>", "Re: JALO", "Hyväksyn.\n", in_reply_to=name, message_id="<ok@example.com>"))
        desk.arrive(mail("Tuomas <tuomas@supplier.example>", "Lasku", OTHER.format(number=1)))
        desk.arrive(mail("Olli <olli@example.org>", "Tietojeni poistaminen", REQUEST.format(name="Olli")))
        _keep(house.office.database, made.base)
        yield made
        house.office.database.close()


@pytest.fixture(scope="module")
def approved(case: Case) -> Case:
    """The same one round of reading later: a reply and notices wait to be sent."""
    office = case.office()
    _poll(case, office)
    path = case.folder / "approved.db"
    _keep(office.database, path)
    return replace(case, base=path, opened=[])


def _keep(database: Database, path: Path) -> None:
    with sqlite3.connect(database.url.removeprefix("sqlite:///")) as source, sqlite3.connect(path) as copy:
        source.backup(copy)


def _poll(case: Case, office: Office, fault: Fault | None = None) -> None:
    house = case.house
    with house.mailbox() as mailbox:
        source: Any = FailingMailbox(mailbox, fault) if fault else mailbox
        poll(office, source, house.reader, house.commands, house.folders(), clock_now=lambda: case.now)


def _deliver(case: Case, office: Office, *, later: timedelta = timedelta(0)) -> None:
    with case.house.transport() as transport:
        deliver(office, transport, now=case.now + later)


def _account(office: Office) -> dict[str, Any]:
    """What a round has led to, without numbers and moments that differ from run to run."""
    with office.database.read() as connection:
        assert checks.chain_whole(connection)
        rows = {name: connection.rows(f"SELECT * FROM {name}")
                for name in ("outbox", "seen", "message", "reminder", "token", "approval", "draft")}  # fmt: skip
        return {
            "tickets": [(t.reference, t.status, t.requester_address, t.outcome) for t in tickets.find(connection)],
            "outbox": Counter((r["audience"], r["kind"], r["recipient"], r["state"]) for r in rows["outbox"]),
            "seen": Counter((r["uid"], r["verdict"]) for r in rows["seen"]),
            "messages": Counter((r["ticket_id"], r["direction"], r["kind"]) for r in rows["message"]),
            "reminders": sorted((r["ticket_id"], r["key"]) for r in rows["reminder"]),
            "tokens": Counter((r["ticket_id"], r["used_at"] is not None) for r in rows["token"]),
            "approvals": Counter(r["draft_id"] for r in rows["approval"]),
            "drafts": Counter((r["ticket_id"], r["kind"], r["version"], r["state"]) for r in rows["draft"]),
            "cursors": [(c.folder, c.last_uid) for c in cursors.folders(connection)],
            "events": Counter(
                (told.entry.reference, told.entry.event, told.entry.actor)
                for told in audit.chain(connection)
                if told.entry.event != "delivery_attempted"
            ),
        }


def _points(total: int) -> Sequence[int]:
    """Which of the calls fail: all, or some spread evenly over them, the first and the last among them."""
    assert total > 0, "nothing was counted: the test would prove nothing"
    if total <= POINTS:
        return range(1, total + 1)
    return sorted({1 + round(step * (total - 1) / (POINTS - 1)) for step in range(POINTS)})


def _each_fault(case: Case, round_: Callable[[Office, Fault], None], clean: Callable[[Office], None]) -> int:
    """Runs the round without a fault, then once for each point with one, then clean; all must end alike."""
    fault = Fault()
    office = case.office()
    round_(office, fault)
    clean(office)
    wanted, total = _account(office), fault.count
    for number in _points(total):
        office = case.office()
        with contextlib.suppress(MailbotError):  # any other error is a failure of the test
            round_(office, Fault(at=number))
        office.database.close()
        fresh = replace(office, database=Database(office.database.url))
        case.opened.append(fresh.database)
        clean(fresh)
        assert _account(fresh) == wanted, f"call {number} of {total}"
    case.close()
    print(f"{len(_points(total))} of {total} calls failed in turn")
    return total


INJECTORS = [failing_statements, failing_commits, lost_commits]


@pytest.mark.server
@pytest.mark.parametrize("inject", INJECTORS)
def test_poll_completes_after_any_database_call_failed(case: Case, inject: Callable[[Office, Fault], None]) -> None:
    """One ticket for the request, one approval by the staff mail, the other mail seen once."""

    def round_(office: Office, fault: Fault) -> None:
        inject(office, fault)
        _poll(case, office)

    assert _each_fault(case, round_, lambda office: _poll(case, office)) >= 4


@pytest.mark.server
def test_poll_completes_after_any_answer_of_the_mailbox_failed(case: Case) -> None:
    """The connection breaks at each question and between each two messages."""

    def round_(office: Office, fault: Fault) -> None:
        _poll(case, office, fault)

    assert _each_fault(case, round_, lambda office: _poll(case, office)) >= 5


@pytest.mark.server
@pytest.mark.parametrize("inject", INJECTORS)
def test_deliver_completes_after_any_database_call_failed(
    approved: Case, inject: Callable[[Office, Fault], None]
) -> None:
    """The reply and the notices leave, each under one Message-ID with one content, however often."""

    def round_(office: Office, fault: Fault) -> None:
        inject(office, fault)
        _deliver(approved, office)

    def clean(office: Office) -> None:
        _deliver(approved, office, later=LATER)
        _left_soundly(office, approved.smtp)

    assert _each_fault(approved, round_, clean) >= 4


@pytest.mark.server
@pytest.mark.parametrize(
    ("how", "really"),
    [
        (Result.DROPPED, True),
        (Result.DROPPED, False),
        (Result.UNREACHABLE, False),
        (Result.DEFERRED, False),
        (Result.NOT_PERMITTED, False),
    ],
)
def test_deliver_completes_after_any_sending_failed(approved: Case, how: Result, really: bool) -> None:
    """Whatever the server did with one mail, taken without a word or not taken, a later round ends well."""

    def round_(office: Office, fault: Fault) -> None:
        with approved.house.transport() as transport:
            deliver(office, FailingTransport(transport, fault, how, really=really), now=approved.now)

    def clean(office: Office) -> None:
        _deliver(approved, office, later=LATER)
        _left_soundly(office, approved.smtp)

    assert _each_fault(approved, round_, clean) >= 3


def _left_soundly(office: Office, sink: SmtpSink) -> None:
    """Nothing waits, and what this database sent to the requester arrived as one content under one Message-ID."""
    with office.database.read() as connection:
        assert outbox.waiting(connection) == 0
        sent = [mail for t in tickets.find(connection) for mail in outbox.of_ticket(connection, t.id)]
    (reply,) = [mail for mail in sent if mail.audience == "data_subject"]
    name = reply.message_id.encode()
    arrived = {item.content for item in sink.accepted if b"Message-ID: " + name in item.content}
    assert len(arrived) == 1


@pytest.mark.server
@pytest.mark.parametrize("inject", INJECTORS)
def test_remind_completes_after_any_database_call_failed(
    approved: Case, inject: Callable[[Office, Fault], None]
) -> None:
    """What is due is said once: by the round that failed late, or by the next."""
    moment = approved.now + timedelta(days=28)

    def round_(office: Office, fault: Fault) -> None:
        inject(office, fault)
        remind(office, now=moment)

    def clean(office: Office) -> None:
        remind(office, now=moment)
        with office.database.read() as connection:
            assert checks.no_reminder_doubled(connection) > 0

    _each_fault(approved, round_, clean)


def test_records_that_are_lost_again_and_again_do_not_flood_a_person(approved: Case) -> None:
    """A disk that takes the attempt and never its result: after a few repeats the next one waits, longer each time."""
    office = approved.office()

    def _fail(statement: str, _raw: Any) -> None:
        if statement.startswith("UPDATE attempt"):
            raise sqlite3.OperationalError("database or disk is full")

    _meet(office, _fail)

    before = len(approved.smtp.accepted)
    for second in range(0, 3600, 60):  # an hour of rounds
        with contextlib.suppress(MailbotError), approved.house.transport() as transport:
            deliver(office, transport, now=approved.now + timedelta(seconds=second))
    to_person = [item for item in approved.smtp.accepted[before:] if item.recipients[0] == "ritva@example.org"]
    assert 3 <= len(to_person) <= 8
    assert len({item.content for item in to_person}) == 1
    approved.close()


@pytest.mark.server
@pytest.mark.parametrize(
    ("meanwhile", "status"),
    [
        (["undo"], "answered"),  # too late: its sending has begun
        (["answered"], "answered"),
        (["answered", "close"], "closed"),
        (["withdraw"], "withdrawn"),
        (["withdraw", "reopen"], "drafted"),
    ],
)
def test_what_staff_decide_while_a_reply_is_on_its_way_stands(
    approved: Case, meanwhile: Sequence[str], status: str
) -> None:
    """The reply left and that is recorded, once; the decision made in that second is not overwritten."""
    office, now = approved.office(), approved.now
    actor = Actor(staff=office.active_staff()[0], door=Door.CLI)

    class Meanwhile:
        """Staff decide after the server took the mail and before its answer is recorded."""

        def send(self, sender: str, recipient: str, raw: bytes) -> Outcome:
            """Takes everything."""
            if recipient == "ritva@example.org":
                for name in meanwhile:
                    with contextlib.suppress(IllegalMoveError), office.database.write() as connection:
                        _decide(connection, office, name, actor, now)
            return Outcome(result=Result.ACCEPTED, answer="250 taken")

    deliver(office, Meanwhile(), now=now)
    deliver(office, Meanwhile(), now=now + LATER)
    with office.database.read() as connection:
        ticket = next(t for t in tickets.find(connection) if t.requester_address == "ritva@example.org")
        (reply,) = [m for m in outbox.of_ticket(connection, ticket.id) if m.audience == "data_subject"]
        assert ticket.status == status
        assert reply.state == "sent"
        assert [attempt.result for attempt in outbox.attempts(connection, reply.id)] == ["accepted"]
        if status == "withdrawn":
            assert {item.outcome for item in ticket.requests} == {rights.Outcome.WITHDRAWN}
            assert ticket.answered_at is None
        events = Counter(told.entry.event for told in audit.chain(connection, ticket.reference))
        assert events["reply_sent"] == 1
    approved.close()


def _decide(connection: Connection, office: Office, name: str, actor: Actor, now: datetime) -> None:
    reference = "JALO-2026-0001"
    match name:
        case "undo":
            decide.undo_approval(connection, reference, actor, now=now)
        case "answered":
            decide.answered(connection, office, reference, actor, now=now, on=None, how="letter")
        case "close":
            decide.close(connection, reference, actor, now=now)
        case "withdraw":
            decide.withdraw(connection, reference, actor, now=now)
        case "reopen":
            decide.reopen(connection, office, reference, actor, now=now)
