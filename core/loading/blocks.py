"""Maps that belong to no type: how to try again, how many executions at once, promises, checks, caches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

from core.loading.problems import Findings
from core.loading.shapes import Shapes, asks_for_nothing
from core.loading.templates import Templates
from core.model.durations import format_duration
from core.model.flow import Check, Sla, TaskCache
from core.model.near import did_you_mean, near_misses
from core.model.nodes import Concurrency, Retry
from core.registry import declared
from core.registry.convert import build
from core.registry.convert import problems as problems_of
from core.registry.problem import Path, shown
from core.registry.registry import Registry
from core.sdk.properties import Described

D = TypeVar("D", bound=Described)
_MICROSECOND = timedelta(microseconds=1)
_SMALLER = (
    ("interval", "maxDuration"), ("interval", "maxInterval"), ("minInterval", "maxDuration"),
    ("minInterval", "maxInterval"),
)  # fmt: skip
"""Spans of a retry of which the first must be less than the second; of a random one also maxInterval, maxDuration."""


class BlockLoader:
    """Makes blocks of the maps that declare them; what is wrong goes into the findings."""

    def __init__(self, registry: Registry, findings: Findings, shapes: Shapes, templates: Templates) -> None:
        self.registry = registry
        self.findings = findings
        self.shapes = shapes
        self.templates = templates

    def retry(self, owner: Mapping[str, object], path: Path) -> Retry | None:
        found = self._one_of(declared.RETRIES, owner.get("retry"), (*path, "retry"))
        if found is None:
            return None
        self._check_retry(found, owner["retry"], (*path, "retry"))
        spans = {name: _micros(getattr(found, name, None)) for name in ("interval", "min_interval")}
        return Retry(
            kind=found.type_,
            interval=spans["interval"] or 0,
            min_interval=spans["min_interval"] or 0,
            max_interval=_micros(getattr(found, "max_interval", None)),
            delay_factor=2.0 if getattr(found, "delay_factor", None) is None else found.delay_factor,
            max_attempts=found.max_attempts,
            max_duration=_micros(found.max_duration),
            warning_on_retry=found.warning_on_retry,
            behavior=found.behavior,
        )

    def cache(self, owner: Mapping[str, object], path: Path) -> TaskCache | None:
        """The cache of a task, None when there is none or it is not enabled."""
        found = self._built(declared.TaskCache, owner.get("taskCache"), (*path, "taskCache"))
        if found is None:
            return None
        if found.ttl is not None and found.ttl <= timedelta(0):
            self.findings.add((*path, "taskCache", "ttl"), "`ttl` must be positive", "a duration such as PT1H")
        return TaskCache(_micros(found.ttl)) if found.enabled else None

    def concurrency(self, flow: Mapping[str, object]) -> Concurrency | None:
        found = self._built(declared.Concurrency, flow.get("concurrency"), ("concurrency",))
        if found is None:
            return None
        if found.limit < 1:
            self.findings.add(("concurrency", "limit"), f"`{found.limit}` is not a limit", "a whole number from 1")
        return Concurrency(found.limit, found.behavior)

    def sla(self, flow: Mapping[str, object]) -> tuple[Sla, ...]:
        promises = []
        for raw, path in self.shapes.maps(flow, "sla", ()):
            found = self._one_of(declared.SLAS, raw, path)
            if found is None:
                continue
            assertion = getattr(found, "assert_", None)
            self.templates.check(assertion, (*path, "assert"))
            labels = self.shapes.labels(raw, path)
            duration = _micros(getattr(found, "duration", None))
            promises.append(Sla(found.id, found.behavior, duration, assertion, labels))
        return tuple(promises)

    def checks(self, flow: Mapping[str, object]) -> tuple[Check, ...]:
        checks = []
        for raw, path in self.shapes.maps(flow, "checks", ()):
            found = self._built(declared.Check, raw, path)
            if found is not None:
                self.templates.check(found.condition, (*path, "when" if "when" in raw else "condition"))
                checks.append(Check(found.condition, found.message, found.style, found.behavior))
        return tuple(checks)

    def listener(self, raw: dict[str, Any], path: Path) -> declared.Listener | None:
        return self._built(declared.Listener, raw, path)

    def _one_of(self, kinds: Mapping[str, type[Described]], raw: object, path: Path) -> Any:
        """The class that `type` names, built."""
        if asks_for_nothing(raw) or not isinstance(raw, dict):
            return self._built(declared.Retry, raw, path)
        kind = raw.get("type")
        if not isinstance(kind, str) or kind not in kinds:
            near = near_misses(kind, kinds) if isinstance(kind, str) else ()
            what = f"Invalid type: {kind if isinstance(kind, str) else 'null' if kind is None else shown(kind)}"
            self.findings.add((*path, "type"), what, "" if near else ", ".join(kinds), did_you_mean(near))
            return None
        return self._built(kinds[kind], raw, path)

    def _built(self, cls: type[D], raw: object, path: Path) -> D | None:
        """An instance of a declaring class; None when nothing is given, or something is wrong with it."""
        if asks_for_nothing(raw):
            return None
        if not isinstance(raw, dict):
            self.findings.add(path, f"{shown(raw)} is not a map", "a map of `key: value`")
            return None
        wrong = problems_of(cls, raw, self.registry)
        self.findings.properties(wrong, path)
        if any(problem.severity == "error" for problem in wrong):
            return None
        return build(cls, raw, self.registry)

    def _check_retry(self, retry: Any, raw: Any, path: Path) -> None:
        """Relations between spans, in the reference's words."""
        spans: dict[str, timedelta | None] = {
            "interval": getattr(retry, "interval", None),
            "minInterval": getattr(retry, "min_interval", None),
            "maxInterval": getattr(retry, "max_interval", None),
            "maxDuration": retry.max_duration,
        }
        pairs = (*_SMALLER, ("maxInterval", "maxDuration")) if retry.type_ == "random" else _SMALLER
        for less, more in pairs:
            small, large = spans[less], spans[more]
            if small is not None and large is not None and small >= large:
                what = f"'{less}' must be less than '{more}' but is {format_duration(small)}"
                self.findings.add((*path, less), what, f"less than {format_duration(large)}")
        if retry.max_attempts is not None and retry.max_attempts < 1:
            written = "maxAttempts" if "maxAttempts" in raw else "maxAttempt"
            self.findings.add((*path, written), f"`{retry.max_attempts}` attempts are not possible", "1 or more")


def _micros(span: timedelta | None) -> int | None:
    return None if span is None else span // _MICROSECOND
