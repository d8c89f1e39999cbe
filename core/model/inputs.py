"""Inputs of a flow: their declarations, and the pure resolving of values given for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from core.errors import InvalidInput, TailraceError
from core.model.codec import SecretText
from core.model.data import data, evolve, field
from core.model.input_values import ParseYaml, Refused, shown, typed, violations

INPUT_TYPES = (
    "STRING", "INT", "FLOAT", "BOOLEAN", "BOOL", "DATETIME", "DATE", "TIME", "DURATION", "JSON", "YAML", "URI",
    "SELECT", "MULTISELECT", "ENUM", "ARRAY", "FILE", "EMAIL",
)  # fmt: skip


@data
class Input:
    """One declared input. `defaults` may hold an expression; `options` are the properties of its type as written."""

    id: str
    type: str
    required: bool = True
    defaults: object = None
    has_defaults: bool = False
    description: str = ""
    display_name: str = ""
    options: Mapping[str, object] = field(factory=dict)


@data
class InputProblem:
    """What is wrong with a value given for an input; `str` of it is the message for people.

    severity: an error prevents the execution, a warning (an input that is not declared) does not.
    """

    severity: Literal["error", "warning"]
    input: str
    message: str

    def __str__(self) -> str:
        return self.message


def resolve_inputs(
    declared: Iterable[Input],
    given: Mapping[str, object],
    render: Callable[[Any], Any],
    parse_yaml: ParseYaml,
) -> tuple[dict[str, Any], tuple[InputProblem, ...]]:
    """The typed inputs of an execution, and everything that is wrong with what was given.

    Per input: the value given, else its `defaults`, else an error when it is required, else null; null counts as not
    given. An input with the id `a.b` is given as `a.b` and stands in the result as `{"a": {"b": …}}`.
    render: gives the value of a text (or of the texts in a list or map) that holds expressions. parse_yaml: raises
    Invalid. Files stay what they are, a URI or a local path: `file_inputs` says which.
    """
    values: dict[str, Any] = {}
    problems: list[InputProblem] = []
    known = tuple(declared)
    for one in known:
        value: Any = None
        try:
            value = _resolved(one, given, render, parse_yaml)
        except InvalidInput as error:
            problems.append(InputProblem("error", one.id, error.what))
        put(values, one.id, value)
    for name in given:
        if not any(one.id == name or one.id.startswith(f"{name}.") for one in known):
            message = f"`{name}` is not an input of this flow; it is left out"
            problems.append(InputProblem("warning", name, message))
    return values, tuple(problems)


def type_value(declared: Input, value: object, parse_yaml: ParseYaml) -> Any:
    """A value as its declaration asks for it. Raises InvalidInput; the message names every constraint it violates.

    A text with secrets in it stays what it is: nobody looks inside before it is used.
    """
    if isinstance(value, SecretText):
        return value
    try:
        result = typed(declared.type, value, declared.options.get("itemType"), parse_yaml)
        wrong = violations(declared.type, result, declared.options, required=declared.required)
    except Refused as refused:
        wrong = [str(refused)]
    if wrong:
        raise _invalid(declared.id, "; ".join(wrong), value)
    return result


def file_inputs(declared: Iterable[Input]) -> tuple[str, ...]:
    """The ids of inputs whose values are files: a URI of internal storage is kept, a local path has to be stored."""
    return tuple(one.id for one in declared if one.type == "FILE")


def value_at(values: Mapping[str, Any], input_id: str) -> Any:
    """The value of an input in what `resolve_inputs` gave, by its (dotted) id."""
    found: Any = values
    for part in input_id.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def put(values: dict[str, Any], input_id: str, value: object) -> None:
    """Set the value of an input by its (dotted) id."""
    *parents, last = input_id.split(".")
    for part in parents:
        values = values.setdefault(part, {})
    values[last] = value


def _resolved(one: Input, given: Mapping[str, object], render: Callable[[Any], Any], parse_yaml: ParseYaml) -> Any:
    one = _with_choices(one, render)
    value = given.get(one.id)
    if value is None and "." in one.id:
        value = value_at(given, one.id)
    if value is None:
        value = _default(one, render)
    if value is not None:
        return type_value(one, value, parse_yaml)
    if one.required:
        raise InvalidInput(f"Missing required input:{one.id}")
    return None


def _with_choices(one: Input, render: Callable[[Any], Any]) -> Input:
    """The declaration with the list of values that its `expression` gives."""
    expression = one.options.get("expression")
    if expression is None:
        return one
    try:
        choices = typed("JSON", render(expression), None, None)
    except TailraceError as error:
        raise _invalid(one.id, f"Cannot render 'expression'. Cause: {error.what}", None) from error
    except Refused:
        choices = None
    if not isinstance(choices, list):
        raise _invalid(one.id, "Invalid expression result. Expected a list of values", choices)
    kept = [choice for choice in choices if choice is not None]
    return evolve(one, options={**one.options, "values": kept})


def _default(one: Input, render: Callable[[Any], Any]) -> Any:
    choices = one.options.get("values")
    if not one.has_defaults and one.options.get("autoSelectFirst") and isinstance(choices, list) and choices:
        return choices[0] if one.type == "SELECT" else choices[:1]
    if one.defaults is None or "{" not in str(one.defaults):
        return one.defaults
    try:
        return render(one.defaults)
    except TailraceError as error:
        raise InvalidInput(f"Invalid input for `{one.id}`, its `defaults` can't be rendered: {error.what}") from error


def _invalid(input_id: str, why: str, received: object) -> InvalidInput:
    return InvalidInput(f"Invalid input for `{input_id}`, {why}, but received `{shown(received)}`")
