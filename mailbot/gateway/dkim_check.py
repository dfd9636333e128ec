"""DKIM of staff mail checked by ourselves (extra `dkim`), for servers that write no Authentication-Results (RFC 6376).

The key is asked of the DNS by dkimpy. Only a signature that verifies and whose domain is that of the From address
vouches for it; a DNS that does not answer vouches for nothing, and the mail then counts as not verified.
"""

import importlib
from collections.abc import Callable
from email.utils import parseaddr
from typing import Any

from mailbot.errors import ConfigurationError

DnsText = Callable[..., bytes | None]  # name and timeout to the TXT record


def signs_for_sender(raw: bytes, sender: str, *, dns: DnsText | None = None) -> bool:
    """True when a valid DKIM signature in `raw` is of the sender's own domain (or one above it).

    Raises ConfigurationError when the extra is not installed.
    """
    library = _library()
    domain = parseaddr(sender)[1].rpartition("@")[2].lower()
    options = {"dnsfunc": dns} if dns else {}
    try:
        checker = library.DKIM(raw)
        for number in range(raw.lower().count(b"dkim-signature:")):
            if checker.verify(idx=number, **options) and _aligned(checker.domain.decode("ascii", "replace"), domain):
                return True
    except (library.DKIMException, ValueError, IndexError, KeyError, OSError, UnicodeError):
        return False  # a broken signature or a silent DNS vouches for nothing
    return False


def _aligned(signed_by: str, domain: str) -> bool:
    """Relaxed alignment (RFC 7489 3.1.1): the same domain, or one below the signing one."""
    signed_by = signed_by.lower().strip(".")
    return bool(domain) and (domain == signed_by or domain.endswith(f".{signed_by}")) and "." in signed_by


def _library() -> Any:
    try:
        return importlib.import_module("dkim")
    except ImportError as error:
        raise ConfigurationError(
            ["authenticity.verify_dkim_ourselves: needs the extra dkim; install it: pip install 'mailbot[dkim]'"]
        ) from error
