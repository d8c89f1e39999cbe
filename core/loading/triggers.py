"""Triggers of a flow: checked whole and kept as they are written. This version does not run them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import NotFound, PluginError
from core.loading.dialects import Dialects
from core.loading.problems import Findings
from core.loading.shapes import ENTERPRISE, TRIGGER_ID, Shapes, asks_for_nothing
from core.loading.templates import Templates
from core.model.flow import FlowTrigger
from core.registry.convert import build, problems
from core.registry.problem import Path, shown
from core.registry.registry import Registry
from core.sdk.properties import properties
from core.sdk.triggers import Trigger


class TriggerLoader:
    """Makes triggers of the maps under `triggers`; what is wrong goes into the findings."""

    def __init__(
        self, registry: Registry, findings: Findings, shapes: Shapes, templates: Templates, dialects: Dialects
    ) -> None:
        self.registry = registry
        self.findings = findings
        self.shapes = shapes
        self.templates = templates
        self.dialects = dialects

    def triggers(self, flow: Mapping[str, object]) -> tuple[FlowTrigger, ...]:
        found = [(self._trigger(raw, path), path) for raw, path in self.shapes.maps(flow, "triggers", ())]
        self.shapes.duplicates([(one.id, path) for one, path in found], "trigger id")
        return tuple(one for one, _ in found)

    def _trigger(self, raw: dict[str, Any], path: Path) -> FlowTrigger:
        self.dialects.see_trigger(raw, path)
        own = {name: value for name, value in raw.items() if name not in ("id", "type")}
        for name in ENTERPRISE.keys() & own.keys():
            if not asks_for_nothing(own.pop(name)):
                self.findings.unsupported((*path, name), ENTERPRISE[name], f"remove `{name}`")
        cls = self._type(raw, path)
        if cls is not None:
            self._check(cls, own, path)
        self.shapes.labels(own, path)
        disabled = own.get("disabled") in (True, "true")
        return FlowTrigger(self.shapes.identifier(raw, path, TRIGGER_ID), str(raw.get("type")), own, disabled)

    def _type(self, raw: Mapping[str, object], path: Path) -> type[Trigger] | None:
        name, place = raw.get("type"), (*path, "type")
        expected = "the type of a trigger, such as trigger.Schedule"
        if not isinstance(name, str):
            what = "Invalid type: null" if name is None else f"{shown(name)} is not the name of a type"
            self.findings.add(place, what, expected, "add `type: …` to the trigger")
            return None
        try:
            found = self.registry.resolve(name, "trigger")
        except NotFound as error:
            what, subject = f"Invalid type: {name}", f"type `{name}`"
            self.findings.add(place, what, error.expected, error.hint, kind="unknown", subject=subject)
            return None
        except PluginError as error:
            self.findings.add(place, error.what, error.expected, error.hint)
            return None
        if not issubclass(found, Trigger):
            self.findings.add(place, f"Invalid type: {name} is not a trigger", expected)
            return None
        return found

    def _check(self, cls: type[Trigger], own: dict[str, object], path: Path) -> None:
        wrong = problems(cls, own, self.registry)
        self.findings.properties(wrong, path)
        errors = self.findings.errors
        self.findings.unwritten(cls, own, path)
        verbatim = {
            name for _, declared in properties(cls) if not declared.render
            for name in (declared.name, *declared.aliases)
        }  # fmt: skip
        for name, value in own.items():
            if name not in verbatim:
                self.templates.check(value, (*path, name))
        if self.findings.errors > errors or any(problem.severity == "error" for problem in wrong):
            return
        for fault in build(cls, own, self.registry, expressions=True).faults():
            self.findings.add((*path, *fault.path), fault.message, fault.expected)
