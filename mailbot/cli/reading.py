"""Commands that need no configuration: classify, parse, command, deadline. They read files and print what they see."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from mailbot.cli.common import emit, json_option, say
from mailbot.core.classify import Verdict
from mailbot.core.deadline_line import deadline_line
from mailbot.core.message import Address, Message
from mailbot.core.rights import Right
from mailbot.errors import BadInputError
from mailbot.gateway.deadline_rules import shipped_rules
from mailbot.gateway.working_days import WorkingDays
from mailbot.reading import CommandReader, Reader

APPROVAL_DROPPED = "not done: the same reply changes the draft, and only the new draft can be approved"
paths_argument = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))


def mails(paths: tuple[Path, ...]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each mail: files, folders of .eml (in the order of their names), `-` for standard input.

    Raises BadInputError for a path that is not there or can not be read.
    """
    for path in paths:
        if str(path) == "-":
            yield "-", sys.stdin.buffer.read()
        elif path.is_dir():
            for found in sorted(item for item in path.rglob("*") if item.suffix.lower() == ".eml" and item.is_file()):
                yield str(found), _bytes(found)
        else:
            yield str(path), _bytes(path)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInputError(
            f"{path}: can not be read ({error.strerror})", "Give an .eml file, a folder, or -."
        ) from error


@click.command()
@paths_argument
@json_option
def classify(paths: tuple[Path, ...], as_json: bool) -> None:
    """What mails ask for, with the words that say so."""
    reader = Reader()
    for name, raw in mails(paths):
        message = reader.read(raw)
        verdict = reader.judge(message)
        if as_json:
            emit(verdict_json(name, message, verdict))
        else:
            _show_verdict(name, message, verdict)


def verdict_json(name: str, message: Message, verdict: Verdict) -> dict[str, Any]:
    """A verdict as the contract names its fields.

    `start` and `end` of evidence count characters of subject, line break, visible text, and (if any) line break and
    forwarded text, as `parse` prints them.
    """
    return {
        "file": name,
        "language": verdict.language,
        "verdict": verdict.kind.value,
        "rights": [right.value for right in verdict.rights],
        "scores": {right.value: score for right, score in verdict.scores.items()},
        "evidence": [
            {"right": _right(e.right), "rule": e.rule, "text": e.text, "start": e.start, "end": e.end}
            for e in verdict.evidence
        ],
        "flags": list(dict.fromkeys([*verdict.flags, *message.flags])),
        "automatic": message.automatic,
    }


def _right(named: str) -> str:
    """The right that evidence speaks for; "" for a flag, a counter-concept, or a request of whatever right."""
    return named if named in set(Right) else ""


def _show_verdict(name: str, message: Message, verdict: Verdict) -> None:
    rights = ", ".join(f"{right} {verdict.scores.get(right, 0):.2f}" for right in verdict.rights) or "-"
    say(
        f"{name}: {verdict.kind} ({verdict.language}) {rights}"
        + (f" [{message.automatic}]" if message.automatic else "")
    )
    for item in verdict.evidence:
        say(f"    {item.right or 'noticed'}: “{item.text}” ({item.rule})")


@click.command()
@paths_argument
@json_option
def parse(paths: tuple[Path, ...], as_json: bool) -> None:
    """What mails say: headers, visible and forwarded text, attachments, defects."""
    reader = Reader()
    for name, raw in mails(paths):
        found = message_json(name, reader.read(raw))
        if as_json:
            emit(found)
            continue
        say(f"{name}: {found['subject']}")
        say(f"  from {_written(found['from'])}, {found['date'] or 'no date'}")
        for line in str(found["visible_text"]).splitlines():
            say(f"  | {line}")
        for line in str(found["forwarded_text"]).splitlines():
            say(f"  > {line}")
        for file in found["attachments"]:
            say(f"  file {file['name'] or '?'} ({file['type']}, {file['bytes']} bytes)")
        if found["defects"]:
            say(f"  defects: {', '.join(found['defects'])}")


def message_json(name: str, message: Message) -> dict[str, Any]:
    """A message as the contract names its fields."""
    return {
        "file": name,
        "message_id": message.message_id,
        "subject": message.subject,
        "from": _address(message.sender),
        "to": [_address(item) for item in message.to],
        "date": message.date.isoformat() if message.date else None,
        "text": message.text,
        "visible_text": message.visible_text,
        "forwarded_text": message.forwarded_text,
        "attachments": [{"name": a.name, "type": a.type, "bytes": a.size} for a in message.attachments],
        "automatic": message.automatic,
        "defects": list(message.defects),
        "flags": list(message.flags),
    }


def _address(found: Address | None) -> dict[str, str]:
    return {"name": found.name if found else "", "address": found.address if found else ""}


def _written(found: dict[str, str]) -> str:
    return f"{found['name']} <{found['address']}>" if found["address"] else "nobody"


@click.command()
@paths_argument
@json_option
def command(paths: tuple[Path, ...], as_json: bool) -> None:
    """What a reply of staff would do, without doing it."""
    reader, understand = Reader(), CommandReader()
    for name, raw in mails(paths):
        message = reader.read(raw)
        found = understand(message.visible_text, [item.name for item in message.attachments])
        orders = [{"action": item.action.value, "args": dict(item.args)} for item in found.commands]
        unclear = found.unclear
        dropped = [{"action": action.value, "why": APPROVAL_DROPPED} for action in found.dropped]
        if message.automatic and orders:
            orders, dropped, unclear = [], [], f"automatic mail ({message.automatic}) never commands"
        if as_json:
            emit({"file": name, "commands": orders, "unclear": unclear, "dropped": dropped})
            continue
        say(f"{name}: " + ("; ".join(f"{item['action']} {item['args'] or ''}".strip() for item in orders) or "nothing"))
        for line in [unclear] if unclear else [f"{item['action']}: {item['why']}" for item in dropped]:
            say(f"    {line}")


@click.command()
@click.option("--received", help="Moment of receipt with its offset: 2026-11-03T10:00:00+02:00.")
@click.option("--tz", default="Europe/Helsinki", show_default=True, help="The controller's time zone.")
@click.option("--extended", is_flag=True, help="The time has been extended (three months from receipt).")
@click.option(
    "--suspension", "suspensions", multiple=True, metavar="FROM/TO", help="Question sent / answered; TO empty: open."
)
@click.option("--language", type=click.Choice(["fi", "sv", "en"]), default="en", show_default=True)
@click.option("--country", default="FI", show_default=True, help="Whose public holidays count.")
@json_option
def deadline(
    received: str | None,
    tz: str,
    extended: bool,
    suspensions: tuple[str, ...],
    language: str,
    country: str,
    as_json: bool,
) -> int:
    """Due dates with their reasons; from options, or from JSON Lines on standard input."""
    if received is not None:
        record: dict[str, Any] = {"received": received, "tz": tz, "extended": extended}
        record |= {"language": language, "country": country, "suspensions": [_span(item) for item in suspensions]}
        return _print(_due(record), as_json=as_json)
    worst = 0
    for line in sys.stdin:
        worst = max(worst, _print(_due(_json(line)), as_json=True))
    return worst


def _span(text: str) -> dict[str, str | None]:
    start, _, end = text.partition("/")
    return {"from": start, "to": end or None}


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line


def _due(record: Any) -> dict[str, Any]:
    if isinstance(record, str):
        return {"error": "the line is not JSON; write one object a line"}
    return dict(deadline_line(record, shipped_rules().policy, WorkingDays))


def _print(found: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        emit(found)
    elif "error" in found:
        raise BadInputError(str(found["error"]))
    else:
        say(f"{found['due']}{' (provisional)' if found['provisional'] else ''}")
        say(str(found["explanation"]))
    return 0
