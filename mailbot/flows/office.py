"""What every flow works with: memory, the organisation, its staff, its texts, its calendar, and the chosen policies.

Built once in `wiring.py` and handed in. Flows know gateways only by the small protocols here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from mailbot.core.controller import Controller
from mailbot.core.deadline import DeadlinePolicy
from mailbot.core.draft import Need
from mailbot.core.letter import CheckLine, ReplyItem, Text
from mailbot.core.message import our_address
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.core.staff import StaffMember, find
from mailbot.core.ticket import REOPENING_DAYS
from mailbot.core.working_days import Calendar
from mailbot.store.database import Database


class Texts(Protocol):
    """The words of everything that leaves the house; `gateway/templates.py` keeps this promise."""

    def reply(self, language: str, items: Sequence[ReplyItem], facts: Mapping[str, Any]) -> Text: ...

    def completed(self, language: str, text: str, items: Sequence[ReplyItem], facts: Mapping[str, Any]) -> str: ...

    def letter(self, kind: str, language: str, facts: Mapping[str, Any]) -> Text: ...

    def staff(self, name: str, language: str, facts: Mapping[str, Any]) -> Text: ...

    def needs(
        self, kind: str, right: Right | None, outcome: Outcome | None, language: str, ground: Ground | None = None
    ) -> tuple[Need, ...]: ...

    def optional(
        self, kind: str, right: Right | None, outcome: Outcome | None, language: str, ground: Ground | None = None
    ) -> tuple[Need, ...]: ...

    def outcomes(self, right: Right) -> tuple[Outcome, ...]: ...

    def checklist(self, controller: Controller, items: Sequence[ReplyItem], language: str) -> tuple[CheckLine, ...]: ...

    def words(self, language: str) -> Mapping[str, Any]: ...


class DueEntry(Protocol):
    """Makes the due date of a ticket as a calendar file; `gateway/calendar_file.py` keeps this promise."""

    def __call__(
        self,
        reference: str,
        due_on: date,
        *,
        summary: str,
        sequence: int,
        organizer: str,
        made_at: datetime,
        description: str = "",
        cancelled: bool = False,
    ) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class Options:
    """Choices of the configuration that flows obey."""

    staff_mail: str = "token"  # token | token+dmarc | token+dkim
    authserv_id: str | None = None
    trusted_received: tuple[str, ...] = ()
    four_eyes: frozenset[str] = frozenset()  # refusals, attachments
    token_days: int = 60
    days_before: tuple[int, ...] = (14, 7, 3, 1)
    escalate_after_days: int = 5  # working days of silence
    digest_hour: int = 7
    notices_per_hour: int = 20
    staff_answers_per_hour: int = 30
    message_bytes: int = 25 * 1024 * 1024
    closed_days: int = 1096
    attachments_days: int = 90
    dismissed_days: int = REOPENING_DAYS
    seen_days: int = 400
    alarm_address: str = ""


@dataclass(frozen=True, kw_only=True)
class Office:
    """One controller at work."""

    database: Database
    controller: Controller
    staff: tuple[StaffMember, ...]
    sender: str  # "Name <address>"
    own_addresses: frozenset[str]  # addresses that are the polled mailbox itself, lower case
    texts: Texts
    calendar: Calendar
    policy: DeadlinePolicy
    key: bytes = field(repr=False)
    signed_by_sender: Callable[[bytes, str], bool] | None = None  # DKIM checked by ourselves, where configured
    options: Options = Options()
    due_entry: DueEntry | None = None  # None: no calendar files

    @property
    def sender_address(self) -> str:
        """The bare address we write from."""
        return our_address(self.sender).address

    @property
    def domain(self) -> str:
        """The domain of our Message-IDs."""
        return self.sender_address.rpartition("@")[2].encode("idna").decode("ascii")

    @property
    def zone(self) -> str:
        """The controller's time zone; every due date is a local day of it."""
        return self.controller.timezone

    def active_staff(self) -> tuple[StaffMember, ...]:
        """Those who get notices."""
        return tuple(person for person in self.staff if person.active)

    def member(self, wanted: str) -> StaffMember:
        """The staff member of that name or address; BadInputError when there is none."""
        return find(self.staff, wanted)
