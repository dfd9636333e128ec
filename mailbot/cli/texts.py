"""Texts for proof-reading: everything that can ever go out, and the description of the registers."""

from pathlib import Path

import click

from mailbot.cli.common import config_path, emit, house, json_option, say
from mailbot.core.controller import Controller
from mailbot.errors import ConfigurationError
from mailbot.gateway.letters import document_pdf
from mailbot.gateway.profiles import load_profile
from mailbot.gateway.resources import shipped
from mailbot.gateway.template_page import preview_page
from mailbot.gateway.template_preview import preview as every_text
from mailbot.gateway.templates import Renderer
from mailbot.mail.compose import html_of

profile_option = click.option("--profile", help="Profile to fill in; the configured one, or jalo-it, when left out.")


def _controller(ctx: click.Context, profile: str | None) -> Controller:
    if profile:
        return load_profile(profile, shipped("rules"))
    return house(ctx).controller if config_path(ctx).is_file() else load_profile("jalo-it", shipped("rules"))


def _renderer(ctx: click.Context) -> Renderer:
    return house(ctx).texts if config_path(ctx).is_file() else Renderer([shipped("templates")])


@click.group()
def templates() -> None:
    """The texts that can go out."""


@templates.command()
@profile_option
@click.option("--html", "page", type=click.Path(path_type=Path), help="Write one page with every text.")
@json_option
@click.pass_context
def preview(ctx: click.Context, profile: str | None, page: Path | None, as_json: bool) -> None:
    """Every text in every language, filled with sample facts."""
    found = every_text(_renderer(ctx), _controller(ctx, profile))
    if page is not None:
        page.write_text(preview_page(found, "mailbot: every text"), encoding="utf-8")
        say(f"{page}: {len(found)} texts")
        return
    for item in found:
        if as_json:
            emit(item)
        else:
            say(f"===== {item['template']} ({item['language']}, {item['audience']})")
            say(f"{item['subject']}\n\n{item['text']}")


@click.group(invoke_without_command=True)
@click.pass_context
def registers(ctx: click.Context) -> None:
    """The registers of the profile."""
    if ctx.invoked_subcommand is None:
        say(ctx.get_help())


@registers.command("show")
@profile_option
@click.option("--language", type=click.Choice(["fi", "sv", "en"]), help="The house language when left out.")
@click.option("--format", "form", type=click.Choice(["text", "html", "pdf"]), default="text", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="File to write; needed for pdf.")
@click.pass_context
def show(ctx: click.Context, profile: str | None, language: str | None, form: str, output: Path | None) -> None:
    """The information of GDPR 13 and 14 about every register: the register description."""
    controller = _controller(ctx, profile)
    chosen = language or controller.language
    text = _renderer(ctx).register_description(controller, chosen)
    if form == "text":
        content = text.encode()
    elif form == "html":
        content = html_of(text, chosen).encode()
    else:
        content = document_pdf(controller.notice_name.of(chosen), text, language=chosen, day=controller.notice_on)
    if output is None and form == "pdf":
        raise ConfigurationError(["registers show --format pdf: give --output FILE"])
    if output is None:
        say(content.decode())
    else:
        output.write_bytes(content)
        say(str(output))
