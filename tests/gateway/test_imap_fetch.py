"""A mailbox whose server leaves things out, refuses, breaks off or talks nonsense: nothing it holds is passed over."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from servers.odd_imap import Odd, OddImap

from mailbot.errors import NotPermittedError, TryLaterError
from mailbot.gateway.credentials import Secret
from mailbot.gateway.imap import Account, ImapMailbox
from mailbot.gateway.imap_errors import LONGEST_PATIENCE_S, patience_s
from mailbot.gateway.imap_fetch import MENDS, WHOLE_BYTES, Fetched


def _raw(subject: str, body: str = "Hei.\r\n") -> bytes:
    return f"From: Maija <maija@example.org>\r\nSubject: {subject}\r\n\r\n{body}".encode()


LARGE = "Poistakaa tietoni.\r\n" + "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * (WHOLE_BYTES // 70)


@pytest.fixture
def server() -> Iterator[OddImap]:
    """Three good messages; a test spoils them or adds others."""
    with OddImap(messages={uid: Odd(raw=_raw(f"number {uid}")) for uid in (1, 3, 5)}) as odd:
        yield odd


def _mailbox(server: OddImap, timeout_s: float = 5.0) -> ImapMailbox:
    account = Account(
        host=server.host, port=server.port, security="none", username="privacy@example.com", timeout_s=timeout_s,
        secret=lambda: Secret("secret"), message_bytes=1024 * 1024,
    )  # fmt: skip
    return ImapMailbox(account)


def _read(server: OddImap, timeout_s: float = 5.0) -> list[Fetched]:
    with _mailbox(server, timeout_s) as mailbox:
        mailbox.examine("INBOX")
        return list(mailbox.read(mailbox.uids()))


@pytest.mark.parametrize("said", [None, "NIL", "yesterday at noon"])
def test_a_message_without_an_arrival_is_read(server: OddImap, said: str | None) -> None:
    """INTERNALDATE left out, NIL or nonsense: the message comes whole, in its turn, with no arrival."""
    server.messages[3].internaldate = said
    found = _read(server)
    assert [item.uid for item in found] == [1, 3, 5]
    assert [item.internal_date is None for item in found] == [False, True, False]
    assert found[1].raw == server.messages[3].raw
    assert found[1].whole
    assert found[0].internal_date == datetime(2026, 11, 3, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("large", [False, True])
def test_a_message_without_a_size_is_read(server: OddImap, large: bool) -> None:
    """RFC822.SIZE left out: the message is fetched by itself, whole."""
    server.messages[3] = Odd(raw=_raw("sizeless", LARGE if large else "Hei.\r\n"), size=False)
    found = _read(server)
    assert [item.uid for item in found] == [1, 3, 5]
    assert (found[1].raw, found[1].size, found[1].whole) == (server.messages[3].raw, len(found[1].raw), True)


@pytest.mark.parametrize(
    "structure",
    [
        b"",
        b"NIL",
        b"()",
        b'("TEXT")',
        b'(("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 1)("TEXT" "HTML" NIL',
        b'(("TEXT" "PLAIN" NIL) "MIXED" ((((("x"',
        b"17",
        b'"nonsense"',
        b'(() "MIXED")',
    ],
)
def test_a_structure_that_makes_no_sense_costs_one_whole_fetch(server: OddImap, structure: bytes) -> None:
    """BODYSTRUCTURE left out, NIL or broken: the large message is read from its bytes, and its neighbours as ever."""
    server.messages[3] = Odd(raw=_raw("odd", LARGE), structure=structure)
    server.messages[4] = Odd(raw=_raw("large and good", LARGE))
    found = _read(server)
    assert [item.uid for item in found] == [1, 3, 4, 5]
    assert found[1].raw == server.messages[3].raw
    assert found[1].whole
    assert not found[2].whole
    assert b"Poistakaa tietoni." in found[2].raw


def test_a_text_that_does_not_come_is_not_taken_for_empty(server: OddImap) -> None:
    """The server leaves the text part out of its answer: the message is fetched whole instead."""
    server.messages[3] = Odd(raw=_raw("odd", LARGE), missing=("BODY[1]",))
    found = _read(server)
    assert b"Poistakaa tietoni." in found[1].raw
    assert found[1].whole


@pytest.mark.parametrize("how", ["no", "bad", "break"])
def test_a_message_that_is_refused_is_named_and_the_others_come(server: OddImap, how: str) -> None:
    """NO, BAD or a dropped connection for one message: it comes as unreadable, with headers where they are given."""
    server.messages[3].trouble = {"BODY[]": how}
    found = _read(server)
    assert [(item.uid, item.readable) for item in found] == [(1, True), (3, False), (5, True)]
    assert b"Subject: number 3" in found[1].raw
    assert server.connections <= 4


@pytest.mark.parametrize("how", ["no", "break"])
def test_a_message_of_which_nothing_is_given_is_still_named(server: OddImap, how: str) -> None:
    """Every question about one message fails: it comes as unreadable, without bytes and without arrival."""
    server.messages[3].trouble = {"all": how}
    found = _read(server)
    assert [(item.uid, item.readable) for item in found] == [(1, True), (3, False), (5, True)]
    assert (found[1].raw, found[1].internal_date) == (b"", None)


@pytest.mark.parametrize("how", ["silence", "half"])
def test_a_message_that_silences_the_server_is_named(server: OddImap, how: str) -> None:
    """No answer within the time, or half of one: a new connection reads the rest."""
    server.messages[3].trouble = {"BODY[]": how}
    found = _read(server, timeout_s=0.3)
    assert [(item.uid, item.readable) for item in found] == [(1, True), (3, False), (5, True)]


def test_what_was_expunged_is_passed_over_and_what_is_held_is_not(server: OddImap) -> None:
    """A UID missing from an answer is gone only if a search no longer finds it."""
    server.messages[3].missing = ("all",)
    with _mailbox(server) as mailbox:
        mailbox.examine("INBOX")
        uids = mailbox.uids()
        del server.messages[5]
        found = list(mailbox.read(uids))
    assert [(item.uid, item.readable) for item in found] == [(1, True), (3, False)]


def test_a_sick_server_blames_no_message(server: OddImap) -> None:
    """No message at all is given: the round ends and is tried again, and none is called unreadable."""
    for odd in server.messages.values():
        odd.trouble = {"BODY[]": "no"}
    with pytest.raises(TryLaterError, match="gives no message"):
        _read(server)


def test_a_server_that_breaks_every_connection_is_left_alone(server: OddImap) -> None:
    """Dropped at every question: after a few new connections the round ends."""
    for uid in range(10, 40):
        server.messages[uid] = Odd(raw=_raw("bad"), trouble={"all": "break"})
    with pytest.raises(TryLaterError):
        _read(server)
    assert server.connections <= MENDS + 1


def test_a_server_that_asks_for_patience_gets_it(server: OddImap) -> None:
    """Exchange's "Suggested Backoff Time" ends the round, says how long, and is nobody's fault."""
    server.messages[3].trouble = {"BODY[]": "throttle"}
    with pytest.raises(TryLaterError, match="patience") as caught:
        _read(server)
    assert caught.value.after_s == 90
    assert server.connections == 1


def test_patience_has_bounds() -> None:
    """A minute at least, an hour at most, whatever the server says; seconds and milliseconds are told apart."""
    assert patience_s("NO [UNAVAILABLE] busy") == 60
    assert patience_s("Suggested Backoff Time: 299962 milliseconds") == pytest.approx(299.962)
    assert patience_s("Suggested Backoff Time: 120 seconds") == 120
    assert patience_s("Suggested Backoff Time: 999999999") == LONGEST_PATIENCE_S


@pytest.mark.parametrize(
    ("login", "error", "words"),
    [
        ("no", NotPermittedError, "refused the login"),
        ("throttle", TryLaterError, "patience"),
        ("break", TryLaterError, "broke the connection"),
    ],
)
def test_a_login_that_fails_for_a_while_is_no_refusal(
    server: OddImap, login: str, error: type[Exception], words: str
) -> None:
    """A wrong password ends everything; a server that is busy or restarts in that moment is tried again."""
    server.login = login
    with pytest.raises(error, match=words):
        _read(server)


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what is not IMAP"),
        (b"220 smtp.example ESMTP\r\n", "what is not IMAP"),
        (b"\x00\xff\xfe\r\n", "what is not IMAP"),
        (b"* BYE go away\r\n", r"not understood \(\* BYE go away\)"),
        (b"* BYE [UNAVAILABLE] too many\r\n", r"patience \(\* BYE \[UNAVAILABLE\] too many\)"),
        (b"", "did not answer in time"),
    ],
)
def test_a_server_that_talks_nonsense_is_one_clear_line(greeting: bytes, words: str) -> None:
    """Another kind of server, bytes, a farewell, or silence: said in one line, to be tried again."""
    with OddImap(greeting=greeting) as odd, pytest.raises(TryLaterError, match=words) as caught:
        _read(odd, timeout_s=0.5)
    assert len(str(caught.value).splitlines()) == 1
