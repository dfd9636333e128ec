"""Records: the audit chain, a ticket's dossier, and figures."""

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from mailbot.cli.common import emit, house, json_option, now, say
from mailbot.core.audit import faults
from mailbot.core.stats import Case, Stats, as_data, compute, csv_rows
from mailbot.core.stats_plot import stats_bars, stats_svg
from mailbot.core.ticket import RUNNING, Status
from mailbot.errors import BadInputError, ConfigurationError, ServiceUnavailableError
from mailbot.flows import clock, dossier
from mailbot.flows.duties import POLLED
from mailbot.gateway.letters import document_pdf, find_font
from mailbot.gateway.metrics import Figures
from mailbot.gateway.metrics import text as metrics_text
from mailbot.store import audit as audit_store
from mailbot.store import cursors, outbox
from mailbot.store import tickets as ticket_store
from mailbot.wiring import House

DAYS_SOON = 7


@click.group()
def audit() -> None:
    """The audit chain."""


@audit.command()
@json_option
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Checks every link: altered, missing, reordered or back-dated entries are named; exit 65."""
    with house(ctx).database.read() as connection:
        wrong = list(faults((told.entry, told.salt, told.detail) for told in audit_store.chain(connection)))
        count, root = audit_store.root(connection)
    if as_json:
        emit({"entries": count, "root": root, "whole": not wrong, "faults": wrong})
    else:
        for line in wrong:
            say(line)
        say(f"{count} entries, root {root}: " + ("NOT whole" if wrong else "whole"))
    if wrong:
        raise BadInputError(f"the audit chain has {len(wrong)} faults", "Compare with a backup and the last digest.")


@audit.command()
@click.argument("reference")
@click.option("--output", type=click.Path(path_type=Path), help="Where the zip goes; REFERENCE.zip here when left out.")
@click.pass_context
def export(ctx: click.Context, reference: str, output: Path | None) -> None:
    """One ticket's dossier as a zip that can be checked offline."""
    found = house(ctx)
    try:
        find_font()
        printer: dossier.Printer | None = document_pdf
    except ConfigurationError as error:
        click.echo(f"mailbot: no PDF in the dossier: {error}", err=True)
        printer = None
    with found.database.read() as connection:
        name, content = dossier.dossier(connection, found.office, reference, now=now(), printer=printer)
    target = output or Path(f"{name}.zip")
    try:
        target.write_bytes(content)
    except OSError as error:
        raise ServiceUnavailableError(f"{target} can not be written ({error.strerror})", "Choose --output.") from error
    say(str(target))


@click.command()
@click.option("--csv", "as_csv", is_flag=True, help="By month, for a spreadsheet.")
@click.option("--svg", type=click.Path(path_type=Path), help="Write the plot to this file.")
@json_option
@click.pass_context
def stats(ctx: click.Context, as_csv: bool, svg: Path | None, as_json: bool) -> None:
    """Open, due this week, on-time share, median days to reply, by right and by month."""
    found = house(ctx)
    with found.database.read() as connection:
        every = ticket_store.find(connection)
    cases = [
        Case.of(
            status=item.status,
            rights=item.rights,
            received_at=item.received_at,
            due_on=item.due_on,
            answered_at=item.answered_at,
            zone=found.office.zone,
            outcome=item.outcome,
        )
        for item in every
    ]
    figures = compute(cases, clock.today(found.office, now()))
    if svg is not None:
        try:
            svg.write_text(stats_svg(figures), encoding="utf-8")
        except OSError as error:
            cure = "Choose another place."
            raise ServiceUnavailableError(f"{svg} can not be written ({error.strerror})", cure) from error
    if as_json:
        emit(as_data(figures))
    elif as_csv:
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(csv_rows(figures))
        sys.stdout.write(out.getvalue())
    else:
        for line in _in_words(figures):
            say(line)
        say(stats_bars(figures))


def _in_words(figures: Stats) -> Iterator[str]:
    """The figures that people ask for first."""
    share = figures.on_time_share
    yield f"open {figures.open}, overdue {figures.overdue}, due this week {figures.due_this_week}"
    yield f"answered {figures.answered}" + ("" if share is None else f", in time {share:.0%}")
    if figures.median_days is not None:
        rights = "".join(f", {right} {days:g}" for right, days in figures.by_right.items())
        yield f"median days to answer {figures.median_days:g}{rights}"
    if figures.outcomes:
        yield "outcomes: " + ", ".join(f"{outcome} {count}" for outcome, count in figures.outcomes.items())
    yield ""


@click.command()
@click.option("--output", type=click.Path(path_type=Path), help="Write them to this file, whole or not at all.")
@click.pass_context
def metrics(ctx: click.Context, output: Path | None) -> None:
    """Figures in the text format of Prometheus; for the node exporter's text files. Opens no port."""
    found = house(ctx)
    text = metrics_text(_figures(found))
    if output is None:
        sys.stdout.write(text)
        return
    try:
        half = output.with_name(f".{output.name}.half")
        half.write_text(text, encoding="utf-8")
        half.replace(output)
    except OSError as error:
        raise ServiceUnavailableError(f"{output} can not be written ({error.strerror})", "Choose --output.") from error


def _figures(found: House) -> Figures:
    today = clock.today(found.office, now())
    with found.database.read() as connection:
        every = ticket_store.find(connection)
        running = [item for item in every if item.status in RUNNING]
        polled = cursors.read_state(connection, POLLED)
        return Figures(
            tickets={status.value: sum(item.status is status for item in every) for status in Status},
            overdue=sum(item.overdue(today) for item in every),
            due_this_week=sum(0 <= (item.due_on - today).days <= DAYS_SOON for item in running),
            waiting_mails=outbox.waiting(connection),
            remembered=cursors.count_seen(connection),
            audit_entries=audit_store.count(connection),
            polled_at=polled[1] if polled else None,
        )
