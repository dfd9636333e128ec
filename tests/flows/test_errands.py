"""Keyword, copy and move after intake, only when asked for: none is lost by a kill, none repeated without end."""

from collections.abc import Callable
from typing import Any

import pytest
from bureau import MAIJA, Bureau, written
from servers.odd_imap import Odd, OddImap

from mailbot.config import load
from mailbot.errors import TryLaterError
from mailbot.flows.canary import canary
from mailbot.flows.poll import poll

ERASE = "Hei,\n\npyydän, että poistatte kaikki minua koskevat henkilötiedot rekistereistänne.\n\nT. Maija Mallinen\n"
ALL = 'keyword = "Tietopyynto"\ncopy_to = "Arkisto"\nmove_to = "Pyynnot"'


@pytest.fixture
def bureau(bureau_of: Callable[..., Bureau]) -> Bureau:
    """One that marks, copies and moves; the folder moved to is read as well."""
    made = bureau_of(imap_more=f'{ALL}\nfolders = ["INBOX", "Pyynnot"]')
    for folder in ("Arkisto", "Pyynnot"):
        made.imap.create(folder, user=made.contact)
    return made


def _arrive(bureau: Bureau) -> None:
    bureau.arrive(written(MAIJA, "Tietopyyntö", ERASE, to=bureau.contact, message_id="<ask-1@customer.example>"))
    bureau.arrive(written("Tuomas <t@supplier.example>", "Lasku", "Hei,\n\nlasku liitteenä.\n", to=bureau.contact))


def _count(bureau: Bureau, folder: str) -> int:
    return len(bureau.imap.messages(folder, user=bureau.contact))


class Broken:
    """The real mailbox; the connection breaks at one of the errands, before or after the server did it."""

    def __init__(self, real: Any, kind: str, *, after: bool) -> None:
        self._real, self._kind, self._after = real, kind, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name != self._kind:
            return found

        def fails(*given: Any) -> None:
            if self._after:
                found(*given)
            raise TryLaterError("the connection broke")

        return fails


def _poll_that_breaks(bureau: Bureau, kind: str, *, after: bool) -> None:
    house = bureau.house
    with house.mailbox() as mailbox, pytest.raises(TryLaterError):
        poll(
            house.office, Broken(mailbox, kind, after=after), house.reader, house.commands, house.folders(),
            clock_now=lambda: bureau.now,
        )  # fmt: skip


def test_what_is_asked_for_happens_to_tickets_alone(bureau: Bureau) -> None:
    """The request is marked, copied and moved once; the bill stays untouched, and later polls do nothing more."""
    _arrive(bureau)
    for _ in range(3):
        bureau.poll()
    assert (_count(bureau, "INBOX"), _count(bureau, "Arkisto"), _count(bureau, "Pyynnot")) == (1, 1, 1)
    (flags,) = bureau.imap.flags("Pyynnot", user=bureau.contact).values()
    assert flags == ("Tietopyynto",)
    (untouched,) = bureau.imap.flags("INBOX", user=bureau.contact).values()
    assert untouched == ()
    assert len(bureau.tickets()) == 1


@pytest.mark.parametrize("kind", ["mark", "copy", "move"])
@pytest.mark.parametrize("after", [False, True])
def test_a_break_between_ticket_and_errand_loses_neither(bureau: Bureau, kind: str, after: bool) -> None:
    """The ticket stands, and the next poll does what was left; only a copy may be made twice."""
    _arrive(bureau)
    _poll_that_breaks(bureau, kind, after=after)
    assert len(bureau.tickets()) == 1
    for _ in range(2):
        bureau.poll()
    twice = kind == "copy" and after
    assert (_count(bureau, "INBOX"), _count(bureau, "Arkisto"), _count(bureau, "Pyynnot")) == (1, 1 + twice, 1)
    assert ("Tietopyynto",) in bureau.imap.flags("Pyynnot", user=bureau.contact).values()
    assert len(bureau.tickets()) == 1


def test_a_folder_that_is_not_there_is_a_problem_and_no_endless_copy(bureau_of: Callable[..., Bureau]) -> None:
    """The move fails each time and is named; the copy before it is made once; people hear of it after an hour."""
    bureau = bureau_of(imap_more='copy_to = "Arkisto"\nmove_to = "Puuttuu"')
    bureau.imap.create("Arkisto", user=bureau.contact)
    _arrive(bureau)
    for _ in range(3):
        assert any("imap.move_to" in line for line in bureau.poll().problems)
    assert _count(bureau, "Arkisto") == 1
    plan = bureau.house.canary_plan()
    assert canary(bureau.house.office, plan, now=bureau.now).told == []
    (told,) = canary(bureau.house.office, plan, now=bureau.now + 2 * plan.limits["polled"]).told[-1:]
    assert told.name in ("undone", "polled")
    bureau.imap.create("Puuttuu", user=bureau.contact)
    assert bureau.poll().problems == []
    assert _count(bureau, "Puuttuu") == 1


@pytest.mark.parametrize(
    ("permanent", "words"), [("\\Seen \\Answered", "keeps no keywords"), ("", "lets nothing be changed")]
)
def test_a_server_without_keywords_is_named_and_the_request_is_read(
    bureau_of: Callable[..., Bureau], permanent: str, words: str
) -> None:
    """Exchange keeps no keywords, another may not be written to: the problem says so, and the request is read."""
    raw = written(MAIJA, "Tietopyyntö", ERASE, to="privacy@example.com").replace(b"\n", b"\r\n").replace(b"\r\r", b"\r")
    with OddImap(messages={1: Odd(raw=raw)}, permanent=permanent) as server:
        bureau = bureau_of(imap_more='keyword = "Tietopyynto"')
        path = bureau.folder / "mailbot.toml"
        path.write_text(path.read_text("utf-8").replace(f"port = {bureau.imap.port}", f"port = {server.port}"), "utf-8")
        bureau.house.config = load(path)
        done = bureau.poll()
    assert done.tickets == 1
    assert words in done.problems[0]
