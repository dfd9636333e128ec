"""Installing and looking after: init, db, backup, units."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import click

from mailbot.cli.common import config, house, now, say
from mailbot.cli.profile_questions import ask_person, write_profile
from mailbot.config import Config, Imap, OAuth
from mailbot.errors import BadInputError, ServiceUnavailableError
from mailbot.gateway.resources import shipped
from mailbot.store.database import Database

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
# (only requests), and let them take it back: `mailbot papers` prints the form, with the entry for the record of
# processing and a paragraph for the privacy notice. A role address (privacy@...) avoids the question.
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
    tables: list[Field[Any]] = []
    for item in _keys(Config):
        if item.metadata["of"] is not None:
            tables.append(item)
        else:
            lines.append(_line(item.name, item.name, item))
    for item in tables:
        lines += ["", *_table(item.name, item.metadata["of"], required=item.metadata["required"])]
    return "\n".join(lines) + "\n"


def _keys(kind: type) -> list[Field[Any]]:
    """The fields that are keys of the file."""
    return [item for item in fields(kind) if item.metadata]


def _table(name: str, kind: type, *, required: bool) -> Iterator[str]:
    head = f"[[{name}]]" if name == "staff" else f"[{name}]"
    doc = (kind.__doc__ or "").strip().splitlines()[0]
    yield f"{'' if required else '#'}{head}  # {doc[0].lower()}{doc[1:]}"
    for item in _keys(kind):
        if item.name != "oauth":
            yield _line(item.name, f"{name}.{item.name}", item, off=not required)
    if kind is Imap:
        yield "#[imap.oauth]  # instead of a password; the same table may stand under [smtp]"
        for item in _keys(OAuth):
            yield "#" + _line(item.name, "", item, off=False)


def _line(key: str, where: str, item: Field[Any], *, off: bool = False) -> str:
    example, about = EXAMPLES.get(where), item.metadata
    value = example or _toml(about["default"])
    mark = "" if (about["required"] or example) and not off else "#"
    return f"{mark}{key} = {value}  # {about['says']}".rstrip()


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else '""'


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
