"""Errors of the database drivers become ours: one clear line, whose fault it is, and the right exit code.

The driver's words are shown only where they hold no value of ours: a refused statement may quote a person's data, so
only its kind is named (promise 10). An address is never shown with its password.
"""

import errno
import re
import sqlite3
from collections.abc import Mapping

from mailbot.errors import ConfigurationError, MailbotError, NotPermittedError, ServiceUnavailableError, TryLaterError


class RefusedStatementError(ServiceUnavailableError):
    """A value or a statement that the database never takes: a fault of this program, not of the disk or the server."""


# What PostgreSQL says (SQLSTATE, appendix A of its manual): the class of the trouble and what cures it.
_BUSY = frozenset({"40001", "40P01", "55P03", "57014"})  # serialisation, deadlock, lock timeout, statement timeout
_AWAY = frozenset(
    {"57P01", "57P02", "57P03", "53300", "08000", "08003", "08006"}
)  # shutting down, starting, full house
_NO_SPACE = frozenset({"53000", "53100", "53200", "58030"})  # disk full, out of memory, input/output error
_DAMAGED = frozenset({"XX001", "XX002"})
_OF_THE_VALUE = ("22", "54")  # classes: a value that is refused, or too large for an index or a row

# What libpq says before a server has given an SQLSTATE.
_REFUSED = ("authentication failed", "no pg_hba.conf entry", "no password supplied", "is not permitted to log in")


def shown(url: str) -> str:
    """A database address that may be printed: no password, no options."""
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url.partition("?")[0])


def ours(error: Exception, url: str, *, connecting: bool = False) -> MailbotError:
    """The error of ours that says what a driver's error means; `connecting`: there was no connection yet."""
    if isinstance(error, sqlite3.Error):
        return _sqlite(error, shown(url))
    return _postgresql(error, shown(url), connecting=connecting)


def _first_line(error: object) -> str:
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


_SQLITE: Mapping[int, str] = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "full",
    sqlite3.SQLITE_READONLY: "full",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
}


def _sqlite(error: sqlite3.Error, where: str) -> MailbotError:
    said = _first_line(error)
    what = _SQLITE.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF)  # extended codes keep theirs low
    if what == "full":
        return ServiceUnavailableError(
            f"the database {where} can not be written: {said}",
            "Free some disk space, check its owner; nothing was lost.",
        )
    if what == "busy":
        return TryLaterError(f"the database {where} is busy: {said}", "Try again in a moment.")
    if what == "damaged":
        return ServiceUnavailableError(
            f"the database {where} is damaged or is no database: {said}", "Restore it: mailbot backup --help."
        )
    if isinstance(error, sqlite3.OperationalError):
        return ServiceUnavailableError(
            f"the database {where} can not be used: {said}", "Check the file and its folder."
        )
    return _refused_statement(error)


def _postgresql(error: Exception, where: str, *, connecting: bool) -> MailbotError:
    state, said = getattr(error, "sqlstate", None), _first_line(error)
    if state in _BUSY:
        return TryLaterError(f"the database {where} is busy", "Try again in a moment.")
    if state in _NO_SPACE:
        return ServiceUnavailableError(
            f"the database {where} can not be written: its server has no room",
            "Free some disk space; nothing was lost.",
        )
    if state in _DAMAGED:
        return ServiceUnavailableError(f"the database {where} is damaged", "Restore it from its backup.")
    if (state or "").startswith("28") or any(words in said for words in _REFUSED):
        return NotPermittedError(f"the database {where} refused the login", "Check database.url and its password.")
    if (state or "") == "42501":
        return NotPermittedError(f"the database {where} forbids this to us", "Give the role the right to its tables.")
    if state == "3D000" or ("does not exist" in said and state is None):
        return ConfigurationError([f"database.url: {where} does not exist on its server; create the database or role"])
    if (state or "").startswith(_OF_THE_VALUE):  # the driver calls some of these an operational error
        return _refused_statement(error)
    if {kind.__name__ for kind in type(error).__mro__} & {"OperationalError", "InterfaceError"}:
        cure = "Check that it runs and that database.url is right."
        if state in _AWAY or not connecting:
            return TryLaterError(f"the server of the database {where} broke the connection", "It is tried again.")
        return ServiceUnavailableError(f"the server of the database {where} does not answer", cure)
    return _refused_statement(error)


def _refused_statement(original: object) -> MailbotError:
    return RefusedStatementError(
        f"the database refused a statement ({type(original).__name__})", "Report this with the command that met it."
    )


def no_file(error: OSError, what: str) -> ServiceUnavailableError:
    """A file or folder beside the database can not be made or opened."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    cure = "Free some disk space." if full else "Check the folder, its owner and mode."
    return ServiceUnavailableError(f"{what} ({error.strerror})", cure)
