"""Writing to the log."""

from __future__ import annotations

from core.sdk import Level, RunContext, RunnableTask, prop


class Log(
    RunnableTask,
    type="log.Log",
    aliases=("io.kestra.plugin.core.log.Log", "io.kestra.core.tasks.log.Log"),
):
    """Write one or more lines to the log."""

    message: str | list[str] = prop("Text to log; of a list each element is logged by itself.")
    level: Level = prop("How important it is.", default="INFO")

    def run(self, ctx: RunContext) -> None:
        for message in [self.message] if isinstance(self.message, str) else self.message:
            ctx.log.log(self.level, message)
