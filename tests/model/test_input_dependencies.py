"""Inputs that depend on others, and inputs that are secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from core.errors import ExpressionError, InvalidInput
from core.model.codec import SecretText
from core.model.data import evolve
from core.model.flow import FlowOutput, type_output
from core.model.inputs import Input, Render, resolve_inputs


def yaml(text: str) -> Any:
    """A YAML parser that is not asked."""
    raise NotImplementedError(text)


def resolve(
    declared: list[Input], given: Mapping[str, object], render: Render = lambda template, inputs: template
) -> tuple[dict[str, Any], list[str]]:
    values, problems = resolve_inputs(declared, given, render, yaml)
    return values, [f"{problem.severity}: {problem}" for problem in problems]


def shown(template: Any, inputs: Mapping[str, Any]) -> Any:
    """A renderer whose expressions are names of inputs, or `names` for all that it may see."""
    name = template.removeprefix("{{ ").removesuffix(" }}")
    if name == "broken":
        raise ExpressionError("`broken` is undefined")
    return sorted(inputs) if name == "names" else inputs[name]


ASKED = Input("asked", "BOOL", required=False)
DEPENDING = Input("a", "STRING", depends_on=("asked",), condition="{{ asked }}")


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"asked": "true", "a": "x"}, {"asked": True, "a": "x"}),
        ({"asked": "false", "a": "x"}, {"asked": False}),
        ({"a": "x"}, {"asked": None}),
    ],
)
def test_an_input_is_left_out_unless_its_condition_gives_true(given: dict[str, str], values: dict[str, Any]) -> None:
    assert resolve([DEPENDING, ASKED], given, shown) == (values, [])


def test_the_text_true_is_not_enough_for_a_condition() -> None:
    declared = [evolve(ASKED, type="STRING"), DEPENDING]

    assert resolve(declared, {"asked": "true", "a": "x"}, shown) == ({"asked": "true"}, [])


def test_an_input_is_left_out_with_one_that_it_depends_on() -> None:
    further = Input("b", "STRING", depends_on=("a",))

    assert resolve([further, DEPENDING, ASKED], {"asked": "false", "b": "x"}, shown) == ({"asked": False}, [])
    assert resolve([further, DEPENDING, ASKED], {"asked": "true", "a": "x", "b": "y"}, shown) == (
        {"b": "y", "a": "x", "asked": True}, [],
    )  # fmt: skip


def test_a_condition_that_can_not_be_rendered_is_a_warning() -> None:
    declared = evolve(DEPENDING, condition="{{ broken }}")

    assert resolve([ASKED, declared], {"asked": "true", "a": "x"}, shown) == (
        {"asked": True}, ["warning: Invalid condition: `broken` is undefined; the input `a` is left out"],
    )  # fmt: skip


def test_what_expressions_say_of_an_input_that_is_wrong_is_not_told_again() -> None:
    asked = Input("asked", "INT")
    declared = [
        asked,
        Input("a", "STRING", defaults="{{ broken }}", has_defaults=True, depends_on=("asked",)),
        Input("b", "SELECT", options={"expression": "{{ broken }}"}, depends_on=("asked",)),
        Input("c", "STRING", depends_on=("asked",), condition="{{ broken }}"),
        Input("d", "INT", depends_on=("a",)),
    ]

    assert resolve(declared, {"b": "x", "d": "y"}, shown)[1] == [
        "error: Missing required input:asked",
        "error: Invalid input for `d`, Expected `INT` but received `y` with errors: it is not a whole number, "
        "but received `y`",
    ]


def test_expressions_see_the_inputs_they_depend_on_and_those_with_defaults_as_null() -> None:
    seen: list[Mapping[str, Any]] = []

    def look(template: Any, inputs: Mapping[str, Any]) -> Any:
        seen.append(inputs)
        return "x"

    declared = [
        Input("b.c", "INT"), Input("hidden", "INT"), Input("other", "INT", defaults=1, has_defaults=True),
        Input("a", "STRING", defaults="{{ x }}", has_defaults=True, depends_on=("b.c", "unknown")),
    ]  # fmt: skip
    assert resolve(declared, {"b.c": 1, "hidden": 2}, look)[0]["a"] == "x"
    assert seen == [{"b": {"c": 1}, "other": None}]


def test_a_prefilled_value_is_never_taken() -> None:
    assert resolve([Input("a", "STRING", required=False, prefill="x")], {}) == ({"a": None}, [])


SECRET = Input("s", "SECRET", options={"validator": "[a-z]+"})


def test_a_secret_is_encrypted() -> None:
    found = resolve_inputs([SECRET], {"s": "abc"}, shown, yaml, encrypt=lambda text: SecretText(("", (text,))))

    assert found == ({"s": SecretText(("", ("abc",)))}, ())


def test_without_a_key_a_secret_is_refused_and_its_value_never_told() -> None:
    refused = "error: Invalid input for `s`, Unable to use a `SECRET` input/output as encryption is not configured"

    assert resolve([SECRET], {"s": "abc"}) == ({"s": None}, [refused])
    assert resolve([SECRET], {"s": "123"})[1] == [
        "error: Invalid input for `s`, it must match the pattern `[a-z]+`, but received `••••`"
    ]


def test_a_secret_that_is_marked_already_needs_no_key() -> None:
    marked = SecretText((("TOKEN",),))

    assert resolve([SECRET], {}, lambda *_: marked)[1] == ["error: Missing required input:s"]
    declared = evolve(SECRET, defaults="{{ secret('TOKEN') }}", has_defaults=True)
    assert resolve([declared], {}, lambda *_: marked) == ({"s": marked}, [])


def test_a_secret_output_is_marked_or_sealed() -> None:
    marked = SecretText((("TOKEN",),))
    assert type_output(FlowOutput("o", "SECRET", ""), marked, yaml) is marked
    assert type_output(FlowOutput("o", "SECRET", ""), "abc", yaml, lambda text: f"sealed {text}") == "sealed abc"

    with pytest.raises(InvalidInput) as refused:
        type_output(FlowOutput("o", "SECRET", ""), "abc", yaml)
    assert str(refused.value) == (
        "Invalid output for `o`, Unable to use a `SECRET` input/output as encryption is not configured"
    )
