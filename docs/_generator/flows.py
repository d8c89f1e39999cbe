"""What may stand in a flow beside the properties of its types, from the tables of the schema and of the loader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import cleandoc
from typing import Any

from core.loading.shapes import ENTERPRISE
from core.model.inputs import INPUT_TYPES
from core.registry import declared
from core.registry.docs import described_table
from core.registry.known import PLANNED
from core.registry.language import FLOW, INPUT, OUTPUT, PLUGIN_DEFAULT, TASK, TRIGGER
from core.sdk.properties import Described
from docs._generator.markdown import code, joined, table

_TYPE = {"description": "What the task is: a [type](types/README.md).", "type": "string"}


def page() -> str:
    return joined(
        "# Flows",
        "A flow is a YAML file in the reference's language. No property is silently ignored: what is not known, or is "
        "refused for a reason, is told before the run. [Types](types/README.md) have pages of their own.",
        "## Flow",
        _properties(FLOW),
        "## Task",
        _properties({"type": _TYPE, **TASK}),
        "## Input",
        "Types: " + ", ".join(map(code, INPUT_TYPES)) + ".",
        _properties(INPUT["properties"]),
        "## Output of a flow",
        _properties(OUTPUT["properties"]),
        "## Trigger",
        "Its own properties stand on the page of its type. Triggers are checked and kept; they start nothing yet.",
        _properties({"type": {**_TYPE, "description": "What the trigger is: a [type](types/README.md)."}, **TRIGGER}),
        *_blocks(),
        "## Value for the properties of a type",
        "An entry of `pluginDefaults`.",
        _properties(PLUGIN_DEFAULT["properties"]),
        "## Refused",
        "By `check` and `run`, unless the value asks for nothing (an empty list, null).",
        table(["property", "why"], ((code(name), f"It {why}.") for name, why in ENTERPRISE.items())),
        "## Not supported yet",
        "Types of the reference that no distribution brings yet, but will: " + ", ".join(_planned()) + ".",
    )


def _blocks() -> Iterator[str]:
    """Maps that belong to no type."""
    blocks: dict[str, tuple[type[Described], ...]] = {
        "Retry": tuple(declared.RETRIES.values()), "Cache of a task": (declared.TaskCache,),
        "Concurrency": (declared.Concurrency,), "Promise (`sla`)": tuple(declared.SLAS.values()),
        "Check": (declared.Check,), "Listener": (declared.Listener,),
    }  # fmt: skip
    for title, classes in blocks.items():
        yield f"## {title}"
        for cls in classes:
            yield cleandoc(cls.__doc__ or "")
            yield described_table(cls)


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


def _planned() -> list[str]:
    return [code(group + name) for group, names in PLANNED.items() for name in names]
