"""Which variables a template names, without evaluating it."""

from __future__ import annotations

from collections.abc import Iterator

from core.expressions import nodes
from core.expressions.compiler import constant_keys
from core.expressions.faults import too_deep
from core.expressions.render import parsed
from core.expressions.templates import plain_path
from core.model.data import data

_READ_BY_FUNCTIONS: dict[str, tuple[tuple[str | None, ...], ...]] = {
    "render": ((None,),),
    "renderonce": ((None,),),
    "printcontext": ((None,),),
    "fetchcontext": ((None,),),
    "currenteachoutput": (("taskrun", "value"), ("parents",)),
}


@data
class Reference:
    """A variable that a template names.

    path: `("outputs", "a", "value")`; it ends with None at the first part that is computed, and is `(None,)` when
    any variable may be read (`render(…)`, `printContext()`). line, column: of its first name, counted from 1.
    """

    path: tuple[str | int | None, ...]
    line: int
    column: int


def references(template: str) -> tuple[Reference, ...]:
    """The variables that a template names, in the order of its text; names that it defines itself are left out.

    Raises ExpressionError for a template that can't be parsed.
    """
    found = dict.fromkeys(_found(template))
    return tuple(_placed(template, at, path) for at, path in sorted(found, key=lambda each: each[0]))


def named_paths(template: str) -> set[tuple[str | int | None, ...]]:
    """The paths of its `references`, for those who don't ask where they stand."""
    plain = plain_path(template)
    if plain is not None:
        return {plain[1]}
    return {path for _, path in _found(template)}


def _found(template: str) -> list[tuple[int, tuple[str | int | None, ...]]]:
    if "{" not in template:
        return []
    try:
        return list(_in_body(parsed(template), set()))
    except RecursionError:
        raise too_deep() from None


def _placed(template: str, at: int, path: tuple[str | int | None, ...]) -> Reference:
    return Reference(path, template.count("\n", 0, at) + 1, at - template.rfind("\n", 0, at))


_Found = Iterator[tuple[int, tuple[str | int | None, ...]]]


def _in_body(body: nodes.Body, local: set[str]) -> _Found:
    for statement in body:
        yield from _in_statement(statement, local)


def _in_statement(statement: nodes.Statement, local: set[str]) -> _Found:
    if isinstance(statement, nodes.Text):
        return
    if isinstance(statement, nodes.Print):
        yield from _in_expression(statement.value, local)
    elif isinstance(statement, nodes.If):
        for branch in statement.branches:
            yield from _in_expression(branch.condition, local)
            yield from _in_body(branch.body, local)
        yield from _in_body(statement.otherwise, local)
    elif isinstance(statement, nodes.For):
        yield from _in_expression(statement.values, local)
        yield from _in_body(statement.body, local | {statement.name, "loop"})
        yield from _in_body(statement.otherwise, local)
    elif isinstance(statement, nodes.Set):
        yield from _in_expression(statement.value, local)
        local.add(statement.name)
    elif isinstance(statement, nodes.Macro):
        return  # sees nothing but its arguments
    elif isinstance(statement, nodes.FilterBlock):
        yield from _in_expression(statement.value, local)
        yield from _in_body(statement.body, local)
    elif isinstance(statement, nodes.Block):
        yield from _in_body(statement.body, local)


def _in_expression(node: nodes.Node, local: set[str]) -> _Found:
    if isinstance(node, (nodes.Name, nodes.Get)):
        yield from _chain(node, local)
        return
    if isinstance(node, nodes.Call):
        for path in _READ_BY_FUNCTIONS.get(node.name.lower(), ()):
            yield node.at, path
    for child in nodes.children(node):
        yield from _in_expression(child, local)


def _chain(node: nodes.Name | nodes.Get, local: set[str]) -> _Found:
    keys: list[nodes.Expression] = []
    target: nodes.Expression = node
    while isinstance(target, nodes.Get):
        keys.append(target.key)
        target = target.target
    keys.reverse()
    if not isinstance(target, nodes.Name):
        yield from _in_expression(target, local)
    elif target.name not in local:
        constants = constant_keys(keys)
        computed: tuple[None, ...] = (None,) if len(constants) < len(keys) else ()
        yield target.at, (target.name, *constants, *computed)
    for key in keys:
        if not isinstance(key, nodes.Literal):
            yield from _in_expression(key, local)
