"""An IMAP server on loopback that answers as badly as a test asks, message by message; real sockets, no library.

It knows just what reading a mailbox needs (LOGIN, LIST, SELECT/EXAMINE, NOOP, UID SEARCH, UID FETCH, LOGOUT) and notes
every FETCH, so that a test can say how often something was asked.
"""

import contextlib
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import date, datetime
from types import TracebackType

REFUSALS = {
    "no": b"NO [SERVERBUG] Internal error occurred",
    "bad": b"BAD Command Error. 12",
    "throttle": b"NO Request is throttled. Suggested Backoff Time: 90000 milliseconds",
}


@dataclass(kw_only=True)
class Odd:
    """One message and what is wrong with it."""

    raw: bytes
    internaldate: str | None = "03-Nov-2026 10:00:00 +0200"  # None: left out; "NIL" and nonsense are said as they are
    size: bool = True  # False: RFC822.SIZE is left out
    structure: bytes | None = None  # what is said instead of a true BODYSTRUCTURE; b"" leaves it out
    missing: tuple[str, ...] = ()  # items that are left out of answers: "BODY[]", "BODY[1]", "all"
    trouble: dict[str, str] = field(default_factory=dict)  # item -> no | bad | throttle | break | half | silence


@dataclass(kw_only=True)
class OddImap:
    """A context manager. Any name logs in with any password."""

    messages: dict[int, Odd] = field(default_factory=dict)
    login: str = ""  # how LOGIN is answered instead of OK, as a key of REFUSALS or "break"
    idle: str = ""  # IDLE is offered, and refused like this
    uidvalidity: int = 7
    tls: ssl.SSLContext | None = None
    permanent: str = "\\*"  # PERMANENTFLAGS; "": the folder can not be written to
    greeting: bytes = b"* OK odd server ready\r\n"
    fetched: list[str] = field(default_factory=list)  # every FETCH as it was asked
    connections: int = 0
    host: str = "127.0.0.1"
    port: int = 0
    _listener: socket.socket | None = None
    _open: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> "OddImap":
        self._listener = socket.create_server((self.host, self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listener is not None
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._talk(self.tls.wrap_socket(connection, server_side=True) if self.tls else connection)

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            connection.sendall(self.greeting)
            for line in lines:
                tag, _, order = line.decode("ascii", "replace").strip().partition(" ")
                answer = self._answer(order)
                if answer is None:  # the connection ends in the middle of everything
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                *untagged, last = answer
                connection.sendall(b"".join(untagged) + (tag.encode() + b" " + last + b"\r\n" if last else b""))

    def _answer(self, order: str) -> list[bytes] | None:
        word = order.upper()
        if word.startswith("LOGIN"):
            return self._refuse(self.login) if self.login else [b"OK in"]
        if word.startswith("CAPABILITY"):
            return [b"* CAPABILITY IMAP4rev1" + (b" IDLE" if self.idle else b"") + b"\r\n", b"OK done"]
        if word.startswith("IDLE"):
            return self._refuse(self.idle)
        if word.startswith("LIST"):
            return [b'* LIST (\\HasNoChildren) "/" INBOX\r\n', b"OK done"]
        if word.startswith(("SELECT", "EXAMINE")):
            state = f"* {len(self.messages)} EXISTS\r\n* OK [UIDVALIDITY {self.uidvalidity}] valid\r\n"
            state += f"* OK [PERMANENTFLAGS ({self.permanent})] kept\r\n"
            writable = word.startswith("SELECT") and self.permanent
            return [state.encode(), b"OK [READ-WRITE] done" if writable else b"OK [READ-ONLY] done"]
        if word.startswith("UID SEARCH"):
            found = " ".join(str(uid) for uid in self._searched(word))
            return [f"* SEARCH {found}".rstrip().encode() + b"\r\n", b"OK done"]
        if word.startswith("UID FETCH"):
            return self._fetch(word.removeprefix("UID FETCH "))
        return [b"OK done"]

    def _searched(self, order: str) -> list[int]:
        since = re.search(r"SINCE (\S+)", order)
        if since:
            day = _day(since[1])
            return [uid for uid, odd in sorted(self.messages.items()) if _day(str(odd.internaldate)) >= day]
        found = re.search(r"UID ([\d,:*]+)", order.removeprefix("UID SEARCH"))
        if not found:
            return sorted(self.messages)
        first, colon, _ = found[1].partition(":")
        if colon:
            return [uid for uid in sorted(self.messages) if uid >= int(first)]
        return [uid for uid in sorted(self.messages) if str(uid) in found[1].split(",")]

    def _refuse(self, how: str) -> list[bytes] | None:
        if how == "silence":
            time.sleep(30)
        if how == "half":  # a literal that never ends
            return [b"* 1 FETCH (UID 1 BODY[] {100000}\r\nFrom: Mai", b""]
        return None if how in ("break", "silence") else [REFUSALS[how]]

    def _fetch(self, order: str) -> list[bytes] | None:
        self.fetched.append(order)
        numbers, _, listed = order.partition(" ")
        items = re.findall(r"[A-Z0-9.]+(?:\[[A-Z0-9.]*\])?(?:<\d+\.\d+>)?", listed)
        said = []
        for uid in sorted(self.messages):
            if str(uid) not in numbers.split(","):
                continue
            odd = self.messages[uid]
            for item in items:
                how = odd.trouble.get(_name(item)) or odd.trouble.get("all")
                if how:
                    return self._refuse(how)
            if "all" not in odd.missing:
                parts = b" ".join(part for item in items if (part := _part(odd, item)))
                said.append(b"* %d FETCH (UID %d %s)\r\n" % (uid, uid, parts))
        return [*said, b"OK done"]


def _day(said: str) -> date:
    """The day of an INTERNALDATE or of SINCE; one that makes no sense counts as young."""
    try:
        return datetime.strptime(f"{said[:11].title()} +0000", "%d-%b-%Y %z").date()
    except ValueError:
        return date.max


def _name(item: str) -> str:
    return item.replace(".PEEK", "").partition("<")[0]


def _part(odd: Odd, item: str) -> bytes:
    name = _name(item)
    head, _, body = odd.raw.partition(b"\r\n\r\n")
    if name in odd.missing:
        return b""
    if name == "RFC822.SIZE":
        return b"RFC822.SIZE %d" % len(odd.raw) if odd.size else b""
    if name == "INTERNALDATE":
        if odd.internaldate is None or odd.internaldate == "NIL":
            return b"INTERNALDATE NIL" if odd.internaldate else b""
        return f'INTERNALDATE "{odd.internaldate}"'.encode()
    if name == "BODYSTRUCTURE":
        true = b'("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "8BIT" %d %d NIL NIL NIL NIL)' % (
            len(body),
            body.count(b"\n"),
        )
        said = true if odd.structure is None else odd.structure
        return b"BODYSTRUCTURE " + said if said else b""
    if name == "FLAGS":
        return b"FLAGS ()"
    whole = {"BODY[]": odd.raw, "BODY[HEADER]": head + b"\r\n\r\n", "BODY[1]": body}[name]
    asked = re.search(r"<0\.(\d+)>", item)
    given = whole[: int(asked[1])] if asked else whole
    return name.encode() + (b"<0>" if asked else b"") + b" {%d}\r\n" % len(given) + given
