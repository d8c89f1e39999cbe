"""What must stand written in a flow: the maps that blocks and triggers are made of come out of no expression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from core.model.nodes import Step
from core.registry.convert import type_hints
from core.registry.problem import Path
from core.registry.shapes import is_template
from core.registry.words import words
from core.sdk.properties import Described, properties


def unwritten(cls: Any, values: Mapping[Any, object]) -> Iterator[tuple[Path, str]]:
    """The place of every expression that stands where a map of properties, or tasks, must; what is to stand there.

    cls: the class that declares the properties.
    """
    known = _made_of_maps(cls)
    for name, value in values.items():
        if name in known:
            yield from _below(known[name], value, (name,))


@cache
def _made_of_maps(cls: type[Any]) -> Mapping[str, Any]:
    """The annotations of such properties, by each name that they have in YAML."""
    hints = type_hints(cls)
    return {
        name: hints[attribute.name]
        for attribute, declared in properties(cls) if _is_made_of_maps(hints[attribute.name])
        for name in (declared.name, *declared.aliases)
    }  # fmt: skip


def _is_made_of_maps(annotation: Any) -> bool:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation is Step or issubclass(annotation, Described)
    return any(_is_made_of_maps(argument) for argument in get_args(annotation))


def _below(annotation: Any, value: object, path: Path) -> Iterator[tuple[Path, str]]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    is_union = origin in (UnionType, Union)
    if isinstance(value, str):
        if is_template(value) and not (is_union and str in arguments):
            yield path, words(annotation)
    elif is_union:
        for argument in arguments:
            if _is_made_of_maps(argument):
                yield from _below(argument, value, path)
    elif isinstance(value, list) and arguments:
        for at, item in enumerate(value):
            yield from _below(arguments[0], item, (*path, at))
    elif isinstance(value, dict):
        if origin is None and isinstance(annotation, type) and issubclass(annotation, Described):
            yield from (((*path, *place), expected) for place, expected in unwritten(annotation, value))
        elif len(arguments) == 2:
            for key, item in value.items():
                yield from _below(arguments[1], item, (*path, key))
