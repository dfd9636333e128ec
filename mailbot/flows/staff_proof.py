"""Whether a mail may command anything: whose token it proves, and what speaks against it.

A token counts when it is quoted or when its notice is answered; for its own staff member only, once, and not for ever.
From alone proves nothing. Nothing is changed or answered here.
"""

from datetime import datetime

from mailbot.core import one_time
from mailbot.core.message import Message
from mailbot.core.staff import StaffMember
from mailbot.flows.office import Office
from mailbot.mail.authenticity import judge
from mailbot.store import outbox
from mailbot.store.database import Connection
from mailbot.store.outbox import Token


def proven(connection: Connection, message: Message) -> tuple[Token, ...]:
    """The tokens a mail proves: one that it quotes goes before one that its Message-IDs answer."""
    quoted = outbox.tokens(connection, one_time.quoted(message.text), ())
    answered = outbox.tokens(connection, (), message.in_reply_to) or outbox.tokens(connection, (), message.references)
    return (*quoted, *answered)


def token_of(connection: Connection, message: Message, sender: str) -> Token | None:
    """The token that counts: the newest of the sender's own, else somebody else's (which will be refused)."""
    found = proven(connection, message)
    return next((token for token in found if token.staff == sender.lower()), next(iter(found), None))


def objection(
    office: Office, message: Message, person: StaffMember | None, token: Token | None, now: datetime, raw: bytes
) -> str:
    """Why a mail may not command anything, "" when it may."""
    if message.automatic:
        return "automatic"
    if person is None:
        return "stranger"
    if not person.active:
        return "left"
    if token is None:
        return "no_token"
    if token.staff != person.address.lower():
        return "stolen"
    if message.forward is not None:
        return "forwarded"
    if token.used_at is not None:
        return "replay"
    if token.expires_at <= now:
        return "expired"
    return _unproven(office, message, raw)


def _unproven(office: Office, message: Message, raw: bytes) -> str:
    """Beyond the token, what the configuration asks for: DMARC or DKIM, by our server's word or our own check."""
    wanted = office.options.staff_mail
    if wanted == "token":
        return ""
    proof = judge(message, office.options.authserv_id)
    passed = proof.dmarc_aligned if wanted == "token+dmarc" else proof.dkim_aligned
    if not passed and office.signed_by_sender is not None and message.sender is not None:
        passed = office.signed_by_sender(raw, message.sender.address)  # aligned DKIM makes DMARC pass (RFC 7489 4.2)
    return "" if passed else "not_authentic"
