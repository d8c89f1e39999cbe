"""A page for each door of the core: every name it offers, with its signature and what its docstring says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType, UnionType
from typing import Any, get_args, get_origin

import attrs

from core.host import deployment, product, records, seam, services, views
from core.model.data import MISSING, Field, is_data
from core.model.data import fields as data_fields
from core.sdk.properties import Described
from docs._generator.markdown import code, docstring, fence, joined

_OBJECT = re.compile(r"<[\w.]+ object at 0x[0-9a-f]+>|<class '[\w.]+'>")
_QUOTED = re.compile(r"'([^'\"]*)'")
_COMMA = re.compile(r", (?![^\[(]*[\])])")
_MADE = re.compile(r"^(?:class )?([A-Z]\w+)(?=[(:]| = )", re.MULTILINE)
_WIDEST = 110


def page(name: str) -> str:
    """The page of one door: `core.sdk`, `core.host` or `core.testing`."""
    door = import_module(name)
    return joined(
        f"# {name}",
        docstring(door),
        fence(f"from {name} import …", "python"),
        *(_section(door, each) for each in sorted(door.__all__, key=lambda each: (each.lower(), each))),
    )


def extending() -> str:
    """The page of `core.host`: the door, and module by module what stands behind its names."""
    door = import_module("core.host")
    return joined(
        page("core.host"),
        *(_behind(module, door.__all__) for module in (seam, records, product, views, deployment)),
        _for_databases(),
    )


def _for_databases() -> str:
    """What stores over a database of SQL begin with. The methods of `SqlRecords` are those of the contract."""
    door = import_module("core.records")
    whole, named = ("Database", "Cursor"), ("SqlRecords", "Writer", "core_statements")
    return joined(
        "# core.records",
        docstring(door),
        fence("from core.records import …", "python"),
        *(_section(door, name) for name in whole),
        *(joined(f"## {name}", docstring(getattr(door, name))) for name in named),
    )


def embedding() -> str:
    """The page of `core.app`, with the services that an app offers."""
    offered = ("Executions", "Outputs", "Changes", "Feed", "Flows", "Files", "KeyValueStore", "Evaluator")
    whole = ("Keys", "Serving")
    return joined(
        page("core.app"),
        *(_section(services, name) for name in offered),
        *(_section(deployment, name) for name in whole),
    )


def _behind(module: ModuleType, shown: list[str]) -> str:
    """What a module of a door holds beside the names that the door shows."""
    names = [name for name in _own_names(module) if name not in shown]
    return joined(
        f"# {module.__name__}",
        docstring(module),
        fence(f"from {module.__name__} import …", "python"),
        *(_section(module, name) for name in names),
    )


def _own_names(module: ModuleType) -> list[str]:
    """The classes that a module makes, and the names that it gives to types, in its order."""
    public = [name for name in _MADE.findall(inspect.getsource(module)) if not name.startswith("_")]
    return [name for name in public if inspect.isclass(getattr(module, name)) or get_args(getattr(module, name))]


def _section(door: ModuleType, name: str) -> str:
    thing: Any = getattr(door, name)
    if inspect.isclass(thing):
        return joined(f"## {name}", _own_docstring(thing), fence("\n".join(_class(thing)), "python"), _tests(thing))
    if inspect.isfunction(thing):
        lines = function_lines(name, thing, with_docstring=False)
        return joined(f"## {name}", docstring(thing), fence("\n".join(lines), "python"))
    return joined(f"## {name}", _constant(name, thing))


def _constant(name: str, thing: Any) -> str:
    if inspect.isclass(get_origin(thing)) and not isinstance(thing, UnionType):
        return code(_plain(f"{name} = {thing!r}"))
    if parts := get_args(thing):
        shown = " | ".join(part.__name__ if inspect.isclass(part) else repr(part) for part in parts)
        return f"One of: {code(_plain(shown))}."
    if isinstance(thing, (int, str, tuple)):
        return code(_plain(f"{name} = {thing!r}"))
    return f"A {code(type(thing).__name__)} of {code(type(thing).__module__.partition('.')[0])}."


def _own_docstring(cls: type) -> str:
    """Not the one it inherits."""
    return inspect.cleandoc(cls.__dict__.get("__doc__") or "")


def _class(cls: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in cls.__bases__ if base is not object and base.__name__ != "Generic")
    head = f"class {cls.__name__}({bases}):" if bases else f"class {cls.__name__}:"
    fields, members = list(_fields(cls)), list(_members(cls))
    body = [*fields, *(members if fields else members[1:])]
    yield head if body else f"{head} ..."
    yield from (f"    {line}".rstrip() for line in body)


def _fields(cls: type) -> Iterator[str]:
    if is_data(cls):
        kinds = inspect.get_annotations(cls)
        own = ((name, declared) for name, declared in data_fields(cls).items() if name in kinds)
        yield from (f"{name}: {_annotation(kinds[name])}{_default(declared)}" for name, declared in own)
        return
    if issubclass(cls, Described):
        kinds = {name: kind for one in reversed(cls.__mro__) for name, kind in inspect.get_annotations(one).items()}
        yield from (f"{name}: {_annotation(kinds[name])}{_default(one)}" for name, one in data_fields(cls).items())
        return
    if attrs.has(cls):
        yield from (f"{field.name}: {_annotation(field.type)}{_default(field)}" for field in attrs.fields(cls))
        return
    annotations = inspect.get_annotations(cls)
    yield from (f"{name}: {_annotation(kind)}" for name, kind in annotations.items() if not name.startswith("_"))


def _annotation(kind: Any) -> str:
    return _plain(kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind)))


def _default(field: Any) -> str:
    if isinstance(field, Field) and field.factory is not None:
        return " = …"
    if field.default in (attrs.NOTHING, MISSING):
        return ""
    if hasattr(field.default, "factory"):
        return " = …"
    if is_data(type(field.default)):
        return f" = {type(field.default).__name__}()"
    return f" = {_plain(repr(field.default))}"


def _members(cls: type) -> Iterator[str]:
    """What the class itself defines in public: methods, properties, fixtures with a docstring; tests are told apart."""
    for name, member in vars(cls).items():
        fixture = getattr(member, "_get_wrapped_function", None)  # of what pytest makes of one
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        function = fixture() if fixture else function
        if not inspect.isfunction(function) or (name.startswith(("_", "test_")) and name != "__init__"):
            continue
        if fixture and not docstring(function):
            continue
        if name == "__init__" and (_has_made_constructor(cls) or getattr(cls, "_is_protocol", False)):
            continue
        yield ""
        if fixture:
            yield "@pytest.fixture"
        if isinstance(member, (property, classmethod, staticmethod)):
            yield f"@{type(member).__name__}"
        yield from function_lines(name, function)


def _has_made_constructor(cls: type) -> bool:
    """Whether nobody wrote the constructor: the fields say all that there is to say."""
    return is_data(cls) or attrs.has(cls) or issubclass(cls, Described)


def _tests(cls: type) -> str:
    """What a contract asks for, in the words of its tests."""
    names = [name for each in reversed(cls.__mro__) for name in vars(each) if name.startswith("test_")]
    said = "\n".join(f"- {name.removeprefix('test_').replace('_', ' ')}" for name in dict.fromkeys(names))
    return f"What it asks for:\n\n{said}" if said else ""


def function_lines(name: str, function: Any, *, with_docstring: bool = True) -> Iterator[str]:
    """A function as it would be written without its body."""
    signature = inspect.signature(function)
    parameters = [_parameter(parameter) for parameter in signature.parameters.values()]
    result = "" if signature.return_annotation is signature.empty else f" -> {_annotation(signature.return_annotation)}"
    bare = signature.replace(parameters=parameters, return_annotation=signature.empty)
    head = _plain(f"def {name}{bare}{result}:")
    said = docstring(function).splitlines() if with_docstring else []
    if len(head) > _WIDEST:
        inside, closing = head[len(f"def {name}(") :].rsplit(")", 1)
        yield f"def {name}("
        yield from (f"    {part}," for part in _COMMA.split(inside))
        yield f"){closing}" if said else f"){closing} ..."
    else:
        yield head if said else f"{head} ..."
    if said:
        first, *rest = said
        yield f'    """{first}' if rest else f'    """{first}"""'
        yield from (f"    {line}" if line else "" for line in rest)
        if rest:
            yield '    """'


def _parameter(parameter: inspect.Parameter) -> inspect.Parameter:
    if parameter.annotation is parameter.empty:
        return parameter
    return parameter.replace(annotation=_Shown(_annotation(parameter.annotation)))


class _Shown:
    """An annotation that is shown as it was written."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _plain(text: str) -> str:
    """Texts in double quotes, and nothing that differs from run to run."""
    text = _OBJECT.sub("…", text.replace("typing.", "").replace("NOTHING", "…"))
    return _QUOTED.sub(r'"\1"', text)
