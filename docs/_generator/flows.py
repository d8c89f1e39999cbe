"""What may stand in a flow beside the properties of its types, from the tables of the schema and of the loader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.loading import flow as loading_flow
from core.loading import tasks as loading_tasks
from core.model.inputs import INPUT_TYPES
from core.registry.known import PLANNED
from core.registry.language import FLOW, INPUT, OUTPUT, TASK
from docs._generator.markdown import code, joined, table

_TYPE = {"description": "What the task is: a [type](types/README.md).", "type": "string"}


def page() -> str:
    return joined(
        "# Flows",
        "A flow is a YAML file in the reference's language. No property is silently ignored: what is not known, or not "
        "supported yet, is refused before the run with its place. [Types](types/README.md) have pages of their own.",
        "## Flow",
        _properties(FLOW),
        "Also read: `pluginDefaults` (and its older word `taskDefaults`), values for the properties of a type.",
        "## Task",
        _properties({"type": _TYPE, **TASK}),
        "## Input",
        "Types: " + ", ".join(map(code, INPUT_TYPES)) + ".",
        _properties(INPUT["properties"]),
        "## Output of a flow",
        _properties(OUTPUT["properties"]),
        "## Not supported yet",
        "Refused by `check` and `run`, unless the value asks for nothing (an empty list, null).",
        table(["where", "properties"], _refused()),
        "Types of the reference that no distribution brings yet, but will: " + ", ".join(_planned()) + ".",
    )


def _properties(schema: Mapping[str, Any]) -> str:
    rows = ((code(name), _kind(one), one.get("description", "")) for name, one in schema.items())
    return table(["name", "what it is", "what it means"], rows)


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"])) if len(schema["enum"]) < 8 else "one of those above"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    kind = schema.get("type", "")
    names = {"object": "map", "array": "list", "string": "text", "integer": "whole number"}
    if isinstance(kind, list):
        return "text" if "string" in kind else "number"
    return names.get(kind, str(kind)) or "any value"


def _refused() -> Iterator[tuple[str, str]]:
    for where, module in (("flow", loading_flow), ("task", loading_tasks)):
        names: frozenset[str] = vars(module)["_UNSUPPORTED"]
        yield where, ", ".join(code(name) for name in sorted(names))


def _planned() -> list[str]:
    return [code(group + name) for group, names in PLANNED.items() for name in names]
