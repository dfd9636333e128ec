"""OAuth2 access tokens for IMAP and SMTP (XOAUTH2): asked for, kept, renewed before they run out.

Four ways to one: the application's own secret, a device code that a person confirms once, a refresh token, or a program
of the administrator's. Nothing here waits for a person except `authorise`, which only a terminal calls. What a server
gave is kept before it is used, so a refresh token of one use is never lost.
"""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from mailbot.core.life import Life
from mailbot.errors import ConfigurationError, NotPermittedError, ServiceUnavailableError, TryLaterError
from mailbot.gateway.credentials import Secret
from mailbot.gateway.oauth_endpoint import (
    DevicePrompt,
    Grant,
    Granted,
    application_token,
    confirmed_token,
    renewed_token,
    sign_in_again,
)
from mailbot.gateway.token_file import NEVER, Token, TokenFile

__all__ = ["DevicePrompt", "Grant", "TokenSource"]

EARLY_S = 300  # a token is renewed so long before it runs out; a short-lived one at three quarters of its life
COMMAND_TIMEOUT_S = 30


class TokenSource:
    """Gives a valid access token whenever one is asked for."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._file = TokenFile(grant.token_file, grant.where) if grant.token_file else None
        self._token: Token | None = None
        self._unsaved = False  # a token that the disk would not take

    def access_token(self, now: datetime) -> Secret:
        """An access token that is valid at `now`, renewed in time.

        Raises NotPermittedError (refused, or nobody has signed in yet), TryLaterError (no answer, or one that asks for
        patience), ServiceUnavailableError (wrong address, untrusted certificate, full disk), ConfigurationError.
        """
        if self._grant.flow == "token_command":
            return _printed_token(self._grant)
        if self._token is not None and self._token.fresh(now) and not self._unsaved:
            return Secret(self._token.access)
        with self._held():
            return Secret(self._renewed(now).access)

    def lives(self) -> tuple[Life, ...]:
        """How long the sign-in holds, where the server says that; a person must renew it before its end."""
        known = self._token if self._file is None or self._token is not None else self._file.read()
        if known is None or known.refresh_ends_at == NEVER:
            return ()
        side = self._grant.where.partition(".")[0]
        return (Life(name=f"{side}.token", begins_at=known.refresh_begins_at, ends_at=known.refresh_ends_at),)

    def forget(self) -> None:
        """The server did not take the token: the next one is asked for anew, whatever its date says."""
        with self._held():
            known = self._known()
            if known is not None:
                self._keep(replace(known, access="", made_at=NEVER, renew_at=NEVER, expires_at=NEVER))

    def authorise(
        self, show: Callable[[DevicePrompt], None], now: datetime, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Lets a person at a terminal allow the mailbox once (device code, RFC 8628); blocks until they did.

        Raises MailbotError as `access_token` does; NotPermittedError when they declined or the code ran out.
        """
        grant = self._grant
        if grant.flow != "device_code" or not grant.device_url:
            raise ConfigurationError([f'{grant.where}: signing in needs flow = "device_code" and device_url'])
        if self._file is None:
            raise ConfigurationError([f"{grant.where}: the sign-in must be kept; set token_file"])
        granted = confirmed_token(grant, show, sleep)
        with self._held():
            self._keep(_token(granted, now))

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        with self._file.locked() if self._file else contextlib.nullcontext():
            yield

    def _known(self) -> Token | None:
        """The newest token: the file's, which another process may have renewed, unless ours could not be saved."""
        if self._file is not None and not self._unsaved:
            self._token = self._file.read()
        return self._token

    def _keep(self, token: Token) -> None:
        self._token, self._unsaved = token, self._file is not None
        if self._file is not None:
            self._file.write(token)
        self._unsaved = False

    def _renewed(self, now: datetime) -> Token:
        known = self._known()
        if known is not None and self._unsaved:
            self._keep(known)
        if known is not None and known.fresh(now):
            return known
        try:
            granted = self._asked(known)
        except TryLaterError:
            if known is not None and known.usable(now):
                return known  # it is renewed early so that a server may be away for a while
            raise
        token = _token(granted, now, known)
        self._keep(token)
        return token

    def _asked(self, known: Token | None) -> Granted:
        if self._grant.flow == "client_credentials":
            return application_token(self._grant)
        if known is None or not known.refresh:
            raise NotPermittedError(f"{self._grant.where}: nobody has signed in yet", sign_in_again(self._grant))
        return renewed_token(self._grant, known.refresh)


def _token(granted: Granted, now: datetime, before: Token | None = None) -> Token:
    """What is kept. A refresh token that was not replaced, and of which nothing new is said, ends when it did."""
    begins, ends = now, now + timedelta(seconds=granted.refresh_life_s)
    if not granted.refresh_life_s:
        same = before is not None and before.refresh == granted.refresh
        begins, ends = (before.refresh_begins_at, before.refresh_ends_at) if before and same else (NEVER, NEVER)
    return Token(
        access=granted.access,
        refresh=granted.refresh,
        made_at=now,
        renew_at=now + timedelta(seconds=granted.life_s - min(EARLY_S, granted.life_s / 4)),
        expires_at=now + timedelta(seconds=granted.life_s),
        refresh_begins_at=begins,
        refresh_ends_at=ends,
    )


def _printed_token(grant: Grant) -> Secret:
    """What the administrator's program prints. Its own words may hold the token and are never shown."""
    command = list(grant.token_command)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=True)
    except (FileNotFoundError, PermissionError, IndexError):
        raise ConfigurationError(
            [f"{grant.where}: the program {command[0] if command else ''} can not be run; correct token_command"]
        ) from None
    except (subprocess.SubprocessError, OSError, UnicodeDecodeError):
        raise ServiceUnavailableError(
            f"{grant.where}: the program {command[0]} failed", "Run it by hand to see why."
        ) from None
    token = done.stdout.strip()
    if not token or len(token.split()) != 1:
        raise ServiceUnavailableError(
            f"{grant.where}: the program {command[0]} printed no token",
            "It must print the access token and nothing else.",
        )
    return Secret(token)
