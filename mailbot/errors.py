"""Whose fault, and what to do about it.

Every error that a person can meet is one of these. `str(error)` is one line that says what is wrong and what cures it;
`exit_code` is what the command line returns (sysexits.h). Foreign exceptions are turned into these in `gateway/` and
`store/`, always with `raise ... from`.
"""

from collections.abc import Sequence
from typing import Any


class Reason(str):
    """One line of English why something can not be done; staff who work by mail read it as their language's `key`."""

    def __new__(cls, text: str, key: str, **facts: Any) -> "Reason":
        made = super().__new__(cls, text)
        made.key, made.facts = key, facts
        return made

    key: str  # of the table staff.errors in the language files
    facts: dict[str, Any]  # what that sentence names


class MailbotError(Exception):
    """Something stopped mailbot. `what` says what happened, `cure` what to do about it.

    `reasons` say the same for people who read another language than English.
    """

    exit_code = 70
    reasons: tuple[Reason, ...] = ()

    def __init__(self, what: str, cure: str = "", *, reasons: Sequence[str] = ()) -> None:
        self.what = what
        self.cure = cure
        self.reasons = tuple(reason for reason in (what, *reasons) if isinstance(reason, Reason))
        super().__init__(f"{what}. {cure}".strip() if cure else what)


class MisuseError(MailbotError):
    """The command was called in a way that makes no sense."""

    exit_code = 2


class BadInputError(MailbotError):
    """A file, a message, a date or a value that was given can not be used."""

    exit_code = 65


class ServiceUnavailableError(MailbotError):
    """A server or a disk that is needed does not work and will not by waiting a moment."""

    exit_code = 69


class TryLaterError(MailbotError):
    """The same call may go through later: a lock is held, a server asks for patience, the connection broke.

    `after_s` is how many **seconds** the server asked to be left alone for; 0 when it did not say.
    """

    exit_code = 75

    def __init__(self, what: str, cure: str = "", *, after_s: float = 0.0) -> None:
        self.after_s = after_s
        super().__init__(what, cure)


class HeldError(TryLaterError):
    """Another mailbot does the same thing at this moment."""


class NotPermittedError(MailbotError):
    """Credentials are refused, or the person may not do this."""

    exit_code = 77


class IllegalMoveError(MailbotError):
    """The ticket or the draft can not do this now. Nothing was changed."""

    exit_code = 65


class ConfigurationError(MailbotError):
    """The configuration, a rule file, a template or a profile is wrong. Holds every problem that was found."""

    exit_code = 78

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))
