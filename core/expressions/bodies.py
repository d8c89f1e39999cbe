"""Statements → closures that give text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from core.expressions import nodes
from core.expressions.compiler import compile_expression
from core.expressions.faults import Fault, within_limit
from core.expressions.frame import Evaluate, Frame, Scope
from core.expressions.values import Entry, is_list, kind_of, printed, text_of, truth

Write = Callable[[Frame], str]


class Compiled(NamedTuple):
    """text: what the template prints. single: the value, when the template is exactly one print."""

    text: Write
    single: Evaluate | None


class _Names(NamedTuple):
    """What the statements of a template define, found before anything runs."""

    macros: dict[str, Callable[..., str]]
    blocks: dict[str, Write]


def compile_body(body: nodes.Body) -> Compiled:
    """The closures of a whole template."""
    if len(body) == 1 and isinstance(body[0], nodes.Print):
        single = compile_expression(body[0].value)
        return Compiled(lambda frame: printed(single(frame), frame.runtime.zone), single)
    if all(isinstance(statement, (nodes.Print, nodes.Text)) for statement in body):
        return Compiled(_body(body, _Names({}, {}), top=True), None)
    names = _Names({}, {})
    write = _body(body, names, top=True)

    def text(frame: Frame) -> str:
        frame.macros, frame.blocks = names.macros, names.blocks
        frame.scope = Scope(frame.scope)
        return write(frame)

    return Compiled(text, None)


def _body(body: nodes.Body, names: _Names, top: bool) -> Write:
    """top: values print as JSON; inside of macros, filter blocks and `block()` as text, as in the reference."""
    writers = [write for statement in body if (write := _STATEMENTS[type(statement)](statement, names, top))]
    if len(writers) == 1:
        return writers[0]

    def text(frame: Frame) -> str:
        parts: list[str] = []
        size = 0
        for write in writers:
            part = write(frame)
            size += len(part)
            within_limit(size)
            parts.append(part)
        return "".join(parts)

    return text


def _text(statement: nodes.Text, names: _Names, top: bool) -> Write:
    text = statement.text
    return lambda frame: text


def _print(statement: nodes.Print, names: _Names, top: bool) -> Write:
    value = compile_expression(statement.value)
    if top:
        return lambda frame: printed(value(frame), frame.runtime.zone)
    return lambda frame: _inner_text(value(frame))


def _inner_text(value: Any) -> str:
    return "" if value is None else text_of(value)


def _if(statement: nodes.If, names: _Names, top: bool) -> Write:
    branches = [
        (branch.at, compile_expression(branch.condition), _body(branch.body, names, top))
        for branch in statement.branches
    ]
    otherwise = _body(statement.otherwise, names, top)

    def text(frame: Frame) -> str:
        for at, condition, body in branches:
            if _holds(condition(frame), at):
                return body(frame)
        return otherwise(frame)

    return text


def _holds(value: Any, at: int) -> bool:
    try:
        return truth(value, "the condition of `if`")
    except Fault as fault:
        fault.at = at
        raise


def _for(statement: nodes.For, names: _Names, top: bool) -> Write:
    values, at, name = compile_expression(statement.values), statement.at, statement.name
    body, otherwise = _body(statement.body, names, top), _body(statement.otherwise, names, top)

    def text(frame: Frame) -> str:
        found = values(frame)
        if found is None:
            return ""
        items = _rounds(found, at)
        if not items:
            return otherwise(frame)
        outer = frame.scope
        scope = frame.scope = Scope(outer)
        parts: list[str] = []
        size, last = 0, len(items) - 1
        try:
            for index, item in enumerate(items):
                frame.round()
                scope.names[name] = item
                scope.names["loop"] = {
                    "index": index, "revindex": last - index, "first": index == 0, "last": index == last,
                    "length": last + 1,
                }  # fmt: skip
                parts.append(body(frame))
                size += len(parts[-1])
                within_limit(size)
        finally:
            frame.scope = outer
        return "".join(parts)

    return text


def _rounds(values: Any, at: int) -> list[Any]:
    if isinstance(values, Mapping):
        return [Entry(key, value) for key, value in values.items()]
    if is_list(values):
        return list(values)
    raise Fault(f"`for` can't walk over {kind_of(values)}", expected="a list or a map", at=at)


def _set(statement: nodes.Set, names: _Names, top: bool) -> Write:
    value, name = compile_expression(statement.value), statement.name

    def text(frame: Frame) -> str:
        result = value(frame)
        scope = frame.scope or Scope(None)
        frame.scope = scope
        holder = scope.holder(name) or (_outermost(scope) if _is_root(frame, scope, name) else scope)
        holder.names[name] = result
        return ""

    return text


def _is_root(frame: Frame, scope: Scope, name: str) -> bool:
    return not scope.hides_root() and name in frame.variables


def _outermost(scope: Scope) -> Scope:
    while scope.outer is not None:
        scope = scope.outer
    return scope


def _macro(statement: nodes.Macro, names: _Names, top: bool) -> None:
    """Defined for the whole template, before and after its place; it sees nothing but its arguments."""
    if statement.name in names.macros:
        raise Fault(f"there are two macros `{statement.name}`", at=statement.at)
    parameters = [(name, compile_expression(default)) for name, default in statement.parameters]
    known = [name for name, _ in parameters]
    body = _body(statement.body, names, top=False)

    def call(frame: Frame, node: nodes.Call, positional: list[Evaluate], named: list[tuple[str, Evaluate]]) -> str:
        if len(positional) > len(parameters):
            raise Fault(f"the macro `{node.name}` takes {len(parameters)} arguments", at=node.at)
        given = {name: each(frame) for name, each in zip(known, positional, strict=False)}
        for name, each in named:
            if name not in known:
                raise Fault(f"the macro `{node.name}` has no argument `{name}`", at=node.at)
            given[name] = each(frame)
        outer, frame.scope = frame.scope, Scope(None, isolated=True)
        frame.round()
        try:
            for name, default in parameters:
                frame.scope.names[name] = given[name] if name in given else default(frame)
            return body(frame)
        finally:
            frame.scope = outer

    names.macros[statement.name] = call


def _filter(statement: nodes.FilterBlock, names: _Names, top: bool) -> Write:
    value, body = compile_expression(statement.value), _body(statement.body, names, top=False)

    def text(frame: Frame) -> str:
        around = frame.captured
        frame.captured = (*around, body(frame))
        try:
            return _inner_text(value(frame))
        finally:
            frame.captured = around

    return text


def _block(statement: nodes.Block, names: _Names, top: bool) -> Write:
    inner = names.blocks[statement.name] = _body(statement.body, names, top=False)
    return _body(statement.body, names, top=True) if top else inner


_STATEMENTS: dict[type, Callable[[Any, _Names, bool], Write | None]] = {
    nodes.Text: _text,
    nodes.Print: _print,
    nodes.If: _if,
    nodes.For: _for,
    nodes.Set: _set,
    nodes.Macro: _macro,
    nodes.FilterBlock: _filter,
    nodes.Block: _block,
}
