"""The contract of record stores: rows, committed with the guards of the decisions that made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from core.host.seam import LogLine, Metric, Read, TaskResult
from core.host.views import (
    ExecutionFilter,
    ExecutionView,
    FlowView,
    KvView,
    LogView,
    OutputFilter,
    Page,
    TaskExecutionView,
)  # fmt: skip
from core.model.data import data, field
from core.model.decisions import Counters, Decision
from core.model.messages import EvaluationKey, TaskKey


@data
class NewExecution:
    """An execution to be created; `files` are the URIs its inputs name."""

    id: str
    organization_id: str
    namespace: str
    flow_id: str
    flow_revision: int
    inputs_json: str
    labels: Mapping[str, str]
    files: tuple[tuple[str, int, str], ...]
    at: int


@data
class OpenTaskRow:
    """A task execution that has not ended, as the engine needs it to go on."""

    identity: TaskIdentity
    key: TaskKey
    state: str
    counters: Counters | None


@data
class OpenExecution:
    """An execution as its new owner finds it: enough to decide, never all that ever ran."""

    view: ExecutionView
    organization_id: str
    counters: Counters
    fence: int
    tasks: tuple[OpenTaskRow, ...]
    evaluations: Mapping[EvaluationKey, tuple[Any, str]]


@data
class StoredOutput:
    """The body of an output: its text, or where the file lies when it is too large for the record."""

    task_execution_id: str
    text: str | None
    uri: str | None
    size: int


@data
class TaskIdentity:
    """What names a task execution and its open attempt."""

    id: str
    type: str
    parent_id: str | None
    attempt: int = 0
    attempt_id: str = ""


@data
class ExecutionIdentity:
    """What names an execution, and what each of its rows repeats."""

    id: str
    organization_id: str
    namespace: str
    flow_id: str
    flow_revision: int


@data
class Unit:
    """What one execution wants written: a decision with everything that must become true together with it.

    fence: the fencing number of the owner. tasks: the identity of every task execution the decision names.
    logs: (task, line). evaluated: what each answered evaluation read. done: inbox rows that this decision answers.
    """

    execution: ExecutionIdentity
    fence: int
    decision: Decision
    at: int
    tasks: Mapping[TaskKey, TaskIdentity] = field(factory=dict)
    results: Mapping[TaskKey, TaskResult] = field(factory=dict)
    evaluated: Mapping[EvaluationKey, tuple[Read, ...]] = field(factory=dict)
    logs: Sequence[tuple[TaskKey, TaskIdentity | None, LogLine]] = ()
    metrics: Sequence[tuple[TaskIdentity, Metric]] = ()
    outputs_json: str | None = None
    done: tuple[int, ...] = ()


@data
class Refused:
    """A unit that was not written, and the guard that did not hold."""

    execution_id: str
    guard: str


class RecordStore(Protocol):
    """Rows of all organizations. Readers see commits of other processes; no read lasts longer than a second."""

    # -- writing
    def create_execution(self, new: NewExecution) -> None: ...
    def commit(self, units: Sequence[Unit]) -> tuple[Refused, ...]:
        """Write units in one transaction; a refused one leaves its neighbours alone."""

    def save_flow(
        self, organization: str, namespace: str, flow_id: str, source: str, *, local: bool, at: int
    ) -> FlowView: ...
    def set_kv(self, organization: str, namespace: str, key: str, value_json: str, at: int) -> KvView: ...
    def delete_kv(self, organization: str, namespace: str, key: str) -> bool: ...
    def purge_execution(self, organization: str, execution_id: str) -> tuple[str, ...]:
        """Delete an ended execution's rows; the URIs of files that no row names any more."""

    def save_namespace_file(
        self, organization: str, namespace: str, path: str, uri: str, size: int, sha256: str, at: int
    ) -> None: ...  # fmt: skip

    # -- ownership and messages from outside
    def register_engine(self, engine_id: str, now: int) -> None:
        """Show that an engine of this process lives and decides."""

    def forget_engine(self, engine_id: str) -> None:
        """The engine decides no more."""

    def beat(self, engine_id: str) -> None:
        """Move an engine's beat, for observers that can't see its lock."""

    def claim(self, execution_id: str, engine_id: str) -> OpenExecution:
        """Become the owner; raises Conflict when a living engine owns it, NotFound."""

    def release(self, execution_id: str, fence: int) -> None: ...
    def send(self, execution_id: str, kind: str, payload_json: str, at: int) -> None:
        """Append to an execution's inbox; anybody may."""

    def unread(self, execution_ids: Sequence[str]) -> tuple[tuple[int, str, str, str], ...]:
        """(seq, execution, kind, payload) of what the owner has not decided yet."""

    def changed(self) -> bool:
        """Whether another process has written since the last call; cheap enough for every 50 ms."""

    def tidy(self) -> None:
        """Housekeeping, called when an engine's own thread has nothing to do; others may write meanwhile."""

    # -- reading
    def execution(self, organization: str, execution_id: str) -> ExecutionView | None: ...
    def find_executions(self, organization: str, prefix: str, limit: int = 2) -> tuple[str, ...]: ...
    def executions(self, organization: str, which: ExecutionFilter) -> Page[ExecutionView]: ...
    def abandoned(self, organization: str, engine_id: str) -> tuple[str, ...]:
        """Executions that another engine owned and that engine is dead."""

    def newest_execution(self, organization: str) -> str | None: ...

    def task_executions(self, organization: str, execution_id: str) -> tuple[TaskExecutionView, ...]: ...
    def task_execution(self, organization: str, task_execution_id: str) -> TaskExecutionView | None: ...
    def find_task_executions(self, organization: str, prefix: str, limit: int = 2) -> tuple[str, ...]: ...
    def outputs(self, organization: str, which: OutputFilter) -> Page[TaskExecutionView]: ...
    def output(self, organization: str, task_execution_id: str) -> StoredOutput | None: ...
    def outputs_of(
        self, execution_id: str, task_names: Sequence[str] | None
    ) -> tuple[tuple[TaskKey, str, StoredOutput | None], ...]:
        """(key, state, output) of ended task executions: all, or those of the named tasks."""

    def logs(
        self, organization: str, execution_id: str, task_name: str | None, levels: Sequence[str], after: int, limit: int
    ) -> tuple[LogView, ...]: ...
    def flow(self, organization: str, namespace: str, flow_id: str, revision: int | None) -> FlowView | None: ...
    def flows(self, organization: str, namespace: str | None) -> tuple[FlowView, ...]: ...
    def kv(self, organization: str, namespace: str, key: str, now: int) -> KvView | None: ...
    def kvs(self, organization: str, namespace: str, now: int) -> tuple[KvView, ...]: ...
    def may_read_file(self, organization: str, execution_id: str, uri: str) -> bool:
        """Whether a file was named in the execution's inputs or stored by it, or is a namespace file."""

    def namespace_files(self, organization: str, namespace: str) -> tuple[tuple[str, str], ...]:
        """(path, uri) of a namespace's files."""

    def close(self) -> None: ...
