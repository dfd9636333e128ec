"""The shape of a profile and of `authority.toml`: which keys there are, what each may hold, and the value it becomes.

Only shape is decided here; what needs a second file or the whole profile is checked in `profiles.py`. An unknown key is
an error, so that a misspelt one is never silently ignored.
"""

from datetime import date
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mailbot.core.controller import (
    Authority,
    Controller,
    CountedFrom,
    Gap,
    KeepingLaw,
    Organisation,
    Purpose,
    Recipient,
    Register,
    Retention,
    System,
    Wording,
)
from mailbot.core.rights import Right

ID = r"^[a-z0-9][a-z0-9-]{0,40}$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, defer_build=True)


class _Wording(_Part):
    fi: str = Field(min_length=1)
    sv: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def value(self) -> Wording:
        return Wording(fi=self.fi, sv=self.sv, en=self.en)


class _Purpose(_Part):
    text: _Wording
    basis: _Wording | None = None
    article: str = Field(default="", pattern=r"^(6\(1\)\([a-f]\))?$")

    def value(self) -> Purpose:
        return Purpose(text=self.text.value(), basis=_optional(self.basis), article=self.article)


class _Recipient(_Part):
    id: str = Field(pattern=ID)
    name: _Wording
    inform: bool = False

    def value(self) -> Recipient:
        return Recipient(id=self.id, name=self.name.value(), inform=self.inform)


class _Retention(_Part):
    rule: _Wording
    years: int | None = Field(default=None, ge=1, le=100)
    counted_from: CountedFrom | None = None
    law: str = ""

    @model_validator(mode="after")
    def _whole(self) -> "_Retention":
        if (self.years is None) != (self.counted_from is None):
            raise ValueError("years and counted_from belong together. Give both or neither.")
        return self

    def value(self) -> Retention:
        return Retention(rule=self.rule.value(), years=self.years, counted_from=self.counted_from, law=self.law)


class _System(_Part):
    id: str = Field(pattern=ID)
    name: _Wording

    def value(self) -> System:
        return System(id=self.id, name=self.name.value())


class _Register(_Part):
    id: str = Field(pattern=ID)
    name: _Wording
    groups: _Wording
    categories: _Wording
    sources: _Wording
    recipients_note: _Wording | None = None
    transfers: _Wording | None = None
    protection: _Wording | None = None
    usual: bool = True
    marketing: bool = False
    purposes: tuple[_Purpose, ...] = Field(min_length=1)
    recipients: tuple[_Recipient, ...] = ()
    retention: tuple[_Retention, ...] = Field(min_length=1)
    systems: tuple[_System, ...] = Field(min_length=1)
    checklist: dict[Right, tuple[_Wording, ...]] = {}

    @model_validator(mode="after")
    def _says_who_receives(self) -> "_Register":
        if not self.recipients and not self.recipients_note:
            raise ValueError("names no recipients. Give recipients, or recipients_note saying that there are none.")
        return self

    def value(self) -> Register:
        return Register(
            id=self.id,
            name=self.name.value(),
            groups=self.groups.value(),
            purposes=tuple(purpose.value() for purpose in self.purposes),
            categories=self.categories.value(),
            sources=self.sources.value(),
            recipients=tuple(recipient.value() for recipient in self.recipients),
            recipients_note=_optional(self.recipients_note),
            transfers=_optional(self.transfers),
            retention=tuple(retention.value() for retention in self.retention),
            protection=_optional(self.protection),
            systems=tuple(system.value() for system in self.systems),
            usual=self.usual,
            marketing=self.marketing,
            checklist={right: tuple(line.value() for line in lines) for right, lines in self.checklist.items()},
        )


class _Organisation(_Part):
    name: str = Field(min_length=1)
    business_id: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    email: str = Field(default="", pattern=r"^([^@\s]+@[^@\s]+)?$")
    website: str = ""


class _Gap(_Part):
    article: str = Field(min_length=1)
    missing: str = Field(min_length=1)
    register_id: str = Field(default="", alias="register")  # `register` is a name that pydantic uses

    def value(self) -> Gap:
        return Gap(article=self.article, missing=self.missing, register=self.register_id)


class Profile(_Part):
    version: date
    notice_on: date
    notice_name: _Wording
    organisation: _Organisation
    reference_prefix: str = Field(pattern=r"^[A-Z][A-Z0-9]{1,11}$")
    country: str = Field(pattern=r"^[A-Z]{2}$")
    timezone: str
    language: str = Field(pattern=r"^(fi|sv|en)$")
    backups: _Wording | None = None
    automated_decisions: _Wording | None = None
    registers: tuple[_Register, ...] = Field(min_length=1)
    gaps: tuple[_Gap, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {name!r}. Write it like Europe/Helsinki.") from error
        return name


class _Authority(_Part):
    name: str = Field(min_length=1)
    visiting: str = Field(min_length=1)
    postal: str = Field(min_length=1)
    phone: str = Field(min_length=1)
    registry: str = Field(min_length=1)
    email: str = Field(min_length=1)
    url: str = Field(pattern=r"^https://")


class _Law(_Part):
    id: str = Field(pattern=ID)
    years: int = Field(ge=1, le=100)
    counted_from: CountedFrom
    documents: _Wording
    law: _Wording


class _Authorities(_Part):
    fi: _Authority
    sv: _Authority
    en: _Authority


class Country(_Part):
    authority: _Authorities
    laws: tuple[_Law, ...] = ()


def _optional(wording: _Wording | None) -> Wording | None:
    return wording.value() if wording else None


def controller_of(name: str, profile: Profile, country: Country) -> Controller:
    authorities = {code: getattr(country.authority, code) for code in ("fi", "sv", "en")}
    return Controller(
        name=name,
        version=profile.version,
        notice_on=profile.notice_on,
        notice_name=profile.notice_name.value(),
        organisation=Organisation(**profile.organisation.model_dump()),
        reference_prefix=profile.reference_prefix,
        country=profile.country,
        timezone=profile.timezone,
        language=profile.language,
        registers=tuple(register.value() for register in profile.registers),
        authorities={code: Authority(**authority.model_dump()) for code, authority in authorities.items()},
        laws=tuple(
            KeepingLaw(
                id=law.id,
                documents=law.documents.value(),
                law=law.law.value(),
                years=law.years,
                counted_from=law.counted_from,
            )
            for law in country.laws
        ),
        backups=_optional(profile.backups),
        automated_decisions=_optional(profile.automated_decisions),
        gaps=tuple(gap.value() for gap in profile.gaps),
    )
