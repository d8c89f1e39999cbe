"""Types that use everything a property can be: for the tests of schemas and pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from core.sdk import Described, RunContext, RunnableTask, Step, TaskOutput, TaskRunner, prop


class Filter(Described):
    """Which rows."""

    column: str = prop("Name of a column.")
    any_of: list[Filter] = prop("Filters of which one is enough.", factory=list)


class Export(
    RunnableTask,
    type="sample.Export",
    aliases=("com.acme.Export",),
):
    """Write rows to a file.

    One file for
    each call.
    """

    table: str = prop("Table to read.", aliases=("source",), examples=("products",))
    rows: int = prop("Rows at most.", default=100)
    ratio: float | None = prop("Share of the rows.", default=None)
    format: Literal["CSV", "JSON"] = prop("Format of the file.", default="CSV")
    header: bool = prop("Whether names come first.", default=True, render=False)
    pause: timedelta = prop("Time to wait.", default=timedelta(seconds=5), deprecated="timeout")
    columns: list[str] | str = prop("Columns a | b.", factory=list)
    options: dict[str, Any] = prop("Options of the driver.", factory=dict)
    filter: Filter | None = prop("Rows to keep.", default=None)
    runner: TaskRunner | None = prop("Where.", default=None)
    then: list[Step] = prop("Tasks to run afterwards.", factory=list)
    password: str = prop("Password.", default="secret", secret=True)

    class Output(TaskOutput):
        uri: str = prop("The file.")
        row_count: int | None = prop("Rows written.")

    def run(self, ctx: RunContext) -> Output:
        raise NotImplementedError
