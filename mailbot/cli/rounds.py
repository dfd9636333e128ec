"""One round of each duty, then exit; and the daemon that does them all."""

from datetime import date, datetime

import click

from mailbot.cli.common import (
    awake_since,
    emit,
    house,
    json_option,
    moment,
    must_be_once,
    now,
    once_option,
    os_user,
    progress,
    say,
)
from mailbot.daemon import serve
from mailbot.flows.canary import canary as canary_round
from mailbot.flows.purge import purge as purge_round
from mailbot.flows.recheck import recheck as recheck_round
from mailbot.flows.redate import redate as redate_round
from mailbot.flows.remind import remind as remind_round


@click.command()
@once_option
@click.option("--now", "at", help="Act as if it were that moment.")
@json_option
@click.pass_context
def remind(ctx: click.Context, once: bool, at: str | None, as_json: bool) -> None:
    """Tells staff what is due and has not been said."""
    must_be_once(once, "all")
    done = remind_round(house(ctx).office, now=moment(at))
    if as_json:
        emit(done.__dict__)
    else:
        say(
            f"reminded of {len(done.reminded)}, escalated {len(done.escalated)}, "
            f"held-back notices {len(done.noticed)}, told in a list {len(done.merged)}"
        )


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
@json_option
@click.pass_context
def canary(ctx: click.Context, as_json: bool) -> int:
    """Sends or checks the test mail; tells when something has stopped, and when it is well again."""
    found = house(ctx)
    done = canary_round(found.office, found.canary_plan(), now=now(), awake_since=awake_since())
    for told in done.told:
        found.shout(told.text.subject, told.text.body)
    trouble = [told.name for told in done.told if not told.recovered]
    if as_json:
        emit({"sent": done.sent, "waiting": done.waiting, "trouble": trouble,
              "recovered": [told.name for told in done.told if told.recovered]})  # fmt: skip
        return 0
    for told in done.told:
        say(told.text.subject)
    if not found.config.canary.enabled:
        say("no test mail is sent: canary.enabled is false")
    else:
        say("a test mail was sent" if done.sent else "a test mail is on its way" if done.waiting else "all is well")
    return 0


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show the difference.")
@json_option
@click.pass_context
def redate(ctx: click.Context, dry_run: bool, as_json: bool) -> int:
    """Reckons open tickets again after a change of holidays or policy; staff hear of what moves."""
    done = redate_round(house(ctx).office, now=now(), by=f"cli:{os_user()}", dry_run=dry_run)
    for shift in done.shifts:
        if as_json:
            emit({"reference": shift.reference, "before": shift.before, "after": shift.after, "dry_run": dry_run})
            continue
        moves = [f"{name.removesuffix('_on')} {_day(shift.before[name])} -> {_day(shift.after[name])}"
                 for name in shift.after]  # fmt: skip
        say(f"{shift.reference}: {', '.join(moves)}")
    if not as_json:
        say(f"{len(done.shifts)} {'would move' if dry_run else 'moved'}, {done.unmoved} stay as they are")
    for problem in done.problems:
        click.echo(f"mailbot: {problem}", err=True)
    return 65 if done.problems else 0


def _day(day: date | None) -> str:
    return day.isoformat() if day else "none"


@click.command()
@click.option("--since", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Messages from this day on.")
@click.option("--open", "open_tickets", is_flag=True, help="Open tickets, with their original receipt.")
@json_option
@click.pass_context
def recheck(ctx: click.Context, since: datetime, open_tickets: bool, as_json: bool) -> int:
    """Reads the mailbox again after a change of rules: what would now be judged otherwise?"""
    found = house(ctx)
    with found.mailbox() as mailbox:
        done = recheck_round(
            found.office, mailbox, found.reader, found.commands, found.folders(),
            since=since.date(), now=now(), open_tickets=open_tickets, progress=progress("judged"),
        )  # fmt: skip
    for item in done.differences:
        if as_json:
            emit(item.__dict__)
            continue
        what = f"opened as {item.opened}" if item.opened else f"would be {item.now}"
        rights = f" ({', '.join(item.rights)})" if item.rights else ""
        due = f", due {item.due_on}" if item.due_on else ""
        say(f"{item.folder} {item.uid}, {item.received_at:%Y-%m-%d}: {item.before} -> {what}{rights}{due}")
    if not as_json:
        say(f"{done.read} read, {len(done.differences)} judged otherwise, {done.unread} not yet read by poll")
    for problem in done.problems:
        click.echo(f"mailbot: {problem}", err=True)
    return 65 if done.problems else 0


@click.command()
@click.argument("what", type=click.Choice(["poll", "deliver", "all"]), default="all")
@click.pass_context
def run(ctx: click.Context, what: str) -> int:
    """The daemon: stays until it is told to stop."""
    return serve(house(ctx), what, now)
