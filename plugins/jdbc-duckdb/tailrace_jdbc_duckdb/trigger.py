"""`jdbc.duckdb.Trigger`: declared and checked, not yet run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from core.sdk import triggers
from core.sdk.properties import prop
from tailrace_jdbc_duckdb.common import DuckDbProperties, FetchType


class Trigger(
    DuckDbProperties,
    triggers.Trigger,
    type="jdbc.duckdb.Trigger",
    aliases=("io.kestra.plugin.jdbc.duckdb.Trigger",),
):
    """Start a flow when a query gives rows."""

    interval: timedelta = prop("Time between two queries.", default=timedelta(seconds=60), render=False)
    fetch_type: FetchType = prop("What becomes of the rows, which the flow reads in `trigger`.", default="FETCH")

    def faults(self) -> Iterator[triggers.Fault]:
        yield from super().faults()
        if self.interval <= timedelta(0):
            yield triggers.Fault(("interval",), "`interval` must be positive", "a duration such as PT30S")
