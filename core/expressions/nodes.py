"""The syntax tree of templates. `at` is an offset in the template's text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias, dataclass_transform


@dataclass_transform(eq_default=False)
class Node:
    """Takes the declared fields in their order. Ready-made makers of such classes cost ten times as much at import."""

    def __init__(self, *values: Any) -> None:
        self.__dict__.update(zip(self.__annotations__, values, strict=False))


def children(node: Node) -> Iterator[Node]:
    """The nodes right below one, in the order of the text."""
    for value in vars(node).values():
        yield from _nodes_in(value)


def depth_of(body: tuple[Node, ...]) -> int:
    """Levels of a syntax tree, counted without recursion."""
    deepest = 0
    waiting = [(node, 1) for node in body]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting.extend((child, depth + 1) for child in children(node))
    return deepest


def _nodes_in(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _nodes_in(each)


class Literal(Node):
    at: int
    value: Any


class Name(Node):
    at: int
    name: str


class Get(Node):
    """`target.key` or `target[key]`."""

    at: int
    target: Expression
    key: Expression


class Method(Node):
    """`target.name(arguments)`."""

    at: int
    target: Expression
    name: str
    arguments: tuple[Expression, ...]


class Arguments(Node):
    positional: tuple[Expression, ...] = ()
    named: tuple[tuple[str, Expression], ...] = ()


class Call(Node):
    at: int
    name: str
    arguments: Arguments


class Filter(Node):
    at: int
    target: Expression
    name: str
    arguments: Arguments


class Test(Node):
    at: int
    target: Expression
    name: str
    arguments: Arguments
    negated: bool


class Unary(Node):
    at: int
    operator: str
    operand: Expression


class Binary(Node):
    at: int
    operator: str
    left: Expression
    right: Expression


class Ternary(Node):
    at: int
    condition: Expression
    yes: Expression
    no: Expression


class ListLiteral(Node):
    at: int
    items: tuple[Expression, ...]


class MapLiteral(Node):
    at: int
    entries: tuple[tuple[Expression, Expression], ...]


class Interpolated(Node):
    """`"a #{b} c"`: its parts are joined as by `~`."""

    at: int
    parts: tuple[Expression, ...]


class Text(Node):
    """What stands outside of `{{ }}`, `{% %}` and `{# #}`."""

    text: str


class Print(Node):
    value: Expression


class Branch(Node):
    at: int
    condition: Expression
    body: Body


class If(Node):
    branches: tuple[Branch, ...]
    otherwise: Body


class For(Node):
    at: int
    name: str
    values: Expression
    body: Body
    otherwise: Body


class Set(Node):
    at: int
    name: str
    value: Expression


class Macro(Node):
    """parameters: name and default (null when the macro gives none)."""

    at: int
    name: str
    parameters: tuple[tuple[str, Expression], ...]
    body: Body


class FilterBlock(Node):
    """`{% filter upper | trim %}`; `value` is the chain of filters over a `Captured`."""

    at: int
    value: Expression
    body: Body


class Captured(Node):
    """The text of the filter block around it."""

    at: int


class Block(Node):
    at: int
    name: str
    body: Body


Expression: TypeAlias = (
    Literal | Name | Get | Method | Call | Filter | Test | Unary | Binary | Ternary | ListLiteral | MapLiteral
    | Interpolated | Captured
)  # fmt: skip
Statement: TypeAlias = Text | Print | If | For | Set | Macro | FilterBlock | Block
Body: TypeAlias = tuple[Statement, ...]
