"""How filters, functions and tests are declared: a Python function whose annotations say what it takes.

    @table.filter("chunk")
    def chunk(items: Items, size: int) -> list[Items]: ...

Arguments are named in templates as in the reference: `time_zone` is `timeZone`. Null given to a filter gives null,
unless its first parameter is annotated `… | None` or `object`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

from core.expressions.faults import Fault
from core.expressions.frame import Evaluate, Frame
from core.expressions.nodes import Arguments, Expression
from core.expressions.values import is_list, is_number, kind_of, text_of
from core.expressions.written import Written, has_literal_keys, is_literal
from core.model.data import data

Number: TypeAlias = int | float | Decimal
Items: TypeAlias = list[Any]
Entries: TypeAlias = Mapping[Any, Any]
AnyText: TypeAlias = str
"""The text of whatever is given."""
Program: TypeAlias = Written
"""A text that is a jq program or a regular expression."""
Patterns: TypeAlias = Written
"""A map whose keys may be regular expressions."""

F = TypeVar("F", bound=Callable[..., Any])
_VARIADIC = 0x04
_ABSENT: Any = object()


class MissingArgument(Fault):
    """An argument that must be given is not."""


@data
class _Kind:
    """plain: values of exactly this type are taken as they are, without further questions."""

    words: str
    fits: Callable[[Any], bool]
    convert: Callable[[Any], Any] | None = None
    literal: Callable[[Expression], bool] | None = None
    plain: type | None = None


_KINDS = {
    "object": _Kind("anything", lambda value: True),
    "str": _Kind("a text", lambda value: isinstance(value, str), plain=str),
    "AnyText": _Kind("a text, or what has one", lambda value: True, text_of, plain=str),
    "int": _Kind("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool), plain=int),
    "bool": _Kind("a boolean", lambda value: isinstance(value, bool)),
    "Number": _Kind("a number", is_number),
    "Items": _Kind("a list", is_list, list),
    "Entries": _Kind("a map", lambda value: isinstance(value, Mapping)),
    "Program": _Kind("a text", lambda value: isinstance(value, str), None, is_literal),
    "Patterns": _Kind("a map", lambda value: isinstance(value, Mapping), None, has_literal_keys),
}


@data
class Parameter:
    """One argument as templates see it. default: `_ABSENT` when it must be given."""

    name: str
    kind: _Kind
    null: bool
    default: Any

    def accept(self, value: Any, owner: str) -> Any:
        """The value as the function wants it. Raises Fault."""
        if value is None and self.null:
            return None
        if value is None or not self.kind.fits(value):
            raise Fault(f"`{self.name}` of `{owner}` is {kind_of(value)}", expected=self.kind.words)
        return self.kind.convert(value) if self.kind.convert else value


class Declared:
    """A filter, function or test with what is known of its arguments."""

    __slots__ = ("function", "name", "needs_frame", "parameters", "rest")

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.function = function
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        self.needs_frame = names[:1] == ("frame",)
        defaults = function.__defaults__ or ()
        required = len(names) - len(defaults)
        self.parameters = tuple(
            parameter_of(function, each, defaults[number - required] if number >= required else _ABSENT)
            for number, each in enumerate(names)
        )[1 if self.needs_frame else 0 :]
        variadic = code.co_flags & _VARIADIC
        self.rest = parameter_of(function, code.co_varnames[code.co_argcount]) if variadic else None

    @property
    def null_gives_null(self) -> bool:
        """For filters: whether null as input is the result at once."""
        return not self.parameters[0].null

    def bind(self, arguments: Arguments, compiled: Callable[[Any], Evaluate], inputs: int) -> list[Evaluate]:
        """One closure per parameter behind the first `inputs` ones. Raises Fault for arguments that don't fit."""
        parameters = self.parameters[inputs:]
        given = arguments.positional
        if self.rest is not None:
            return [self._checked(self.rest, each, compiled) for each in given]
        if inputs and not parameters:
            return []  # the reference lets filters and tests without arguments have any
        if len(given) > len(parameters):
            raise Fault(
                f"`{self.name}` is given {len(given)} arguments",
                expected=_listed([each.name for each in parameters]) if parameters else "none",
            )
        slots: dict[str, Evaluate] = {}
        for parameter, expression in zip(parameters, given, strict=False):
            slots[parameter.name] = self._checked(parameter, expression, compiled)
        for name, expression in arguments.named:
            parameter = self._named(name, parameters)
            slots[parameter.name] = self._checked(parameter, expression, compiled)
        return [slots.get(each.name) or self._default(each) for each in parameters]

    def _named(self, name: str, parameters: tuple[Parameter, ...]) -> Parameter:
        for parameter in parameters:
            if name in (parameter.name, snake(parameter.name)):
                return parameter
        known = _listed([each.name for each in parameters]) if parameters else "no named arguments"
        raise Fault(f"`{self.name}` has no argument `{name}`", expected=known)

    def _default(self, parameter: Parameter) -> Evaluate:
        if parameter.default is _ABSENT:
            raise MissingArgument(f"`{self.name}` needs `{parameter.name}`", expected=parameter.kind.words)
        return lambda frame: parameter.default

    def _checked(
        self, parameter: Parameter, expression: Expression, compiled: Callable[[Any], Evaluate]
    ) -> Evaluate:
        owner, evaluate = self.name, compiled(expression)
        if parameter.kind.literal is not None:
            literal = parameter.kind.literal(expression)
            return lambda frame: Written(parameter.accept(evaluate(frame), owner), literal and not frame.depth)
        return lambda frame: parameter.accept(evaluate(frame), owner)


def parameter_of(function: Callable[..., Any], name: str, default: Any = _ABSENT) -> Parameter:
    """An argument of a Python function as its annotation tells it."""
    annotation = str(function.__annotations__[name])
    base = annotation.removesuffix(" | None")
    kind = _KINDS.get(base, _KINDS["object"])
    return Parameter(camel(name), kind, base != annotation or kind is _KINDS["object"], default)


def camel(name: str) -> str:
    """`time_zone` → `timeZone`."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def snake(name: str) -> str:
    """`timeZone` → `time_zone`."""
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


class Table:
    """The filters, functions and tests of one subject, filled by decorators while its module is imported."""

    def __init__(self) -> None:
        self.filters: dict[str, Declared] = {}
        self.functions: dict[str, Declared] = {}
        self.tests: dict[str, Declared] = {}

    def filter(self, *names: str) -> Callable[[F], F]:
        return _adder(self.filters, names)

    def function(self, *names: str) -> Callable[[F], F]:
        return _adder(self.functions, names)

    def test(self, *names: str) -> Callable[[F], F]:
        return _adder(self.tests, names)


def _adder(target: dict[str, Declared], names: tuple[str, ...]) -> Callable[[F], F]:
    def add(function: F) -> F:
        for name in names:
            target[name] = Declared(name, function)
        return function

    return add


__all__ = [
    "AnyText", "Declared", "Entries", "Frame", "Items", "Number", "Patterns", "Program", "Table", "camel",
    "snake",
]  # fmt: skip
