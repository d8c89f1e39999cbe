"""`x.y`, `x[y]`, `x.y()`: keys first, then the reference's own getters and methods, never Python's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

VARIABLES: dict[str, Any] = {
    "l": [10, 20],
    "m": {"a": 1, "a-b": "dash", "1": "one", "size": "key", "items": "own", "nul": None},
    "n": {1: "one"},
    "s": "Abc ",
    "d": datetime(2024, 2, 29, 10, 5, 6, 789000, tzinfo=UTC),
    "day": date(2024, 2, 29),
    "span": timedelta(minutes=90),
    "set": {7},
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m.a", "1"), ("m['a-b']", "dash"), ("m['1']", "one"), ("m.size", "key"), ("m.items", "own"), ("m.nul", ""),
        ("m.size()", "6"), ("m.get('a')", "1"), ("m.get('z')", ""), ("m.getOrDefault('z', 'd')", "d"),
        ("m.containsKey('a')", "true"), ("m.keySet() | first", "a"), ("(m.entrySet() | first).key", "a"),
        ("n[1]", "one"),
        ("l[0]", "10"), ("l['1']", "20"), ("l.size", "2"), ("l.size()", "2"), ("l.empty", "false"),
        ("l.isEmpty()", "false"), ("l.get(1)", "20"), ("l.indexOf(20)", "1"), ("set[0]", "7"),
        ("s.length", "4"), ("s.length()", "4"), ("s.toUpperCase()", "ABC "), ("s.trim()", "Abc"),
        ("s.substring(1)", "bc "), ("s.substring(0, 2)", "Ab"), ("s.charAt(0)", "A"), ("s.replace('b', 'X')", "AXc "),
        ("s.startsWith('Ab')", "true"), ("s.repeat(2)", "Abc Abc "), ("'a,b'.indexOf(',')", "1"), ("s.blank", "false"),
        ("d.year", "2024"), ("d.getYear()", "2024"), ("d.monthValue", "2"), ("d.month", "FEBRUARY"),
        ("d.dayOfWeek", "THURSDAY"), ("d.hour", "10"), ("d.nano", "789000000"), ("d.YEAR", "2024"), ("day.dayOfYear", "60"),
        ("span.seconds", "5400"), ("span.toMinutes()", "90"), ("1.5.toString()", "1.5"), ("(7).doubleValue()", "7.0"),
    ],
)  # fmt: skip
def test_what_can_be_reached(render: Callable[..., str], expression: str, expected: str) -> None:
    assert render("{{ " + expression + " }}", **VARIABLES) == expected


@pytest.mark.parametrize(
    "expression",
    ["m.z", "m['z']", "l[2]", "l[-1]", "l['x']", "l.first", "s[0]", "s.nope", "s.nope()", "m.nope()", "d.nope",
     "l.append(1)", "s.format()", "s.__class__", "m.__class__", "l.__len__()", "s.getClass()", "d.tzinfo", "d.isoformat()",
     "span.days"],
)  # fmt: skip
def test_what_is_not_there_is_undefined(
    render: Callable[..., str], message: Callable[..., str], expression: str
) -> None:
    assert "is undefined" in message("{{ " + expression + " }}", **VARIABLES)
    assert render("{{ " + expression + " ?? 'd' }}", **VARIABLES) == "d"


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("m[null]", "null can't be the key of a map"),
        ("m[[1]]", "a list can't be the key of a map"),
        ("m[1]", "the keys of this map are texts, `1` is a number"),
        ("l.get(9)", "there is no element 9"),
        ("s.substring(9)", "the places of the substring are not in the text"),
        ("s.indexOf(1)", "the method was given a whole number"),
        ("s.trim(1)", "the method takes 0 arguments, 1 are given"),
    ],
)
def test_what_is_refused(message: Callable[..., str], expression: str, problem: str) -> None:
    assert message("{{ " + expression + " ?? 'd' }}", **VARIABLES).splitlines()[0] == problem
