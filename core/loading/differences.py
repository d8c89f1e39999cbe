"""What of a flow would mean something else in the other dialect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.loading.dialects import CHECK, FLOW, TASK, TRIGGER, TYPES, Mark, words_in_expressions
from core.loading.positions import compose, position_of
from core.loading.problems import Problem
from core.loading.reader import read
from core.model.flow import Flow
from core.registry.problem import Path, path_text

_OLD_PACKAGES = ("io.kestra.core.tasks.", "io.kestra.core.models.", "io.kestra.plugin.fs.http.")
_OLD_NAME = Mark("1.x", "2.x does not know this older name of a type")
_CANCELED = Mark("1.x", "2.x calls it `CANCELLED`")
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
        for place, subject, found in words_in_expressions(value, path):
            yield place, subject, found, False
    elif isinstance(value, dict):
        kind = value.get("type")
        mark = _mark_of(kind) if isinstance(kind, str) else None
        if mark is not None:
            yield (*path, "type"), f"`{kind}`", mark, False
        if isinstance(kind, str) and _short(kind) == "execution.Exit" and value.get("state") == "CANCELED":
            yield (*path, "state"), "`CANCELED`", _CANCELED, False
        if in_tasks and "id" in value and "type" in value:
            yield from _keys(value, TASK, path)
        for name, item in value.items():
            holds_tasks = in_tasks if path else name not in ("triggers", "checks")
            yield from _below(item, (*path, name), in_tasks=holds_tasks)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _below(item, (*path, at), in_tasks=in_tasks)


def _mark_of(kind: str) -> Mark | None:
    return TYPES.get(_short(kind)) or (_OLD_NAME if kind.startswith(_OLD_PACKAGES) else None)


def _short(kind: str) -> str:
    """`io.kestra.core.tasks.flows.EachParallel` → `flow.EachParallel`."""
    package, _, name = kind.rpartition(".")
    group = package.rpartition(".")[2].removesuffix("s")
    return f"{group}.{'Count' if name == 'Counts' else name}"
