"""From the properties of a flow to the task that runs: rendered, then converted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.errors import Invalid, TailraceError
from core.registry import Registry
from core.registry.convert import build
from core.registry.language import TASK
from core.registry.problem import Path, path_text
from core.sdk.properties import Described, properties
from core.sdk.tasks import RunnableTask

Render = Callable[[Any], Any]
NOT_THE_TASKS = ("id", "description", "type")


def runnable(registry: Registry, name: str) -> type[RunnableTask]:
    """The class behind a type name. Raises NotFound, PluginError, Invalid for one that does no work of its own."""
    cls = registry.resolve(name, "task")
    if not issubclass(cls, RunnableTask):
        raise Invalid(f"{name} is not a task that can run", where="$.type")
    return cls


def rendered(cls: type[Described], raw: Mapping[str, Any], render: Render) -> dict[str, Any]:
    """Its properties with their expressions rendered, but for those that the class renders itself."""
    kept = [declared.name for _, declared in properties(cls) if not declared.render]
    return {name: value if name in kept else _rendered(name, value, render) for name, value in raw.items()}


def as_far_as_known(cls: type[Described], raw: Mapping[str, Any], render: Render) -> dict[str, Any]:
    """As `rendered`, but what can't be rendered stays as it is."""
    values: dict[str, Any] = {}
    for name, value in raw.items():
        try:
            values.update(rendered(cls, {name: value}, render))
        except TailraceError:
            values[name] = value
    return values


def _rendered(name: str, value: Any, render: Render) -> Any:
    try:
        return render(value) if not isinstance(value, (int, float)) else value
    except TailraceError as error:
        error.where = error.where or path_text((name, *_inside(value, render)))
        raise


def _inside(value: Any, render: Render) -> Path:
    """Where in a map or a list the text stands that can't be rendered."""
    listed = enumerate(value) if isinstance(value, (list, tuple)) else ()
    items = value.items() if isinstance(value, Mapping) else listed
    for key, item in items:
        try:
            render(item)
        except TailraceError:
            return (key, *_inside(item, render))
    return ()


def built(registry: Registry, raw: Mapping[str, Any], render: Render) -> RunnableTask:
    """The task that a map describes, to run inside the attempt of another. Raises Invalid, NotFound."""
    name = raw.get("type")
    if not isinstance(name, str):
        raise Invalid("the task has no `type`", where="$.type", expected="the type of a task")
    cls = runnable(registry, name)
    for word in raw:
        if word in TASK and word not in NOT_THE_TASKS:
            raise Invalid(
                f"`{word}` can't be given here", where=f"$.{word}", hint="write it on the task around this one"
            )
    own = {word: value for word, value in raw.items() if word not in NOT_THE_TASKS}
    return build(cls, rendered(cls, own, render), registry)
