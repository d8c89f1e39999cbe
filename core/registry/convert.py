"""The one strict converter: values as YAML or rendering gives them → what a property declares.

An annotation is compiled once into a function. Nothing is guessed: booleans only from true and false, whole numbers
not from 5.7, texts not from maps, lists or null; lists and maps also from their JSON text. A union takes the member of
exactly the value's type first, then its members as they are written, text last.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from functools import cache, lru_cache
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from core.errors import Invalid, NotFound, PluginError
from core.model.data import data
from core.model.inputs import Input
from core.model.near import did_you_mean, near_misses
from core.model.nodes import Step
from core.registry.problem import Mismatch, PropertyProblem, conversion_error
from core.registry.registry import Registry
from core.registry.scalars import SCALARS, to_map
from core.registry.shapes import (
    Context,
    Convert,
    choice,
    instance_of,
    is_template,
    mapping,
    optional,
    sequence,
    unchanged,
    union,
)
from core.registry.words import instead, noun, words
from core.sdk.properties import Described, PluginType, properties

D = TypeVar("D", bound=Described)
_QUOTES = frozenset("'\"")


def convert(value: object, annotation: Any, path: str = "$", registry: Registry | None = None) -> Any:
    """A value as the annotation declares it. Raises ConversionError whose `where` is the place below `path`."""
    try:
        return compiled(annotation)(value, Context(registry))
    except Mismatch as error:
        raise conversion_error(error.problems, path) from None


def build(
    cls: type[D], values: Mapping[str, object], registry: Registry, path: str = "$", *, expressions: bool = False
) -> D:
    """An instance of a class from values under their names in YAML.

    expressions: the values are not rendered yet, so a text that holds an expression is taken as it is for a property
    of any type (but not where `render=False`), and checks that the class makes itself wait until all is rendered.
    Raises ConversionError that says everything that is wrong: unknown properties, missing ones, wrong types.
    """
    try:
        found: D = _structure(cls, values, Context(registry, expressions))
    except Mismatch as error:
        raise conversion_error(error.problems, path) from None
    return found


def problems(cls: type[Described], values: Mapping[str, object], registry: Registry) -> list[PropertyProblem]:
    """Everything that is wrong with values that are not rendered yet, deprecated properties as warnings."""
    try:
        _structure(cls, values, Context(registry, expressions=True, warn=True))
    except Mismatch as error:
        return list(error.problems)
    return []


def compiled(annotation: Any) -> Convert:
    """The function that converts to an annotation. Raises PluginError for what no property can be."""
    return _compiled(annotation, "" if isinstance(annotation, type) else repr(annotation))


@lru_cache(maxsize=1024)
def _compiled(annotation: Any, written: str) -> Convert:
    """`written` keeps `int | bool` and `bool | int` apart, which Python holds for equal."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return compiled(arguments[0])
    if origin in (Union, UnionType):
        members = [(argument, compiled(argument)) for argument in arguments if argument is not NoneType]
        convert_member = members[0][1] if len(members) == 1 else union(members)
        return convert_member if len(members) == len(arguments) else optional(convert_member)
    if origin is Literal:
        return choice({value: value for value in arguments})
    kind = origin or annotation
    if kind is Any or kind is object:
        return unchanged
    if isinstance(kind, type):
        found = _of_class(kind, arguments)
        if found is not None:
            return found
    raise PluginError(f"a property can't be of type `{written or kind.__name__}`")


def _of_class(kind: type, arguments: tuple[Any, ...]) -> Convert | None:
    if kind in SCALARS:
        return SCALARS[kind][0]
    if issubclass(kind, Enum):
        return choice({member.value: member for member in kind})
    if issubclass(kind, PluginType):
        return _typed(kind)
    if issubclass(kind, Described):
        return _described(kind)
    if kind is Step or kind is Input:
        return instance_of(kind)
    if kind in (list, Sequence, Iterable):
        return sequence(None, compiled(arguments[0] if arguments else Any))
    if kind is tuple and arguments[1:] == (Ellipsis,):
        return sequence(tuple, compiled(arguments[0]))
    if kind is dict or kind is Mapping:
        key, item = arguments or (Any, Any)
        return mapping(compiled(key), compiled(item))
    return None


def _described(cls: type[Described]) -> Convert:
    """A map of properties → an instance; an instance stays what it is."""

    def structured(value: Any, context: Context) -> Any:
        return value if isinstance(value, cls) else _structure(cls, to_map(value), context)

    return structured


def _typed(base: type[PluginType]) -> Convert:
    """A map with a `type` → an instance of that type, which must be of the kind that is asked for."""

    def structured(value: Any, context: Context) -> Any:
        if isinstance(value, base):
            return value
        given = to_map(value)
        own = {name: item for name, item in given.items() if name != "type"}
        return _structure(_type_of(base, given, context.registry), own, context)

    return structured


def _type_of(base: type[PluginType], given: Mapping[str, Any], registry: Registry | None) -> type[PluginType]:
    name = given.get("type", base.type)
    if not isinstance(name, str) or not name:
        raise Mismatch([PropertyProblem((), "`type` is missing", f"the type of the {noun(base)}")])
    if name == base.type:
        return base
    if registry is None:
        raise PluginError(f"`{name}` can't be looked up here")
    try:
        found = registry.resolve(name, base.plugin_kind)
    except (NotFound, PluginError) as error:
        raise Mismatch([PropertyProblem(("type",), error.what, error.expected, error.hint)]) from None
    if not issubclass(found, base):
        raise Mismatch([PropertyProblem(("type",), f"`{name}` is not a {noun(base)}")])
    return found


@data
class _Field:
    """One property, ready for use. attribute: its argument when the class is called."""

    name: str
    attribute: str
    convert: Convert
    annotation: Any
    required: bool
    render: bool
    secret: bool
    deprecated: str


@data
class _Plan:
    """How to make instances of one class. fields: by name and alias. quick: the same, what the fast way needs."""

    fields: Mapping[str, _Field]
    quick: Mapping[str, tuple[str, Convert]]
    required: tuple[_Field, ...]
    needed: frozenset[str]
    deprecates: bool


@cache
def _plan(cls: type[Any]) -> _Plan:
    hints = type_hints(cls)
    fields: dict[str, _Field] = {}
    for attribute, declared in properties(cls):
        annotation = hints[attribute.name]
        field = _Field(
            declared.name, attribute.name, compiled(annotation), annotation,
            attribute.required, declared.render, declared.secret, declared.deprecated,
        )  # fmt: skip
        for name in (declared.name, *declared.aliases):
            fields[name] = field
    required = tuple(field for name, field in fields.items() if field.required and name == field.name)
    quick = {name: (field.attribute, field.convert) for name, field in fields.items()}
    deprecates = any(field.deprecated for field in fields.values())
    return _Plan(fields, quick, required, frozenset(field.attribute for field in required), deprecates)


def type_hints(cls: type[Described]) -> dict[str, Any]:
    """The types of a class's properties. Raises PluginError for an annotation that can't be evaluated.

    Names mean what they mean in the module, then what the class holds (`Output`); annotations of class variables are
    left alone, since `type` is one of them and hides the builtin.
    """
    found: dict[str, Any] = {}
    wanted = {attribute.name for attribute, _ in properties(cls)}
    for base in reversed(cls.__mro__):
        own = {name: hint for name, hint in vars(base).get("__annotations__", {}).items() if name in wanted}
        if not own:
            continue
        module = vars(sys.modules[base.__module__])
        try:
            found.update(_evaluated(own, dict(vars(base)), module))
        except (NameError, TypeError, AttributeError, SyntaxError) as error:
            raise PluginError(
                f"the annotations of `{base.__module__}.{base.__qualname__}` can't be read: {error}",
                hint="import what they name at the top of the module, not under TYPE_CHECKING",
            ) from error
    return found


def _evaluated(hints: dict[str, Any], names: dict[str, Any], module: dict[str, Any]) -> dict[str, Any]:
    """As typing.get_type_hints, which is only asked where a text may stand within: it compiles, a millisecond once."""
    if all(isinstance(hint, str) and not _QUOTES & set(hint) for hint in hints.values()):
        return {name: NoneType if hint == "None" else eval(hint, names, module) for name, hint in hints.items()}
    return get_type_hints(SimpleNamespace(__annotations__=hints), names, module)


def _structure(cls: Any, values: Mapping[Any, Any], context: Context) -> Any:
    """An instance of a class, or every problem with its values together.

    The fast way holds when all is well; whatever it stumbles over is looked at again, property by property.
    """
    plan = _plan(cls)
    if not (context.warn and plan.deprecates):
        quick, found = plan.quick, {}
        try:
            for name, value in values.items():
                attribute, convert_value = quick[name]
                found[attribute] = convert_value(value, context)
        except (KeyError, Mismatch):
            return _structure_slowly(cls, plan, values, context)
        if len(found) == len(values) and plan.needed <= found.keys():
            return _instance(cls, plan, values, found, context)
    return _structure_slowly(cls, plan, values, context)


def _structure_slowly(cls: Any, plan: _Plan, values: Mapping[Any, Any], context: Context) -> Any:
    fields = plan.fields
    found: dict[str, Any] = {}
    wrong: list[PropertyProblem] = []
    for name, value in values.items():
        field = fields.get(name)
        if field is None:
            if name != "type" or not issubclass(cls, PluginType):
                wrong.append(_unknown(name, plan))
            continue
        if field.attribute in found:
            what = f"`{name}` is another name of a property that is given already"
            wrong.append(PropertyProblem((name,), what, kind="twice"))
        if field.deprecated and context.warn:
            what, hint = f"`{name}` is deprecated", instead(field.deprecated)
            wrong.append(PropertyProblem((name,), what, hint=hint, severity="warning", kind="deprecated"))
        try:
            found[field.attribute] = field.convert(value, context)
        except Mismatch as error:
            if field.render and context.stands_in(value):
                found[field.attribute] = value
            elif value is not None or field.required:
                wrong.extend(_hidden(field) if field.secret else error.below(name))
    for field in plan.required:
        if field.attribute not in found and not any(name in values for name, other in fields.items() if other is field):
            wrong.append(PropertyProblem((), f"`{field.name}` is missing", words(field.annotation)))
    if any(problem.severity == "error" for problem in wrong):
        raise Mismatch(wrong)
    instance = _instance(cls, plan, values, found, context, wrong)
    if wrong:
        raise Mismatch(wrong)
    return instance


def _instance(
    cls: Any, plan: _Plan, values: Mapping[Any, Any], found: dict[str, Any], context: Context,
    warnings: Iterable[PropertyProblem] = (),
) -> Any:  # fmt: skip
    """found: the converted values, by attribute."""
    if context.expressions:
        fields = plan.fields
        for name, value in values.items():
            if name in fields and fields[name].render and _holds_expression(value):
                return _unchecked(cls, found)
    return _made(cls, found, warnings)


def _made(cls: Any, found: dict[str, Any], warnings: Iterable[PropertyProblem] = ()) -> Any:
    """The instance; what the class itself checks of its properties is a problem like all others."""
    try:
        return cls(**found)
    except Invalid as error:
        raise Mismatch([PropertyProblem((), error.what, error.expected, error.hint), *warnings]) from None
    except ValueError as error:
        raise Mismatch([PropertyProblem((), str(error)), *warnings]) from None


def _unchecked(cls: type[Described], found: dict[str, Any]) -> Any:
    """An instance of which some properties still are expressions: the class's own checks would not understand them."""
    instance = cls.__new__(cls)
    for attribute, _ in properties(cls):
        value = found[attribute.name] if attribute.name in found else attribute.default()
        object.__setattr__(instance, attribute.name, value)
    return instance


def _holds_expression(value: object) -> bool:
    if isinstance(value, str):
        return is_template(value)
    if isinstance(value, Mapping):
        return any(_holds_expression(key) or _holds_expression(item) for key, item in value.items())
    return isinstance(value, (list, tuple)) and any(_holds_expression(item) for item in value)


def _unknown(name: object, plan: _Plan) -> PropertyProblem:
    near = near_misses(str(name), plan.fields)
    path = (name if isinstance(name, int) else str(name),)
    if near:
        return PropertyProblem(path, f"there is no property `{name}`", hint=did_you_mean(near), kind="unknown")
    known = ", ".join(sorted({field.name for field in plan.fields.values()})) or "no properties"
    return PropertyProblem(path, f"there is no property `{name}`", expected=known, kind="unknown")


def _hidden(field: _Field) -> list[PropertyProblem]:
    """What is wrong with a secret, without a word of it."""
    expected = words(field.annotation)
    return [PropertyProblem((field.name,), f"the value of `{field.name}` is not {expected}", expected)]
