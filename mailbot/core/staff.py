"""Staff: who may draft, who may approve, who hears of what. An act is always a named person's, through a named door."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mailbot.errors import BadInputError, NotPermittedError, Reason


class Role(StrEnum):
    """What a staff member may do; an approver may also draft."""

    DRAFTER = "drafter"
    APPROVER = "approver"


class Door(StrEnum):
    """Through which a decision came in."""

    CLI = "cli"
    MAIL = "mail"


@dataclass(frozen=True, kw_only=True)
class StaffMember:
    """One person of the controller."""

    name: str
    address: str  # their own mail address
    roles: frozenset[Role]
    language: str = "fi"  # of mail to them
    deputy: str = ""  # address of the staff member who hears of it after silence
    away: tuple[tuple[date, date], ...] = ()  # periods, both days included
    active: bool = True  # False once they have left: nothing of theirs counts

    def is_away(self, day: date) -> bool:
        """True on a local day within one of their periods away."""
        return any(first <= day <= last for first, last in self.away)

    def may_approve(self) -> bool:
        """True for an active approver."""
        return self.active and Role.APPROVER in self.roles


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The person who decides, and the door they came through."""

    staff: StaffMember
    door: Door
    os_user: str = ""  # operating-system user behind a command line; "" for mail

    @property
    def id(self) -> str:
        """How the audit chain names them: the address is personal data and stays out, so a short name is used."""
        return f"staff:{self.staff.name}" + (f" ({self.os_user})" if self.os_user else "")

    def must_draft(self) -> None:
        """Raises NotPermittedError for one who has left."""
        if not self.staff.active:
            raise NotPermittedError(f"{self.staff.name} is no longer staff", "Ask a colleague who is.")

    def must_approve(self) -> None:
        """Raises NotPermittedError for one who may only draft."""
        self.must_draft()
        if not self.staff.may_approve():
            what = Reason(f"{self.staff.name} may draft but not approve", "not_approver")
            raise NotPermittedError(what, "Ask an approver.")


def find(staff: Sequence[StaffMember], wanted: str) -> StaffMember:
    """The member of that address or name (any case).

    Raises BadInputError when there is none or several fit.
    """
    low = wanted.strip().lower()
    fitting = [person for person in staff if low in (person.address.lower(), person.name.lower())]
    if len(fitting) != 1:
        known = ", ".join(person.address for person in staff)
        what = Reason(f"{wanted!r} is not one member of staff", "no_such_person", name=wanted, known=known)
        raise BadInputError(what, f"Give one of: {known}")
    return fitting[0]


def by_address(staff: Sequence[StaffMember], address: str) -> StaffMember | None:
    """The member with that address, also one who has left; None for a stranger."""
    low = address.strip().lower()
    return next((person for person in staff if person.address.lower() == low), None)
