"""What staff can order, and what a reply was understood to order. Values only; the grammar is in command.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """What staff can order. The arguments of each are given behind it; all are optional unless marked *."""

    APPROVE = "approve"  # what: kind of draft, when not the reply; open: [checklist lines left open]
    REJECT = "reject"  # reason
    EDIT = "edit"  # text*
    FACTS = "facts"  # values: {name: value}, or text* with pairs: [{"old", "new"}]
    ATTACH = "attach"  # names*: [file names of this mail]
    NO_DATA = "no_data"
    RECLASSIFY = "reclassify"  # rights*: [Right]
    NOT_A_REQUEST = "not_a_request"
    ASK_IDENTITY = "ask_identity"  # question
    ASK_AUTHORITY = "ask_authority"  # question
    ASK_CLARIFICATION = "ask_clarification"  # question
    EXTEND = "extend"  # reason
    REFUSE = "refuse"  # ground: Ground; reasons: text
    ACKNOWLEDGE = "acknowledge"
    WITHDRAWN = "withdrawn"  # the requester took the request back
    ANSWERED_ELSEWHERE = "answered_elsewhere"  # on: "2026-11-18", or as written without a year; how: Channel
    NOTE = "note"  # text*
    ASSIGN = "assign"  # to*: a name or an address, as written
    STATUS = "status"
    HELP = "help"


SAID = "reclassify_said"  # "this is a ...": reclassifies only where a request is named
TURNED_DOWN = "turned_down"  # "avslå": a request with its ground is refused, a draft rejected, and else it is unclear


class Why(StrEnum):
    """Why a mail does nothing."""

    EMPTY = "empty"
    ONLY_ATTACHMENT = "only_attachment"
    ONLY_POLITENESS = "only_politeness"
    QUESTION = "question"
    NEGATION = "negation"
    CONDITION = "condition"
    CONTRAST = "contrast"
    TIME = "time"
    HEDGE = "hedge"
    FAULT = "fault"
    CONTRADICTION = "contradiction"
    NOT_UNDERSTOOD = "not_understood"
    NO_ATTACHMENT = "no_attachment"
    ATTACHMENT_UNNAMED = "attachment_unnamed"
    NO_TEXT = "no_text"
    DRAFT_OR_REQUEST = "draft_or_request"


SENTENCES: Mapping[Why, str] = {
    Why.EMPTY: "the reply holds no text",
    Why.ONLY_ATTACHMENT: "the reply holds a file but says nothing about it; write 'attach' to add it to the draft",
    Why.ONLY_POLITENESS: "the reply may only say that the notice was read; write 'approve' to approve",
    Why.QUESTION: "the reply asks something; a question never approves",
    Why.NEGATION: "the reply says 'not'; write 'reject: reason' to reject the draft, or 'approve' alone to approve",
    Why.CONDITION: "the reply sets a condition; approve when it is met",
    Why.CONTRAST: "the reply agrees only in part; say what to change with 'edit:', or write 'approve' alone",
    Why.TIME: "the reply speaks of later; approve when the time has come",
    Why.HEDGE: "the reply is not sure; write 'approve' alone to approve",
    Why.FAULT: "the reply names something to mend; write 'edit:' with the new text, or 'reject: reason'",
    Why.CONTRADICTION: "the reply gives orders that contradict each other",
    Why.NOT_UNDERSTOOD: "the reply holds words that were not understood; write the command alone on the first line",
    Why.NO_ATTACHMENT: "the reply speaks of an attachment but carries none",
    Why.ATTACHMENT_UNNAMED: "the reply approves and carries a file; write 'attach' to add it, or send no file",
    Why.DRAFT_OR_REQUEST: "the reply turns down the draft or the request: write 'reject: reason' or 'refuse: ground'",
    Why.NO_TEXT: "the command needs its text after a colon or on the lines below",
}


@dataclass(frozen=True, kw_only=True)
class Command:
    """One order with its arguments (see `Action`)."""

    action: Action
    args: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Commands:
    """What a reply would do. No commands: nothing, and `unclear` says why in one English line."""

    commands: tuple[Command, ...] = ()
    unclear: str | None = None
    why: Why | None = None  # the same as a code, for the answer in the reader's language
    heard: tuple[Action, ...] = ()  # what was heard, also where it was not enough to act on
    dropped: tuple[Action, ...] = ()  # APPROVE where the same mail changes the draft: it comes back for approval
    references: tuple[str, ...] = ()  # ticket references the writer names; the flow compares them with the token's


CHANGES_DRAFT = frozenset(
    {
        Action.EDIT,
        Action.FACTS,
        Action.ATTACH,
        Action.NO_DATA,
        Action.RECLASSIFY,
        Action.ASK_IDENTITY,
        Action.ASK_AUTHORITY,
        Action.ASK_CLARIFICATION,
        Action.EXTEND,
        Action.REFUSE,
    }
)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What the scanner found in a text, before it is weighed."""

    commands: tuple[Command, ...] = ()
    doubts: tuple[Why, ...] = ()  # of clauses that are no command
    missing: Why | None = None  # a command lacks what it needs
    words: int = 0
    words_before: int = 0  # words not understood before the first command
    references: tuple[str, ...] = ()
