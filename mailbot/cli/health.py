"""Is all well? `check` before mailbot works, `doctor` while it does: everything that can be checked, secrets masked.

Nothing is changed here, and nothing is sent. A certificate, a token or a secret near its end is a note of `check` and a
fault for `doctor`, which an administrator may run every week.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from mailbot.cli.common import emit, house, json_option, now, say
from mailbot.config import Config
from mailbot.core.life import Life
from mailbot.errors import ConfigurationError, MailbotError
from mailbot.flows.alarms import standing
from mailbot.flows.duties import POLLED
from mailbot.gateway.command_rules import load_commands
from mailbot.gateway.credentials import resolve
from mailbot.gateway.reading_rules import load_reading_patterns
from mailbot.gateway.resources import shipped
from mailbot.gateway.rulebook import load_rulebook
from mailbot.gateway.template_preview import preview
from mailbot.store import audit, cursors, outbox, tickets
from mailbot.wiring import House


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
        lines, failed, lives = _connect(found)
        well, ending = _ending(lives)
        warnings += lines + well + ending
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
    connected, failed, lives = _connect(found)
    well, ending = _ending(lives)
    lines += [f"ok    {line}" for line in connected + well] + [f"BAD   {line}" for line in failed + ending]
    lines += [f"ok    {line}" for line in _memory(found)]
    with found.database.read() as connection:
        alarms = [f"BAD   {what} (told {at:%Y-%m-%d %H:%M} UTC)" for what, at in standing(connection)]
    lines += alarms
    text = "\n".join(lines) + "\n"
    if report is None:
        sys.stdout.write(text)
    else:
        report.write_text(text, encoding="utf-8")
        say(str(report))
    return 69 if bad or failed or ending or alarms else 0


def _memory(found: House) -> Iterator[str]:
    with found.database.read() as connection:
        polled = cursors.read_state(connection, POLLED)
        yield f"last poll {polled[1]:%Y-%m-%d %H:%M} UTC" if polled else "never polled"
        for cursor in cursors.folders(connection):
            yield f"folder {cursor.folder}: up to UID {cursor.last_uid} of {cursor.uidvalidity}"
        count, root = audit.root(connection)
        yield f"audit chain: {count} entries, root {root[:16]}…"
        yield f"outbox: {outbox.waiting(connection)} waiting; remembered hashes: {cursors.count_seen(connection)}"
        yield f"tickets: {len(tickets.find(connection))}"


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


def _ending(lives: Sequence[Life]) -> tuple[list[str], list[str]]:
    """What ends by itself, as lines: what still holds long, and what is near its end."""
    moment = now()
    lines = [(life, f"{life.name.replace('.', ' ')} until {life.ends_at:%Y-%m-%d %H:%M} UTC") for life in lives]
    return (
        [line for life, line in lines if not life.near_end(moment)],
        [f"{line}: renew it" for life, line in lines if life.near_end(moment)],
    )


def _connect(found: House) -> tuple[list[str], list[str], list[Life]]:
    """Logs in to both servers; what is well, what is not, and what ends by itself."""
    lines, failed = [], []
    lives = list(found.canary_plan().known)
    try:
        with found.mailbox() as mailbox:
            names = mailbox.folders()
            can = mailbox.capabilities()
            lines.append(f"IMAP: logged in; {len(names)} folders: {', '.join(names[:12])}")
            lines.append(f"IMAP: IDLE {'yes' if 'IDLE' in can else 'no'}, MOVE {'yes' if 'MOVE' in can else 'no'}")
            for name in found.folders().names or ():
                mailbox.examine(name)
            lives += found.lives(mailbox)
    except MailbotError as error:
        failed.append(str(error))
    with found.transport() as transport:
        outcome, offers = transport.probe()
        lives += found.lives(transport)
        if outcome.result == "accepted":
            lines.append(f"SMTP: ready; offers {', '.join(offers) or 'nothing beyond the basics'}")
        else:
            failed.append(f"SMTP {found.config.smtp.host}:{found.config.smtp.port}: {outcome.result}: {outcome.answer}")
    return lines, failed, lives
