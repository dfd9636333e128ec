"""The care of the rules: why a mail was judged so, and how well labelled mails are judged."""

import sys
from pathlib import Path

import click

from mailbot.cli.common import emit, json_option, say
from mailbot.cli.reading import mails, paths_argument, verdict_json
from mailbot.core.classify import reading_of
from mailbot.flows.rules_report import Judged, evaluate
from mailbot.flows.rules_report import lines as report_lines
from mailbot.gateway.resources import shipped
from mailbot.gateway.rulebook import load_rulebook
from mailbot.reading import Reader


@click.group()
def rules() -> None:
    """Rules that recognise requests."""


@rules.command()
@paths_argument
@json_option
def explain(paths: tuple[Path, ...], as_json: bool) -> None:
    """Every rule that fired or was held back, in the message's own words."""
    reader = Reader()
    for name, raw in mails(paths):
        message = reader.read(raw)
        verdict = reader.judge(message)
        held = reader.understanding.held_back(message)
        if as_json:
            held_back = [
                {"right": e.right, "rule": e.rule, "text": e.text, "start": e.start, "end": e.end} for e in held
            ]
            emit({**verdict_json(name, message, verdict), "held_back": held_back})
            continue
        say(f"{name}: {verdict.kind}, language {verdict.language}, rules {verdict.rules_version}")
        for right, score in sorted(verdict.scores.items(), key=lambda item: -item[1]):
            if score >= 0.05:
                say(f"  {score:5.2f} {right}" + (" *" if right in verdict.rights else ""))
        for item in verdict.evidence:
            say(f"  {_coloured('fired', 'green')} {item.rule} [{item.right or 'none'}]: “{item.text}”")
        for item in held:
            say(f"  {_coloured('held back', 'yellow')} {item.rule} [{item.right or 'none'}]: “{item.text}”")
        say("  " + _marked(reading_of(message), [(e.start, e.end) for e in verdict.evidence]).replace("\n", "\n  "))


def _coloured(text: str, colour: str) -> str:
    return click.style(text, fg=colour) if sys.stdout.isatty() else text


def _marked(text: str, spans: list[tuple[int, int]]) -> str:
    """The reading with the words that counted in colour."""
    if not sys.stdout.isatty():
        return text
    inside = [False] * len(text)
    for start, end in spans:
        inside[start:end] = [True] * (min(end, len(text)) - start)
    return "".join(click.style(letter, fg="green") if lit else letter for letter, lit in zip(text, inside, strict=True))


@rules.command("test")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--rules-only", is_flag=True, help="Without the second reader.")
@click.option("--errors", is_flag=True, help="List what was judged wrong.")
@json_option
def test(paths: tuple[Path, ...], rules_only: bool, errors: bool, as_json: bool) -> None:
    """Precision, recall and F1 for each right and language on labelled mail (JSON Lines)."""
    reader = Reader(second=not rules_only)
    report = evaluate(paths, reader.understanding)
    if as_json:
        for item in report.errors():
            emit(_error(item))
        return
    for line in report_lines(report, errors=errors):
        say(line)


def _error(item: Judged) -> dict[str, object]:
    return {
        "id": item.mail.id,
        "labels": sorted(item.mail.labels),
        "verdict": item.verdict.kind.value,
        "rights": sorted(item.named),
        "missed": item.missed,
        "false": item.false,
    }


@rules.command("check")
def check() -> None:
    """Loads every rule; a rule that can never fire or could run for ever is an error."""
    found = load_rulebook(shipped("rules"))
    say(f"rules {found.version}: {', '.join(sorted(found.languages))}")
