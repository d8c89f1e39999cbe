"""A Python annotation in plain words: for messages and for reference pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from core.model.inputs import Input
from core.model.nodes import Step
from core.registry.scalars import SCALARS
from core.sdk.properties import PluginType


def words(annotation: Any) -> str:
    """`list[str] | None` → `a list of texts`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return words(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join(words(argument) for argument in arguments if argument is not NoneType)
    if origin is Literal:
        return one_of(arguments)
    if annotation in (None, NoneType):
        return "null"
    kind = origin or annotation
    if isinstance(kind, type):
        return _words_of_class(kind, arguments)
    return "any value"


def one_of(values: Iterable[object]) -> str:
    """`GET`, `POST` → `one of GET, POST`."""
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    return texts[0] if len(texts) == 1 else f"one of {', '.join(texts)}"


def noun(cls: type) -> str:
    """`TaskRunner` → `task runner`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__).lower()


def instead(deprecated: str) -> str:
    """What a deprecated property says to use: `` `to` `` and `` use `to` `` are both written by authors."""
    return f"use {deprecated.removeprefix('use ')}"


def _words_of_class(kind: type, arguments: tuple[Any, ...]) -> str:
    if kind in SCALARS:
        return SCALARS[kind][1][0]
    if kind in (Any, object):
        return "any value"
    if kind is Step or kind is Input:
        return "a task" if kind is Step else "a declared input"
    if issubclass(kind, Enum):
        return one_of(member.value for member in kind)
    if issubclass(kind, PluginType):
        return f"a {noun(kind)} (a map with a `type`)"
    if issubclass(kind, (list, tuple)) or kind.__name__ in ("Sequence", "Iterable"):
        return f"a list{_of(arguments[:1])}"
    if issubclass(kind, dict) or kind is Mapping:
        return f"a map{_of(arguments[1:])}"
    return f"a map ({noun(kind)})"


def _of(arguments: tuple[Any, ...]) -> str:
    """What a list or a map holds: ` of texts`; nothing where that may be anything."""
    if not arguments or arguments[0] in (Any, object):
        return ""
    if arguments[0] is bool:
        return " of booleans"
    return f" of {' or '.join(_plural(part) for part in words(arguments[0]).split(' or '))}"


def _plural(one: str) -> str:
    """`a list of texts` → `lists of texts`."""
    if one.startswith("one of ") or not one.startswith("a "):
        return f"values ({one})"
    head, space, rest = one.removeprefix("a ").partition(" of ")
    head, bracket, note = head.partition(" (")
    return f"{head}s{bracket}{note}{space}{rest}"
