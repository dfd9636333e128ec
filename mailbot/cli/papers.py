"""Papers about mailbot itself for the controller's lawyer, filled in from the configuration.

The entry for the record of processing (GDPR 30(1)), a paragraph for the privacy notice, and the consent of a person
whose own mailbox is read (Act 759/2004, chapter 6). They are models: nothing here is ever sent by mailbot.
"""

from string import Template

import click

from mailbot.cli.common import house, say
from mailbot.core.controller import LANGUAGES
from mailbot.gateway.resources import shipped
from mailbot.wiring import House


@click.command()
@click.option("--language", type=click.Choice(LANGUAGES), help="The controller's own when left out.")
@click.pass_context
def papers(ctx: click.Context, language: str | None) -> None:
    """Models for the lawyer: record of processing, privacy notice, consent of a mailbox's owner."""
    found = house(ctx)
    wanted = language or (found.controller.language if found.controller.language in LANGUAGES else "en")
    say(filled(found, wanted))


def filled(found: House, language: str) -> str:
    """The papers in one language, with the controller's name and the configured storage times."""
    text = (shipped("templates") / language / "papers.md").read_text(encoding="utf-8")
    kept = found.config.retention
    return Template(text).substitute(
        organisation=found.controller.organisation.name,
        contact=found.office.sender_address,
        closed_days=kept.closed_days,
        attachments_days=kept.attachments_days,
        dismissed_days=kept.dismissed_days,
        seen_days=kept.seen_days,
    )
