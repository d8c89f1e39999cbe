"""JSON Schema (2020-12) of types and of the whole flow language, for editors.

A schema accepts what the converter accepts: a text that holds an expression stands for a value of any type that is
rendered, numbers may be written as text, lists and maps as their JSON text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from core.errors import PluginError
from core.model.inputs import Input
from core.model.nodes import Step
from core.registry.convert import type_hints
from core.registry.declared import RETRIES, SLAS, Check, Concurrency, Listener, TaskCache
from core.registry.entries import TypeEntry, TypeKind
from core.registry.language import FLOW, INPUT, OUTPUT, PLUGIN_DEFAULT, TASK, TRIGGER, Schema
from core.registry.registry import Registry
from core.registry.words import instead
from core.sdk.properties import Attribute, Described, PluginType, Prop, properties, to_plain

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXPRESSION = r"\{\{|\{%"
_PATTERNS: dict[type, tuple[list[str], str]] = {
    bool: (["boolean", "string"], r"^\s*(true|false)\s*$"),
    int: (["integer", "string"], r"^\s*[+-]?[0-9]+\s*$"),
    float: (["number", "string"], r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"),
    timedelta: (["string"], r"^\s*[+-]?[Pp][0-9TWDHMStwdhms.,+-]+\s*$"),
    datetime: (["string"], r"^\s*[0-9]{4}-?[0-9]{2}-?[0-9]{2}.+$"),
    date: (["string"], r"^\s*[0-9]{4}-?[0-9]{2}-?[0-9]{2}\s*$"),
    time: (["string"], r"^\s*[0-9]{2}"),
}


def flow_schema(registry: Registry) -> Schema:
    """The schema of flow files, every type of the registry included. Types that can't be imported accept anything."""
    writer = _Writer(registry)
    definitions = {
        "duration": writer.property(timedelta, expressions=True),
        "input": INPUT,
        "output": OUTPUT,
        "task": writer.any_of("task", TASK, ("id",)),
        "runner": writer.any_of("runner", {}, ()),
        "trigger": writer.any_of("trigger", TRIGGER, ("id",)),
        "condition": writer.any_of("condition", {}, ()),
        "pluginDefault": PLUGIN_DEFAULT,
        **writer.blocks(),
    }
    return {
        "$schema": DIALECT,
        "title": "Flow",
        "type": "object",
        "properties": FLOW,
        "required": ["id", "namespace", "tasks"],
        "additionalProperties": False,
        "$defs": definitions | writer.definitions,
    }


def type_schema(registry: Registry, name: str) -> Schema:
    """The schema of one type's own properties; those that every task has are left out. Raises NotFound, PluginError."""
    writer = _Writer(registry)
    own = writer.described(registry.resolve(name))
    common: dict[TypeKind, dict[str, Schema]] = {"task": TASK, "runner": {}, "trigger": TRIGGER, "condition": {}}
    for kind, properties_of_all in common.items():
        if f"#/$defs/{kind}" in str((own, writer.definitions)):
            writer.definitions[kind] = writer.any_of(kind, properties_of_all, ("id",) if properties_of_all else ())
    used = str((own, writer.definitions))
    shared = {"input": INPUT, "pluginDefault": PLUGIN_DEFAULT, **writer.blocks()}
    duration = {"duration": writer.property(timedelta, expressions=True)}
    named = {block: schema for block, schema in shared.items() if f"#/$defs/{block}" in used}
    return {"$schema": DIALECT, **own, "$defs": duration | named | writer.definitions}


class _Writer:
    """Writes schemas; classes that are named by others are collected as definitions."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.definitions: dict[str, Schema] = {}

    def blocks(self) -> dict[str, Schema]:
        """Maps that belong to no type; of some there are kinds."""
        single: dict[str, type[Described]] = {"taskCache": TaskCache, "concurrency": Concurrency, "check": Check}
        found = {name: self.described(cls) for name, cls in single.items()}
        found["retry"] = {"anyOf": [self.described(cls) for cls in RETRIES.values()]}
        found["sla"] = {"anyOf": [self.described(cls) for cls in SLAS.values()]}
        listener = self.described(Listener)
        items = {"conditions": "condition", "tasks": "task"}
        for name, kind in items.items():
            listener["properties"][name]["items"] = {"$ref": f"#/$defs/{kind}"}
        return found | {"listener": listener}

    def any_of(self, kind: TypeKind, common: Mapping[str, Schema], required: Iterable[str]) -> Schema:
        """A map whose `type` decides what else it holds."""
        entries = self.registry.entries(kind)
        names = [name for entry in entries for name in (entry.name, *entry.aliases)]
        return {
            "type": "object",
            "properties": {"type": {"description": f"The type of the {kind}.", "enum": names}},
            "required": ["type", *required],
            "allOf": [
                {
                    "if": {"properties": {"type": {"enum": [entry.name, *entry.aliases]}}, "required": ["type"]},
                    "then": {"$ref": f"#/$defs/{self._typed(entry, common)}"},
                }
                for entry in entries
            ],
        }

    def _typed(self, entry: TypeEntry, common: Mapping[str, Schema]) -> str:
        if entry.name not in self.definitions:
            self.definitions[entry.name] = {}
            try:
                own = self.described(self.registry.resolve(entry.name))
            except PluginError as error:
                self.definitions[entry.name] = {"title": entry.name, "$comment": error.what}
            else:
                own["properties"] = {"type": True, **common, **own["properties"]}
                self.definitions[entry.name] = own
        return entry.name

    def described(self, cls: type[Described]) -> Schema:
        """A map of the properties of a class, under their names in YAML."""
        hints = type_hints(cls)
        found: dict[str, Schema] = {}
        required: list[str] = []
        for attribute, declared in properties(cls):
            schema = self._declared(hints[attribute.name], declared, attribute)
            found[declared.name] = schema
            for alias in declared.aliases:
                found[alias] = {**schema, "deprecated": True, "description": f"Older word for `{declared.name}`."}
            if attribute.required and not declared.aliases:
                required.append(declared.name)
        title, _, more = (cls.__doc__ or "").strip().partition("\n")
        described: Schema = {"title": getattr(cls, "type", "") or cls.__name__, "description": title}
        if more.strip():
            described["description"] = f"{title}\n\n{_unindented(more)}"
        return described | {
            "type": "object", "properties": found, "required": required, "additionalProperties": False,
        }  # fmt: skip

    def _declared(self, annotation: Any, declared: Prop, attribute: Attribute) -> Schema:
        schema = self.property(annotation, expressions=declared.render)
        if not attribute.required:
            schema = _or_null(schema)
        schema = {"description": declared.description, **schema}
        default = attribute.default()
        if default is not None and not declared.secret and _is_json(plain := to_plain(default)):
            schema["default"] = plain
        if declared.examples:
            schema["examples"] = list(declared.examples)
        if declared.deprecated:
            said = f"{declared.description} Deprecated: {instead(declared.deprecated)}."
            schema |= {"deprecated": True, "description": said}
        if declared.secret:
            schema["writeOnly"] = True
        return schema

    def property(self, annotation: Any, *, expressions: bool) -> Schema:
        """The schema of values that the converter accepts for an annotation."""
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self.property(arguments[0], expressions=expressions)
        if origin in (Union, UnionType):
            members = [self.property(member, expressions=expressions) for member in arguments if member is not NoneType]
            schema = members[0] if len(members) == 1 else {"anyOf": members}
            return _or_null(schema) if NoneType in arguments else schema
        if origin is Literal:
            return _choice(list(arguments), expressions)
        kind = origin or annotation
        if kind in (Any, object) or not isinstance(kind, type):
            return {}
        return self._of_class(kind, arguments, expressions)

    def _of_class(self, kind: type, arguments: tuple[Any, ...], expressions: bool) -> Schema:
        if kind in _PATTERNS:
            types, pattern = _PATTERNS[kind]
            return {"type": types, "pattern": f"{pattern}|{_EXPRESSION}" if expressions else pattern}
        if kind in (str, Path):
            return {"type": ["string", "number", "boolean"] if kind is str else "string"}
        if issubclass(kind, Enum):
            return _choice([member.value for member in kind], expressions)
        if kind is Step or kind is Input:
            return {"$ref": "#/$defs/task" if kind is Step else "#/$defs/input"}
        if issubclass(kind, PluginType) and not kind.type:
            return {"$ref": f"#/$defs/{kind.plugin_kind}"}
        if issubclass(kind, Described):
            return self._named(kind, expressions)
        if kind in (list, tuple, Sequence, Iterable):
            items = self.property(arguments[0], expressions=expressions) if arguments else {}
            return _or_text({"type": "array", "items": items}, r"^\s*\[", expressions)
        values = self.property(arguments[1], expressions=expressions) if arguments else {}
        return _or_text({"type": "object", "additionalProperties": values}, r"^\s*\{", expressions)

    def _named(self, cls: type[Described], expressions: bool) -> Schema:
        """A reference to a class's definition; written once, also when it refers to itself."""
        name = f"{cls.__module__}.{cls.__qualname__}"
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] = self.described(cls)
        text = {"type": "string", "pattern": rf"^\s*\{{|{_EXPRESSION}" if expressions else r"^\s*\{"}
        return {"anyOf": [{"$ref": f"#/$defs/{name}"}, text]}


def _choice(values: list[Any], expressions: bool) -> Schema:
    schema: Schema = {"enum": values}
    return {"anyOf": [schema, {"type": "string", "pattern": _EXPRESSION}]} if expressions else schema


def _or_text(schema: Schema, json_text: str, expressions: bool) -> Schema:
    pattern = f"{json_text}|{_EXPRESSION}" if expressions else json_text
    return {**schema, "type": [schema["type"], "string"], "pattern": pattern}


def _or_null(schema: Schema) -> Schema:
    if not schema:
        return schema
    if "anyOf" in schema:
        null = {"type": "null"}
        return schema if null in schema["anyOf"] else {**schema, "anyOf": [*schema["anyOf"], null]}
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": types if "null" in types else [*types, "null"]}


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, (str, int, float, bool))


def _unindented(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())
