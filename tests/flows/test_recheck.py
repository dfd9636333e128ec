"""The mailbox read again after a change of rules: a report, and tickets only when they are asked for."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from bureau import ACCESS, ERASE, MAIJA, START, Bureau, written

from mailbot.core.classify import Kind, Verdict
from mailbot.core.message import Message
from mailbot.core.rights import Right
from mailbot.core.ticket import Status
from mailbot.errors import BadInputError
from mailbot.flows.recheck import Round, recheck
from mailbot.reading import Reader

OFFER = "Hei,\n\ntarjoamme toimistollenne uutta kahvinkeitintä. Olisiko tiistai sopiva aika esittelylle?\n\nMyyjä\n"


class Blind(Reader):
    """The rules of an earlier day, which recognised nothing: what the poller remembers is their verdict."""

    def __init__(self, seeing: Reader) -> None:
        super().__init__()
        self.seeing = seeing

    def warm(self) -> None:
        self.seeing.warm()

    def read(self, raw: bytes) -> Message:
        return self.seeing.read(raw)

    def judge(self, message: Message) -> Verdict:
        return replace(self.seeing.judge(message), kind=Kind.NOT_REQUEST, rights=(), evidence=())


def look(bureau: Bureau, **options: object) -> Round:
    house = bureau.house
    with house.mailbox() as mailbox:
        return recheck(
            house.office, mailbox, house.reader, house.commands, house.folders(),
            **{"since": START.date(), "now": bureau.now, **options},
        )  # fmt: skip


@pytest.fixture
def missed(bureau: Bureau) -> Bureau:
    """A request and an offer were read with rules that saw neither."""
    seeing = bureau.house.reader
    bureau.house.__dict__["reader"] = Blind(seeing)
    bureau.arrive(written(MAIJA, "Asia", ERASE, to=bureau.contact))
    bureau.arrive(written("myyja@shop.example", "Tarjous", OFFER, to=bureau.contact))
    bureau.poll()
    bureau.house.__dict__["reader"] = seeing
    assert bureau.tickets() == []
    return bureau


def test_what_would_now_be_a_request_is_reported_and_nothing_else_happens(missed: Bureau) -> None:
    """The report says where it lies, what it asks and when it would be due; no ticket, no entry, no mail."""
    events = missed.events()
    done = look(missed)
    (found,) = done.differences
    assert (found.before, found.now, found.rights) == ("not_request", "ticket", (Right.ERASURE,))
    assert found.due_on == date(2026, 12, 3)
    assert (done.read, done.unchanged) == (2, 1)
    assert missed.tickets() == []
    assert missed.events() == events
    assert missed.deliver() == []


def test_a_ticket_that_is_opened_late_keeps_its_first_receipt(missed: Bureau) -> None:
    """Three weeks later the month still runs from the day on which the message lay in the mailbox."""
    missed.now += timedelta(days=21)
    (found,) = look(missed, open_tickets=True).differences
    ticket = missed.ticket()
    assert found.opened == ticket.reference
    assert ticket.received_at == START
    assert ticket.due_on == date(2026, 12, 3)
    assert ticket.status is Status.DRAFTED
    assert [mail["To"].addresses[0].addr_spec for mail in missed.deliver()] == ["anna@example.com"]


def test_opening_again_opens_nothing_more(missed: Bureau) -> None:
    """A message that became a ticket is known as that; a second look finds no difference."""
    look(missed, open_tickets=True)
    again = look(missed, open_tickets=True)
    assert again.differences == []
    assert len(missed.tickets()) == 1


def test_the_poller_goes_on_where_it_was(missed: Bureau) -> None:
    """Reading again moves no cursor: the next round reads only what is new, and nothing twice."""
    look(missed, open_tickets=True)
    missed.arrive(written("ville@customer.example", "Tiedot", ACCESS, to=missed.contact))
    assert missed.poll().read == 1
    assert len(missed.tickets()) == 2


def test_mail_that_was_never_read_is_the_pollers(bureau: Bureau) -> None:
    """It is counted and left: opening it here would let the poller read it a second time."""
    bureau.poll()
    bureau.arrive(written(MAIJA, "Asia", ERASE, to=bureau.contact))
    done = look(bureau, open_tickets=True)
    assert (done.unread, done.differences) == (1, [])
    assert bureau.tickets() == []
    assert bureau.poll().tickets == 1


def test_a_ticket_whose_message_asks_nothing_by_the_new_rules_is_only_reported(bureau: Bureau) -> None:
    """The ticket is named beside the new verdict, and stays as it is: people judge it."""
    bureau.opened()
    before = bureau.ticket()
    bureau.house.__dict__["reader"] = Blind(bureau.house.reader)
    (found,) = look(bureau, open_tickets=True).differences
    assert (found.before, found.now, found.opened) == (before.reference, "not_request", "")
    assert bureau.ticket() == before


def test_the_mailbox_stays_as_it_was(missed: Bureau) -> None:
    """No flag is set by looking, and none by opening."""
    look(missed, open_tickets=True)
    assert set(missed.imap.flags(user=missed.contact).values()) == {()}


def test_a_day_ahead_is_refused(bureau: Bureau) -> None:
    """A slip of the hand is one clear line."""
    with pytest.raises(BadInputError, match="future"):
        look(bureau, since=date(2027, 1, 1))
