"""A task of the flow's own kind that does work of its own: it waits."""

from __future__ import annotations

import threading
from datetime import timedelta

from core.sdk import Invalid, RunContext, RunnableTask, format_duration, prop


class Sleep(RunnableTask, type="flow.Sleep", aliases=("io.kestra.plugin.core.flow.Sleep",)):
    """Wait for a while.

    It takes one of the engine's workers while it waits, as in the reference; a stop ends it at once.
    """

    duration: timedelta = prop("How long.", examples=("PT5S",))

    def run(self, ctx: RunContext) -> None:
        if self.duration < timedelta(0):
            raise Invalid("the duration is less than no time", where="$.duration", expected="a duration such as PT30S")
        ctx.log.info(f"Waiting for {format_duration(self.duration)}")
        stopped = threading.Event()
        with ctx.on_stop(stopped.set):
            stopped.wait(min(self.duration.total_seconds(), threading.TIMEOUT_MAX))
