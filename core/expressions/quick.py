"""Which templates can't take long, whatever their variables hold."""

from __future__ import annotations

from core.expressions import nodes
from core.expressions.render import parsed

_QUICK_FILTERS = frozenset({"default", "first", "keys", "last", "length", "lower", "trim", "upper"})
_QUICK_OPERATORS = frozenset({"and", "or", "??", "???", "+", "-", "~", "<", "<=", ">", ">="})
_QUICK_NODES = (
    nodes.Text, nodes.Print, nodes.Literal, nodes.Name, nodes.Get, nodes.Ternary, nodes.Unary, nodes.Arguments,
)  # fmt: skip
_QUICK_SIZE = 2_000


def is_quick(template: str) -> bool:
    """Whether nothing in a template takes longer than reading what was recorded: a few paths, literals, operators."""
    if len(template) > _QUICK_SIZE:
        return False
    waiting: list[nodes.Node] = list(parsed(template))
    while waiting:
        node = waiting.pop()
        if isinstance(node, nodes.Filter):
            quick = node.name in _QUICK_FILTERS
        elif isinstance(node, nodes.Binary):
            quick = node.operator in _QUICK_OPERATORS
        else:
            quick = isinstance(node, _QUICK_NODES)
        if not quick:
            return False
        waiting.extend(nodes.children(node))
    return True
