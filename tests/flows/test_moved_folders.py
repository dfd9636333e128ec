"""A mailbox that is renumbered, renamed, moved about or huge: a request stays one ticket, and what is new is read."""

import imaplib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from bureau import ANNA, MAIJA, Bureau, reply_to, written
from servers.odd_imap import Odd, OddImap

from mailbot.config import load
from mailbot.core.ticket import Status
from mailbot.flows.canary import canary
from mailbot.store import cursors, messages
from mailbot.store.cursors import Cursor

ERASE = "Hei,\n\npyydän, että poistatte kaikki minua koskevat henkilötiedot rekistereistänne.\n\nT. {name}\n"
BILL = "Hei,\n\nlasku {number} on liitteenä.\n\nTuomas\n"


def _request(bureau: Bureau, name: str) -> bytes:
    address = f"{name} <{name.lower()}@customer.example>"
    return written(address, "Tietopyyntö", ERASE.format(name=name), to=bureau.contact, message_id=f"<{name}@x.example>")


def _bill(bureau: Bureau, number: int) -> bytes:
    return written("Tuomas <t@supplier.example>", f"Lasku {number}", BILL.format(number=number), to=bureau.contact)


def _in_order(bureau: Bureau, *orders: tuple[str, ...]) -> None:
    """What the human does in their own program."""
    with bureau.imap.session(bureau.contact) as client:
        for name, *given in orders:
            answer = getattr(client, name)(*given)
            assert answer[0] == "OK", answer


def _cursors(bureau: Bureau) -> dict[str, Cursor]:
    with bureau.house.office.database.read() as connection:
        return {cursor.folder: cursor for cursor in cursors.folders(connection)}


def _place(bureau: Bureau, requester: str) -> tuple[str, int | None]:
    (ticket,) = [item for item in bureau.tickets() if item.requester_name == requester]
    with bureau.house.office.database.read() as connection:
        (found,) = messages.of_ticket(connection, ticket.id)
    return found.folder, found.uid


def test_a_renumbered_folder_is_recognised(bureau: Bureau) -> None:
    """After a UIDVALIDITY change nothing is acted on twice, no approval obeyed again, and what is new is read."""
    notice = bureau.opened()
    bureau.arrive(_bill(bureau, 1))
    bureau.round(reply_to(notice, "approve"))
    assert bureau.ticket().status is Status.ANSWERED
    before = _cursors(bureau)["INBOX"].uidvalidity
    bureau.arrive(_request(bureau, "Olli"))
    _renumber(bureau)
    sent = len(bureau.sent)
    bureau.round()
    assert _cursors(bureau)["INBOX"].uidvalidity != before
    assert sorted(ticket.requester_name for ticket in bureau.tickets()) == ["Maija Mallinen", "Olli"]
    assert len(bureau.events("reply_approved")) == 1
    assert [ANNA.email in str(mail["To"]) for mail in bureau.sent[sent:]] == [True]


def _renumber(bureau: Bureau) -> None:
    """As a server does whose index was lost: the numbers are given anew under another UIDVALIDITY."""
    time.sleep(1.1)  # Dovecot's UIDVALIDITY counts seconds
    for file in (bureau.imap.folder / "mail" / bureau.contact).glob("dovecot*"):
        file.unlink()


def test_a_renamed_folder_is_read_under_its_new_name(bureau_of: Callable[..., Bureau]) -> None:
    """With folders = "all" the new name is read, what is known is recognised, and its place is written down."""
    bureau = bureau_of(imap_more='folders = "all"')
    bureau.imap.create("Asiakkaat", user=bureau.contact)
    bureau.arrive(_request(bureau, "Maija"), folder="Asiakkaat")
    bureau.poll()
    _in_order(bureau, ("rename", "Asiakkaat", "Arkisto"))
    bureau.arrive(_request(bureau, "Olli"), folder="Arkisto")
    bureau.poll()
    assert sorted(ticket.requester_name for ticket in bureau.tickets()) == ["Maija", "Olli"]
    assert _place(bureau, "Maija")[0] == "Arkisto"


def test_a_message_that_its_human_moves_stays_one_ticket(bureau_of: Callable[..., Bureau]) -> None:
    """Moved to another folder that is read: known again, whatever its number there."""
    bureau = bureau_of(imap_more='folders = ["INBOX", "Hoidetut"]')
    bureau.imap.create("Hoidetut", user=bureau.contact)
    uid = bureau.arrive(_request(bureau, "Maija"))
    bureau.poll()
    _in_order(bureau, ("select", "INBOX"), ("uid", "MOVE", str(uid), "Hoidetut"))
    bureau.poll()
    assert len(bureau.tickets()) == 1
    assert _place(bureau, "Maija")[0] == "Hoidetut"


def test_a_folder_that_is_gone_is_told_and_the_others_are_read(bureau_of: Callable[..., Bureau]) -> None:
    """Renamed away from the configuration: an hour later people hear of it, once; and once that it is back."""
    bureau = bureau_of(imap_more='folders = ["INBOX", "Asiakkaat"]')
    bureau.imap.create("Asiakkaat", user=bureau.contact)
    assert bureau.poll().problems == []
    _in_order(bureau, ("rename", "Asiakkaat", "Muualla"))
    bureau.arrive(_request(bureau, "Maija"))
    assert "Asiakkaat" in bureau.poll().problems[0]
    assert len(bureau.tickets()) == 1
    plan = replace(bureau.house.canary_plan(), limits={"polled": timedelta(hours=1)})
    told = []
    for _ in range(3):
        bureau.now += timedelta(minutes=40)
        bureau.poll()
        told += canary(bureau.house.office, plan, now=bureau.now).told
    assert [(one.name, one.recovered) for one in told] == [("unopened", False)]
    assert "Asiakkaat" in told[0].text.body
    _in_order(bureau, ("rename", "Muualla", "Asiakkaat"))
    bureau.poll()
    (over,) = canary(bureau.house.office, plan, now=bureau.now).told
    assert (over.name, over.recovered) == ("unopened", True)


@pytest.mark.slow
def test_a_first_run_on_a_huge_mailbox_reads_what_may_still_be_live(bureau_of: Callable[..., Bureau]) -> None:
    """Of 100,000 messages the newest fifty are asked for; the cursor passes the rest, and no later poll reads them."""
    bureau = bureau_of()
    old = Odd(raw=_bill(bureau, 1), internaldate="01-Jan-2020 10:00:00 +0200")
    young = {
        uid: Odd(raw=_request(bureau, f"P{uid}") if uid == 100_050 else _bill(bureau, uid),
                 internaldate=imaplib.Time2Internaldate(bureau.now - timedelta(days=3)).strip('"'))
        for uid in range(100_001, 100_051)
    }  # fmt: skip
    with OddImap(messages={**dict.fromkeys(range(1, 100_001), old), **young}) as server:
        path = bureau.folder / "mailbot.toml"
        path.write_text(path.read_text("utf-8").replace(f"port = {bureau.imap.port}", f"port = {server.port}"), "utf-8")
        bureau.house.config = load(path)
        done = bureau.poll()
        asked = len(server.fetched)
        assert (done.read, done.tickets) == (50, 1)
        assert bureau.poll().read == 0
        assert len(server.fetched) - asked <= 1  # the flags of the ticket's message
    assert _cursors(bureau)["INBOX"].last_uid == 100_050
    assert MAIJA not in [ticket.requester_address for ticket in bureau.tickets()]
