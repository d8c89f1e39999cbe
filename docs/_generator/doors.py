"""A page for each door of the core: every name it offers, with its signature and what its docstring says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any, get_args

import attrs

from core.model.data import build
from core.registry.words import words
from docs._generator.markdown import code, docstring, fence, joined

_ADDRESS = re.compile(r" at 0x[0-9a-f]+|<class '([\w.]+)'>")


def page(name: str) -> str:
    """The page of one door: `core.sdk`, `core.host` or `core.testing`."""
    door = import_module(name)
    return joined(
        f"# {name}",
        docstring(door),
        fence(f"from {name} import …", "python"),
        *(_section(door, each) for each in sorted(door.__all__, key=lambda each: (each.lower(), each))),
    )


def _section(door: ModuleType, name: str) -> str:
    thing: Any = getattr(door, name)
    if inspect.isclass(thing):
        return joined(f"## {name}", docstring_of(thing), fence("\n".join(_class(thing)), "python"))
    if callable(thing) and hasattr(thing, "__name__"):
        return joined(f"## {name}", docstring(thing), fence(signature(name, thing), "python"))
    return joined(f"## {name}", _constant(name, thing))


def _constant(name: str, thing: Any) -> str:
    parts = get_args(thing)
    if parts:
        shown = " | ".join(part.__name__ if inspect.isclass(part) else repr(part) for part in parts)
        return f"One of: {code(shown)}."
    if isinstance(thing, (int, str, tuple)):
        return code(f"{name} = {thing!r}")
    return f"A {code(type(thing).__name__)} of {code(type(thing).__module__.partition('.')[0])}."


def docstring_of(cls: type) -> str:
    """The class's own docstring, not the one it inherits."""
    return inspect.cleandoc(cls.__dict__.get("__doc__") or "")


def _class(cls: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in cls.__bases__ if base is not object and base.__name__ != "Generic")
    yield f"class {cls.__name__}({bases}):" if bases else f"class {cls.__name__}:"
    body = [*_fields(cls), *_members(cls)]
    yield from (f"    {line}".rstrip() for line in body or ["..."])


def _fields(cls: type) -> Iterator[str]:
    if "__later__" in cls.__dict__ or attrs.has(cls):
        build(cls)
    if not attrs.has(cls):
        yield from (f"{name}: {kind}" for name, kind in _annotations(cls).items() if not name.startswith("_"))
        return
    for field in attrs.fields(cls):
        kind = field.type if isinstance(field.type, str) else words(field.type)
        yield f"{field.name}: {kind}{_default(field)}"


def _default(field: Any) -> str:
    if field.default is attrs.NOTHING:
        return ""
    if hasattr(field.default, "factory"):
        return " = …"
    return f" = {_plain(repr(field.default))}"


def _annotations(cls: type) -> dict[str, Any]:
    return dict(inspect.get_annotations(cls))


def _members(cls: type) -> Iterator[str]:
    """Public methods and properties that the class itself defines, each with the first line of what it says."""
    for name, member in vars(cls).items():
        if name.startswith("_") and name != "__init__":
            continue
        if name == "__init__" and (attrs.has(cls) or getattr(cls, "_is_protocol", False)):
            continue
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if not inspect.isfunction(function) or (name == "__init__" and function.__name__ == "first"):
            continue
        yield ""
        if isinstance(member, property):
            yield "@property"
        elif isinstance(member, (classmethod, staticmethod)):
            yield f"@{type(member).__name__}"
        yield f"def {signature(name, function)}"
        yield from (f"    # {line}" if line else "    #" for line in docstring(function).splitlines())


def signature(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=_Shown(parameter.annotation)) if parameter.annotation != parameter.empty else parameter
        for parameter in signature.parameters.values()
    ]
    result = signature.return_annotation
    shown = str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))
    return _plain(name + shown + (f" -> {_Shown(result)!r}" if result is not inspect.Signature.empty else ""))


class _Shown:
    """An annotation that is shown as it was written."""

    def __init__(self, annotation: Any) -> None:
        self._text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))

    def __repr__(self) -> str:
        return self._text


def _plain(text: str) -> str:
    """Without what differs from run to run."""
    text = _ADDRESS.sub(lambda match: match[1].rpartition(".")[2] if match[1] else "", text)
    return text.replace("NOTHING", "…").replace("typing.", "")


