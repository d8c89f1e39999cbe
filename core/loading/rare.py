"""What few flows have: retries, limits, promises, checks, triggers, listeners, templates.

A lazy door, as loading a plain flow is what every start pays for: the code behind a property is imported by the first
flow that has the property.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.loading.dialects import Dialects
from core.loading.problems import Findings
from core.loading.reader import FindTemplate
from core.loading.shapes import Shapes, asks_for_nothing
from core.loading.templates import Templates
from core.model.flow import Check, FlowTrigger, Sla, TaskCache
from core.model.nodes import Concurrency, Retry
from core.registry.problem import Path
from core.registry.registry import Registry

if TYPE_CHECKING:
    from core.loading.blocks import BlockLoader

_TEMPLATES = frozenset({"flow.Template", "io.kestra.plugin.core.flow.Template", "io.kestra.core.tasks.flows.Template"})


class Rare:
    """Readers that give the empty value at once where there is nothing to read."""

    def __init__(
        self, registry: Registry, findings: Findings, shapes: Shapes, templates: Templates, dialects: Dialects,
        find_template: FindTemplate | None,
    ) -> None:  # fmt: skip
        self.registry = registry
        self.findings = findings
        self.shapes = shapes
        self.templates = templates
        self.dialects = dialects
        self.find_template = find_template

    def inlined(self, task: dict[str, Any], path: Path) -> dict[str, Any]:
        """A task; one that stands for a template gets the template's tasks."""
        kind = task.get("type")
        if not isinstance(kind, str) or kind not in _TEMPLATES:
            return task
        found: dict[str, Any] = import_module("core.loading.inlining").inlined(
            task, path, self.find_template, self.findings
        )
        return found

    def retry(self, owner: Mapping[str, object], path: Path) -> Retry | None:
        return None if asks_for_nothing(owner.get("retry")) else self._blocks.retry(owner, path)

    def cache(self, task: Mapping[str, object], path: Path) -> TaskCache | None:
        return None if asks_for_nothing(task.get("taskCache")) else self._blocks.cache(task, path)

    def concurrency(self, flow: Mapping[str, object]) -> Concurrency | None:
        return None if asks_for_nothing(flow.get("concurrency")) else self._blocks.concurrency(flow)

    def sla(self, flow: Mapping[str, object]) -> tuple[Sla, ...]:
        return () if asks_for_nothing(flow.get("sla")) else self._blocks.sla(flow)

    def checks(self, flow: Mapping[str, object]) -> tuple[Check, ...]:
        return () if asks_for_nothing(flow.get("checks")) else self._blocks.checks(flow)

    def triggers(self, flow: Mapping[str, object]) -> tuple[FlowTrigger, ...]:
        if asks_for_nothing(flow.get("triggers")):
            return ()
        loader = import_module("core.loading.triggers").TriggerLoader
        found: tuple[FlowTrigger, ...] = loader(
            self.registry, self.findings, self.shapes, Templates(self.findings, active=False), self.dialects
        ).triggers(flow)
        return found

    def listeners(self, flow: Mapping[str, object]) -> list[tuple[dict[str, Any], Path, bool]]:
        """The tasks of listeners, as tasks of `afterExecution`, each with its place; whether there are conditions."""
        if asks_for_nothing(flow.get("listeners")):
            return []
        loader = import_module("core.loading.listeners").ListenerLoader
        found: list[tuple[dict[str, Any], Path, bool]] = loader(
            self.registry, self.findings, self.shapes, self._blocks
        ).tasks(flow)
        return found

    @cached_property
    def _blocks(self) -> BlockLoader:
        loader: type[BlockLoader] = import_module("core.loading.blocks").BlockLoader
        return loader(self.registry, self.findings, self.shapes, self.templates)
