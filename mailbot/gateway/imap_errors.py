"""What an IMAP library, a socket and TLS complain of, as ours: one clear line, never a secret.

Three kinds of "later" are kept apart, because what follows differs: the server asks for patience (nothing is tried
before its time), the connection broke (a new one may do), or one answer can not be used while the connection stands
(asking for less may do). imaplib knows no response codes beyond its own, so they are read from the text (RFC 5530 3).
"""

import contextlib
import re
import socket
import ssl
from collections.abc import Iterator

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, IMAPClientReadOnlyError, LoginError

from mailbot.errors import MailbotError, NotPermittedError, ServiceUnavailableError, TryLaterError

LONGEST_PATIENCE_S = 3600.0  # a server may ask for more; due dates run, so it is asked again after an hour
UNSAID_PATIENCE_S = 60.0
_PATIENCE = re.compile(
    r"\[(?:UNAVAILABLE|INUSE|LIMIT|OVERQUOTA|THROTTLED)\]|throttl|backoff time|too many (?:simultaneous|connections)"
    r"|bandwidth limit|server unavailable|temporarily unavailable|try again later|authenticated but not connected",
    re.I,
)
_BACK_OFF_TIME = re.compile(r"suggested back-?off time:?\s*(\d{1,9})\s*(milliseconds|ms|seconds|s)?\b", re.I)


class PatienceError(TryLaterError):
    """The server asks for patience."""


class BrokenLineError(TryLaterError):
    """The connection is gone, or nobody answers on it."""


class BadAnswerError(TryLaterError):
    """The connection stands, but this answer is a refusal or not understood."""


@contextlib.contextmanager
def ours(host: str, port: int, username: str) -> Iterator[None]:
    """Errors of the library, the socket and TLS as ours."""
    where = f"IMAP {host}:{port}"
    try:
        yield
    except MailbotError:
        raise
    except IMAPClientError as error:
        raise _answered(where, username, error) from error
    except OSError as error:
        raise _not_reached(where, error) from error
    except (KeyError, ValueError, IndexError, TypeError, AssertionError, AttributeError, RecursionError) as error:
        # imapclient's parser meets nonsense with plain exceptions
        raise BadAnswerError(f"{where} answered what is not IMAP", "It is tried again; check host and port.") from error


def asks_for_patience(error: BaseException) -> bool:
    """True when the server says that it is its own trouble, and a passing one."""
    return bool(_PATIENCE.search(str(error)))


def _answered(where: str, username: str, error: IMAPClientError) -> MailbotError:
    text = str(error)
    if asks_for_patience(error):
        wait_s = patience_s(text)
        return PatienceError(
            f"{where} asks for patience ({_said(text)})", f"It is asked again in {wait_s:.0f} s.", after_s=wait_s
        )
    if isinstance(error, IMAPClientReadOnlyError):  # imaplib counts it among broken connections, but this one stands
        return BadAnswerError(f"{where} lets nothing be changed in the folder", "Give the account the right to write.")
    if text.startswith("unexpected response"):  # imaplib's words for a line that is not IMAP
        return BrokenLineError(f"{where} answered what is not IMAP", "It is tried again; check host and port.")
    if isinstance(error, IMAPClientAbortError) or isinstance(error.__context__, IMAPClientAbortError):
        return BrokenLineError(f"{where} broke the connection", "It is tried again.")  # also in the middle of a login
    if isinstance(error, LoginError):
        return NotPermittedError(
            f"{where} refused the login of {username}", "Check imap.username and the password it names."
        )
    return BadAnswerError(
        f"{where} answered what is not understood ({_said(text) or type(error).__name__})", "It is tried again."
    )


def patience_s(text: str) -> float:
    """Seconds that the server asks to be left alone for, within reason."""
    found = _BACK_OFF_TIME.search(text)
    if not found:
        return UNSAID_PATIENCE_S
    unit = 1.0 if (found[2] or "ms").lower() in ("seconds", "s") else 0.001  # Exchange counts in milliseconds
    return min(max(int(found[1]) * unit, UNSAID_PATIENCE_S), LONGEST_PATIENCE_S)


def _not_reached(where: str, error: OSError) -> MailbotError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return ServiceUnavailableError(
            f"{where} has a certificate that is not trusted ({error.verify_message})",
            "Correct imap.host, or name its authority in imap.ca_file.",
        )
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return ServiceUnavailableError(
            f"{where} does not speak TLS as configured", 'Check imap.port and imap.security ("tls" or "starttls").'
        )
    if isinstance(error, TimeoutError):
        return BrokenLineError(f"{where} did not answer in time", "It is tried again; check the network if it stays.")
    if isinstance(error, ConnectionRefusedError | socket.gaierror):
        reason = "refused the connection" if isinstance(error, ConnectionRefusedError) else "is an unknown host"
        return ServiceUnavailableError(f"{where} {reason}", "Check imap.host and imap.port.")
    return BrokenLineError(f"{where} broke the connection", "It is tried again.")


def _said(text: str) -> str:
    """The server's own words: the first line, without the marks of Python's bytes."""
    line = text.splitlines()[0] if text else ""
    return re.sub(r"\bb(['\"])(.*)\1", r"\2", line)[:120]
