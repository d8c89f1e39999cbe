"""Arithmetic, comparison, membership, truth."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from core.model.truth import truthy


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("7 / 2", "3"), ("-7 / 2", "-3"), ("7 % 3", "1"), ("-7 % 3", "-1"), ("7 % -3", "1"),
        ("7.0 / 2", "3.5"), ("7.5 % 2", "1.5"), ("-7.5 % 2", "-1.5"), ("2 * 3.0", "6.0"),
        ("1.0 / 0", "Infinity"), ("-1.0 / 0", "-Infinity"), ("0.0 / 0", "NaN"), ("1.0 % 0", "NaN"),
        ("9223372036854775807 + 1", "-9223372036854775808"), ("-9223372036854775807 - 2", "9223372036854775807"),
        ("0.1 + 0.2", "0.30000000000000004"), ("dec + 1", "2.50"), ("dec * 2.5", "3.750"),
        ("1 + 'a'", "1a"), ("null + 'a'", "nulla"), ("true + 'a'", "truea"), ("[1, 'a'] + 'b'", "[1, a]b"),
        ("[1] + [2]", "[1,2]"), ("[1] + 2", "[1,2]"), ("[1, 2, 1] - 1", "[2]"), ("[1, 2, 3] - [1, 3]", "[2]"),
        ("null ~ 1 ~ true", "1true"), ("{'a': null} ~ [null, 'x']", "{a=null}[null, x]"),
        ("1..3", "[1,2,3]"), ("3..1", "[]"), ("'a'..'c'", '["a","b","c"]'),
    ],
)  # fmt: skip
def test_arithmetic_and_joining(render: Callable[..., str], expression: str, expected: str) -> None:
    assert render("{{ " + expression + " }}", dec=Decimal("1.50")) == expected


def test_a_list_with_a_name_is_changed_itself_but_only_inside_of_the_template(render: Callable[..., str]) -> None:
    shared = [3, 1]
    assert render("{{ l + 2 }}{{ l - 1 }}{{ l }}", l=shared) == "[3,1,2][3,2][3,2]"
    assert render("{{ l | sort }}{{ l }}{{ l | reverse }}{{ l }}", l=shared) == "[1,3][1,3][3,1][3,1]"
    assert render(
        "{% set a = [1] %}{% set b = a + 2 %}{{ a }}{{ [2, 1] | sort }}{{ m.l + 2 }}{{ m.l }}", m={"l": [1]}
    ) == ("[1,2][1,2][1,2][1]")
    assert shared == [3, 1]


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("1 / 0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("'3' * 2", "`*` can't be applied to a text and a whole number"),
        ("true + 1", "`+` can't be applied to a boolean and a whole number"),
        ("null + 1", "`+` can't be applied to null and a whole number"),
        ("{} - 1", "`-` can't be applied to a map and a whole number"),
        ("-'a'", "`-` can't be applied to a text"),
        ("'2' > 1", "`>` can't compare a text and a whole number"),
        ("true > false", "`>` can't compare a boolean and a boolean"),
        ("1 contains 1", "`contains` can't look into a whole number"),
        ("'a'..3", "a text can't be the border of a range"),
    ],
)
def test_operands_that_do_not_fit(message: Callable[..., str], expression: str, problem: str) -> None:
    assert message("{{ " + expression + " }}").splitlines()[0] == problem


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 == 1.0", True), ("'1' == 1", False), ("true == 1", False), ("true == 'true'", False), ("'' == null", False),
        ("null == null", True), ("[1, 2] == [1, 2]", True), ("[1] == [1.0]", False), ("{'a': 1} == {'a': 1}", True),
        ("{'a': 1} == {'b': 1}", False), ("1 equals 1", True), ("'a' != 'b'", True), ("[] == {}", False),
        ("2 > 1.5", True), ("null > 1", False), ("1 <= null", False), ("'a' < 'b'", True), ("'B' < 'a'", True),
        ("[1, 2] contains 1", True), ("[1, 2] contains [1, 2]", True), ("[1, 2] contains [1, 3]", False),
        ("[1] contains '1'", False), ("{'a': 1} contains 'a'", True), ("'abc' contains 'b'", True),
        ("'a1' contains 1", True), ("'null' contains null", True), ("null contains 1", False),
        ("1 isIn ['1']", True), ("null isIn [null]", False), ("'v' isIn {'k': 'v'}", True),
        ("'k' isIn {'k': 'v'}", True), ("'a' isIn 'abc'", False), ("'x' isNotIn ['a']", True),
    ],
)  # fmt: skip
def test_comparison_and_membership(render: Callable[..., str], expression: str, expected: bool) -> None:
    assert render("{{ " + expression + " }}") == ("true" if expected else "false")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (False, False), (0, False), (2, True), (0.0, False), (0.5, True), ("", False), ("false", True),
     (" ", True)],
)  # fmt: skip
def test_truth_of_values(render: Callable[..., str], value: object, expected: bool) -> None:
    word = "true" if expected else "false"
    assert render("{{ x ? true : false }} {{ x and true }} {{ x or false }} {{ not (not x) }}", x=value) == " ".join(
        [word] * 4
    )


@pytest.mark.parametrize("value", [[], [1], {}, {"a": 1}])
def test_lists_and_maps_have_no_truth(message: Callable[..., str], value: object) -> None:
    kind = "a list" if isinstance(value, list) else "a map"
    assert message("{{ x ? 1 : 2 }}", x=value).startswith(f"the condition of `? :` is {kind}\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", False), ("0", False), ("-0", False), ("false", False), ("False", True), ("0.0", True), (" ", True),
     ("no", True), ("true", True), ("null", True)],
)  # fmt: skip
def test_truth_of_rendered_conditions(text: str, expected: bool) -> None:
    assert truthy(text) is expected
