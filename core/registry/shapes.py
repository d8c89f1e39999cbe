"""Conversion of what has members: lists, maps, choices and unions, made of the converters of their members."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from core.model.data import data
from core.model.near import did_you_mean, near_misses
from core.registry.problem import Mismatch, PropertyProblem, mismatch
from core.registry.registry import Registry
from core.registry.scalars import to_list, to_map, to_text
from core.registry.words import one_of, words
from core.sdk.properties import Described


@data
class Context:
    """What conversion needs beside the value.

    registry: for maps with a `type`. expressions: texts that hold an expression stand in for values of any type.
    warn: deprecated properties are problems too (warnings).
    """

    registry: Registry | None = None
    expressions: bool = False
    warn: bool = False

    def stands_in(self, value: object) -> bool:
        """Whether a value that can't be converted is an expression that will become one that can."""
        return self.expressions and isinstance(value, str) and is_template(value)


def is_template(text: str) -> bool:
    """Whether a text holds an expression."""
    return "{{" in text or "{%" in text


Convert = Callable[[Any, Context], Any]


def unchanged(value: Any, context: Context) -> Any:
    """Any value at all."""
    return value


def optional(member_convert: Convert) -> Convert:
    """Null, or what the other member of the union is."""
    return lambda value, context: None if value is None else member_convert(value, context)


def instance_of(kind: type) -> Convert:
    """Values that are made elsewhere (the steps of a flow) and only passed on."""

    def check(value: Any, context: Context) -> Any:
        if isinstance(value, kind):
            return value
        raise mismatch(value, words(kind))

    return check


def choice(members: dict[Any, Any]) -> Convert:
    """One of some values; a text may stand for a value of another kind (`5` for 5)."""
    exact = {(type(value), value): member for value, member in members.items()}
    texts = {to_text(value): member for value, member in members.items() if value is not None}
    expected = one_of(members)

    def choose(value: Any, context: Context) -> Any:
        try:
            if (type(value), value) in exact:
                return exact[type(value), value]
            if isinstance(value, str) and value.strip() in texts:
                return texts[value.strip()]
        except TypeError:
            pass
        if any(value is member for member in members.values()):
            return value
        near = near_misses(value, texts) if isinstance(value, str) else ()
        raise mismatch(value, expected, hint=did_you_mean(near))

    return choose


def sequence(make: Callable[[list[Any]], Any] | None, item_convert: Convert) -> Convert:
    """A list whose elements are all converted the same way. make: what it becomes, when it is to be something else."""

    def items(value: Any, context: Context) -> Any:
        given = to_list(value)
        try:
            found = [item_convert(item, context) for item in given]
        except Mismatch:
            found = list(_one_by_one(enumerate(given), item_convert, context).values())
        return make(found) if make else found

    return items


def mapping(key_convert: Convert, item_convert: Convert) -> Convert:
    """A map whose keys and values are converted."""

    def entries(value: Any, context: Context) -> Any:
        given = to_map(value)
        if item_convert is unchanged and all(type(name) is str for name in given):
            return given
        named = {key_convert(name, context): item for name, item in given.items()}
        try:
            return {name: item_convert(item, context) for name, item in named.items()}
        except Mismatch:
            return _one_by_one(named.items(), item_convert, context)

    return entries


def _one_by_one(pairs: Iterable[tuple[Any, Any]], item_convert: Convert, context: Context) -> dict[Any, Any]:
    """Convert one by one, so that everything that is wrong is said; expressions stay as they are where allowed."""
    found: dict[Any, Any] = {}
    problems: list[PropertyProblem] = []
    for key, value in pairs:
        try:
            found[key] = item_convert(value, context)
        except Mismatch as error:
            if context.stands_in(value):
                found[key] = value
            else:
                problems.extend(error.below(key if isinstance(key, (str, int)) else str(key)))
    if problems:
        raise Mismatch(problems)
    return found


def union(members: Sequence[tuple[Any, Convert]]) -> Convert:
    """The member of exactly the value's type first, then the members in their order, text last.

    members: annotation and converter of each, in written order.
    """
    expected = " or ".join(words(annotation) for annotation, _ in members)
    members = sorted(members, key=lambda member: member[0] is str)
    converts = [member_convert for _, member_convert in members]
    exact: dict[type, list[Convert]] = {}
    for annotation, member_convert in members:
        for kind in _exact_types(annotation):
            exact.setdefault(kind, []).append(member_convert)
    order = {kind: [*first, *(other for other in converts if other not in first)] for kind, first in exact.items()}

    def choose(value: Any, context: Context) -> Any:
        closest: Mismatch | None = None
        for member_convert in order.get(type(value), converts):
            try:
                return member_convert(value, context)
            except Mismatch as error:
                if error.harmless:
                    raise
                closest = closest or error
        if closest is not None and type(value) in order and isinstance(value, (list, tuple, Mapping)):
            raise closest
        raise mismatch(value, expected)

    return choose


def _exact_types(annotation: Any) -> tuple[type, ...]:
    """The types of values that are meant for this member of a union before all others."""
    origin = get_origin(annotation)
    if origin is Literal:
        return tuple({type(value) for value in get_args(annotation)})
    kind = origin or annotation
    if not isinstance(kind, type):
        return ()
    if issubclass(kind, Enum):
        return (kind, *{type(member.value) for member in kind})
    if issubclass(kind, Described) or kind in (dict, Mapping):
        return (dict,)
    if issubclass(kind, (list, tuple)) or kind in (Sequence, Iterable):
        return (list, tuple)
    return () if kind is object else (kind,)
