"""Flow executions and task executions, as the API gives them."""

from __future__ import annotations

from typing import Annotated, Any

from attrs import field, frozen
from msgspec import Meta

from core.host.views import AttemptView, ExecutionView, History, LogView, TaskExecutionView
from tailrace_server.schemas.common import HasMore, Id, Next, State, Status, Time
from tailrace_server.schemas.task_outputs import TaskOutput
from tailrace_server.times import iso

Whole = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Seconds = Annotated[float | None, Meta(description="Seconds; null while it has not ended.")]
Labels = Annotated[dict[str, str], Meta(examples=[{"team": "sales"}])]
Inputs = Annotated[dict[str, Any], Meta(description="By name; values, or their texts.", examples=[{"country": "AT"}])]
LoopValue = Annotated[str | None, Meta(description="What the innermost loop around the task stood at.")]


@frozen
class StateEntered:
    """A state, and when it was entered."""

    state: State
    at: Time


@frozen
class FlowExecution:
    """One run of a flow."""

    id: Id
    organization_id: str
    namespace: str
    flow_id: str
    flow_revision: int
    state: State
    status: Status
    history: list[StateEntered]
    labels: Labels
    inputs: dict[str, Any]
    outputs: Annotated[dict[str, Any] | None, Meta(description="The flow's own outputs; null while it has not ended.")]
    error: str | None
    duration: Seconds
    original_id: Annotated[str | None, Meta(description="The execution it was derived from, by a replay or a retry.")]
    parent_id: Annotated[str | None, Meta(description="The execution that called it.")]
    attempt: Annotated[int, Meta(description="1, more for one that retries another.", ge=1)]
    created_at: Time
    started_at: Time | None
    ended_at: Time | None
    warnings: Annotated[list[str] | None, Meta(description="Of its creation: about its inputs and checks.")] = None
    task_outputs: Annotated[
        list[TaskOutput] | None, Meta(description="Where `include=task_outputs` asks for them, oldest first.")
    ] = None


@frozen
class Reason:
    """One reason in words."""

    text: Annotated[str, Meta(examples=["`approve` waits for a person"])]
    command: Annotated[
        list[str],
        Meta(description="The words of the command of the command line that lets it go on; empty when there is none."),
    ]


@frozen
class Reasons:
    """Why an execution stands where it stands."""

    data: list[Reason]


@frozen
class FlowExecutionPage:
    """A page of flow executions, newest first."""

    data: list[FlowExecution]
    has_more: HasMore
    next: Next


@frozen
class NewFlowExecution:
    """What is to run."""

    namespace: Annotated[str, Meta(examples=["company.team"])]
    flow_id: Annotated[str, Meta(examples=["getting_started"])]
    revision: Annotated[Whole | None, Meta(description="The newest one unless given.")] = None
    inputs: Inputs = field(factory=dict)
    labels: Labels = field(factory=dict)


@frozen
class ResumeGiven:
    """What a person gives to an execution that waits."""

    inputs: Inputs = field(factory=dict)
    task_name: Annotated[str | None, Meta(description="Of several tasks that wait, only this one.")] = None
    value: LoopValue = None


@frozen
class ReplayGiven:
    """Where a replay begins."""

    from_task: Annotated[str | None, Meta(description="What ran before it is kept with its outputs.")] = None
    value: LoopValue = None
    latest_revision: Annotated[bool, Meta(description="Of the flow, instead of the one that ran.")] = False


@frozen
class Attempt:
    """One attempt of a task execution."""

    n: Annotated[int, Meta(ge=1)]
    id: str
    state: State
    started_at: Time
    ended_at: Time | None
    duration: Seconds
    error: str | None


@frozen
class TaskExecution:
    """How a task ran; the task output of the same id is what came out of it."""

    id: Id
    organization_id: str
    flow_execution_id: Id
    namespace: str
    flow_id: str
    flow_revision: int
    task_name: str
    type: Annotated[str, Meta(examples=["http.Request"])]
    value: LoopValue
    path: Annotated[list[str], Meta(description="The values of the loops around it, outermost first.")]
    iteration: Annotated[int | None, Meta(description="Which element of the innermost loop, from 0.")]
    turn: int
    parent_id: Annotated[str | None, Meta(description="The task execution of the group around it.")]
    state: State
    status: Status
    history: list[StateEntered]
    attempts: list[Attempt]
    duration: Seconds
    error: str | None
    note: Annotated[str | None, Meta(description="Such as which runner was chosen.")]
    properties: Annotated[
        Any, Meta(description="Those of its last failed attempt as they were rendered, secrets hidden; else null.")
    ]
    due_at: Annotated[str | None, Meta(description="What it waits for.")]
    copied_from: Annotated[str | None, Meta(description="The task execution of another execution it is a copy of.")]
    version: int
    created_at: Time
    updated_at: Time
    ended_at: Time | None


@frozen
class TaskExecutionPage:
    """A page of task executions, newest first."""

    data: list[TaskExecution]
    has_more: HasMore
    next: Next


@frozen
class LogEntry:
    """A recorded log line."""

    seq: Annotated[int, Meta(description="In the order of the execution.")]
    at: Time
    level: Annotated[str, Meta(examples=["INFO"])]
    task_name: str | None
    task_execution_id: str | None
    attempt: int | None
    message: str


@frozen
class LogPage:
    """Log lines, oldest first."""

    data: list[LogEntry]
    has_more: HasMore
    next: Annotated[int | None, Meta(description="What `after` takes to go on; null at the end of what is there.")]


def execution_object(view: ExecutionView, organization: str) -> dict[str, Any]:
    """A view as `FlowExecution`."""
    return {
        "id": view.id, "organization_id": organization, "namespace": view.namespace, "flow_id": view.flow_id,
        "flow_revision": view.flow_revision, "state": view.state, "status": view.status,
        "history": _history(view.history), "labels": view.labels, "inputs": view.inputs, "outputs": view.outputs,
        "error": view.error or None, "duration": view.duration, "original_id": view.original_id,
        "parent_id": view.parent_id, "attempt": view.attempt, "created_at": iso(view.created_at),
        "started_at": iso(view.started_at), "ended_at": iso(view.ended_at),
    }  # fmt: skip


def task_object(view: TaskExecutionView, organization: str) -> dict[str, Any]:
    """A view as `TaskExecution`."""
    return {
        "id": view.id, "organization_id": organization, "flow_execution_id": view.flow_execution_id,
        "namespace": view.namespace, "flow_id": view.flow_id, "flow_revision": view.flow_revision,
        "task_name": view.task_name, "type": view.type, "value": view.value, "path": view.path,
        "iteration": view.iteration, "turn": view.turn, "parent_id": view.parent_id, "state": view.state,
        "status": view.status, "history": _history(view.history), "attempts": [_attempt(one) for one in view.attempts],
        "duration": view.duration, "error": view.error or None, "note": view.note or None,
        "properties": view.properties, "due_at": iso(view.due_at), "copied_from": view.copied_from,
        "version": view.version, "created_at": iso(view.created_at), "updated_at": iso(view.updated_at),
        "ended_at": iso(view.ended_at),
    }  # fmt: skip


def log_object(line: LogView) -> dict[str, Any]:
    """A view as `LogEntry`."""
    return {
        "seq": line.seq, "at": iso(line.at), "level": line.level, "task_name": line.task_name,
        "task_execution_id": line.task_execution_id, "attempt": line.attempt, "message": line.message,
    }  # fmt: skip


def _history(history: History) -> list[dict[str, Any]]:
    return [{"state": state, "at": iso(at)} for state, at in history]


def _attempt(one: AttemptView) -> dict[str, Any]:
    seconds = None if one.ended_at is None else (one.ended_at - one.started_at) / 1_000_000
    return {
        "n": one.n, "id": one.id, "state": one.state, "started_at": iso(one.started_at),
        "ended_at": iso(one.ended_at), "duration": seconds, "error": one.error or None,
    }  # fmt: skip
