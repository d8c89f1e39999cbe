"""What loading needs to know of a task type, looked up once for each."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Any, get_args, get_origin

from core.errors import NotFound, PluginError
from core.loading.problems import Findings
from core.model.data import data
from core.model.inputs import Input
from core.model.nodes import Step
from core.registry.convert import compiled, type_hints
from core.registry.problem import Path, shown
from core.registry.registry import Registry
from core.sdk.properties import Described, properties
from core.sdk.tasks import FlowTask, RunnableTask, Task


@data
class TaskType:
    """A task type by names in YAML.

    names: all its properties. children: those that hold tasks, and inputs: those that hold declared inputs, each with
    its annotation. needed: lists of tasks that have to be there, each by all its names. verbatim: those that are not
    rendered.
    """

    cls: type[Task]
    names: frozenset[str]
    children: Mapping[str, Any]
    inputs: Mapping[str, Any]
    needed: tuple[tuple[str, ...], ...]
    verbatim: frozenset[str]


class TaskTypes:
    """The types of a flow's tasks."""

    def __init__(self, registry: Registry, findings: Findings) -> None:
        self.registry = registry
        self.findings = findings
        self._types: dict[str, TaskType] = {}

    def of(self, raw: Mapping[str, object], path: Path) -> TaskType | None:
        """The type of a task; what is wrong with it is reported for every task by itself."""
        name = raw.get("type")
        if isinstance(name, str) and name in self._types:
            return self._types[name]
        place = (*path, "type")
        if not isinstance(name, str):
            what = "Invalid type: null" if name is None else f"{shown(name)} is not the name of a type"
            self.findings.add(place, what, "the type of a task, such as log.Log", "add `type: …` to the task")
            return None
        try:
            cls = self.registry.resolve(name, "task")
            if not issubclass(cls, (RunnableTask, FlowTask)):
                expected = "the type of a task, such as log.Log"
                self.findings.add(place, f"Invalid type: {name} is not a task", expected)
                return None
            found = self._types[name] = described(cls)
        except NotFound as error:
            subject = f"type `{name}`"
            what = f"Invalid type: {name}"
            self.findings.add(place, what, error.expected, error.hint, kind="unknown", subject=subject)
            return None
        except PluginError as error:
            self.findings.add(place, error.what, error.expected, error.hint)
            return None
        return found


def described(cls: type[Task]) -> TaskType:
    """Raises PluginError for a property of a type that no property can have."""
    hints = type_hints(cls)
    names: set[str] = set()
    children: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    needed: list[tuple[str, ...]] = []
    verbatim: set[str] = set()
    for attribute, declared in properties(cls):
        own = (declared.name, *declared.aliases)
        names.update(own)
        annotation = hints[attribute.name]
        compiled(annotation)
        if holds(annotation, Step):
            children.update(dict.fromkeys(own, without_null(annotation)))
            if attribute.required and annotation == list[Step]:
                needed.append(own)
        elif holds(annotation, Input):
            inputs.update(dict.fromkeys(own, without_null(annotation)))
        if not declared.render:
            verbatim.update(own)
    return TaskType(cls, frozenset(names), children, inputs, tuple(needed), frozenset(verbatim))


def holds(annotation: Any, wanted: type) -> bool:
    """Whether values of an annotation hold steps (or inputs) somewhere."""
    if annotation is wanted:
        return True
    if isinstance(annotation, type) and issubclass(annotation, Described) and get_origin(annotation) is None:
        return any(holds(hint, wanted) for hint in type_hints(annotation).values())
    return any(holds(argument, wanted) for argument in get_args(annotation))


def without_null(annotation: Any) -> Any:
    """`list[Step] | None` → `list[Step]`."""
    if isinstance(annotation, UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        return members[0] if len(members) == 1 else annotation
    return annotation


def names_of(cls: type[Described]) -> dict[str, Any]:
    """Name in YAML → annotation of the properties of a class, null left out."""
    hints = type_hints(cls)
    return {declared.name: without_null(hints[attribute.name]) for attribute, declared in properties(cls)}
