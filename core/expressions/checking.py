"""What can be known to be wrong with a template before it is evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.expressions import nodes
from core.expressions.calls import problem_of_call, problem_of_filter, problem_of_test
from core.expressions.faults import as_error, too_deep
from core.expressions.render import parsed
from core.expressions.templates import plain_path

_NAMING = ("|", "(", " is ", "filter")
"""What stands in every template that names a filter, a function or a test."""


def check(template: str, functions: Iterable[str] = ()) -> None:
    """Raise ExpressionError for the first thing that can't be right, whatever the variables are.

    That is: what can't be parsed, filters, tests and functions that do not exist, and arguments they do not take.
    functions: names of functions that the engine hands in beyond those of the language.
    """
    if "{" not in template or plain_path(template):
        return
    body = parsed(template)
    if not any(mark in template for mark in _NAMING):
        return
    try:
        found = list(_every(body))
    except RecursionError:
        raise too_deep() from None
    macros = {node.name for node in found if isinstance(node, nodes.Macro)}
    known = {*functions, *macros}
    for node in found:
        fault = None
        if isinstance(node, nodes.Filter):
            fault = problem_of_filter(node)
        elif isinstance(node, nodes.Test):
            fault = problem_of_test(node)
        elif isinstance(node, nodes.Call) and node.name not in known:
            fault = problem_of_call(node, known)
        if fault is not None:
            raise as_error(fault, template)


def _every(body: tuple[nodes.Node, ...]) -> Iterator[nodes.Node]:
    for node in body:
        yield node
        yield from _every(tuple(nodes.children(node)))
