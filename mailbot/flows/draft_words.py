"""The words of a draft: those of the template, or staff's own, with the facts about the ticket that any text may use.

A one-time code never stands in them, and every final reply names the authority (GDPR 12(4)), whoever wrote it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mailbot.core import one_time
from mailbot.core.draft import DraftKind
from mailbot.core.letter import ReplyItem, Text
from mailbot.errors import BadInputError, Reason
from mailbot.flows import clock
from mailbot.flows.office import Office
from mailbot.flows.plan import Plan, Wish
from mailbot.store.drafts import Draft
from mailbot.store.messages import StoredMessage
from mailbot.store.tickets import Ticket

SPOKE_AGAINST = frozenset({"dmarc_fail", "dkim_fail", "spf_fail"})


def template_words(
    office: Office, ticket: Ticket, received: Sequence[StoredMessage], wish: Wish, plan: Plan, now: datetime
) -> Text:
    """The words of the template."""
    facts = facts_of(office, ticket, received, now)
    if wish.kind is DraftKind.REPLY:
        return office.texts.reply(ticket.language, plan.items, facts)
    return office.texts.letter(wish.kind.value, ticket.language, {**facts, **_letter_facts(office, ticket, wish, plan)})


def words_of_version(ticket_text: Text, wish: Wish, plan: Plan, before: Draft | None) -> Text:
    """The words of the version: new ones from staff, their earlier ones, or those of the template."""
    if one_time.quoted("\n".join([wish.text or "", *wish.values.values()])):
        what = Reason("the text holds a part of the mail to staff", "text_of_ours")
        raise BadInputError(what, "Write the new text alone, without quoting.")
    if wish.text is not None:
        return Text(subject=before.subject if before else ticket_text.subject, body=wish.text.strip("\n") + "\n")
    if before and before.edited and before.outcomes == plan.outcomes and not wish.values:
        return Text(subject=before.subject, body=before.text)  # staff's own words stay when only a file is added
    return ticket_text


def _letter_facts(office: Office, ticket: Ticket, wish: Wish, plan: Plan) -> dict[str, Any]:
    extra: dict[str, Any] = {**plan.values}
    if wish.kind is DraftKind.EXTENSION_NOTICE:
        longer = clock.reckon(office, ticket.received_at, ticket.rights, extended=True)
        extra |= {"due_on": ticket.one_month_on, "new_due_on": longer.due_on}
    return extra


def facts_of(office: Office, ticket: Ticket, received: Sequence[StoredMessage], now: datetime) -> dict[str, Any]:
    """The facts that every text about a ticket may use; `received` are its messages."""
    first = next((item for item in received if item.direction == "in"), None)
    return {
        "controller": office.controller,
        "contact": office.sender_address,
        "reference": ticket.reference,
        "requester_name": ticket.requester_name,
        "today": clock.today(office, now),
        "received_on": clock.today(office, ticket.received_at),
        "due_on": ticket.due_on,
        "explanation_short": ticket.explanations.get("short", {}),
        "original_subject": first.subject if first else "",
        "items": tuple(ReplyItem(right=right) for right in ticket.rights),
        "channel": ticket.channel.value,
        "by_mail": bool(ticket.requester_address),
        "why_asked": "unverified" if _doubtful(ticket) else ticket.channel.value,
    }


def _doubtful(ticket: Ticket) -> bool:
    """Whether a check of the sending server spoke against the address, and none that is aligned spoke for it."""
    return bool(set(ticket.authenticity) & SPOKE_AGAINST) and "dmarc_pass" not in ticket.authenticity
