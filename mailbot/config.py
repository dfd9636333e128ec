"""One TOML file a controller, read into frozen values, with every error at once: file, key and cure.

Secrets are only named here (file, environment variable, command, systemd credential) and resolved on first use, so the
poller never needs SMTP's and the sender never IMAP's. Unknown keys are errors.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mailbot.config_between import own_addresses, problems_between
from mailbot.config_tables import (
    Alarm,
    Authenticity,
    Calendar,
    Canary,
    Database,
    Imap,
    Limits,
    OAuth,
    Reminders,
    Retention,
    Rules,
    Server,
    Smtp,
    Staff,
)
from mailbot.core.shape import Problem, Told, key, of, several, table_of, text
from mailbot.errors import ConfigurationError

__all__ = ["Config", "Imap", "OAuth", "Server", "Staff", "from_data", "load"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole file. `path` is where it was read from; relative paths in it count from there."""

    path: Path = Path("mailbot.toml")
    profile: str = key("rules/controllers/NAME.toml, or a path: the organisation and its registers", text())
    database: Database = table_of(Database)
    imap: Imap = table_of(Imap)
    smtp: Smtp = table_of(Smtp)
    staff: list[Staff] = key("", several(of(Staff), some=True), of=Staff)
    reminders: Reminders = table_of(Reminders, Reminders())
    calendar: Calendar = table_of(Calendar, Calendar())
    authenticity: Authenticity = table_of(Authenticity, Authenticity())
    alarm: Alarm | None = table_of(Alarm, None)
    retention: Retention = table_of(Retention, Retention())
    limits: Limits = table_of(Limits, Limits())
    canary: Canary = table_of(Canary, Canary())
    rules: Rules = table_of(Rules, Rules())

    def own_addresses(self) -> frozenset[str]:
        """The addresses that are this mailbox: the login, if it is one, and the sender (lower case)."""
        return own_addresses(self.imap.username, self.smtp.sender)

    def resolve(self, value: str) -> Path:
        """A path of the file, relative to it."""
        return (self.path.parent / Path(value).expanduser()).resolve()

    def database_url(self) -> str:
        """The database address with a relative SQLite path made absolute."""
        if self.database.url.startswith("sqlite:///") and ":memory:" not in self.database.url:
            return f"sqlite:///{self.resolve(self.database.url.removeprefix('sqlite:///'))}"
        return self.database.url

    def key_path(self) -> Path:
        """Where the secret key of hashes and own mails lies."""
        if self.database.key_file:
            return self.resolve(self.database.key_file)
        url = self.database_url()
        if url.startswith("sqlite:///"):
            return Path(url.removeprefix("sqlite:///")).with_suffix(".key")
        return self.path.with_suffix(".key")


def load(path: Path) -> Config:
    """Reads the configuration file.

    Raises ConfigurationError with every problem: unreadable file, broken TOML, unknown, missing and wrong keys.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            [f"{path}: there is no such file; write one with: mailbot init --output {path}"]
        ) from None
    except OSError as error:
        raise ConfigurationError([f"{path}: can not be read ({error.strerror}); check its owner and mode"]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{path}: is not UTF-8 text; save it as UTF-8"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([f"{path}: is not valid TOML: {error}"]) from error
    return from_data(data, path)


def from_data(data: Mapping[str, Any], path: Path) -> Config:
    """A configuration from parsed TOML; the same errors as `load`."""
    told: Told = []
    found = _FILE(data, (), told)
    problems = [f"{path}: {_words(problem)}" for problem in told]
    problems += [f"{path}: {name}: {words}" if name else f"{path}: {words}" for name, words in problems_between(data)]
    if problems:
        raise ConfigurationError(problems)
    assert isinstance(found, Config)  # nothing was told
    return replace(found, path=path.resolve())


_FILE = of(Config)


def _words(problem: Problem) -> str:
    name = ".".join(str(part + 1) if isinstance(part, int) else part for part in problem.place)
    if problem.kind == "unknown":
        return f"{name}: unknown key; remove it or look for a spelling mistake (mailbot init shows every key)"
    if problem.kind == "missing":
        return f"{name}: is missing; add it (mailbot init shows an example)"
    return f"{name}: {problem.text} (mailbot init shows an example)"
