"""One round of each duty, then exit; and the daemon that does them all."""

import sys
import time
from collections.abc import Callable

import click

from mailbot.cli.common import emit, house, json_option, moment, now, say
from mailbot.daemon import serve
from mailbot.errors import MisuseError, ServiceUnavailableError
from mailbot.flows.deliver import deliver as deliver_round
from mailbot.flows.poll import poll as poll_round
from mailbot.flows.purge import purge as purge_round
from mailbot.flows.remind import remind as remind_round

once_option = click.option("--once", is_flag=True, help="One round, then exit (`mailbot run` repeats).")
PROGRESS_AFTER_S = 2.0


def _must_be_once(once: bool, instead: str) -> None:
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


@click.command()
@once_option
@json_option
@click.pass_context
def poll(ctx: click.Context, once: bool, as_json: bool) -> int:
    """Reads what is new; the mailbox stays as it was."""
    _must_be_once(once, "poll")
    found = house(ctx)
    office = found.office
    with found.mailbox() as mailbox:
        done = poll_round(
            office, mailbox, found.reader, found.commands, found.folders(), clock_now=now, progress=progress("read")
        )
    if as_json:
        emit(done.__dict__)
    else:
        say(
            f"read {done.read}: {done.tickets} new tickets, {done.follow_ups} follow-ups, "
            f"{done.commands} staff replies, {done.left_alone} left alone"
        )
    for problem in done.problems:
        click.echo(f"mailbot: {problem}", err=True)
    return 65 if done.problems else 0


@click.command()
@once_option
@json_option
@click.pass_context
def deliver(ctx: click.Context, once: bool, as_json: bool) -> int:
    """Sends what is due: approved replies first, then mail to staff."""
    _must_be_once(once, "deliver")
    found = house(ctx)
    with found.transport() as transport:
        done = deliver_round(found.office, transport, now=now())
    if as_json:
        emit({"sent": done.sent, "deferred": done.deferred, "failed": done.failed, "waiting": done.waiting})
    else:
        say(f"sent {done.sent}, to be tried again {done.deferred}, refused {done.failed}, waiting {done.waiting}")
    if done.stopped:
        raise ServiceUnavailableError(f"the mail server does not take mail now ({done.stopped})", "It is tried again.")
    return 0


@click.command()
@once_option
@click.option("--now", "at", help="Act as if it were that moment.")
@json_option
@click.pass_context
def remind(ctx: click.Context, once: bool, at: str | None, as_json: bool) -> None:
    """Tells staff what is due and has not been said."""
    _must_be_once(once, "all")
    done = remind_round(house(ctx).office, now=moment(at))
    if as_json:
        emit(done.__dict__)
    else:
        say(f"reminded of {len(done.reminded)}, escalated {len(done.escalated)}, held-back notices {len(done.merged)}")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--now", "at", help="Act as if it were that moment.")
@json_option
@click.pass_context
def purge(ctx: click.Context, dry_run: bool, at: str | None, as_json: bool) -> None:
    """Removes what may go; the audit chain stays whole."""
    done = purge_round(house(ctx).office, now=moment(at), dry_run=dry_run)
    if as_json:
        emit({**done.__dict__, "dry_run": dry_run})
        return
    word = "would remove" if dry_run else "removed"
    say(f"{word} the content of {len(done.content)} tickets, the files of {len(done.files)}, {done.seen} old hashes")
    for reference in [*done.content, *done.files]:
        say(f"  {reference}")


@click.command()
@click.argument("what", type=click.Choice(["poll", "deliver", "all"]), default="all")
@click.pass_context
def run(ctx: click.Context, what: str) -> int:
    """The daemon: stays until it is told to stop."""
    return serve(house(ctx), what, now)
