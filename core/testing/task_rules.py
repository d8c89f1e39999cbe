"""What `TaskContract` measures task types by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from core.sdk.properties import Described, properties

TYPE_NAME = re.compile(r"([a-z][a-z0-9_]*\.)+[A-Z][A-Za-z0-9]*")
ALIAS = re.compile(r"([a-zA-Z][a-zA-Z0-9_-]*\.)*[A-Z][A-Za-z0-9]*(\$[A-Z][A-Za-z0-9]*)*")
"""The reference writes a type inside of another one as `Outer$Inner`."""
YAML_NAME = re.compile(r"[a-z][a-zA-Z0-9]*")
HEAVY = ("httpx", "duckdb", "docker", "polars", "pandas", "numpy", "requests", "jinja2", "rich")
"""Modules that cost too much to import before a task runs."""

IMPORT_ALONE = """\
import json, sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
asked = json.load(sys.stdin)
sys.path[:] = asked["path"]
try:
    spec = find_spec(asked["module"])
except ModuleNotFoundError:
    spec = None
spec = spec or spec_from_file_location(asked["module"], asked["file"])
if spec.name not in sys.modules:
    sys.modules[spec.name] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
print(*(name for name in asked["heavy"] if name in sys.modules))
"""
"""A program that imports the module it is told on standard input, and prints which heavy ones came with it."""

_RECORDED = (
    str, int, float, bool, NoneType, datetime, date, time, timedelta, Decimal, bytes, bytearray, list, tuple, set,
    frozenset, dict, Mapping, Sequence, Iterable,
)  # fmt: skip
_SAMPLES: dict[Any, Any] = {
    str: "text", int: 1, float: 1.5, bool: True, NoneType: None, bytes: b"bytes", Decimal: Decimal("1.5"),
    datetime: datetime(2024, 2, 29, 10), date: date(2024, 2, 29), time: time(10), timedelta: timedelta(minutes=1),
    Any: "anything", object: "anything",
}  # fmt: skip


def is_sentence(text: str) -> bool:
    """Begins as a sentence does (or with a name in backticks, or a number) and ends with a period."""
    begins = text[:1].isupper() or text[:1] in '`"' or text[:1].isdigit()
    return begins and text.endswith(".") and "\n" not in text


def members(annotation: Any) -> Iterator[Any]:
    """The members of a union, or the annotation itself."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for argument in get_args(annotation):
            yield from members(argument)
    else:
        yield annotation


def described_in(annotation: Any) -> Iterator[type[Described]]:
    """The classes of properties that an annotation names, however deep in lists and maps; not those with a `type`."""
    if isinstance(annotation, type) and issubclass(annotation, Described):
        if not hasattr(annotation, "type"):
            yield annotation
        return
    for argument in get_args(annotation):
        yield from described_in(argument)


def wrong_value(annotation: Any) -> object:
    """A value that no member of the annotation can be made of; None where any value will do."""
    kinds = [get_origin(member) or member for member in members(annotation)]
    if Any in kinds or object in kinds:
        return None
    maps = any(kind in (dict, Mapping) or (isinstance(kind, type) and issubclass(kind, Described)) for kind in kinds)
    lists = any(kind in (list, tuple, Sequence, Iterable) for kind in kinds)
    if not maps:
        return {"noSuchName": 1}
    if not lists:
        return ["no such value"]
    return None if str in kinds else "no such value"


def unrecordable(annotation: Any) -> Iterator[str]:
    """What in the annotation of an output the codec has no form for."""
    for member in members(annotation):
        kind = get_origin(member) or member
        if kind in (Any, object, Literal):
            continue
        if isinstance(kind, type) and issubclass(kind, Described):
            continue
        if kind not in _RECORDED:
            yield getattr(kind, "__name__", str(kind))
        for argument in get_args(member):
            if argument is not Ellipsis:
                yield from unrecordable(argument)


def sample(annotation: Any) -> Any:
    """A value of the annotation, lists and maps with one element."""
    member = next(found for found in (*members(annotation), NoneType) if found is not NoneType or found == annotation)
    origin, arguments = get_origin(member) or member, get_args(member)
    if origin is Literal:
        return arguments[0]
    if origin in (dict, Mapping):
        return {"key": sample(arguments[1]) if arguments else "anything"}
    if isinstance(origin, type) and issubclass(origin, Described):
        hints = {at.name: at for at, _ in properties(origin)}
        return origin(**dict.fromkeys(hints))
    if origin in (list, tuple, set, frozenset, Sequence, Iterable):
        return [sample(arguments[0]) if arguments else "anything"]
    return _SAMPLES[origin]
