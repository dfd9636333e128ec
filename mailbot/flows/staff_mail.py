"""A command mail is authenticated and becomes a decision.

A mail counts only when all of this holds: it quotes a one-time token or answers the unguessable Message-ID of a notice;
the token is that sender's own, unused, unexpired; the sender is active staff; where configured, DMARC or DKIM pass; it
is neither automatic nor a forward. Everything else changes nothing: a stranger gets silence and a line in the next
digest, a colleague gets an answer. All commands of a mail happen together or not at all, and only a decision that took
effect uses the token up. Each attempt that fails leaves one entry in the audit chain.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from mailbot.core import one_time
from mailbot.core.command_values import Action, Command, Commands
from mailbot.core.draft import DraftKind, DraftState, NeedKind
from mailbot.core.message import Message
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.core.staff import Actor, Door, StaffMember, by_address
from mailbot.errors import BadInputError, IllegalMoveError, MailbotError
from mailbot.flows import clock, decide, notify, own_mail
from mailbot.flows.decide import Done
from mailbot.flows.office import Office
from mailbot.flows.prepare import Wish
from mailbot.mail.authenticity import judge
from mailbot.store import audit, drafts, messages, outbox, tickets
from mailbot.store.database import Connection
from mailbot.store.drafts import Draft, File
from mailbot.store.outbox import Token
from mailbot.store.tickets import Ticket

READ_ONLY = frozenset({Action.STATUS, Action.HELP})
LANGUAGES = ("fi", "sv", "en")  # staff may write in any of them, whatever the language of the notice
SAME_AGAIN = 3  # answers to the same words under the same subject within an hour; more is a machine (RFC 3834 5)


class Reader(Protocol):
    """Understands the words of staff."""

    def __call__(self, visible_text: str, attachments: Sequence[str], /) -> Commands: ...


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One authenticated command mail."""

    office: Office
    person: StaffMember
    token: Token | None  # None: only an answer can be given
    ticket: Ticket
    message: Message
    now: datetime
    oversize: int = 0  # bytes of a mail too large to be read whole; 0: all of it was read

    @property
    def actor(self) -> Actor:
        return Actor(staff=self.person, door=Door.MAIL)

    @property
    def words(self) -> Mapping[str, Any]:
        words: Mapping[str, Any] = self.office.texts.words(self.person.language)["staff"]
        return words


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
    tokens = _proven(connection, message)
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
    found = _token_of(connection, message, sender)
    why = _objection(office, message, person, found, now, raw)
    if why:
        _refused(connection, office, message, person, found, why, now, ticket_id)
        return
    assert person is not None  # _objection() said so
    assert found is not None
    ticket = tickets.by_id(connection, found.ticket_id)
    case = _Case(
        office=office, person=person, token=found, ticket=ticket, message=message, now=now, oversize=oversize
    )  # fmt: skip
    if found.asked_outside and _denies(office, message.visible_text):
        _carry_out(connection, case, Commands(), denied=True)
        return
    understood = reader(message.visible_text, [item.name for item in message.attachments])
    if any(name.upper() != ticket.reference for name in understood.references):
        _answer(connection, case, unclear=case.words["trouble"]["other_reference"], understood=understood)
    elif understood.unclear or not understood.commands:
        unclear = case.words["unclear"].get(understood.why.value if understood.why else "empty", understood.unclear)
        _answer(connection, case, unclear=str(unclear), understood=understood)
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


def _proven(connection: Connection, message: Message) -> tuple[Token, ...]:
    """The tokens a mail proves: one that it quotes goes before one that its Message-IDs answer."""
    quoted = outbox.tokens(connection, one_time.quoted(message.text), ())
    answered = outbox.tokens(connection, (), message.in_reply_to) or outbox.tokens(connection, (), message.references)
    return (*quoted, *answered)


def _token_of(connection: Connection, message: Message, sender: str) -> Token | None:
    """The token that counts: the newest of the sender's own, else somebody else's (which will be refused)."""
    found = _proven(connection, message)
    return next((token for token in found if token.staff == sender.lower()), next(iter(found), None))


def _denies(office: Office, text: str) -> bool:
    """True when all that was written is that what was seen outside was not the answer, in any language of staff."""
    first = text.strip().split("\n\n")[0]
    said = " ".join(re.sub(r"[^\w\s]", " ", first).lower().split())
    return any(said in office.texts.words(language)["staff"]["not_the_answer"] for language in LANGUAGES)


def _objection(
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
        case = _Case(office=office, person=person, token=token, ticket=ticket, message=message, now=now)
        _answer(connection, case, unclear=text)


def _carry_out(connection: Connection, case: _Case, understood: Commands, *, denied: bool = False) -> None:
    """All commands of a mail, or none; `denied` is the word that what was seen outside was not the answer."""
    done: list[Done] = []
    assert case.token is not None  # obey() found it
    try:
        with connection.begin_nested():
            if denied:
                done.append(decide.not_the_answer(connection, case.ticket.reference, case.actor, now=case.now))
            for command in understood.commands:
                done.append(_do(connection, case, command))
            effective = denied or any(command.action not in READ_ONLY for command in understood.commands)
            if effective and not outbox.use_token(connection, case.token.id, case.now):
                raise IllegalMoveError("the token was used meanwhile", "Reply to the newest mail.")
    except MailbotError as error:
        audit.append(
            connection, now=case.now, event="command_failed", actor=case.actor.id, reference=case.ticket.reference,
            details={"why": str(error)},
        )  # fmt: skip
        _answer(connection, case, unclear=case.words["trouble"]["failed"].format(why=error), understood=understood)
        return
    if _worth_an_answer(understood, done):
        _answer(connection, case, done=done, understood=understood)


def _worth_an_answer(understood: Commands, done: Sequence[Done]) -> bool:
    """A plain approval needs none: the mail that was sent comes as the next news."""
    plain = {command.action for command in understood.commands} == {Action.APPROVE}
    waits = any(item.draft is not None or item.ticket.requester_address == "" for item in done)
    return not plain or waits


def _do(connection: Connection, case: _Case, command: Command) -> Done:
    """One command, by the same flows as on the command line."""
    args, office, actor, now = command.args, case.office, case.actor, case.now
    reference = case.ticket.reference
    if command.action in (Action.APPROVE, Action.ACKNOWLEDGE):
        return _approve(connection, case, command)
    if command.action in _DRAFTING:
        return decide.draft(connection, office, reference, actor, _wish(connection, case, command), now=now)
    if command.action in _QUESTIONS:
        kind, question = _QUESTIONS[command.action], str(args.get("question", ""))
        return decide.ask(connection, office, reference, actor, kind, now=now, question=question)
    return _OTHERS[command.action](connection, case, args)


_QUESTIONS = {
    Action.ASK_IDENTITY: DraftKind.IDENTITY_QUESTION,
    Action.ASK_AUTHORITY: DraftKind.AUTHORITY_QUESTION,
    Action.ASK_CLARIFICATION: DraftKind.CLARIFICATION,
}
_DRAFTING = frozenset({Action.EDIT, Action.FACTS, Action.ATTACH, Action.NO_DATA})


def _approve(connection: Connection, case: _Case, command: Command) -> Done:
    """Approves the draft that stood in the answered mail, and no other."""
    assert case.token is not None  # obey() found it
    kind = "acknowledgement" if command.action is Action.ACKNOWLEDGE else str(command.args.get("what", "main"))
    number = case.token.drafts.get(kind)
    if number is None:
        raise BadInputError(str(case.words["trouble"]["no_draft"]))
    draft = drafts.by_id(connection, number)
    if draft.state is not DraftState.PENDING:
        raise IllegalMoveError(str(case.words["trouble"]["old_version"]))
    if draft.kind is DraftKind.REPLY and case.ticket.outside_suspected and not case.token.asked_outside:
        raise IllegalMoveError(str(case.words["trouble"]["outside"]))
    if draft.needs:
        raise BadInputError(str(case.words["trouble"]["not_ready"]))
    if draft.kind is DraftKind.REPLY and _written_since(connection, case):
        raise IllegalMoveError(str(case.words["trouble"]["news_since"]))
    return decide.approve(
        connection,
        case.office,
        case.ticket.reference,
        case.actor,
        now=case.now,
        fingerprint_given=draft.fingerprint,
        open_lines=[str(line) for line in command.args.get("open", ())],
        confirmed=case.token.asked_outside,
    )


def _written_since(connection: Connection, case: _Case) -> bool:
    """True when the requester has written after the answered mail was made: that may be a withdrawal."""
    if case.token is None:
        return False
    made_at = case.token.made_at
    return any(
        item.direction == "in" and item.kind == "follow_up" and item.received_at > made_at
        for item in messages.of_ticket(connection, case.ticket.id)
    )


def _wish(connection: Connection, case: _Case, command: Command) -> Wish:
    args = command.args
    kind = _main_kind(connection, case)
    if command.action is Action.EDIT:
        return Wish(kind=kind, text=str(args["text"]))
    if command.action is Action.ATTACH:
        named = {str(name) for name in args["names"]}
        _whole(case, named)
        return Wish(
            kind=kind,
            files=[
                File(name=item.name, type=item.type, content=item.content)
                for item in case.message.attachments
                if item.name in named
            ],
        )
    if command.action is Action.NO_DATA:
        possible = case.office.texts.outcomes
        rights = [right for right in case.ticket.rights if Outcome.NO_DATA in possible(right)]
        return Wish(outcomes=dict.fromkeys(rights, Outcome.NO_DATA))
    return Wish(kind=kind, values=_facts(connection, case, args))


def _whole(case: _Case, named: set[str]) -> None:
    """Raises BadInputError for a file that was not read because the mail is too large."""
    for item in case.message.attachments:
        if item.name in named and case.oversize and not item.content:
            size = f"{case.oversize / 2**20:.0f} MB"
            raise BadInputError(str(case.words["trouble"]["too_large"]).format(name=item.name, size=size))


def _main_kind(connection: Connection, case: _Case) -> DraftKind:
    number = case.token.drafts.get("main") if case.token else None
    return drafts.by_id(connection, number).kind if number else DraftKind.REPLY


def _facts(connection: Connection, case: _Case, args: Mapping[str, Any]) -> dict[str, str]:
    """Facts by the name of their need; a bare text fills the first text that the draft waits for."""
    if args.get("values"):
        return {str(name): str(value) for name, value in args["values"].items()}
    text = str(args.get("text", "")).strip()
    draft = drafts.newest(connection, case.ticket.id, _main_kind(connection, case))
    if draft is not None:
        waiting = next((need.name for need in draft.needs if need.kind is NeedKind.TEXT), None)
        given = next((name for name in draft.values if name.rpartition(".")[2] == "correction"), None)
        if waiting or given:
            return {str(waiting or given): text}
    raise BadInputError(str(case.words["trouble"]["nothing_to_fill"]))


def _refuse(connection: Connection, case: _Case, args: Mapping[str, Any]) -> Done:
    ground = Ground(args["ground"]) if args.get("ground") else None
    return decide.refuse(
        connection, case.office, case.ticket.reference, case.actor,
        now=case.now, ground=ground, reasons=str(args.get("reasons", "")),
    )  # fmt: skip


def _answered(connection: Connection, case: _Case, args: Mapping[str, Any]) -> Done:
    on = _day(str(args["on"]), clock.today(case.office, case.now)) if args.get("on") else None
    how = str(args.get("how", "email"))
    return decide.answered(connection, case.office, case.ticket.reference, case.actor, now=case.now, on=on, how=how)


def _day(text: str, today: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        found = re.match(r"(\d{1,2})\.(\d{1,2})\.(\d{4})?", text)
        try:
            if found:
                return date(int(found[3] or today.year), int(found[2]), int(found[1]))
        except ValueError:
            pass
    raise BadInputError(f"{text!r} is not a day", "Write it as 2026-11-18 or 18.11.2026.")


def _reject(connection: Connection, case: _Case, args: Mapping[str, Any]) -> Done:
    kind = _main_kind(connection, case)
    reason = str(args.get("reason", ""))
    return decide.reject(connection, case.ticket.reference, case.actor, now=case.now, kind=kind, reason=reason)


def _reclassify(connection: Connection, case: _Case, args: Mapping[str, Any]) -> Done:
    rights = [Right(value) for value in args["rights"]]
    return decide.reclassify(connection, case.office, case.ticket.reference, case.actor, rights, now=case.now)


def _extend(connection: Connection, case: _Case, args: Mapping[str, Any]) -> Done:
    reason = str(args.get("reason", ""))
    return decide.extend(connection, case.office, case.ticket.reference, case.actor, now=case.now, reason=reason)


def _assign(connection: Connection, case: _Case, args: Mapping[str, Any]) -> Done:
    return decide.assign(connection, case.office, case.ticket.reference, case.actor, now=case.now, to=str(args["to"]))


_OTHERS: Mapping[Action, Callable[[Connection, _Case, Mapping[str, Any]], Done]] = {
    Action.REJECT: _reject,
    Action.RECLASSIFY: _reclassify,
    Action.NOT_A_REQUEST: lambda connection, case, args: decide.dismiss(
        connection, case.ticket.reference, case.actor, now=case.now, reason=str(args.get("reason", ""))
    ),
    Action.EXTEND: _extend,
    Action.REFUSE: _refuse,
    Action.ANSWERED_ELSEWHERE: _answered,
    Action.NOTE: lambda connection, case, args: decide.note(
        connection, case.ticket.reference, case.actor, now=case.now, text=str(args["text"])
    ),
    Action.ASSIGN: _assign,
    Action.STATUS: lambda _connection, case, _args: Done(ticket=case.ticket, what="status"),
    Action.HELP: lambda _connection, case, _args: Done(ticket=case.ticket, what="status"),
}


def _answer(
    connection: Connection,
    case: _Case,
    *,
    done: Sequence[Done] = (),
    unclear: str = "",
    understood: Commands | None = None,
) -> None:
    """The result of a command mail, with what waits for approval and a new token; capped for each address and hour."""
    office, now = case.office, case.now
    if not _may_answer(connection, case):
        return
    ticket = tickets.by_id(connection, case.ticket.id)
    made = next((item.draft for item in reversed(done) if item.draft is not None), None)
    heard = understood.heard if understood else ()
    facts = {
        "done": [line(item, case.words, office.texts.words(case.person.language)) for item in done],
        "unclear": unclear,
        "understood": [action.value for action in heard],
        "next": [],
    }
    notify.tell(
        connection,
        office,
        ticket,
        "command_result",
        now=now,
        to=[case.person],
        facts=facts,
        main=_still_pending(connection, made),
        in_reply_to=case.message.message_id,
        asks_outside=str(case.words["trouble"]["outside"]) in unclear,
    )


def _may_answer(connection: Connection, case: _Case) -> bool:
    """Counts one answer. A cap holds for each address and hour, a lower one for the same words again (RFC 3834 5).

    The answer that reaches the cap says so, to all staff, and is the last one; approved replies know no cap.
    """
    office, now, address = case.office, case.now, case.person.address
    hour = now - timedelta(hours=1)
    words = f"{case.message.subject}\n{case.message.visible_text}"
    same = f"{address} {outbox.hashed(words)}"
    had, again = (outbox.answers_between(connection, name, hour, now) for name in (address, same))
    if had >= office.options.staff_answers_per_hour or again >= SAME_AGAIN:
        return False
    for name in (address, same):
        outbox.note_answer(connection, name, case.ticket.reference, now)
    if had + 1 < office.options.staff_answers_per_hour:
        return True
    audit.append(connection, now=now, event="answers_capped", actor="mailbot", reference=case.ticket.reference)
    own_mail.alarm_staff(connection, office, office.active_staff(), ("trouble", "limit"), address, "", now)
    return False


def _still_pending(connection: Connection, draft: Draft | None) -> Draft | None:
    if draft is None:
        return None
    fresh = drafts.by_id(connection, draft.id)
    return fresh if fresh.state is DraftState.PENDING else None


def line(done: Done, words: Mapping[str, Any], names: Mapping[str, Any]) -> str:
    """What a decision did, in one line of the reader's language."""
    what = "approved_paper" if done.what == "approved" and not done.ticket.requester_address else done.what
    template = str(words["done"].get(what, what))
    return template.format(
        draft=words["drafts"].get(done.detail, done.detail),
        detail=done.detail,
        rights=", ".join(str(names["rights"][right.value]) for right in done.ticket.rights),
        status=words["statuses"][done.ticket.status.value],
        due_on=f"{done.ticket.due_on.day}.{done.ticket.due_on.month}.{done.ticket.due_on.year}",
    )
