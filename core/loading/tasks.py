"""Tasks of a flow: what every task has, the properties of its type, and the children of flow tasks."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Any, NamedTuple, cast, get_args, get_origin

from core.errors import Invalid, NotFound, PluginError
from core.loading.problems import Findings
from core.loading.shapes import TASK_ID, Shapes, asks_for_nothing
from core.loading.templates import Templates
from core.model.durations import parse_duration
from core.model.nodes import Children, Node, Sequence, Step, Work
from core.registry.convert import build, compiled, problems, type_hints
from core.registry.problem import Path, shown
from core.registry.registry import Registry
from core.sdk.context import LEVELS
from core.sdk.properties import properties
from core.sdk.tasks import FlowTask, RunnableTask, Task

_COMMON = frozenset({"description", "timeout", "disabled", "runIf", "when", "allowFailure", "allowWarning", "logLevel"})
_UNSUPPORTED = frozenset({"retry", "workerGroup", "workerSelector", "taskCache", "logToFile", "version", "assets"})
COMMON = _COMMON | _UNSUPPORTED
"""Properties that every task may have beside those of its type."""


class _Type(NamedTuple):
    """What loading needs to know of a task type, by names in YAML.

    names: all its properties. children: those that hold tasks. verbatim: those that are not rendered.
    """

    cls: type[Task]
    names: frozenset[str]
    children: tuple[str, ...]
    verbatim: frozenset[str]


class TaskLoader:
    """Makes steps of the maps under `tasks`; what is wrong goes into the findings. ids: of all tasks, with places."""

    def __init__(self, registry: Registry, findings: Findings, shapes: Shapes, templates: Templates) -> None:
        self.registry = registry
        self.findings = findings
        self.shapes = shapes
        self.templates = templates
        self.ids: list[tuple[str, Path]] = []
        self._types: dict[str, _Type] = {}

    def steps(self, owner: Mapping[str, object], name: str, path: Path) -> Children:
        """The tasks under a property, in their order; those with an error are left out."""
        found = [self.step(raw, place) for raw, place in self.shapes.maps(owner, name, path)]
        return tuple(step for step in found if step is not None)

    def step(self, raw: dict[str, Any], path: Path) -> Step | None:
        """One task, or None when there is an error in it or below it."""
        errors = self.findings.errors
        task_id = self.shapes.identifier(raw, path, TASK_ID)
        self.ids.append((task_id, path))
        kind = self._type(raw, path)
        if kind is None:
            return None
        own: dict[str, object] = {}
        common: dict[str, object] = {}
        for name, value in raw.items():
            if name == "id" or name == "type":
                continue
            if name in kind.names or name not in COMMON:
                own[name] = value
            elif name in _UNSUPPORTED:
                if not asks_for_nothing(value):
                    self.findings.unsupported((*path, name))
            elif value is not None:
                common[name] = value
        node = self._node(kind, own, path)
        settings = self._settings(common, kind, path) if common else {}
        if self.findings.errors > errors or node is None:
            return None
        return Step(task_id, raw["type"], node, own, **settings)

    def _type(self, raw: Mapping[str, object], path: Path) -> _Type | None:
        """The type of a task; looked up, and reported when unknown, for every task by itself."""
        name = raw.get("type")
        if isinstance(name, str) and name in self._types:
            return self._types[name]
        place = (*path, "type")
        if not isinstance(name, str):
            what = "Invalid type: null" if name is None else f"{shown(name)} is not the name of a type"
            self.findings.add(place, what, "the type of a task, such as log.Log", "add `type: …` to the task")
            return None
        try:
            cls = self.registry.resolve(name)
            if not issubclass(cls, (RunnableTask, FlowTask)):
                expected = "the type of a task, such as log.Log"
                self.findings.add(place, f"Invalid type: {name} is not a task", expected)
                return None
            found = self._types[name] = _described(cls)
        except NotFound as error:
            self.findings.add(place, f"Invalid type: {name}", error.expected, error.hint)
            return None
        except PluginError as error:
            self.findings.add(place, error.what, error.expected, error.hint)
            return None
        return found

    def _node(self, kind: _Type, own: dict[str, object], path: Path) -> Node | None:
        """The node of a task, its properties checked. Those that hold tasks leave `own`."""
        errors = self.findings.errors
        values: dict[str, object] = own
        if kind.children:
            held = {name: own.pop(name) for name in kind.children if name in own}
            steps = {name: list(self.steps(held, name, path)) for name in held if held[name] is not None}
            values = {**own, **steps}
        for problem in problems(kind.cls, values, self.registry):
            self.findings.add(
                (*path, *problem.path), problem.message, problem.expected, problem.hint,
                severity=problem.severity, at_key=True,
            )  # fmt: skip
        for name, value in own.items():
            if name not in kind.verbatim:
                self.templates.check(value, (*path, name))
        if self.findings.errors > errors:
            return None
        return Work() if issubclass(kind.cls, RunnableTask) else self._planned(kind.cls, values, path)

    def _planned(self, cls: type[Task], values: Mapping[str, object], path: Path) -> Node | None:
        """What a flow task says about its children, if this version can run it."""
        try:
            node: Node = build(cast("type[FlowTask]", cls), values, self.registry, expressions=True).plan()
        except Invalid as error:
            self.findings.add(path, error.what, error.expected, error.hint)
            return None
        if not isinstance(node, Sequence):
            self.findings.unsupported((*path, "type"), f"`{cls.type}`")
            return None
        for name, block in (("errors", node.policy.errors), ("finally", node.policy.finally_)):
            if block:
                self.findings.unsupported((*path, name))
        return node

    def _settings(self, common: Mapping[str, object], kind: _Type, path: Path) -> dict[str, Any]:
        """The fields of a step for the properties that every task may have."""
        shapes = self.shapes
        for name in ("runIf", "when", "timeout"):
            self.templates.check(common.get(name), (*path, name))
        if "runIf" in common and "when" in common:
            self.findings.add((*path, "when"), "`runIf` and `when` are the same property", "one of them", at_key=True)
        return {
            "run_if": shapes.text(common, "when" if "when" in common else "runIf", path),
            "timeout": self._timeout(common, kind, path),
            "disabled": shapes.boolean(common, "disabled", path, default=False),
            "allow_failure": shapes.boolean(common, "allowFailure", path, default=False),
            "allow_warning": shapes.boolean(common, "allowWarning", path, default=False),
            "log_level": self._log_level(common, path),
            "description": shapes.text(common, "description", path) or "",
        }

    def _timeout(self, common: Mapping[str, object], kind: _Type, path: Path) -> str | None:
        timeout = self.shapes.text(common, "timeout", path)
        if timeout is None:
            return None
        place = (*path, "timeout")
        if not issubclass(kind.cls, RunnableTask):
            what = "`timeout` has no effect on a task that only holds others"
            self.findings.add(place, what, hint="set it on the tasks inside", severity="warning", at_key=True)
            return None
        if "{{" not in timeout:
            try:
                parse_duration(timeout)
            except Invalid as error:
                self.findings.add(place, error.what, error.expected, error.hint)
        return timeout

    def _log_level(self, common: Mapping[str, object], path: Path) -> str:
        level = self.shapes.text(common, "logLevel", path) or LEVELS[0]
        if level not in LEVELS:
            self.findings.add((*path, "logLevel"), f"`{level}` is not a level", f"one of {', '.join(LEVELS)}")
        return level


def _described(cls: type[Task]) -> _Type:
    """Raises PluginError for a property of a type that no property can have."""
    hints = type_hints(cls)
    names: set[str] = set()
    children: list[str] = []
    verbatim: set[str] = set()
    for attribute, declared in properties(cls):
        own = (declared.name, *declared.aliases)
        names.update(own)
        compiled(hints[attribute.name])
        if _holds_steps(hints[attribute.name]):
            children.extend(own)
        if not declared.render:
            verbatim.update(own)
    return _Type(cls, frozenset(names), tuple(children), frozenset(verbatim))


def _holds_steps(annotation: Any) -> bool:
    """Whether a property is `list[Step]` or `list[Step] | None`."""
    members = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return any(get_origin(member) is list and get_args(member) == (Step,) for member in members)
