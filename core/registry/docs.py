"""The reference page of a type, in Markdown: what `plugins doc TYPE` prints and docs/reference holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import Enum
from inspect import cleandoc
from types import UnionType
from typing import Any, get_args, get_origin

from core.errors import NotFound
from core.model.durations import format_duration
from core.registry.convert import type_hints
from core.registry.entries import PluginInfo
from core.registry.registry import Registry
from core.registry.words import instead, noun, words
from core.sdk.properties import Attribute, Described, PluginType, Prop, properties, to_plain


def type_page(registry: Registry, name: str) -> str:
    """The page of the type behind a name or an alias. Raises NotFound, PluginError."""
    cls = registry.resolve(name)
    entry = registry.find(name)
    if entry is None:
        raise NotFound(f"there is no type `{name}`")
    plugin = next(plugin for plugin in registry.plugins() if plugin.name == entry.plugin)
    title, _, more = cleandoc(cls.__doc__ or "").partition("\n")
    blocks = [f"# {entry.name}", title, more.strip(), _origin(plugin)]
    if entry.aliases:
        blocks.append("Also known as " + ", ".join(f"`{alias}`" for alias in entry.aliases) + ".")
    blocks += ["## Properties", described_table(cls), *_nested(cls), *_outputs(cls), *_examples(entry.name, cls)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _origin(plugin: PluginInfo) -> str:
    if not plugin.distribution:
        return f"From the file `{plugin.name}` of the plugins folder."
    return f"Comes with `{plugin.distribution}` {plugin.version}."


def described_table(cls: type[Described], *, outputs: bool = False) -> str:
    """One row for each property; of outputs nobody asks for defaults."""
    hints = type_hints(cls)
    rows = [
        (f"`{declared.name}`", _type_words(hints[attribute.name]), _default(attribute, declared), _said(declared))
        for attribute, declared in properties(cls)
    ]
    if not rows:
        return "None."
    head = ["| name | type | default | what it is |", "| --- | --- | --- | --- |"]
    if outputs:
        head = ["| name | type | what it is |", "| --- | --- | --- |"]
        return "\n".join([*head, *(f"| {name} | {kind} | {said} |" for name, kind, _, said in rows)])
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)])


def _type_words(annotation: Any) -> str:
    return _cell(words(annotation))


def _default(attribute: Attribute, declared: Prop) -> str:
    if attribute.required:
        return "**required**"
    default = attribute.default()
    if declared.secret or default is None or isinstance(default, Described) or default in ([], {}, "", ()):
        return ""
    return f"`{_cell(_written(default))}`"


def _said(declared: Prop) -> str:
    """The description, and all there is to know beside it."""
    said = [declared.description]
    if declared.aliases:
        said.append("Also " + ", ".join(f"`{alias}`" for alias in declared.aliases) + ".")
    if declared.deprecated:
        said.append(f"Deprecated: {instead(declared.deprecated)}.")
    if not declared.render:
        said.append("Not rendered.")
    if declared.secret:
        said.append("Never shown.")
    said.extend(f"Example: `{_written(example)}`" for example in declared.examples)
    return _cell(" ".join(said))


def _nested(cls: type[Described]) -> Iterator[str]:
    """A section for every map of properties that a property holds, however deep."""
    waiting, seen = [cls], {cls}
    while waiting:
        for hint in type_hints(waiting.pop(0)).values():
            for found in _described_in(hint):
                if found not in seen:
                    seen.add(found)
                    waiting.append(found)
                    yield f"### {noun(found)}"
                    yield cleandoc(found.__doc__ or "")
                    yield described_table(found)


def _described_in(annotation: Any) -> list[type[Described]]:
    if get_origin(annotation) is not None or isinstance(annotation, UnionType):
        return [found for argument in get_args(annotation) for found in _described_in(argument)]
    if isinstance(annotation, type) and issubclass(annotation, Described) and not issubclass(annotation, PluginType):
        return [annotation]
    return []


def _outputs(cls: type[PluginType]) -> Iterator[str]:
    output = getattr(cls, "Output", None)
    if output is not None:
        yield "## Outputs"
        yield described_table(output, outputs=True)
        yield from _nested(output)


def _examples(name: str, cls: type[PluginType]) -> Iterator[str]:
    """A task with everything that must be given, when examples for all of it were declared."""
    given = {}
    for attribute, declared in properties(cls):
        if declared.examples:
            given[declared.name] = declared.examples[0]
        elif attribute.required:
            return
    if given:
        yield "## Example"
        lines = [f"type: {name}", *(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in given.items())]
        yield "\n".join(["```yaml", *lines, "```"])


def _written(value: object) -> str:
    """A value as it is written in YAML."""
    plain = to_plain(value)
    if isinstance(plain, timedelta):
        return format_duration(plain)
    if isinstance(plain, (date, datetime, time)):
        return plain.isoformat()
    if isinstance(plain, Enum):
        return str(plain.value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, default=str)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
