"""The flow level: from the text of a flow to a Flow, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.loading.defaults import with_defaults
from core.loading.inputs import InputLoader
from core.loading.problems import Findings, Loaded, Problem, not_yaml
from core.loading.reader import read
from core.loading.shapes import FLOW_ID, NAMESPACE, Shapes, as_text, asks_for_nothing
from core.loading.syntax import SyntaxProblem
from core.loading.tasks import TaskLoader
from core.loading.templates import Templates
from core.model.flow import Flow
from core.model.nodes import Sequence
from core.registry.problem import Path, shown
from core.registry.registry import Registry

_SUPPORTED = frozenset(
    {
        "id", "namespace", "revision", "description", "labels", "inputs", "variables", "tasks", "outputs", "disabled",
        "deleted", "pluginDefaults", "taskDefaults",
    }
)  # fmt: skip
_UNSUPPORTED = frozenset(
    {
        "errors", "finally", "afterExecution", "listeners", "triggers", "concurrency", "retry", "sla", "checks",
        "workerGroup",
    }
)  # fmt: skip
_RESERVED_IDS = frozenset(
    {"pause", "resume", "force-run", "change-status", "kill", "executions", "search", "source", "disable", "enable"}
)


def load_flow(text: str | bytes, registry: Registry, name: str = "<flow>") -> Loaded:
    """Read a flow: its model when there is no error, and everything that is wrong with it, each with its place.

    text: YAML; bytes must be UTF-8. name: how the file is called in problems.
    """
    source = text if isinstance(text, str) else text.decode("utf-8", errors="surrogateescape")
    try:
        values = read(source)
    except SyntaxProblem as problem:
        return Loaded(None, (not_yaml(problem, name),))
    if not isinstance(values, dict):
        what = "the file is empty" if values is None else f"{shown(values)} is not a flow"
        expected, hint = "a map with `id`, `namespace` and `tasks`", "begin with `id: my_flow`"
        return Loaded(None, (Problem("error", what, name, 1, 1, "$", expected, hint),))
    loader = _FlowLoader(registry)
    flow = loader.flow(values, source)
    problems = loader.findings.placed(source, name)
    return Loaded(None if loader.findings.errors else flow, problems)


class _FlowLoader:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.findings = Findings()
        self.shapes = Shapes(self.findings)
        self.templates = Templates(self.findings)
        self.input_loader = InputLoader(self.findings, self.shapes, self.templates)
        self.task_loader = TaskLoader(registry, self.findings, self.shapes, self.templates)

    def flow(self, values: dict[str, Any], source: str) -> Flow:
        """The flow as far as it can be read; it is of use only when there are no errors."""
        self._check_names(values)
        values = with_defaults(values, self.registry, self.findings, self.shapes)
        root: Path = ()
        shapes = self.shapes
        return Flow(
            id=self._id(values),
            namespace=shapes.identifier(values, root, NAMESPACE, "namespace"),
            revision=self._revision(values),
            description=shapes.text(values, "description", root) or "",
            labels=self._labels(values),
            inputs=self.input_loader.inputs(values),
            variables=shapes.mapping(values, "variables", root),
            root=self._tasks(values),
            outputs=self.input_loader.outputs(values),
            disabled=shapes.boolean(values, "disabled", root, default=False),
            source=source,
        )

    def _check_names(self, values: Mapping[str, object]) -> None:
        for name, value in values.items():
            if name in _UNSUPPORTED:
                if not asks_for_nothing(value):
                    self.findings.unsupported((name,))
            elif name not in _SUPPORTED:
                self.findings.unknown((name,), (_SUPPORTED | _UNSUPPORTED) - {"deleted"})
        if self.shapes.boolean(values, "deleted", (), default=False):
            self.findings.add(("deleted",), "the flow is deleted", hint="remove `deleted: true`", at_key=True)

    def _id(self, values: Mapping[str, object]) -> str:
        flow_id = self.shapes.identifier(values, (), FLOW_ID)
        if flow_id in _RESERVED_IDS:
            self.findings.add(("id",), f"the flow id `{flow_id}` is reserved", hint="choose another one")
        return flow_id

    def _revision(self, values: Mapping[str, object]) -> int:
        revision = values.get("revision")
        if revision is None:
            return 0
        if not isinstance(revision, int) or isinstance(revision, bool) or revision < 1:
            self.findings.add(("revision",), f"{shown(revision)} is not a revision", "a whole number from 1")
            return 0
        return revision

    def _labels(self, values: Mapping[str, object]) -> dict[str, str]:
        """Labels by key, from a map or from a list of `{key, value}`."""
        raw = values.get("labels")
        if raw is None:
            return {}
        pairs: list[tuple[str | None, object, Path]]
        if isinstance(raw, dict):
            pairs = [(key, value, ("labels", key)) for key, value in raw.items()]
        elif isinstance(raw, list):
            pairs = [self._pair(item, ("labels", at)) for at, item in enumerate(raw)]
        else:
            self.findings.add(("labels",), f"{shown(raw)} is neither a map nor a list", "a map of `key: value`")
            return {}
        labels: dict[str, str] = {}
        for key, value, path in pairs:
            self._label(labels, key, value, path)
        return labels

    def _pair(self, item: object, path: tuple[str, int]) -> tuple[str | None, object, Path]:
        if not isinstance(item, dict) or item.keys() != {"key", "value"}:
            self.findings.add(path, f"{shown(item)} is not a label", "a map with `key` and `value`")
            return None, None, path
        return as_text(item["key"]), item["value"], (*path, "value")

    def _label(self, labels: dict[str, str], key: str | None, value: object, path: Path) -> None:
        if key is None:
            return
        written = as_text(value)
        if written is None:
            self.findings.add(path, f"{shown(value)} is not the value of a label", "a text, a number or a boolean")
        elif key.startswith("system.") and key != "system.readOnly":
            what = f"System labels can only be set by Kestra itself, offending label: {key}={written}"
            self.findings.add(path, what, "a key that does not begin with `system.`", at_key=True)
        else:
            labels[key] = written

    def _tasks(self, values: Mapping[str, object]) -> Sequence:
        tasks = values.get("tasks")
        if tasks is None or tasks == []:
            self.findings.add(
                ("tasks",), "`tasks` must not be empty", "a list with at least one task",
                "add `tasks:` and below it a `- id:` with a `type:`",
            )  # fmt: skip
            return Sequence(())
        steps = self.task_loader.steps(values, "tasks", ())
        self.shapes.duplicates(self.task_loader.ids, "task id")
        return Sequence(steps)
