"""The commands of the rounds as a user types them: canary, redate, recheck, held-back notices."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink
from story.desk import CONTACT, STAFF, Desk, body, mail
from story.inside import Inside

pytestmark = pytest.mark.server

ERASE = "Hei,\n\npyydän, että poistatte kaikki minua koskevat henkilötiedot rekistereistänne.\n\nMaija Mallinen\n"
OFFER = "Hei,\n\ntarjoamme toimistollenne uutta kahvinkeitintä. Olisiko tiistai sopiva aika esittelylle?\n\nMyyjä\n"
CANARY = f'[canary]\nenabled = true\naddress = "{CONTACT}"\nclean_up = "delete"'


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Dovecot, SmtpSink]]:
    if missing := Dovecot.missing():
        pytest.skip(missing)
    with Dovecot() as imap, SmtpSink() as smtp:
        yield imap, smtp


@pytest.fixture
def desk_with(
    tmp_path: Path, servers: tuple[Dovecot, SmtpSink], capsys: pytest.CaptureFixture[str]
) -> Callable[[str], Inside]:
    """A desk with more tables in its configuration, and an empty mailbox."""

    def make(more: str) -> Inside:
        imap, smtp = servers
        for uid in imap.flags(user=CONTACT):
            imap.delete(uid, user=CONTACT)
        return Inside.of(Desk.make(tmp_path, imap, smtp, more=more), capsys)

    return make


def test_the_test_mail_goes_round_and_is_cleaned_up(desk_with: Callable[[str], Inside]) -> None:
    """It is sent, lies in the mailbox, is known by its mark, is never a ticket, and only it is deleted."""
    desk = desk_with(CANARY)
    desk.arrive(mail("myyja@shop.example", "Tarjous", OFFER))
    assert desk.must("canary", "--json").json[0]["sent"] is True
    desk.must("deliver", "--once")
    (sent,) = desk.new_mail()
    assert str(sent["To"]) == CONTACT
    desk.arrive(sent.as_bytes())
    desk.must("poll", "--once")
    assert desk.tickets() == []
    assert len(desk.imap.messages(user=CONTACT)) == 1  # the offer stays
    told = desk.must("canary", "--json").json[0]
    assert told == {"sent": False, "waiting": False, "trouble": [], "recovered": []}


def test_a_mail_that_only_looks_like_the_test_mail_is_left_alone(desk_with: Callable[[str], Inside]) -> None:
    """A copy with a mark that does not cover its Message-ID is not deleted, and proves nothing."""
    desk = desk_with(CANARY)
    desk.must("canary")
    desk.must("deliver", "--once")
    (sent,) = desk.new_mail()
    changed = sent.as_bytes().replace(str(sent["Message-ID"]).encode(), b"<other@customer.example>")
    desk.arrive(changed)
    desk.must("poll", "--once")
    assert len(desk.imap.messages(user=CONTACT)) == 1
    assert desk.must("canary", "--json").json[0]["waiting"] is True


def test_without_the_canary_no_mail_is_sent(desk_with: Callable[[str], Inside]) -> None:
    """Off until its clean-up is chosen: the command says so and only looks at the duties."""
    desk = desk_with("")
    assert "enabled is false" in desk.must("canary").out
    desk.must("deliver", "--once")
    assert desk.new_mail() == []


def test_a_day_off_that_is_decreed_moves_open_tickets(desk_with: Callable[[str], Inside]) -> None:
    """The configuration gets the day, `redate --dry-run` shows what moves, `redate` does it once."""
    desk = desk_with("")
    desk.arrive(mail("maija@customer.example", "Pyyntö", ERASE))
    desk.must("poll", "--once")
    (ticket,) = desk.tickets()
    desk.add(f"[calendar]\nextra_days_off = [{ticket['due_on']}]")
    shown = desk.must("redate", "--dry-run", "--json").json
    assert shown[0]["reference"] == ticket["reference"]
    assert shown[0]["before"]["due_on"] == ticket["due_on"] < shown[0]["after"]["due_on"]
    assert desk.tickets()[0]["due_on"] == ticket["due_on"]
    assert f"due {ticket['due_on']} -> {shown[0]['after']['due_on']}" in desk.must("redate").out
    assert desk.tickets()[0]["due_on"] == shown[0]["after"]["due_on"]
    assert "0 moved, 1 stay" in desk.must("redate").out
    timeline = desk.ticket(ticket["reference"])["timeline"]
    assert [entry["actor"].split(":")[0] for entry in timeline if entry["event"] == "redated"] == ["cli"]


def test_recheck_finds_nothing_where_nothing_changed(desk_with: Callable[[str], Inside]) -> None:
    """A request that is a ticket and an offer that is none are judged as before."""
    desk = desk_with("")
    desk.arrive(mail("maija@customer.example", "Pyyntö", ERASE))
    desk.arrive(mail("myyja@shop.example", "Tarjous", OFFER))
    desk.must("poll", "--once")
    day = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    assert desk.must("recheck", "--since", day).out == "2 read, 0 judged otherwise, 0 not yet read by poll\n"
    assert desk.run("recheck", "--since", "2199-01-01").code == 65


def test_forty_requests_in_an_hour_are_not_forty_notices(desk_with: Callable[[str], Inside]) -> None:
    """Twenty notices come at once, the others as one list that names every one; later each has its own notice."""
    desk = desk_with("")
    for number in range(40):
        sender = f"person{number}@customer.example"
        desk.arrive(mail(sender, "Pyyntö", ERASE, message_id=f"<{number}@customer.example>"))
    desk.must("poll", "--once")
    desk.must("deliver", "--once")
    mails = desk.new_mail()
    references = {ticket["reference"] for ticket in desk.tickets()}
    assert len(references) == 40
    assert len(mails) == 21
    assert {mail["To"].addresses[0].addr_spec for mail in mails} == {STAFF}
    assert all(any(reference in body(mail) for mail in mails) for reference in references)
    desk.must("poll", "--once")
    assert desk.must("deliver", "--once", "--json").json[0]["sent"] == 0  # not again in the same hour
    later = (datetime.now(UTC) + timedelta(minutes=61)).isoformat()
    told = json.loads(desk.must("remind", "--once", "--json", "--now", later).out)
    assert len(told["noticed"]) == 20
    assert told["merged"] == []
