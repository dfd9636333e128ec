"""The floors of the house: what imports what."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_module_imports_only_from_floors_below() -> None:
    """The contracts of pyproject.toml hold: floors, sqlalchemy only in the store, decisions pure."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_a_status_is_written_in_one_place() -> None:
    """Only `store/tickets.py: move` writes the status of a ticket, and only `core/ticket.py: apply` decides it."""
    writers = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "mailbot").rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r'change\("ticket".*"status"|UPDATE ticket\b.*status', line)
    ]
    assert len(writers) == 1, writers
    assert writers[0].startswith("mailbot/store/tickets.py")


def test_only_the_command_line_and_the_daemon_read_the_clock() -> None:
    """`now` is an argument everywhere else."""
    readers = {
        str(path.relative_to(ROOT / "mailbot"))
        for path in (ROOT / "mailbot").rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in ("datetime.now(", "date.today(", "time.time("))
    }
    assert {name for name in readers if not name.startswith("cli/") and name != "daemon.py"} == set()


def test_the_lock_pins_every_version_with_a_hash_and_names_no_address() -> None:
    """Every requirement of the lock has a version and a hash; no line holds an address."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = [line for line in text.splitlines() if "==" in line]
    assert len(pinned) > 30
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text
