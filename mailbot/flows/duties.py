"""The names under which duties note that they were done, how long each may be still, and what is asked of them cheaply.

Asked after every look at the mailbox, so nothing that writes to people is loaded here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from mailbot.core.life import Life
from mailbot.core.ticket import RUNNING
from mailbot.flows.office import Office
from mailbot.store import tickets

POLLED, REMINDED = "polled", "reminded"  # states that the duties write after each good round
UNOPENED = "unopened"  # state: the folders that could not be opened, one a line, and since when
UNDONE = "undone"  # state: what the configuration asks for in the mailbox and the server refuses, and since when
SERVER_AWAY = "server_away"  # state: "yes" while no mail server takes anything, and since when
STUCK = "sending"  # judged by the outbox itself


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the configuration asks for. A duty without a limit is not watched."""

    enabled: bool = False
    address: str = ""  # the public address
    interval: timedelta = timedelta(hours=24)  # between two test mails
    wait: timedelta = timedelta(hours=1)  # until a missing one is an alarm
    limits: Mapping[str, timedelta] = field(default_factory=dict)  # POLLED, STUCK, REMINDED -> how long it may be still
    watched: tuple[str, ...] = ()  # certificates and tokens whose ends are noted at connections
    known: tuple[Life, ...] = ()  # secrets whose ends stand in the configuration


def held_back(office: Office) -> bool:
    """True while a new ticket has had no notice because of the cap (promise 6)."""
    with office.database.read() as connection:
        return bool(tickets.unnoticed(connection, RUNNING))
