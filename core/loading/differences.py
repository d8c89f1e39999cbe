"""What of a flow would mean something else in the other dialect."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.loading.dialects import CHECK, FLOW, TASK, TRIGGER, TYPES, Mark
from core.loading.positions import compose, position_of
from core.loading.problems import Problem
from core.loading.reader import read
from core.model.flow import Flow
from core.registry.problem import Path, path_text

_TEXTS: tuple[tuple[str, str, Mark], ...] = (
    (r"\|\s*json\b", "the filter `json`", Mark("1.x", "2.x does not know it, `toJson` takes its place")),
    (r"\bjson\s*\(", "the function `json`", Mark("1.x", "2.x does not know it, `fromJson` takes its place")),
    (r"\bcurrentEachOutput\s*\(", "the function `currentEachOutput`", Mark("1.x", "2.x does not know it")),
    (r"\bloopOutputs\s*\(", "the function `loopOutputs`", Mark("2.x", "1.x does not know it")),
    (
        r"\bread\s*\(", "the function `read`",
        Mark("both", "2.x gives the bytes of a file of rows: put `fromIon()` around it"),
    ),
)  # fmt: skip
"""Patterns within expressions, what they are, and what the other dialect makes of them."""

Word = tuple[Path, str, Mark, bool]
"""Where a word stands, what it is, its mark, and whether it is a key."""


def spoken(flow: Flow) -> str:
    """The dialect of a flow, words inside its expressions counted too: `1.x`, `2.x` or `both`."""
    if flow.dialect != "both":
        return flow.dialect
    return next((mark.dialect for _, _, mark, _ in _words_of(flow) if mark.dialect != "both"), "both")


def differences(flow: Flow, file: str) -> tuple[Problem, ...]:
    """What of a flow would mean something else in the other dialect, each with its place."""
    words = list(_words_of(flow))
    if not words:
        return ()
    root = compose(flow.source)
    found = []
    for path, subject, mark, at_key in words:
        line, column = position_of(root, path, key=at_key)
        message = f"{subject}: {mark.other}"
        found.append(Problem("info", message, file, line, column, path_text(path), kind="dialect", subject=subject))
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.column)))


def _words_of(flow: Flow) -> Iterator[Word]:
    values = read(flow.source)
    if isinstance(values, dict):
        yield from _words(values)


def _words(flow: dict[str, Any]) -> Iterator[Word]:
    yield from _keys(flow, FLOW, ())
    for name, words in (("checks", CHECK), ("triggers", TRIGGER)):
        for at, one in enumerate(flow.get(name) or ()):
            yield from _keys(one, words, (name, at))
    yield from _below(flow, (), in_tasks=False)


def _keys(owner: Mapping[str, Any], words: Mapping[str, Mark], path: Path) -> Iterator[Word]:
    for name, mark in words.items():
        if owner.get(name) is not None:
            yield (*path, name), f"`{name}`", mark, True


def _below(value: Any, path: Path, *, in_tasks: bool) -> Iterator[Word]:
    if isinstance(value, str):
        for pattern, subject, found in _TEXTS if "{{" in value or "{%" in value else ():
            if re.search(pattern, value):
                yield path, subject, found, False
    elif isinstance(value, dict):
        kind = value.get("type")
        mark = TYPES.get(_short(kind)) if isinstance(kind, str) else None
        if mark is not None:
            yield (*path, "type"), f"`{kind}`", mark, False
        if in_tasks and "id" in value and "type" in value:
            yield from _keys(value, TASK, path)
        for name, item in value.items():
            holds_tasks = in_tasks if path else name not in ("triggers", "checks")
            yield from _below(item, (*path, name), in_tasks=holds_tasks)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _below(item, (*path, at), in_tasks=in_tasks)


def _short(kind: str) -> str:
    """`io.kestra.core.tasks.flows.EachParallel` → `flow.EachParallel`."""
    package, _, name = kind.rpartition(".")
    group = package.rpartition(".")[2].removesuffix("s")
    return f"{group}.{'Count' if name == 'Counts' else name}"
