"""What was purged is gone: from the tables, from the SQLite file, from its log and from everything beside it."""

import base64
import quopri
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from bureau import ANNA, ERASE, START, Bureau, body, reply_to, written

from mailbot.core.audit import faults
from mailbot.core.draft import DraftKind
from mailbot.core.ticket import Status
from mailbot.errors import IllegalMoveError
from mailbot.flows import decide, take
from mailbot.flows.plan import Wish
from mailbot.flows.purge import Round, purge
from mailbot.store import audit, outbox
from mailbot.store.drafts import File

PERSON = "Tuulikki Ainutlaatuinen <tuulikki@ainutlaatuinen.example>"
TRACES = (
    "Tuulikki", "Ainutlaatuinen", "tuulikki@", "ainutlaatuinen.example", "kesämökkimme", "salasana-liite", "SISÄLTÖ-9",
    "Rivitalokatu", "puhelinmyyjä", "muistiinpano-17",
)  # fmt: skip
WORDS = """\
Hei,

haluan jäljennöksen kaikista tiedoista, joita teillä on minusta ja kesämökkimme huollosta. Osoitteeni on
Rivitalokatu 7. Vastatkaa minulle, älkääkä antako puhelinmyyjä soittaa.

Tuulikki Ainutlaatuinen
"""


def request(bureau: Bureau) -> bytes:
    files = [("salasana-liite.txt", "text/plain", "SISÄLTÖ-9".encode())]
    return written(PERSON, "Tietopyyntö Tuulikki Ainutlaatuinen", WORDS, to=bureau.contact, files=files)


def forms(word: str) -> Iterator[bytes]:
    """How a word may lie in a file: as text, quoted-printable, base64 at each of its three shifts, in UTF-16."""
    raw = word.encode()
    yield raw
    yield raw.lower()
    yield quopri.encodestring(raw)
    yield word.encode("utf-16-le")
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw)
        middle = coded[4 if shift else 0 : len(coded) - 4]
        if len(middle) > 5:  # shorter ones stand in any file
            yield middle


def traces(folder: Path) -> list[str]:
    """Every word of the person that some file of the folder still holds."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            found += [f"{path.name}: {word}" for word in TRACES if any(form in content for form in forms(word))]
    return found


def whole(bureau: Bureau) -> bool:
    """Whether the audit chain verifies."""
    with bureau.house.office.database.read() as connection:
        return not list(faults((told.entry, told.salt, told.detail) for told in audit.chain(connection)))


def does(bureau: Bureau, flow: Callable[..., object], *more: object, **given: object) -> None:
    with bureau.house.office.database.write() as connection:
        first = () if flow in (decide.close, decide.note, decide.dismiss, decide.hold) else (bureau.house.office,)
        flow(connection, *first, bureau.ticket().reference, bureau.actor(), *more, now=bureau.now, **given)


def purged(bureau: Bureau, days: int, **options: bool) -> Round:
    """A purge so many days later."""
    bureau.now += timedelta(days=days)
    return purge(bureau.house.office, now=bureau.now, **options)


@pytest.fixture
def closed(bureau: Bureau) -> Bureau:
    """A ticket with everything in it: files both ways, a note, an edited draft, a follow-up, a bounce-like answer."""
    (notice,) = bureau.round(request(bureau))
    does(bureau, decide.note, text="muistiinpano-17: Tuulikki soitti")
    does(bureau, decide.draft, Wish(files=[File(name="tuulikki@kopio.txt", type="text/plain", content=b"Tuulikki")]))
    does(bureau, decide.approve, fingerprint_given=bureau.newest_draft().fingerprint)
    bureau.deliver()
    answer: EmailMessage = bureau.to("tuulikki@")[-1]
    thread = str(answer["Message-ID"])
    bureau.round(written(PERSON, "Kiitos", "Kiitos! T. Tuulikki\n", to=bureau.contact, in_reply_to=thread))
    does(bureau, decide.close)
    assert notice
    return bureau


def test_no_byte_of_the_person_remains(closed: Bureau) -> None:
    """Before the purge the files hold the words, so the search is real; after it none does, and the chain is whole."""
    bureau = closed
    assert len({line.partition(": ")[2] for line in traces(bureau.folder)}) >= len(TRACES) - 1
    before = bureau.events()
    done = purged(bureau, 1097)
    reference = bureau.ticket().reference
    assert done.content == [reference]
    assert traces(bureau.folder) == []
    assert whole(bureau)
    assert bureau.events() == [*before, "purged"]
    ticket = bureau.ticket()
    assert (ticket.status, ticket.requester_address, ticket.purged_at is not None) == (Status.CLOSED, "", True)
    assert [item.outcome for item in ticket.requests] != [None]  # that it was answered, and how, stays provable


def test_nothing_remains_while_the_daemon_has_the_file_open(closed: Bureau) -> None:
    """A reader's connection elsewhere does not keep old pages alive once its transaction has ended."""
    with closed.house.office.database.read() as connection:
        list(audit.chain(connection))
    purged(closed, 1097)
    assert traces(closed.folder) == []


def test_a_dry_run_names_what_would_go_and_removes_nothing(closed: Bureau) -> None:
    """The same references, and every byte still there."""
    before = traces(closed.folder)
    done = purged(closed, 1097, dry_run=True)
    assert done.content == [closed.ticket().reference]
    assert traces(closed.folder) == before
    assert "purged" not in closed.events()


def test_files_go_early_and_words_stay(closed: Bureau) -> None:
    """Ninety days after the answer attachments and raw bytes go; what was written stays as proof."""
    done = purged(closed, 91)
    assert (done.files, done.content) == ([closed.ticket().reference], [])
    left = {line.partition(": ")[2] for line in traces(closed.folder)}
    assert "SISÄLTÖ-9" not in left
    assert "Rivitalokatu" in left
    assert purged(closed, 1).files == []  # once


def test_nothing_goes_before_its_time(closed: Bureau) -> None:
    """A day earlier all is there."""
    assert purged(closed, 89) == Round()


def test_a_legal_hold_keeps_everything(closed: Bureau) -> None:
    """While it holds nothing goes, however old; once it is off the next purge takes it."""
    does(closed, decide.hold, on=True, reason="riita")
    assert purged(closed, 2000) == Round(seen=0)
    does(closed, decide.hold, on=False, reason="")
    assert purged(closed, 1).content == [closed.ticket().reference]


def test_what_was_no_request_goes_after_seven_days(bureau: Bureau) -> None:
    """Until then it can be reopened; after that its content is gone and the decision stays."""
    bureau.round(request(bureau))
    does(bureau, decide.dismiss, reason="Tuulikki kysyi muuta")
    assert purged(bureau, 7) == Round()
    assert traces(bureau.folder)
    assert purged(bureau, 1).content == [bureau.ticket().reference]
    assert traces(bureau.folder) == []
    assert "dismissed" in bureau.events()
    assert whole(bureau)
    with pytest.raises(IllegalMoveError, match="purged"):
        does(bureau, decide.reopen)


def test_no_byte_of_what_was_set_aside_remains(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that nothing here could read are kept for a person, and go with their ticket like any other."""

    def breaks(*_: object) -> None:
        raise KeyError("a fault of this program")

    monkeypatch.setattr(take, "consider", breaks)
    bureau.round(request(bureau))
    assert "unreadable" in bureau.ticket().flags
    assert traces(bureau.folder) != []
    does(bureau, decide.dismiss)
    assert purged(bureau, 8).content == [bureau.ticket().reference]
    assert traces(bureau.folder) == []
    assert whole(bureau)


def test_a_dismissed_ticket_can_be_reopened_for_seven_days(bureau: Bureau) -> None:
    """On the seventh day still, with all its words."""
    bureau.round(request(bureau))
    does(bureau, decide.dismiss)
    purged(bureau, 7)
    does(bureau, decide.reopen)
    assert bureau.ticket().status is Status.NEEDS_TRIAGE
    assert bureau.ticket().requester_name == "Tuulikki Ainutlaatuinen"


def test_a_controller_may_keep_dismissed_tickets_longer(bureau_of: Callable[..., Bureau]) -> None:
    """With thirty days configured it can be reopened on the thirtieth, and goes the day after."""
    bureau = bureau_of(more="[retention]\ndismissed_days = 30")
    bureau.round(request(bureau))
    does(bureau, decide.dismiss)
    assert purged(bureau, 30) == Round()
    does(bureau, decide.reopen)
    does(bureau, decide.dismiss)
    assert purged(bureau, 31).content == [bureau.ticket().reference]


def test_a_running_ticket_is_never_purged(bureau: Bureau) -> None:
    """However long nobody answers."""
    bureau.round(request(bureau))
    assert purged(bureau, 5000) == Round()


def test_a_purge_that_was_cut_short_is_finished_by_the_next(closed: Bureau) -> None:
    """The content went but the file was not rewritten when the plug was pulled: the next purge rewrites it."""
    office = closed.house.office
    broken = replace(office, database=_NoCompaction(office.database))
    closed.now += timedelta(days=1097)
    with pytest.raises(KeyboardInterrupt):
        purge(broken, now=closed.now)
    purge(office, now=closed.now)
    assert traces(closed.folder) == []


class _NoCompaction:
    """A database whose plug is pulled when it would be rewritten."""

    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def compact(self) -> None:
        raise KeyboardInterrupt


def test_counts_of_answers_and_strangers_who_tried_are_forgotten(bureau: Bureau) -> None:
    """The hash of an address that was answered goes within days, the address of one who tried to command in time."""
    with bureau.house.office.database.write() as connection:
        outbox.note_answer(connection, "tuulikki@ainutlaatuinen.example", "Re: help", bureau.now)
        outbox.note_refusal(
            connection, now=bureau.now, why="no_token", ticket_id=None, outside=True, sender="tuulikki@stranger.example"
        )
    purged(bureau, 8)
    with bureau.house.office.database.read() as connection:
        first = outbox.answers_between(connection, "tuulikki@ainutlaatuinen.example", START, bureau.now)
    assert first == 0
    assert traces(bureau.folder)
    purged(bureau, 400)
    assert traces(bureau.folder) == []


def test_hashes_of_unrelated_mail_are_forgotten(bureau: Bureau) -> None:
    """After the configured days not even that a mail was seen is remembered."""
    bureau.round(written("myyja@shop.example", "Tarjous", "Hei, ostakaa kahvinkeitin.\n", to=bureau.contact))
    assert purged(bureau, 399).seen == 0
    assert purged(bureau, 2, dry_run=True).seen == 1
    assert purged(bureau, 0).seen == 1
    assert purged(bureau, 0).seen == 0


def test_staff_mail_leaves_no_words_behind_once_it_was_sent(bureau: Bureau) -> None:
    """A notice quotes the request; its bytes leave the outbox with its sending, long before any purge."""
    (notice,) = bureau.round(written(PERSON, "Pyyntö", ERASE, to=bureau.contact))
    assert "henkilötiedot" in body(notice)
    bureau.round(reply_to(notice, "approve"))
    assert ANNA.email in str(notice["To"])
    assert b"One-time code" not in bureau.database_file.read_bytes()
    assert DraftKind.REPLY.value in {draft["kind"] for draft in bureau.shown()["drafts"]}
