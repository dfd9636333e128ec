"""Embedded servers for `mailbot demo`: a real IMAP server (pymap) and a real SMTP server (aiosmtpd), in one thread.

The SMTP server is the world: mail to the contact address is put into the IMAP mailbox, all other mail lands in the
letterbox of whom it is addressed to. Only loopback; everything is gone when the demo ends.
"""

import asyncio
import logging
import threading
from argparse import Namespace
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, Self, TypeVar
from uuid import uuid4

from mailbot.errors import ServiceUnavailableError

try:
    from aiosmtpd.smtp import SMTP
    from proxyprotocol.result import ProxyResultUnknown
    from proxyprotocol.sock import SocketInfo
    from pymap.backend.dict import Config, DictBackend, Login
    from pymap.imap import IMAPServer
    from pymap.parsing.message import AppendMessage
except ImportError as error:  # the extra `demo`
    raise ServiceUnavailableError(
        "the demo needs its embedded servers", "Install them: pip install 'mailbot[demo]'"
    ) from error

T = TypeVar("T")
START_TIMEOUT_S = 20


class World:
    """Both servers and everybody's letterbox; a context manager."""

    def __init__(self, contact: str, password: str) -> None:
        self.contact = contact
        self.password = password
        self.letterboxes: dict[str, list[bytes]] = {}
        self.imap_port = 0
        self.smtp_port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="demo-servers", daemon=True)
        self._servers: list[asyncio.Server] = []

    def __enter__(self) -> Self:
        for name in ("pymap", "mail.log", "asyncio"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(self, *_error: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    def received(self, address: str) -> list[bytes]:
        """What lies in somebody's letterbox, oldest first."""
        return list(self.letterboxes.get(address.lower(), []))

    def put(self, raw: bytes) -> None:
        """Puts a mail into the contact's mailbox."""
        self._call(self._append(raw))

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_TIMEOUT_S)

    async def _start(self) -> None:
        config = Config(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            demo_data=False,
            demo_user=self.contact,
            demo_password=self.password,
            host="127.0.0.1",
            port=0,
            tls_enabled=False,
            secure_auth=False,
            reject_dnsbl=False,
            max_append_len=50_000_000,
        )
        config.apply_context()
        self._login = Login(config)
        await DictBackend._add_demo_user(config, self._login)
        imap = IMAPServer(self._login, config)

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await imap(reader, writer, SocketInfo.get(writer, ProxyResultUnknown(), unique_id=uuid4().bytes))

        first = await asyncio.start_server(talk, "127.0.0.1", 0)
        second = await self._loop.create_server(
            lambda: SMTP(self, enable_SMTPUTF8=True, data_size_limit=50_000_000), "127.0.0.1", 0
        )
        self._servers = [first, second]
        self.imap_port = first.sockets[0].getsockname()[1]
        self.smtp_port = second.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.sleep(0)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """A mail was sent: into the mailbox, or into a letterbox."""
        for recipient in envelope.rcpt_tos:
            if recipient.lower() == self.contact:
                await self._append(envelope.content)
            else:
                self.letterboxes.setdefault(recipient.lower(), []).append(envelope.content)
        return "250 2.0.0 taken"

    async def _append(self, raw: bytes) -> None:
        identity = self._login.demo_user_identity
        async with identity.new_session() as session:
            await session.append_messages("INBOX", [AppendMessage(raw, datetime.now(UTC), frozenset())])
