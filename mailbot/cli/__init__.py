"""The command line: arguments, output, exit codes. Decides nothing and knows no flow by itself.

Each command lives in a module that is loaded only when that command runs, so that `--help` answers at once. Every error
that a person can meet comes out as one line on stderr with the exit code of its class; a traceback is a bug.
"""

import contextlib
import gc
import importlib
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import click

from mailbot import __version__
from mailbot.errors import MailbotError

LASTING_VALUES = 50_000  # modules and rules are many values without cycles; looking for those costs a fifth of a start

# command -> (module, function, what `--help` says of it); the function is loaded when the command is asked for
COMMANDS: dict[str, tuple[str, str, str]] = {
    "demo": ("demo", "demo", "The whole story on embedded servers, printed step by step."),
    "init": ("setup", "init", "Write a commented configuration."),
    "check": ("health", "check", "Check configuration, rules, texts and calendar; --connect logs in too."),
    "run": ("rounds", "run", "The daemon: poll, deliver, or all."),
    "poll": ("poll", "poll", "Read what is new in the mailbox, once."),
    "deliver": ("deliver", "deliver", "Send what is due, once."),
    "remind": ("rounds", "remind", "Tell staff what is due, once."),
    "purge": ("rounds", "purge", "Remove what may go."),
    "canary": ("rounds", "canary", "Send or check the test mail that proves the address."),
    "classify": ("reading", "classify", "What mails ask for, and why."),
    "parse": ("reading", "parse", "What mails say, taken apart."),
    "command": ("reading", "command", "What a reply of staff would do."),
    "deadline": ("reading", "deadline", "When a request must be answered, and why."),
    "tickets": ("tickets", "tickets", "List tickets with their due dates."),
    "ticket": ("tickets", "ticket", "One ticket: show it, draft, approve, decide."),
    "templates": ("texts", "templates", "Every text that can go out."),
    "rules": ("rules", "rules", "Which rule fired and why; test rules on labelled mail."),
    "registers": ("texts", "registers", "The description of the registers."),
    "papers": ("papers", "papers", "Models for the lawyer: record of processing, notice, consent."),
    "audit": ("records", "audit", "Check the audit chain; export a dossier."),
    "stats": ("records", "stats", "Counts, on-time share, days to reply, what is due."),
    "metrics": ("records", "metrics", "Figures for Prometheus, as text."),
    "db": ("setup", "db", "The database's schema."),
    "backup": ("setup", "backup", "A consistent copy of the database while it runs."),
    "recheck": ("rounds", "recheck", "Read the mailbox again after a change of rules."),
    "redate": ("rounds", "redate", "Reckon open tickets again after a change of holidays or policy."),
    "doctor": ("health", "doctor", "Everything that can be checked, on one page."),
    "install-units": ("setup", "install_units", "Put the systemd units in place."),
}


class _Lazy(click.Group):
    """A group whose commands are loaded when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """Every command, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Loads one command."""
        if cmd_name not in COMMANDS:
            return None
        module, function, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(f"mailbot.cli.{module}"), function)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The table itself, so that listing loads nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", "config_path", type=click.Path(path_type=Path), help="Configuration file ($MAILBOT_CONFIG).")
@click.option("--verbose", is_flag=True, help="Log what is done (never people).")
@click.version_option(__version__, prog_name="mailbot")
@click.pass_context
def app(ctx: click.Context, config_path: Path | None, verbose: bool) -> None:
    """Data-protection requests by e-mail: recognised, dated, approved by a person, answered in time."""
    ctx.obj = config_path
    _logging(verbose)


def main(arguments: list[str] | None = None) -> None:
    """Runs one command and exits with its code."""
    gc.set_threshold(LASTING_VALUES, 20, 100)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        code: Any = app(arguments, standalone_mode=False, prog_name="mailbot")
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("mailbot: stopped", err=True)
        return 130
    except MailbotError as error:
        for line in str(error).splitlines():
            click.echo(f"mailbot: {line}", err=True)
        return error.exit_code
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        click.echo(f"mailbot: {error.strerror or error}{where}. Check the disk, the file and its owner.", err=True)
        return 69
    return code if isinstance(code, int) else 0


def _logging(verbose: bool) -> None:
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr, force=True)
    if "JOURNAL_STREAM" in os.environ:
        logging.getLogger().handlers[0].setFormatter(_JsonLines())


class _JsonLines(logging.Formatter):
    """One JSON object a line for the journal, whatever quotes or lines a message holds."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
