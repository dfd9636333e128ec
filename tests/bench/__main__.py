"""Measures everything in one run and prints a table, or JSON with `--json FILE`. What is compared is run in turns.

The default takes about three minutes; `--full` is what the README's figures come from.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import mailbox
from tests.bench.desk import Desk
from tests.bench.measure import Cost, Spread, environment, program, run, spread
from tests.servers.dovecot import Dovecot

Figures = dict[str, list[float]]
USER, SMALL, LIVE = "privacy@example.com", "small@example.com", "live@example.com"  # three mailboxes
AIMS = {
    "poll / floor": ">= 2 (at least 1)",
    "poll messages/s": ">= 880",
    "poll peak MB": "<= 64 (at most 80)",
    "deliver / reused connection": ">= 0.8",
    "parse + classify messages/s": ">= 1500 (at least 600)",
    "start --help s": "<= 0.25",
    "start poll, nothing new CPU s": "<= 0.6",
    "daemon idle MB": "<= 60",
    "daemon idle % of a core": "< 0.1",
    "latency ms": "<= 50",
    "growth 1000000 seen": "<= 1.2",
    "growth 10000 tickets": "<= 1.2",
}


def main() -> int:
    """Runs the parts asked for."""
    options = _options()
    if why := Dovecot.missing():
        print(f"the benchmark needs Dovecot: {why}", file=sys.stderr)
        return 1
    figures: Figures = defaultdict(list)
    folder = Path(tempfile.mkdtemp(prefix="mb", dir="/tmp"))
    try:
        with Dovecot() as server:
            for name, part in PARTS.items():
                if name in options.parts:
                    print(f"{name} ...", file=sys.stderr, flush=True)
                    part(figures, server, folder, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _print(figures, options)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="2,000 messages, seven runs, a million remembered")
    parser.add_argument("--messages", type=int, help="in the mailbox that is polled")
    parser.add_argument("--runs", type=int, help="of each; the table shows median, least and most")
    parser.add_argument("--seen", type=int, help="remembered messages of the largest database")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there as well")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    given = parser.parse_args()
    given.messages = given.messages or (2000 if given.full else 600)
    given.runs = given.runs or (7 if given.full else 5)
    given.seen = given.seen or (1_000_000 if given.full else 200_000)
    return given


def _poll(figures: Figures, server: Dovecot, folder: Path, options: argparse.Namespace) -> None:
    """The floor and `poll --once` in turns over one mailbox, each from nothing; then a poll with nothing new."""
    mailbox.fill(server.folder / "mail" / USER, options.messages)
    desk = Desk(folder / "poll", server)
    desk.mailbot("poll", "--once")  # Dovecot's index and compiled modules are there for both
    for _ in range(options.runs):
        for file in folder.glob("floor.db*"):
            file.unlink()
        floor = run(
            program("tests.bench.floor", server.port, USER, Dovecot.PASSWORD, folder / "floor.db"), folder / "output"
        )
        desk.forget()
        polled = desk.mailbot("poll", "--once")
        _add(figures, "floor", floor, options.messages)
        _add(figures, "poll", polled, options.messages)
        figures["poll / floor"].append(floor.wall_s / polled.wall_s)
        figures["poll / floor, CPU"].append(floor.cpu_s / polled.cpu_s)
        figures["start poll, nothing new CPU s"].append(desk.mailbot("poll", "--once").cpu_s)


def _add(figures: Figures, name: str, cost: Cost, count: int) -> None:
    figures[f"{name} messages/s"].append(count / cost.wall_s)
    figures[f"{name} CPU s"].append(cost.cpu_s)
    figures[f"{name} peak MB"].append(cost.peak_mb)


def _start(figures: Figures, server: Dovecot, folder: Path, options: argparse.Namespace) -> None:
    desk = Desk(folder / "start", server, user="empty@example.com")
    desk.mailbot("poll", "--once")
    for _ in range(options.runs):
        for name in ("--help", "tickets"):
            cost = desk.mailbot(name)
            figures[f"start {name} s"].append(cost.wall_s)
            figures[f"start {name} CPU s"].append(cost.cpu_s)


def _read(figures: Figures, server: Dovecot, folder: Path, options: argparse.Namespace) -> None:
    for _ in range(options.runs):
        said = run(program("tests.bench.reading", options.messages), folder / "output").out.split()
        figures["rules load CPU s"].append(float(said[0]))
        figures["parse messages/s"].append(float(said[1]))
        figures["parse + classify messages/s"].append(float(said[2]))


def _send(figures: Figures, server: Dovecot, folder: Path, options: argparse.Namespace) -> None:
    count = options.messages // 2
    with _sink() as port:
        desk = Desk(folder / "send", server, smtp_port=port)
        for _ in range(options.runs):
            reused = run(program("tests.bench.reused", port, count), folder / "output")
            desk.forget()
            run(program("tests.bench.forge", desk.database, "outbox", count), folder / "output")
            sent = desk.mailbot("deliver", "--once")
            figures["reused connection mails/s"].append(count / reused.wall_s)
            figures["deliver mails/s"].append(count / sent.wall_s)
            figures["deliver peak MB"].append(sent.peak_mb)
            figures["deliver / reused connection"].append(reused.wall_s / sent.wall_s)


@contextmanager
def _sink() -> Iterator[int]:
    process = subprocess.Popen(
        program("tests.bench.sink"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(timeout=10)


def _grow(figures: Figures, server: Dovecot, folder: Path, options: argparse.Namespace) -> None:
    """The same poll over databases that remember more and more; 1 is the time over an empty one."""
    mailbox.fill(server.folder / "mail" / SMALL, options.messages // 2)
    desk = Desk(folder / "grow", server, user=SMALL)
    sizes = {"0 seen": ("seen", 0), "10000 seen": ("seen", 10_000), f"{options.seen} seen": ("seen", options.seen),
             "10000 tickets": ("tickets", 10_000)}  # fmt: skip
    for name, (what, count) in sizes.items():
        desk.forget()
        run(program("tests.bench.forge", desk.database, what, count), folder / "output")
        desk.database.parent.rename(folder / name)
    walls: Figures = defaultdict(list)
    for _ in range(options.runs):
        for name in sizes:
            desk.restore(folder / name)
            walls[name].append(desk.mailbot("poll", "--once").wall_s)
        for name in sizes:
            figures[f"growth {name}"].append(walls[name][-1] / walls["0 seen"][-1])


def _rest(figures: Figures, server: Dovecot, folder: Path, options: argparse.Namespace) -> None:
    from tests.bench import latency  # imports imapclient, whose memory the other parts should not carry

    with server.session(LIVE), _sink() as port:
        desk = Desk(folder / "rest", server, smtp_port=port, user=LIVE)
        found = latency.measure(desk, server, LIVE, rest_s=20.0, mails=max(5, options.runs))
    figures["daemon idle MB"] += found["idle_mb"]
    figures["daemon idle % of a core"] += found["idle_percent"]
    figures["daemon after mails MB"] += found["used_mb"]
    figures["latency first mail ms"] += found["latency_ms"][:1]
    figures["latency ms"] += found["latency_ms"][1:]


PARTS = {"start": _start, "read": _read, "poll": _poll, "send": _send, "grow": _grow, "rest": _rest}


def _print(figures: Figures, options: argparse.Namespace) -> None:
    spreads: dict[str, Spread] = {name: spread(values) for name, values in figures.items()}
    print(f"{'':34}{'median':>10}{'least':>10}{'most':>10}  runs  aim")
    for name, found in spreads.items():
        cells = "".join(f"{value:>10.4g}" for value in (found.median, found.low, found.high))
        print(f"{name:34}{cells}{found.runs:>6}  {AIMS.get(name, '')}".rstrip())
    if options.json:
        about = {"at": datetime.now(UTC).isoformat(), "cores": os.cpu_count(), "python": sys.version.split()[0],
                 "load": os.getloadavg(), "messages": options.messages, "seen": options.seen}  # fmt: skip
        every = {name: {**asdict(found), "values": figures[name]} for name, found in spreads.items()}
        options.json.write_text(json.dumps({"about": about, "figures": every}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
