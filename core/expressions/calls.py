"""Filters, functions and tests → closures that evaluate their arguments and call what was declared or handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from core.expressions.faults import Fault, Undefined, nearest
from core.expressions.frame import LARGE, SIZED, Evaluate, Frame
from core.expressions.library import FILTERS, FUNCTIONS, TESTS, find_filter, find_function, find_test
from core.expressions.library.declare import Declared, MissingArgument, camel, parameter_of, snake
from core.expressions.nodes import Arguments, Binary, Call, Expression, Filter, Literal, Name, Test, Unary
from core.expressions.values import is_empty
from core.model.near import did_you_mean, near_misses

Compile = Callable[[Any], Evaluate]

ENGINE_FUNCTIONS = frozenset({
    "secret", "kv", "read", "fileURI", "fileSize", "fileExists", "isFileEmpty", "errorLogs", "tasksWithState", "http",
    "subflow", "env", "isPublicHoliday",
})  # fmt: skip
"""Functions of the language that only the engine can give; `Renderer(functions=…)` hands them in."""

_BY_LOWER_NAME = {name.lower(): name for name in (*FUNCTIONS, *ENGINE_FUNCTIONS)}
_REFUSING_NULL = frozenset({"startsWith", "endsWith", "merge"})
_LONG = "java.lang.Long"
CHANGING = frozenset({"sort", "rsort", "reverse"})
"""Filters that change the list itself."""
_ABSENT_RENDERERS = frozenset({"render", "renderOnce"})


def filtered(node: Filter, compiled: Compile) -> Evaluate:
    """`target | name(arguments)`."""
    target = compiled(node.target)
    if fault := problem_of_filter(node):
        passes_null = isinstance(fault, MissingArgument) and node.name not in _REFUSING_NULL
        return _fails_unless_null(target, fault) if passes_null else _fails(fault)
    if node.name == "default":
        return _default(target, compiled(_fallback_of(node)))
    declared = find_filter(node.name)
    evaluate = _invocation(declared, node, compiled, target, null_gives_null=True) if declared else target
    if node.name == "className" and _is_written_number(node.target):
        return lambda frame: _LONG if (found := evaluate(frame)) == "java.lang.Integer" else found
    return in_place(node.target, evaluate) if node.name in CHANGING else evaluate


def in_place(owner: Expression, evaluate: Evaluate) -> Evaluate:
    """A list that has a name is changed itself, as in the reference; outside of the template it stays as it is."""
    if not isinstance(owner, Name):
        return evaluate
    name = owner.name

    def changed(frame: Frame) -> Any:
        result = evaluate(frame)
        if type(result) is list:
            frame.assign(name, result)
        return result

    return changed


def _is_written_number(node: Expression) -> bool:
    """Whether whole numbers that a template writes down (64 bits wide in the reference) are part of a number."""
    if isinstance(node, Unary):
        return _is_written_number(node.operand)
    if isinstance(node, Binary) and node.operator in ("+", "-", "*", "/", "%"):
        return _is_written_number(node.left) or _is_written_number(node.right)
    return isinstance(node, Literal) and type(node.value) is int


def problem_of_filter(node: Filter) -> Fault | None:
    """What is wrong with the name or the arguments of a filter, whatever it is given."""
    if node.name == "default":
        if _fallback_of(node) is not None:
            return None
        return Fault("`default` takes one argument", expected="`| default(value)`", at=node.at)
    declared = find_filter(node.name)
    if declared is None:
        return _unknown("filter", node.name, ["default", *FILTERS], node.at)
    return _problem(declared, node, inputs=1)


def _fallback_of(node: Filter) -> Expression | None:
    """The argument of `default`."""
    positional, named = node.arguments.positional, node.arguments.named
    if len(positional) + len(named) != 1 or (named and named[0][0] != "default"):
        return None
    return positional[0] if positional else named[0][1]


def _default(target: Evaluate, fallback: Evaluate) -> Evaluate:
    """`x | default(y)`: for what is undefined, null, a blank text, an empty list or map. `y` is always evaluated."""

    def evaluate(frame: Frame) -> Any:
        try:
            value = target(frame)
        except Undefined as error:
            if error.final:
                raise
            value = None
        other = fallback(frame)
        return other if is_empty(value) else value

    return evaluate


def tested(node: Test, compiled: Compile) -> Evaluate:
    """`target is name`, `target is not name`."""
    target, negated = compiled(node.target), node.negated
    if fault := problem_of_test(node):
        return _fails(fault)
    if node.name == "defined":
        return _defined(target, negated)
    declared = find_test(node.name)
    body = _invocation(declared, node, compiled, target) if declared else target
    return lambda frame: body(frame) is not negated


def problem_of_test(node: Test) -> Fault | None:
    """What is wrong with the name or the arguments of a test."""
    if node.name == "defined":
        return None
    declared = find_test(node.name)
    if declared is None:
        return _unknown("test", node.name, ["defined", *TESTS], node.at)
    return _problem(declared, node, inputs=1)


def _defined(target: Evaluate, negated: bool) -> Evaluate:
    def evaluate(frame: Frame) -> bool:
        try:
            return (target(frame) is not None) is not negated
        except Undefined as error:
            if error.final:
                raise
            return negated

    return evaluate


def call(node: Call, compiled: Compile) -> Evaluate:
    """`name(arguments)`: a macro, a function that was handed in, or one of ours. Case does not matter."""
    name = _proper_name(node.name)
    declared = find_function(name)
    fault = problem_of_call(node, ())
    positional = [compiled(each) for each in node.arguments.positional]
    named = [(each, compiled(value)) for each, value in node.arguments.named]
    # Compiled once for whatever the name turns out to be: compiling them again would double the work at each level.
    closures = [*positional, *(each for _, each in named)]
    ready = dict(zip(map(id, _expressions_of(node.arguments)), closures, strict=True))
    own = _invocation(declared, node, lambda each: ready[id(each)], None) if declared and not fault else None

    def evaluate(frame: Frame) -> Any:
        macro = frame.macros.get(node.name)
        if macro is not None:
            return macro(frame, node, positional, named)
        function = frame.runtime.functions.get(name)
        if function is not None:
            return _call_handed(function, name, frame, positional, named, node.at)
        if own is None or (frame.runtime.recursive and name in _ABSENT_RENDERERS):
            raise _not_here(node, name, [*frame.runtime.functions, *frame.macros])
        return own(frame)

    return evaluate


def _expressions_of(arguments: Arguments) -> list[Expression]:
    return [*arguments.positional, *(value for _, value in arguments.named)]


def _proper_name(name: str) -> str:
    return name if name in FUNCTIONS else _BY_LOWER_NAME.get(name.lower(), name)


def problem_of_call(node: Call, others: Iterable[str]) -> Fault | None:
    """What is wrong with the name or the arguments of a function. others: functions that we do not know of."""
    name = _proper_name(node.name)
    declared = find_function(name)
    if declared is not None:
        return _problem(declared, node, inputs=0)
    if name in ENGINE_FUNCTIONS:
        return None
    return _unknown("function", name, [*FUNCTIONS, *ENGINE_FUNCTIONS, *others], node.at)


def _not_here(node: Call, name: str, others: Iterable[str]) -> Fault:
    """Why a call can't be made with this renderer."""
    if fault := problem_of_call(node, others):
        return fault
    if name in _ABSENT_RENDERERS:
        what, hint = f"`{name}()` does not exist while rendering is recursive", "print the value itself"
    else:
        what, hint = f"`{name}()` is not available here", "it works in the properties of tasks of a running flow"
    return Fault(what, hint=hint, at=node.at)


def _call_handed(
    function: Callable[..., Any], name: str, frame: Frame, positional: list[Evaluate],
    named: list[tuple[str, Evaluate]], at: int,
) -> Any:  # fmt: skip
    arguments = [each(frame) for each in positional]
    known = _argument_names(function)
    keywords = {key if key in known else snake(key): each(frame) for key, each in named}
    try:
        _check_kinds(function, name, (*zip(known, arguments, strict=False), *keywords.items()))
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


def _check_kinds(function: Callable[..., Any], name: str, given: Iterable[tuple[str, Any]]) -> None:
    """Raises Fault for arguments that are not of the kinds that a Python function is annotated with."""
    annotated = getattr(function, "__annotations__", {})
    for argument, value in given:
        if argument in annotated:
            parameter_of(function, argument).accept(value, name)


def _argument_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a Python function's arguments; none for what is not written in Python."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ()
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return names[1:] if names[:1] == ("self",) else names


def _invocation(
    declared: Declared, node: Filter | Test | Call, compiled: Compile, target: Evaluate | None,
    null_gives_null: bool = False,
) -> Evaluate:  # fmt: skip
    """The call of a declared function; `target` is the input of a filter or test."""
    slots = declared.bind(node.arguments, compiled, 0 if target is None else 1)
    function, name, at = declared.function, declared.name, node.at
    first = declared.parameters[0] if target is not None else None
    null_gives_null = null_gives_null and declared.null_gives_null
    plain = first.kind.plain if first else None
    needs_frame = declared.needs_frame

    def evaluate(frame: Frame) -> Any:
        values: list[Any] = [frame] if needs_frame else []
        try:
            if target is not None and first is not None:
                value = target(frame)
                if value is None and null_gives_null:
                    return None
                values.append(value if type(value) is plain else first.accept(value, name))
            for slot in slots:
                values.append(slot(frame))
            result = function(*values)
        except Fault as fault:
            if fault.at < 0:
                fault.at = at
            raise
        if type(result) in SIZED and len(result) > LARGE:
            frame.spend(8 * len(result))
        if target is not None and type(value) in SIZED and len(value) > LARGE:
            frame.spend(8 * len(value))
        return result

    return evaluate


def _problem(declared: Declared, node: Filter | Test | Call, inputs: int) -> Fault | None:
    """What is wrong with the arguments, as far as their number and names go."""
    try:
        declared.bind(node.arguments, lambda expression: _nothing, inputs)
    except Fault as fault:
        fault.at = node.at
        return fault
    return None


def _nothing(frame: Frame) -> None:
    """Stands for an argument that is only counted."""


def _fails(fault: Fault) -> Evaluate:
    """What can't be called fails when it is evaluated, not before: a branch that is never taken does no harm."""

    def evaluate(frame: Frame) -> Any:
        raise Fault(fault.what, expected=fault.expected, hint=fault.hint, at=fault.at)

    return evaluate


def _fails_unless_null(target: Evaluate, fault: Fault) -> Evaluate:
    """Null comes through a filter before its arguments are looked at."""
    fails = _fails(fault)
    return lambda frame: None if target(frame) is None else fails(frame)


def _unknown(kind: str, name: str, known: list[str], at: int) -> Fault:
    close = nearest(name, sorted(known), 6)
    hint = did_you_mean(near_misses(name, close, 1))
    return Fault(f"there is no {kind} `{name}`", expected=f"one of {', '.join(close)}, …", hint=hint, at=at)
