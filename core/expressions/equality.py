"""When values are the same, and whether one is among many: within limits, whatever they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from decimal import Decimal
from typing import Any

from core.errors import TooLarge
from core.expressions.values import Entry, is_list, is_number

MAX_COMPARED = 500_000
"""Pairs of values that one operation may compare, those inside of lists and maps counted."""


class Pairs:
    """Counts what was compared, so that what would be too much stops early."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_COMPARED

    def count(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise TooLarge(
                f"an expression compares more than {MAX_COMPARED:,} values with one another",
                expected=f"at most {MAX_COMPARED:,}",
                hint="compare shorter lists, or do this work in a task",
            )


def same(left: object, right: object) -> bool:
    """`==`: numbers by value, anything else only when it is of the same kind (`'1' == 1` is false)."""
    return _same(left, right, None)


def same_within(left: object, right: object, pairs: Pairs) -> bool:
    """`same` as one of many comparisons that share their limit."""
    pairs.count(1)
    return _same(left, right, pairs)


class Among:
    """Tells whether a value equals one of many. Scalars are found at once, all else by comparing it with each."""

    def __init__(self, items: Iterable[object] = ()) -> None:
        self._scalars: set[tuple[str, Any]] = set()
        self._others: list[object] = []
        self._pairs = Pairs()
        for item in items:
            self.add(item)

    def add(self, item: object) -> None:
        key = _scalar_key(item)
        if key is None:
            self._others.append(item)
        else:
            self._scalars.add(key)

    def __contains__(self, item: object) -> bool:
        key = _scalar_key(item)
        if key is not None:
            return key in self._scalars
        return any(same_within(item, other, self._pairs) for other in self._others)


def _scalar_key(value: object) -> tuple[str, Any] | None:
    """Alike for scalars that are the same, None for what is no scalar (or not the same as itself)."""
    if isinstance(value, bool) or value is None:
        return "constant", value
    if isinstance(value, str):
        return "text", value
    return ("number", value) if is_number(value) and value == value else None


def _same(left: object, right: object, pairs: Pairs | None) -> bool:
    """pairs: of the lists and maps around, None outside of all."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (str, int, float, Decimal)) or left is None:
        if is_number(left) and is_number(right):
            return bool(left == right)
        return isinstance(right, str) is isinstance(left, str) and bool(left == right)
    if isinstance(left, Mapping):
        if not isinstance(right, Mapping) or len(left) != len(right):
            return False
        pairs = pairs or Pairs()
        pairs.count(len(left) + 1)
        return all(key in right and _same_inside(left[key], right[key], pairs) for key in left)
    if isinstance(left, Set) or isinstance(right, Set):
        return isinstance(left, Set) and isinstance(right, Set) and set(left) == set(right)
    if is_list(left):
        if not is_list(right) or len(left) != len(right):  # type: ignore[arg-type]
            return False
        pairs = pairs or Pairs()
        pairs.count(len(left) + 1)  # type: ignore[arg-type]
        return all(_same_inside(a, b, pairs) for a, b in zip(left, right, strict=True))  # type: ignore[call-overload]
    if isinstance(left, Entry):
        return isinstance(right, Entry) and same(left.key, right.key) and _same(left.value, right.value, pairs)
    return type(left) is type(right) and bool(left == right)


def _same_inside(left: object, right: object, pairs: Pairs) -> bool:
    """Inside of lists and maps 1 and 1.0 differ."""
    if is_number(left) and is_number(right):
        return isinstance(left, float) == isinstance(right, float) and bool(left == right)
    return _same(left, right, pairs)
