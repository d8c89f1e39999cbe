"""`http.Trigger`: declared and checked, not yet run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from core.sdk import prop
from core.sdk import triggers as sdk
from tailrace_http.task import RequestProperties


class Trigger(
    RequestProperties,
    sdk.Trigger,
    type="http.Trigger",
    aliases=("io.kestra.plugin.core.http.Trigger", "io.kestra.plugin.fs.http.Trigger"),
):
    """Start a flow when the answer to a request is as it should be."""

    interval: timedelta = prop("Time between two requests.", default=timedelta(seconds=60), render=False)
    response_condition: str = prop(
        "Starts the flow when this is true; sees `response.statusCode`, `response.body` and `response.headers`.",
        default="{{ response.statusCode < 400 }}",
    )
    encrypt_body: bool = prop("Whether `trigger.body` is recorded encrypted.", default=False, render=False)

    def faults(self) -> Iterator[sdk.Fault]:
        yield from super().faults()
        if self.interval <= timedelta(0):
            yield sdk.Fault(("interval",), "`interval` must be positive", "a duration such as PT30S")
