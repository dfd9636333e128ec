"""A request at the counter and its answer on paper: registered, drafted, approved, printed, posted, closed."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from bureau import START, Bureau
from pypdf import PdfReader

from mailbot.core.draft import DraftKind
from mailbot.core.rights import Channel, Ground, Outcome, Right
from mailbot.core.ticket import Status
from mailbot.errors import BadInputError, IllegalMoveError
from mailbot.flows import decide, paper
from mailbot.flows.decide import Done
from mailbot.flows.plan import Wish
from mailbot.flows.register import Told, register
from mailbot.gateway.letters import letter_pdf
from mailbot.store.drafts import File

NAME, ADDRESS = "Aino Esimerkki", "Esimerkkitie 2 B 3, 20100 TURKU"


def told(**changes: Any) -> Told:
    given: dict[str, Any] = {
        "channel": Channel.LETTER,
        "received_at": datetime(2026, 11, 2, 10, 0, tzinfo=UTC),
        "rights": [Right.ERASURE],
        "name": NAME,
        "address": ADDRESS,
        "language": "fi",
        "words": "Poistakaa tietoni.",
    }
    return Told(**(given | changes))


def registered(bureau: Bureau, **changes: Any) -> str:
    with bureau.house.office.database.write() as connection:
        return register(connection, bureau.house.office, told(**changes), bureau.actor(), now=bureau.now).reference


def decides(bureau: Bureau, flow: Callable[..., Done], *more: Any, **given: Any) -> Done:
    """A decision of staff in a transaction of its own."""
    with bureau.house.office.database.write() as connection:
        first = () if flow in (decide.reject, decide.close) else (bureau.house.office,)
        return flow(connection, *first, bureau.ticket().reference, bureau.actor(), *more, now=bureau.now, **given)


def approved(bureau: Bureau, kind: str = "reply") -> None:
    decides(bureau, decide.approve, fingerprint_given=bureau.newest_draft(kind).fingerprint)


def printed(bureau: Bureau, kind: DraftKind = DraftKind.REPLY) -> paper.Letter:
    with bureau.house.office.database.write() as connection:
        reference = bureau.ticket().reference
        return paper.letter(
            connection, bureau.house.office, reference, bureau.actor(), letter_pdf, now=bureau.now, kind=kind
        )


def words(letter: paper.Letter) -> str:
    return " ".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(letter.pages)).pages).split())


def test_the_whole_way_on_paper(bureau: Bureau) -> None:
    """Dated by the day it came, approved like any reply, printed for the window envelope, ended by the posting."""
    registered(bureau)
    assert bureau.ticket().due_on == date(2026, 12, 2)
    assert not printed(bureau).approved
    approved(bureau)
    letter = printed(bureau)
    assert letter.approved
    text = words(letter)
    for expected in (
        NAME,
        "Esimerkkitie 2 B 3",
        "20100 TURKU",
        bureau.ticket().reference,
        "Tietosuojavaltuutetun toimisto",
    ):
        assert expected in text
    assert bureau.deliver() == []  # nothing goes by mail
    bureau.now += timedelta(days=2)
    decides(bureau, paper.posted, on=date(2026, 11, 4))
    ticket = bureau.ticket()
    assert (ticket.status, ticket.outcome) == (Status.ANSWERED, Outcome.FULFILLED)
    assert ticket.answered_at is not None
    assert ticket.answered_at.date() == date(2026, 11, 4)
    decides(bureau, decide.close)
    assert bureau.ticket().status is Status.CLOSED
    assert [event for event in bureau.events() if event in ("letter_printed", "reply_sent")] == [
        "letter_printed",
        "reply_sent",
    ]


def test_one_sentence_ends_it_as_well(bureau: Bureau) -> None:
    """`ticket answered --how letter` ends the requests as the approved letter says, on the day that is given."""
    registered(bureau)
    decides(
        bureau, decide.refuse, ground=Ground.LEGAL_OBLIGATION, reasons="Kirjanpitolaki velvoittaa säilyttämään laskut."
    )
    approved(bureau)
    bureau.now += timedelta(days=3)
    decides(bureau, decide.answered, on=date(2026, 11, 4), how="letter")
    ticket = bureau.ticket()
    assert (ticket.status, ticket.outcome) == (Status.ANSWERED, Outcome.REFUSED)
    assert ticket.answered_at is not None
    assert ticket.answered_at.date() == date(2026, 11, 4)


def test_a_question_by_letter_suspends_from_its_posting(bureau: Bureau) -> None:
    """Approved and printed it suspends nothing; posted it does, and the date becomes provisional."""
    registered(bureau)
    decides(bureau, decide.ask, DraftKind.IDENTITY_QUESTION)
    approved(bureau, "identity_question")
    printed(bureau, DraftKind.IDENTITY_QUESTION)
    assert not bureau.ticket().provisional
    decides(bureau, paper.posted, on=None, kind=DraftKind.IDENTITY_QUESTION)
    assert bureau.ticket().status is Status.AWAITING_IDENTITY
    assert bureau.ticket().provisional
    bureau.now += timedelta(days=10)
    decides(bureau, decide.identified)
    assert bureau.ticket().due_on > date(2026, 12, 2)


def test_an_extension_by_letter_counts_from_its_posting(bureau: Bureau) -> None:
    """Three months from receipt, once the notice was posted."""
    registered(bureau)
    decides(bureau, decide.extend, reason="Aineisto on laaja.")
    approved(bureau, "extension_notice")
    assert bureau.ticket().due_on == date(2026, 12, 2)
    decides(bureau, paper.posted, on=None, kind=DraftKind.EXTENSION_NOTICE)
    assert bureau.ticket().due_on == date(2027, 2, 2)


def test_a_copy_of_the_data_is_named_as_enclosure(bureau: Bureau) -> None:
    """An access reply needs its copy; the printer says what goes into the envelope."""
    registered(bureau, rights=[Right.ACCESS])
    with pytest.raises(BadInputError, match="not ready"):
        printed(bureau)
    decides(bureau, decide.draft, Wish(files=[File(name="tiedot.txt", type="text/plain", content=b"Aino Esimerkki")]))
    approved(bureau)
    assert printed(bureau).enclosures == ("tiedot.txt",)


def test_what_was_not_approved_can_not_have_been_posted(bureau: Bureau) -> None:
    """Nothing leaves without approval, on paper either; and a letter is posted once."""
    registered(bureau)
    with pytest.raises(IllegalMoveError, match="no approved reply"):
        decides(bureau, paper.posted, on=None)
    approved(bureau)
    with pytest.raises(BadInputError, match="not between"):
        decides(bureau, paper.posted, on=date(2026, 11, 1))
    decides(bureau, paper.posted, on=None)
    with pytest.raises(IllegalMoveError, match="posted before"):
        decides(bureau, paper.posted, on=None)


def test_a_ticket_that_came_by_mail_has_no_letter(bureau: Bureau) -> None:
    """Without a postal address nothing is printed."""
    bureau.opened()
    with pytest.raises(BadInputError, match="no postal address"):
        printed(bureau)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"received_at": START + timedelta(days=1)}, "future"),
        ({"rights": []}, "no right"),
        ({"address": ""}, "nowhere to answer"),
    ],
)
def test_what_can_not_be_registered_is_refused(bureau: Bureau, changes: dict[str, Any], why: str) -> None:
    """One clear line, and nothing was opened."""
    with pytest.raises(BadInputError, match=why):
        registered(bureau, **changes)
    assert bureau.tickets() == []


def test_a_visit_needs_no_address(bureau: Bureau) -> None:
    """Who stood at the counter may fetch the answer there."""
    registered(bureau, channel=Channel.COUNTER, address="")
    assert bureau.ticket().channel is Channel.COUNTER


def test_staff_who_enter_a_request_get_no_notice_of_it(bureau: Bureau) -> None:
    """They know; reminders come as for every ticket."""
    registered(bureau)
    assert bureau.deliver() == []
    bureau.now = datetime(2026, 12, 2, 6, 0, tzinfo=UTC)
    assert bureau.remind()
