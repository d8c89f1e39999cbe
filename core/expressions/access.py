"""`x.y`, `x[y]` and `x.y(…)`: keys of maps, indices of lists, and the reference's getters and methods, from a table.

Attributes and methods of Python objects are never reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.expressions.faults import Fault, Undefined
from core.expressions.members import getter, method
from core.expressions.values import is_list, is_number, kind_of, text_of

MISSING: Any = object()


def look_up(value: Any, key: Any) -> Any:
    """The element of a value under a key, or MISSING. Raises Fault where the reference refuses the kind of key."""
    if type(value) is not list and isinstance(value, Mapping):
        return in_map(value, key)
    if is_list(value) and not isinstance(key, bool):
        index = _index(key)
        if index is not None:
            if not 0 <= index < len(value):
                return MISSING
            return value[index] if hasattr(value, "__getitem__") else list(value)[index]
    if isinstance(key, str):
        found = getter(value, key)
        if found is not None:
            return found(value)
    return MISSING


def in_map(value: Mapping[Any, Any], key: Any) -> Any:
    """`look_up` for a map."""
    if type(key) is not str and (key is None or isinstance(key, (Mapping, bool)) or is_list(key)):
        raise Fault(f"{kind_of(key)} can't be the key of a map", expected="a text")
    try:
        return value[key]
    except KeyError:
        pass
    if is_number(key) and value and isinstance(next(iter(value)), str):
        raise Fault(f"the keys of this map are texts, `{key}` is a number", hint=f"write ['{key}']")
    return MISSING


def _index(key: Any) -> int | None:
    if isinstance(key, str):
        return int(key) if key.isascii() and key.isdigit() and len(key) < 19 else None
    return key if isinstance(key, int) else None


def call_method(value: Any, name: str, arguments: list[Any], path: str, at: int) -> Any:
    """`value.name(arguments)`. Raises Undefined when the kind of value has no such method."""
    if value is None:
        raise null_owner(path, name, at)
    found = method(value, name)
    if found is None:
        error = Undefined(f"{path}.{name}()", at)
        error.expected = f"a method that {kind_of(value)} has"
        raise error
    return found(value, arguments)


def null_owner(path: str, key: object, at: int) -> Undefined:
    """The error for `x.y` where x is null."""
    shown = text_of(key)
    error = Undefined(f"{path}.{shown}" if isinstance(key, str) else f"{path}[{shown}]", at)
    error.owner = f"something that has `{shown}`, but `{path}` is null"
    return error
