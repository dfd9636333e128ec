"""A process that is loaded once and forks a fresh mailbot for each command, so that hundreds can be killed in a minute.

Each child is a process of its own with its own connections; what the parent has is only code and rules, read once so
that kills fall on work and not on loading. Orders come as JSON Lines on stdin, answers go to stdout.
"""

import json
import os
import resource
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import mailbot.store.migrations  # noqa: F401 - loaded for the children
from mailbot import cli
from mailbot.cli import common, decisions, rounds, tickets
from mailbot.reading import CommandReader, Reader
from mailbot.wiring import House

READER, COMMANDS = Reader(None, "fi"), CommandReader()


def serve() -> None:
    """Obeys until stdin ends."""
    _warm()
    _say({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        if "run" in order:
            _say({"pid": _fork(order)})
        else:
            _, status = os.waitpid(order["wait"], 0)
            _say({"code": os.waitstatus_to_exitcode(status)})


def _warm() -> None:
    """Reads the rules, and lets every child use them."""
    assert READER.understanding
    assert COMMANDS._words
    READER.judge(READER.read(b"Subject: Poistakaa tietoni\r\n\r\nPoistakaa kaikki tietoni rekisterist\xc3\xa4nne.\r\n"))
    for name, value in (("reader", READER), ("commands", COMMANDS)):
        ready = cached_property(lambda _house, value=value: value)
        ready.__set_name__(House, name)
        setattr(House, name, ready)


def _fork(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = _child(order)
    finally:
        os._exit(code)


def _child(order: dict[str, Any]) -> int:
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    ahead = timedelta(seconds=order.get("ahead_s", 0))
    for module in (common, rounds, decisions, tickets):
        module.now = lambda: datetime.now(UTC) + ahead  # type: ignore[attr-defined]
    if order.get("file_bytes"):  # no file may grow beyond: as good as a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_bytes"], order["file_bytes"]))
    if order.get("die_at"):
        _die_at(order["die_at"])
    elif order.get("count"):
        _count(Path(order["count"]))
    started = time.monotonic()
    code = cli._run(order["run"])
    sys.setprofile(None)
    if order.get("took"):
        Path(order["took"]).write_text(str(time.monotonic() - started))
    sys.stdout.flush()
    return code


def _die_at(number: int) -> None:
    """SIGKILL at that call or return of any function, Python's or C's."""
    left = number

    def look(frame: Any, event: str, argument: Any) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(look)


def _count(where: Path) -> None:
    """Counts calls and returns of a whole run; the file holds the number so far at the end."""
    seen = 0

    def look(frame: Any, event: str, argument: Any) -> None:
        nonlocal seen
        seen += 1
        if event == "c_call" and getattr(argument, "__name__", "") == "setprofile":
            where.write_text(str(seen))

    sys.setprofile(look)


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
