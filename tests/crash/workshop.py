"""A controller on loopback whose commands can be killed at any instant; the desk of the story tests with a forge."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink
from story.desk import Desk

ROOT = Path(__file__).resolve().parents[2]


@dataclass(kw_only=True)
class Forge:
    """The process that forks mailbots. A context manager."""

    folder: Path
    _process: subprocess.Popen[str] | None = None
    _number: int = 0

    def __enter__(self) -> "Forge":
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "crash.forge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
        )
        assert self._answer() == {"ready": True}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def start(self, *arguments: str, **order: Any) -> "Started":
        """Starts a command and returns at once."""
        self._number += 1
        output = self.folder / f"output-{self._number}"
        pid = self._ask({"run": list(arguments), "output": str(output), **order})["pid"]
        return Started(forge=self, pid=pid, output=output)

    def wait(self, pid: int) -> int:
        """The exit code of a child; -9 when it was killed."""
        code: int = self._ask({"wait": pid})["code"]
        return code

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the forge is dead"
        found: dict[str, Any] = json.loads(line)
        return found


@dataclass(kw_only=True)
class Started:
    """A running command."""

    forge: Forge
    pid: int
    output: Path

    def kill(self) -> None:
        """Kills it as `kill -9` does."""
        os.kill(self.pid, signal.SIGKILL)

    def end(self) -> int:
        """Waits for it; its exit code. A traceback is a failure of the test, whatever the code."""
        code = self.forge.wait(self.pid)
        said = self.said
        assert "Traceback" not in said, said
        return code

    @property
    def said(self) -> str:
        """What it printed so far."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""


@dataclass(kw_only=True)
class Workshop:
    """A desk, a forge, and what a whole run of each command takes."""

    desk: Desk
    forge: Forge
    chance: random.Random
    took: dict[str, float] = field(default_factory=dict)  # command -> seconds
    calls: dict[str, int] = field(default_factory=dict)  # command -> calls and returns

    @classmethod
    def make(cls, folder: Path, imap: Dovecot, smtp: SmtpSink, forge: Forge, seed: int, url: str = "") -> "Workshop":
        """Writes the configuration; with `url` on that database instead of a SQLite file."""
        desk = Desk.make(folder, imap, smtp, more="[limits]\nnotices_per_hour = 1000\nstaff_answers_per_hour = 1000")
        if url:
            path = folder / "mailbot.toml"
            path.write_text(path.read_text().replace("sqlite:///var/test.db", url))
        return cls(desk=desk, forge=forge, chance=random.Random(seed))

    def start(self, *arguments: str, **order: Any) -> Started:
        """Starts a command on this desk's configuration."""
        return self.forge.start("--config", str(self.desk.folder / "mailbot.toml"), *arguments, **order)

    def must(self, *arguments: str, **order: Any) -> str:
        """A command that runs to its end and succeeds; what it said."""
        started = self.start(*arguments, **order)
        code = started.end()
        assert code == 0, (arguments, code, started.said)
        return started.said

    def learn(self, *arguments: str) -> None:
        """One whole run: how long it takes and how many calls it makes."""
        took, count = self.desk.folder / "took", self.desk.folder / "count"
        self.must(*arguments, took=str(took))
        self.took[arguments[0]] = max(float(took.read_text()), self.took.get(arguments[0], 0.0))
        self.must(*arguments, count=str(count))
        self.calls[arguments[0]] = max(int(count.read_text()), self.calls.get(arguments[0], 0))

    def kill_somewhere(self, *arguments: str) -> bool:
        """Starts a command and kills it at a random instant of its life; False when it was through before.

        Every second time the instant is a moment, which mostly hits a wait for the disk or the network; else it is the
        n-th call, which mostly hits work between them.
        """
        if self.chance.random() < 0.5:
            started = self.start(*arguments)
            time.sleep(self.chance.uniform(0, self.took[arguments[0]] * 1.1))
            started.kill()
        else:
            started = self.start(*arguments, die_at=self.chance.randint(1, self.calls[arguments[0]]))
        code = started.end()
        assert code in (0, -signal.SIGKILL), (arguments, code, started.said)
        return code == -signal.SIGKILL
