"""A mail server that takes nothing for hours is told, however faithfully it is tried again; and that it is back.

A sender that is told to stop does so after the mail in its hands.
"""

import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from bureau import ANNA, BERT, DORA, Bureau, reply_to, written
from servers.smtp_sink import Behaviour, SmtpSink

from mailbot import daemon
from mailbot.flows.canary import canary
from mailbot.gateway.smtp import Outcome, SmtpTransport
from mailbot.store import outbox

ERASE = "Hei,\n\npyydän, että poistatte kaikki minua koskevat henkilötiedot rekistereistänne.\n\nT. Maija Mallinen\n"


def _told(bureau: Bureau) -> list[tuple[str, bool]]:
    plan = bureau.house.canary_plan()
    told = canary(bureau.house.office, plan, now=bureau.now).told
    return [(one.name, one.recovered) for one in told if one.name == "sending"]


def _hours(bureau: Bureau, hours: float) -> list[tuple[str, bool]]:
    """The sender's rounds over that time, and what the canary told at each."""
    told = []
    for _ in range(int(hours * 6)):
        bureau.now += timedelta(minutes=9)
        bureau.deliver()
        told += _told(bureau)
    return told


@pytest.mark.parametrize("behaviour", [Behaviour.BUSY, Behaviour.DROP_BEFORE_DATA, None])
def test_a_server_that_takes_nothing_is_told_once(bureau: Bureau, behaviour: Behaviour | None) -> None:
    """Busy, hanging up, or not there: an hour later people hear of it, and once more when it takes mail again."""
    bureau.arrive(written("Maija <maija@customer.example>", "Tietopyyntö", ERASE, to=bureau.contact))
    bureau.poll()
    if behaviour is None:
        bureau.smtp.stop()
    else:
        bureau.smtp.behaviour = behaviour
    try:
        assert _hours(bureau, 0.9) == []
        assert _hours(bureau, 3) == [("sending", False)]
    finally:
        if behaviour is None:
            bureau.smtp.start()
        bureau.smtp.behaviour = Behaviour.ACCEPT
    assert _hours(bureau, 1) == [("sending", True)]


def test_a_recipient_that_defers_is_no_stop_of_sending(bureau: Bureau) -> None:
    """One mail that is put off again and again says nothing of the server."""
    bureau.arrive(written("Maija <maija@customer.example>", "Tietopyyntö", ERASE, to=bureau.contact))
    bureau.poll()
    bureau.smtp.behaviour = Behaviour.DEFER_RECIPIENT
    try:
        assert _hours(bureau, 3) == []
    finally:
        bureau.smtp.behaviour = Behaviour.ACCEPT


def test_a_password_that_can_not_be_had_is_told_like_a_server_that_is_away(
    bureau_of: Callable[..., Bureau], tmp_path: Path
) -> None:
    """Each attempt says why nothing left, the next is soon, people hear of it, and all leaves when it is back."""
    vault = tmp_path / "vault"
    login = f'username = "privacy"\npassword_command = ["cat", "{vault}"]'
    vault.write_text(SmtpSink.password + "\n", encoding="utf-8")
    bureau = bureau_of(smtp_more=login)
    notice = bureau.opened()
    vault.rename(tmp_path / "away")
    bureau.arrive(reply_to(notice, "approve"))
    bureau.poll()
    assert _hours(bureau, 0.9) == []
    assert _hours(bureau, 3) == [("sending", False)]
    with bureau.house.office.database.read() as connection:
        (reply,) = [m for m in outbox.of_ticket(connection, bureau.ticket().id) if m.audience == "data_subject"]
        tried = outbox.attempts(connection, reply.id)
    assert {one.result for one in tried} == {"unreachable"}
    assert "smtp.password: the command cat failed" in tried[-1].answer
    assert reply.next_at <= bureau.now + timedelta(minutes=2)
    (tmp_path / "away").rename(vault)
    assert _hours(bureau, 1) == [("sending", True)]
    assert len(bureau.to("maija@customer.example")) == 1


def test_a_signal_ends_a_burst_after_the_mail_in_hand(
    bureau_of: Callable[..., Bureau], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM during the first of three notices: it is recorded as sent, the others leave with the next start."""
    bureau = bureau_of(staff=(ANNA, BERT, DORA))
    bureau.arrive(written("Maija <maija@customer.example>", "Tietopyyntö", ERASE, to=bureau.contact))
    bureau.poll()
    ours, theirs = socket.socketpair()
    loop = daemon._Daemon(house=bureau.house, now=lambda: bureau.now, started_at=bureau.now, wake=ours)
    really = SmtpTransport.send

    def signalled(transport: SmtpTransport, sender: str, recipient: str, raw: bytes) -> Outcome:
        loop.stop.set()  # what the handler of the signal does
        return really(transport, sender, recipient, raw)

    monkeypatch.setattr(SmtpTransport, "send", signalled)
    with ours, theirs:
        loop.deliver()
    assert len(bureau.smtp.accepted) - bureau.read == 1
    with bureau.house.office.database.read() as connection:
        assert outbox.waiting(connection) == 2
    monkeypatch.undo()
    assert len(bureau.deliver()) == 3
