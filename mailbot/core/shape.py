"""The shape of a table as it was written, and the value it becomes: every problem at once, each with its key and cure.

A shape is a function: it is given what was written, where that stands, and the list of problems; it gives the value, or
WRONG after it has told why. Nothing is guessed or turned into another kind: "3" is no number, 1 is not true. An unknown
key is a problem, so that a misspelt one is never silently ignored.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, Final

Place = tuple[str | int, ...]  # keys and numbers of list entries, from the outermost on
Check = Callable[[Any], Any]  # gives the value, perhaps mended; raises ValueError with the cure


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong."""

    place: Place
    kind: str  # missing | unknown | value
    text: str = ""  # what to write instead; "" where the kind says it all


Told = list[Problem]
Shape = Callable[[Any, Place, Told], Any]
WRONG: Final = object()
_REQUIRED: Final = object()
_OWN: Final = object()  # left out: the default of the field itself


def text(*, some: bool = False, pattern: str = "", check: Check | None = None) -> Shape:
    """A text, without white space around it. `some`: it is not empty."""

    def read(given: Any, place: Place, told: Told) -> Any:
        if not isinstance(given, str):
            return _wrong(told, place, "write it as a text in quotes")
        value = given.strip()
        if some and not value:
            return _wrong(told, place, "write something here")
        if pattern and not re.search(pattern, value):
            return _wrong(told, place, f"write it in the form {pattern}")
        return _checked(check, value, place, told)

    return read


def whole(least: int, most: int) -> Shape:
    """A whole number."""

    def read(given: Any, place: Place, told: Told) -> Any:
        if type(given) is not int or not least <= given <= most:
            return _wrong(told, place, f"write a whole number from {least} to {most}")
        return given

    return read


def seconds(most: float) -> Shape:
    """A length of time above zero."""

    def read(given: Any, place: Place, told: Told) -> Any:
        if type(given) not in (int, float) or not 0 < given <= most:
            return _wrong(told, place, f"write a number above 0, up to {most:.0f}")
        return float(given)

    return read


def flag(given: Any, place: Place, told: Told) -> Any:
    """Yes or no."""
    return given if isinstance(given, bool) else _wrong(told, place, "write true or false")


def day(given: Any, place: Place, told: Told) -> Any:
    """A day."""
    return given if type(given) is date else _wrong(told, place, "write a date without quotes: 2026-11-22")


def one_of(*known: str) -> Shape:
    """One of these words; of an enumeration its member."""
    by_word = {str(word): word for word in known}

    def read(given: Any, place: Place, told: Told) -> Any:
        if not isinstance(given, str) or given not in by_word:
            return _wrong(told, place, f"write one of {', '.join(by_word)}")
        return by_word[given]

    return read


def several(shape: Shape, *, some: bool = False, make: Callable[[list[Any]], Any] = list) -> Shape:
    """A list of such values. `some`: at least one."""

    def read(given: Any, place: Place, told: Told) -> Any:
        if not isinstance(given, list):
            return _wrong(told, place, "write a list in [ ]")
        if some and not given:
            return _wrong(told, place, "give at least one")
        found = [shape(item, (*place, number), told) for number, item in enumerate(given)]
        return WRONG if WRONG in found else make(found)

    return read


def each(known: Shape, shape: Shape) -> Shape:
    """A table whose keys have a shape as well."""

    def read(given: Any, place: Place, told: Told) -> Any:
        if not isinstance(given, Mapping):
            return _wrong(told, place, "write a table")
        found = {known(key, (*place, key), told): shape(item, (*place, key), told) for key, item in given.items()}
        return WRONG if WRONG in found or WRONG in found.values() else found

    return read


@dataclass(frozen=True)
class Left:
    """A key that may be left out, and what its absence means."""

    shape: Shape
    default: Any = None


def table(make: Callable[..., Any], *, check: Check | None = None, **keys: Shape | Left) -> Shape:
    """A table with these keys; `make` is called with their values, by name."""

    def read(given: Any, place: Place, told: Told) -> Any:
        if not isinstance(given, Mapping):
            return _wrong(told, place, "write a table")
        found: dict[str, Any] = {}
        for name, shape in keys.items():
            if name in given:
                wanted = shape.shape if isinstance(shape, Left) else shape
                found[name] = wanted(given[name], (*place, name), told)
            elif isinstance(shape, Left):
                found |= {} if shape.default is _OWN else {name: shape.default}
            else:
                told.append(Problem(place=(*place, name), kind="missing"))
                found[name] = WRONG
        unknown = [name for name in given if name not in keys]
        told += [Problem(place=(*place, name), kind="unknown") for name in unknown]
        if unknown or any(value is WRONG for value in found.values()):
            return WRONG
        return _checked(check, make(**found), place, told)

    return read


def key(says: str, shape: Shape, default: Any = _REQUIRED, *, of: type | None = None) -> Any:
    """A field of a dataclass that is a key of its table: its meaning, its shape, its default; `of`: a table's class."""
    about = {"says": says, "shape": shape, "of": of, "required": default is _REQUIRED, "default": default}
    if default is _REQUIRED:
        return field(metadata=about)
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=about)
    return field(default=default, metadata=about)


def table_of(kind: type, default: Any = _REQUIRED) -> Any:
    """A field of a dataclass that is a table of the file, described by another dataclass."""
    return key("", of(kind), default, of=kind)


def of(kind: type, check: Check | None = None) -> Shape:
    """The table that a dataclass of keys describes; what is not a `key` is not for the file."""
    keys = {item.name: item.metadata["shape"] for item in fields(kind) if item.metadata}
    optional = {item.name for item in fields(kind) if item.metadata and not item.metadata["required"]}
    return table(kind, check=check, **{name: Left(shape, _OWN) if name in optional else shape
                                       for name, shape in keys.items()})  # fmt: skip


def _wrong(told: Told, place: Place, cure: str) -> Any:
    told.append(Problem(place=place, kind="value", text=cure))
    return WRONG


def _checked(check: Check | None, value: Any, place: Place, told: Told) -> Any:
    if check is None:
        return value
    try:
        return check(value)
    except ValueError as error:
        return _wrong(told, place, str(error))
