"""A real SMTP server that keeps what it is given and misbehaves on order.

It runs in a thread with a loop of its own, on a free loopback port. `sink.behaviour` may be changed at any time and
holds for the next command or connection. `received` lists every mail whose bytes arrived completely, with the answer
given; `accepted` only those answered with 250.
"""

import asyncio
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

_DSN = re.compile(r"\s+((?:RET|ENVID|NOTIFY|ORCPT)=\S+)", re.IGNORECASE)  # RFC 3461 4


class Behaviour(StrEnum):
    """What the server does with the next mail."""

    ACCEPT = "accept"
    DEFER = "defer"  # 451 after the data
    REJECT = "reject"  # 554 after the data
    DEFER_RECIPIENT = "defer_recipient"  # 450 to RCPT
    REJECT_RECIPIENT = "reject_recipient"  # 550 to RCPT
    REJECT_SENDER = "reject_sender"  # 553 to MAIL
    DROP_BEFORE_DATA = "drop_before_data"  # the connection ends at RCPT
    DROP_AFTER_DATA = "drop_after_data"  # all bytes arrived, the connection ends without an answer
    NO_BANNER = "no_banner"  # the connection opens and nothing is said
    BUSY = "busy"  # 421 instead of a greeting
    REFUSE_LOGIN = "refuse_login"  # 535
    DEFER_LOGIN = "defer_login"  # 454


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One mail as it arrived."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes  # exactly as sent, CRLF line ends, dots unstuffed
    answer: str  # "" when the connection was dropped
    login: str | None
    encrypted: bool
    dsn: tuple[str, ...]  # DSN parameters of MAIL and RCPT, as sent


@dataclass(kw_only=True)
class _Handler:
    """aiosmtpd calls these; each looks at the sink's behaviour of the moment."""

    sink: "SmtpSink"

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        offered = ["250-DSN"] if self.sink.offers_dsn else []
        return [*responses[:-1], *offered, responses[-1]]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.sink.behaviour is Behaviour.REJECT_SENDER:
            return "553 5.7.1 Sender address rejected"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        match self.sink.behaviour:
            case Behaviour.DEFER_RECIPIENT:
                return "450 4.2.0 Mailbox busy, try again later"
            case Behaviour.REJECT_RECIPIENT:
                return "550 5.1.1 No such mailbox"
            case Behaviour.DROP_BEFORE_DATA:
                return await self._drop(server)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answers = {
            Behaviour.DEFER: "451 4.3.0 Try again later",
            Behaviour.REJECT: "554 5.7.1 Message refused",
            Behaviour.DROP_AFTER_DATA: "",
        }
        answer = answers.get(self.sink.behaviour, "250 2.0.0 Kept")
        self.sink.received.append(_delivery(server, session, envelope, answer))
        return answer or await self._drop(server)

    async def _drop(self, server: SMTP) -> str:
        server.transport.abort()
        await asyncio.sleep(30)  # the broken connection cancels this
        return "421 4.4.2 Gone"


def _delivery(server: SMTP, session: Session, envelope: Envelope, answer: str) -> Delivery:
    content = envelope.original_content or b""
    login = session.auth_data
    return Delivery(
        sender=envelope.mail_from or "",
        recipients=tuple(envelope.rcpt_tos),
        content=content,
        answer=answer,
        login=login.decode() if isinstance(login, bytes) else login,
        encrypted=session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
        dsn=tuple(getattr(server, "dsn_given", ())),
    )


class _Server(SMTP):
    """The stock server answers 555 to DSN parameters; this one notes them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dsn_given: list[str] = []

    async def smtp_MAIL(self, arg: str) -> None:
        self.dsn_given = []
        await super().smtp_MAIL(self._without_dsn(arg))

    async def smtp_RCPT(self, arg: str) -> None:
        await super().smtp_RCPT(self._without_dsn(arg))

    def _without_dsn(self, arg: str) -> str:
        if not self.event_handler.sink.offers_dsn:
            return arg
        self.dsn_given += _DSN.findall(arg or "")
        return _DSN.sub("", arg or "")


class _Silent(asyncio.Protocol):
    """Opens and says nothing, or one line and ends."""

    def __init__(self, line: bytes = b"") -> None:
        self._line = line
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        if self._line and isinstance(transport, asyncio.WriteTransport):
            transport.write(self._line)
            transport.close()


@dataclass(kw_only=True)
class SmtpSink:
    """A context manager: `with SmtpSink() as sink:`. Any user name logs in with `password`."""

    security: str = "none"  # none | starttls | tls
    password: str = "secret"
    offers_dsn: bool = True
    behaviour: Behaviour = Behaviour.ACCEPT
    received: list[Delivery] = field(default_factory=list)
    host: str = "127.0.0.1"
    port: int = 0  # chosen at the first start, kept for later ones
    certificate: Path | None = None  # what a client must trust, where security is not "none"

    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _listener: asyncio.Server | None = None
    _context: ssl.SSLContext | None = None
    _open: list[_Silent | _Server] = field(default_factory=list)
    _folder: str = ""

    @property
    def accepted(self) -> list[Delivery]:
        """Mails answered with 250."""
        return [delivery for delivery in self.received if delivery.answer.startswith("250")]

    def __enter__(self) -> "SmtpSink":
        if self.security != "none":
            self._make_certificate()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Listen; after stop() on the same port again."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="smtp-sink")
        self._thread.start()
        self._run(self._listen)

    def stop(self) -> None:
        """Close every connection and stop listening: clients are refused."""
        if self._loop is None or self._thread is None:
            return
        self._run(self._close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()
        self._loop = self._thread = None

    def _run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work(), self._loop).result(timeout=10)

    async def _listen(self) -> None:
        wrapped = self._context if self.security == "tls" else None
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._connection, self.host, self.port, ssl=wrapped)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._listener is not None
        self._listener.close()
        for protocol in self._open:
            if protocol.transport is not None:
                protocol.transport.abort()
        self._open.clear()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _connection(self) -> asyncio.BaseProtocol:
        protocol = self._protocol()
        self._open.append(protocol)
        return protocol

    def _protocol(self) -> "_Silent | _Server":
        if self.behaviour is Behaviour.NO_BANNER:
            return _Silent()
        if self.behaviour is Behaviour.BUSY:
            return _Silent(b"421 4.3.2 Too busy, try again later\r\n")
        return _Server(
            _Handler(sink=self),
            hostname="sink.example",
            ident="sink",
            tls_context=self._context if self.security == "starttls" else None,
            require_starttls=False,
            auth_require_tls=False,
            authenticator=self._authenticate,
            enable_SMTPUTF8=True,
            data_size_limit=64 * 1024 * 1024,
        )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        if self.behaviour is Behaviour.DEFER_LOGIN:
            return AuthResult(success=False, handled=False, message="454 4.7.0 Temporary authentication failure")
        good = isinstance(data, LoginPassword) and data.password == self.password.encode()
        if not good or self.behaviour is Behaviour.REFUSE_LOGIN:
            return AuthResult(success=False, handled=False)
        return AuthResult(success=True, auth_data=data.login)

    def _make_certificate(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="sink")
        key, certificate = Path(self._folder) / "key.pem", Path(self._folder) / "cert.pem"
        names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        command += ["-addext", names, "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self.certificate = certificate
