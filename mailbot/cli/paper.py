"""Letters on the command line: the reply as a PDF to be printed and posted."""

from pathlib import Path

import click

from mailbot.cli.common import actor, by_option, house, json_option, now, say
from mailbot.cli.common import emit as emit_json
from mailbot.cli.tickets import ticket
from mailbot.core.draft import DraftKind
from mailbot.errors import ServiceUnavailableError
from mailbot.flows import paper
from mailbot.gateway.letters import letter_pdf


@ticket.command("letter")
@click.argument("reference")
@by_option
@click.option("--output", type=click.Path(path_type=Path), help="Where the PDF goes; REFERENCE.pdf here when left out.")
@click.option("--kind", type=click.Choice([kind.value for kind in DraftKind]), default="reply", show_default=True)
@json_option
@click.pass_context
def letter(ctx: click.Context, reference: str, by: str, output: Path | None, kind: str, as_json: bool) -> None:
    """Prints the draft as a letter; once it is posted say: ticket posted REF."""
    found = house(ctx)
    who = actor(found, by)
    with found.office.database.write() as connection:
        made = paper.letter(connection, found.office, reference, who, letter_pdf, now=now(), kind=DraftKind(kind))
        target = output or Path(f"{made.reference}.pdf")
        try:
            target.write_bytes(made.pages)
        except OSError as error:
            cure = "Choose --output."
            raise ServiceUnavailableError(f"{target} can not be written ({error.strerror})", cure) from error
    if as_json:
        emit_json({"file": str(target), "approved": made.approved, "enclosures": made.enclosures})
        return
    say(str(target) + ("" if made.approved else ": not approved yet, for reading only"))
    for name in made.enclosures:
        say(f"  enclose {name}")
    if made.approved:
        say(f"once it is posted: mailbot ticket posted {made.reference} --kind {kind} --by {by}")
