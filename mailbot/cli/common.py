"""What commands share: the clock, the configuration, printing for people and for programs."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from mailbot.config import Config, load
from mailbot.core.staff import Actor, Door
from mailbot.errors import BadInputError, MisuseError, NotPermittedError
from mailbot.wiring import House

json_option = click.option("--json", "as_json", is_flag=True, help="JSON Lines for programs.")
once_option = click.option("--once", is_flag=True, help="One round, then exit (`mailbot run` repeats).")
by_option = click.option("--by", "by", required=True, metavar="STAFF", help="Who decides: name or address.")

PROGRESS_AFTER_S = 2.0


def now() -> datetime:
    """The moment; only the command line and the daemon read the clock."""
    return datetime.now(UTC)


def moment(text: str | None) -> datetime:
    """`--now`, or the clock. Raises BadInputError for what is no moment with a zone."""
    if text is None:
        return now()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInputError(f"--now: {text!r} is not a moment", "Write it as 2026-11-22T09:00:00+02:00.") from None
    if found.tzinfo is None:
        raise BadInputError(f"--now: {text!r} has no time zone", "Add one: 2026-11-22T09:00:00+02:00.")
    return found


def awake_since() -> datetime:
    """When this machine was started: what did not happen before is nobody's fault."""
    return now() - timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))


def config_path(ctx: click.Context) -> Path:
    """The configuration file: --config, $MAILBOT_CONFIG, or mailbot.toml here."""
    given = ctx.find_root().obj
    return Path(given or os.environ.get("MAILBOT_CONFIG") or "mailbot.toml")


def config(ctx: click.Context) -> Config:
    """The configuration; ConfigurationError with everything that is wrong."""
    return load(config_path(ctx))


def house(ctx: click.Context) -> House:
    """The wired controller."""
    return House(config(ctx), now)


def actor(found: House, who: str) -> Actor:
    """The person who decides, with the operating-system user behind the command.

    Raises NotPermittedError for somebody who is not staff.
    """
    try:
        person = found.office.member(who)
    except BadInputError as error:
        raise NotPermittedError(error.what, error.cure) from error
    return Actor(staff=person, door=Door.CLI, os_user=os_user())


def os_user() -> str:
    """Who runs the command, as the operating system knows them."""
    return os.environ.get("SUDO_USER") or os.environ.get("USER") or f"uid {os.getuid()}"


def emit(value: Any) -> None:
    """One JSON value on one line of stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def say(text: str = "") -> None:
    """A line for people."""
    click.echo(text)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, urgent: Sequence[str] = ()) -> None:
    """A table for people; rich is loaded only on a terminal."""
    listed = [[str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        widths = [max(len(row[place]) for row in [list(headings), *listed]) for place in range(len(headings))]
        for row in [list(headings), *listed]:
            say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        return
    from rich.console import Console  # loaded only for people at a terminal
    from rich.table import Table

    shown = Table(box=None, pad_edge=False)
    for heading in headings:
        shown.add_column(heading)
    for place, row in enumerate(listed):
        shown.add_row(*row, style=urgent[place] if place < len(urgent) else "")
    Console().print(shown)


def must_be_once(once: bool, instead: str) -> None:
    """Refuses a command that does one round unless it was asked for once."""
    if not once:
        raise MisuseError("this command does one round", f"Add --once; to repeat it use: mailbot run {instead}")


def progress(what: str) -> Callable[[int, int], None]:
    """A line on a terminal for anything that takes over two seconds: done, rate, time left."""
    started = time.monotonic()
    last = [started]

    def show(done: int, total: int) -> None:
        at = time.monotonic()
        if not sys.stderr.isatty() or at - started < PROGRESS_AFTER_S or (at - last[0] < 0.2 and done < total):
            return
        last[0] = at
        rate = done / (at - started)
        left = (total - done) / rate if rate else 0
        end = "\n" if done >= total else ""
        click.echo(f"\r{what}: {done}/{total}, {rate:.0f}/s, {left:.0f} s left   {end}", nl=False, err=True)

    return show
