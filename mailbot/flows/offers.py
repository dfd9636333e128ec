"""The answers that a mail to staff offers as examples: those that would do something sensible now, likeliest first.

Each is a key of the words `staff.offers`; what they look like, and that each is understood as one command, belongs to
the language files and their test. An example that would be refused is worse than none.
"""

from collections.abc import Sequence

from mailbot.core.draft import DraftKind
from mailbot.core.rights import Outcome, Right
from mailbot.core.staff import StaffMember
from mailbot.core.ticket import RUNNING, Status
from mailbot.flows.office import Office
from mailbot.store.drafts import Draft
from mailbot.store.tickets import Ticket

UNASKED = frozenset({Right.REGISTER_DESCRIPTION})  # public information: nobody has to say who they are (law 8.5)
EARLY = frozenset({Status.OPEN, Status.DRAFTED})


def offers(
    office: Office, ticket: Ticket, person: StaffMember, waiting: Sequence[Draft], *, withdrawn: bool = False
) -> tuple[str, ...]:
    """What `person` could write in answer to a mail that shows the drafts `waiting`.

    `withdrawn`: the newest message seems to take the request back.
    """
    if ticket.status is Status.NEEDS_TRIAGE:
        return ("reclassify", "not_a_request")
    reply = next((draft for draft in waiting if draft.kind is DraftKind.REPLY), None)
    main = reply or (waiting[0] if len(waiting) == 1 else None)
    possible = {
        "withdrawn": withdrawn and ticket.status in RUNNING,
        "approve": main is not None and main.ready and person.may_approve(),
        "answered_elsewhere": ticket.outside_suspected and person.may_approve(),
        "no_data": reply is not None and _may_have_none(office, reply),
        "partly": reply is not None and reply.outcomes.get(Right.ERASURE) is Outcome.FULFILLED,
        "ask_identity": ticket.status in EARLY and not ticket.identified and bool(set(ticket.rights) - UNASKED),
        "not_a_request": ticket.status in EARLY and not withdrawn,
    }
    return tuple(name for name, fits in possible.items() if fits)


def _may_have_none(office: Office, reply: Draft) -> bool:
    """Whether "no data" would say something new about anything that was asked."""
    return any(
        Outcome.NO_DATA in office.texts.outcomes(right) and outcome is Outcome.FULFILLED
        for right, outcome in reply.outcomes.items()
    )
