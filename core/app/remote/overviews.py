"""Overviews out of the API's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.app.remote.views import micros
from core.host.overviews import (
    DayCount,
    Lineage,
    OutputFigures,
    ReadLink,
    SummaryPoint,
    TaskDurations,
    TaskOutline,
)  # fmt: skip
from core.model.data import fields

Row = Mapping[str, Any]


def outline_view(row: Row) -> TaskOutline:
    """What ran of one task."""
    known = {name: row[name] for name in fields(TaskOutline)}
    times = {name: None if row[name] is None else micros(row[name]) for name in ("started_at", "ended_at")}
    return TaskOutline(**{**known, **times, "created_at": micros(row["created_at"])})


def lineage_view(row: Row) -> Lineage:
    """What an output was made from, and who read it."""
    return Lineage(tuple(map(_link, row["sources"])), tuple(map(_link, row["readers"])), row["more"])


def _link(row: Row) -> ReadLink:
    return ReadLink(row["what"], row["task_execution_id"], row["task_name"] or "", row["value"], row["purpose"])


def figures_view(row: Row) -> OutputFigures:
    """What a list amounts to."""
    return OutputFigures(
        per_day=tuple(DayCount(one["day"], one["status"], one["count"]) for one in row["per_day"]),
        durations=tuple(TaskDurations(*(one[name] for name in fields(TaskDurations))) for one in row["durations"]),
        summary_paths=tuple(row["summary_paths"]), examined=row["examined"], whole=row["whole"],
    )  # fmt: skip


def point_view(row: Row) -> SummaryPoint:
    """A number of one summary."""
    return SummaryPoint(row["output_id"], row["task_name"], micros(row["at"]), row["value"])
