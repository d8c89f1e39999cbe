"""How a plugin declares what it can be told: one class is parsing, checking, schema, reference page and completion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, ClassVar, Literal, dataclass_transform

from core.model.data import MISSING, Field, data, evolve, fields, give_constructor, refuse


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


class _Declared(Field):
    """What `prop` leaves in the class."""

    __slots__ = ("declared",)

    def __init__(self, default: Any, factory: Callable[[], Any] | None, declared: Prop) -> None:
        super().__init__(default, factory, True)
        self.declared = declared


class Attribute:
    """Where a property is kept in its class. name: of the attribute, and of the constructor's argument."""

    __slots__ = ("_field", "name")

    def __init__(self, name: str, field: Field) -> None:
        self.name = name
        self._field = field

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self._field.default is MISSING and self._field.factory is None

    def default(self) -> Any:
        """What it is when it is not given; made anew each time where a factory was declared. None when required."""
        if self._field.factory is not None:
            return self._field.factory()
        return None if self._field.default is MISSING else self._field.default


def prop(
    description: str,
    *,
    default: Any = MISSING,
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
    return _Declared(default, factory, Prop(description, name, aliases, deprecated, render, secret, examples))


def yaml_name(attribute: str) -> str:
    """`container_image` → `containerImage`, `from_` → `from`."""
    first, *others = attribute.rstrip("_").split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)


class _AsAttrs:
    """`__attrs_attrs__`, by which attrs and cattrs know their classes: made when one of them asks."""

    def __get__(self, instance: object, owner: type) -> Any:
        return _attributes(owner)


@cache
def _attributes(owner: type) -> Any:
    import attrs  # noqa: PLC0415 - a fifth of a small run, and nothing of ours asks

    made = {
        name: attrs.field(
            default=attrs.NOTHING if declared.default is MISSING and declared.factory is None
            else attrs.Factory(declared.factory) if declared.factory is not None else declared.default,
            kw_only=True,
        )
        for name, declared in fields(owner).items()
    }  # fmt: skip
    return attrs.make_class(owner.__name__, made, frozen=True).__attrs_attrs__  # type: ignore[attr-defined]


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(prop,))
class Described:
    """Base of everything declared with `prop`: its subclasses do not change, and are made from keyword arguments.

    To attrs they are frozen classes of its own: `attrs.fields`, `attrs.evolve`, `attrs.asdict` and cattrs take them.
    A subclass may check its properties in `__post_init__(self)` (or as attrs calls it, `__attrs_post_init__`); it
    raises Invalid.
    """

    __attrs_attrs__ = _AsAttrs()
    __setattr__ = refuse
    __delattr__ = refuse

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__attrs_post_init__" in cls.__dict__:
            cls.__post_init__ = cls.__attrs_post_init__  # type: ignore[attr-defined]
        give_constructor(cls, only_by_name=True)


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


def properties(cls: type[Described]) -> tuple[tuple[Attribute, Prop], ...]:
    """The declared properties of a class in their order, names in YAML filled in."""
    known: tuple[tuple[Attribute, Prop], ...] | None = cls.__dict__.get("__declared__")
    if known is None:
        known = tuple(_declared(cls))
        cls.__declared__ = known  # type: ignore[attr-defined]
    return known


def _declared(cls: type[Described]) -> Iterator[tuple[Attribute, Prop]]:
    for name, field in fields(cls).items():
        if isinstance(field, _Declared):
            declared = field.declared
            yield Attribute(name, field), declared if declared.name else evolve(declared, name=yaml_name(name))


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
