"""`pluginDefaults`: properties that a flow gives to every map of some type.

A default applies where the type is its own type or begins with it, under any of the type's names, to tasks, task
runners and inputs alike. Maps are merged deeply and lists joined. A property that a class does not have is left out,
so that one default can serve all types that begin alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import NotFound, PluginError
from core.loading.problems import Findings
from core.loading.shapes import Shapes, as_text
from core.loading.tasks import COMMON
from core.model.data import data
from core.registry.problem import Path
from core.registry.registry import Registry
from core.sdk.properties import properties
from core.sdk.tasks import Task

_NAMES = ("pluginDefaults", "taskDefaults")
_Values = list[Mapping[str, Any]]


@data
class _Default:
    type: str
    values: dict[str, Any]
    forced: bool


def with_defaults(flow: dict[str, Any], registry: Registry, findings: Findings, shapes: Shapes) -> dict[str, Any]:
    """The flow with its defaults filled in; the flow itself when it declares none."""
    declared = [
        _declared(raw, path, registry, findings, shapes) for name in _NAMES for raw, path in shapes.maps(flow, name, ())
    ]
    if flow.get("taskDefaults") is not None:
        findings.deprecated(("taskDefaults",), "`taskDefaults` is deprecated: it is read as `pluginDefaults`")
    defaults = [default for default in declared if default.type and default.values]
    if not defaults:
        return flow
    filler = _Filler(defaults, registry)
    return {name: value if name in _NAMES else filler.filled(value) for name, value in flow.items()}


def _declared(raw: dict[str, Any], path: Path, registry: Registry, findings: Findings, shapes: Shapes) -> _Default:
    """One entry; what is wrong is told in the reference's words."""
    for name in raw.keys() - {"type", "values", "forced"}:
        findings.unknown((*path, name), ("type", "values", "forced"))
    kind = as_text(raw.get("type")) or ""
    if not kind:
        findings.add((*path, "type"), "Invalid Plugin Default: No 'type' provided", "a type, or how types begin")
    values = shapes.mapping(raw, "values", path)
    if not values:
        findings.add((*path, "values"), "Invalid Plugin Default: No 'values' provided", "a map of properties")
    known = _names(kind, registry)
    for name, value in values.items():
        if value is None:
            findings.add((*path, "values", name), f"Invalid Plugin Default: No value provided for key '{name}'")
        elif known is not None and name not in known:
            what = f"Invalid Plugin Default: No property '{name}' exists in plugin '{kind}'"
            findings.add((*path, "values", name), what, at_key=True)
    return _Default(kind, values, shapes.boolean(raw, "forced", path, default=False))


class _Filler:
    """Fills maps in, those inside before those around them, as the reference does."""

    def __init__(self, defaults: list[_Default], registry: Registry) -> None:
        self.registry = registry
        self.free = [default for default in defaults if not default.forced]
        self.forced = [default for default in reversed(defaults) if default.forced]
        self._of: dict[str, tuple[_Values, _Values]] = {}

    def filled(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if not isinstance(value, dict):
            return value
        filled = {name: self.filled(item) for name, item in value.items()}
        kind = filled.get("type")
        return self.merged(filled, kind) if isinstance(kind, str) else filled

    def merged(self, values: dict[str, Any], kind: str) -> dict[str, Any]:
        """Given values win over defaults, earlier defaults over later ones, and forced defaults over all."""
        if kind not in self._of:
            self._of[kind] = self._found(kind)
        free, forced = self._of[kind]
        for default in free:
            values = _merge(default, values)
        for default in forced:
            values = _merge(values, default)
        return values

    def _found(self, kind: str) -> tuple[_Values, _Values]:
        """What a type gets of the defaults, and of the forced ones."""
        entry = self.registry.find(kind)
        names = (kind, entry.name, *entry.aliases) if entry else (kind,)
        known = _names(kind, self.registry)
        free, forced = (
            [_only(known, one.values) for one in defaults if any(name.startswith(one.type) for name in names)]
            for defaults in (self.free, self.forced)
        )
        return free, forced


def _names(kind: str, registry: Registry) -> set[str] | None:
    """The names that properties of a type may have, or None when there is no such type."""
    if registry.find(kind) is None:
        return None
    try:
        cls = registry.resolve(kind)
    except (NotFound, PluginError):
        return None
    names = {name for _, declared in properties(cls) for name in (declared.name, *declared.aliases)}
    return names | COMMON if issubclass(cls, Task) else names


def _only(known: set[str] | None, values: Mapping[str, Any]) -> Mapping[str, Any]:
    return values if known is None else {name: value for name, value in values.items() if name in known}


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Maps merged deeply, lists joined, those below first; a null gives way."""
    merged = dict(under)
    for name, value in over.items():
        below = merged.get(name)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[name] = _merge(below, value)
        elif isinstance(below, list) and isinstance(value, list):
            merged[name] = below + value
        elif value is not None or below is None:
            merged[name] = value
    return merged
