"""`@data`: frozen classes of plain fields, as attrs makes them, for what the engine itself passes round.

A process knows over a hundred such classes before its first task, and making an attrs class costs about a
millisecond: a tenth of the time of a small run, measured. So these get just what they need (a constructor, equality,
repr, frozenness), and a constructor of their own only once they are made often: writing one costs as much as making
fifty without it. What plugins declare (`core.sdk.properties`) gets its constructor from here as well.

`@quick` classes are the same to the type checker, and to whoever compares or shows them; nothing stops a change at run
time. CPython keeps the fields of an object beside it only when they were set as attributes, which a class that refuses
that can't do: its objects take half as long again to make, and each field four times as long to read (measured in
instructions). That is most of what deciding costs, so what is made or read for every task is `@quick`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")
MISSING: Any = object()
OFTEN = 20
"""How many of a class are made before it gets a constructor of its own."""


class Field:
    """What is known of one field beside its name."""

    __slots__ = ("default", "factory", "shown")

    def __init__(self, default: Any, factory: Callable[[], Any] | None, shown: bool) -> None:
        self.default = default
        self.factory = factory
        self.shown = shown


def field(*, default: Any = MISSING, factory: Callable[[], Any] | None = None, repr: bool = True) -> Any:
    """Declare a field whose default is made anew for each one, or that repr leaves out."""
    return Field(default, factory, repr)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def data(cls: type[T]) -> type[T]:
    """Make a class of plain fields: frozen, compared and shown by its fields; made by position or by name."""
    quick(cls)
    cls.__setattr__ = refuse  # type: ignore[method-assign]
    cls.__delattr__ = refuse  # type: ignore[method-assign]
    return cls


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def quick(cls: type[T]) -> type[T]:
    """As `data`, but only the type checker keeps it from being changed."""
    give_constructor(cls)
    cls.__eq__ = _equal  # type: ignore[method-assign]
    cls.__hash__ = _hash  # type: ignore[method-assign]
    if cls.__repr__ is object.__repr__:
        cls.__repr__ = _shown  # type: ignore[method-assign]
    return cls


@dataclass_transform(field_specifiers=(field,))
def changing(cls: type[T]) -> type[T]:
    """As `quick`, for what may be changed."""
    quick(cls)
    cls.__hash__ = None  # type: ignore[assignment]
    return cls


def give_constructor(cls: type, *, only_by_name: bool = False) -> None:
    """A constructor that takes the fields of a class, and calls its `__post_init__` if it has one."""
    seldom = OFTEN

    def first(self: Any, *values: Any, **named: Any) -> None:
        nonlocal seldom
        seldom -= 1
        if seldom < 0 or (values and only_by_name) or not _fill(self, fields(cls), values, named):
            _build(cls, only_by_name)
            self.__init__(*values, **named)
        elif hasattr(cls, "__post_init__"):
            self.__post_init__()

    cls.__init__ = first  # type: ignore[misc]


def evolve(value: T, /, **changes: Any) -> T:
    """The same value with some fields changed."""
    return type(value)(**{**vars(value), **changes})


def is_data(cls: type) -> bool:
    """Whether a class was made by `@data`."""
    return cls.__dict__.get("__eq__") is _equal


def fields(cls: type) -> dict[str, Field]:
    """Name → field, those of classes above first."""
    known: dict[str, Field] | None = cls.__dict__.get("__fields__")
    if known is None:
        known = {}
        for one in reversed(cls.__mro__):
            # not inspect.get_annotations, which does the same: importing inspect takes a twentieth of a small run
            own = one.__dict__.get("__annotations__", {})  # noqa: RUF063
            for name, annotation in own.items():
                if not str(annotation).removeprefix("typing.").startswith("ClassVar"):
                    default = one.__dict__.get(name, MISSING)
                    known[name] = default if isinstance(default, Field) else Field(default, None, True)
        cls.__fields__ = known  # type: ignore[attr-defined]
    return known


def _fill(self: Any, declared: dict[str, Field], values: tuple[Any, ...], named: dict[str, Any]) -> bool:
    """Do a constructor's work; False when it was called wrongly, which a real one says better."""
    given = dict(zip(declared, values, strict=False))
    if len(values) > len(declared) or given.keys() & named.keys() or named.keys() - declared.keys():
        return False
    given.update(named)
    filled = {}
    for name, one in declared.items():
        if name in given:
            filled[name] = given[name]
        elif one.factory is not None:
            filled[name] = one.factory()
        elif one.default is not MISSING:
            filled[name] = one.default
        else:
            return False
    if type(self).__setattr__ is refuse:
        self.__dict__.update(filled)
    else:
        for name, value in filled.items():
            setattr(self, name, value)
    return True


def _build(cls: type, only_by_name: bool) -> None:
    """Write the constructor; harmless when two threads do it at once."""
    frozen = cls.__setattr__ is refuse
    parameters, lines, names = ["self"], ["    _own = self.__dict__" if frozen else "    pass"], {"_missing": MISSING}
    if only_by_name and fields(cls):
        parameters.append("*")
    for name, declared in fields(cls).items():
        value = name
        if declared.factory is not None:
            names[f"_make_{name}"] = declared.factory
            parameters.append(f"{name}=_missing")
            value = f"_make_{name}() if {name} is _missing else {name}"
        elif declared.default is not MISSING:
            names[f"_default_{name}"] = declared.default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        lines.append(f"    _own[{name!r}] = {value}" if frozen else f"    self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("    self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(lines), names)
    names["__init__"].__qualname__ = f"{cls.__qualname__}.__init__"
    cls.__init__ = names["__init__"]  # type: ignore[misc]


def _equal(self: Any, other: object) -> Any:
    return self.__dict__ == other.__dict__ if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash((type(self), *self.__dict__.values()))


def _shown(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, declared in fields(type(self)).items() if declared.shown)
    return f"{type(self).__name__}({', '.join(shown)})"


def refuse(self: Any, name: str, *value: Any) -> NoReturn:
    """Stands for `__setattr__` and `__delattr__` of what does not change."""
    raise AttributeError(f"{type(self).__name__} does not change: `{name}` can't be set; use evolve()")
