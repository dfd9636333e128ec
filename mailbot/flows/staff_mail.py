"""A command mail is authenticated and becomes a decision.

A mail counts only when all of this holds: it quotes a one-time token or answers the unguessable Message-ID of a notice;
the token is that sender's own, unused, unexpired; the sender is active staff; where configured, DMARC or DKIM pass; it
is neither automatic nor a forward. Everything else changes nothing: a stranger gets silence and a line in the next
digest, a colleague gets an answer. All commands of a mail happen together or not at all, and only a decision that took
effect uses the token up. Each attempt that fails leaves one entry in the audit chain.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from mailbot.core import one_time
from mailbot.core.command_values import Action, Commands
from mailbot.core.message import Message
from mailbot.core.staff import StaffMember, by_address
from mailbot.errors import IllegalMoveError, MailbotError, Reason
from mailbot.flows import decide
from mailbot.flows.decide import Done
from mailbot.flows.office import Office
from mailbot.flows.staff_answer import answer, explained
from mailbot.flows.staff_case import Case
from mailbot.flows.staff_command import obey_one
from mailbot.flows.staff_proof import objection, proven, token_of
from mailbot.store import audit, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.outbox import Token

READ_ONLY = frozenset({Action.STATUS, Action.HELP})

LANGUAGES = ("fi", "sv", "en")  # staff may write in any of them, whatever the language of the notice


class Reader(Protocol):
    """Understands the words of staff."""

    def __call__(self, visible_text: str, attachments: Sequence[str], /) -> Commands: ...


def is_about_a_token(connection: Connection, message: Message) -> bool:
    """True when a mail quotes something that looks like a token, or answers a mail of ours to staff."""
    if one_time.quoted(message.text):
        return True
    ids = (*message.in_reply_to, *message.references)
    if not ids:
        return False
    return bool(outbox.tokens(connection, (), ids)) or any(
        mail.audience == "staff" for mail in outbox.by_message_ids(connection, ids)
    )


def ticket_of(connection: Connection, message: Message) -> int | None:
    """The ticket of the token a mail proves, or of the mail to staff that it answers."""
    tokens = proven(connection, message)
    if tokens:
        return tokens[0].ticket_id
    ours = outbox.by_message_ids(connection, (*message.in_reply_to, *message.references))
    return next((mail.ticket_id for mail in ours if mail.ticket_id is not None), None)


def obey(
    connection: Connection,
    office: Office,
    message: Message,
    reader: Reader,
    *,
    now: datetime,
    ticket_id: int | None = None,
    raw: bytes = b"",
    oversize: int = 0,
) -> None:
    """Does what an authenticated command mail says, or answers why nothing was done.

    `ticket_id` is the ticket that a mail without a token is about, so that its answer can bring a token. `raw` are the
    bytes as received, for a DKIM check of our own; `oversize` is the size of a mail too large for its files to be read.
    """
    sender = message.sender.address if message.sender else ""
    person = by_address(office.staff, sender) if sender else None
    found = token_of(connection, message, sender)
    why = objection(office, message, person, found, now, raw)
    if why:
        _refused(connection, office, message, person, found, why, now, ticket_id)
        return
    assert person is not None  # objection() said so
    assert found is not None
    ticket = tickets.by_id(connection, found.ticket_id)
    case = Case(
        office=office, person=person, token=found, ticket=ticket, message=message, now=now, oversize=oversize
    )  # fmt: skip
    if found.asked_outside and _denies(office, message.visible_text):
        _carry_out(connection, case, Commands(), denied=True)
        return
    understood = reader(message.visible_text, [item.name for item in message.attachments])
    if any(name.upper() != ticket.reference for name in understood.references):
        answer(connection, case, unclear=case.words["trouble"]["other_reference"], understood=understood)
    elif understood.unclear or not understood.commands:
        unclear = case.words["unclear"].get(understood.why.value if understood.why else "empty", understood.unclear)
        answer(connection, case, unclear=str(unclear), understood=understood)
    else:
        _carry_out(connection, case, understood)


def copied(connection: Connection, message: Message, now: datetime) -> None:
    """The very mail that was obeyed lies here once more (a copy, or a replay): written down, nothing else happens."""
    about = ticket_of(connection, message)
    reference = tickets.by_id(connection, about).reference if about else ""
    sender = message.sender.address if message.sender else ""
    audit.append(
        connection, now=now, event="command_refused", actor="outside", reference=reference,
        details={"why": "copy", "from": sender},
    )  # fmt: skip


def _denies(office: Office, text: str) -> bool:
    """True when all that was written is that what was seen outside was not the answer, in any language of staff."""
    first = text.strip().split("\n\n")[0]
    said = " ".join(re.sub(r"[^\w\s]", " ", first).lower().split())
    return any(said in office.texts.words(language)["staff"]["not_the_answer"] for language in LANGUAGES)


def _refused(
    connection: Connection,
    office: Office,
    message: Message,
    person: StaffMember | None,
    token: Token | None,
    why: str,
    now: datetime,
    ticket_id: int | None,
) -> None:
    """Nothing happens; the attempt is in the audit, strangers stand in the next digest, colleagues are answered."""
    about = token.ticket_id if token else ticket_id if ticket_id else ticket_of(connection, message)
    ticket = tickets.by_id(connection, about) if about else None
    outside = person is None or not person.active
    audit.append(
        connection,
        now=now,
        event="command_refused",
        actor="outside" if outside or person is None else f"staff:{person.name}",
        reference=ticket.reference if ticket else "",
        details={"why": why, "from": message.sender.address if message.sender else ""},
    )
    if why == "automatic":
        return
    outbox.note_refusal(
        connection,
        now=now,
        why=why,
        ticket_id=ticket.id if ticket else None,
        outside=outside,
        sender=message.sender.address if message.sender else "",
    )
    if outside or person is None:
        return
    if ticket is not None:
        text = str(office.texts.words(person.language)["staff"]["trouble"][why])
        case = Case(office=office, person=person, token=token, ticket=ticket, message=message, now=now)
        answer(connection, case, unclear=text)


def _carry_out(connection: Connection, case: Case, understood: Commands, *, denied: bool = False) -> None:
    """All commands of a mail, or none; `denied` is the word that what was seen outside was not the answer."""
    done: list[Done] = []
    assert case.token is not None  # obey() found it
    try:
        with connection.part():
            if denied:
                done.append(decide.not_the_answer(connection, case.ticket.reference, case.actor, now=case.now))
            for command in understood.commands:
                done.append(obey_one(connection, case, command))
            effective = denied or any(command.action not in READ_ONLY for command in understood.commands)
            if effective and not outbox.use_token(connection, case.token.id, case.now):
                raise IllegalMoveError(Reason("the token was used meanwhile", "replay"), "Reply to the newest mail.")
    except MailbotError as error:
        audit.append(
            connection, now=case.now, event="command_failed", actor=case.actor.id, reference=case.ticket.reference,
            details={"why": str(error)},
        )  # fmt: skip
        asks_outside = any(reason.key == "outside" for reason in error.reasons)
        why = case.words["trouble"]["failed"].format(
            why=explained(error, case.office.texts.words(case.person.language))
        )
        answer(connection, case, unclear=why, understood=understood, asks_outside=asks_outside)
        return
    if _worth_an_answer(understood, done):
        answer(connection, case, done=done, understood=understood)


def _worth_an_answer(understood: Commands, done: Sequence[Done]) -> bool:
    """A plain approval needs none: the mail that was sent comes as the next news."""
    plain = {command.action for command in understood.commands} == {Action.APPROVE}
    waits = any(item.draft is not None or item.ticket.requester_address == "" for item in done)
    return not plain or waits
