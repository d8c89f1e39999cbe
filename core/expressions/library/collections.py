"""Filters, functions and tests on lists and maps."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from datetime import date, datetime
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from core.expressions.equality import Among, Pairs
from core.expressions.faults import Fault, within_items, within_limit
from core.expressions.library.declare import Entries, Items, Table
from core.expressions.operators import greater, interval, less
from core.expressions.values import Entry, is_empty, is_list, is_number, key_of, kind_of, text_of

table = Table()


@table.filter("length")
def length(value: object) -> int:
    """0 for null and for what has no length."""
    return len(value) if isinstance(value, (str, Mapping)) or (isinstance(value, Sized) and is_list(value)) else 0


@table.filter("first")
def first(value: object) -> Any:
    return _end(value, 0, "first")


@table.filter("last")
def last(value: object) -> Any:
    return _end(value, -1, "last")


def _end(value: Any, place: int, name: str) -> Any:
    """An element of a list, a character of a text; null for null and for an empty list."""
    if value is None:
        return None
    if isinstance(value, str):
        if not value:
            raise Fault(f"`{name}` is given an empty text", expected="a text with a character in it")
        return value[place]
    if is_list(value):
        items = value if hasattr(value, "__getitem__") else list(value)
        return items[place] if len(items) else None
    raise Fault(f"`{name}` is given {kind_of(value)}", expected="a list or a text")


@table.filter("join")
def join(items: Items, separator: str | None = None) -> str:
    """The texts of the elements with `separator` between them; null is `null`."""
    parts = [text_of(item) for item in items]
    between = separator or ""
    within_limit(sum(map(len, parts)) + len(between) * len(parts))
    return between.join(parts)


@table.filter("chunk")
def chunk(items: Items, size: int) -> Items:
    """Lists of `size` elements, the last one of what is left."""
    if size < 1:
        raise Fault(f"the size of a chunk is {size}", expected="a whole number from 1 up")
    return [items[start : start + size] for start in range(0, len(items), size)]


@table.filter("flatten")
def flatten(items: Items) -> Items:
    """One level less."""
    within_items(sum(len(item) if is_list(item) else 1 for item in items))
    return [inner for item in items for inner in (item if is_list(item) else [item])]


@table.filter("distinct")
def distinct(items: Items) -> Items:
    """Without the elements that came before."""
    seen = Among()
    result: list[Any] = []
    for item in items:
        if item not in seen:
            seen.add(item)
            result.append(item)
    return result


@table.filter("keys")
def keys(value: object) -> Items | None:
    """The keys of a map, the indices of a list."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return list(value)
    if is_list(value):
        return list(range(len(value)))  # type: ignore[arg-type]
    raise Fault(f"`keys` is given {kind_of(value)}", expected="a map or a list")


@table.filter("values")
def values(value: Entries) -> Items:
    """The values of a map."""
    return list(value.values())


@table.filter("reverse")
def reverse(items: Items) -> Items:
    return items[::-1]


@table.filter("sort")
def sort(items: Items) -> Items:
    """In natural order, capitals first. Raises Fault for values of different kinds."""
    return _sorted(items, reverse=False)


@table.filter("rsort")
def rsort(items: Items) -> Items:
    return _sorted(items, reverse=True)


_NUMBERS = frozenset({int, float, Decimal})


def _sorted(items: Items, reverse: bool) -> Items:
    kinds = set(map(type, items))
    if kinds == {str} or (kinds <= _NUMBERS and all(item == item for item in items)):
        return sorted(items, reverse=reverse)
    pairs = Pairs()

    def compare(left: Any, right: Any) -> int:
        pairs.count(1)
        return _compare(left, right)

    return sorted(items, key=cmp_to_key(compare), reverse=reverse)


def _compare(left: Any, right: Any) -> int:
    comparable = (
        (is_number(left) and is_number(right))
        or (isinstance(left, str) and isinstance(right, str))
        or (isinstance(left, bool) and isinstance(right, bool))
        or (isinstance(left, datetime) and isinstance(right, datetime) and bool(left.tzinfo) == bool(right.tzinfo))
        or (isinstance(left, date) and type(left) is type(right) is date)
    )
    if not comparable:
        raise Fault(f"{kind_of(left)} and {kind_of(right)} have no order", expected="values of one kind")
    if is_number(left):
        return int(greater(left, right)) - int(less(left, right))
    return int(left > right) - int(left < right)


@table.filter("merge")
def merge(value: object, items: object) -> Any:
    """Two maps or lists in one new one. Of a list and a map: the list gets entries, the map gets keys."""
    if value is None or items is None:
        if value is None and items is None:
            raise Fault("`merge` is given null twice", expected="a map or a list")
        return items if value is None else value
    if isinstance(value, Mapping):
        if isinstance(items, Mapping):
            return {**value, **items}
        if is_list(items):
            return {**value, **{key_of(item): item for item in items}}  # type: ignore[attr-defined]
    elif is_list(value):
        if isinstance(items, Mapping):
            within_items(len(value) + len(items))  # type: ignore[arg-type]
            return [*value, *(Entry(key, item) for key, item in items.items())]  # type: ignore[misc]
        if is_list(items):
            within_items(len(value) + len(items))  # type: ignore[arg-type]
            return [*value, *items]  # type: ignore[misc]
    raise Fault(f"`merge` can't join {kind_of(value)} and {kind_of(items)}", expected="maps or lists")


@table.function("range")
def range_(start: object, end: object, increment: object = 1) -> Items:
    """Both ends included; whole numbers or single letters."""
    return interval(start, end, increment)


@table.function("loopOutputs")
def loop_outputs(outputs: Items, id: str) -> Items:
    """What each iteration of a `flow.Loop` gave by this id, out of the loop's `outputs`; null where it gave none."""
    return [_given(iteration, id) for iteration in outputs]


def _given(iteration: object, name: str) -> Any:
    given = iteration.get("outputs") if isinstance(iteration, Mapping) else None
    return given.get(name) if isinstance(given, Mapping) else None


@table.test("empty")
def empty(value: object) -> bool:
    """Null, a blank text, an empty list or map. Not 0 and not false."""
    return is_empty(value)


@table.test("null")
def null(value: object) -> bool:
    return value is None


@table.test("map")
def map_(value: object) -> bool:
    return isinstance(value, Mapping)


@table.test("iterable")
def iterable(value: object) -> bool:
    """Lists and sets; not maps and texts."""
    return is_list(value)
