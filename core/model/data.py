"""`@data`: a frozen attrs class that is built when the first one is made.

Building an attrs class costs about a millisecond, and a process knows over a hundred of which a run of a small flow
uses a third: so start-up pays only for what is used, and equality and repr are shared code instead of generated code
for each class (half of what is left). Everything else is as with `attrs.frozen`.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar, dataclass_transform

import attrs

T = TypeVar("T")
_building = threading.RLock()


@dataclass_transform(frozen_default=True, field_specifiers=(attrs.field,))
def data(cls: type[T]) -> type[T]:
    """Make a class of plain fields: frozen, compared and shown by its fields."""
    cls.__eq__ = _equal  # type: ignore[method-assign]
    cls.__hash__ = _hash  # type: ignore[method-assign]
    if cls.__repr__ is object.__repr__:
        cls.__repr__ = _shown  # type: ignore[method-assign]
    build_later(cls)
    return cls


def build_later(cls: type, **options: Any) -> None:
    """Let the first instance of a class turn it into the attrs class that it declares."""

    def first(self: Any, *values: Any, **named: Any) -> None:
        build(cls)
        self.__init__(*values, **named)

    cls.__init__ = first  # type: ignore[misc]
    cls.__later__ = (first, options)  # type: ignore[attr-defined]


def build(cls: type) -> None:
    """Build a class and those it inherits from, as far as that has not happened yet."""
    if "__attrs_attrs__" in cls.__dict__:
        return
    with _building:
        for one in reversed(cls.__mro__):
            first, options = one.__dict__.get("__later__", (None, {}))
            if first is not None and one.__dict__.get("__init__") is first:
                del one.__init__  # type: ignore[misc]
                attrs.define(one, frozen=True, slots=False, eq=False, repr=False, **options)


def evolve(value: T, **changes: Any) -> T:
    """The same value with some fields changed."""
    changed: T = attrs.evolve(value, **changes)  # type: ignore[misc]
    return changed


def _equal(self: Any, other: object) -> Any:
    return self.__dict__ == other.__dict__ if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash((type(self), *self.__dict__.values()))


def _shown(self: Any) -> str:
    fields: tuple[Any, ...] = attrs.fields(type(self))
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in fields if field.repr)
    return f"{type(self).__name__}({', '.join(shown)})"
