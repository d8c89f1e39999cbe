"""Declared inputs and outputs of a flow."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from core.errors import InvalidInput
from core.loading.problems import Findings
from core.loading.reader import parse_yaml
from core.loading.shapes import INPUT_ID, Shapes, as_text
from core.loading.templates import Templates
from core.model.flow import FlowOutput
from core.model.input_values import Refused, typed
from core.model.inputs import INPUT_TYPES, Input, type_value
from core.model.near import did_you_mean, near_misses
from core.registry.problem import Path, shown

_COMMON = frozenset(
    {"id", "name", "type", "description", "displayName", "required", "defaults", "prefill", "dependsOn"}
)
_OUTPUT = frozenset({"id", "type", "value", "description", "displayName", "required"})
_RANGE, _PERIOD = ("min", "max"), ("after", "before")
_OPTIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(INPUT_TYPES, ()),
    "STRING": ("validator",), "SECRET": ("validator",),
    "INT": _RANGE, "FLOAT": _RANGE, "DURATION": _RANGE,
    "DATETIME": _PERIOD, "DATE": _PERIOD, "TIME": _PERIOD,
    "ENUM": ("values",),
    "SELECT": ("values", "expression", "allowCustomValue", "isRadio", "autoSelectFirst"),
    "MULTISELECT": ("values", "options", "expression", "itemType", "allowCustomValue", "autoSelectFirst"),
    "ARRAY": ("itemType",),
    "FILE": ("extension", "accept", "acceptedExtensions", "allowedFileExtensions"),
}  # fmt: skip
_BOOLEANS = ("allowCustomValue", "isRadio", "autoSelectFirst")
_ENDINGS = ("allowedFileExtensions", "acceptedExtensions", "accept")
"""What a file may end with, by its name of today and the older ones."""
_LONGEST_NAME = 64
_CLASS_IN_CLASS = r"\[[^\]]*(?:&&|\[)"
"""In a regular expression without its escaped characters."""


class InputLoader:
    """Makes inputs and outputs of the maps that declare them; what is wrong goes into the findings."""

    def __init__(self, findings: Findings, shapes: Shapes, templates: Templates) -> None:
        self.findings = findings
        self.shapes = shapes
        self.templates = templates

    def inputs(self, owner: Mapping[str, object], name: str, at: Path) -> tuple[Input, ...]:
        """The inputs under a property: those of the flow, or those that somebody is asked for on resuming it."""
        found = [(self.input(raw, path), path) for raw, path in self.shapes.maps(owner, name, at)]
        self.shapes.duplicates([(one.id, path) for one, path in found], "input")
        ids = {one.id for one, _ in found}
        for one, path in found:
            parents = one.id.split(".")[:-1]
            for length in range(1, len(parents) + 1):
                parent = ".".join(parents[:length])
                if parent in ids:
                    what = f"`{one.id}` would stand inside the input `{parent}`"
                    self.findings.add((*path, "id"), what, "ids that do not begin with another id and a dot")
        self._check_dependencies(found)
        return tuple(one for one, _ in found)

    def outputs(self, flow: Mapping[str, object]) -> tuple[FlowOutput, ...]:
        found = [(self.output(raw, path), path) for raw, path in self.shapes.maps(flow, "outputs", ())]
        self.shapes.duplicates([(one.id, path) for one, path in found], "output")
        return tuple(one for one, _ in found)

    def input(self, raw: dict[str, Any], path: Path) -> Input:
        """One input; `name` is an older word for `id`."""
        errors = self.findings.errors
        naming = {"id": raw["name"]} if raw.get("id") is None and raw.get("name") is not None else raw
        input_id = self.shapes.identifier(naming, path, INPUT_ID)
        kind = self._type(raw, path)
        options = self._options(kind, raw, path) if kind else {}
        found = Input(
            id=input_id,
            type=kind,
            required=self.shapes.boolean(raw, "required", path, default=True),
            defaults=raw.get("defaults"),
            has_defaults=raw.get("defaults") is not None,
            description=self.shapes.text(raw, "description", path) or "",
            display_name=self._display_name(raw, path),
            options=options,
            depends_on=self._depends_on(raw, path),
            condition=self._condition(raw, path),
            prefill=raw.get("prefill"),
        )
        if found.has_defaults and raw.get("prefill") is not None:
            what = "`defaults` and `prefill` exclude each other"
            self.findings.add((*path, "prefill"), what, "one of them", at_key=True)
        self.templates.check(found.defaults, (*path, "defaults"))
        if self.findings.errors == errors and found.has_defaults:
            self._check_defaults(found, path)
        return found

    def output(self, raw: dict[str, Any], path: Path) -> FlowOutput:
        for name in raw.keys() - _OUTPUT - {"itemType"}:
            self.findings.unknown((*path, name), _OUTPUT)
        kind = self._type(raw, path)
        if raw.get("value") is None:
            self.findings.missing((*path, "value"), "the value, mostly an expression", 'add `value: "{{ … }}"`')
        self.templates.check(raw.get("value"), (*path, "value"))
        item_type = self._item_type(kind, raw, path) if raw.get("itemType") is not None else None
        self._display_name(raw, path)
        return FlowOutput(
            id=self.shapes.identifier(raw, path, INPUT_ID),
            type=kind,
            value=raw.get("value"),
            required=self.shapes.boolean(raw, "required", path, default=True),
            description=self.shapes.text(raw, "description", path) or "",
            item_type=item_type,
        )

    def _type(self, raw: Mapping[str, object], path: Path) -> str:
        """One of INPUT_TYPES, "" when there is none."""
        kind = raw.get("type")
        place = (*path, "type")
        if isinstance(kind, str) and kind in INPUT_TYPES:
            return kind
        near = near_misses(kind, INPUT_TYPES) if isinstance(kind, str) else ()
        what = "Invalid type: null" if kind is None else f"Invalid type: {kind}"
        self.findings.add(place, what, "" if near else ", ".join(INPUT_TYPES), did_you_mean(near))
        return ""

    def _display_name(self, raw: Mapping[str, object], path: Path) -> str:
        name = self.shapes.text(raw, "displayName", path) or ""
        if len(name) > _LONGEST_NAME:
            self.findings.add((*path, "displayName"), f"it has {len(name)} characters", f"at most {_LONGEST_NAME}")
        return name

    def _options(self, kind: str, raw: Mapping[str, Any], path: Path) -> dict[str, Any]:
        """The properties that an input has because of its type."""
        names = _OPTIONS[kind]
        options: dict[str, Any] = {}
        for name, value in raw.items():
            if name in names:
                if value is not None:
                    options[name] = value
            elif name not in _COMMON:
                self.findings.unknown((*path, name), _COMMON | set(names))
        for name in _BOOLEANS:
            if name in options:
                options[name] = self.shapes.boolean(options, name, path, default=False)
        self._check_bounds(kind, options, path)
        self._check_pattern(options, path)
        self._check_choices(kind, options, path)
        self._check_files(kind, raw, options, path)
        item_type = self._item_type(kind, raw, path)
        return {**options, "itemType": item_type} if item_type else options

    def _check_bounds(self, kind: str, options: Mapping[str, Any], path: Path) -> None:
        for name in (*_RANGE, *_PERIOD):
            if name in options:
                try:
                    typed(kind, options[name], None, parse_yaml)
                except Refused as refused:
                    self.findings.add((*path, name), str(refused))

    def _check_pattern(self, options: dict[str, Any], path: Path) -> None:
        pattern = self.shapes.text(options, "validator", path)
        if pattern is None:
            return
        options["validator"] = pattern
        java = import_module("core.expressions.java_regex")
        try:
            if re.search(_CLASS_IN_CLASS, re.sub(r"\\.", "", pattern)):
                raise java.Fault("a class of characters can't hold another", expected="a class without `[` and `&&`")
            found = java.java_pattern(pattern).pattern
            options |= {"pattern": found} if found != pattern else {}
        except java.Fault as fault:
            why = fault.what.rpartition("is not a regular expression: ")[2]
            what = f"invalid pattern [{pattern}]: {why}"
            self.findings.add((*path, "validator"), what, fault.expected or "a regular expression")

    def _check_choices(self, kind: str, options: dict[str, Any], path: Path) -> None:
        if kind not in ("ENUM", "SELECT", "MULTISELECT"):
            return
        given = [name for name in ("values", "options", "expression") if name in options]
        if not given:
            hint = "add `values:` and a list" if kind == "ENUM" else "add `values:` and a list, or an `expression`"
            self.findings.missing((*path, "values"), "the values to choose from", hint)
        if len(given) > 1:
            what = f"you can't define both {' and '.join(f'`{name}`' for name in given)}"
            self.findings.add((*path, given[1]), what, "one of them", at_key=True)
        for name in ("values", "options"):
            if name in options and not isinstance(options[name], list):
                self.findings.add((*path, name), f"{shown(options[name])} is not a list", "a list of texts")
            elif name in options:
                for at, value in enumerate(options[name]):
                    if isinstance(value, (dict, list)):
                        self.findings.add((*path, name, at), f"{shown(value)} is not a text", "a text")
                options[name] = [value for value in options[name] if value is not None]  # as of an `expression`
        self.templates.check(options.get("expression"), (*path, "expression"))

    def _check_files(self, kind: str, raw: Mapping[str, Any], options: dict[str, Any], path: Path) -> None:
        """Older names of `allowedFileExtensions`, and defaults, which no local file can be."""
        if kind != "FILE":
            return
        defaults = raw.get("defaults")
        if defaults is not None and not (isinstance(defaults, str) and defaults.startswith("nsfile://")):
            what = f"{raw.get('id')}: no `defaults` can be set for inputs of type 'FILE'"
            expected = "none, or a file of a namespace: `nsfile:///path` or `nsfile://namespace/path`"
            self.findings.add((*path, "defaults"), what, expected, at_key=True)
        if options.pop("extension", None) is not None:
            what = "`extension` has no effect: a file keeps its name"
            self.findings.deprecated((*path, "extension"), what, "`allowedFileExtensions` says which files are taken")
        given = [name for name in _ENDINGS if name in options]
        if len(given) > 1:
            what = f"you can't define both {' and '.join(f'`{name}`' for name in given)}"
            self.findings.add((*path, given[1]), what, "one of them", at_key=True)
        for name in given:
            endings = options.pop(name)
            endings = [part.strip() for part in endings.split(",")] if isinstance(endings, str) else endings
            options["allowedFileExtensions"] = endings
            for wrong in _no_endings(endings):
                what = f"{shown(wrong)} is not a file extension"
                self.findings.add((*path, name), what, "extensions with their dots, such as [.csv, .txt]")

    def _item_type(self, kind: str, raw: Mapping[str, Any], path: Path) -> str | None:
        """The type of the elements of ARRAY and MULTISELECT."""
        item_type = raw.get("itemType")
        place = (*path, "itemType")
        if kind not in ("ARRAY", "MULTISELECT"):
            return None
        if item_type is None:
            if kind == "ARRAY":
                self.findings.missing(place, "the type of the elements, such as STRING", "add `itemType: STRING`")
            return None
        if item_type == "ARRAY":
            what = f"{raw.get('id')}: `itemType` cannot be `ARRAY`"
            self.findings.add(place, what, "the type of one element, such as STRING")
        elif item_type in ("FILE", "SECRET"):
            why = "can't be a list: a file and a secret are inputs of their own"
            self.findings.unsupported(place, why, subject=f"an `itemType` of `{item_type}`")
        elif item_type not in INPUT_TYPES:
            near = near_misses(str(item_type), INPUT_TYPES)
            expected = "" if near else ", ".join(INPUT_TYPES)
            self.findings.add(place, f"Invalid type: {item_type}", expected, did_you_mean(near))
        return str(item_type)

    def _depends_on(self, raw: Mapping[str, Any], path: Path) -> tuple[str, ...]:
        depends = self.shapes.mapping(raw, "dependsOn", path)
        for name in depends.keys() - {"inputs", "condition"}:
            self.findings.unknown((*path, "dependsOn", name), ("inputs", "condition"))
        names = depends.get("inputs")
        place = (*path, "dependsOn", "inputs")
        if not depends:
            return ()
        if not isinstance(names, list) or not names:
            self.findings.add(place, "`inputs` must be a list of ids", "the ids of other inputs, at least one")
            return ()
        return tuple(as_text(name) or "" for name in names)

    def _condition(self, raw: Mapping[str, Any], path: Path) -> str | None:
        depends = raw.get("dependsOn")
        if not isinstance(depends, dict):
            return None
        self.templates.check(depends.get("condition"), (*path, "dependsOn", "condition"))
        return self.shapes.text(depends, "condition", (*path, "dependsOn"))

    def _check_dependencies(self, found: Sequence[tuple[Input, Path]]) -> None:
        """Dependencies exist and lead nowhere back; the messages are the reference's."""
        known = {one.id: one for one, _ in found}
        for one, path in found:
            for at, name in enumerate(one.depends_on):
                if name not in known:
                    what = f"Input with id '{one.id}' depends on a non-existent input '{name}'."
                    near = did_you_mean(near_misses(name, known))
                    self.findings.add((*path, "dependsOn", "inputs", at), what, hint=near)
            cycle = _cycle(one.id, known)
            if cycle:
                what = f"Cycle dependency detected for input with id '{one.id}': [{', '.join(cycle)}]"
                self.findings.add((*path, "dependsOn"), what, "dependencies that lead to no circle", at_key=True)

    def _check_defaults(self, declared: Input, path: Path) -> None:
        """Defaults without an expression must be right as they stand."""
        if "{{" in str(declared.defaults) or "{%" in str(declared.defaults) or "expression" in declared.options:
            return
        try:
            type_value(declared, declared.defaults, parse_yaml)
        except InvalidInput as error:
            self.findings.add((*path, "defaults"), error.what)


def _cycle(start: str, known: Mapping[str, Input]) -> tuple[str, ...]:
    """The inputs on a way that leads from one back to itself, or nothing."""
    waiting: list[tuple[str, tuple[str, ...]]] = [(start, ())]
    seen: set[str] = set()
    while waiting:
        name, way = waiting.pop()
        for needed in known[name].depends_on if name in known else ():
            if needed == start:
                return (*way, name)
            if needed not in seen:
                seen.add(needed)
                waiting.append((needed, (*way, name)))
    return ()


def _no_endings(value: object) -> list[object]:
    """What of a list of file extensions is none; the value itself when it is no list."""
    endings = value if isinstance(value, list) else [value]
    return [one for one in endings if not (isinstance(one, str) and one.startswith(".") and isinstance(value, list))]
