"""A notice about an open ticket with what is new in its first warnings."""

from collections.abc import Sequence
from datetime import datetime

from mailbot.flows import notify
from mailbot.flows.consider import LOOK_FLAGS
from mailbot.flows.office import Office
from mailbot.store.database import Connection
from mailbot.store.tickets import Ticket


def tell_news(
    connection: Connection,
    office: Office,
    ticket: Ticket,
    news: Sequence[str],
    now: datetime,
    *,
    address: str = "",
    flags: Sequence[str] = (),
) -> None:
    """A notice about an open ticket with what is new in its first warnings."""
    for person in notify.reached(office, now):
        words = office.texts.words(person.language)["staff"]
        lines = [str(words["news"][one]).format(address=address) for one in news]
        lines += [str(words["flags"][flag]) for flag in flags if flag in LOOK_FLAGS and flag not in ticket.flags]
        facts = notify.ticket_facts(connection, office, ticket, person, now)
        warnings = list(dict.fromkeys([*lines, *facts["warnings"]]))
        notify.tell(connection, office, ticket, "notice", now=now, to=[person], facts={"warnings": warnings})
