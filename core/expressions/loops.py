"""What `{% for %}` walks over, and what is known of its body before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.expressions import nodes
from core.expressions.calls import CHANGING
from core.expressions.faults import Fault
from core.expressions.values import Entry, is_list, kind_of

_LOOKING_ROUND = frozenset({"render", "renderonce", "printcontext", "fetchcontext", "block"})
"""Functions that see all names in sight."""


def rounds(values: Any, at: int) -> list[Any]:
    """The values of the loop's variable. Raises Fault."""
    if type(values) is list:
        return values  # nothing changes a list while a template is rendered
    if isinstance(values, Mapping):
        return [Entry(key, value) for key, value in values.items()]
    if is_list(values):
        return list(values)
    raise Fault(f"`for` can't walk over {kind_of(values)}", expected="a list or a map", at=at)


def names_loop(body: nodes.Body) -> bool:
    """Whether statements may ask for `loop`."""
    return any(
        (isinstance(node, nodes.Name) and node.name == "loop")
        or (isinstance(node, nodes.Call) and node.name.lower() in _LOOKING_ROUND)
        for node in _every(body)
    )


def sets(body: nodes.Body, name: str) -> bool:
    """Whether statements may give another value to a name."""
    return any(
        (isinstance(node, nodes.Set) and node.name == name)
        or (isinstance(node, nodes.Filter) and node.name in CHANGING and _is_name(node.target, name))
        or (isinstance(node, nodes.Binary) and node.operator in ("+", "-") and _is_name(node.left, name))
        or (isinstance(node, nodes.Call) and node.name.lower() in _LOOKING_ROUND)
        for node in _every(body)
    )


def _is_name(node: nodes.Node, name: str) -> bool:
    return isinstance(node, nodes.Name) and node.name == name


def _every(body: tuple[nodes.Node, ...]) -> Iterator[nodes.Node]:
    for node in body:
        yield node
        yield from _every(tuple(nodes.children(node)))
