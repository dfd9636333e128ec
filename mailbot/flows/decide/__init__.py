"""Decisions of staff, from whichever door: approve, reject, edit, extend, ask, refuse, close.

The rule: a decision takes the ticket as it is in this transaction, checks the person, moves the status by the table,
and writes its audit entry, or changes nothing. Command line and staff mail call the same functions, from here.
"""

from mailbot.flows.decide.approval import approve, reject, undo_approval
from mailbot.flows.decide.done import Done, back_to_drafted, local_noon
from mailbot.flows.decide.ending import answered, close, closing_facts, dismiss, not_the_answer, reopen, withdraw
from mailbot.flows.decide.handling import (
    assign,
    correct_receipt,
    end_task,
    hold,
    identified,
    link,
    merge,
    note,
    reclassify,
)
from mailbot.flows.decide.wording import ask, draft, extend, lift, refuse

__all__ = [
    "Done",
    "answered",
    "approve",
    "ask",
    "assign",
    "back_to_drafted",
    "close",
    "closing_facts",
    "correct_receipt",
    "dismiss",
    "draft",
    "end_task",
    "extend",
    "hold",
    "identified",
    "lift",
    "link",
    "local_noon",
    "merge",
    "not_the_answer",
    "note",
    "reclassify",
    "refuse",
    "reject",
    "reopen",
    "undo_approval",
    "withdraw",
]
