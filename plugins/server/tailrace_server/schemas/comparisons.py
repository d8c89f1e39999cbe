"""The outputs of two executions compared, as the API gives them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from attrs import frozen
from msgspec import Meta

from core.host.overviews import OutputComparison, OutputDifference, TableDifference, ValueDifference
from tailrace_server.plain import json_bytes

Path = Annotated[
    str,
    Meta(description="From the value on, as an expression would write it; rows of tables by their key.",
         examples=["rows[id=3].price"]),
]  # fmt: skip
Change = Annotated[
    Literal["changed", "added", "removed", "same"], Meta(description="Of the second against the first.")
]
TaskOutputId = Annotated[str | None, Meta(description="The task output, null where there is none.")]


@frozen
class ValuePart:
    """One place where two values differ."""

    path: Path
    change: Annotated[
        Literal["changed", "added", "removed", "moved"],
        Meta(description="`moved`: a table has the same rows in another order."),
    ]
    before: Any
    after: Any


@frozen
class TablePart:
    """How two lists of maps differ as tables."""

    path: Path
    before: Annotated[int, Meta(description="How many rows the first has.")]
    after: Annotated[int, Meta(description="How many rows the second has.")]
    key: Annotated[str, Meta(description="The column by which rows were matched; empty where whole rows were.")]
    added: int
    removed: int
    changed: int
    columns_added: list[str]
    columns_removed: list[str]
    first_rows: Annotated[
        int, Meta(description="Of very large tables only so many rows of each were looked at; 0: all of them.")
    ]


@frozen
class OutputDifferenceShown:
    """One value of two executions."""

    task_name: str
    path: Annotated[list[str], Meta(description="The values of the loops around the task, outermost first.")]
    name: Annotated[
        str,
        Meta(description="Of the value in the task's output; empty when that is no map, was not read, or is the same "
                         "as a whole."),
    ]  # fmt: skip
    change: Change
    first: TaskOutputId
    second: TaskOutputId
    before: Any
    after: Any
    large: Annotated[bool, Meta(description="The values are not told, since they are too large, or too many are.")]
    parts: Annotated[list[ValuePart], Meta(description="The first places inside of a changed value.")]
    more: Annotated[bool, Meta(description="There are other places.")]
    tables: Annotated[list[TablePart], Meta(description="Which of the places are lists of maps.")]


@frozen
class Counts:
    """How many values there are of each change."""

    changed: int
    added: int
    removed: int
    same: int


@frozen
class Comparison:
    """The outputs of two executions: changed ones first, then added, removed, same."""

    first: str
    second: str
    counts: Counts
    differences: list[OutputDifferenceShown]
    more: Annotated[bool, Meta(description="Differences beyond the limit are only counted.")]
    inputs: Annotated[list[ValuePart], Meta(description="Where the inputs of the executions differ.")]
    outputs: Annotated[list[ValuePart], Meta(description="Where the flow's own outputs differ.")]


def comparison_object(found: OutputComparison, room: int) -> dict[str, Any]:
    """A comparison as `Comparison`. room: bytes of values that may stand in it."""
    return {
        "first": found.first, "second": found.second, "counts": dict(found.counts),
        "differences": list(_differences(found.differences, room)), "more": found.more,
        "inputs": [_part(one) for one in found.inputs], "outputs": [_part(one) for one in found.outputs],
    }  # fmt: skip


def _differences(found: tuple[OutputDifference, ...], room: int) -> Iterator[dict[str, Any]]:
    for one in found:
        shown = {
            "task_name": one.task_name, "path": list(one.path), "name": one.name, "change": one.change,
            "first": one.first, "second": one.second, "before": one.before, "after": one.after, "large": one.large,
            "parts": [_part(part) for part in one.parts], "more": one.more,
            "tables": [_table(table) for table in one.tables],
        }  # fmt: skip
        size = len(json_bytes(shown))
        if size <= room:
            room -= size
        else:
            less: dict[str, Any] = {"before": None, "after": None, "large": True, "parts": []}
            shown = {**shown, **less, "more": bool(one.parts)}
        yield shown


def _part(one: ValueDifference) -> dict[str, Any]:
    return {"path": one.path, "change": one.change, "before": one.before, "after": one.after}


def _table(one: TableDifference) -> dict[str, Any]:
    return {
        "path": one.path, "before": one.before, "after": one.after, "key": one.key, "added": one.added,
        "removed": one.removed, "changed": one.changed, "columns_added": list(one.columns_added),
        "columns_removed": list(one.columns_removed), "first_rows": one.first_rows,
    }  # fmt: skip
