"""Tasks of a flow: what every task has, the properties of its type, and the children of flow tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args, get_origin

from core.errors import Invalid
from core.loading.dialects import Dialects
from core.loading.inputs import InputLoader
from core.loading.placing import path_of
from core.loading.problems import Findings
from core.loading.rare import Rare
from core.loading.shapes import ENTERPRISE, TASK_ID, Shapes, asks_for_nothing
from core.loading.task_types import TaskType, TaskTypes, names_of
from core.loading.templates import Templates
from core.model.durations import parse_duration
from core.model.flow import TaskCache
from core.model.inputs import Input
from core.model.nodes import Call, Children, Group, Node, Step, Work
from core.registry.convert import build, problems
from core.registry.problem import Path
from core.registry.registry import Registry
from core.sdk.context import LEVELS
from core.sdk.properties import Described
from core.sdk.tasks import FlowTask, RunnableTask

_COMMON = frozenset(
    {
        "description", "timeout", "disabled", "runIf", "when", "allowFailure", "allowWarning", "logLevel", "logToFile",
        "retry", "taskCache",
    }
)  # fmt: skip
COMMON = _COMMON | ENTERPRISE.keys()
"""Properties that every task may have beside those of its type."""

_BROKEN = Step("", "", Work())


class TaskLoader:
    """Makes steps of the maps under `tasks`; what is wrong goes into the findings.

    ids: of all tasks, with places. calls: of other flows, with the places of their tasks.
    caches, logs_to_file: by the ids of tasks that have them.
    """

    def __init__(
        self, registry: Registry, findings: Findings, shapes: Shapes, templates: Templates, inputs: InputLoader,
        rare: Rare, dialects: Dialects,
    ) -> None:  # fmt: skip
        self.registry = registry
        self.findings = findings
        self.shapes = shapes
        self.templates = templates
        self.inputs = inputs
        self.rare = rare
        self.dialects = dialects
        self.types = TaskTypes(registry, findings)
        self.ids: list[tuple[str, Path]] = []
        self.calls: list[tuple[Call, Path]] = []
        self.caches: dict[str, TaskCache] = {}
        self.logs_to_file: set[str] = set()

    def steps(self, owner: Mapping[str, object], name: str, path: Path) -> Children:
        """The tasks under a property, in their order; something else stands for those with an error."""
        return tuple([self.step(raw, place) for raw, place in self.shapes.maps(owner, name, path)])

    def step(self, raw: dict[str, Any], path: Path) -> Step:
        """One task; something else stands for it when there is an error in it or below it."""
        errors = self.findings.errors
        raw = self.rare.inlined(raw, path)
        task_id = self.shapes.identifier(raw, path, TASK_ID)
        self.ids.append((task_id, path))
        kind = self.types.of(raw, path)
        if kind is None:
            return _BROKEN
        self.dialects.see_task(kind.cls, raw, path)
        if kind.cls.deprecated:
            what = f"`{kind.cls.type}` is deprecated: {kind.cls.deprecated}"
            self.findings.deprecated((*path, "type"), what, at_key=False)
        own: dict[str, object] = {}
        common: dict[str, object] = {}
        for name, value in raw.items():
            if name == "id" or name == "type":
                continue
            if name in kind.names or name not in COMMON:
                own[name] = value
            elif name in ENTERPRISE:
                if not asks_for_nothing(value):
                    self.findings.unsupported((*path, name), ENTERPRISE[name], f"remove `{name}`")
            elif value is not None:
                common[name] = value
        node = self._node(kind, own, task_id, path)
        settings = self._settings(common, node, task_id, path) if common else {}
        if isinstance(node, Group):
            self._check_members(node, path)
        if self.findings.errors > errors or node is None:
            return _BROKEN
        return Step(task_id, raw["type"], node, own, **settings)

    def _node(self, kind: TaskType, own: dict[str, object], task_id: str, path: Path) -> Node | None:
        """The node of a task, its properties checked. Those that hold tasks leave `own`."""
        errors = self.findings.errors
        values: dict[str, object] = own
        if kind.children or kind.inputs:
            held = {name: own.pop(name) for name in kind.children if name in own}
            made = {name: self._held(kind.children[name], held, name, path) for name in held if held[name] is not None}
            asked = {name: self._held(kind.inputs[name], own, name, path) for name in kind.inputs if own.get(name)}
            own.update(asked)
            values = {**own, **made}
            for name, *aliases in kind.needed:
                if made.keys().isdisjoint((name, *aliases)):
                    self.findings.add((*path, name), f"`{name}` must not be empty", "a list of tasks")
                    values[name] = [_BROKEN]
        self.findings.properties(problems(kind.cls, values, self.registry), path)
        if issubclass(kind.cls, FlowTask):
            self.findings.unwritten(kind.cls, values, path)
        for name, value in own.items():
            if name not in kind.verbatim:
                self.templates.check(value, (*path, name))
        if self.findings.errors > errors:
            return None
        if issubclass(kind.cls, RunnableTask):
            return Work(kind.cls.updates_execution)
        return self._planned(cast("type[FlowTask]", kind.cls), values, task_id, path)

    def _held(self, annotation: Any, owner: Mapping[Any, object], name: Any, path: Path) -> object:
        """The value of a property with its maps made tasks (or inputs) wherever the annotation says so.

        What has another shape stays as it is; the converter refuses it.
        """
        value, place = owner[name], (*path, name)
        arguments = get_args(annotation)
        if get_origin(annotation) is list:
            if arguments[0] is Step:
                return list(self.steps(owner, name, path))
            if arguments[0] is Input:
                return list(self.inputs.inputs(owner, name, path))
            items = value if isinstance(value, list) else []
            made = [self._item(arguments[0], item, (*place, at)) for at, item in enumerate(items)]
            return made if isinstance(value, list) else value
        if get_origin(annotation) is dict and isinstance(value, dict):
            return {key: self._held(arguments[1], value, key, place) for key in value if value[key] is not None}
        return self._item(annotation, value, place)

    def _item(self, annotation: Any, value: object, place: Path) -> object:
        if not isinstance(value, dict):
            return value
        if annotation is Step:
            return self.step(value, place)
        if isinstance(annotation, type) and issubclass(annotation, Described):
            known = names_of(annotation)
            return {
                name: self._held(known[name], value, name, place) if name in known and item is not None else item
                for name, item in value.items()
            }
        return value

    def _planned(self, cls: type[FlowTask], values: Mapping[str, object], task_id: str, path: Path) -> Node | None:
        """What a flow task says about its children."""
        try:
            node = build(cls, values, self.registry, expressions=True).plan_as(task_id)
        except Invalid as error:
            self.findings.add((*path, *path_of(error.where)), f"{task_id}: {error.what}", error.expected, error.hint)
            return None
        if isinstance(node, Call):
            self.calls.append((node, path))
        return node

    def _settings(self, common: Mapping[str, object], node: Node | None, task_id: str, path: Path) -> dict[str, Any]:
        """The fields of a step for the properties that every task may have."""
        shapes = self.shapes
        for name in ("runIf", "when", "timeout"):
            self.templates.check(common.get(name), (*path, name))
        if "runIf" in common and "when" in common:
            self.findings.add((*path, "when"), "`runIf` and `when` are the same property", "one of them", at_key=True)
        cache = self.rare.cache(common, path)
        if cache is not None:
            if isinstance(node, Work) and node.updates:
                self._no_effect("taskCache", path, "changes the execution itself", "leave it out")
            elif isinstance(node, Work | None):
                self.caches[task_id] = cache
            else:
                self._no_effect("taskCache", path)
        if shapes.boolean(common, "logToFile", path, default=False):
            self.logs_to_file.add(task_id)
        return {
            "run_if": shapes.text(common, "when" if "when" in common else "runIf", path),
            "timeout": self._timeout(common, node, path),
            "disabled": shapes.boolean(common, "disabled", path, default=False),
            "allow_failure": shapes.boolean(common, "allowFailure", path, default=False),
            "allow_warning": shapes.boolean(common, "allowWarning", path, default=False),
            "log_level": self._log_level(common, path),
            "description": shapes.text(common, "description", path) or "",
            "retry": self.rare.retry(common, path),
        }

    def _check_members(self, group: Group, path: Path) -> None:
        """Each of them runs once, as in the reference (section 6.6): what is tried again is the group."""
        for at, member in enumerate(group.children):
            if member.retry is not None:
                what = "`retry` has no effect on a task inside a working directory"
                place = (*path, "tasks", at, "retry")
                self.findings.add(place, what, hint="set it on the directory", severity="warning", at_key=True)

    def _no_effect(
        self, name: str, path: Path, of: str = "only holds others", hint: str = "set it on the tasks inside"
    ) -> None:
        what = f"`{name}` has no effect on a task that {of}"
        self.findings.add((*path, name), what, hint=hint, severity="warning", at_key=True)

    def _timeout(self, common: Mapping[str, object], node: Node | None, path: Path) -> str | None:
        timeout = self.shapes.text(common, "timeout", path)
        if timeout is None:
            return None
        if not isinstance(node, Work | Group | None):
            self._no_effect("timeout", path)
            return None
        if "{{" not in timeout:
            try:
                parse_duration(timeout)
            except Invalid as error:
                self.findings.add((*path, "timeout"), error.what, error.expected, error.hint)
        return timeout

    def _log_level(self, common: Mapping[str, object], path: Path) -> str:
        level = self.shapes.text(common, "logLevel", path) or LEVELS[0]
        if level not in LEVELS:
            self.findings.add((*path, "logLevel"), f"`{level}` is not a level", f"one of {', '.join(LEVELS)}")
        return level
