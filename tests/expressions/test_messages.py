"""No message speaks of Python: every filter, function and test is given every kind of value in every place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from core.errors import TailraceError
from core.expressions import Renderer, check
from core.expressions.library import FILTERS, FUNCTIONS, TESTS, find_filter, find_function, find_test
from core.expressions.library.declare import Declared
from core.expressions.parser import BINDING
from tests.expressions.fuzz import FOREIGN, VARIABLES, run

RENDERER = Renderer(clock=lambda: datetime(2024, 2, 29, tzinfo=UTC), entropy=os.urandom)
VALUES = [*VARIABLES, "'yyyy'", "'('", "-1", "missing"]
OPERATORS = sorted(operator for operator in BINDING if operator not in ("is", "|"))


def _told(expression: str) -> str:
    """The message of an expression, or nothing."""
    try:
        RENDERER.render("{{ " + expression + " }}", VARIABLES)
    except TailraceError as error:
        return str(error)
    return ""


def _calls(declared: Declared, inputs: int) -> Iterator[str]:
    """Arguments in parentheses: none, too many, unknown ones, and each kind of value as each of them."""
    names = [each.name for each in declared.parameters[inputs:]]
    yield from ("", "()", "(1, 2, 3, 4, 5, 6, 7)", "(nope=1)", "(1, nope=1)")
    for place in range(max(1, len(names))):
        for value in VALUES:
            yield "(" + ", ".join(["1"] * place + [value]) + ")"
            yield "(" + ", ".join(["'a'"] * place + [value]) + ")"
            if names:
                yield f"({names[place]}={value})"


def _foreign(expressions: Iterator[str]) -> list[str]:
    return [each for each in expressions if FOREIGN.search(_told(each).replace("{{ " + each + " }}", ""))]


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_filters(name: str) -> None:
    declared = find_filter(name)
    assert declared is not None
    few = ["text", "l", "m", "n", "when", "none"]
    inputs = (f"{value} | {name}" for value in VALUES)
    arguments = (f"{value} | {name}{call}" for value in few for call in _calls(declared, 1))
    assert _foreign(inputs) == []
    assert _foreign(arguments) == []


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions(name: str) -> None:
    declared = find_function(name)
    assert declared is not None
    assert _foreign(name + call for call in _calls(declared, 0)) == []


@pytest.mark.parametrize("name", sorted([*TESTS, "defined"]))
def test_tests(name: str) -> None:
    declared = find_test(name)
    calls = ["", *(_calls(declared, 1) if declared else ())]
    assert (
        _foreign(f"{value} is {word}{name}{call}" for value in VALUES for word in ("", "not ") for call in calls) == []
    )


@pytest.mark.parametrize("operator", OPERATORS)
def test_operators(operator: str) -> None:
    assert _foreign(f"{left} {operator} {right}" for left in VALUES for right in VALUES) == []


def test_members() -> None:
    members = ["length", "size()", "get(0)", "get(l)", "substring('a')", "plusDays(m)", "year", "nope", "keySet(1)",
               "isBefore(n)", "repeat(big)", "compareTo(1)", "getOrDefault(l, 1)", "containsKey(m)", "indexOf(n)"]  # fmt: skip
    assert _foreign(f"({value}).{member}" for value in VALUES for member in members) == []
    assert _foreign(f"({value})[{key}]" for value in VALUES for key in VALUES) == []


def _key(key: str, deep: bool = False, most: int = 1) -> str:
    return key.upper()


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("kv(5)", "`key` of `kv` is a whole number"),
        ("kv(null)", "`key` of `kv` is null"),
        ("kv(key=l)", "`key` of `kv` is a list"),
        ("kv('a', 'b')", "`deep` of `kv` is a text"),
        ("kv('a', most=1.5)", "`most` of `kv` is a decimal number"),
        ("kv()", "`kv` can't be called with these arguments"),
        ("kv('a', nope=1)", "`kv` can't be called with these arguments"),
    ],
)
def test_functions_that_are_handed_in_get_what_they_are_annotated_with(call: str, problem: str) -> None:
    with pytest.raises(TailraceError) as caught:
        Renderer({"kv": _key}).render("{{ " + call + " }}", VARIABLES)
    assert str(caught.value).splitlines()[0] == problem


def test_a_sample_of_broken_templates() -> None:
    assert run(1500, 7).problems == []


def test_what_check_says() -> None:
    for template in ("{{ 'a' | nope }}", "{{ nope(1) }}", "{{ 1 is nope }}", "{{ range(1) }}", "{{ 1 | chunk(1, 2) }}"):
        with pytest.raises(TailraceError) as caught:
            check(template)
        assert not FOREIGN.search(str(caught.value))
