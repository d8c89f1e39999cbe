"""Reading single properties: the value when it has the right shape, else None and a finding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.loading.problems import Findings
from core.model.data import data, evolve
from core.registry.problem import Path, shown


@data
class Naming:
    """How a thing may be named. longest in characters; rule and example are for messages."""

    pattern: str
    longest: int
    rule: str
    example: str


_START = "beginning with a letter or digit"
FLOW_ID = Naming(r"[a-zA-Z0-9][a-zA-Z0-9._-]*", 100, f"letters, digits, `.`, `_` and `-`, {_START}", "my_flow")
NAMESPACE = Naming(r"[a-z0-9][a-z0-9._-]*", 150, f"small letters, digits, `.`, `_` and `-`, {_START}", "company.team")
TASK_ID = Naming(r"[a-zA-Z0-9][a-zA-Z0-9_-]*", 256, f"letters, digits, `_` and `-`, {_START}", "my_task")
TRIGGER_ID = evolve(TASK_ID, example="my_trigger")
INPUT_ID = Naming(r"[a-zA-Z0-9][a-zA-Z0-9._-]*", 256, f"letters, digits, `.`, `_` and `-`, {_START}", "my_input")

ENTERPRISE = {
    "workerGroup": "is refused: Worker Group is an Enterprise Edition functionality of the reference",
    "workerSelector": "is refused: choosing workers is an Enterprise Edition functionality of the reference",
    "version": "is refused: versions of plugins are an Enterprise Edition functionality of the reference",
    "assets": "is refused: assets are an Enterprise Edition functionality of the reference",
}
"""Properties of the reference's language that are refused wherever they stand, and why."""


def asks_for_nothing(value: object) -> bool:
    """Whether a property that is there says no more than one that is not."""
    return value is None or value is False or value == [] or value == {}


def as_text(value: object) -> str | None:
    """Texts as they are, other scalars as they are written; None for the rest."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else None


class Shapes:
    """Readers that put what is wrong into the findings."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def text(self, owner: Mapping[str, object], name: str, path: Path) -> str | None:
        """An optional text."""
        value = owner.get(name)
        if value is None:
            return None
        found = as_text(value)
        if found is None:
            self.findings.add((*path, name), f"{shown(value)} is not a text", "a text")
        return found

    def boolean(self, owner: Mapping[str, object], name: str, path: Path, default: bool) -> bool:
        """An optional boolean; an expression can't stand for it."""
        value = owner.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
        self.findings.add((*path, name), f"{shown(value)} is not true or false", "true or false")
        return default

    def identifier(self, owner: Mapping[str, object], path: Path, naming: Naming, name: str = "id") -> str:
        """A text that names something; it has to be there. "" when it is missing or wrong."""
        value = owner.get(name)
        if value is None:
            self.findings.missing((*path, name), naming.rule, f"add `{name}: {naming.example}`")
            return ""
        found = as_text(value)
        if found is None or not re.fullmatch(naming.pattern, found):
            self.findings.add((*path, name), f"{shown(value)} can't be the `{name}`", naming.rule)
            return ""
        if len(found) > naming.longest:
            what = f"the `{name}` has {len(found)} characters"
            self.findings.add((*path, name), what, f"at most {naming.longest} characters")
            return ""
        return found

    def mapping(self, owner: Mapping[str, object], name: str, path: Path) -> dict[str, Any]:
        """An optional map."""
        value = owner.get(name)
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self.findings.add((*path, name), f"{shown(value)} is not a map", "a map of `key: value`")
        return {}

    def maps(self, owner: Mapping[str, object], name: str, path: Path) -> list[tuple[dict[str, Any], Path]]:
        """An optional list of maps, each with its path."""
        value = owner.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.findings.add((*path, name), f"{shown(value)} is not a list", "a list, each element after a `- `")
            return []
        found = []
        for at, item in enumerate(value):
            if isinstance(item, dict):
                found.append((item, (*path, name, at)))
            else:
                self.findings.add((*path, name, at), f"{shown(item)} is not a map", "a map of `key: value`")
        return found

    def labels(self, owner: Mapping[str, object], path: Path, name: str = "labels") -> dict[str, str]:
        """Labels by key, from a map or from a list of `{key, value}`."""
        raw, place = owner.get(name), (*path, name)
        if raw is None:
            return {}
        pairs: list[tuple[str | None, object, Path]]
        if isinstance(raw, dict):
            pairs = [(key, value, (*place, key)) for key, value in raw.items()]
        elif isinstance(raw, list):
            pairs = [self._pair(item, (*place, at)) for at, item in enumerate(raw)]
        else:
            self.findings.add(place, f"{shown(raw)} is neither a map nor a list", "a map of `key: value`")
            return {}
        labels: dict[str, str] = {}
        for key, value, at_value in pairs:
            self._label(labels, key, value, at_value)
        return labels

    def _pair(self, item: object, path: Path) -> tuple[str | None, object, Path]:
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

    def duplicates(self, ids: Iterable[tuple[str, Path]], what: str) -> None:
        """Ids that stand twice, each with its place; the message is the reference's, which names all of them.

        what: `task id`, `input`, `output`.
        """
        seen: set[str] = set()
        twice: list[tuple[str, Path]] = []
        for name, path in ids:
            if name and name in seen:
                twice.append((name, path))
            seen.add(name)
        named = ", ".join(dict.fromkeys(name for name, _ in twice))
        for _, path in twice:
            self.findings.add((*path, "id"), f"Duplicate {what} with name [{named}]", "an id that no other has")
