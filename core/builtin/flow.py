"""Flow tasks: they describe how their children run."""

from __future__ import annotations

from core.sdk import FlowTask, Policy, Sequence, Step, prop


class Sequential(
    FlowTask,
    type="flow.Sequential",
    aliases=("io.kestra.plugin.core.flow.Sequential", "io.kestra.core.tasks.flows.Sequential"),
):
    """Run tasks one after another."""

    tasks: list[Step] = prop("Tasks to run, in this order; the first failure stops them.", factory=list)
    errors: list[Step] = prop("Tasks to run after one of `tasks` has failed.", factory=list)
    finally_: list[Step] = prop("Tasks to run at the end, after success and after failure.", factory=list)

    def plan(self) -> Sequence:
        return Sequence(tuple(self.tasks), Policy(errors=tuple(self.errors), finally_=tuple(self.finally_)))
