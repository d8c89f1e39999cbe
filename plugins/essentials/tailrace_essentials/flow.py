"""A task of the flow's own kind that does work of its own: it waits."""

from __future__ import annotations

from datetime import timedelta

from core.sdk import Invalid, RunContext, RunnableTask, WaitRequest, format_duration, prop


class Sleep(RunnableTask, type="flow.Sleep", aliases=("io.kestra.plugin.core.flow.Sleep",)):
    """Wait for a while.

    It takes none of the engine's workers while it waits; a stop ends it at once.
    """

    duration: timedelta = prop("How long.", examples=("PT5S",))

    def run(self, ctx: RunContext) -> WaitRequest | None:
        if ctx.waited is not None:
            return None
        if self.duration < timedelta(0):
            raise Invalid("the duration is less than no time", where="$.duration", expected="a duration such as PT30S")
        ctx.log.info(f"Waiting for {format_duration(self.duration)}")
        return ctx.wait(for_=self.duration) if self.duration else None
