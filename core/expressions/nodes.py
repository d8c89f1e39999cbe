"""The syntax tree of templates. `at` is an offset in the template's text."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias


class Literal(NamedTuple):
    at: int
    value: Any


class Name(NamedTuple):
    at: int
    name: str


class Get(NamedTuple):
    """`target.key` or `target[key]`."""

    at: int
    target: Expression
    key: Expression


class Method(NamedTuple):
    """`target.name(arguments)`."""

    at: int
    target: Expression
    name: str
    arguments: tuple[Expression, ...]


class Arguments(NamedTuple):
    positional: tuple[Expression, ...] = ()
    named: tuple[tuple[str, Expression], ...] = ()


class Call(NamedTuple):
    at: int
    name: str
    arguments: Arguments


class Filter(NamedTuple):
    at: int
    target: Expression
    name: str
    arguments: Arguments


class Test(NamedTuple):
    at: int
    target: Expression
    name: str
    arguments: Arguments
    negated: bool


class Unary(NamedTuple):
    at: int
    operator: str
    operand: Expression


class Binary(NamedTuple):
    at: int
    operator: str
    left: Expression
    right: Expression


class Ternary(NamedTuple):
    at: int
    condition: Expression
    yes: Expression
    no: Expression


class ListLiteral(NamedTuple):
    at: int
    items: tuple[Expression, ...]


class MapLiteral(NamedTuple):
    at: int
    entries: tuple[tuple[Expression, Expression], ...]


class Interpolated(NamedTuple):
    """`"a #{b} c"`: its parts are joined as by `~`."""

    at: int
    parts: tuple[Expression, ...]


class Text(NamedTuple):
    """What stands outside of `{{ }}`, `{% %}` and `{# #}`."""

    text: str


class Print(NamedTuple):
    value: Expression


class Branch(NamedTuple):
    at: int
    condition: Expression
    body: Body


class If(NamedTuple):
    branches: tuple[Branch, ...]
    otherwise: Body


class For(NamedTuple):
    at: int
    name: str
    values: Expression
    body: Body
    otherwise: Body


class Set(NamedTuple):
    at: int
    name: str
    value: Expression


class Macro(NamedTuple):
    """parameters: name and default (null when the macro gives none)."""

    at: int
    name: str
    parameters: tuple[tuple[str, Expression], ...]
    body: Body


class FilterBlock(NamedTuple):
    """`{% filter upper | trim %}`; `value` is the chain of filters over a `Captured`."""

    at: int
    value: Expression
    body: Body


class Captured(NamedTuple):
    """The text of the filter block around it."""

    at: int


class Block(NamedTuple):
    at: int
    name: str
    body: Body


Expression: TypeAlias = (
    Literal | Name | Get | Method | Call | Filter | Test | Unary | Binary | Ternary | ListLiteral | MapLiteral
    | Interpolated | Captured
)  # fmt: skip
Statement: TypeAlias = Text | Print | If | For | Set | Macro | FilterBlock | Block
Body: TypeAlias = tuple[Statement, ...]
