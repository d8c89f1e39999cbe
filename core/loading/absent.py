"""Functions of the language that this version does not offer: a flow that calls one is refused before it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core import expressions
from core.expressions import nodes

INSTEAD = {
    "http": "let a task of type `http.Request` ask, and read its output",
    "subflow": "let a task of type `flow.Subflow` call the flow, and read its outputs",
    "env": "`envs.name` reads a variable of the environment",
    "isPublicHoliday": "compare with dates of your own",
}
"""Name → what can be done without it."""

_BY_LOWER_NAME = {name.lower(): name for name in INSTEAD}


def absent_calls(template: str) -> tuple[str, ...]:
    """The names of those that a template calls, which has been found good; its own macros are none of them."""
    found = list(_every(expressions.parsed(template)))
    macros = {node.name for node in found if isinstance(node, nodes.Macro)}
    called = (node.name.lower() for node in found if isinstance(node, nodes.Call) and node.name not in macros)
    return tuple(dict.fromkeys(_BY_LOWER_NAME[name] for name in called if name in _BY_LOWER_NAME))


def _every(body: Iterable[nodes.Node]) -> Iterator[nodes.Node]:
    for node in body:
        yield node
        yield from _every(nodes.children(node))
