"""The shape of a profile and of `authority.toml`: which keys there are, what each may hold, and the value it becomes.

Only shape is decided here; what needs a second file or the whole profile is checked in `profiles.py`. An unknown key is
an error, so that a misspelt one is never silently ignored.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

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
from mailbot.core.shape import Left, day, each, flag, one_of, several, table, text, whole

ID = r"^[a-z0-9][a-z0-9-]{0,40}$"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}; write it like Europe/Helsinki") from error
    return name


def _both_or_neither(found: Retention) -> Retention:
    if (found.years is None) != (found.counted_from is None):
        raise ValueError("years and counted_from belong together; give both or neither")
    return found


def _says_who_receives(found: Register) -> Register:
    if not found.recipients and not found.recipients_note:
        raise ValueError("names no recipients; give recipients, or recipients_note saying that there are none")
    return found


_id, _some, _any = text(pattern=ID), text(some=True), text()
_wording = table(Wording, fi=_some, sv=_some, en=_some)
_maybe = Left(_wording)
_purpose = table(
    Purpose,
    text=_wording,
    basis=_maybe,
    article=Left(text(pattern=r"^(6\(1\)\([a-f]\))?$"), ""),
)
_recipient = table(Recipient, id=_id, name=_wording, inform=Left(flag, False))
_counted_from = one_of(*CountedFrom)
_retention = table(
    Retention,
    check=_both_or_neither,
    rule=_wording,
    years=Left(whole(1, 100)),
    counted_from=Left(_counted_from),
    law=Left(_any, ""),
)
_register = table(
    Register,
    check=_says_who_receives,
    id=_id,
    name=_wording,
    groups=_wording,
    categories=_wording,
    sources=_wording,
    recipients_note=_maybe,
    transfers=_maybe,
    protection=_maybe,
    usual=Left(flag, True),
    marketing=Left(flag, False),
    purposes=several(_purpose, some=True, make=tuple),
    recipients=Left(several(_recipient, make=tuple), ()),
    retention=several(_retention, some=True, make=tuple),
    systems=several(table(System, id=_id, name=_wording), some=True, make=tuple),
    checklist=Left(each(one_of(*Right), several(_wording, make=tuple)), {}),
)
_organisation = table(
    Organisation,
    name=_some,
    business_id=Left(_any, ""),
    street=Left(_any, ""),
    postal_code=Left(_any, ""),
    city=Left(_any, ""),
    email=Left(text(pattern=r"^([^@\s]+@[^@\s]+)?$"), ""),
    website=Left(_any, ""),
)
PROFILE = table(
    dict,
    version=day,
    notice_on=day,
    notice_name=_wording,
    organisation=_organisation,
    reference_prefix=text(pattern=r"^[A-Z][A-Z0-9]{1,11}$"),
    country=text(pattern=r"^[A-Z]{2}$"),
    timezone=text(check=_known_zone),
    language=one_of("fi", "sv", "en"),
    backups=_maybe,
    automated_decisions=_maybe,
    registers=several(_register, some=True, make=tuple),
    gaps=Left(several(table(Gap, article=_some, missing=_some, register=Left(_any, "")), make=tuple), ()),
)
_authority = table(
    Authority,
    name=_some,
    visiting=_some,
    postal=_some,
    phone=_some,
    registry=_some,
    email=_some,
    url=text(pattern=r"^https://"),
)
_law = table(KeepingLaw, id=_id, years=whole(1, 100), counted_from=_counted_from, documents=_wording, law=_wording)
COUNTRY = table(
    dict,
    authority=table(dict, fi=_authority, sv=_authority, en=_authority),
    laws=Left(several(_law, make=tuple), ()),
)


def controller_of(name: str, profile: Mapping[str, Any], country: Mapping[str, Any]) -> Controller:
    """The controller that a profile and its country's file describe, each read with its shape."""
    return Controller(name=name, authorities=country["authority"], laws=country["laws"], **profile)
