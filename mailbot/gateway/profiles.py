"""A controller's profile: read from TOML, checked whole, turned into the values of `core/controller.py`.

Every problem is told at once, with file, key and cure. A profile is data about one organisation; the supervisory
authority and the keeping laws come from `authority.toml` of the same folder, by country.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

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
)  # fmt: skip
from mailbot.core.rights import Right
from mailbot.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)

_ID = r"^[a-z0-9][a-z0-9-]{0,40}$"
_CURES = {
    "missing": "Add it.",
    "extra_forbidden": "There is no such key; remove it or mend its spelling.",
    "string_type": "Write it as a text in quotes.",
    "string_too_short": "Write something here.",
    "date_type": "Write a date without quotes: 2026-11-22.",
    "too_short": "Give at least one.",
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


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
    id: str = Field(pattern=_ID)
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
    id: str = Field(pattern=_ID)
    name: _Wording

    def value(self) -> System:
        return System(id=self.id, name=self.name.value())


class _Register(_Part):
    id: str = Field(pattern=_ID)
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


class _Profile(_Part):
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
    id: str = Field(pattern=_ID)
    years: int = Field(ge=1, le=100)
    counted_from: CountedFrom
    documents: _Wording
    law: _Wording


class _Authorities(_Part):
    fi: _Authority
    sv: _Authority
    en: _Authority


class _Country(_Part):
    authority: _Authorities
    laws: tuple[_Law, ...] = ()


def load_profile(name_or_path: str, folder: Path) -> Controller:
    """The profile `folder/controllers/NAME.toml`, or the file at a path.

    `folder` is the rules folder; `authority.toml` lies in it. Raises ConfigurationError with every problem.
    """
    path = _where(name_or_path, folder)
    authority_path = folder / "authority.toml"
    problems: list[str] = []
    profile = _read(path, _Profile, problems)
    country = None
    if profile:
        problems.extend(f"{path}: {problem}" for problem in _inner_problems(profile))
        country = _read_country(authority_path, profile.country, problems)
    if profile and country:
        known = {law.id for law in country.laws}
        for register in profile.registers:
            for retention in register.retention:
                if retention.law and retention.law not in known:
                    cure = f"Choose from {', '.join(sorted(known)) or 'none'} of {authority_path.name}."
                    problems.append(f"{path}: registers.{register.id}.retention: no law {retention.law!r}. {cure}")
    if problems or not profile or not country:
        raise ConfigurationError(problems)
    return _controller(path.stem, profile, country)


def profile_names(folder: Path) -> tuple[str, ...]:
    """The profiles that lie in the rules folder."""
    return tuple(sorted(path.stem for path in (folder / "controllers").glob("*.toml")))


def _where(name_or_path: str, folder: Path) -> Path:
    if re.fullmatch(_ID, name_or_path):
        return folder / "controllers" / f"{name_or_path}.toml"
    return Path(name_or_path)


def _toml(path: Path, problems: list[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(other.stem for other in path.parent.glob("*.toml")))
        problems.append(f"{path}: no such file. Choose a profile ({known}) or give a path.")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: can not be read ({error}). Save it as UTF-8 text where it can be read.")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path}: is not valid TOML: {error}. Mend that line.")
    return None


def _read(path: Path, model: type[Model], problems: list[str]) -> Model | None:
    data = _toml(path, problems)
    return None if data is None else _checked(path, "", data, model, problems)


def _checked(
    path: Path, prefix: str, data: Mapping[str, Any], model: type[Model], problems: list[str]
) -> Model | None:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems.extend(_line(path, prefix, dict(detail), data) for detail in error.errors())
        return None


def _line(path: Path, prefix: str, detail: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ")
    cure = "" if detail["type"] == "value_error" else " " + _CURES.get(detail["type"], "Mend it.")
    return f"{path}: {prefix}{_key(detail['loc'], data)}: {message.rstrip('.')}.{cure}"


def _key(places: tuple[str | int, ...], data: Any) -> str:
    """The key as a person names it: the id of a list's entry, or its number counted from 1."""
    names: list[str] = []
    for place in places:
        data = data[place] if _has(data, place) else None
        entry = isinstance(place, int) and isinstance(data, dict)
        names.append(str(data.get("id") or int(place) + 1) if entry else str(place))
    return ".".join(names)


def _has(data: Any, place: str | int) -> bool:
    if isinstance(place, int):
        return isinstance(data, list) and place < len(data)
    return isinstance(data, dict) and place in data


def _read_country(path: Path, code: str, problems: list[str]) -> _Country | None:
    data = _toml(path, problems)
    if data is None:
        return None
    if code not in data:
        problems.append(f"{path}: has no country {code!r}. Add its authority, in fi, sv and en.")
        return None
    return _checked(path, f"{code}.", data[code], _Country, problems)


def _inner_problems(profile: _Profile) -> list[str]:
    """What only the whole profile can tell."""
    ids = [register.id for register in profile.registers]
    twice = sorted({id for id in ids if ids.count(id) > 1})
    problems = [f"registers: two have the id {id!r}. Rename one." for id in twice]
    problems += [
        f"gaps: {gap.article}: there is no register {gap.register_id!r}. Choose from {', '.join(ids)}."
        for gap in profile.gaps
        if gap.register_id and gap.register_id not in ids
    ]
    if not any(register.usual for register in profile.registers):
        problems.append("registers: none is usual. Leave out `usual = false` of those that customers are in.")
    return problems


def _optional(wording: _Wording | None) -> Wording | None:
    return wording.value() if wording else None


def _controller(name: str, profile: _Profile, country: _Country) -> Controller:
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
