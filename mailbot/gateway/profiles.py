"""A controller's profile: read from TOML, checked whole, turned into the values of `core/controller.py`.

Every problem is told at once, with file, key and cure. A profile is data about one organisation; the supervisory
authority and the keeping laws come from `authority.toml` of the same folder, by country.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailbot.core.controller import Controller
from mailbot.core.shape import WRONG, Place, Problem, Shape
from mailbot.errors import ConfigurationError
from mailbot.gateway.profile_schema import COUNTRY, ID, PROFILE, controller_of

Table = Mapping[str, Any]


def load_profile(name_or_path: str, folder: Path) -> Controller:
    """The profile `folder/controllers/NAME.toml`, or the file at a path.

    `folder` is the rules folder; `authority.toml` lies in it. Raises ConfigurationError with every problem.
    """
    path = _where(name_or_path, folder)
    problems: list[str] = []
    data = _toml(path, problems)
    profile = None if data is None else _checked(path, "", data, PROFILE, problems)
    country = None
    if profile:
        problems.extend(f"{path}: {problem}" for problem in _inner_problems(profile))
        country = _read_country(folder / "authority.toml", profile["country"], problems)
    if profile and country:
        problems.extend(f"{path}: {problem}" for problem in _unknown_laws(profile, country))
    if problems or not profile or not country:
        raise ConfigurationError(problems)
    return controller_of(path.stem, profile, country)


def profile_names(folder: Path) -> tuple[str, ...]:
    """The profiles that lie in the rules folder."""
    return tuple(sorted(path.stem for path in (folder / "controllers").glob("*.toml")))


def _where(name_or_path: str, folder: Path) -> Path:
    if re.fullmatch(ID, name_or_path):
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


def _checked(path: Path, prefix: str, data: Table, shape: Shape, problems: list[str]) -> Table | None:
    told: list[Problem] = []
    found = shape(data, (), told)
    problems.extend(f"{path}: {prefix}{_key(problem.place, data)}: {_words(problem)}" for problem in told)
    return None if found is WRONG else found


def _words(problem: Problem) -> str:
    if problem.kind == "missing":
        return "is missing. Add it."
    if problem.kind == "unknown":
        return "there is no such key; remove it or mend its spelling."
    return f"{problem.text}."


def _key(places: Place, data: Any) -> str:
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


def _read_country(path: Path, code: str, problems: list[str]) -> Table | None:
    data = _toml(path, problems)
    if data is None:
        return None
    if code not in data:
        problems.append(f"{path}: has no country {code!r}. Add its authority, in fi, sv and en.")
        return None
    return _checked(path, f"{code}.", data[code], COUNTRY, problems)


def _inner_problems(profile: Table) -> list[str]:
    """What only the whole profile can tell."""
    ids = [register.id for register in profile["registers"]]
    twice = sorted({id for id in ids if ids.count(id) > 1})
    problems = [f"registers: two have the id {id!r}. Rename one." for id in twice]
    problems += [
        f"gaps: {gap.article}: there is no register {gap.register!r}. Choose from {', '.join(ids)}."
        for gap in profile["gaps"]
        if gap.register and gap.register not in ids
    ]
    if not any(register.usual for register in profile["registers"]):
        problems.append("registers: none is usual. Leave out `usual = false` of those that customers are in.")
    return problems


def _unknown_laws(profile: Table, country: Table) -> list[str]:
    """Retention rules that name a law which `authority.toml` does not have."""
    known = [law.id for law in country["laws"]]
    cure = f"Choose from {', '.join(known) or 'none'}."
    return [
        f"registers.{register.id}.retention: there is no law {retention.law!r}. {cure}"
        for register in profile["registers"]
        for retention in register.retention
        if retention.law and retention.law not in known
    ]
