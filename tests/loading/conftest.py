"""A registry of the built-in types and of a few that only these tests need."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core import builtin
from core.loading import Loaded, load_flow
from core.registry.entries import TypeEntry
from core.registry.registry import Registry
from core.sdk import Described, FlowTask, Invalid, Node, Parallel, RunContext, RunnableTask, Sequence, Step, prop


class SideBySide(FlowTask, type="test.SideBySide"):
    """A flow task that composes a node of its own."""

    tasks: list[Step] | None = prop("Tasks.", default=None)

    def plan(self) -> Node:
        return Parallel(tuple(self.tasks or ()))


class Picky(FlowTask, type="test.Picky"):
    """A flow task that refuses to plan."""

    tasks: list[Step] = prop("Tasks.")

    def plan(self) -> Node:
        if len(self.tasks) < 2:
            raise Invalid("at least two tasks are needed", expected="two tasks")
        return Sequence(tuple(self.tasks))


class Way(Described):
    """A way in parts."""

    start: str = prop("Where it begins.")


class Walk(FlowTask, type="test.Walk"):
    """A flow task whose tasks have another name, and with a map that may be a text instead."""

    tasks: list[Step] = prop("Tasks.", aliases=("steps",))
    way: Way | str = prop("The way.", default="")

    def plan(self) -> Node:
        return Sequence(tuple(self.tasks))


class Verbatim(RunnableTask, type="test.Verbatim"):
    """A task with a property that is not rendered, and with one that has the name of a common one."""

    source: str = prop("Not rendered.", default="", render=False)
    version: int = prop("Which version.", default=1)
    old: str = prop("An older property.", default="", deprecated="use `source`")

    def run(self, ctx: RunContext) -> None: ...


class Odd(RunnableTask, type="test.Odd"):
    """A task with a property of a type that no property can have."""

    where: complex = prop("A number off the line.")

    def run(self, ctx: RunContext) -> None: ...


def entries() -> dict[str, TypeEntry]:
    found = [
        TypeEntry(ref.name, ref.aliases, ref.title, ref.kind, "builtin", ref.target)
        for ref in (*builtin.task_types(), *builtin.task_runners(), *builtin.triggers())
    ]
    found += [
        TypeEntry(cls.type, (), "", "task", "tests", f"{cls.__module__}:{cls.__name__}")
        for cls in (SideBySide, Picky, Walk, Verbatim, Odd)
    ]
    found.append(TypeEntry("test.Broken", (), "", "task", "tests", "there.is.no.such.module:Task"))
    return {name: entry for entry in found for name in (entry.name, *entry.aliases)}


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry(entries(), {}, ())


Load = Callable[[str], Loaded]


@pytest.fixture
def load(registry: Registry) -> Load:
    """Load a text as `flow.yaml`."""
    return lambda text: load_flow(text, registry, "flow.yaml")
