"""A TCP connection on loopback that a test can cut or hold up: it stands between a client and a server."""

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType


class Wire:
    """A context manager. `target` gives the server's port at each new connection, for a server that may move."""

    def __init__(self, target: Callable[[], int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._flows = threading.Event()
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0

    def __enter__(self) -> "Wire":
        self._flows.set()
        threading.Thread(target=self._accept, daemon=True, name="wire").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.release()
        self.cut()

    def cut(self) -> None:
        """Every connection breaks, in the middle of whatever it carries."""
        with self._guard:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def hold(self) -> None:
        """Nothing is carried any more, and nobody is told."""
        self._flows.clear()

    def release(self) -> None:
        """What was held goes on."""
        self._flows.set()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target()), timeout=10)
                far.settimeout(None)
            except OSError:
                near.close()
                continue
            self.connections += 1
            with self._guard:
                self._open |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        with self._guard:
            self._open.discard(source)
        source.close()
