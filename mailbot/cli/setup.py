"""Installing and looking after: init, check, db, backup, doctor, units."""

import os
import shutil
import sqlite3
import sys
import types
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mailbot.cli.common import config, emit, house, json_option, now, say
from mailbot.cli.profile_questions import ask_person, write_profile
from mailbot.config import Config, Imap, OAuth
from mailbot.errors import BadInputError, ConfigurationError, MailbotError, ServiceUnavailableError
from mailbot.gateway.command_rules import load_commands
from mailbot.gateway.credentials import resolve
from mailbot.gateway.reading_rules import load_reading_patterns
from mailbot.gateway.resources import shipped
from mailbot.gateway.rulebook import load_rulebook
from mailbot.gateway.template_preview import preview
from mailbot.store import audit, cursors, outbox, tickets
from mailbot.store.database import Database
from mailbot.wiring import House

EXAMPLES: dict[str, str] = {
    "profile": '"jalo-it"',
    "database.url": '"sqlite:///var/jalo-it.db"',
    "imap.host": '"imap.example.com"',
    "imap.username": '"privacy@example.com"',
    "imap.password_file": '"secrets/imap"',
    "smtp.host": '"smtp.example.com"',
    "smtp.username": '"privacy@example.com"',
    "smtp.password_file": '"secrets/smtp"',
    "smtp.sender": '"Jalo IT Oy, tietosuoja <privacy@example.com>"',
    "calendar.eves_as_holidays": "false",
    "staff.name": '"Your Name"',
    "staff.email": '"staff@example.com"',
}
OWN_MAILBOX = """\
# If the polled mailbox is one person's own: reading it needs that person's consent (Act 759/2004, chapter 6).
# Ask for it in writing, say what is read (every new mail, by a program, to find rights requests) and what is kept
# (only requests), and let them take it back. A role address (privacy@...) avoids the question.
"""


@click.command()
@click.option("--output", type=click.Path(path_type=Path), default=Path("mailbot.toml"), show_default=True)
@click.option("--print", "to_stdout", is_flag=True, help="Print it, write nothing.")
@click.option("--profile", type=click.Path(path_type=Path), help="Write your own profile, guided by questions.")
def init(output: Path, to_stdout: bool, profile: Path | None) -> None:
    """Writes a commented configuration with every key and its default; or a profile, guided by questions."""
    if profile is not None:
        for line in write_profile(profile, ask_person, now().date()):
            say(f"missing: {line}")
        say(f'{profile} is written. Name it in the configuration: profile = "{profile}"')
        return
    text = sample()
    if to_stdout:
        say(text)
        return
    if output.exists():
        raise BadInputError(f"{output} is there already", "Name another file with --output; nothing was changed.")
    try:
        output.write_text(text, encoding="utf-8")
        output.chmod(0o600)
    except OSError as error:
        raise ServiceUnavailableError(f"{output} can not be written ({error.strerror})", "Choose --output.") from error
    say(f"{output} is written. Edit it, then run: mailbot --config {output} check --connect")


def sample() -> str:
    """The commented sample: every key with its meaning, generated from the fields themselves."""
    lines = [
        "# mailbot: one file a controller. Keys behind a single # show the default or an example.",
        OWN_MAILBOX.rstrip("\n"),
        "",
    ]
    tables: list[tuple[str, type[BaseModel], bool]] = []
    for name, field in Config.model_fields.items():
        model = _model(field)
        if model is not None:
            tables.append((name, model, field.is_required()))
        elif not field.exclude:
            lines.append(_line(name, name, field))
    for name, model, required in tables:
        lines += ["", *_table(name, model, required=required)]
    return "\n".join(lines) + "\n"


def _table(name: str, model: type[BaseModel], *, required: bool) -> Iterator[str]:
    head = f"[[{name}]]" if name == "staff" else f"[{name}]"
    doc = (model.__doc__ or "").strip().splitlines()[0]
    yield f"{'' if required else '#'}{head}  # {doc[0].lower()}{doc[1:]}"
    for key, field in model.model_fields.items():
        if _model(field) is None:
            yield _line(key, f"{name}.{key}", field, off=not required)
    if model is Imap:
        yield "#[imap.oauth]  # instead of a password; the same table may stand under [smtp]"
        for key, field in OAuth.model_fields.items():
            yield "#" + _line(key, "", field, off=False)


def _line(key: str, where: str, field: FieldInfo, *, off: bool = False) -> str:
    example = EXAMPLES.get(where)
    value = example or _toml(field.get_default(call_default_factory=True))
    mark = "" if (field.is_required() or example) and not off else "#"
    return f"{mark}{key} = {value}  # {field.description or ''}".rstrip()


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else '""'


def _model(field: FieldInfo) -> type[BaseModel] | None:
    """The table a field stands for, None for a plain key."""
    kinds = [field.annotation]
    if get_origin(field.annotation) in (Union, types.UnionType, list):
        kinds = list(get_args(field.annotation))
    found = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    return None if found is not None and found.__name__ in ("Away", "OAuth") else found


@click.command()
@click.option("--connect", is_flag=True, help="Log in to IMAP and SMTP and report what they can do.")
@json_option
@click.pass_context
def check(ctx: click.Context, connect: bool, as_json: bool) -> None:
    """Checks configuration, profile, rules, texts, calendar and secrets; every error at once."""
    found = house(ctx)
    problems: list[str] = []
    warnings = list(_warnings(found.config))
    for work in _checks(found):
        try:
            warnings += list(work())
        except ConfigurationError as error:
            problems += error.problems
        except MailbotError as error:
            problems.append(str(error))
    if connect and not problems:
        lines, failed = _connect(found)
        warnings += lines
        problems += failed
    if as_json:
        emit({"problems": problems, "notes": warnings})
    else:
        for line in warnings:
            say(f"note: {line}")
    if problems:
        raise ConfigurationError(problems)
    if not as_json:
        say("all is well")


def _checks(found: House) -> Iterator[Any]:
    """Each check gives notes, or raises; all are tried."""
    rules = shipped("rules")

    def rulebook() -> Iterator[str]:
        own = found.config.rules.overrides
        load_rulebook(rules, found.config.resolve(own) if own else None)
        load_commands(rules)
        load_reading_patterns(rules)
        yield from ()

    def profile() -> Iterator[str]:
        for gap in found.controller.gaps:
            yield f"profile {found.controller.name}: {gap.article}: {gap.missing}"

    def texts() -> Iterator[str]:
        found.texts.check()
        preview(found.texts, found.controller)  # only filling them in shows a fact that no text is given
        yield from ()

    def calendar() -> Iterator[str]:
        found.office.calendar.is_working_day(now().date())
        yield from ()

    def secrets() -> Iterator[str]:
        base = found.config.path.parent
        if found.config.imap.oauth is None:
            resolve("imap.password", found.config.imap.secrets(), base, os.environ)
        if found.config.smtp.username is not None and found.config.smtp.oauth is None:
            resolve("smtp.password", found.config.smtp.secrets(), base, os.environ)
        yield from ()

    yield from (rulebook, profile, texts, calendar, secrets)


def _warnings(found: Config) -> Iterator[str]:
    if found.alarm is None:
        yield "no [alarm]: nobody hears of it when the mailbox itself is dead"
    if found.authenticity.authserv_id is None:
        yield "no authenticity.authserv_id: nothing is known of who really sent a mail"
    shared = ("info", "myynti", "sales", "office", "toimisto", "asiakaspalvelu", "support", "tuki", "contact", "posti")
    for person in found.staff:
        if person.email.split("@")[0].lower() in shared:
            yield f"staff {person.email} looks shared by several people: an approval there names nobody"
        if person.email.lower() in found.own_addresses():
            yield f"staff {person.email} is the polled mailbox itself: if it is a person's own, ask for their consent"
    if isinstance(found.imap.folders, list) and not any(
        "junk" in n.lower() or "spam" in n.lower() for n in found.imap.folders
    ):
        yield "imap.folders holds no junk folder: a request that landed there has arrived all the same"


def _connect(found: House) -> tuple[list[str], list[str]]:
    lines, failed = [], []
    try:
        with found.mailbox() as mailbox:
            names = mailbox.folders()
            can = mailbox.capabilities()
            lines.append(f"IMAP: logged in; {len(names)} folders: {', '.join(names[:12])}")
            lines.append(f"IMAP: IDLE {'yes' if 'IDLE' in can else 'no'}, MOVE {'yes' if 'MOVE' in can else 'no'}")
            for name in found.folders().names or ():
                mailbox.examine(name)
    except MailbotError as error:
        failed.append(str(error))
    with found.transport() as transport:
        outcome, offers = transport.probe()
        if outcome.result == "accepted":
            lines.append(f"SMTP: ready; offers {', '.join(offers) or 'nothing beyond the basics'}")
        else:
            failed.append(f"SMTP {found.config.smtp.host}:{found.config.smtp.port}: {outcome.result}: {outcome.answer}")
    return lines, failed


@click.group()
def db() -> None:
    """The database's schema."""


@db.command()
@click.pass_context
def upgrade(ctx: click.Context) -> None:
    """Brings the schema to this version; safe to repeat."""
    database = Database(config(ctx).database_url())  # the house would refuse an older schema
    database.upgrade()
    say(f"schema version {database.version()}")


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_context
def backup(ctx: click.Context, target: Path) -> None:
    """A consistent copy of database and key while mailbot runs (SQLite; for PostgreSQL use pg_dump)."""
    found = house(ctx)
    url = found.config.database_url()
    if not url.startswith("sqlite:///"):
        raise BadInputError("this database is PostgreSQL", "Use pg_dump, and copy the key file beside it.")
    if target.exists():
        raise BadInputError(f"{target} is there already", "Name a new file.")
    try:
        target.touch(mode=0o600)
        file = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
        shutil.copy2(found.config.key_path(), target.with_suffix(".key"))
    except (OSError, sqlite3.Error) as error:
        target.unlink(missing_ok=True)  # half a backup is worse than none
        raise ServiceUnavailableError(f"{target} can not be written ({error})", "Choose another place.") from error
    say(f"{target} and {target.with_suffix('.key')}: keep them together, they restore by being put back")


@click.command()
@click.option("--report", type=click.Path(path_type=Path), help="Write the page to this file.")
@click.pass_context
def doctor(ctx: click.Context, report: Path | None) -> int:
    """Everything that can be checked, on one page, secrets masked."""
    found = house(ctx)
    lines = [f"mailbot doctor, {now():%Y-%m-%d %H:%M} UTC", f"configuration  {found.config.path}"]
    bad = 0
    for work in _checks(found):
        try:
            notes = list(work())
            lines.append(f"ok    {work.__name__}" + (f" ({len(notes)} notes)" if notes else ""))
        except MailbotError as error:
            bad += 1
            lines += [f"BAD   {work.__name__}: {line}" for line in str(error).splitlines()]
    connected, failed = _connect(found)
    lines += [f"ok    {line}" for line in connected] + [f"BAD   {line}" for line in failed]
    lines += [f"ok    {line}" for line in _memory(found)]
    text = "\n".join(lines) + "\n"
    if report is None:
        sys.stdout.write(text)
    else:
        report.write_text(text, encoding="utf-8")
        say(str(report))
    return 69 if bad or failed else 0


def _memory(found: House) -> Iterator[str]:
    with found.database.read() as connection:
        polled = cursors.read_state(connection, "polled")
        yield f"last poll {polled[1]:%Y-%m-%d %H:%M} UTC" if polled else "never polled"
        for cursor in cursors.folders(connection):
            yield f"folder {cursor.folder}: up to UID {cursor.last_uid} of {cursor.uidvalidity}"
        count, root = audit.root(connection)
        yield f"audit chain: {count} entries, root {root[:16]}…"
        yield f"outbox: {outbox.waiting(connection)} waiting; remembered hashes: {cursors.count_seen(connection)}"
        yield f"tickets: {len(tickets.find(connection))}"


@click.command("install-units")
@click.option("--to", "target", type=click.Path(path_type=Path), default=Path("/etc/systemd/system"), show_default=True)
def install_units(target: Path) -> None:
    """Copies the systemd units; enable them with systemctl afterwards."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        for unit in sorted(shipped("systemd").iterdir()):
            if unit.suffix in (".service", ".timer", ".target"):
                shutil.copyfile(unit, target / unit.name)
                say(str(target / unit.name))
    except OSError as error:
        raise ServiceUnavailableError(f"{target} can not be written ({error.strerror})", "Run it as root.") from error
    say("then: systemctl daemon-reload && systemctl enable --now mailbot@NAME.target")
