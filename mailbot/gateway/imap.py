"""The mailbox, read and left as it was: EXAMINE and BODY.PEEK, never a flag, never a move unless asked for.

Small messages come whole, many in one answer. Of a large one come headers, text parts and the names of its files;
whole bytes are fetched only for what becomes part of a ticket. Every error of the library, the socket and TLS becomes
one of ours here. imapclient facts that shape this file: `normalise_times` must be off (else INTERNALDATE is naive
local time), a requested UID may be missing from an answer, `UID n:*` always returns the last message.
"""

import contextlib
import select
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import imapclient
from imapclient.exceptions import IMAPClientError, LoginError

from mailbot.errors import BadInputError, MailbotError, NotPermittedError, ServiceUnavailableError, TryLaterError
from mailbot.gateway.credentials import Secret
from mailbot.gateway.imap_structure import outline, text_sections

WHOLE_BYTES = 64 * 1024  # messages up to this size are fetched whole at once
BATCH_BYTES = 1024 * 1024  # bytes asked for in one answer
TEXT_BYTES = 512 * 1024  # of one text part of a large message
OUTLINE_BYTES = 64 * 1024  # what the texts of a large message are reckoned as
BATCH_COUNT = 100
SUMMARY_COUNT = 1000  # messages whose sizes are asked for at once


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


@dataclass(frozen=True, kw_only=True)
class FolderState:
    """What EXAMINE said of a folder."""

    name: str
    uidvalidity: int  # unsigned 32 bits (RFC 3501 2.3.1.1)
    exists: int


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What is known of a message before its bytes."""

    uid: int
    size: int  # bytes, RFC822.SIZE
    internal_date: datetime  # aware: the server's own zone


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A message as fetched. When not `whole`, file parts are only named."""

    uid: int
    size: int
    internal_date: datetime
    raw: bytes = field(repr=False)
    whole: bool


class ImapMailbox:
    """One connection to one mailbox; a context manager."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._client: Any = None
        self._idling = False

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
        with _ours(account):
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
        self._idling = False

    def capabilities(self) -> frozenset[str]:
        """What the server says it can do."""
        with _ours(self.account):
            return frozenset(name.decode("ascii", "replace") for name in self._client.capabilities())

    def folders(self) -> tuple[str, ...]:
        """Names of the folders that can be opened."""
        with _ours(self.account):
            found = self._client.list_folders()
        return tuple(
            str(name) for flags, _, name in found if b"\\Noselect" not in flags and b"\\NonExistent" not in flags
        )

    def examine(self, folder: str) -> FolderState:
        """Opens a folder for reading only (EXAMINE: no message becomes \\Seen or loses \\Recent).

        Raises BadInputError when there is no such folder.
        """
        with _ours(self.account):
            try:
                answer = self._client.select_folder(folder, readonly=True)
            except IMAPClientError as error:
                if isinstance(error, self._client.AbortError):
                    raise
                raise BadInputError(
                    f"imap.folders: the folder {folder} can not be opened",
                    "See: mailbot check --connect lists the folders.",
                ) from error
        return FolderState(name=folder, uidvalidity=int(answer[b"UIDVALIDITY"]), exists=int(answer[b"EXISTS"]))

    def uids(self, *, after: int = 0, since: date | None = None) -> list[int]:
        """UIDs above `after`, ascending; only messages that arrived on or after `since` when given."""
        criteria: list[Any] = ["UID", f"{after + 1}:*"]
        if since is not None:
            criteria += ["SINCE", since]
        with _ours(self.account):
            found = self._client.search(criteria)
        return sorted(uid for uid in found if uid > after)  # n:* always holds the last message (RFC 3501 6.4.8)

    def summaries(self, uids: Sequence[int]) -> dict[int, Summary]:
        """Size and arrival of messages; those that are gone are missing."""
        found: dict[int, Summary] = {}
        for start in range(0, len(uids), 1000):
            with _ours(self.account):
                answer = self._client.fetch(list(uids[start : start + 1000]), ["RFC822.SIZE", "INTERNALDATE"])
            for uid, items in answer.items():
                if b"RFC822.SIZE" in items and isinstance(items.get(b"INTERNALDATE"), datetime):
                    found[uid] = Summary(uid=uid, size=items[b"RFC822.SIZE"], internal_date=items[b"INTERNALDATE"])
        return found

    def read(self, uids: Sequence[int]) -> Iterator[Fetched]:
        """The messages in ascending order, small ones whole; those that are gone are passed over."""
        for start in range(0, len(uids), SUMMARY_COUNT):
            summaries = self.summaries(uids[start : start + SUMMARY_COUNT])
            for batch in _batches(sorted(summaries.values(), key=lambda item: item.uid)):
                yield from self._read_batch(batch)

    def _read_batch(self, batch: Sequence[Summary]) -> Iterator[Fetched]:
        """All small ones in one answer, the outlines of the large ones in a few."""
        small = [item.uid for item in batch if item.size <= WHOLE_BYTES]
        large = [item.uid for item in batch if item.size > WHOLE_BYTES]
        with _ours(self.account):
            answers = self._client.fetch(small, ["BODY.PEEK[]"]) if small else {}
            raws = {uid: answer.get(b"BODY[]") for uid, answer in answers.items()}
            raws |= self._outlines(large) if large else {}
        for item in batch:
            raw = raws.get(item.uid)
            if raw is not None:
                whole = item.size <= WHOLE_BYTES
                yield Fetched(uid=item.uid, size=item.size, internal_date=item.internal_date, raw=raw, whole=whole)

    def _outlines(self, uids: Sequence[int]) -> dict[int, bytes]:
        """Headers, text parts and the names of files of large messages; messages built alike share one answer."""
        answers = self._client.fetch(uids, ["BODYSTRUCTURE", "BODY.PEEK[HEADER]"])
        alike: dict[tuple[str, ...], list[int]] = {}
        for uid, answer in answers.items():
            if b"BODYSTRUCTURE" in answer:
                alike.setdefault(tuple(text_sections(answer[b"BODYSTRUCTURE"])), []).append(uid)
        found: dict[int, bytes] = {}
        for sections, members in alike.items():
            keys = [f"BODY.PEEK[{section}]<0.{TEXT_BYTES}>" for section in sections]
            parts = self._client.fetch(members, keys) if keys else {}
            for uid in members:
                given = parts.get(uid, {})
                texts = {section: given.get(f"BODY[{section}]<0>".encode()) or b"" for section in sections}
                header = answers[uid].get(b"BODY[HEADER]") or b""
                found[uid] = outline(header, answers[uid][b"BODYSTRUCTURE"], texts)
        return found

    def whole(self, uid: int, limit: int) -> bytes | None:
        """All bytes of a message, at most the first `limit`; None when it is gone."""
        with _ours(self.account):
            answer = self._client.fetch([uid], [f"BODY.PEEK[]<0.{limit}>"]).get(uid, {})
        found: bytes | None = answer.get(b"BODY[]<0>")
        return found

    def answered(self, uids: Sequence[int]) -> frozenset[int]:
        """Which of these messages carry \\Answered: their human has replied from a mail program."""
        if not uids:
            return frozenset()
        with _ours(self.account):
            flags = self._client.get_flags(list(uids))
        return frozenset(uid for uid, names in flags.items() if imapclient.ANSWERED in names)

    def flags(self, uids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Flags of messages as the server keeps them, without \\Recent, which it sets by itself."""
        if not uids:
            return {}
        with _ours(self.account):
            found = self._client.get_flags(list(uids))
        return {
            uid: tuple(name.decode("ascii", "replace") for name in names if name != imapclient.RECENT)
            for uid, names in found.items()
        }

    def after_intake(self, folder: str, uids: Sequence[int], *, keyword: str, copy_to: str, move_to: str) -> None:
        """The actions that the configuration asks for on messages that became tickets; read-only again after."""
        if not uids or not (keyword or copy_to or move_to):
            return
        with _ours(self.account):
            self._client.select_folder(folder, readonly=False)
            if keyword:
                self._client.add_flags(list(uids), [keyword])
            if copy_to:
                self._client.copy(list(uids), copy_to)
            if move_to:
                self._client.move(list(uids), move_to)
            self._client.select_folder(folder, readonly=True)

    def delete_own(self, folder: str, uids: Sequence[int]) -> None:
        """Deletes messages that carry our own mark (the canary's clean-up, only when configured)."""
        with _ours(self.account):
            self._client.select_folder(folder, readonly=False)
            self._client.delete_messages(list(uids))
            if self._client.has_capability("UIDPLUS"):  # a bare EXPUNGE would take what the human had marked as well
                self._client.expunge(list(uids))
            self._client.select_folder(folder, readonly=True)

    def idle_begin(self) -> None:
        """Asks the server to say what happens in the open folder (RFC 2177); until `idle_end` nothing else is asked."""
        with _ours(self.account):
            self._client.idle()
        self._idling = True

    def news(self, seconds: float, wake: Any = None) -> bool:
        """Waits until the server says something (True), until `wake` is readable, or for so many seconds (False).

        Only a hint: the caller searches whatever was said. imapclient's idle_check() spins on a closed connection, so
        the socket is asked directly; one that was closed is news, and ending IDLE finds out.
        """
        with _ours(self.account):
            return _readable(self._client.socket(), seconds, wake)

    def idle_end(self) -> None:
        """Ends IDLE. A dead connection raises TryLaterError."""
        self._idling = False
        with _ours(self.account):
            self._client.idle_done()


def _readable(sock: Any, seconds: float, wake: Any = None) -> bool:
    """True as soon as the socket has something to read (or was closed), False after `seconds` or for `wake`."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    poller = select.poll()
    poller.register(sock.fileno(), select.POLLIN)
    if wake is not None:
        poller.register(wake.fileno(), select.POLLIN)
    return any(fd == sock.fileno() for fd, _ in poller.poll(seconds * 1000))


def _batches(items: Sequence[Summary]) -> Iterator[list[Summary]]:
    """Messages in order, together up to BATCH_COUNT and BATCH_BYTES; of a large one only its outline counts."""
    batch: list[Summary] = []
    total = 0
    for item in items:
        cost = item.size if item.size <= WHOLE_BYTES else OUTLINE_BYTES
        if batch and (len(batch) >= BATCH_COUNT or total + cost > BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += cost
    if batch:
        yield batch


def _tls(account: Account) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(account.ca_file) if account.ca_file else None)


@contextlib.contextmanager
def _ours(account: Account) -> Iterator[None]:
    """Errors of the library, the socket and TLS as ours: one clear line, never a secret."""
    where = f"IMAP {account.host}:{account.port}"
    try:
        yield
    except MailbotError:
        raise
    except LoginError as error:
        raise NotPermittedError(
            f"{where} refused the login of {account.username}", "Check imap.username and the password it names."
        ) from error
    except ssl.SSLCertVerificationError as error:
        raise ServiceUnavailableError(
            f"{where} has a certificate that is not trusted ({error.verify_message})",
            "Correct imap.host, or name its authority in imap.ca_file.",
        ) from error
    except ssl.SSLError as error:
        raise ServiceUnavailableError(
            f"{where} does not speak TLS as configured", 'Check imap.port and imap.security ("tls" or "starttls").'
        ) from error
    except TimeoutError as error:
        raise TryLaterError(
            f"{where} did not answer in time", "It is tried again; check the network if it stays."
        ) from error
    except (ConnectionRefusedError, socket.gaierror) as error:
        reason = "refused the connection" if isinstance(error, ConnectionRefusedError) else "is an unknown host"
        raise ServiceUnavailableError(f"{where} {reason}", "Check imap.host and imap.port.") from error
    except OSError as error:
        raise TryLaterError(f"{where} broke the connection", "It is tried again.") from error
    except IMAPClientError as error:
        raise TryLaterError(
            f"{where} answered what is not understood ({_said(error)})", "It is tried again."
        ) from error
    except (KeyError, ValueError, IndexError, TypeError, AssertionError, AttributeError) as error:
        # imapclient's parser meets nonsense with plain exceptions
        raise TryLaterError(f"{where} answered what is not IMAP", "It is tried again; check host and port.") from error


def _said(error: Exception) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
