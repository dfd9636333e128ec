"""Shapes: what was written becomes a value, or every problem is told with its key."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pytest

from mailbot.core.shape import (
    WRONG,
    Left,
    Problem,
    Shape,
    Told,
    day,
    each,
    flag,
    key,
    of,
    one_of,
    seconds,
    several,
    table,
    text,
    whole,
)


def _no(value: Any) -> Any:
    raise ValueError("write something else")


@pytest.mark.parametrize(
    ("shape", "given", "value"),
    [
        (text(), " a ", "a"),
        (text(some=True), "a", "a"),
        (text(pattern="^a+$"), "aaa", "aaa"),
        (text(check=str.upper), "a", "A"),
        (whole(1, 3), 3, 3),
        (seconds(60), 30, 30.0),
        (flag, False, False),
        (day, date(2026, 11, 22), date(2026, 11, 22)),
        (one_of("a", "b"), "b", "b"),
        (several(text()), ["a"], ["a"]),
        (several(text(), make=tuple), [], ()),
        (each(one_of("a"), whole(0, 9)), {"a": 1}, {"a": 1}),
        (table(dict, a=text(), b=Left(flag, True)), {"a": "x"}, {"a": "x", "b": True}),
    ],
)
def test_what_fits_becomes_a_value(shape: Shape, given: Any, value: Any) -> None:
    """Nothing is told of it."""
    told: Told = []
    assert shape(given, (), told) == value
    assert told == []


@pytest.mark.parametrize(
    ("shape", "given", "cure"),
    [
        (text(), 3, "text in quotes"),
        (text(some=True), " ", "something"),
        (text(pattern="^a+$"), "b", "form"),
        (text(check=_no), "a", "something else"),
        (whole(1, 3), 4, "from 1 to 3"),
        (whole(0, 3), True, "whole number"),
        (whole(0, 3), "2", "whole number"),
        (seconds(60), 0, "above 0"),
        (seconds(60), float("nan"), "above 0"),
        (flag, 1, "true or false"),
        (day, "2026-11-22", "without quotes"),
        (day, datetime(2026, 11, 22), "without quotes"),  # noqa: DTZ001 - as TOML gives a local moment
        (one_of("a", "b"), "c", "a, b"),
        (several(text()), "a", "list"),
        (several(text(), some=True), [], "at least one"),
        (each(text(), text()), [], "table"),
        (table(dict), "a", "table"),
        (table(dict, check=_no), {}, "something else"),
    ],
)
def test_what_does_not_fit_is_told_with_its_cure(shape: Shape, given: Any, cure: str) -> None:
    """One problem, at its place, and no value: no kind is turned into another."""
    told: Told = []
    assert shape(given, ("here",), told) is WRONG
    assert [problem.place for problem in told] == [("here",)]
    assert cure in told[0].text


def test_every_problem_of_a_table_is_told_at_once() -> None:
    """Missing, unknown and wrong keys, deep inside as well; the check of the whole waits until its parts are sound."""
    told: Told = []
    shape = table(dict, check=_no, a=text(), b=several(table(dict, c=flag)), d=flag)
    assert shape({"a": 1, "b": [{"c": True}, {"c": 2, "x": 3}], "e": 4}, (), told) is WRONG
    assert [(problem.place, problem.kind) for problem in told] == [
        (("a",), "value"),
        (("b", 1, "c"), "value"),
        (("b", 1, "x"), "unknown"),
        (("d",), "missing"),
        (("e",), "unknown"),
    ]


def test_a_dataclass_of_keys_is_a_table() -> None:
    """Its keys have their own defaults, never shared between two values; what is no key can not be written."""

    @dataclass(frozen=True, kw_only=True)
    class Given:
        name: str = key("who", text())
        tags: list[str] = key("which", several(text()), ["a"])
        beside: int = 0

    told: Told = []
    first, second = (of(Given)({"name": "x"}, (), told) for _ in range(2))
    assert first == second == Given(name="x", tags=["a"])
    assert first.tags is not second.tags
    assert of(Given)({"beside": 1}, (), told) is WRONG
    assert told == [Problem(place=("name",), kind="missing"), Problem(place=("beside",), kind="unknown")]
