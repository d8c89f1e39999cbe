"""Chains of names (`outputs.a.value`, `outputs[x].value`) → closures that follow them and note what was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.expressions.access import MISSING, in_map, look_up, null_owner
from core.expressions.faults import Fault, Undefined, member
from core.expressions.frame import Evaluate, Frame
from core.expressions.values import is_list, text_of


def constant_path(at: int, path: tuple[str | int, ...]) -> Evaluate:
    """A chain of known keys from the variables on: the hot path of most templates."""

    name, keys = path[0], path[1:]
    single = not keys

    def evaluate(frame: Frame) -> Any:
        scope = frame.scope
        while scope is not None:
            if name in scope.names:
                return scope.names[name] if single else _walk(scope.names[name], path, 1, at)
            if scope.isolated:
                raise Undefined(str(name), at, owner=scope.visible())
            scope = scope.outer
        plain = True
        try:
            value = frame.variables[str(name)]
            for key in keys:
                if type(value) is dict:
                    value = value[key]
                    continue
                if isinstance(value, Mapping):
                    value = in_map(value, key)
                else:
                    plain = plain and type(key) is int
                    value = look_up(value, key)
                if value is MISSING:
                    raise _undefined(frame, at, path)
        except KeyError:
            raise _undefined(frame, at, path) from None
        except Fault as fault:
            if fault.at < 0:
                fault.at = at
            raise
        if frame.reads is not None:
            frame.reads.add(path if plain else recorded(frame.variables, path))
        return value

    return evaluate


def computed_path(at: int, root: str, keys: list[Evaluate]) -> Evaluate:
    """A chain in which some keys are computed."""

    def evaluate(frame: Frame) -> Any:
        path = (root, *[key(frame) for key in keys])
        if frame.scope is not None:
            return _from_scope(frame, at, path)
        return _follow(frame, at, path)

    return evaluate


def element(at: int, target: Evaluate, key: Evaluate, shown: str) -> Evaluate:
    """`f(x).key`, `(…)[key]`: an element of a computed value. shown: how messages name that value."""

    def evaluate(frame: Frame) -> Any:
        owner, wanted = target(frame), key(frame)
        found = _found(owner, wanted, at)
        if found is MISSING:
            raise missing(owner, wanted, shown, at)
        return found

    return evaluate


def _follow(frame: Frame, at: int, path: tuple[Any, ...]) -> Any:
    """From the variables on. What is not there was looked for, and counts as read."""
    try:
        value = _walk(frame.variables, path, 0, at)
    except Undefined:
        _note(frame, path)
        raise
    _note(frame, path)
    return value


def _note(frame: Frame, path: tuple[Any, ...]) -> None:
    if frame.reads is not None:
        frame.reads.add(recorded(frame.variables, path))


def _from_scope(frame: Frame, at: int, path: tuple[Any, ...]) -> Any:
    """From a name that a statement gave a value to, if there is one."""
    scope = frame.scope
    holder = scope.holder(path[0]) if scope else None
    if holder is not None:
        return _walk(holder.names[path[0]], path, 1, at)
    if scope is not None and scope.hides_root():
        raise Undefined(str(path[0]), at, owner=scope.visible())
    return _follow(frame, at, path)


def _walk(value: Any, path: tuple[Any, ...], start: int, at: int) -> Any:
    """Along the keys of a path from `start` on."""
    for number in range(start, len(path)):
        key = path[number]
        if type(value) is dict and type(key) is str and key in value:
            value = value[key]
            continue
        found = _found(value, key, at)
        if found is MISSING:
            raise missing(value, key, path_text(path[:number]), at)
        value = found
    return value


def _found(owner: Any, key: Any, at: int) -> Any:
    try:
        return look_up(owner, key)
    except Fault as fault:
        if fault.at < 0:
            fault.at = at
        raise


def missing(owner: Any, key: Any, shown: str, at: int) -> Undefined:
    """The error for a key that its owner lacks."""
    if owner is None:
        return null_owner(shown, key, at)
    path = member(shown, key) if isinstance(key, str) else f"{shown}[{text_of(key)}]"
    if is_list(owner):
        there = f"an index from 0 to {len(owner) - 1}" if len(owner) else "nothing: the list is empty"
        return Undefined(path, at, owner=there)
    return Undefined(path, at, owner=owner if isinstance(owner, Mapping) else None, prefix=shown)


def _undefined(frame: Frame, at: int, path: tuple[Any, ...]) -> Undefined:
    """Follow the path once more to find out where it ends (lookups that fail may be slow)."""
    try:
        _follow(frame, at, path)
    except Undefined as error:
        return error
    return Undefined(path_text(path), at)


def recorded(variables: Mapping[str, Any], path: tuple[Any, ...]) -> tuple[Any, ...]:
    """The part of a path that names recorded values: without getters such as `.length`, and one missing key at most."""
    value: Any = variables
    for number, key in enumerate(path):
        if not isinstance(value, Mapping) and not (is_list(value) and text_of(key).isdigit()):
            return path[:number]
        value = look_up(value, key)
        if value is MISSING:
            return path[: number + 1]
    return path


def path_text(path: tuple[Any, ...]) -> str:
    """A path as a template writes it: `outputs.a['my-key'][0]`."""
    text = ""
    for key in path:
        text = member(text, key) if isinstance(key, str) else f"{text}[{text_of(key)}]"
    return text
