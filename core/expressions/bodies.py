"""Statements → closures that put text, piece by piece, into a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from core.expressions import nodes
from core.expressions.compiler import compile_expression
from core.expressions.faults import Fault, within_limit
from core.expressions.frame import LARGE, Evaluate, Frame, Scope
from core.expressions.loops import names_loop, rounds, sets
from core.expressions.paths import constant_path
from core.expressions.values import printed, text_of, truth
from core.model.data import data

Put: TypeAlias = Callable[[str], object]
Write: TypeAlias = Callable[[Frame, Put], None]
_SHORT = 64
"""Bits of whole numbers that are printed without a look at their length."""
_TEXTS, _WHOLE = {str}, {int}
_STEPS_JOINING = 1000
"""What one round of a loop counts for that only prints its variable."""
_AT_ONCE, _AT_ONCE_JOINING = 50, 1000
"""Rounds of a loop that are counted in one go, before they are made."""
_MANY = 64
"""Statements of one body that run without looking at the time."""


@data
class Compiled:
    """text: what the template prints. single: the value, when the template is exactly one print."""

    text: Callable[[Frame], str]
    single: Evaluate | None


@data
class _Names:
    """What the statements of a template define, found before anything runs."""

    macros: dict[str, Callable[..., str]]
    blocks: dict[str, Callable[[Frame], str]]


def compile_body(body: nodes.Body) -> Compiled:
    """The closures of a whole template."""
    if len(body) == 1 and isinstance(body[0], nodes.Print):
        return _one_print(compile_expression(body[0].value))
    names = _Names({}, {})
    write = _collected(_body(body, names, top=True))
    if all(isinstance(statement, (nodes.Print, nodes.Text)) for statement in body):
        return Compiled(write, None)

    def text(frame: Frame) -> str:
        frame.macros, frame.blocks = names.macros, names.blocks
        frame.scope = Scope(frame.scope)
        return write(frame)

    return Compiled(text, None)


def compile_path(at: int, names: tuple[str, ...]) -> Compiled:
    """The closures of a template that is nothing but a chain of names."""
    return _one_print(constant_path(at, names))


def _one_print(single: Evaluate) -> Compiled:
    return Compiled(lambda frame: _shown(single(frame), frame), single)


def _collected(write: Write) -> Callable[[Frame], str]:
    """What a body writes, as one text."""

    def text(frame: Frame) -> str:
        parts: list[str] = []
        write(frame, parts.append)
        within_limit(sum(map(len, parts)))
        return "".join(parts)

    return text


def _shown(value: Any, frame: Frame) -> str:
    """What a print gives at the top of a template."""
    kind = type(value)
    text: str
    if kind is str:
        text = value
    elif kind is int and value.bit_length() < _SHORT:
        text = str(value)
    else:
        text = printed(value, frame.runtime.zone)
    if len(text) > LARGE:
        within_limit(len(text))
        frame.spend(LARGE + 8 * len(text))
    return text


def _inner_text(value: Any, frame: Frame) -> str:
    """What a print gives inside of macros, filter blocks and `block()`."""
    text = value if type(value) is str else "" if value is None else text_of(value)
    if len(text) > LARGE:
        within_limit(len(text))
        frame.spend(LARGE + 8 * len(text))
    return text


def _body(body: nodes.Body, names: _Names, top: bool) -> Write:
    """top: values print as JSON; inside of macros, filter blocks and `block()` as text, as in the reference."""
    writers = [each for statement in body if (each := _STATEMENTS[type(statement)](statement, names, top))]
    if len(writers) == 1:
        return writers[0]
    many = len(writers) > _MANY

    def write(frame: Frame, put: Put) -> None:
        for each in writers:
            each(frame, put)
            if many:
                frame.spend(LARGE)

    return write


def _text(statement: nodes.Text, names: _Names, top: bool) -> Write:
    text = statement.text

    def write(frame: Frame, put: Put) -> None:
        put(text)

    return write


def _print(statement: nodes.Print, names: _Names, top: bool) -> Write:
    value, shown = compile_expression(statement.value), _shown if top else _inner_text

    def write(frame: Frame, put: Put) -> None:
        put(shown(value(frame), frame))

    return write


def _if(statement: nodes.If, names: _Names, top: bool) -> Write:
    branches = [
        (branch.at, compile_expression(branch.condition), _body(branch.body, names, top))
        for branch in statement.branches
    ]
    otherwise = _body(statement.otherwise, names, top)

    def write(frame: Frame, put: Put) -> None:
        for at, condition, body in branches:
            value = condition(frame)
            if value is True or (value is not False and _holds(value, at)):
                body(frame, put)
                return
        otherwise(frame, put)

    return write


def _holds(value: Any, at: int) -> bool:
    try:
        return truth(value, "the condition of `if`")
    except Fault as fault:
        fault.at = at
        raise


def _for(statement: nodes.For, names: _Names, top: bool) -> Write:
    values, at, name = compile_expression(statement.values), statement.at, statement.name
    otherwise = _body(statement.otherwise, names, top)
    counted = names_loop(statement.body)
    looked_up = counted or sets(statement.body, name)
    if not looked_up and _prints_once(statement.body, name):
        return _for_joined(values, at, _joining(name, statement.body, names, top), otherwise)
    walk = (
        _walking(name, counted, _body(statement.body, names, top)) if looked_up
        else _stepping(name, statement.body, names, top)
    )  # fmt: skip

    def write(frame: Frame, put: Put) -> None:
        found = values(frame)
        if found is None:
            return
        items = rounds(found, at)
        if not items:
            otherwise(frame, put)
            return
        outer = frame.scope
        frame.scope = Scope(outer)
        count = len(items)
        try:
            for start in range(0, count, _AT_ONCE):
                some = items if count <= _AT_ONCE else items[start : start + _AT_ONCE]
                frame.count_rounds(len(some))
                walk(frame, put, frame.scope.names, some, start, count - 1)
        finally:
            frame.scope = outer

    return write


def _for_joined(values: Evaluate, at: int, join: _Join, otherwise: Write) -> Write:
    """A loop that looks its variable up nowhere needs no scope."""

    def write(frame: Frame, put: Put) -> None:
        found = values(frame)
        if found is None:
            return
        items = rounds(found, at)
        count = len(items)
        if not count:
            otherwise(frame, put)
        elif count <= _AT_ONCE_JOINING:
            frame.count_rounds(count, _STEPS_JOINING)
            join(frame, put, items)
        else:
            for start in range(0, count, _AT_ONCE_JOINING):
                some = items[start : start + _AT_ONCE_JOINING]
                frame.count_rounds(len(some), _STEPS_JOINING)
                join(frame, put, some)

    return write


_Join: TypeAlias = Callable[[Frame, Put, list[Any]], None]
_Walk: TypeAlias = Callable[[Frame, Put, dict[str, Any], list[Any], int, int], None]
"""Rounds of a loop: names of its scope, elements, number of the first of them, number of the last one of all."""


def _walking(name: str, counted: bool, body: Write) -> _Walk:
    """counted: the body may ask for `loop`."""

    def walk(frame: Frame, put: Put, scope: dict[str, Any], items: list[Any], start: int, last: int) -> None:
        for index, item in enumerate(items, start):
            scope[name] = item
            if counted:
                scope["loop"] = {
                    "index": index, "revindex": last - index, "first": index == 0, "last": index == last,
                    "length": last + 1,
                }  # fmt: skip
            body(frame, put)

    return walk


def _prints_once(body: nodes.Body, name: str) -> bool:
    """Whether a body is one print of a name, with nothing but texts and other names around it."""
    own = [each for each in body if _prints(each, name)]
    return len(own) == 1 and all(isinstance(each, nodes.Text) or _prints(each) for each in body)


def _prints(statement: nodes.Statement, name: str = "") -> bool:
    if not isinstance(statement, nodes.Print) or not isinstance(statement.value, nodes.Name):
        return False
    return not name or statement.value.name == name


def _joining(name: str, body: nodes.Body, names: _Names, top: bool) -> _Join:
    """Around its variable the loop prints the same in every round, so that is made once."""
    own = next(number for number, each in enumerate(body) if _prints(each, name))
    first, behind = _made_once(body[:own], names, top), _made_once(body[own + 1 :], names, top)
    shown = _shown if top else _inner_text

    def join(frame: Frame, put: Put, items: list[Any]) -> None:
        left, right = first(frame), behind(frame)
        kinds = set(map(type, items))
        if kinds == _TEXTS:
            texts: list[str] = items
        else:
            texts = _digits(items) if kinds == _WHOLE else []
            if texts and len(left) + len(right) < _SHORT:  # whole numbers are short, and so is what they make
                put(left + (right + left).join(texts) + right)
                return
            texts = texts or [shown(item, frame) for item in items]
        size = sum(map(len, texts)) + len(texts) * (len(left) + len(right))
        if size > LARGE:
            within_limit(size)
            frame.spend(8 * size)
        put(left + (right + left).join(texts) + right)

    return join


def _digits(items: list[int]) -> list[str]:
    """The texts of whole numbers; none if one is too long to be written."""
    try:
        return list(map(str, items))
    except ValueError:
        return []


def _made_once(body: nodes.Body, names: _Names, top: bool) -> Callable[[Frame], str]:
    texts = [statement.text for statement in body if isinstance(statement, nodes.Text)]
    if len(texts) == len(body):
        text = "".join(texts)
        return lambda frame: text
    if len(body) == 1 and isinstance(body[0], nodes.Print):
        value, shown = compile_expression(body[0].value), _shown if top else _inner_text
        return lambda frame: shown(value(frame), frame)
    return _collected(_body(body, names, top))


def _stepping(name: str, body: nodes.Body, names: _Names, top: bool) -> _Walk:
    """The body gives the loop's variable no other value: it is printed without being looked up."""
    steps: list[Write | None] = []
    for statement in body:
        if _prints(statement, name):
            steps.append(None)
        elif each := _STATEMENTS[type(statement)](statement, names, top):
            steps.append(each)
    shown = _shown if top else _inner_text

    def walk(frame: Frame, put: Put, scope: dict[str, Any], items: list[Any], start: int, last: int) -> None:
        for item in items:
            scope[name] = item
            for write in steps:
                if write is not None:
                    write(frame, put)
                elif type(item) is str:
                    put(item)
                else:
                    put(shown(item, frame))

    return walk


def _set(statement: nodes.Set, names: _Names, top: bool) -> Write:
    value, name = compile_expression(statement.value), statement.name

    def write(frame: Frame, put: Put) -> None:
        frame.assign(name, value(frame))

    return write


def _macro(statement: nodes.Macro, names: _Names, top: bool) -> None:
    """Defined for the whole template, before and after its place; it sees nothing but its arguments."""
    if statement.name in names.macros:
        raise Fault(f"there are two macros `{statement.name}`", at=statement.at)
    parameters = [(name, compile_expression(default)) for name, default in statement.parameters]
    known = [name for name, _ in parameters]
    body = _collected(_body(statement.body, names, top=False))

    def call(frame: Frame, node: nodes.Call, positional: list[Evaluate], named: list[tuple[str, Evaluate]]) -> str:
        if len(positional) > len(parameters):
            raise Fault(f"the macro `{node.name}` takes {len(parameters)} arguments", at=node.at)
        given = {name: each(frame) for name, each in zip(known, positional, strict=False)}
        for name, each in named:
            if name not in known:
                raise Fault(f"the macro `{node.name}` has no argument `{name}`", at=node.at)
            given[name] = each(frame)
        outer, frame.scope = frame.scope, Scope(None, isolated=True)
        frame.count_rounds(1)
        try:
            for name, default in parameters:
                frame.scope.names[name] = given[name] if name in given else default(frame)
            return body(frame)
        finally:
            frame.scope = outer

    names.macros[statement.name] = call


def _filter(statement: nodes.FilterBlock, names: _Names, top: bool) -> Write:
    value, body = compile_expression(statement.value), _collected(_body(statement.body, names, top=False))

    def write(frame: Frame, put: Put) -> None:
        around = frame.captured
        frame.captured = (*around, body(frame))
        try:
            put(_inner_text(value(frame), frame))
        finally:
            frame.captured = around

    return write


def _block(statement: nodes.Block, names: _Names, top: bool) -> Write:
    inner = _body(statement.body, names, top=False)
    names.blocks[statement.name] = _collected(inner)
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
