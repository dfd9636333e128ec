"""Tickets on the command line: list, show, and every decision, through the same flows as staff mail."""

import importlib
import mimetypes
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from mailbot.cli.common import actor, by_option, emit, house, json_option, now, say, table
from mailbot.core.deadline import time_zone
from mailbot.core.draft import DraftKind
from mailbot.core.rights import Channel, Outcome, Right
from mailbot.core.ticket import RUNNING, Status
from mailbot.errors import BadInputError
from mailbot.flows import clock, decide, view
from mailbot.flows.decide import Done
from mailbot.flows.draft_files import check_file
from mailbot.flows.plan import Wish
from mailbot.flows.register import Told
from mailbot.flows.register import register as register_flow
from mailbot.gateway.protect import protect as protect_files
from mailbot.store import drafts
from mailbot.store import tickets as ticket_store
from mailbot.store.drafts import File
from mailbot.wiring import House

RIGHTS = click.Choice([right.value for right in Right])
SOON_DAYS = 7


@click.command()
@click.option("--status", "statuses", multiple=True, type=click.Choice([status.value for status in Status]))
@click.option("--right", type=RIGHTS)
@click.option("--language", help="Language of the reply.")
@click.option("--requester", help="Mail address of the requester.")
@click.option("--assigned", metavar="STAFF", help="Given to that person.")
@click.option("--due-by", type=click.DateTime(["%Y-%m-%d"]), help="Due on that day or before.")
@click.option("--overdue", is_flag=True, help="Only what is overdue.")
@click.option("--open", "only_open", is_flag=True, help="Only what still runs.")
@json_option
@click.pass_context
def tickets(
    ctx: click.Context,
    statuses: tuple[str, ...],
    right: str | None,
    language: str | None,
    requester: str | None,
    assigned: str | None,
    due_by: datetime | None,
    overdue: bool,
    only_open: bool,
    as_json: bool,
) -> None:
    """Lists tickets by due date."""
    found = house(ctx)
    office, today = found.office, clock.today(found.office, now())
    wanted = [Status(status) for status in statuses] or (list(RUNNING) if only_open else None)
    with office.database.read() as connection:
        listed = ticket_store.find(
            connection,
            statuses=wanted,
            right=Right(right) if right else None,
            language=language,
            address=requester,
            assigned_to=office.member(assigned).address if assigned else None,
            due_by=due_by.date() if due_by else None,
        )
    listed = tuple(item for item in listed if item.overdue(today) or not overdue)
    if as_json:
        for item in listed:
            emit(view.ticket_row(item, today))
        return
    if not listed:
        say("no tickets")
        return
    rows = [
        (
            item.reference,
            item.status.value,
            item.due_on.isoformat() + (" OVERDUE" if item.overdue(today) else ""),
            ", ".join(item.rights) or "?",
            item.requester_name or item.requester_address,
            item.language,
        )
        for item in listed
    ]
    styles = [
        "red" if i.overdue(today) else "yellow" if _soon(i.due_on, today) and i.status in RUNNING else ""
        for i in listed
    ]
    table(("ticket", "status", "due", "asks", "who", "language"), rows, urgent=styles)


def _soon(due_on: date, today: date) -> bool:
    return (due_on - today).days <= SOON_DAYS


@click.group()
def ticket() -> None:
    """One ticket: show it, draft, approve, and every other decision."""


@ticket.command()
@click.argument("reference")
@json_option
@click.pass_context
def show(ctx: click.Context, reference: str, as_json: bool) -> None:
    """Requests, messages, drafts, tasks, dates, timeline."""
    office = house(ctx).office
    with office.database.read() as connection:
        found = view.ticket_view(connection, office, reference, clock.today(office, now()))
    if as_json:
        emit(found)
    else:
        for line in view.lines(found):
            say(line)


@ticket.command("new")
@click.option("--channel", type=click.Choice(["letter", "counter", "phone", "email"]), required=True)
@click.option("--received", required=True, help="Day (2026-11-03) or moment of receipt.")
@click.option("--right", "rights", multiple=True, required=True, type=RIGHTS)
@click.option("--name", required=True, help="Who asks.")
@click.option("--email", default="", help="Where the answer goes by mail.")
@click.option("--address", default="", help="Postal address, for an answer on paper.")
@click.option("--language", default="", help="fi, sv, en; the controller's when left out.")
@click.option("--text", default="", help="What was asked, as written down.")
@click.option("--by", "by", default=None, metavar="STAFF", help="Who enters it (the only staff member when left out).")
@json_option
@click.pass_context
def new(
    ctx: click.Context, channel: str, received: str, rights: tuple[str, ...], name: str, email: str, address: str,
    language: str, text: str, by: str | None, as_json: bool,
) -> None:  # fmt: skip
    """A letter, a call or a visit becomes a ticket."""
    found = house(ctx)
    told = Told(
        channel=Channel(channel),
        received_at=receipt(found, received),
        rights=[Right(right) for right in rights],
        name=name,
        email=email,
        address=address,
        language=language,
        words=text,
    )
    who = actor(found, by or _only_staff(found))
    with found.office.database.write() as connection:
        made = register_flow(connection, found.office, told, who, now=now())
    if as_json:
        emit(view.ticket_row(made, clock.today(found.office, now())))
    else:
        say(f"{made.reference}: due {made.due_on}")


def _only_staff(found: House) -> str:
    active = found.office.active_staff()
    if len(active) != 1:
        raise BadInputError("there are several members of staff", "Say who enters it: --by STAFF")
    return active[0].address


def receipt(found: House, text: str) -> datetime:
    """A day counts from local noon (only its date matters); a moment needs its zone or is local."""
    try:
        if len(text) == 10:
            return min(decide.local_noon(found.office, date.fromisoformat(text)), _if_today(found, text))
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInputError(f"--received: {text!r} is no day", "Write it as 2026-11-03.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=time_zone(found.office.zone))


def _if_today(found: House, text: str) -> datetime:
    """Now, for a request that came in this morning: noon would lie ahead."""
    moment = now()
    same = clock.today(found.office, moment).isoformat() == text
    return moment if same else decide.local_noon(found.office, date.fromisoformat(text))


@ticket.command()
@click.argument("reference")
@by_option
@click.option("--kind", type=click.Choice([kind.value for kind in DraftKind]), default="reply", show_default=True)
@click.option("--outcome", "outcomes", multiple=True, metavar="[RIGHT=]O", help="How a request ends.")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="A fact the text needs.")
@click.option("--attach", "files", multiple=True, type=click.Path(path_type=Path), help="A file to send along.")
@click.option("--fresh", is_flag=True, help="Forget facts and files of the earlier version.")
@click.option("--protect", is_flag=True, help="Put the files into an encrypted zip; tell the passphrase by telephone.")
@json_option
@click.pass_context
def draft(
    ctx: click.Context, reference: str, by: str, kind: str, outcomes: tuple[str, ...], values: tuple[str, ...],
    files: tuple[Path, ...], fresh: bool, protect: bool, as_json: bool,
) -> None:  # fmt: skip
    """Makes a new version of a draft; the old one is superseded."""
    found = house(ctx)
    who = actor(found, by)
    loaded = [_file(path) for path in files]
    if protect and loaded:
        loaded = [_protected(loaded)]
    with found.office.database.write() as connection:
        ticket_ = ticket_store.by_reference(connection, reference)
        wish = Wish(
            kind=DraftKind(kind),
            outcomes=_outcomes(outcomes, ticket_.rights),
            values=dict(_pair(item) for item in values),
            files=loaded,
            fresh=fresh,
        )
        done = decide.draft(connection, found.office, reference, who, wish, now=now())
        shown = view.draft_view(done.draft) if done.draft else {}
    tell_draft(shown, as_json)


def _protected(files: list[File]) -> File:
    """The files as one encrypted zip; its passphrase is told to staff here and nowhere else."""
    for file in files:
        check_file(file.name, file.content)
    content, passphrase = protect_files([(file.name, file.content) for file in files])
    click.echo(f"passphrase, to be told by telephone: {passphrase.reveal()}", err=True)
    return File(name="tiedot.zip", type="application/zip", content=content)


def tell_draft(shown: dict[str, Any], as_json: bool) -> None:
    if as_json:
        emit(shown)
        return
    say(f"{shown['kind']} version {shown['version']}: {'ready' if shown['ready'] else 'not ready'}")
    needs: list[dict[str, Any]] = shown["needs"]
    for need in needs:
        say(f"  needs {need['name']} ({need['kind']}): {need['question']}")
    say(f"fingerprint {shown['fingerprint']}")


def _pair(item: str) -> tuple[str, str]:
    name, equals, value = item.partition("=")
    if not equals or not name.strip():
        raise BadInputError(f"--set {item!r} is not NAME=VALUE", "Write for example --set correction='050 -> 040'.")
    return name.strip(), value


def _outcomes(items: tuple[str, ...], rights: tuple[Right, ...]) -> dict[Right, Outcome]:
    found: dict[Right, Outcome] = {}
    for item in items:
        named, equals, outcome = item.rpartition("=")
        try:
            value = Outcome(outcome.strip())
            chosen = [Right(named.strip())] if equals else list(rights)
        except ValueError:
            raise BadInputError(
                f"--outcome {item!r} is not understood", f"Write [RIGHT=]O with O one of {', '.join(Outcome)}."
            ) from None
        found.update(dict.fromkeys(chosen, value))
    return found


def _file(path: Path) -> File:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInputError(f"{path}: can not be read ({error.strerror})", "Give the file to send along.") from error
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(name=path.name, type=kind, content=content)


@ticket.command()
@click.argument("reference")
@by_option
@click.option("--fingerprint", help="Of exactly the draft that was read (64 characters, or its beginning).")
@click.option("--open", "open_lines", multiple=True, metavar="LINE", help="A checklist line that is not done yet.")
@click.option(
    "--confirm", is_flag=True, help="Approve although somebody may have answered outside, or a copy is still asked for."
)
@json_option
@click.pass_context
def approve(
    ctx: click.Context, reference: str, by: str, fingerprint: str | None, open_lines: tuple[str, ...], confirm: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Approves; on a terminal without --fingerprint the draft is shown and asked about."""
    found = house(ctx)
    who = actor(found, by)
    wanted = fingerprint or _ask(found, reference)
    with found.office.database.write() as connection:
        done = decide.approve(
            connection, found.office, reference, who,
            now=now(), fingerprint_given=wanted, open_lines=open_lines, confirmed=confirm,
        )  # fmt: skip
    told(done, as_json)


def _ask(found: House, reference: str) -> str:
    """The fingerprint of the pending reply after a person has read it."""
    if not sys.stdin.isatty():
        raise BadInputError("--fingerprint is missing", f"Read it with: mailbot ticket show {reference}")
    with found.office.database.read() as connection:
        ticket_ = ticket_store.by_reference(connection, reference)
        waiting = drafts.pending(connection, ticket_.id, DraftKind.REPLY) or drafts.pending(connection, ticket_.id)
    if not waiting:
        raise BadInputError(f"{reference} has no draft that waits for approval", "See: mailbot ticket show")
    shown = waiting[-1]
    say(f"To: {shown.recipient}\nSubject: {shown.subject}\n\n{shown.text}")
    for item in shown.attachments:
        say(f"Attachment: {item.name} ({item.size} bytes)")
    for line in view.draft_view(shown)["checklist"]:
        say(f"[ ] {line}")
    click.confirm("Send exactly this?", abort=True)
    return shown.fingerprint


def told(done: Done, as_json: bool) -> None:
    if as_json:
        emit(
            {
                "reference": done.ticket.reference,
                "status": done.ticket.status.value,
                "done": done.what,
                "sending_begun": done.sending_begun,
            }
        )
        return
    say(f"{done.ticket.reference}: {done.what.replace('_', ' ')}; now {done.ticket.status}, due {done.ticket.due_on}")
    if done.sending_begun:
        say("The sending of what was approved had begun: it may have reached the requester.")
    if done.draft is not None and done.draft.state.value == "pending":
        tell_draft(view.draft_view(done.draft), as_json=False)


# The other decisions, and letters, hang themselves under `ticket`.
importlib.import_module("mailbot.cli.decisions")
importlib.import_module("mailbot.cli.paper")
