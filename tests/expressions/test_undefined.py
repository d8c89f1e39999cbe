"""What is undefined, what is null, and what catches which: the table of the reference, row by row."""

from __future__ import annotations

from collections.abc import Callable

import pytest

FAILS = "an error"


@pytest.mark.parametrize(
    ("expression", "undefined", "null"),
    [
        ("x", FAILS, ""),
        ("x.y", FAILS, FAILS),
        ("x.y ?? 'd'", "d", "d"),
        ("x is defined", "false", "false"),
        ("x.y.z is defined", "false", "false"),
        ("x is not defined", "true", "true"),
        ("x is null", FAILS, "true"),
        ("x is empty", FAILS, "true"),
        ("x is map", FAILS, "false"),
        ("x ?? 'd'", "d", "d"),
        ("x ??? 'd'", "d", ""),
        ("x | default('d')", "d", "d"),
        ("x ? 'a' : 'b'", FAILS, "b"),
        ("not x", FAILS, FAILS),
        ("x and true", FAILS, FAILS),
        ("false or x", FAILS, FAILS),
        ("x + 1", FAILS, FAILS),
        ("x ~ 'a'", FAILS, "a"),
        ("x + 'a'", FAILS, "nulla"),
        ("x == 1", FAILS, "false"),
        ("x != 1", FAILS, "true"),
        ("x > 1", FAILS, "false"),
        ("x contains 1", FAILS, "false"),
        ("x isIn [1]", FAILS, "false"),
        ("x | upper", FAILS, ""),
        ("x | length", FAILS, "0"),
    ],
)
def test_undefined_and_null(
    render: Callable[..., str], message: Callable[..., str], expression: str, undefined: str, null: str
) -> None:
    template = "{{ " + expression + " }}"
    if undefined == FAILS:
        assert "is undefined" in message(template)
    else:
        assert render(template) == undefined
    if null == FAILS:
        assert message(template, x=None)
    else:
        assert render(template, x=None) == null


@pytest.mark.parametrize(
    "inner",
    ["x ~ 'a'", "-x", "[x]", "{'a': x}", "l[x]", "1..x", "max(x, 1)", "x | upper", "x ? 1 : 2", "not x", "x and true",
     "x contains 1", "x is empty", '"#{x}"', "m.a.b.c", "l[9]", "m['z']"],
)  # fmt: skip
def test_an_undefined_name_inside_is_caught(render: Callable[..., str], inner: str) -> None:
    variables = {"l": [1], "m": {}}
    assert render("{{ (" + inner + ") ?? 'd' }}", **variables) == "d"
    assert render("{{ (" + inner + ") ??? 'd' }}", **variables) == "d"
    assert render("{{ (" + inner + ") | default('d') }}", **variables) == "d"
    assert render("{{ (" + inner + ") is defined }}", **variables) == "false"


@pytest.mark.parametrize("inner", ["x + 1", "x - 1", "x * 2", "x == 1", "x != 1", "x < 1", "render('{{ x }}')"])
def test_arithmetic_comparison_and_render_put_it_out_of_reach(message: Callable[..., str], inner: str) -> None:
    for template in ("{{ (" + inner + ") ?? 'd' }}", "{{ (" + inner + ") | default('d') }}"):
        assert message(template).startswith("`x` is undefined")


@pytest.mark.parametrize("unknown", ["nope()", "1 | nope", "1 is nope"])
def test_an_unknown_function_filter_or_test_is_never_caught(message: Callable[..., str], unknown: str) -> None:
    assert "`nope`" in message("{{ (" + unknown + ") ?? 'd' }}")


def test_operands_that_are_not_needed_are_not_looked_at(render: Callable[..., str]) -> None:
    assert render("{{ (true or x) ?? 'd' }} {{ false and x }} {{ true ? 1 : x }} {{ 1 ?? x }}") == "true false 1 1"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", "d"), (" \n", "d"), ([], "d"), ({}, "d"), (0, "0"), (False, "false"), ("0", "0")],
)
def test_default_takes_the_place_of_blank_and_empty_values(
    render: Callable[..., str], value: object, expected: str
) -> None:
    assert render("{{ x | default('d') }}", x=value) == expected
