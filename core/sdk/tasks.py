"""What a task type is: a class with properties and, for runnable ones, a `run` that returns its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, dataclass_transform

from core.model.nodes import Node
from core.sdk.context import RunContext
from core.sdk.properties import Described, PluginType, prop
from core.sdk.wishes import Requirement


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(prop,))
class TaskOutput(Described):
    """Base of a task type's `Output`: what its task execution gives, under names declared with `prop`."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(prop,))
class Task(PluginType):
    """Base of every task type. The docstring of a subclass is the title of its page."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(prop,))
class RunnableTask(Task):
    """A task that does work. A subclass declares properties, an inner `Output` and `run`."""

    Output: ClassVar[type[TaskOutput] | None] = None
    updates_execution: ClassVar[bool] = False
    """Whether it changes the execution it runs in, its labels say: such a task has an attempt even when `runIf` leaves
    it out."""

    def run(self, ctx: RunContext) -> Any:
        """Do the work; return an `Output`, None, or `ctx.wait(…)`; raise to fail.

        Properties are rendered and converted before the call (but those declared with `render=False`).
        """
        raise NotImplementedError(f"{type(self).__name__} has no run()")

    def stop_left(self, ctx: RunContext) -> None:
        """End what an attempt of this id left running when its engine died; called in place of `run` when it is killed.

        Begin nothing. A property whose expression can't be rendered any more is the text as it stands in the flow. What
        is raised becomes a warning in the log: the attempt is KILLED all the same.
        """

    def requires(self) -> tuple[Requirement, ...]:
        """What this task needs from the machine; asked before the run, on properties as far as they are literal."""
        return ()

    @classmethod
    def summary(cls, output: Mapping[str, Any]) -> Mapping[str, Any]:
        """The few facts a list shows of an output: by default its small scalars."""
        return {
            name: value
            for name, value in output.items()
            if isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= 200)
        }


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(prop,))
class FlowTask(Task):
    """A task that describes how its children run; it does no work of its own."""

    def plan(self) -> Node:
        """The node the planner interprets. Raises Invalid for what can't be planned; its `where` (`$.tasks[0]`) says
        at which property of the task.

        Tasks inside are given as `Step` wherever an annotation says so: `list[Step]`, `dict[str, list[Step]]`, `Step`,
        or within a class of properties; a property that holds declared inputs is a `list[Input]`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no plan()")

    def plan_as(self, task_id: str) -> Node:
        """The node of the task with this id; for a class whose children have names made of it. Raises Invalid."""
        return self.plan()
