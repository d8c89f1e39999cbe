"""Looking at values while a flow is written."""

from __future__ import annotations

from core.sdk import Level, RunContext, RunnableTask, TaskOutput, prop


class Return(
    RunnableTask,
    type="debug.Return",
    aliases=("io.kestra.plugin.core.debug.Return", "io.kestra.core.tasks.debugs.Return"),
):
    """Give a rendered text as output.

    The text's length is counted in the metric `length`. The reference also times the rendering; here properties
    are rendered before a task runs, so that there is nothing left to time.
    """

    format: str | None = prop("Text to give.", default=None, examples=("{{ outputs.first.value }}",))

    class Output(TaskOutput):
        value: str | None = prop("The rendered text, or null when there was no `format`.")

    def run(self, ctx: RunContext) -> Output:
        if self.format is not None:
            ctx.log.debug(self.format)
        ctx.metric("length", len(self.format or ""))
        return self.Output(value=self.format)


class Echo(
    RunnableTask,
    type="debug.Echo",
    aliases=("io.kestra.plugin.core.debug.Echo", "io.kestra.core.tasks.debugs.Echo"),
):
    """Write a text to the log (deprecated: use `log.Log`)."""

    format: str = prop("Text to log.")
    level: Level = prop("How important it is.", default="INFO")

    def run(self, ctx: RunContext) -> None:
        ctx.log.log(self.level, self.format)
