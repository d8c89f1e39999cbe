"""The flow level: from the text of a flow to a Flow, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.loading.defaults import with_defaults
from core.loading.dialects import Dialects
from core.loading.inputs import InputLoader
from core.loading.problems import Findings, Loaded, Problem, not_yaml
from core.loading.rare import Rare
from core.loading.reader import FindTemplate, read
from core.loading.shapes import ENTERPRISE, FLOW_ID, NAMESPACE, Shapes, asks_for_nothing
from core.loading.syntax import SyntaxProblem
from core.loading.tasks import TaskLoader
from core.loading.templates import Templates
from core.model.data import evolve
from core.model.flow import Flow
from core.model.nodes import Children, Policy, Sequence
from core.registry.problem import Path, shown
from core.registry.registry import Registry

_PROPERTIES = frozenset(
    {
        "id", "namespace", "revision", "description", "labels", "inputs", "variables", "tasks", "outputs", "disabled",
        "deleted", "pluginDefaults", "taskDefaults", "errors", "finally", "afterExecution", "listeners", "triggers",
        "concurrency", "retry", "sla", "checks",
    }
)  # fmt: skip
_RESERVED_IDS = frozenset(
    {"pause", "resume", "force-run", "change-status", "kill", "executions", "search", "source", "disable", "enable"}
)


def load_flow(
    text: str | bytes, registry: Registry, name: str = "<flow>", *, find_template: FindTemplate | None = None
) -> Loaded:
    """Read a flow: its model when there is no error, and everything that is wrong with it, each with its place.

    text: YAML; bytes must be UTF-8. name: how the file is called in problems. find_template: (namespace, id) → the text
    of a template, for tasks of the deprecated type `flow.Template`.
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
    loader = _FlowLoader(registry, find_template)
    flow = loader.flow(values, source)
    problems = loader.findings.placed(source, name)
    return Loaded(None if loader.findings.errors else flow, problems)


class _FlowLoader:
    def __init__(self, registry: Registry, find_template: FindTemplate | None) -> None:
        self.registry = registry
        findings = self.findings = Findings()
        shapes = self.shapes = Shapes(findings)
        templates = Templates(findings)
        self.dialects = Dialects(findings)
        self.rare = Rare(registry, findings, shapes, templates, self.dialects, find_template)
        self.inputs = InputLoader(findings, shapes, templates)
        self.tasks = TaskLoader(registry, findings, shapes, templates, self.inputs, self.rare, self.dialects)

    def flow(self, values: dict[str, Any], source: str) -> Flow:
        """The flow as far as it can be read; it is of use only when there are no errors."""
        self._check_names(values)
        self.dialects.see_flow(values)
        values = with_defaults(values, self.registry, self.findings, self.shapes)
        root: Path = ()
        shapes = self.shapes
        root_node, after_execution = self._tasks(values)
        flow = Flow(
            id=self._id(values),
            namespace=shapes.identifier(values, root, NAMESPACE, "namespace"),
            revision=self._revision(values),
            description=shapes.text(values, "description", root) or "",
            labels=shapes.labels(values, root),
            inputs=self.inputs.inputs(values, "inputs", root),
            variables=shapes.mapping(values, "variables", root),
            root=root_node,
            outputs=self.inputs.outputs(values),
            disabled=shapes.boolean(values, "disabled", root, default=False),
            after_execution=after_execution,
            retry=self.rare.retry(values, root),
            concurrency=self.rare.concurrency(values),
            sla=self.rare.sla(values),
            checks=self.rare.checks(values),
            triggers=self.rare.triggers(values),
            task_caches=self.tasks.caches,
            logs_to_file=frozenset(self.tasks.logs_to_file),
            dialect=self.dialects.dialect(values),
            source=source,
        )
        self._check_calls(flow)
        return flow

    def _check_names(self, values: Mapping[str, object]) -> None:
        for name, value in values.items():
            if name in ENTERPRISE:
                if not asks_for_nothing(value):
                    self.findings.unsupported((name,), ENTERPRISE[name], f"remove `{name}`")
            elif name not in _PROPERTIES:
                self.findings.unknown((name,), _PROPERTIES - {"deleted"})
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

    def _tasks(self, values: Mapping[str, object]) -> tuple[Sequence, Children]:
        """The tasks with their blocks, and those that run when the execution has ended."""
        loader = self.tasks
        tasks = values.get("tasks")
        if tasks is None or tasks == []:
            self.findings.add(
                ("tasks",), "`tasks` must not be empty", "a list with at least one task",
                "add `tasks:` and below it a `- id:` with a `type:`",
            )  # fmt: skip
        steps = loader.steps(values, "tasks", ())
        policy = Policy(errors=loader.steps(values, "errors", ()), finally_=loader.steps(values, "finally", ()))
        heard = tuple(
            evolve(loader.step(task, path), listens=listens) for task, path, listens in self.rare.listeners(values)
        )
        after = (*heard, *loader.steps(values, "afterExecution", ()))
        self.shapes.duplicates(loader.ids, "task id")
        return Sequence(steps, policy), after

    def _check_calls(self, flow: Flow) -> None:
        """A flow that calls itself would never end; the message is the reference's."""
        for call, path in self.tasks.calls:
            if (call.request.get("namespace"), call.request.get("flow_id")) == (flow.namespace, flow.id):
                what = f"Invalid Flow: Recursive call to flow [{flow.namespace}.{flow.id}]"
                self.findings.add((*path, "flowId"), what, "another flow")
