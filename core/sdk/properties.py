"""How a plugin declares what it can be told: one class is parsing, checking, schema, reference page and completion."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Literal, TypeVar, dataclass_transform

import attrs

from core.model.data import data, evolve

T = TypeVar("T")
_META = "tailrace"
_building = threading.RLock()
_WORD = r"_+([a-zA-Z0-9])"


@data
class Prop:
    """What is known of one property beside its Python type.

    name: as written in YAML. aliases: older names that are read as well. deprecated: what to use instead, or "".
    render: expressions in its value are rendered before `run` is called. secret: its value is never shown.
    """

    description: str
    name: str = ""
    aliases: tuple[str, ...] = ()
    deprecated: str = ""
    render: bool = True
    secret: bool = False
    examples: tuple[object, ...] = ()


def prop(
    description: str,
    *,
    default: Any = attrs.NOTHING,
    factory: Callable[[], Any] | None = None,
    name: str = "",
    aliases: tuple[str, ...] = (),
    deprecated: str = "",
    render: bool = True,
    secret: bool = False,
    examples: tuple[object, ...] = (),
) -> Any:
    """Declare a property (or an output) of a plugin class.

    description: one sentence, shown in docs, editors and messages. Without default and factory it must be given.
    `container_image` is `containerImage` in YAML; a trailing underscore is dropped; `name` overrides both.
    """
    declared = Prop(description, name, aliases, deprecated, render, secret, examples)
    chosen: Any = attrs.Factory(factory) if factory is not None else default
    return attrs.field(default=chosen, metadata={_META: declared})


def yaml_name(attribute: str) -> str:
    """`container_image` → `containerImage`, `from_` → `from`."""
    return re.sub(_WORD, lambda match: match.group(1).upper(), attribute.rstrip("_"))


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(prop,))
class Described:
    """Base of everything declared with `prop`: subclasses become frozen, keyword-only attrs classes by themselves."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)

        def first(self: Any, **values: Any) -> None:
            build(cls)
            self.__init__(**values)

        cls.__init__ = first  # type: ignore[method-assign]
        cls.__later__ = first  # type: ignore[attr-defined]


def build(cls: type[Described]) -> None:
    """Turn a class, and those it inherits from, into the attrs class it declares; done when it is first needed."""
    if not _waits(cls):
        return
    with _building:
        for one in reversed(cls.__mro__):
            if _waits(one):  # its constructor stands until attrs puts its own there: other threads may call it now
                attrs.define(one, frozen=True, kw_only=True, slots=False, eq=False, repr=False, init=True)


def _waits(cls: type) -> bool:
    """Whether a class is still to be built. The last thing that attrs gives it which anybody needs is `__init__`."""
    first = cls.__dict__.get("__later__")
    return first is not None and cls.__dict__.get("__init__") is first


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(prop,))
class PluginType(Described):
    """Base of what can stand behind `type:` in YAML."""

    type: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    deprecated: ClassVar[str] = ""
    """What it is understood as, or what to use instead: a warning says so where a flow uses it."""
    plugin_kind: ClassVar[Literal["task", "runner", "trigger", "condition"]] = "task"
    """Where it may stand."""

    def __init_subclass__(
        cls, *, type: str = "", aliases: tuple[str, ...] = (), deprecated: str = "", **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.type = type
        cls.aliases = aliases
        cls.deprecated = deprecated


def properties(cls: type[Described]) -> tuple[tuple[attrs.Attribute[Any], Prop], ...]:
    """The declared properties of a class in their order, names in YAML filled in."""
    known: tuple[tuple[attrs.Attribute[Any], Prop], ...] | None = cls.__dict__.get("__declared__")
    if known is None:
        build(cls)
        known = tuple(_declared(cls))
        cls.__declared__ = known  # type: ignore[attr-defined]
    return known


def _declared(cls: type[Described]) -> Iterator[tuple[attrs.Attribute[Any], Prop]]:
    for attribute in attrs.fields(cls):  # type: ignore[arg-type] # it is one now
        declared: Prop | None = attribute.metadata.get(_META)
        if declared is not None:
            yield attribute, declared if declared.name else evolve(declared, name=yaml_name(attribute.name))


def to_plain(value: object) -> Any:
    """A declared value as maps and lists under its names in YAML: what is recorded and what expressions see."""
    if isinstance(value, Described):
        return {
            declared.name: to_plain(getattr(value, attribute.name)) for attribute, declared in properties(type(value))
        }
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value
