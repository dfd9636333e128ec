"""What systemd is told: that we are ready, alive, or stopping (sd_notify(3)). Without systemd nothing happens."""

import logging
import os
import socket

LOG = logging.getLogger("mailbot")
PATIENCE_S = 2.0


def ready() -> None:
    """The service has started."""
    _notify("READY=1", PATIENCE_S)


def alive() -> None:
    """The watchdog is answered."""
    _notify("WATCHDOG=1", 0.0)  # another follows soon


def stopping() -> None:
    """The service ends because it was asked to."""
    _notify("STOPPING=1", PATIENCE_S)


def _notify(text: str, patience_s: float) -> None:
    """Never holds the work up: where nobody listens any more, the word is dropped."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(patience_s)
            sock.sendto(text.encode(), address)
    except BlockingIOError:
        return
    except OSError as error:
        LOG.warning("systemd could not be told: %s", error.strerror)
