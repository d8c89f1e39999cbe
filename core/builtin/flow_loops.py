"""Flow tasks that run their tasks more than once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from core.builtin.flow import Block, at_least_zero, not_empty
from core.sdk import Described, Each, Invalid, IterationOutput, Repeat, Step, format_duration, prop


class ForEach(Block, type="flow.ForEach", aliases=("io.kestra.plugin.core.flow.ForEach",)):
    """Run tasks once for each value of a list."""

    values: str | list[Any] = prop("The values: a list, or a text that renders to the JSON text of one.")
    tasks: list[Step] = prop("Tasks to run for each value, one after another; they see it as `taskrun.value`.")
    concurrency_limit: int = prop("For how many values at once; 0 for all.", default=1, render=False)

    def plan(self) -> Each:
        limit = at_least_zero("concurrencyLimit", self.concurrency_limit)
        return Each(self.values, not_empty(self.tasks), limit, policy=self.policy())


class EachSequential(
    Block,
    type="flow.EachSequential",
    aliases=("io.kestra.plugin.core.flow.EachSequential", "io.kestra.core.tasks.flows.EachSequential"),
    deprecated="it is read as `flow.ForEach` with `concurrencyLimit: 1`",
):
    """Run tasks once for each value of a list, one value after another (deprecated: use `flow.ForEach`)."""

    value: str | list[Any] = prop("The values: a list, or a text that renders to the JSON text of one.")
    tasks: list[Step] = prop("Tasks to run for each value, one after another; they see it as `taskrun.value`.")

    def plan(self) -> Each:
        return Each(self.value, not_empty(self.tasks), policy=self.policy())


class EachParallel(
    Block,
    type="flow.EachParallel",
    aliases=("io.kestra.plugin.core.flow.EachParallel", "io.kestra.core.tasks.flows.EachParallel"),
    deprecated="it is read as `flow.ForEach` with `concurrencyLimit: 0` around a `flow.Parallel`",
):
    """Run every task for every value of a list, all side by side (deprecated: use `flow.ForEach`)."""

    value: str | list[Any] = prop("The values: a list, or a text that renders to the JSON text of one.")
    tasks: list[Step] = prop("Tasks to run for each value; they see it as `taskrun.value`.")
    concurrent: int = prop("How many tasks at once; 0 for all.", default=0, render=False)

    def plan(self) -> Each:
        limit = at_least_zero("concurrent", self.concurrent)
        return Each(self.value, not_empty(self.tasks), limit, side_by_side=True, policy=self.policy())


class LoopOutput(Described):
    """A value that each iteration gives."""

    id: str = prop("Its name.", render=False)
    type_: Literal[
        "STRING", "INT", "FLOAT", "BOOLEAN", "BOOL", "DATETIME", "DATE", "TIME", "DURATION", "JSON", "YAML", "URI",
        "SELECT", "MULTISELECT", "ENUM", "ARRAY", "FILE", "EMAIL", "SECRET",
    ] = prop("Its type, one of those of inputs.", name="type", render=False)  # fmt: skip
    value: Any = prop("The value, mostly an expression.")


class Loop(Block, type="flow.Loop", aliases=("io.kestra.plugin.core.flow.Loop",)):
    """Run tasks once for each value of a list, or entry of a map (the 2.x dialect)."""

    values: str | list[Any] | dict[str, Any] = prop(
        "The values: a list, a map, a text that renders to the JSON text of one, or the URI of a file: its lines."
    )
    tasks: list[Step] = prop(
        "Tasks to run for each value, one after another; they see it as `item.value`, with `item.index` (from 0), "
        "`item.key` (of a map), `item.parent` and `item.parents` (of the loops around)."
    )
    concurrency_limit: int = prop("For how many values at once; 0 for all.", default=0, render=False)
    transmit_failed: bool = prop(
        "A failed iteration fails the loop, and no other one begins; else each ends by itself, and the loop with "
        "SUCCESS.", default=True, render=False,
    )  # fmt: skip
    outputs: list[LoopOutput] | None = prop(
        "Values that each iteration gives that has not failed, rendered after its tasks. The loop gives all of them "
        "as `outputs`, a list of `item` (`value`, `iteration`, `key`) and `outputs`; see the function `loopOutputs`.",
        default=None,
    )  # fmt: skip
    fetch_type: Literal["AUTO", "FETCH", "STORE"] = prop(
        "Where these values go: FETCH to the output `outputs`, STORE to a file with a line of JSON for each iteration, "
        "the output `uri`; AUTO stores when `values` is a file.", default="AUTO", render=False,
    )  # fmt: skip
    break_when: str | None = prop(
        "Rendered after each iteration, with `item`, `iteration.state` and `iteration.outputs`; once it is true no "
        "other iteration begins.", default=None,
    )  # fmt: skip

    def plan(self) -> Each:
        outputs = tuple(IterationOutput(one.id, one.type_, one.value) for one in self.outputs or ())
        names = [output.id for output in outputs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise Invalid(
                f"two `outputs` have the id `{twice}`", where="$.outputs", expected="an id of its own for each"
            )
        limit = at_least_zero("concurrencyLimit", self.concurrency_limit)
        return Each(
            self.values, not_empty(self.tasks), limit, policy=self.policy(), as_items=True,
            transmit_failed=self.transmit_failed, outputs=outputs, break_when=self.break_when,
            stored={"FETCH": False, "STORE": True}.get(self.fetch_type),
        )  # fmt: skip


class CheckFrequency(Described):
    """How often a loop looks whether it can end, and when it gives up."""

    max_iterations: int | None = prop("How many rounds at most.", default=None)
    max_duration: timedelta | None = prop("For how long at most.", default=None)
    interval: timedelta = prop("The pause between two rounds.", factory=lambda: timedelta(minutes=1))


class LoopUntil(
    Block,
    type="flow.LoopUntil",
    aliases=("io.kestra.plugin.core.flow.LoopUntil", "flow.WaitFor", "io.kestra.plugin.core.flow.WaitFor"),
):
    """Run tasks again and again until a condition holds."""

    condition: str = prop("It ends when this renders to something else than nothing, `0` and `false`.")
    tasks: list[Step] = prop("Tasks to run in each round, one after another.")
    fail_on_max_reached: bool = prop("Fails when a limit is reached.", default=False)
    check_frequency: CheckFrequency = prop("How often it looks, and when it gives up.", factory=CheckFrequency)

    def plan(self) -> Repeat:
        frequency = self.check_frequency
        if isinstance(frequency.max_iterations, int) and frequency.max_iterations < 1:
            raise Invalid(
                "`maxIterations` must be positive", where="$.checkFrequency.maxIterations",
                expected="a whole number from 1",
            )  # fmt: skip
        return Repeat(
            self.condition, not_empty(self.tasks), _span("interval", frequency.interval) or "PT1M",
            frequency.max_iterations, _span("maxDuration", frequency.max_duration), self.fail_on_max_reached,
            policy=self.policy(),
        )  # fmt: skip


def _span(name: str, value: timedelta | str | None) -> str | None:
    """A span as text; an expression stays what it is. Raises Invalid when it is not positive."""
    if isinstance(value, timedelta):
        if value <= timedelta(0):
            raise Invalid(
                f"`{name}` must be positive", where=f"$.checkFrequency.{name}", expected="a duration such as PT10S"
            )
        return format_duration(value)
    return value
