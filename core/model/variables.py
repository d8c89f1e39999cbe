"""The variables of an execution, as tasks change them while it runs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.model.codec import decode, encode


def merged(variables: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The variables with the changes: maps are merged at every level, any other value is replaced."""
    result = dict(variables)
    for name, value in changes.items():
        before = result.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        result[name] = merged(before, value) if both else value  # type: ignore[arg-type]
    return result


def without(variables: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """The variables without those that are named; `a.b` is the member `b` of the map `a`."""
    result = dict(variables)
    for path in paths:
        name, dot, rest = path.partition(".")
        if not dot:
            result.pop(name, None)
        elif isinstance(result.get(name), Mapping):
            result[name] = without(result[name], [rest])
    return result


def merged_json(variables: str, changes: str) -> str:
    """`merged`, on recorded texts."""
    return encode(merged(decode(variables), decode(changes)))


def without_json(variables: str, paths: Sequence[str]) -> str:
    """`without`, on a recorded text."""
    return encode(without(decode(variables), paths))
