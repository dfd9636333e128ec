"""The server that takes our mail: one recipient a transaction, five outcomes kept apart, one connection for a burst.

TLS is asked for explicitly (aiosmtplib's default would send in clear where STARTTLS is missing). A delivery status
notification is asked for only where the server offers it (RFC 3461). What the server said is kept for the audit, cut
to a line; secrets never appear.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypeVar

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from mailbot.core.life import Life
from mailbot.errors import ServiceUnavailableError, TryLaterError
from mailbot.gateway.certificates import lives
from mailbot.gateway.credentials import Secret

T = TypeVar("T")
ANSWER_CHARACTERS = 300


class Result(StrEnum):
    """How an attempt ended."""

    ACCEPTED = "accepted"  # the server has taken the mail
    DEFERRED = "deferred"  # 4xx: the server asks to come again
    REFUSED = "refused"  # 5xx: it never will
    DROPPED = "dropped"  # the connection broke after DATA: it may have been taken
    UNREACHABLE = "unreachable"  # nothing to log in with, no connection, no banner, or it broke before DATA
    NOT_PERMITTED = "not_permitted"  # the login was refused


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an attempt ended and what the server said."""

    result: Result
    answer: str
    after_s: float = 0.0  # for how many seconds a server asked to be left alone; 0 when it did not say


@dataclass(frozen=True, kw_only=True)
class Relay:
    """How to reach the server. `secret` is asked on login; `token` gives an OAuth2 access token instead."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    username: str | None = None
    secret: Callable[[], Secret] | None = None
    token: Callable[[], Secret] | None = None
    timeout_s: float = 30.0
    ca_file: Path | None = None


class SmtpTransport:
    """One connection, made when first needed and reused; a context manager that says goodbye."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: aiosmtplib.SMTP | None = None
        self._lives: tuple[Life, ...] = ()

    def __enter__(self) -> "SmtpTransport":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection politely if it still stands."""
        if self._client is not None:
            self._run(self._quit())
        if self._loop is not None:
            self._loop.close()
        self._loop = None

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """A step of the conversation, in one loop for the burst (asyncio.Runner sets up signals for each step)."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(work)

    def lives(self) -> tuple[Life, ...]:
        """The certificates that the last connection rested on; none before the first."""
        return self._lives

    def send(self, sender: str, recipient: str, raw: bytes) -> Outcome:
        """One transaction for one recipient; never raises for anything a server does, that of the tokens included.

        Raises ConfigurationError and NotPermittedError where the secret can not be had by waiting.
        """
        return self._run(self._send(sender, recipient, raw))

    def probe(self) -> tuple[Outcome, tuple[str, ...]]:
        """Connects, logs in and says what the server offers; sends nothing."""
        return self._run(self._probe())

    async def _probe(self) -> tuple[Outcome, tuple[str, ...]]:
        outcome = await self._ready()
        offers = tuple(sorted(self._client.esmtp_extensions)) if self._client and outcome is None else ()
        return outcome or Outcome(result=Result.ACCEPTED, answer="ready"), offers

    async def _send(self, sender: str, recipient: str, raw: bytes) -> Outcome:
        failed = await self._ready()
        if failed is not None:
            return failed
        client, in_data = self._client, False
        assert client is not None  # _ready() made it
        try:
            utf8 = not (sender + recipient).isascii()
            sender, recipient = _domain_ascii(sender), _domain_ascii(recipient)
            encoding = "ascii" if (sender + recipient).isascii() else "utf-8"
            if encoding == "utf-8" and not client.supports_extension("smtputf8"):
                return Outcome(result=Result.REFUSED, answer="the server does not offer SMTPUTF8 for this address")
            dsn = client.supports_extension("dsn")
            options = (["SMTPUTF8"] if encoding == "utf-8" and utf8 else []) + (["RET=HDRS"] if dsn else [])
            await client.mail(sender, options=options, encoding=encoding)
            await client.rcpt(recipient, options=["NOTIFY=FAILURE,DELAY"] if dsn else [], encoding=encoding)
            in_data = True
            response = await client.data(raw)
            return Outcome(result=Result.ACCEPTED, answer=_line(response.code, response.message))
        except SMTPResponseException as error:
            await self._reset()
            return Outcome(result=_by_code(error.code), answer=_line(error.code, error.message))
        except (TimeoutError, OSError, SMTPException) as error:
            self._drop()
            broken = Result.DROPPED if in_data else Result.UNREACHABLE
            return Outcome(result=broken, answer=_broken(error))

    async def _ready(self) -> Outcome | None:
        """Connects and logs in where needed; the outcome when that fails."""
        if self._client is not None and self._client.is_connected:
            return None
        relay = self.relay
        client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            use_tls=relay.security == "tls",
            start_tls=relay.security == "starttls",  # False: never tried, None would mean "if it is offered"
            tls_context=None if relay.security == "none" else _trusting(relay),
            timeout=relay.timeout_s,
            local_hostname=_hostname(),
        )
        secret = (relay.token or relay.secret) if relay.username else None
        try:
            known = secret() if secret is not None else None  # asked first: a failure here must leave no open socket
        except (TryLaterError, ServiceUnavailableError) as error:  # nobody can log in: as if the server were away
            after_s = error.after_s if isinstance(error, TryLaterError) else 0.0
            return Outcome(result=Result.UNREACHABLE, answer=str(error)[:ANSWER_CHARACTERS], after_s=after_s)
        try:
            await client.connect()
            if relay.username and known is not None:
                log_in = client.auth_xoauth2 if relay.token is not None else client.login
                await log_in(relay.username, known.reveal())
            if client.last_ehlo_response is None:
                await client.ehlo()  # without a login nobody has asked yet what the server offers (RFC 5321 3.2)
        except SMTPAuthenticationError as error:
            client.close()
            refused = Result.DEFERRED if 400 <= error.code < 500 else Result.NOT_PERMITTED
            return Outcome(result=refused, answer=f"login refused: {_line(error.code, error.message)}")
        except SMTPResponseException as error:
            client.close()
            return Outcome(result=Result.UNREACHABLE, answer=_line(error.code, error.message))
        except (TimeoutError, OSError, SMTPException) as error:
            client.close()
            return Outcome(result=Result.UNREACHABLE, answer=f"{relay.host}:{relay.port}: {_broken(error)}")
        self._client = client
        self._lives = tuple(lives("smtp", client.get_transport_info("ssl_object"), relay.ca_file))
        return None

    async def _reset(self) -> None:
        """Makes the connection usable for the next mail, or lets go of it."""
        if self._client is None:
            return
        try:
            await self._client.rset()
        except (TimeoutError, OSError, SMTPException):
            self._drop()

    async def _quit(self) -> None:
        if self._client is not None:
            transport = self._client.transport
            with contextlib.suppress(TimeoutError, OSError, SMTPException):
                await self._client.quit()
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()  # all is said; the goodbye of TLS itself would outlive the loop
                await asyncio.sleep(0)
        self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


def _trusting(relay: Relay) -> ssl.SSLContext:
    """Made only where it is needed: reading the system's certificates takes longer than a whole delivery."""
    return ssl.create_default_context(cafile=str(relay.ca_file) if relay.ca_file else None)


def _by_code(code: int) -> Result:
    return Result.DEFERRED if 400 <= code < 500 else Result.REFUSED


def _domain_ascii(address: str) -> str:
    """The address with its domain in IDNA form (RFC 5891): a server without SMTPUTF8 takes info@jyväskylä.fi."""
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return local + at + domain.encode("idna").decode("ascii")
    except UnicodeError:
        return address


def _hostname() -> str:
    name = socket.gethostname()
    return name if name.isascii() and name else "localhost"


def _line(code: int, message: str) -> str:
    return f"{code} {' '.join(message.split())}"[:ANSWER_CHARACTERS]


def _broken(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError) or isinstance(error.__cause__, ssl.SSLCertVerificationError):
        return "the server's certificate is not trusted; correct smtp.host or name its authority in smtp.ca_file"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, SMTPServerDisconnected):
        return "the connection was closed"
    if isinstance(error, SMTPConnectError | OSError):
        return f"no connection ({type(error.__cause__ or error).__name__})"
    return f"not understood ({type(error).__name__})"
