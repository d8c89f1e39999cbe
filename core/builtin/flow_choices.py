"""Flow tasks that run one of several lists of tasks."""

from __future__ import annotations

from core.builtin.flow import Block, not_empty
from core.sdk import Choice, Invalid, Step, prop


class If(Block, type="flow.If", aliases=("io.kestra.plugin.core.flow.If", "io.kestra.core.tasks.flows.If")):
    """Run tasks if a condition holds, and others if not."""

    condition: str | None = prop(
        "Holds unless it renders to nothing, `0`, `-0` or `false`; without it, it does not hold.", default=None
    )
    then: list[Step] = prop("Tasks to run, one after another, when it holds.")
    else_: list[Step] | None = prop("Tasks to run when it does not.", default=None)

    def plan(self) -> Choice:
        then = not_empty(self.then, "`then` must not be empty")
        branches = {"true": then, "false": tuple(self.else_ or ())}
        condition = "false" if self.condition is None else self.condition
        return Choice(condition, branches, by_truth=True, policy=self.policy())


class Switch(
    Block, type="flow.Switch", aliases=("io.kestra.plugin.core.flow.Switch", "io.kestra.core.tasks.flows.Switch")
):
    """Run the tasks that belong to a value."""

    value: str = prop("Its rendered text is looked up in `cases`.")
    cases: dict[str, list[Step]] | None = prop("Tasks to run, one after another, by value.", default=None)
    defaults: list[Step] | None = prop("Tasks to run when no case has the value; without them, it fails.", default=None)

    def plan(self) -> Choice:
        branches = {name: tuple(steps) for name, steps in (self.cases or {}).items()}
        otherwise = tuple(self.defaults) if self.defaults else None
        if not (any(branches.values()) or otherwise):
            raise Invalid(
                "No task defined, neither cases or default have any tasks", expected="tasks in `cases` or `defaults`"
            )
        return Choice(self.value, branches, otherwise, policy=self.policy())
