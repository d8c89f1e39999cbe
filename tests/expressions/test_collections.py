"""Filters, functions and tests on lists and maps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

VARIABLES = {
    "l": [3, 1, 2], "m": {"b": 1, "a": None}, "set": {7}, "days": [date(2024, 2, 1), date(2024, 1, 1)],
    "looped": [{"item": {"value": "x"}, "outputs": {"a": 1}}, {"outputs": {"b": 2}}, {"outputs": None}, 5],
}  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("l | length", "3"), ("'é😀' | length", "2"), ("m | length", "2"), ("null | length", "0"), ("5 | length", "0"),
        ("l | first", "3"), ("l | last", "2"), ("'abc' | first", "a"), ("[] | first", ""), ("null | last", ""),
        ("set | first", "7"),
        ("l | join(',')", "3,1,2"), ("[null, 1.0, [1], 'a'] | join(separator='-')", "null-1.0-[1]-a"), ("l | join", "312"),
        ("[1, 2, 3] | chunk(2)", "[[1,2],[3]]"), ("[] | chunk(2)", "[]"),
        ("[1, [2, [3]], 'a'] | flatten", '[1,2,[3],"a"]'),
        ("[1, 1.0, '1', 1, 'a', 'a', [1], [1], true, true] | distinct", '[1,"1","a",[1],true]'), ("null | distinct", ""),
        ("m | keys", '["b","a"]'), ("l | keys", "[0,1,2]"), ("m | values", "[1,null]"),
        ("l | reverse", "[2,1,3]"), ("l | sort", "[1,2,3]"), ("l | rsort", "[3,2,1]"), ("['b', 'a', 'B'] | sort", '["B","a","b"]'),
        ("days | sort | first", "2024-01-01"), ("[1, 0.5] | sort", "[0.5,1]"),
        ("m | merge({'c': 2})", '{"b":1,"c":2}'), ("{'a': 1} | merge([2, 3])", '{"a":1,"2":2,"3":3}'),
        ("[1] | merge([2])", "[1,2]"), ("[1] | merge({'a': 2})", '[1,{"a":2}]'), ("null | merge([1])", "[1]"),
        ("range(1, 3)", "[1,2,3]"), ("range('a', 'c')", '["a","b","c"]'), ("range(5, 1, -2)", "[5,3,1]"),
        ("range(start=1, end=7, increment=3)", "[1,4,7]"), ("range(0, 2.9)", "[0,1,2]"),
        ("loopOutputs(looped, 'a')", "[1,null,null,null]"), ("loopOutputs([], id='a')", "[]"),
        ("max(1, 2.5, null, 2)", "2.5"), ("min(3, 1)", "1"), ("max(null)", ""),
        ("[] is empty", "true"), ("' ' is empty", "true"), ("0 is empty", "false"), ("m is empty", "false"),
        ("l is iterable", "true"), ("set is iterable", "true"), ("m is iterable", "false"), ("'a' is iterable", "false"),
        ("m is map", "true"), ("l is map()", "false"), ("null is null", "true"), ("1 is not null", "true"),
        ("2 is even", "true"), ("-1 is odd", "true"), ("0 is odd", "false"),
    ],
)  # fmt: skip
def test_lists_and_maps(render: Callable[..., str], expression: str, expected: str) -> None:
    assert render("{{ " + expression + " }}", **VARIABLES) == expected


def test_the_operand_stays_as_it_is(render: Callable[..., str]) -> None:
    assert render("{{ l | sort | length }}{{ l | reverse | length }}{{ l }}", l=[3, 1]) == "22[3,1]"


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("m | first", "`first` is given a map"),
        ("'' | last", "`last` is given an empty text"),
        ("'abc' | join(',')", "`items` of `join` is a text"),
        ("[1] | chunk(0)", "the size of a chunk is 0"),
        ("5 | keys", "`keys` is given a whole number"),
        ("l | values", "`value` of `values` is a list"),
        ("[1, 'a'] | sort", "a text and a whole number have no order"),
        ("'abc' | reverse", "`items` of `reverse` is a text"),
        ("null | merge(null)", "`merge` is given null twice"),
        ("'a' | merge([1])", "`merge` can't join a text and a list"),
        ("loopOutputs(m, 'a')", "`outputs` of `loopOutputs` is a map"),
        ("loopOutputs(looped)", "`loopOutputs` needs `id`"),
        ("range(1, 2, 0)", "the increment of a range is 0"),
        ("range(1)", "`range` needs `end`"),
        ("max('a', 1)", "`max` is given a text"),
        ("'2' is even", "`value` of `even` is a text"),
        ("null is odd", "`value` of `odd` is null"),
    ],
)
def test_what_is_refused(message: Callable[..., str], expression: str, problem: str) -> None:
    assert message("{{ " + expression + " }}", **VARIABLES).splitlines()[0] == problem
