"""Running a program and saying what it cost. This process must stay small: Linux counts its memory to its children."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one run of a program cost."""

    wall_s: float
    cpu_s: float  # user and system
    peak_mb: float  # resident
    out: str


@dataclass(frozen=True, kw_only=True)
class Spread:
    """One figure over several runs."""

    median: float
    low: float
    high: float
    runs: int

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.low)} - {_short(self.high)})"


def spread(values: Sequence[float]) -> Spread:
    """Median, least and most."""
    return Spread(median=statistics.median(values), low=min(values), high=max(values), runs=len(values))


def program(module: str, *arguments: object) -> list[str]:
    """The command line that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def run(command: Sequence[str], output: Path, *, code: int = 0) -> Cost:
    """Runs a program to its end; RuntimeError with what it said unless it ends with `code`."""
    with output.open("wb") as file:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment())
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    said = output.read_text(encoding="utf-8", errors="replace")
    if process.returncode != code:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said[-2000:]}")
    return Cost(wall_s=wall_s, cpu_s=used.ru_utime + used.ru_stime, peak_mb=used.ru_maxrss / 1024, out=said)


def environment() -> dict[str, str]:
    """Ours, with compiled modules kept: an installed program has them."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def memory_mb(pid: int) -> float:
    """What a living process holds resident now."""
    return _status(pid, "VmRSS") / 1024


def cpu_s(pid: int) -> float:
    """CPU seconds of all threads of a living process, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3f}"
