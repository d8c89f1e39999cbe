"""Many records told at once, as the API gives them."""

from __future__ import annotations

from typing import Annotated, Any

from attrs import frozen
from msgspec import Meta

from core.host.overviews import Lineage, OutputFigures, ReadLink, SummaryPoint, TaskOutline
from tailrace_server.schemas.common import Id, Status, Time
from tailrace_server.schemas.task_outputs import TaskName
from tailrace_server.times import iso

Many = Annotated[int, Meta(ge=0)]
Took = Annotated[float, Meta(description="Seconds.", ge=0)]


@frozen
class TaskOutlineObject:
    """All task executions of one task in one flow execution, told together."""

    task_name: TaskName
    type: Annotated[str, Meta(examples=["http.Request"])]
    parent: Annotated[str | None, Meta(description="The task that groups it, null at the top.")]
    count: Annotated[int, Meta(description="How many there are.", ge=1)]
    states: Annotated[dict[str, int], Meta(description="How many are in which state.", examples=[{"SUCCESS": 12}])]
    created_at: Time
    started_at: Annotated[str | None, Meta(description="When the first one ran, null while none did.")]
    ended_at: Annotated[str | None, Meta(description="When the last one ended, null while any is open.")]
    id: Annotated[Id, Meta(description="Of the newest of them; of one that failed where there is any.")]
    output_size: Annotated[int, Meta(description="Bytes of all their outputs.", ge=0)]


@frozen
class Outline:
    """What ran in a flow execution, one for each task, in the order they first began."""

    data: list[TaskOutlineObject]


@frozen
class ReadLinkObject:
    """That one thing read another."""

    what: Annotated[str, Meta(description="The path that was read.", examples=["outputs.fetch.uri"])]
    task_execution_id: Annotated[
        str | None,
        Meta(description="Of the other end; null for what is no task's (inputs, variables, the flow's own outputs), "
                         "and where all of a loop was read."),
    ]  # fmt: skip
    task_name: Annotated[str | None, Meta(description="Of the other end.", examples=["fetch"])]
    value: Annotated[str | None, Meta(description="What the innermost loop around it stood at.")]
    purpose: Annotated[
        str, Meta(description="`properties` of a task, or what else was evaluated.", examples=["runIf", "condition"])
    ]


@frozen
class LineageObject:
    """What a task output was made from, and who read it; at most 200 of each."""

    sources: list[ReadLinkObject]
    readers: list[ReadLinkObject]
    more: Annotated[bool, Meta(description="Whether there are others.")]


@frozen
class DayCountObject:
    """Task outputs of one status of one day."""

    day: Annotated[str, Meta(description="In UTC.", examples=["2026-11-22"])]
    status: Status
    count: Many


@frozen
class TaskDurationsObject:
    """How long the task executions of one task took."""

    task_name: TaskName
    count: Many
    median: Took
    p95: Took
    longest: Took


@frozen
class SummaryPointObject:
    """A number of one summary."""

    output_id: Id
    task_name: TaskName
    at: Time
    value: float


@frozen
class Figures:
    """What a list of task outputs amounts to."""

    per_day: list[DayCountObject]
    durations: Annotated[list[TaskDurationsObject], Meta(description="The task with the longest median first.")]
    summary_paths: Annotated[
        list[str], Meta(description="Numeric fields of `summary`, the most common first.", examples=[["rows"]])
    ]
    examined: Annotated[int, Meta(description="How many rows these are, the newest.", ge=0)]
    whole: Annotated[bool, Meta(description="Whether these are all that the filters have.")]
    over_time: Annotated[
        list[SummaryPointObject] | None, Meta(description="Of the field that `over_time` names, the oldest first.")
    ]


def outline_object(found: tuple[TaskOutline, ...]) -> dict[str, Any]:
    """As `Outline`."""
    return {"data": [
        {
            "task_name": one.task_name, "type": one.type, "parent": one.parent, "count": one.count,
            "states": one.states, "created_at": iso(one.created_at), "started_at": iso(one.started_at),
            "ended_at": iso(one.ended_at), "id": one.id, "output_size": one.output_size,
        } for one in found
    ]}  # fmt: skip


def lineage_object(found: Lineage) -> dict[str, Any]:
    """As `LineageObject`."""
    return {
        "sources": list(map(_link, found.sources)), "readers": list(map(_link, found.readers)), "more": found.more,
    }  # fmt: skip


def _link(one: ReadLink) -> dict[str, Any]:
    return {
        "what": one.what, "task_execution_id": one.task_execution_id, "task_name": one.task_name or None,
        "value": one.value, "purpose": one.purpose,
    }  # fmt: skip


def figures_object(found: OutputFigures, points: tuple[SummaryPoint, ...] | None) -> dict[str, Any]:
    """As `Figures`."""
    return {
        "per_day": [{"day": one.day, "status": one.status, "count": one.count} for one in found.per_day],
        "durations": [
            {"task_name": one.task_name, "count": one.count, "median": one.median, "p95": one.p95,
             "longest": one.longest} for one in found.durations
        ],
        "summary_paths": found.summary_paths,
        "examined": found.examined,
        "whole": found.whole,
        "over_time": None if points is None else list(map(_point, points)),
    }  # fmt: skip


def _point(one: SummaryPoint) -> dict[str, Any]:
    return {"output_id": one.output_id, "task_name": one.task_name, "at": iso(one.at), "value": one.value}
