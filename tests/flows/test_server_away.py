"""A mail server that takes nothing for hours is told, however faithfully it is tried again; and that it is back."""

from datetime import timedelta

import pytest
from bureau import Bureau, written
from servers.smtp_sink import Behaviour

from mailbot.flows.canary import canary

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
