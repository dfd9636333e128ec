"""An OAuth2 token as a value, and the file that keeps it: mode 0600, replaced whole, read and renewed under a lock.

A refresh token can be of one use only (RFC 6749 6, RFC 9700 4.14.2): whoever renews holds the lock, reads the file
again first, and what the server gave instead is on the disk before anybody uses it. No token ever stands in an error.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailbot.errors import ConfigurationError, ServiceUnavailableError

NEVER = datetime(1, 1, 1, tzinfo=UTC)
MOMENTS = ("made_at", "renew_at", "expires_at", "refresh_begins_at", "refresh_ends_at")


@dataclass(frozen=True, kw_only=True)
class Token:
    """What a token endpoint gave. The moments are aware UTC."""

    access: str = field(default="", repr=False)  # "" when only the refresh token is known
    refresh: str = field(default="", repr=False)  # "" when there is none
    made_at: datetime = NEVER
    renew_at: datetime = NEVER  # from here on a new one is asked for
    expires_at: datetime = NEVER
    refresh_begins_at: datetime = NEVER
    refresh_ends_at: datetime = NEVER  # of the refresh token; NEVER where the server does not say

    def usable(self, now: datetime) -> bool:
        """True while the server takes it. A clock that was set back makes a token unusable, not eternal."""
        return bool(self.access) and self.made_at <= now < self.expires_at

    def fresh(self, now: datetime) -> bool:
        """True while no new one need be asked for."""
        return self.usable(now) and now < self.renew_at


class TokenFile:
    """Where one token is kept. `where` names it in errors ("imap.oauth")."""

    def __init__(self, path: Path, where: str) -> None:
        self.path = path
        self._where = where

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the token against other processes; death releases it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def read(self) -> Token | None:
        """The token kept there, None when there is no file yet.

        A file that holds nothing but a refresh token, as pasted by a person, is understood too.
        Raises ConfigurationError when it can not be read or understood.
        """
        try:
            text = self.path.read_text(encoding="utf-8").strip()
            self.path.chmod(0o600)
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise self._damaged() from None
        except OSError as error:
            raise ConfigurationError(
                [f"{self._where}.token_file: {self.path} can not be read ({error.strerror}); check its owner"]
            ) from error
        if len(text.split()) == 1 and text[0] not in "{[\"'":
            return Token(refresh=text)
        return self._understood(text)

    def write(self, token: Token) -> None:
        """Replaces what is kept, whole or not at all. Raises ServiceUnavailableError when the disk refuses."""
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()  # left by a process of this number that was killed
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(_as_json(token), file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
            self._sync_folder()
        except OSError as error:
            raise self._unusable(error) from error

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _understood(self, text: str) -> Token:
        try:
            data: dict[str, Any] = json.loads(text)
            moments = {name: datetime.fromisoformat(data[name]) for name in MOMENTS if name in data}
            if any(moment.tzinfo is None for moment in moments.values()):
                raise ValueError
            access, refresh = str(data.get("access_token", "")), str(data.get("refresh_token", ""))
            return Token(access=access, refresh=refresh, **moments)
        except (ValueError, TypeError, AttributeError):
            raise self._damaged() from None  # the parser's own words may repeat the token

    def _damaged(self) -> ConfigurationError:
        return ConfigurationError([f"{self._where}.token_file: {self.path} is damaged; remove it and sign in again"])

    def _unusable(self, error: OSError) -> ServiceUnavailableError:
        return ServiceUnavailableError(
            f"{self._where}.token_file: {self.path} can not be written ({error.strerror})",
            "Check the folder's owner, mode and free space.",
        )


def _as_json(token: Token) -> dict[str, str]:
    return {
        "access_token": token.access,
        "refresh_token": token.refresh,
        "made_at": token.made_at.isoformat(),
        "renew_at": token.renew_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "refresh_begins_at": token.refresh_begins_at.isoformat(),
        "refresh_ends_at": token.refresh_ends_at.isoformat(),
    }
