"""The mailbox, read and left as it was: EXAMINE and BODY.PEEK, never a flag, never a move unless asked for.

Here are the connection, the folders and the few actions that a configuration may ask for; how messages are got is
`imap_fetch`, and what goes wrong is `imap_errors`. imapclient facts that shape this file: `normalise_times` must be off
(else INTERNALDATE is naive local time), `UID n:*` always returns the last message, idle_check() spins.
"""

import contextlib
import select
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import imapclient
from imapclient.exceptions import IMAPClientError

from mailbot.core.life import Life
from mailbot.errors import BadInputError, TryLaterError
from mailbot.gateway.certificates import lives
from mailbot.gateway.credentials import Secret
from mailbot.gateway.imap_errors import BadAnswerError, asks_for_patience, ours
from mailbot.gateway.imap_fetch import Fetched, Fetching


@dataclass(frozen=True, kw_only=True)
class Account:
    """How to reach a mailbox. `secret` is asked on login, never before; `token` gives OAuth2 access instead."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    username: str
    secret: Callable[[], Secret] | None = None
    token: Callable[[], Secret] | None = None
    timeout_s: float = 30.0
    ca_file: Path | None = None
    message_bytes: int = 25 * 1024 * 1024  # of a larger message only so much is ever asked for


@dataclass(frozen=True, kw_only=True)
class FolderState:
    """What EXAMINE said of a folder."""

    name: str
    uidvalidity: int  # unsigned 32 bits (RFC 3501 2.3.1.1)
    exists: int


class ImapMailbox:
    """One connection to one mailbox; a context manager."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._client: Any = None
        self._idling = self._told = False
        self._open: FolderState | None = None
        self._told = False  # IDLE has just ended: the server has said all that is new in the open folder
        self._lives: tuple[Life, ...] = ()
        self._fetching = Fetching(self, account.message_bytes)

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Connects and logs in.

        Raises ServiceUnavailableError (refused, unknown host, untrusted certificate), TryLaterError (time-out,
        dropped), NotPermittedError (login refused).
        """
        account = self.account
        with self._ours():
            client = imapclient.IMAPClient(
                account.host,
                port=account.port,
                ssl=account.security == "tls",
                ssl_context=_tls(account) if account.security == "tls" else None,
                timeout=imapclient.SocketTimeout(connect=min(account.timeout_s, 15.0), read=account.timeout_s),
            )
            client.normalise_times = False
            with contextlib.suppress(OSError):  # a proxy may hand us something that is not TCP
                client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self._log_in(client)
            except BaseException:
                with contextlib.suppress(Exception):
                    client.shutdown()
                raise
            self._lives = tuple(lives("imap", client.socket(), account.ca_file))
            self._client = client

    def _log_in(self, client: Any) -> None:
        account = self.account
        if account.security == "starttls":
            client.starttls(_tls(account))
        if account.token is not None:
            client.oauth2_login(account.username, account.token().reveal())
        elif account.secret is not None:
            client.login(account.username, account.secret().reveal())

    def close(self) -> None:
        """Says goodbye if the server still listens."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(IMAPClientError, OSError):
                if self._idling:
                    client.idle_done()  # inside IDLE a server hears nothing else
                client.logout()
            with contextlib.suppress(IMAPClientError, OSError):
                client.shutdown()
        self._idling = self._told = False

    def _ours(self) -> AbstractContextManager[None]:
        return ours(self.account.host, self.account.port, self.account.username)

    def lives(self) -> tuple[Life, ...]:
        """The certificates that the connection rests on; still known when it has ended."""
        return self._lives

    def capabilities(self) -> frozenset[str]:
        """What the server says it can do."""
        with self._ours():
            return frozenset(name.decode("ascii", "replace") for name in self._client.capabilities())

    def folders(self) -> tuple[str, ...]:
        """Names of the folders that can be opened."""
        with self._ours():
            found = self._client.list_folders()
        return tuple(
            str(name) for flags, _, name in found if b"\\Noselect" not in flags and b"\\NonExistent" not in flags
        )

    def examine(self, folder: str) -> FolderState:
        """Opens a folder for reading only (EXAMINE: no message becomes \\Seen or loses \\Recent).

        A folder that is open is not opened again just after IDLE, whose end has told what is new in it.
        Raises BadInputError when there is no such folder.
        """
        if self._told and self._open is not None and self._open.name == folder:
            self._told = False
            return self._open
        self._told = False
        with self._ours():
            try:
                answer = self._client.select_folder(folder, readonly=True)
            except IMAPClientError as error:
                if isinstance(error, self._client.AbortError) or asks_for_patience(error):
                    raise
                raise BadInputError(
                    f"imap.folders: the folder {folder} can not be opened",
                    "See: mailbot check --connect lists the folders.",
                ) from error
            self._open = FolderState(
                name=folder, uidvalidity=int(answer[b"UIDVALIDITY"]), exists=int(answer[b"EXISTS"])
            )
        return self._open

    def uids(self, *, after: int = 0, since: date | None = None) -> list[int]:
        """UIDs above `after`, ascending; only messages that arrived on or after `since` when given."""
        criteria: list[Any] = ["UID", f"{after + 1}:*"]
        if since is not None:
            criteria += ["SINCE", since]
        with self._ours():
            found = self._client.search(criteria)
        return sorted(uid for uid in found if uid > after)  # n:* always holds the last message (RFC 3501 6.4.8)

    def read(self, uids: Sequence[int]) -> Iterator[Fetched]:
        """The messages in ascending order, small ones whole; those that are gone are passed over, and no other."""
        return self._fetching.read(uids)

    def whole(self, uid: int, limit: int) -> bytes | None:
        """All bytes of a message, at most the first `limit`; None when it is gone or can not be had whole."""
        return self._fetching.bytes_of(uid, limit)

    def answered(self, uids: Sequence[int]) -> frozenset[int]:
        """Which of these messages carry \\Answered: their human has replied from a mail program."""
        found = self._fetching.divided(list(uids), ["FLAGS"]) if uids else {}
        return frozenset(uid for uid, items in found.items() if imapclient.ANSWERED in (items.get(b"FLAGS") or ()))

    # -------------------------------------------------------------------------------- what `Fetching` asks

    def fetch(self, uids: Sequence[int], keys: Sequence[str]) -> dict[int, dict[bytes, Any]]:
        """One FETCH. Raises BadAnswerError when its answer can not be used, BrokenLineError when none came."""
        with self._ours():
            return dict(self._client.fetch(list(uids), list(keys)))

    def present(self, uids: Sequence[int]) -> frozenset[int]:
        """Which of these messages lie in the open folder, whether or not the server gives them."""
        with self._ours():
            self._client.noop()  # lets the server say which were expunged meanwhile (RFC 3501 7.4.1)
            return frozenset(self._client.search(["UID", list(uids)])) & frozenset(uids)

    def mend(self) -> None:
        """A new connection to the same folder, in place of one that broke. Raises as `connect` does."""
        before = self._open
        self.close()
        self.connect()
        if before is not None and self.examine(before.name).uidvalidity != before.uidvalidity:
            raise TryLaterError(f"the folder {before.name} was renumbered while it was read", "It is read again.")

    def flags(self, uids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Flags of messages as the server keeps them, without \\Recent, which it sets by itself."""
        if not uids:
            return {}
        with self._ours():
            found = self._client.get_flags(list(uids))
        return {
            uid: tuple(name.decode("ascii", "replace") for name in names if name != imapclient.RECENT)
            for uid, names in found.items()
        }

    # ------------------------------------------------------------- what changes the mailbox, only when configured

    def mark(self, folder: str, uids: Sequence[int], keyword: str) -> None:
        """Sets a keyword. Raises BadInputError where the server keeps none (Exchange) or refuses."""
        with self._changing(folder, "keyword", keyword) as permanent:
            if not {b"\\*", keyword.encode()} & set(permanent):  # RFC 3501 7.1, PERMANENTFLAGS
                raise BadInputError("imap.keyword: the server keeps no keywords", "Use imap.copy_to or imap.move_to.")
            self._client.add_flags(list(uids), [keyword])

    def copy(self, folder: str, uids: Sequence[int], target: str) -> None:
        """Copies messages to another folder. Raises BadInputError when the server refuses."""
        with self._changing(folder, "copy_to", target):
            self._client.copy(list(uids), target)

    def move(self, folder: str, uids: Sequence[int], target: str) -> None:
        """Moves messages to another folder (RFC 6851). Raises BadInputError when the server refuses."""
        with self._changing(folder, "move_to", target):
            self._client.move(list(uids), target)

    def delete_own(self, folder: str, uids: Sequence[int]) -> None:
        """Deletes messages that carry our own mark (the canary's clean-up). BadInputError when the server refuses."""
        with self._changing(folder, "canary.clean_up", "delete"):
            self._client.delete_messages(list(uids))
            if self._client.has_capability("UIDPLUS"):  # a bare EXPUNGE would take what the human had marked as well
                self._client.expunge(list(uids))

    @contextlib.contextmanager
    def _changing(self, folder: str, key: str, value: str) -> Iterator[Sequence[bytes]]:
        """Opens a folder for writing, gives its permanent flags, and opens it read-only again."""
        try:
            with self._ours():
                answer = self._client.select_folder(folder, readonly=False)
                yield answer.get(b"PERMANENTFLAGS", (b"\\*",))
        except BadAnswerError as error:
            where = key if "." in key else f"imap.{key}"
            raise BadInputError(f"{where}: the server refuses it ({value}, folder {folder})", error.what) from error
        finally:
            if self._client is not None:
                with contextlib.suppress(IMAPClientError, OSError):
                    self._client.select_folder(folder, readonly=True)

    def idle_begin(self) -> None:
        """Asks the server to say what happens in the open folder (RFC 2177); until `idle_end` nothing else is asked."""
        with self._ours():
            self._client.idle()
        self._idling = True

    def news(self, seconds: float, wake: Any = None) -> bool:
        """Waits until the server says something (True), until `wake` is readable, or for so many seconds (False).

        Only a hint: the caller searches whatever was said. imapclient's idle_check() spins on a closed connection, so
        the socket is asked directly; one that was closed is news, and ending IDLE finds out.
        """
        with self._ours():
            return _readable(self._client.socket(), seconds, wake)

    def idle_end(self) -> None:
        """Ends IDLE. A dead connection raises TryLaterError."""
        self._idling = self._told = False
        with self._ours():
            self._client.idle_done()
        self._told = True


def _readable(sock: Any, seconds: float, wake: Any = None) -> bool:
    """True as soon as the socket has something to read (or was closed), False after `seconds` or for `wake`."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    poller = select.poll()
    poller.register(sock.fileno(), select.POLLIN)
    if wake is not None:
        poller.register(wake.fileno(), select.POLLIN)
    return any(fd == sock.fileno() for fd, _ in poller.poll(seconds * 1000))


def _tls(account: Account) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(account.ca_file) if account.ca_file else None)
