"""Filters, functions and tests → closures that evaluate their arguments and call what was declared or handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.expressions.faults import Fault, Undefined, nearest
from core.expressions.frame import Evaluate, Frame
from core.expressions.library import FILTERS, FUNCTIONS, TESTS, find_filter, find_function, find_test
from core.expressions.library.declare import Declared, camel, snake
from core.expressions.nodes import Arguments, Call, Filter, Test
from core.expressions.values import is_empty

Compile = Callable[[Any], Evaluate]

ENGINE_FUNCTIONS = frozenset({
    "secret", "kv", "read", "fileURI", "fileSize", "fileExists", "isFileEmpty", "errorLogs", "tasksWithState", "http",
    "subflow", "env",
})  # fmt: skip
"""Functions of the language that only the engine can give; `Renderer(functions=…)` hands them in."""

_BY_LOWER_NAME = {name.lower(): name for name in (*FUNCTIONS, *ENGINE_FUNCTIONS)}
_ABSENT_RENDERERS = frozenset({"render", "renderOnce"})


def filtered(node: Filter, compiled: Compile) -> Evaluate:
    """`target | name(arguments)`."""
    target = compiled(node.target)
    if node.name == "default":
        return _default(node, target, compiled)
    declared = find_filter(node.name)
    if declared is None:
        return _fails(_unknown("filter", node.name, list(FILTERS)), node.at)
    return _invocation(declared, node.arguments, node.at, compiled, target, declared.null_gives_null)


def _default(node: Filter, target: Evaluate, compiled: Compile) -> Evaluate:
    """`x | default(y)`: for what is undefined, null, a blank text, an empty list or map."""
    if node.arguments.named[:1] and node.arguments.named[0][0] == "default":
        fallback = compiled(node.arguments.named[0][1])
    elif len(node.arguments.positional) == 1 and not node.arguments.named:
        fallback = compiled(node.arguments.positional[0])
    else:
        return _fails(Fault("`default` takes one argument", expected="`| default(value)`"), node.at)

    def evaluate(frame: Frame) -> Any:
        try:
            value = target(frame)
        except Undefined as error:
            if error.final:
                raise
            return fallback(frame)
        return fallback(frame) if is_empty(value) else value

    return evaluate


def tested(node: Test, compiled: Compile) -> Evaluate:
    """`target is name`, `target is not name`."""
    target = compiled(node.target)
    negated = node.negated
    if node.name == "defined":

        def defined(frame: Frame) -> bool:
            try:
                return (target(frame) is not None) is not negated
            except Undefined as error:
                if error.final:
                    raise
                return negated

        return defined
    declared = find_test(node.name)
    if declared is None:
        return _fails(_unknown("test", node.name, ["defined", *TESTS]), node.at)
    body = _invocation(declared, node.arguments, node.at, compiled, target)
    return lambda frame: body(frame) is not negated


def call(node: Call, compiled: Compile) -> Evaluate:
    """`name(arguments)`: a macro, a function that was handed in, or one of ours. Case does not matter."""
    name = node.name if node.name in FUNCTIONS else _BY_LOWER_NAME.get(node.name.lower(), node.name)
    declared = find_function(name)
    own = _invocation(declared, node.arguments, node.at, compiled, None) if declared else None
    positional = [compiled(each) for each in node.arguments.positional]
    named = [(each, compiled(value)) for each, value in node.arguments.named]

    def evaluate(frame: Frame) -> Any:
        macro = frame.macros.get(node.name)
        if macro is not None:
            return macro(frame, node, positional, named)
        function = frame.runtime.functions.get(name)
        if function is not None:
            return _call_handed(function, name, frame, positional, named, node.at)
        if own is None or (frame.runtime.recursive and name in _ABSENT_RENDERERS):
            raise _no_function(name, frame, node.at)
        return own(frame)

    return evaluate


def _call_handed(
    function: Callable[..., Any], name: str, frame: Frame, positional: list[Evaluate],
    named: list[tuple[str, Evaluate]], at: int,
) -> Any:  # fmt: skip
    arguments = [each(frame) for each in positional]
    known = _argument_names(function)
    keywords = {key if key in known else snake(key): each(frame) for key, each in named}
    try:
        return function(*arguments, **keywords)
    except Fault as fault:
        if fault.at < 0:
            fault.at = at
        raise
    except TypeError as error:
        traceback = error.__traceback__
        if traceback is None or traceback.tb_next is not None:
            raise
        expected = ", ".join(f"`{camel(each)}`" for each in known)
        raise Fault(f"`{name}` can't be called with these arguments", expected=expected, at=at) from None


def _argument_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a Python function's arguments; none for what is not written in Python."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ()
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return names[1:] if names[:1] == ("self",) else names


def _invocation(
    declared: Declared, arguments: Arguments, at: int, compiled: Compile, target: Evaluate | None,
    null_gives_null: bool = False,
) -> Evaluate:  # fmt: skip
    """The call of a declared function; `target` is the input of a filter or test."""
    try:
        slots = declared.bind(arguments, compiled, 0 if target is None else 1)
    except Fault as fault:
        return _fails(fault, at)
    function, name = declared.function, declared.name
    first = declared.parameters[0] if target is not None else None

    def evaluate(frame: Frame) -> Any:
        values: list[Any] = [frame] if declared.needs_frame else []
        try:
            if target is not None and first is not None:
                value = target(frame)
                if value is None and null_gives_null:
                    return None
                values.append(first.accept(value, name))
            for slot in slots:
                values.append(slot(frame))
            return function(*values)
        except Fault as fault:
            if fault.at < 0:
                fault.at = at
            raise

    return evaluate


def _fails(fault: Fault, at: int) -> Evaluate:
    """What can't be called fails when it is evaluated, not before: a branch that is never taken does no harm."""

    def evaluate(frame: Frame) -> Any:
        raise Fault(fault.what, expected=fault.expected, hint=fault.hint, at=at)

    return evaluate


def _unknown(kind: str, name: str, known: list[str]) -> Fault:
    close = nearest(name, sorted(known), 6)
    return Fault(f"there is no {kind} `{name}`", expected=f"one of {', '.join(close)}, …")


def _no_function(name: str, frame: Frame, at: int) -> Fault:
    if name in ENGINE_FUNCTIONS:
        fault = Fault(f"`{name}()` is not available here", hint="it works in the properties of tasks of a running flow")
    elif name in _ABSENT_RENDERERS:
        fault = Fault(f"`{name}()` does not exist while rendering is recursive", hint="print the value itself")
    else:
        fault = _unknown("function", name, [*FUNCTIONS, *ENGINE_FUNCTIONS, *frame.runtime.functions, *frame.macros])
    fault.at = at
    return fault

