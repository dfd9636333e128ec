"""Every decision on a ticket from the command line: each is one flow of `flows/decide/`, called once.

A function here only turns options into arguments; who may decide, and what follows, is judged in the flow.
"""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from click import argument, option

from mailbot.cli.common import actor, by_option, house, json_option, now
from mailbot.cli.tickets import RIGHTS, receipt, ticket, told
from mailbot.core.draft import DraftKind
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.errors import BadInputError
from mailbot.flows import decide, paper
from mailbot.flows.decide import Done
from mailbot.flows.plan import Wish
from mailbot.wiring import House

KINDS = click.Choice([kind.value for kind in DraftKind])
OUTCOMES = click.Choice([outcome.value for outcome in Outcome])
DAY = click.DateTime(["%Y-%m-%d"])


def _decision(name: str, *options: Any, help_: str) -> Callable[[Callable[..., Done]], click.Command]:
    """A decision command with REF, its options, --by and --json; the function is handed one transaction."""

    def wrap(function: Callable[..., Done]) -> click.Command:
        def command(reference: str, by: str, as_json: bool, **given: Any) -> None:
            found = house(click.get_current_context())
            who = actor(found, by)
            with found.office.database.write() as connection:
                done = function(connection, found, reference, who, now(), **given)
            told(done, as_json)

        made: Any = command
        for decorate in reversed([argument("reference"), *options, by_option, json_option]):
            made = decorate(made)
        return ticket.command(name, help=help_)(made)

    return wrap


@_decision("edit", option("--text", help="The new text."),
           option("--file", "file", type=click.Path(path_type=Path, allow_dash=True), help="A file with it; -: stdin."),
           option("--kind", type=KINDS, default="reply"),
           help_="Replaces the text of a draft; the new version waits for approval.")  # fmt: skip
def _edit(
    connection: Any,
    found: House,
    reference: str,
    who: Any,
    at: datetime,
    *,
    text: str | None,
    file: Path | None,
    kind: str,
) -> Done:
    words = text if text is not None else _read(file)
    return decide.draft(connection, found.office, reference, who, Wish(kind=DraftKind(kind), text=words), now=at)


def _read(file: Path | None) -> str:
    if file is None:
        raise BadInputError("there is no new text", "Give --text or --file.")
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{file}: can not be read as text", "Save it as UTF-8.") from error


@_decision("reject", option("--reason", default="", help="Why."),
           option("--kind", type=KINDS, default="reply"),
           help_="Rejects a draft.")  # fmt: skip
def _reject(connection: Any, _found: House, reference: str, who: Any, at: datetime, *, reason: str, kind: str) -> Done:
    return decide.reject(connection, reference, who, now=at, kind=DraftKind(kind), reason=reason)


@_decision("undo", help_="Takes back an approval whose sending has not begun.")
def _undo(connection: Any, _found: House, reference: str, who: Any, at: datetime) -> Done:
    return decide.undo_approval(connection, reference, who, now=at)


@_decision("reclassify", option("--right", "rights", multiple=True, type=RIGHTS),
           option("--not-a-request", is_flag=True, help="It is no request."),
           option("--reason", default=""),
           help_="Says which rights the message exercises, or that it is none; ends triage.")  # fmt: skip
def _reclassify(
    connection: Any,
    found: House,
    reference: str,
    who: Any,
    at: datetime,
    *,
    rights: tuple[str, ...],
    not_a_request: bool,
    reason: str,
) -> Done:
    if not_a_request:
        return decide.dismiss(connection, reference, who, now=at, reason=reason)
    return decide.reclassify(connection, found.office, reference, who, [Right(right) for right in rights], now=at)


@_decision("extend", option("--reason", required=True, help="Why the month does not suffice; the requester reads it."),
           help_="Drafts the notice that the time is extended.")  # fmt: skip
def _extend(connection: Any, found: House, reference: str, who: Any, at: datetime, *, reason: str) -> Done:
    return decide.extend(connection, found.office, reference, who, now=at, reason=reason)


@_decision("ask", argument("what", type=click.Choice(["identity", "authority", "clarification"])),
           option("--question", default="", help="In place of the usual question."),
           help_="Drafts a question to the requester.")  # fmt: skip
def _ask_requester(
    connection: Any, found: House, reference: str, who: Any, at: datetime, *, what: str, question: str
) -> Done:
    kind = DraftKind.CLARIFICATION if what == "clarification" else DraftKind(f"{what}_question")
    return decide.ask(connection, found.office, reference, who, kind, now=at, question=question)


@_decision("identified", option("--note", default=""), help_="The requester's identity is settled.")
def _identified(connection: Any, found: House, reference: str, who: Any, at: datetime, *, note: str) -> Done:
    return decide.identified(connection, found.office, reference, who, now=at, note=note)


@_decision("answered", option("--on", type=DAY, help="Day of the answer; today when left out."),
           option("--how", default="email", help="letter, phone, counter, email."),
           option("--outcome", type=OUTCOMES, help="As approved when left out."),
           help_="The person has been answered by other means.")  # fmt: skip
def _answered(
    connection: Any,
    found: House,
    reference: str,
    who: Any,
    at: datetime,
    *,
    on: datetime | None,
    how: str,
    outcome: str | None,
) -> Done:
    day = on.date() if on else None
    ended = Outcome(outcome) if outcome else None
    return decide.answered(connection, found.office, reference, who, now=at, on=day, how=how, outcome=ended)


@_decision("posted", option("--on", type=DAY, help="Day of posting; today when left out."),
           option("--kind", type=KINDS, default="reply"),
           help_="An approved letter was posted; it counts from that day.")  # fmt: skip
def _posted(
    connection: Any, found: House, reference: str, who: Any, at: datetime, *, on: datetime | None, kind: str
) -> Done:
    day = on.date() if on else None
    return paper.posted(connection, found.office, reference, who, now=at, on=day, kind=DraftKind(kind))


@_decision("not-the-answer", help_="What was seen outside was not the answer.")
def _not_the_answer(connection: Any, _found: House, reference: str, who: Any, at: datetime) -> Done:
    return decide.not_the_answer(connection, reference, who, now=at)


@_decision("withdraw", option("--note", default=""), help_="The requester took the request back.")
def _withdraw(connection: Any, _found: House, reference: str, who: Any, at: datetime, *, note: str) -> Done:
    return decide.withdraw(connection, reference, who, now=at, note=note)


@_decision("refuse", option("--ground", type=click.Choice([ground.value for ground in Ground])),
           option("--reasons", default="", help="In words the requester understands."),
           option("--right", "rights", multiple=True, type=RIGHTS, help="Which requests; all when left out."),
           help_="Drafts a refusal with its ground and reasons.")  # fmt: skip
def _refuse(
    connection: Any,
    found: House,
    reference: str,
    who: Any,
    at: datetime,
    *,
    ground: str | None,
    reasons: str,
    rights: tuple[str, ...],
) -> Done:
    return decide.refuse(
        connection, found.office, reference, who,
        now=at, ground=Ground(ground) if ground else None, reasons=reasons, rights=[Right(right) for right in rights],
    )  # fmt: skip


@_decision("task", argument("number", type=int), option("--note", default="", help="When and how it was done."),
           help_="Ticks off a duty.")  # fmt: skip
def _task(connection: Any, _found: House, reference: str, who: Any, at: datetime, *, number: int, note: str) -> Done:
    return decide.end_task(connection, reference, who, now=at, task_id=number, note_=note)


@_decision("lift", option("--on", "day", required=True, help="Day on which the restriction is lifted."),
           option("--reason", required=True), help_="Drafts the notice before a restriction is lifted.")  # fmt: skip
def _lift(connection: Any, found: House, reference: str, who: Any, at: datetime, *, day: str, reason: str) -> Done:
    return decide.lift(connection, found.office, reference, who, now=at, on=day, reason=reason)


@_decision("note", argument("text"), help_="Writes a note into the history.")
def _note(connection: Any, _found: House, reference: str, who: Any, at: datetime, *, text: str) -> Done:
    return decide.note(connection, reference, who, now=at, text=text)


@_decision("assign", argument("to"), help_="Gives the ticket to a colleague.")
def _assign(connection: Any, found: House, reference: str, who: Any, at: datetime, *, to: str) -> Done:
    return decide.assign(connection, found.office, reference, who, now=at, to=to)


@_decision("link", argument("to"), help_="Notes that it belongs with another ticket.")
def _link(connection: Any, _found: House, reference: str, who: Any, at: datetime, *, to: str) -> Done:
    return decide.link(connection, reference, who, now=at, to=to)


@_decision("merge", argument("into"), help_="Goes on in another ticket of the same requester.")
def _merge(connection: Any, found: House, reference: str, who: Any, at: datetime, *, into: str) -> Done:
    return decide.merge(connection, found.office, reference, who, now=at, into=into)


@_decision("receipt", argument("received"), option("--reason", default="", help="Needed for a later moment."),
           help_="Corrects the moment of receipt; all dates follow.")  # fmt: skip
def _correct(
    connection: Any, found: House, reference: str, who: Any, at: datetime, *, received: str, reason: str
) -> Done:
    return decide.correct_receipt(
        connection, found.office, reference, who, now=at, received_at=receipt(found, received), reason=reason
    )


@_decision("hold", option("--off", is_flag=True, help="Let it go again."), option("--reason", default=""),
           help_="Keeps it from the purge.")  # fmt: skip
def _hold(connection: Any, _found: House, reference: str, who: Any, at: datetime, *, off: bool, reason: str) -> Done:
    return decide.hold(connection, reference, who, now=at, on=not off, reason=reason)


@_decision("close", help_="Closes an answered ticket.")
def _close(connection: Any, _found: House, reference: str, who: Any, at: datetime) -> Done:
    return decide.close(connection, reference, who, now=at)


@_decision("reopen", option("--reason", default=""), help_="Opens an ended ticket again.")
def _reopen(connection: Any, found: House, reference: str, who: Any, at: datetime, *, reason: str) -> Done:
    return decide.reopen(connection, found.office, reference, who, now=at, reason=reason)
