"""Whether a person still waits for a copy of the data that a reply says are erased.

Access comes before erasure (law 13): what was erased can not be shown any more. Nothing is changed here.
"""

from collections.abc import Mapping

from mailbot.core.lint import COPIES, GIVEN
from mailbot.core.rights import Outcome, Right
from mailbot.core.ticket import RUNNING
from mailbot.store import tickets
from mailbot.store.database import Connection
from mailbot.store.tickets import Ticket


def copies_awaited(connection: Connection, ticket: Ticket, outcomes: Mapping[Right, Outcome]) -> tuple[str, ...]:
    """References of other running tickets of the same person that ask for a copy, where `outcomes` erase anything."""
    if outcomes.get(Right.ERASURE) not in GIVEN or not ticket.requester_address:
        return ()
    return tuple(
        other.reference
        for other in tickets.find(connection, statuses=RUNNING, address=ticket.requester_address)
        if other.id != ticket.id
        and any(item.right in COPIES and item.status == "open" and item.outcome is None for item in other.requests)
    )
