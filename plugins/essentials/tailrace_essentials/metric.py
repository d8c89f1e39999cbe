"""Metrics of a flow's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from core.sdk import Described, Invalid, RunContext, RunnableTask, TaskOutput, prop


class Measurement(Described):
    """One measurement."""

    type_: Literal["counter", "timer", "gauge"] = prop("What it counts or measures.", name="type")
    name: str = prop("Name of the metric.")
    value: float | timedelta = prop("A number; of a timer a duration, or seconds.")
    tags: dict[str, str] = prop("What distinguishes it from others of its name.", factory=dict)
    description: str | None = prop("For people: kept in the output.", default=None)

    def __post_init__(self) -> None:
        if self.type_ != "timer" and isinstance(self.value, timedelta):
            what = f"the value of a {self.type_} is a duration"
            raise Invalid(what, where="$.value", expected="a number, or `type: timer`")


class Publish(RunnableTask, type="metric.Publish", aliases=("io.kestra.plugin.core.metric.Publish",)):
    """Record metrics."""

    metrics: list[Measurement] = prop(
        "The measurements.",
        examples=(
            [{"type": "counter", "name": "rows", "value": 12}],
            [{"type": "timer", "name": "load", "value": "{{ outputs.load.time }}"}],
        ),
    )

    class Output(TaskOutput):
        metrics: list[Measurement] = prop("What was recorded.")

    def run(self, ctx: RunContext) -> Output:
        for one in self.metrics:
            ctx.metric(one.name, one.value, kind=one.type_, tags=one.tags)
        return self.Output(metrics=self.metrics)
