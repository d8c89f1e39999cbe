"""`listeners` (deprecated): rewritten while loading into tasks of `afterExecution`, each with a condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import Invalid
from core.loading.blocks import BlockLoader
from core.loading.problems import Findings
from core.loading.shapes import Shapes, as_text
from core.registry.convert import build, problems
from core.registry.problem import Path
from core.registry.registry import Registry
from core.sdk.properties import Described, prop
from core.sdk.triggers import Condition, faults_of


class _Conditions(Described):
    conditions: list[Condition] = prop("All of them must hold.", factory=list)


class ListenerLoader:
    """Makes tasks of the maps under `listeners`; what is wrong goes into the findings."""

    def __init__(self, registry: Registry, findings: Findings, shapes: Shapes, blocks: BlockLoader) -> None:
        self.registry = registry
        self.findings = findings
        self.shapes = shapes
        self.blocks = blocks

    def tasks(self, flow: Mapping[str, object]) -> list[tuple[dict[str, Any], Path, bool]]:
        """The tasks of all listeners, those of `afterExecution` from now on, each with its place, and whether its
        listener has conditions.
        """
        found: list[tuple[dict[str, Any], Path, bool]] = []
        for raw, path in self.shapes.maps(flow, "listeners", ()):
            if self.blocks.listener(raw, path) is None:
                continue
            condition = self._condition(raw, path)
            found += (
                (_with_condition(task, condition), place, bool(condition))
                for task, place in self.shapes.maps(raw, "tasks", path)
            )
            said = f"with `runIf: {{{{ {condition} }}}}`" if condition else "as they are"
            self.findings.deprecated(path, f"`listeners` is deprecated: its tasks are read as `afterExecution`, {said}")
        return found

    def _condition(self, raw: Mapping[str, Any], path: Path) -> str:
        """All conditions as one expression, "" when there is none."""
        given = {"conditions": raw.get("conditions") or []}
        wrong = problems(_Conditions, given, self.registry)
        self.findings.properties(wrong, path)
        if any(problem.severity == "error" for problem in wrong):
            return ""
        conditions = build(_Conditions, given, self.registry, expressions=True).conditions
        for fault in faults_of(conditions, ("conditions",)):
            self.findings.add((*path, *fault.path), fault.message, fault.expected)
        written = []
        for at, condition in enumerate(conditions):
            try:
                written.append(condition.expression())
            except Invalid as error:
                self.findings.unsupported(
                    (*path, "conditions", at), error.what.removeprefix(f"`{condition.type}` "), error.hint,
                    subject=f"`{condition.type}`",
                )  # fmt: skip
        return " and ".join(written)


def _with_condition(task: dict[str, Any], condition: str) -> dict[str, Any]:
    """The task, run only if the condition holds, and its own too."""
    if not condition:
        return task
    own = task.get("runIf")
    if own is None:
        return task | {"runIf": f"{{{{ {condition} }}}}"}
    return task | {"runIf": f"{{% if {condition} %}}{as_text(own) or ''}{{% endif %}}"}
