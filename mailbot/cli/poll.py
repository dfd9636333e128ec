"""One look at the mailbox, then exit. It runs every minute where no daemon does, so it loads only what it needs."""

import click

from mailbot.cli.common import emit, house, json_option, must_be_once, now, once_option, progress, say
from mailbot.flows.duties import held_back
from mailbot.flows.lives import note as note_ends
from mailbot.flows.poll import poll as poll_round


@click.command()
@once_option
@json_option
@click.pass_context
def poll(ctx: click.Context, once: bool, as_json: bool) -> int:
    """Reads what is new; the mailbox stays as it was."""
    must_be_once(once, "poll")
    found = house(ctx)
    office = found.office
    with found.mailbox() as mailbox:
        note_ends(office, found.lives(mailbox), now=now())
        done = poll_round(
            office, mailbox, found.reader, found.commands, found.folders(), clock_now=now, progress=progress("read")
        )
    if held_back(office):
        from mailbot.flows.remind import tell_held_back  # loads all that writes to staff: a third of a start

        tell_held_back(office, now=now())
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
