"""A controller for measuring: configuration, mailbox and database in a temporary folder."""

import shutil
from pathlib import Path

from tests.bench.measure import Cost, program, run
from tests.servers.dovecot import Dovecot

USER = "privacy@example.com"
CONFIG = """
profile = "jalo-it"
[database]
url = "sqlite:///var/bench.db"
[imap]
host = "127.0.0.1"
port = {imap}
security = "none"
username = "{user}"
password_file = "imap-password"
[smtp]
host = "127.0.0.1"
port = {smtp}
security = "none"
sender = "Jalo IT Oy, tietosuoja <privacy@example.com>"
[[staff]]
name = "Anna Approver"
email = "anna@example.org"
roles = ["approver"]
language = "fi"
"""


class Desk:
    """One controller under measurement."""

    def __init__(self, folder: Path, imap: Dovecot, smtp_port: int = 1, user: str = USER) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.config = folder / "mailbot.toml"
        self.database = folder / "var" / "bench.db"
        self.config.write_text(CONFIG.format(imap=imap.port, smtp=smtp_port, user=user), encoding="utf-8")
        (folder / "imap-password").write_text(Dovecot.PASSWORD + "\n", encoding="utf-8")

    def mailbot(self, *arguments: str) -> Cost:
        """One command, as a user runs it."""
        return run(program("mailbot", "--config", self.config, *arguments), self.folder / "output")

    def forget(self) -> None:
        """No database any more."""
        shutil.rmtree(self.database.parent, ignore_errors=True)

    def restore(self, source: Path) -> None:
        """A copy of another database, key included."""
        self.forget()
        shutil.copytree(source, self.database.parent)
