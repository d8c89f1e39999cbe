"""From a task instance written in a test back to what a flow would say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import Invalid
from core.sdk.properties import Described, PluginType, properties
from core.sdk.tasks import Task


def raw_task(task: Task | type[Task] | Mapping[str, object]) -> dict[str, Any]:
    """The map that a flow would hold for a task: `type` and properties. Raises Invalid when there is no `type`.

    The classes do not convert, so an instance holds what it was given: texts with expressions included. A value equal
    to the default is left out.
    """
    if isinstance(task, type):
        return {"type": task.type}
    raw = raw_value(task) if isinstance(task, Task) else dict(task)
    if not isinstance(raw.get("type"), str) or not raw["type"]:
        raise Invalid("this task has no `type`", expected='an instance, a class, or a map such as {"type": "log.Log"}')
    return dict(raw)


def raw_value(value: object) -> Any:
    """Instances as maps under their names in YAML, wherever they are inside of lists and maps."""
    if isinstance(value, Described):
        raw: dict[str, Any] = {"type": value.type} if isinstance(value, PluginType) else {}
        for attribute, declared in properties(type(value)):
            given = raw_value(getattr(value, attribute.name))
            if attribute.required or not _same(given, raw_value(attribute.default())):
                raw[declared.name] = given
        return raw
    if isinstance(value, Mapping):
        return {key: raw_value(item) for key, item in value.items()}
    return [raw_value(item) for item in value] if isinstance(value, (list, tuple)) else value


def _same(given: object, default: object) -> bool:
    """1, 1.0 and true are equal and not the same."""
    return type(given) is type(default) and given == default
