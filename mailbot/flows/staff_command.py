"""One command of an authenticated mail becomes one decision, by the same flows as on the command line.

An approval covers the draft that stood in the answered mail and no other. What a command lacks raises an error that the
mail's sender reads; whether the others of the same mail still happen is decided by the caller.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from mailbot.core.command_values import Action, Command
from mailbot.core.controller import LANGUAGES
from mailbot.core.draft import DraftKind, DraftState, NeedKind
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.errors import BadInputError, IllegalMoveError, Reason
from mailbot.flows import clock, decide
from mailbot.flows.copies import copies_awaited
from mailbot.flows.decide import Done
from mailbot.flows.plan import Wish
from mailbot.flows.staff_case import Case
from mailbot.store import drafts, messages
from mailbot.store.database import Connection
from mailbot.store.drafts import File


def obey_one(connection: Connection, case: Case, command: Command) -> Done:
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


def _approve(connection: Connection, case: Case, command: Command) -> Done:
    """Approves the draft that stood in the answered mail, and no other."""
    assert case.token is not None  # obey() found it
    kind = "acknowledgement" if command.action is Action.ACKNOWLEDGE else str(command.args.get("what", "main"))
    number = case.token.drafts.get(kind)
    if number is None:
        raise BadInputError(Reason("the draft can not be approved", "no_draft"))
    draft = drafts.by_id(connection, number)
    if draft.state is not DraftState.PENDING:
        raise IllegalMoveError(Reason("the draft can not be approved", "old_version"))
    if draft.kind is DraftKind.REPLY and case.ticket.outside_suspected and not case.token.asked_outside:
        raise IllegalMoveError(Reason("the draft can not be approved", "outside"))
    if draft.needs:
        raise BadInputError(Reason("the draft can not be approved", "not_ready"))
    if draft.kind is DraftKind.REPLY and written_since(connection, case):
        raise IllegalMoveError(Reason("the draft can not be approved", "news_since"))
    warned = any(item["rule"] == "copy_first" for item in draft.findings)  # the answered mail said so
    if draft.kind is DraftKind.REPLY and not warned and copies_awaited(connection, case.ticket, draft.outcomes):
        raise IllegalMoveError(Reason("the draft can not be approved", "copy_first"))
    return decide.approve(
        connection,
        case.office,
        case.ticket.reference,
        case.actor,
        now=case.now,
        fingerprint_given=draft.fingerprint,
        open_lines=[str(line) for line in command.args.get("open", ())],
        confirmed=True,  # what has to be confirmed stood in the answered mail, or was refused above
    )


def written_since(connection: Connection, case: Case) -> bool:
    """True when the requester has written what the answered mail did not know of yet: that may be a withdrawal."""
    if case.token is None:
        return False
    known = case.token.last_message
    return any(
        item.direction == "in" and item.kind == "follow_up" and item.id > known
        for item in messages.of_ticket(connection, case.ticket.id)
    )


def _wish(connection: Connection, case: Case, command: Command) -> Wish:
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
    given = {str(name): str(value) for name, value in args.get("values", {}).items()}
    outcomes = _outcomes(case, given)
    left = {name: value for name, value in given.items() if not _names_outcome(case, name)}
    values = left if given else _facts(connection, case, args)
    return Wish(kind=kind, values=values, outcomes=outcomes)


def _outcome_words(case: Case) -> dict[str, list[str]]:
    """How the fact "outcome" and its values are named, in every language of staff."""
    tables = [case.office.texts.words(language)["staff"]["outcome_words"] for language in LANGUAGES]
    return {key: [word for table in tables for word in table[key]] for key in tables[0]}


def _names_outcome(case: Case, name: str) -> bool:
    return name.rpartition(".")[2] in _outcome_words(case)["name"]


def _outcomes(case: Case, given: Mapping[str, str]) -> dict[Right, Outcome]:
    """What facts called "outcome" say: of one right as "erasure.outcome", else of all that can end so."""
    known = {word: key for key, words in _outcome_words(case).items() if key != "name" for word in words}
    possible = case.office.texts.outcomes
    found: dict[Right, Outcome] = {}
    for name, value in given.items():
        if not _names_outcome(case, name):
            continue
        if value.lower() not in known:
            what = Reason(f"{value!r} is no outcome", "no_such_choice", name=value, known=", ".join(known))
            raise BadInputError(what, f"Choose one of {', '.join(known)}.")
        outcome, prefix = Outcome(known[value.lower()]), name.rpartition(".")[0]
        rights = [right for right in case.ticket.rights if right.value == prefix or not prefix]
        found |= {right: outcome for right in rights if prefix or outcome in possible(right)}
    return found


def _whole(case: Case, named: set[str]) -> None:
    """Raises BadInputError for a file that was not read because the mail is too large."""
    for item in case.message.attachments:
        if item.name in named and case.oversize and not item.content:
            size = f"{case.oversize / 2**20:.0f} MB"
            raise BadInputError(Reason(f"{item.name} is too large ({size})", "too_large", name=item.name, size=size))


def _main_kind(connection: Connection, case: Case) -> DraftKind:
    number = case.token.drafts.get("main") if case.token else None
    return drafts.by_id(connection, number).kind if number else DraftKind.REPLY


def _facts(connection: Connection, case: Case, args: Mapping[str, Any]) -> dict[str, str]:
    """A bare text fills the first text that the draft waits for."""
    text = str(args.get("text", "")).strip()
    draft = drafts.newest(connection, case.ticket.id, _main_kind(connection, case))
    if draft is not None:
        waiting = next((need.name for need in draft.needs if need.kind is NeedKind.TEXT), None)
        given = next((name for name in draft.values if name.rpartition(".")[2] == "correction"), None)
        if waiting or given:
            return {str(waiting or given): text}
    raise BadInputError(Reason("the draft waits for no fact", "nothing_to_fill"))


def _refuse(connection: Connection, case: Case, args: Mapping[str, Any]) -> Done:
    ground = Ground(args["ground"]) if args.get("ground") else None
    return decide.refuse(
        connection, case.office, case.ticket.reference, case.actor,
        now=case.now, ground=ground, reasons=str(args.get("reasons", "")),
    )  # fmt: skip


def _answered(connection: Connection, case: Case, args: Mapping[str, Any]) -> Done:
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
    raise BadInputError(Reason(f"{text!r} is not a day", "no_day", said=text), "Write it as 2026-11-18 or 18.11.2026.")


def _reject(connection: Connection, case: Case, args: Mapping[str, Any]) -> Done:
    kind = _main_kind(connection, case)
    reason = str(args.get("reason", ""))
    return decide.reject(connection, case.ticket.reference, case.actor, now=case.now, kind=kind, reason=reason)


def _reclassify(connection: Connection, case: Case, args: Mapping[str, Any]) -> Done:
    rights = [Right(value) for value in args["rights"]]
    return decide.reclassify(connection, case.office, case.ticket.reference, case.actor, rights, now=case.now)


def _extend(connection: Connection, case: Case, args: Mapping[str, Any]) -> Done:
    reason = str(args.get("reason", ""))
    return decide.extend(connection, case.office, case.ticket.reference, case.actor, now=case.now, reason=reason)


def _assign(connection: Connection, case: Case, args: Mapping[str, Any]) -> Done:
    return decide.assign(connection, case.office, case.ticket.reference, case.actor, now=case.now, to=str(args["to"]))


_OTHERS: Mapping[Action, Callable[[Connection, Case, Mapping[str, Any]], Done]] = {
    Action.REJECT: _reject,
    Action.RECLASSIFY: _reclassify,
    Action.NOT_A_REQUEST: lambda connection, case, args: decide.dismiss(
        connection, case.ticket.reference, case.actor, now=case.now, reason=str(args.get("reason", ""))
    ),
    Action.EXTEND: _extend,
    Action.REFUSE: _refuse,
    Action.WITHDRAWN: lambda connection, case, _args: decide.withdraw(
        connection, case.ticket.reference, case.actor, now=case.now
    ),
    Action.ANSWERED_ELSEWHERE: _answered,
    Action.NOTE: lambda connection, case, args: decide.note(
        connection, case.ticket.reference, case.actor, now=case.now, text=str(args["text"])
    ),
    Action.ASSIGN: _assign,
    Action.STATUS: lambda _connection, case, _args: Done(ticket=case.ticket, what="status"),
    Action.HELP: lambda _connection, case, _args: Done(ticket=case.ticket, what="status"),
}
