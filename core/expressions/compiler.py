"""Syntax tree → closures. A closure takes the Frame and gives the value; no variables are known yet."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from core.expressions import nodes, operators
from core.expressions.access import call_method
from core.expressions.calls import call, filtered, in_place, tested
from core.expressions.equality import same
from core.expressions.faults import Fault, Undefined
from core.expressions.frame import LARGE, SIZED, Evaluate, Frame
from core.expressions.paths import computed_path, constant_path, element, path_text
from core.expressions.values import key_of, truth

_SHORT = 32
"""Elements of a list or map that are made without looking at the time."""


def compile_expression(node: nodes.Expression) -> Evaluate:
    """The closure of an expression."""
    return _COMPILERS[type(node)](node)


def _literal(node: nodes.Literal) -> Evaluate:
    value = node.value
    return lambda frame: value


def _name(node: nodes.Name) -> Evaluate:
    return constant_path(node.at, (node.name,))


def _get(node: nodes.Get) -> Evaluate:
    keys: list[nodes.Expression] = []
    target: nodes.Expression = node
    while isinstance(target, nodes.Get):
        keys.append(target.key)
        target = target.target
    keys.reverse()
    if isinstance(target, nodes.Name):
        constants = constant_keys(keys)
        if len(constants) == len(keys):
            return constant_path(target.at, (target.name, *constants))
        return computed_path(target.at, target.name, [compile_expression(key) for key in keys])
    evaluate = compile_expression(target)
    shown = describe(target)
    for key in keys:
        evaluate = element(node.at, evaluate, compile_expression(key), shown)
        shown += f".{key.value}" if isinstance(key, nodes.Literal) and isinstance(key.value, str) else "[…]"
    return evaluate


def constant_keys(keys: list[nodes.Expression]) -> tuple[str | int, ...]:
    """The leading keys that are texts or whole numbers."""
    found: list[str | int] = []
    for key in keys:
        if not isinstance(key, nodes.Literal) or type(key.value) not in (str, int):
            break
        found.append(key.value)
    return tuple(found)


def describe(node: nodes.Expression) -> str:
    """A short name of an expression for messages."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Get):
        keys = constant_keys([node.key])
        return f"{describe(node.target)}{path_text((' ', *keys))[1:] if keys else '[…]'}"
    if isinstance(node, (nodes.Call, nodes.Method)):
        return f"{node.name}(…)"
    if isinstance(node, nodes.Literal) and isinstance(node.value, str):
        return repr(node.value)[:40]
    return "(…)"


def _method(node: nodes.Method) -> Evaluate:
    target = compile_expression(node.target)
    arguments = [compile_expression(each) for each in node.arguments]
    shown, name, at = describe(node.target), node.name, node.at

    def evaluate(frame: Frame) -> Any:
        value = target(frame)
        try:
            result = call_method(value, name, [each(frame) for each in arguments], shown, at)
        except Fault as fault:
            if fault.at < 0:
                fault.at = at
            raise
        if type(result) in SIZED and len(result) > LARGE:
            frame.spend(8 * len(result))
        return result

    return evaluate


def _list(node: nodes.ListLiteral) -> Evaluate:
    items = [compile_expression(each) for each in node.items]
    if len(items) <= _SHORT:
        return lambda frame: [each(frame) for each in items]

    def evaluate(frame: Frame) -> Any:
        result = []
        for item in items:
            result.append(item(frame))
            frame.spend(LARGE)
        return result

    return evaluate


def _map(node: nodes.MapLiteral) -> Evaluate:
    entries = [(compile_expression(key), compile_expression(value)) for key, value in node.entries]

    def evaluate(frame: Frame) -> Any:
        result: dict[Any, Any] = {}
        for key, value in entries:
            name = key(frame)
            if len(result) > _SHORT:
                frame.spend(LARGE)
            result.setdefault(key_of(name), value(frame))
        return result

    return evaluate


def _interpolated(node: nodes.Interpolated) -> Evaluate:
    return _joined([compile_expression(each) for each in node.parts])


def _ternary(node: nodes.Ternary) -> Evaluate:
    condition, yes, no = (compile_expression(each) for each in (node.condition, node.yes, node.no))

    def evaluate(frame: Frame) -> Any:
        value = condition(frame)
        if value is None or not _truth(value, "the condition of `? :`", node.at):
            return no(frame)
        return yes(frame)

    return evaluate


def _truth(value: Any, what: str, at: int) -> bool:
    if value is True or value is False:
        return value
    try:
        return truth(value, what)
    except Fault as fault:
        fault.at = at
        raise


# -- operators -------------------------------------------------------------------------------------------------


def _unary(node: nodes.Unary) -> Evaluate:
    operand, at = compile_expression(node.operand), node.at
    if node.operator == "not":
        return lambda frame: not _truth(operand(frame), "the operand of `not`", at)
    apply = operators.negative if node.operator == "-" else operators.positive

    def evaluate(frame: Frame) -> Any:
        value = operand(frame)
        try:
            return apply(value)
        except Fault as fault:
            fault.at = at
            raise

    return evaluate


def _binary(node: nodes.Binary) -> Evaluate:
    if node.operator in _LAZY:
        return _LAZY[node.operator](node)
    function, final = _EAGER[node.operator]
    quick = _QUICK.get(node.operator)
    left, right, at = compile_expression(node.left), compile_expression(node.right), node.at

    def evaluate(frame: Frame) -> Any:
        try:
            a, b = left(frame), right(frame)
        except Undefined as error:
            error.final = error.final or final
            raise
        if type(a) is type(b) and quick is not None and type(a) in _ORDERED:
            return quick(a, b)
        try:
            result = function(a, b)
        except Fault as fault:
            if fault.at < 0:
                fault.at = at
            raise
        if type(result) in SIZED and len(result) > LARGE:
            frame.spend(8 * len(result))
        return result

    return in_place(node.left, evaluate) if node.operator in ("+", "-") else evaluate


def _concatenation(node: nodes.Binary) -> Evaluate:
    operands: list[nodes.Expression] = []
    target: nodes.Expression = node
    while isinstance(target, nodes.Binary) and target.operator == "~":
        operands.append(target.right)
        target = target.left
    operands.append(target)
    parts = [compile_expression(each) for each in reversed(operands)]
    return _joined(parts)


def _joined(parts: list[Evaluate]) -> Evaluate:
    def evaluate(frame: Frame) -> str:
        text = operators.joined([operators.concatenated(each(frame)) for each in parts])
        if len(text) > LARGE:
            frame.spend(8 * len(text))
        return text

    return evaluate


def _and(node: nodes.Binary) -> Evaluate:
    left, right, at = compile_expression(node.left), compile_expression(node.right), node.at
    what = "an operand of `and`"
    return lambda frame: _truth(left(frame), what, at) and _truth(right(frame), what, at)


def _or(node: nodes.Binary) -> Evaluate:
    left, right, at = compile_expression(node.left), compile_expression(node.right), node.at
    what = "an operand of `or`"
    return lambda frame: _truth(left(frame), what, at) or _truth(right(frame), what, at)


def _fallback(node: nodes.Binary) -> Evaluate:
    """`a ?? b` for what is undefined or null, `a ??? b` for what is undefined."""
    left, right = compile_expression(node.left), compile_expression(node.right)
    null_too = node.operator == "??"

    def evaluate(frame: Frame) -> Any:
        try:
            value = left(frame)
        except Undefined as error:
            if error.final:
                raise
            return right(frame)
        return right(frame) if value is None and null_too else value

    return evaluate


def _is_not(left: Any, right: Any) -> bool:
    return not same(left, right)


def _not_in(left: Any, right: Any) -> bool:
    return not operators.is_in(left, right)


_LAZY: dict[str, Callable[[nodes.Binary], Evaluate]] = {
    "and": _and, "or": _or, "??": _fallback, "???": _fallback, "~": _concatenation,
}  # fmt: skip
# The second half says whether an undefined operand is out of reach for `??` and its like.
_EAGER: dict[str, tuple[Callable[[Any, Any], Any], bool]] = {
    "+": (operators.add, True),
    "-": (operators.subtract, True),
    "*": (operators.multiply, True),
    "/": (operators.divide, True),
    "%": (operators.remainder, True),
    "==": (same, True),
    "!=": (_is_not, True),
    "<": (operators.less, True),
    "<=": (operators.less_or_equal, True),
    ">": (operators.greater, True),
    ">=": (operators.greater_or_equal, True),
    "contains": (operators.contains, False),
    "isIn": (operators.is_in, False),
    "isNotIn": (_not_in, False),
    "..": (operators.interval, False),
}
_ORDERED = frozenset({int, str})
_QUICK: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
"""What comparisons come to when both sides are whole numbers, or both texts."""
_COMPILERS: dict[type, Callable[[Any], Evaluate]] = {
    nodes.Literal: _literal,
    nodes.Name: _name,
    nodes.Get: _get,
    nodes.Method: _method,
    nodes.Call: lambda node: call(node, compile_expression),
    nodes.Filter: lambda node: filtered(node, compile_expression),
    nodes.Test: lambda node: tested(node, compile_expression),
    nodes.Unary: _unary,
    nodes.Binary: _binary,
    nodes.Ternary: _ternary,
    nodes.ListLiteral: _list,
    nodes.MapLiteral: _map,
    nodes.Interpolated: _interpolated,
    nodes.Captured: lambda node: lambda frame: frame.captured[-1],
}
