"""What systemd is told: that we are ready, alive, or stopping (sd_notify(3)). Without systemd nothing happens."""

import logging
import os
import socket

LOG = logging.getLogger("mailbot")


def ready() -> None:
    """The service has started."""
    _notify("READY=1")


def alive() -> None:
    """The watchdog is answered."""
    _notify("WATCHDOG=1")


def stopping() -> None:
    """The service ends because it was asked to."""
    _notify("STOPPING=1")


def _notify(text: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(text.encode(), address)
    except OSError as error:
        LOG.warning("systemd could not be told: %s", error.strerror)
