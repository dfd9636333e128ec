"""The organisation that answers: its registers, what the law makes it keep, and whom a person can turn to.

A profile states what the controller has said in public, and nothing more. Where that is less than the law asks, the
profile carries a `Gap`: it is reported to people, never filled in by us. Texts that reach a reader stand in all three
languages; there is no person's name and no telephone number of the controller here. Reading files and checking them is
`gateway/profiles.py`.
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from mailbot.core.rights import Right

LANGUAGES = ("fi", "sv", "en")


@dataclass(frozen=True, kw_only=True)
class Wording:
    """One thing said in the three languages; not translations but three ways of saying it."""

    fi: str
    sv: str
    en: str

    def of(self, language: str) -> str:
        """The wording in `language`; English for any language that is not ours."""
        return {"fi": self.fi, "sv": self.sv}.get(language, self.en)


class CountedFrom(StrEnum):
    """The day from which a retention period runs."""

    FINANCIAL_YEAR_END = "financial_year_end"  # the last day of the financial year itself
    CALENDAR_YEAR_END = "calendar_year_end"  # 31 December of the year in which the financial year ended
    LAST_ACTIVITY = "last_activity"  # the last active event between the person and the controller
    EVENT = "event"  # what the rule's own words say


@dataclass(frozen=True, kw_only=True)
class KeepingLaw:
    """A national law that makes every controller of a country keep documents."""

    id: str
    documents: Wording  # which documents it covers
    law: Wording  # as it is named in a reply
    years: int
    counted_from: CountedFrom


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How long data of a register are kept, or by which rule that is decided."""

    rule: Wording
    years: int | None = None  # None: the notice gives a criterion, not a number
    counted_from: CountedFrom | None = None
    law: str = ""  # the `id` of a KeepingLaw; "" when the period is the controller's own


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What the data are used for, and what the notice says allows it."""

    text: Wording
    basis: Wording | None = None  # the legal basis in the notice's words; None when it names none
    article: str = ""  # "6(1)(b)"; "" when the notice does not say it


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Somebody who receives data of a register: named, or a category."""

    id: str
    name: Wording
    inform: bool = False  # True: to be told of corrections, erasures and restrictions (GDPR 19)


@dataclass(frozen=True, kw_only=True)
class System:
    """Where data of a register lie; staff look there."""

    id: str
    name: Wording


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Something the law asks to be told and the controller's notice does not tell."""

    article: str  # "GDPR 13(1)(c)"
    missing: str  # what is missing and what to do, in English, for the administrator
    register: str = ""  # the register's id; "" when it concerns the whole notice


@dataclass(frozen=True, kw_only=True)
class Register:
    """One filing system, as its notice describes it."""

    id: str
    name: Wording
    groups: Wording  # whose data
    purposes: tuple[Purpose, ...]
    categories: Wording  # which data
    sources: Wording  # where the data come from
    recipients: tuple[Recipient, ...] = ()
    recipients_note: Wording | None = None  # what the notice says of disclosure in general
    transfers: Wording | None = None  # outside the EU and EEA; None when the notice is silent
    retention: tuple[Retention, ...] = ()
    protection: Wording | None = None
    systems: tuple[System, ...] = ()
    usual: bool = True  # False: only for those the register is about (applicants, staff), left out unless asked for
    marketing: bool = False  # True: direct marketing is sent from here
    checklist: Mapping[Right, tuple[Wording, ...]] = field(default_factory=dict)  # what to mind here, for staff


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """Who the controller is."""

    name: str
    business_id: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    email: str = ""  # a role address; "" when the notice names only a person's mailbox
    website: str = ""


@dataclass(frozen=True, kw_only=True)
class Authority:
    """The supervisory authority in one language (GDPR 77)."""

    name: str
    visiting: str
    postal: str
    phone: str
    registry: str
    email: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Controller:
    """One controller: the organisation, its registers, and the country's authority and keeping laws."""

    name: str  # the profile's name: "jalo-it"
    version: date  # the day this profile was last changed
    notice_on: date  # the date of the privacy notice it was written from
    notice_name: Wording
    organisation: Organisation
    reference_prefix: str  # "JALO"
    country: str  # ISO 3166-1 alpha-2
    timezone: str
    language: str  # the house language, used when a writer's can not be told
    registers: tuple[Register, ...]
    authorities: Mapping[str, Authority]  # by language
    laws: tuple[KeepingLaw, ...] = ()
    backups: Wording | None = None  # when copies rotate out; None: nothing is known, so nothing is said
    automated_decisions: Wording | None = None  # None: the notice is silent and staff confirm that there are none
    gaps: tuple[Gap, ...] = ()

    def authority(self, language: str) -> Authority:
        """The supervisory authority's contact block in `language`; English for any other language."""
        return self.authorities.get(language) or self.authorities["en"]

    def register(self, id: str) -> Register | None:
        """The register of that id."""
        return next((register for register in self.registers if register.id == id), None)

    def usual_registers(self) -> tuple[Register, ...]:
        """The registers that a reply speaks of unless staff choose others."""
        return tuple(register for register in self.registers if register.usual)

    def law(self, id: str) -> KeepingLaw | None:
        """The keeping law of that id."""
        return next((law for law in self.laws if law.id == id), None)


def kept_until(year_end: date, years: int, counted_from: CountedFrom | None = None) -> date:
    """The last day of keeping documents of the financial year that ended on `year_end`.

    By the Finnish Accounting Act six years run from the end of the calendar year in which the financial year ended, ten
    years from the end of the financial year itself (kirjanpitolaki 1336/1997 2:10); `counted_from` says it otherwise.
    """
    rule = counted_from or (CountedFrom.CALENDAR_YEAR_END if years == 6 else CountedFrom.FINANCIAL_YEAR_END)
    year = year_end.year + years
    if rule is CountedFrom.CALENDAR_YEAR_END:
        return date(year, 12, 31)
    return date(year, year_end.month, min(year_end.day, calendar.monthrange(year, year_end.month)[1]))
