"""A poll through a server that misbehaves: every message is accounted for, told once, and the cursor stays honest."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from servers.odd_imap import Odd, OddImap
from servers.smtp_sink import SmtpSink
from story.desk import Desk

from mailbot.config import load
from mailbot.errors import TryLaterError
from mailbot.flows import outside
from mailbot.flows.poll import Round, poll
from mailbot.gateway.imap_fetch import Fetched
from mailbot.store import cursors, messages, tickets
from mailbot.store.tickets import Ticket
from mailbot.wiring import House

NOW = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
HEAD = "Received: from mx.example.org by imap.example.com; Fri, 6 Nov 2026 10:00:00 +0200\r\n"
REQUEST = "Hei,\r\n\r\npoistakaa kaikki minua koskevat henkilötiedot rekisteristänne.\r\n\r\nTerveisin\r\n{name}\r\n"


def _request(name: str, *, head: str = "", more: str = "") -> bytes:
    lines = f"From: {name} <{name.lower()}@example.org>\r\nTo: privacy@example.com\r\n"
    lines += f"Subject: Tietojeni poistaminen\r\nMessage-ID: <{name}@example.org>\r\n"
    lines += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    return (head + lines + "\r\n" + REQUEST.format(name=name) + more).encode()


@pytest.fixture
def server() -> Iterator[OddImap]:
    """Three requests; a test spoils the second."""
    found = {uid: Odd(raw=_request(name)) for uid, name in ((1, "Ritva"), (2, "Olli"), (3, "Maija"))}
    with OddImap(messages=found) as odd:
        yield odd


@pytest.fixture
def house(server: OddImap, tmp_path: Path) -> Iterator[House]:
    """A controller whose mailbox lies there."""
    Desk.make(tmp_path, server, SmtpSink(port=9))  # type: ignore[arg-type] - only its port is used
    made = House(load(tmp_path / "mailbot.toml"), lambda: NOW)
    yield made
    made.database.close()


def _poll(house: House) -> Round:
    with house.mailbox() as mailbox:
        return poll(house.office, mailbox, house.reader, house.commands, house.folders(), clock_now=lambda: NOW)


def _tickets(house: House) -> dict[str, Ticket]:
    with house.database.read() as connection:
        found = tickets.find(connection)
        assert len({item.requester_name for item in found}) == len(found)
        return {item.requester_name: item for item in found}


def _cursor(house: House) -> int:
    with house.database.read() as connection:
        (found,) = cursors.folders(connection)
        return found.last_uid


def test_a_request_without_an_arrival_is_dated_by_its_last_stop(house: House, server: OddImap) -> None:
    """The newest Received line dates it, and people are told that the server did not say."""
    server.messages[2] = Odd(raw=_request("Olli", head=HEAD), internaldate="NIL")
    assert _poll(house).tickets == 3
    olli = _tickets(house)["Olli"]
    assert olli.received_at == datetime(2026, 11, 6, 8, 0, tzinfo=UTC)
    assert "arrival_unknown" in olli.flags
    assert "arrival_unknown" not in _tickets(house)["Ritva"].flags


@pytest.mark.parametrize(
    "head", ["", "Received: by nowhere; Mon, 1 Jan 2046 10:00:00 +0200\r\n", "Received: broken\r\n"]
)
def test_a_request_that_nothing_dates_counts_from_its_reading(house: House, server: OddImap, head: str) -> None:
    """No INTERNALDATE and no usable Received line: the moment of reading, marked; a future line is not believed."""
    server.messages[2] = Odd(raw=_request("Olli", head=head), internaldate=None)
    _poll(house)
    olli = _tickets(house)["Olli"]
    assert olli.received_at == NOW
    assert "arrival_unknown" in olli.flags


def test_a_broken_structure_loses_no_request(house: House, server: OddImap) -> None:
    """One BODYSTRUCTURE that can not be parsed: its request is read whole, and the poll goes on for good."""
    server.messages[2] = Odd(raw=_request("Olli", more="." * 70_000), structure=b'(("TEXT" "PLAIN" NIL')
    assert _poll(house).tickets == 3
    assert set(_tickets(house)) == {"Ritva", "Olli", "Maija"}
    assert _cursor(house) == 3
    assert _poll(house).read == 0


@pytest.mark.parametrize(("trouble", "name"), [({"BODY[]": "bad"}, "Olli"), ({"all": "break"}, "")])
def test_a_message_that_is_never_given_is_told_once(
    house: House, server: OddImap, trouble: dict[str, str], name: str
) -> None:
    """A person is told of it by one ticket and one notice; the others are dealt with, and no later poll repeats it."""
    server.messages[2].trouble = trouble
    done = _poll(house)
    assert (done.tickets, done.set_aside) == (3, 1)
    aside = _tickets(house)[name]
    assert aside.status == "needs_triage"
    assert "unreadable" in aside.flags
    assert _cursor(house) == 3
    for _ in range(2):
        assert _poll(house).tickets == 0
    with house.database.read() as connection:
        held = messages.of_ticket(connection, aside.id)
        notices = connection.rows("SELECT * FROM outbox WHERE kind = 'notice'")
    assert [item.uid for item in held] == [2]
    assert [row["ticket_id"] for row in notices].count(aside.id) == 1


def test_two_messages_of_which_nothing_is_known_are_two(house: House, server: OddImap) -> None:
    """Without bytes and without a date they are told apart by where they lie."""
    server.messages[2].trouble = {"all": "no"}
    server.messages[4] = Odd(raw=_request("Sven"), trouble={"all": "no"})
    done = _poll(house)
    assert (done.tickets, done.set_aside) == (4, 2)


def test_the_cursor_never_passes_what_was_not_accounted_for(house: House, server: OddImap) -> None:
    """The server asks for patience at the second message: the first is dealt with, the rest is read when it is well."""
    server.messages[2] = Odd(raw=_request("Olli", more="." * 70_000), trouble={"BODY[HEADER]": "throttle"})
    with pytest.raises(TryLaterError):
        _poll(house)
    server.messages[2].trouble = {}
    _poll(house)
    assert set(_tickets(house)) == {"Ritva", "Olli", "Maija"}
    assert _cursor(house) == 3


def test_no_message_is_judged_by_a_server_that_is_sick(house: House, server: OddImap) -> None:
    """Nothing can be had: no ticket, no cursor; well again, each request has its one ticket."""
    for odd in server.messages.values():
        odd.trouble = {"BODY[]": "no"}
    with pytest.raises(TryLaterError):
        _poll(house)
    assert _tickets(house) == {}
    for odd in server.messages.values():
        odd.trouble = {}
    assert _poll(house).tickets == 3


def test_a_sent_mail_without_an_arrival_is_read_too(house: House, server: OddImap) -> None:
    """An answer in the Sent folder raises its question whether or not the server dates it."""
    assert _poll(house).tickets == 3
    raw = b"From: privacy@example.com\r\nTo: ritva@example.org\r\nSubject: Vastaus\r\n\r\nHei, poistettu on.\r\n"
    found = Fetched(uid=5, size=len(raw), internal_date=None, raw=raw, whole=True)
    outside.sent(house.office, house.reader, "Sent", 7, found, NOW)
    assert {name: ticket.outside_suspected for name, ticket in _tickets(house).items()} == {
        "Ritva": True, "Olli": False, "Maija": False,
    }  # fmt: skip
