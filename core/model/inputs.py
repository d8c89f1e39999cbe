"""Inputs of a flow: their declarations, and the pure resolving of values given for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from core.errors import InvalidInput, TailraceError
from core.model.codec import SecretText
from core.model.data import data, evolve, field
from core.model.input_values import NO_ENCRYPTION, ParseYaml, Refused, shown, typed, violations

INPUT_TYPES = (
    "STRING", "INT", "FLOAT", "BOOLEAN", "BOOL", "DATETIME", "DATE", "TIME", "DURATION", "JSON", "YAML", "URI",
    "SELECT", "MULTISELECT", "ENUM", "ARRAY", "FILE", "EMAIL", "SECRET",
)  # fmt: skip

TEXT_TYPES = frozenset({"STRING", "SELECT", "ENUM", "EMAIL", "URI", "SECRET"})
"""Those whose values are texts for people or programs."""


@data
class Input:
    """One declared input. `defaults` may hold an expression; `options` are the properties of its type as written, and
    `pattern`, its `validator` where Python writes that differently.

    depends_on: ids of inputs that it needs; it is left out when one of them is, or when `condition` does not give true.
    prefill: what a form begins with; the engine never takes it for a value.
    """

    id: str
    type: str
    required: bool = True
    defaults: object = None
    has_defaults: bool = False
    description: str = ""
    display_name: str = ""
    options: Mapping[str, object] = field(factory=dict)
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    prefill: object = None


Render = Callable[[Any, Mapping[str, Any]], Any]
"""(template, inputs that it may see) → its value; the texts in a list or map too. Raises TailraceError."""
AsText = Callable[[Any], Any]
"""A value → what `{{ … }}` writes for it; with a secret in it, the value."""


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


@data
class AskedInput:
    """One input with what was given for it so far. declared: with the choices that its `expression` gives.

    shown: what it depends on holds (problem tells when that can't be known). default: the rendered `defaults`, typed
    where they are right. missing: it must be given, and was not. problem: what is wrong with it, "" when nothing is.
    """

    declared: Input
    shown: bool
    default: Any
    missing: bool
    problem: str


def ask_inputs(
    declared: Iterable[Input],
    given: Mapping[str, object],
    render: Render,
    parse_yaml: ParseYaml,
    encrypt: Callable[[str], object] | None = None,
    as_text: AsText | None = None,
) -> tuple[AskedInput, ...]:
    """As `resolve_inputs`, for a form that is being filled in: how each input stands, in their order."""
    known = {one.id: one for one in declared}
    resolving = _Resolving(known, given, render, parse_yaml, encrypt, as_text)
    return tuple(resolving.asked(one) for one in known.values())


def resolve_inputs(
    declared: Iterable[Input],
    given: Mapping[str, object],
    render: Render,
    parse_yaml: ParseYaml,
    encrypt: Callable[[str], object] | None = None,
    as_text: AsText | None = None,
) -> tuple[dict[str, Any], tuple[InputProblem, ...]]:
    """The typed inputs of an execution, and everything that is wrong with what was given.

    Per input: the value given, else its `defaults`, else an error when it is required, else null; null counts as not
    given. One whose dependencies are not met is left out, also when a value was given. An input with the id `a.b` is
    given as `a.b` and stands in the result as `{"a": {"b": …}}`.
    parse_yaml: raises Invalid. encrypt: what is kept of the value of a SECRET; None where no key is configured, then
    such a value is refused. as_text: how an expression writes a list or a map, for `defaults` of a text type that
    give one. Files stay what they are, a URI or a local path: `file_inputs` says which.
    """
    known = {one.id: one for one in declared}
    resolving = _Resolving(known, given, render, parse_yaml, encrypt, as_text)
    for one in known.values():
        resolving.value_of(one)
    values: dict[str, Any] = {}
    for input_id in known:
        if input_id in resolving.values:
            put(values, input_id, resolving.values[input_id])
    problems = resolving.problems
    for name in given:
        if not is_declared(name, known):
            message = f"`{name}` is not an input of this flow; it is left out"
            problems.append(InputProblem("warning", name, message))
    return values, tuple(problems)


def as_texts(declared: Iterable[Input], given: Mapping[str, Any], as_text: AsText) -> dict[str, Any]:
    """Inputs for another flow: what it declares as a text is one, as in the reference."""
    values = dict(given)
    for one in declared:
        value = values[one.id] if one.id in values else value_at(values, one.id)
        if one.type in TEXT_TYPES and value is not None:
            values[one.id] = as_text(value)
    return values


def is_declared(name: str, known: Iterable[str]) -> bool:
    """Whether a value of this name is for one of the inputs; that of `a` may be a map with the value of `a.b`."""
    return any(input_id == name or input_id.startswith(f"{name}.") for input_id in known)


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
        raise _invalid(declared.id, "; ".join(wrong), "••••" if declared.type == "SECRET" else value)
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


class _Resolving:
    """One resolving of all inputs. values: by id, without those that are left out."""

    def __init__(
        self, declared: Mapping[str, Input], given: Mapping[str, object], render: Render, parse_yaml: ParseYaml,
        encrypt: Callable[[str], object] | None, as_text: AsText | None,
    ) -> None:  # fmt: skip
        self.declared = declared
        self.given = given
        self.render = render
        self.parse_yaml = parse_yaml
        self.encrypt = encrypt
        self.as_text = as_text
        self.values: dict[str, Any] = {}
        self.problems: list[InputProblem] = []
        self._seen: set[str] = set()
        self._wrong: set[str] = set()
        self._chosen: dict[str, Input] = {}
        self._defaults: dict[str, Any] = {}

    def value_of(self, one: Input) -> None:
        """Resolve an input, those it depends on first."""
        if one.id in self._seen:
            return
        self._seen.add(one.id)
        needed = [self.declared[name] for name in one.depends_on if name in self.declared]
        for other in needed:
            self.value_of(other)
        if any(other.id not in self.values for other in needed) or not self._wanted(one):
            return
        self.values[one.id] = None
        try:
            self.values[one.id] = self._resolved(one)
        except InvalidInput as error:
            self._wrong.add(one.id)
            if not (isinstance(error, _NotRendered) and self._follows_wrong(one)):
                self.problems.append(InputProblem("error", one.id, error.what))

    def _follows_wrong(self, one: Input) -> bool:
        """Whether it depends on an input that is wrong or missing: what its expressions say then, says nothing."""
        return not self._wrong.isdisjoint(one.depends_on)

    def _wanted(self, one: Input) -> bool:
        """Whether the condition gives true itself; a text that says so is not enough."""
        if one.condition is None:
            return True
        try:
            return self.render(one.condition, self._visible(one)) is True
        except TailraceError as error:
            if not self._follows_wrong(one):
                message = f"Invalid condition: {error.what}; the input `{one.id}` is left out"
                self.problems.append(InputProblem("warning", one.id, message))
            return False

    def _visible(self, one: Input) -> dict[str, Any]:
        """What its expressions see of the others: those it depends on; those with defaults are there, as null."""
        seen: dict[str, Any] = {}
        for other in self.declared.values():
            if other.id in one.depends_on and other.id in self.values:
                put(seen, other.id, self.values[other.id])
            elif other.has_defaults and other.id != one.id:
                put(seen, other.id, None)
        return seen

    def asked(self, one: Input) -> AskedInput:
        """How an input stands, as a form shows it; its default also where a value was given."""
        self.value_of(one)
        problem = next((problem.message for problem in self.problems if problem.input == one.id), "")
        if one.id not in self.values:
            return AskedInput(one, False, None, False, problem)
        chosen = self._chosen.get(one.id)
        default = self._known_default(chosen) if chosen else None
        return AskedInput(chosen or one, True, default, problem == _missing(one.id), problem)

    def _known_default(self, one: Input) -> Any:
        """The default as a value of its type; as it was rendered when it is none, None when it can't be."""
        try:
            if one.id not in self._defaults:
                self._defaults[one.id] = self._default(one)
            default = self._defaults[one.id]
            return None if default is None else type_value(one, default, self.parse_yaml)
        except InvalidInput:
            return self._defaults.get(one.id)

    def _given(self, one: Input) -> object:
        value = self.given.get(one.id)
        return value_at(self.given, one.id) if value is None and "." in one.id else value

    def _resolved(self, one: Input) -> Any:
        one = self._chosen[one.id] = self._with_choices(one)
        value = self._given(one)
        if value is None:
            value = self._defaults[one.id] = self._default(one)
        if value is None:
            if one.required:
                raise InvalidInput(_missing(one.id))
            return None
        found = type_value(one, value, self.parse_yaml)
        if one.type in ("BOOL", "BOOLEAN") and isinstance(value, str) and value.lower() not in ("true", "false"):
            message = f"`{value}` is read as false for the input `{one.id}`: only `true` is true"
            self.problems.append(InputProblem("warning", one.id, message))
        if one.type != "SECRET" or isinstance(found, SecretText):
            return found
        if self.encrypt is None:
            raise InvalidInput(f"Invalid input for `{one.id}`, {NO_ENCRYPTION}")
        return self.encrypt(found)

    def _with_choices(self, one: Input) -> Input:
        """The declaration with the list of values that its `expression` gives."""
        expression = one.options.get("expression")
        if expression is None:
            return one
        try:
            choices = typed("JSON", self.render(expression, self._visible(one)), None, None)
        except TailraceError as error:
            raise _NotRendered(_received(one.id, f"Cannot render 'expression'. Cause: {error.what}", None)) from error
        except Refused:
            choices = None
        if not isinstance(choices, list) or any(isinstance(choice, (dict, list)) for choice in choices):
            raise _invalid(one.id, "Invalid expression result. Expected a list of values", choices)
        kept = [choice for choice in choices if choice is not None]
        return evolve(one, options={**one.options, "values": kept})

    def _default(self, one: Input) -> Any:
        choices = one.options.get("values")
        if not one.has_defaults and one.options.get("autoSelectFirst") and isinstance(choices, list) and choices:
            return choices[0] if one.type == "SELECT" else choices[:1]
        if one.defaults is None or "{" not in str(one.defaults):
            return one.defaults
        try:
            found = self.render(one.defaults, self._visible(one))
        except TailraceError as error:
            what = f"Invalid input for `{one.id}`, its `defaults` can't be rendered: {error.what}"
            raise _NotRendered(what) from error
        is_text = one.type in TEXT_TYPES and isinstance(found, (dict, list))
        return self.as_text(found) if is_text and self.as_text is not None else found


class _NotRendered(InvalidInput):
    """An expression of the declaration has failed."""


def _missing(input_id: str) -> str:
    return f"Missing required input:{input_id}"


def _invalid(input_id: str, why: str, received: object) -> InvalidInput:
    return InvalidInput(_received(input_id, why, received))


def _received(input_id: str, why: str, received: object) -> str:
    return f"Invalid input for `{input_id}`, {why}, but received `{shown(received)}`"
