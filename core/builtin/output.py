"""Outputs without work."""

from __future__ import annotations

from typing import Any

from core.sdk import RunContext, RunnableTask, TaskOutput, prop


class OutputValues(
    RunnableTask,
    type="output.OutputValues",
    aliases=("io.kestra.plugin.core.output.OutputValues",),
):
    """Give named values as output."""

    values: dict[str, Any] = prop("The values by name; lists and maps inside are rendered too.", factory=dict)

    class Output(TaskOutput):
        values: dict[str, Any] = prop("The rendered values; what was not text keeps its type.")

    def run(self, ctx: RunContext) -> Output:
        return self.Output(values=self.values)
