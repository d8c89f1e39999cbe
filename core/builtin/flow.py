"""Flow tasks that hold a list of tasks: they describe how their children run."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from core.sdk import Dag as DagNode
from core.sdk import Described, FlowTask, Group, Invalid, Policy, Sequence, Step, Work, prop
from core.sdk import Parallel as ParallelNode


class Block(FlowTask):
    """What every flow task has: blocks that run after its tasks."""

    errors: list[Step] | None = prop("Tasks to run after one of its tasks has failed.", default=None)
    finally_: list[Step] | None = prop("Tasks to run at the end, after success and after failure.", default=None)

    def policy(self, *, failure_is_warning: bool = False) -> Policy:
        """The blocks around the children."""
        return Policy(tuple(self.errors or ()), tuple(self.finally_ or ()), failure_is_warning)


def not_empty(tasks: list[Step], what: str = "`tasks` must not be empty") -> tuple[Step, ...]:
    """The tasks. Raises Invalid when there are none. what: its message, in the reference's words."""
    if not tasks:
        raise Invalid(what, expected="a list with at least one task")
    return tuple(tasks)


class Sequential(
    Block,
    type="flow.Sequential",
    aliases=("io.kestra.plugin.core.flow.Sequential", "io.kestra.core.tasks.flows.Sequential"),
):
    """Run tasks one after another."""

    tasks: list[Step] | None = prop("Tasks to run, in this order; the first failure stops them.", default=None)

    def plan(self) -> Sequence:
        return Sequence(tuple(self.tasks or ()), self.policy())


class AllowFailure(
    Block,
    type="flow.AllowFailure",
    aliases=("io.kestra.plugin.core.flow.AllowFailure", "io.kestra.core.tasks.flows.AllowFailure"),
):
    """Run tasks one after another; a failure among them counts as a warning."""

    tasks: list[Step] | None = prop("Tasks to run, in this order; the first failure stops them.", default=None)

    def plan(self) -> Sequence:
        return Sequence(tuple(self.tasks or ()), self.policy(failure_is_warning=True))


class Parallel(
    Block,
    type="flow.Parallel",
    aliases=("io.kestra.plugin.core.flow.Parallel", "io.kestra.core.tasks.flows.Parallel"),
):
    """Run tasks side by side."""

    tasks: list[Step] = prop("Tasks to run; after a failure no other one starts.")
    concurrent: int = prop("How many at once; 0 for all.", default=0, render=False)

    def plan(self) -> ParallelNode:
        return ParallelNode(not_empty(self.tasks), at_least_zero("concurrent", self.concurrent), self.policy())


class DagTask(Described):
    """A task and what it waits for."""

    task: Step = prop("The task.")
    depends_on: list[str] | None = prop("Ids of tasks that must have ended before.", default=None, render=False)


class Dag(Block, type="flow.Dag", aliases=("io.kestra.plugin.core.flow.Dag", "io.kestra.core.tasks.flows.Dag")):
    """Run tasks side by side, each after those it depends on."""

    tasks: list[DagTask] = prop("Tasks, each with the ids of those it depends on.")
    concurrent: int = prop("How many at once; 0 for all.", default=0, render=False)

    def plan(self) -> DagNode:
        if not self.tasks:
            raise Invalid("No task defined", expected="a list with at least one `task`")
        after = {one.task.id: tuple(one.depends_on or ()) for one in self.tasks}
        missing = sorted({name for names in after.values() for name in names if name not in after})
        if missing:
            first = next(at for at, one in enumerate(self.tasks) if not set(missing).isdisjoint(one.depends_on or ()))
            raise Invalid(
                f"Not existing task id in dependency: {', '.join(missing)}", where=f"$.tasks[{first}].dependsOn",
                expected=f"one of {', '.join(after)}",
            )  # fmt: skip
        circle = _in_a_circle(after)
        if circle:
            raise Invalid(
                f"Cyclic dependency detected: {', '.join(circle)}",
                where=f"$.tasks[{[one.task.id for one in self.tasks].index(circle[0])}].dependsOn",
                expected="dependencies that lead to no circle",
            )
        children = tuple(one.task for one in self.tasks)
        return DagNode(children, after, at_least_zero("concurrent", self.concurrent), self.policy())


class Cache(Described):
    """Files of a working directory that are kept for the next execution."""

    patterns: list[str] = prop("Which files: globs.")
    ttl: Any = prop("For how long: an ISO 8601 duration; for ever when not given.", default=None)


class WorkingDirectory(
    Block,
    type="flow.WorkingDirectory",
    aliases=(
        "io.kestra.plugin.core.flow.WorkingDirectory",
        "io.kestra.core.tasks.flows.WorkingDirectory",
        "io.kestra.core.tasks.flows.Worker",
    ),
):
    """Run tasks one after another in one directory that they share."""

    tasks: list[Step] | None = prop("Runnable tasks, in this order; the first failure stops them.", default=None)
    cache: Cache | None = prop("Files that are kept for the next execution.", default=None)
    input_files: Any = prop("Files it begins with: name → text or URI, or the JSON text of such a map.", default=None)
    output_files: list[str] | None = prop("Files that are kept at the end: globs.", default=None)
    namespace_files: Any = prop("Files of the namespace it begins with.", default=None)

    def plan(self) -> Group:
        for at, child in enumerate(not_empty(self.tasks or [], "The 'tasks' property cannot be empty")):
            if not isinstance(child.node, Work):
                raise Invalid(
                    "Only runnable tasks are allowed as children of a WorkingDirectory task", where=f"$.tasks[{at}]",
                    expected=f"a task that does work, but `{child.id}` holds others or calls a flow",
                )
        return Group(tuple(self.tasks or ()), self.policy())


def at_least_zero(name: str, value: int) -> int:
    """The number. Raises Invalid when it is negative."""
    if value < 0:
        raise Invalid(f"`{name}` is {value}", where=f"$.{name}", expected="0 or a positive number")
    return value


def _in_a_circle(after: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The ids that wait for each other, in their order."""
    from graphlib import CycleError, TopologicalSorter  # noqa: PLC0415 - few flows have a Dag

    sorter = TopologicalSorter(after)
    with suppress(CycleError):  # what is in no circle can be had all the same
        sorter.prepare()
    free: set[str] = set()
    while ready := sorter.get_ready():
        free.update(ready)
        sorter.done(*ready)
    return [name for name in after if name not in free and _reaches(name, name, after)]


def _reaches(start: str, goal: str, after: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a task waits, however indirectly, for another one."""
    open_ends, seen = list(after[start]), set()
    while open_ends:
        name = open_ends.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            open_ends.extend(after.get(name, ()))
    return False
