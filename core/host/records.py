"""The contract of record stores: rows, committed with the guards of the decisions that made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from core.host.requests import LogSpan, Request
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
from core.model.data import data, field, quick
from core.model.decisions import Counters, Decision
from core.model.messages import ROOT, EvaluationKey, TaskKey

if TYPE_CHECKING:  # most runs have no use for it
    from core.host.product import ProductRecords


@data
class ParentLink:
    """Which Call made a child execution: its execution, its task execution, the attempt of it, the child's number.

    wait: the end of the child is told to the parent, as an inbox row `child_ended`.
    """

    execution_id: str
    task_execution_id: str
    key: TaskKey
    index: int = 0
    wait: bool = True
    attempt: int = 1


@data
class NewExecution:
    """An execution to be created; `files` are (URI, size, sha256) that its inputs name.

    first: kind and payload of its first inbox row, which waits to be read. due_at: when it is to begin (microseconds
    since 1970 UTC): nobody is to own it before, or its owner waits. variables_json, trigger_json: None for none; for a
    derived one those of the execution it is made from.
    """

    id: str
    organization_id: str
    namespace: str
    flow_id: str
    flow_revision: int
    inputs_json: str
    labels: Mapping[str, str]
    files: tuple[tuple[str, int, str], ...]
    at: int
    parent: ParentLink | None = None
    due_at: int = 0
    first: tuple[str, str] = ("start", "{}")
    variables_json: str | None = None
    trigger_json: str | None = None


@data
class OpenTaskRow:
    """A task execution that has not ended, as the engine needs it to go on.

    running: its last attempt is open. attempts: how many have begun. since: when it began, or was restarted
    (microseconds). due_at: what it waits for, 0 for nothing. iteration: which element of the loop around it.
    wait_state: what its open attempt gave when it began to wait.
    """

    identity: TaskIdentity
    key: TaskKey
    state: str
    counters: Counters | None
    parent: TaskKey = ROOT
    running: bool = False
    attempts: int = 0
    since: int = 0
    due_at: int = 0
    iteration: int | None = None
    wait_state: str | None = None


@data
class PastRow:
    """A task execution, ended or not: what a restart looks at. stale: something it read was changed afterwards."""

    key: TaskKey
    parent: TaskKey
    state: str
    counters: Counters | None
    stale: bool
    attempts: int
    identity: TaskIdentity


@data
class ChildRow:
    """A child execution of a Call: of each number the latest."""

    index: int
    execution_id: str
    state: str
    outputs_json: str | None
    error: str


@data
class OpenExecution:
    """An execution as its new owner finds it: enough to decide, never all that ever ran.

    attempt: 1, more for one that retries another; began_at: when the first of them was created (microseconds).
    due_at: when it is to begin, 0 once it has or for at once. takeovers: how many engines that owned it are gone, one
    after the other, since its last decision. seq: executions were created in this order, whatever clocks said.
    """

    view: ExecutionView
    organization_id: str
    counters: Counters
    fence: int
    tasks: tuple[OpenTaskRow, ...]
    evaluations: Mapping[EvaluationKey, tuple[Any, str]]
    attempt: int = 1
    began_at: int = 0
    due_at: int = 0
    parent: ParentLink | None = None
    takeovers: int = 0
    seq: int = 0


@data
class StoredOutput:
    """The body of an output: its text, or where the file lies when it is too large for the record."""

    task_execution_id: str
    text: str | None
    uri: str | None
    size: int


@quick
class TaskIdentity:
    """What names a task execution and its open attempt."""

    id: str
    type: str
    parent_id: str | None
    attempt: int = 0
    attempt_id: str = ""


@quick
class ExecutionIdentity:
    """What names an execution, and what each of its rows repeats."""

    id: str
    organization_id: str
    namespace: str
    flow_id: str
    flow_revision: int


@quick
class Unit:
    """What one execution wants written: a decision with everything that must become true together with it.

    fence: the fencing number of the owner. tasks: the identity of every task execution the decision names.
    results: of an EndTask, or of a MoveTask whose attempt ended. logs: (task, line). evaluated: what each answered
    evaluation read. done: inbox rows that this decision answers. derived: the execution of a Derive, with the
    same owner and parent link, and `kept`, the task executions of which it gets copies.
    requests, files: what the execution itself wants written. outputs_json: those of the flow, at its end.
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
    derived: NewExecution | None = None
    kept: Sequence[TaskKey] = ()
    requests: tuple[Request, ...] = ()
    files: tuple[tuple[str, int, str], ...] = ()


RefusedKind = Literal["fence", "slot", "twice", "version", "key"]


@data
class Refused:
    """A unit that was not written, and the guard that did not hold: in words, and which.

    fence: it has another owner. slot: the flow has no free slot. twice: a row says it was decided before.
    version: a task output was changed meanwhile. key: a key that was to be absent is there.
    """

    execution_id: str
    guard: str
    kind: RefusedKind = "fence"


class RecordStore(Protocol):
    """Rows of all organizations. Readers see commits of other processes; no read lasts longer than a second.

    Called from many threads. Texts named `…_json` are the codec's; times are microseconds since 1970 UTC; the store has
    no clock for them and draws no ids. What is another organization's is not there. All raise Unreachable when the
    records can't be used. `core.testing.RecordStoreContract` asks for all of this.
    """

    @property
    def product(self) -> ProductRecords:
        """Task outputs as a product, keys, the audit, the feed: over the same rows."""

    # -- writing
    def create_execution(self, new: NewExecution) -> bool:
        """False when its parent link says it exists: same task execution, number and attempt. Then nothing is done."""

    def derive(self, new: NewExecution, of: str, keep: Sequence[TaskKey], again: Sequence[TaskKey] = ()) -> None:
        """Create an execution from another, with copies of task executions of it: their outputs by value or by file,
        their evaluations, what they read. The copies keep `created_at`, and what had not ended counts as ended.
        again: those of `keep` that run again from their beginning: what they had asked for is not copied."""

    def commit(self, units: Sequence[Unit]) -> tuple[Refused, ...]:
        """Write units in one transaction; a refused one leaves its neighbours alone."""

    def save_flow(
        self, organization: str, namespace: str, flow_id: str, source: str, *, local: bool, at: int
    ) -> FlowView:
        """A new revision, or the newest one when its text is the same. local: it came with a run, nobody stored it."""

    def set_kv(self, organization: str, namespace: str, key: str, value_json: str, at: int) -> KvView: ...
    def delete_kv(self, organization: str, namespace: str, key: str) -> bool:
        """False when it is not there."""

    def purge_execution(self, organization: str, execution_id: str) -> tuple[str, ...]:
        """Delete an ended execution's rows; the URIs of files that no row names any more. Raises NotFound, Conflict."""

    def files_removed(self, organization: str, uris: Sequence[str]) -> None:
        """The bytes of doomed files are gone."""

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
        """Become the owner, with the next fence; of what has ended too. Raises Conflict (its owner lives), NotFound."""

    def release(self, execution_id: str, fence: int) -> None:
        """Let nobody own it; nothing when the fence is another by now."""

    def is_owned(self, execution_id: str) -> bool:
        """Whether a living engine works on it."""

    def outputs_at(
        self, execution_id: str, task_name: str, path: tuple[str, ...]
    ) -> tuple[StoredOutput | None, tuple[str, ...]]:
        """The output of a task below loops for some values of them, and the values there are one level deeper."""

    def send(self, execution_id: str, kind: str, payload_json: str, at: int) -> None:
        """Append to an execution's inbox; anybody may. `changed` says so then, to this store too."""

    def unread(self, execution_ids: Sequence[str]) -> tuple[tuple[int, str, str, str], ...]:
        """(seq, execution, kind, payload) of what the owner has not decided yet."""

    def changed(self) -> bool:
        """Whether others have sent a message or ended an execution since the last call, or may have; cheap enough for
        every 50 ms."""

    def queued(self, organization: str, namespace: str, flow_id: str) -> tuple[str, ...]:
        """Executions of a flow in state QUEUED whose engine lives, the one that waits longest first."""

    def mark_stale(self, task_execution_id: str, at: int) -> tuple[str, ...]:
        """Mark what read an output, straight or through others of its execution; the task executions now marked.

        A condition or loop values that read it make the task they belong to stale, with everything below it.
        """

    def tidy(self) -> None:
        """Housekeeping, called when an engine's own thread has nothing to do; others may write meanwhile."""

    # -- reading
    def execution(self, organization: str, execution_id: str) -> ExecutionView | None:
        """None for one that is hidden, too; hidden task outputs are found by their ids, and say so."""

    def find_executions(self, organization: str, prefix: str, limit: int = 2) -> tuple[str, ...]:
        """Ids that begin so."""

    def executions(self, organization: str, which: ExecutionFilter) -> Page[ExecutionView]:
        """Raises Invalid (a limit out of range), NotFound (no such row to go on from); so does `outputs`."""

    def abandoned(self, organization: str, engine_id: str) -> tuple[str, ...]:
        """Executions with something left to run that another engine owned, and that engine is dead."""

    def claimable(self, engine_id: str, now: int, limit: int = 100) -> tuple[tuple[str, str], ...]:
        """(organization, execution) of all organizations that an engine may claim, the oldest first.

        Its owner is dead and something of it is left to run, or nobody owns it and it has an unread inbox row or a
        `due_at` in the past. A new one is left to whoever created it for a second, unless it has a second message;
        one that is hidden, or to begin later, is left alone.
        """

    def newest_execution(self, organization: str) -> str | None: ...

    def task_executions(self, organization: str, execution_id: str) -> tuple[TaskExecutionView, ...]: ...
    def task_execution(self, organization: str, task_execution_id: str) -> TaskExecutionView | None: ...
    def find_task_executions(self, organization: str, prefix: str, limit: int = 2) -> tuple[str, ...]: ...
    def outputs(self, organization: str, which: OutputFilter) -> Page[TaskExecutionView]: ...
    def output(self, organization: str, task_execution_id: str) -> StoredOutput | None: ...
    def outputs_of(
        self, execution_id: str, task_names: Sequence[str] | None
    ) -> tuple[tuple[TaskKey, str, StoredOutput | None], ...]:
        """(key, state, output) of task executions that have ended or have an output: all, or of the named tasks.

        Of each task and iteration path only the latest turn, in the order they were opened.
        """

    def states_of(self, execution_id: str, task_names: Sequence[str] | None = None) -> tuple[tuple[TaskKey, str], ...]:
        """(key, state) of all task executions, or of the named tasks; of each iteration path only the latest turn."""

    def past(self, execution_id: str) -> tuple[PastRow, ...]:
        """Every task execution of an execution, in the order they were opened."""

    def evaluations(self, execution_id: str) -> Mapping[EvaluationKey, tuple[Any, str]]:
        """What was evaluated for the decisions of an execution: (value, error) by what it was for."""

    def identity(self, execution_id: str, key: TaskKey) -> TaskIdentity:
        """The identity of a task execution, ended or not, with its last attempt. Raises NotFound."""

    def children_of(self, task_execution_id: str) -> tuple[ChildRow, ...]:
        """The child executions of a Call, by number."""

    def parent_of(self, execution_id: str) -> ParentLink | None: ...

    def logs(
        self, organization: str, execution_id: str, task_name: str | None, levels: Sequence[str], after: int, limit: int
    ) -> tuple[LogView, ...]: ...
    def flow(self, organization: str, namespace: str, flow_id: str, revision: int | None) -> FlowView | None: ...
    def flow_revisions(self, organization: str, namespace: str, flow_id: str) -> tuple[FlowView, ...]:
        """All of one flow, the newest first."""

    def flows(self, organization: str, namespace: str | None) -> tuple[FlowView, ...]: ...
    def kv(self, organization: str, namespace: str, key: str, now: int) -> KvView | None: ...
    def kvs(self, organization: str, namespace: str, now: int) -> tuple[KvView, ...]: ...
    def log_files(self, execution_id: str) -> tuple[tuple[str, int, str], ...]:
        """(task, attempt, URI) of the files with log lines, in the order in which the tasks were opened."""

    def kept_result(self, organization: str, key: str, now: int) -> str | None:
        """What a KeepResult wrote under the key, unless its time is over."""

    def kv_expired(self, organization: str, namespace: str, key: str, now: int) -> bool:
        """Whether the key is there, but its time is over: no other reader sees it."""

    def kv_keys(self, organization: str, namespaces: Sequence[str], now: int) -> tuple[tuple[str, str, bool], ...]:
        """(namespace, key, whether it has expired); `a.*` is the namespace `a` and those below, no namespace all."""

    def count_executions(self, organization: str, which: ExecutionFilter) -> tuple[tuple[str, str, int], ...]:
        """(namespace, flow, how many) of the flows that have any; the filter's page is left aside."""

    def weight_of(self, organization: str, execution_ids: Sequence[str]) -> tuple[int, int, int]:
        """How many log lines, metrics and files the executions have."""

    def count_logs(self, organization: str, which: LogSpan) -> int: ...
    def own_files(self, organization: str, execution_id: str) -> tuple[str, ...]:
        """URIs of the files that the execution uses, without the bodies of outputs."""

    def doomed_files(self, organization: str, limit: int) -> tuple[str, ...]:
        """URIs of files whose rows were purged by a commit: their bytes are to be removed."""

    def may_read_file(self, organization: str, execution_id: str, uri: str) -> bool:
        """Whether a file was named in the execution's inputs or stored by it, by the execution that called it or by one
        that it called, or is a namespace file."""

    def file_namespaces(self, organization: str) -> tuple[str, ...]:
        """The namespaces that have files."""

    def namespace_files(self, organization: str, namespace: str) -> tuple[tuple[str, str], ...]:
        """(path, uri) of a namespace's files."""

    def close(self) -> None: ...
