"""Records as people ask for them: rows of lists, one execution, one task output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Literal, TypeVar

from core.model.data import data
from core.model.state import Status, status_of

T = TypeVar("T")
History = tuple[tuple[str, int], ...]
"""States with the time each was entered, in microseconds since 1970 UTC."""


@data
class Page(Generic[T]):
    """Newest first. next: what `starting_after` takes to go on (`ending_before`, when that was given), None at the end.

    A page whose filter examined very many rows may be short, even empty, and still have a `next`.
    """

    data: tuple[T, ...]
    has_more: bool = False
    next: str | None = None


@data
class ExecutionView:
    """One flow execution.

    variables: what tasks made of the flow's variables, None when none changed them. trigger: what started it.
    original_id: the execution it was derived from, by a retry or a replay. attempt: 1, more for a retry of another.
    parent_id: the execution that called it. due_at: when it is to begin. held: somebody paused it.
    """

    id: str
    namespace: str
    flow_id: str
    flow_revision: int
    state: str
    history: History
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any] | None
    labels: Mapping[str, str]
    error: str
    created_at: int
    started_at: int | None
    ended_at: int | None
    variables: Mapping[str, Any] | None = None
    trigger: Mapping[str, Any] | None = None
    original_id: str | None = None
    attempt: int = 1
    parent_id: str | None = None
    due_at: int | None = None
    held: bool = False
    deleted_at: int | None = None

    @property
    def status(self) -> Status:
        return status_of(self.state, deleted=self.deleted_at is not None)

    @property
    def duration(self) -> float | None:
        """Seconds from its start to its end; None while it has not both."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at) / 1_000_000


@data
class AttemptView:
    """One attempt of a task execution. error: of one that failed before the last."""

    n: int
    id: str
    state: str
    started_at: int
    ended_at: int | None = None
    error: str = ""


@data
class TaskExecutionView:
    """One task execution, which is also one task output; its body is fetched apart.

    path: the values of the loops around it, outermost first. iteration: which element of the innermost one, from 0.
    parent_id: the group around it. due_at: what it waits for. copied_from: the task execution it is a copy of.
    log_uris: files with log lines that are not in the record, in order.
    properties: those of its last failed attempt as they were rendered, secrets hidden; None when none failed.
    """

    id: str
    flow_execution_id: str
    namespace: str
    flow_id: str
    flow_revision: int
    task_name: str
    type: str
    value: str | None
    state: str
    history: History
    attempts: tuple[AttemptView, ...]
    error: str
    note: str
    summary: Mapping[str, Any]
    tags: Mapping[str, str]
    output_size: int | None
    output_sha256: str | None
    output_preview: str | None
    version: int
    modified_by: str
    created_at: int
    updated_at: int
    ended_at: int | None
    stale_since: int | None
    deleted_at: int | None
    path: tuple[str, ...] = ()
    turn: int = 0
    iteration: int | None = None
    parent_id: str | None = None
    due_at: int | None = None
    copied_from: str | None = None
    log_uris: tuple[str, ...] = ()
    properties: Mapping[str, Any] | None = None

    @property
    def status(self) -> Status:
        return status_of(self.state, deleted=self.deleted_at is not None, stale=self.stale_since is not None)

    @property
    def duration(self) -> float | None:
        """Seconds from its first RUNNING, since it was last restarted, to its end; None while it has not both."""
        running = None
        for state, at in self.history:
            if state == "RESTARTED" or (state == "RUNNING" and running is None):
                running = None if state == "RESTARTED" else at
        return None if running is None or self.ended_at is None else (self.ended_at - running) / 1_000_000


@data
class Reason:
    """Why an execution stands where it stands, in words.

    command: the words of the command that lets it go on, for a person who wants that; empty when there is none.
    """

    text: str
    command: tuple[str, ...] = ()


@data
class LogView:
    """One recorded log line; `seq` goes on from the last one that was read."""

    seq: int
    at: int
    level: str
    task_name: str | None
    attempt: int | None
    message: str
    task_execution_id: str | None = None


@data
class LogFilter:
    """Which log lines of an execution: conditions are joined by AND. level: this one and those above it. find: a part
    of the message, in any case of letters. after: only lines behind the one with this `seq`; before: only those ahead
    of it, and of these the newest, oldest first all the same."""

    task_name: str | None = None
    task_execution_id: str | None = None
    level: str = "TRACE"
    find: str = ""
    after: int = 0
    before: int | None = None
    limit: int = 1000


@data
class FlowView:
    """One revision of a flow. local: it came with a run, nobody stored it."""

    namespace: str
    flow_id: str
    revision: int
    source: str
    local: bool
    created_at: int


@data
class KvView:
    """One entry of a namespace's key-value store."""

    namespace: str
    key: str
    value: Any
    version: int
    updated_at: int


@data
class FileView:
    """One stored file. sha256 is "" where nobody recorded it."""

    uri: str
    size: int
    sha256: str = ""


@data
class FilePreview:
    """The first rows or lines of a file. kind tells which of the others is filled."""

    uri: str
    size: int
    kind: Literal["table", "json", "text", "binary"]
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    text: str = ""
    truncated: bool = False


@data
class SummaryCondition:
    """A condition on a scalar of `summary`. path: names joined by dots. value: compared as a number when it is one.

    A boolean counts as 1 or 0, `true` and `false` as those. Only `=` and `!=` compare texts; `!=` holds only where
    the path is there.
    """

    path: str
    operator: Literal["=", "!=", ">", ">=", "<", "<="]
    value: str


@data
class OutputFilter:
    """Which task outputs a list shows: conditions are joined by AND, the values of one condition by OR.

    Times in microseconds since 1970 UTC. tag, tag_all: `key` or `key:value`; of tag_all each. summary: each holds.
    `deleted` ones are left out unless asked for. starting_after: an id, the rows older than it; ending_before: those
    newer than it, the nearest ones, newest first all the same. brief: what only tells how a task ran (history,
    attempts, properties, note, preview, groups around it) is left empty, which costs half.
    search: part of the name of the task, of a loop's value, or of the preview, in any case of letters.
    oldest_first: the other way round; starting_after and ending_before are meant in the order that is shown.
    """

    flow_execution_id: tuple[str, ...] = ()
    flow_id: tuple[str, ...] = ()
    namespace: tuple[str, ...] = ()
    task_name: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    created_after: int | None = None
    created_before: int | None = None
    limit: int = 100
    starting_after: str | None = None
    tag_all: tuple[str, ...] = ()
    modified_by: tuple[str, ...] = ()
    updated_after: int | None = None
    updated_before: int | None = None
    summary: tuple[SummaryCondition, ...] = ()
    ending_before: str | None = None
    brief: bool = False
    search: str = ""
    oldest_first: bool = False


@data
class ExecutionFilter:
    """Which flow executions a list shows; as `OutputFilter`."""

    flow_id: tuple[str, ...] = ()
    namespace: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    created_after: int | None = None
    created_before: int | None = None
    limit: int = 100
    starting_after: str | None = None
    ending_before: str | None = None


@data
class TaskChanged:
    """A task execution was opened, moved or ended; told after the commit."""

    execution_id: str
    task_execution_id: str
    task_name: str
    type: str
    state: str
    at: int
    value: str | None = None
    error: str = ""
    note: str = ""


@data
class ExecutionChanged:
    """An execution has a new state; told after the commit."""

    execution_id: str
    state: str
    at: int
    error: str = ""


@data
class TaskLogged:
    """A log line of a running task; told as it comes, before it is recorded."""

    execution_id: str
    task_name: str
    at: int
    level: str
    message: str


@data
class TaskProgressed:
    """A task tells how far it is."""

    execution_id: str
    task_name: str
    message: str
    fraction: float | None = None


Happening = TaskChanged | ExecutionChanged | TaskLogged | TaskProgressed


@data
class Evaluation:
    """What an expression gave: as text, as value, and the value's type in the language's words."""

    text: str
    value: Any
    type: str
