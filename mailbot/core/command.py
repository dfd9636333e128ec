"""Grammar of staff commands: what a reply to a notice would do.

Doubt never counts as approval. An approving clause may hold only words known to be harmless; a question, a negation,
a condition, a later time or any sentence that is not understood beside it makes the mail unclear, and an unclear mail
does nothing. So "ok", "kyllä" or a thumb alone is no approval: it may only say "I have read it", and the answer tells
how to say it. A command that changes the draft takes an approval in the same mail with it: nobody has
seen the new draft yet.
Nothing here knows tickets, tokens or people; whether a command may be given is decided by the flows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mailbot.core.command_ending import beyond_signature
from mailbot.core.command_reading import Own, read_own
from mailbot.core.command_scan import scan
from mailbot.core.command_values import CHANGES_DRAFT, SENTENCES, Action, Command, Commands, Heard, Why
from mailbot.core.command_words import CommandWords, fold

_ENDINGS = frozenset({Action.REJECT, Action.NOT_A_REQUEST, Action.ANSWERED_ELSEWHERE, Action.REFUSE, Action.WITHDRAWN})
_BESIDE = frozenset({Action.NOTE, Action.ASSIGN, Action.STATUS, Action.HELP, Action.ACKNOWLEDGE})


def understand(visible_text: str, attachments: Sequence[str], quoted: str = "", *, words: CommandWords) -> Commands:
    """What a staff reply would do.

    `attachments` are the file names of the mail. `quoted` is what the mail reader has already cut off; callers may
    hand over all they have, and it never counts.
    """
    del quoted
    own = read_own(visible_text, words)
    files = files_of_writer(attachments, words)
    heard = scan(own, files, words)
    return weigh(replace(heard, doubts=heard.doubts + _taken_back(own, words)), files)


def _taken_back(own: Own, words: CommandWords) -> tuple[Why, ...]:
    """What is said behind the writer's name, read as the body is; an order there counts as a doubt."""
    text = beyond_signature(own, words)
    if not text:
        return ()
    heard = scan(Own(text=text, ending=len(text), again=len(text)), (), words)
    orders = any(command.action is not Action.APPROVE for command in heard.commands)
    missing = () if heard.missing is None else (heard.missing,)
    return (*heard.doubts, *missing, *((Why.CONTRADICTION,) if orders else ()))


def weigh(heard: Heard, files: Sequence[str]) -> Commands:
    """Turn what was heard into what is done."""
    actions = tuple(dict.fromkeys(command.action for command in heard.commands))
    why = _objection(heard, set(actions), files)
    if why is not None:
        return Commands(unclear=SENTENCES[why], why=why, heard=actions, references=heard.references)
    changes = any(action in CHANGES_DRAFT for action in actions)
    kept = [command for command in heard.commands if not (changes and command.action is Action.APPROVE)]
    dropped = (Action.APPROVE,) if changes and Action.APPROVE in actions else ()
    return Commands(commands=_merged(kept), heard=actions, dropped=dropped, references=heard.references)


def _objection(heard: Heard, actions: set[Action], files: Sequence[str]) -> Why | None:
    """Why nothing may be done; None when all is clear."""
    if heard.missing is not None:
        return heard.missing
    if not actions:
        return _nothing_heard(heard, files)
    if len(actions & _ENDINGS) > 1 or (Action.APPROVE in actions and actions & _ENDINGS):
        return Why.CONTRADICTION
    if Action.APPROVE in actions or Action.ACKNOWLEDGE in actions:
        if heard.doubts:
            return heard.doubts[0]
        if files and Action.ATTACH not in actions and actions <= _BESIDE | {Action.APPROVE}:
            return Why.ATTACHMENT_UNNAMED
    if heard.words_before > 25:
        return Why.NOT_UNDERSTOOD
    return None


def _nothing_heard(heard: Heard, files: Sequence[str]) -> Why:
    if heard.doubts:
        return heard.doubts[0]
    if heard.words:
        return Why.ONLY_POLITENESS
    return Why.ONLY_ATTACHMENT if files else Why.EMPTY


def _merged(commands: Sequence[Command]) -> tuple[Command, ...]:
    """One command for each action but notes; what later ones add is added."""
    merged: dict[tuple[Action, str], Command] = {}
    for command in commands:
        what = command.args.get("text", "") if command.action is Action.NOTE else command.args.get("what", "")
        before = merged.get((command.action, what))
        args = _added(before.args, command.args) if before else dict(command.args)
        merged[(command.action, what)] = Command(action=command.action, args=args)
    return tuple(merged.values())


def _added(before: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of two orders of one kind: facts are collected, lists joined, and of anything else the later counts."""
    found = {**before, **later}
    for name in before.keys() & later.keys():
        if isinstance(before[name], Mapping):
            found[name] = {**before[name], **later[name]}
        elif isinstance(before[name], list):
            found[name] = [*before[name], *(item for item in later[name] if item not in before[name])]
    if "text" in before and "text" in later and before["text"] != later["text"]:
        found["text"] = f"{before['text']}\n{later['text']}"
    return found


def files_of_writer(attachments: Sequence[str], words: CommandWords) -> tuple[str, ...]:
    """File names without what mail programs add by themselves: logos, signatures, cards."""
    furniture = words.furniture.signature_files
    endings = (".p7s", ".vcf", ".asc", ".ics", ".dat")
    return tuple(
        name
        for name in attachments
        if name and not fold(name).startswith(furniture) and not fold(name).endswith(endings)
    )


__all__ = ["SENTENCES", "Action", "Command", "Commands", "Why", "understand"]
