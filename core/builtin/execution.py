"""Tasks about the flow execution itself."""

from __future__ import annotations

from core.sdk import RunContext, RunnableTask, TaskFailed, prop, truthy


class Fail(
    RunnableTask,
    type="execution.Fail",
    aliases=("io.kestra.plugin.core.execution.Fail", "io.kestra.core.tasks.executions.Fail"),
):
    """Fail, always or on a condition."""

    condition: str | None = prop(
        "Fail only when this is true once rendered; without it the task always fails.",
        default=None,
        examples=("{{ inputs.amount < 0 }}",),
    )
    error_message: str = prop("Why it failed.", default="Task failure")

    def run(self, ctx: RunContext) -> None:
        if self.condition is None:
            raise TaskFailed(self.error_message)
        if truthy(self.condition):
            ctx.log.error(self.error_message)
            raise TaskFailed("Fail on a condition")
