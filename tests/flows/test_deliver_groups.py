"""Mail to staff in groups: what each mail met is its own, and nothing is lost or doubled when a group is cut short."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailbot.core.staff import Role, StaffMember
from mailbot.flows.deliver import GROUP, deliver
from mailbot.flows.office import Office
from mailbot.gateway.deadline_rules import shipped_rules
from mailbot.gateway.profiles import load_profile
from mailbot.gateway.resources import shipped
from mailbot.gateway.smtp import Outcome, Result
from mailbot.gateway.templates import Renderer
from mailbot.gateway.working_days import WorkingDays
from mailbot.store import outbox
from mailbot.store.database import Connection, Database

NOW = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)
STAFF = "anna@example.com"


@dataclass
class Server:
    """A server that gives these answers in turn, then accepts."""

    answers: list[Result] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    dies_at: int = 0  # the sender is killed at this mail

    def send(self, sender: str, recipient: str, raw: bytes) -> Outcome:
        """Takes the mail, or not."""
        result = self.answers.pop(0) if self.answers else Result.ACCEPTED
        if result is Result.ACCEPTED:
            self.taken.append(raw)
        if len(self.taken) == self.dies_at:
            raise KeyboardInterrupt
        return Outcome(result=result, answer=f"{result} said")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    rules = shipped_rules()
    controller = load_profile("jalo-it", shipped("rules"))
    database = Database(f"sqlite:///{tmp_path / 'memory.db'}")
    database.prepare()
    yield Office(
        database=database,
        controller=controller,
        staff=(StaffMember(name="Anna Approver", address=STAFF, roles=frozenset({Role.APPROVER})),),
        sender="Jalo IT Oy <privacy@example.com>",
        own_addresses=frozenset({"privacy@example.com"}),
        texts=Renderer([shipped("templates")]),
        calendar=WorkingDays(controller.country, rules.policy.eves_as_holidays, rules=rules),
        policy=rules.policy,
        key=b"k" * 32,
    )
    database.close()


def _queue(office: Office, count: int) -> list[int]:
    def one(connection: Connection, number: int) -> int:
        row = {"audience": "staff", "kind": "notice", "sender": "privacy@example.com", "recipient": STAFF,
               "message_id": f"<{number}@example.com>", "next_at": NOW, "made_at": NOW}  # fmt: skip
        return outbox.queue(connection, row, b"%d" % number)

    with office.database.write() as connection:
        return [one(connection, number) for number in range(count)]


def _states(office: Office, numbers: list[int]) -> list[tuple[str, list[str | None]]]:
    with office.database.read() as connection:
        return [
            (outbox.by_id(connection, number).state, [a.result for a in outbox.attempts(connection, number)])
            for number in numbers
        ]


def test_each_mail_of_a_group_has_its_own_result(office: Office) -> None:
    """One is put off and one refused; the others are sent, and each attempt says what it met."""
    numbers = _queue(office, 4)
    server = Server(answers=[Result.ACCEPTED, Result.DEFERRED, Result.REFUSED])
    done = deliver(office, server, now=NOW)
    assert (done.sent, done.deferred, done.failed) == (2, 1, 1)
    assert _states(office, numbers) == [
        ("sent", ["accepted"]), ("queued", ["deferred"]), ("failed", ["refused"]), ("sent", ["accepted"])
    ]  # fmt: skip


def test_a_server_that_goes_away_within_a_group_is_asked_no_more(office: Office) -> None:
    """What was sent is recorded; what the network was not touched for has no attempt, and is due at once."""
    numbers = _queue(office, 3)
    done = deliver(office, Server(answers=[Result.ACCEPTED, Result.UNREACHABLE]), now=NOW)
    assert done.stopped
    assert _states(office, numbers) == [("sent", ["accepted"]), ("queued", ["unreachable"]), ("queued", [])]
    server = Server()
    assert deliver(office, server, now=NOW + timedelta(seconds=1)).sent == 1
    assert server.taken == [b"2"]


def test_what_interrupts_a_group_leaves_only_the_mail_on_its_way_open(office: Office) -> None:
    """Ctrl-C or an error at the third mail: what was taken is recorded, the rest untried, nothing comes twice."""
    numbers = _queue(office, GROUP + 2)
    with pytest.raises(KeyboardInterrupt):
        deliver(office, Server(dies_at=3), now=NOW)
    untouched: list[tuple[str, list[str | None]]] = [("queued", [])] * (GROUP - 1)
    sent: list[tuple[str, list[str | None]]] = [("sent", ["accepted"])] * 2
    assert _states(office, numbers) == [*sent, ("queued", [None]), *untouched]
    server = Server()
    deliver(office, server, now=NOW)
    assert server.taken == [b"%d" % number for number in range(2, GROUP + 2)]


def test_after_a_death_the_mails_of_the_group_go_one_by_one(office: Office) -> None:
    """What a power cut left is tried each by itself: a mail that keeps killing its sender takes no other along."""
    numbers = _queue(office, GROUP + 2)
    with office.database.write() as connection:  # what a power cut in the midst of the group leaves
        for number in numbers[:GROUP]:
            outbox.begin_attempt(connection, number, NOW)
    begun: list[int] = []  # attempts in all, each time that a mail is handed over

    class Watched(Server):
        def send(self, sender: str, recipient: str, raw: bytes) -> Outcome:
            begun.append(sum(len(results) for _, results in _states(office, numbers)))
            return super().send(sender, recipient, raw)

    deliver(office, Watched(), now=NOW)
    assert begun == [*range(GROUP + 1, 2 * GROUP + 1), 2 * GROUP + 2, 2 * GROUP + 2]


@pytest.mark.parametrize(("mails", "asked"), [(GROUP, 4), (GROUP + 5, GROUP + 1)])
def test_sending_ends_between_two_mails_when_it_is_told_to(office: Office, mails: int, asked: int) -> None:
    """Within a group as between two: what has not left is queued as it was, without an attempt."""
    numbers = _queue(office, mails)
    server = Server()
    deliver(office, server, now=NOW, go_on=iter([True] * (asked - 1) + [False] * 9).__next__)
    states = _states(office, numbers)
    left = len(server.taken)
    assert 0 < left < mails
    assert states == [("sent", ["accepted"])] * left + [("queued", [])] * (mails - left)
