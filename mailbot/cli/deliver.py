"""One round of sending, then exit. It runs every minute where no daemon does, so it loads only what it needs."""

import click

from mailbot.cli.common import emit, house, json_option, must_be_once, now, once_option, say
from mailbot.errors import NotPermittedError, ServiceUnavailableError
from mailbot.flows.deliver import deliver as deliver_round
from mailbot.flows.lives import note as note_ends


@click.command()
@once_option
@json_option
@click.pass_context
def deliver(ctx: click.Context, once: bool, as_json: bool) -> int:
    """Sends what is due: approved replies first, then mail to staff."""
    must_be_once(once, "deliver")
    found = house(ctx)
    with found.transport() as transport:
        done = deliver_round(found.office, transport, now=now())
        note_ends(found.office, found.lives(transport), now=now())
    if as_json:
        emit({"sent": done.sent, "deferred": done.deferred, "failed": done.failed, "waiting": done.waiting})
    else:
        say(f"sent {done.sent}, to be tried again {done.deferred}, refused {done.failed}, waiting {done.waiting}")
    if done.not_permitted:
        raise NotPermittedError(
            f"SMTP {found.config.smtp.host}: {done.stopped}", "Check smtp.username and its password."
        )
    if done.stopped:
        raise ServiceUnavailableError(f"the mail server does not take mail now ({done.stopped})", "It is tried again.")
    return 0
