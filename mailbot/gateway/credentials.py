"""Secrets, resolved on first use and never printed: from a file, the environment, a command, or a systemd credential.

Also the key of our own making that hashes unrelated mail and marks our own (design, promises 5 and 6): it lies outside
the database, mode 0600, and is made on first use.
"""

import os
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path

from mailbot.errors import ConfigurationError, ServiceUnavailableError

COMMAND_TIMEOUT_S = 30
KEY_BYTES = 32


class Secret:
    """A secret that shows itself to nobody by accident."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


def resolve(where: str, sources: Mapping[str, str | list[str]], base: Path, environ: Mapping[str, str]) -> Secret:
    """The secret named by `sources` (one kind: file, env, command, credential).

    `where` names it in errors ("imap.password"); relative files count from `base`.
    Raises ConfigurationError when none is named, or it is missing or empty; ServiceUnavailableError when a command
    fails.
    """
    if not sources:
        raise ConfigurationError([f"{where}: no password is configured; set password_file, password_env, "
                                  "password_command or password_credential"])  # fmt: skip
    kind, value = next(iter(sources.items()))
    if kind == "command":
        found = _from_command(where, [value] if isinstance(value, str) else value)
    elif kind == "env":
        found = environ.get(str(value), "")
        if not found:
            raise ConfigurationError(
                [f"{where}: the environment variable {value} is not set; set it or use password_file"]
            )
    else:
        found = _from_file(where, _path(where, kind, str(value), base, environ))
    if not found:
        raise ConfigurationError([f"{where}: the secret is empty; write it into its {kind}"])
    return Secret(found)


def _path(where: str, kind: str, value: str, base: Path, environ: Mapping[str, str]) -> Path:
    if kind == "file":
        return base / Path(value).expanduser()
    folder = environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder:
        raise ConfigurationError(
            [f"{where}: systemd gave no credentials; start it as a unit with LoadCredential={value}:…"]
        )
    return Path(folder) / value


def _from_file(where: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip("\r\n")
    except OSError as error:
        raise ConfigurationError(
            [f"{where}: {path} can not be read ({error.strerror}); create it with mode 0600"]
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{where}: {path} is not text; write the password into it as UTF-8"]) from error


def _from_command(where: str, command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=True)
    except FileNotFoundError as error:
        raise ConfigurationError(
            [f"{where}: the command {command[0]} does not exist; correct password_command"]
        ) from error
    except (subprocess.SubprocessError, OSError) as error:
        # the command's output may hold the secret: it is never shown
        raise ServiceUnavailableError(
            f"{where}: the command {command[0]} failed", "Run it by hand to see why."
        ) from error
    return done.stdout.strip("\r\n")


def load_key(path: Path) -> bytes:
    """The key of hashes and own mails, 32 bytes; made on first use with mode 0600.

    Raises ConfigurationError when it can not be read or made: without it nothing of ours can be recognised.
    """
    try:
        if not path.exists():
            _make_key(path)
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            [f"database.key_file: {path} can not be read or made ({error}); check the folder's owner and mode"]
        ) from error
    if len(key) != KEY_BYTES:
        raise ConfigurationError([f"database.key_file: {path} is damaged; restore it from the backup"])
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # two processes at once: the first wins, the second reads the winner's
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
