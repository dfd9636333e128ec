"""A desk whose commands run in this process: the same words as on a terminal, without a start of Python for each."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from mailbot.cli import main
from story.desk import Desk, Ran


@dataclass(kw_only=True)
class Inside(Desk):
    """Commands of one controller, run here."""

    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str, stdin: str | None = None) -> Ran:
        """One command as a user types it."""
        assert stdin is None, "a command that reads needs a process of its own"
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(self.folder / "mailbot.toml"), *arguments])
        said = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ran(code=ended.value.code, out=said.out, err=said.err)

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "mailbot.toml"

    def add(self, text: str) -> None:
        """Somebody adds a table to the configuration."""
        with self.config.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")

    @classmethod
    def of(cls, desk: Desk, capsys: pytest.CaptureFixture[str]) -> "Inside":
        """The same desk, its commands run here."""
        return cls(
            folder=desk.folder, imap=desk.imap, smtp=desk.smtp, staff=desk.staff, contact=desk.contact,
            read=len(desk.smtp.accepted), capsys=capsys,
        )  # fmt: skip
