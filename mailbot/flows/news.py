"""A notice about an open ticket that begins with what is new, in its subject and in its first lines."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mailbot.flows import notify
from mailbot.flows.office import Office
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft
from mailbot.store.tickets import Ticket


def tell_news(
    connection: Connection,
    office: Office,
    ticket: Ticket,
    news: Sequence[str],
    now: datetime,
    *,
    address: str = "",
    name: str = "",
    flags: Sequence[str] = (),
    but: str = "",
    main: Draft | None = None,
) -> None:
    """A notice to all who are reached, or to the approvers other than `but`; the first of `news` names its subject.

    `flags` of a message that came are told as warnings where the ticket does not have them yet.
    """
    for person in notify.reached(office, now):
        if but and (person.address.lower() == but.lower() or not person.may_approve()):
            continue
        words = office.texts.words(person.language)["staff"]
        facts = news_facts(words, news, address=address, name=name)
        look = [str(words["flags"][flag]) for flag in flags if flag not in ticket.flags]
        notify.tell(
            connection, office, ticket, "notice",
            now=now, to=[person], main=main, withdrawn="withdrawal" in news, facts={**facts, "more_warnings": look},
        )  # fmt: skip


def news_facts(words: Mapping[str, Any], news: Sequence[str], *, address: str = "", name: str = "") -> dict[str, Any]:
    """The subject and the first lines of a notice that tells news; `words` is the table `staff` of a language."""
    return {
        "headline": str(words["headlines"].get(news[0], "")),
        "news": [str(words["news"][one]).format(address=address, name=name) for one in news],
    }
