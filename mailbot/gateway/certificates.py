"""When the certificates end that a connection rests on: the server's own, and the authority named in `ca_file`.

Only what was verified is looked at; an expired certificate is no connection, and the error says so. The system's own
authorities are the system's to renew.
"""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailbot.core.life import Life


def lives(side: str, peer: Any, ca_file: Path | None) -> Iterator[Life]:
    """`side` is "imap" or "smtp"; `peer` a TLS socket or object after its handshake, None without TLS."""
    certificate = peer.getpeercert() if isinstance(peer, ssl.SSLSocket | ssl.SSLObject) else None
    if certificate:
        yield _life(f"{side}.certificate", certificate)
    if certificate and ca_file is not None:
        trusted = ssl.create_default_context(cafile=str(ca_file)).get_ca_certs()
        if trusted:  # with several the connection may rest on any: the last one to end tells
            yield max((_life(f"{side}.authority", found) for found in trusted), key=lambda life: life.ends_at)


def _life(name: str, certificate: Any) -> Life:
    begins, ends = (ssl.cert_time_to_seconds(certificate[key]) for key in ("notBefore", "notAfter"))
    return Life(name=name, begins_at=datetime.fromtimestamp(begins, UTC), ends_at=datetime.fromtimestamp(ends, UTC))
