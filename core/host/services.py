"""What front ends (the command line, a server, embedding programs) may ask, each bound to one organization.

Every method raises the errors of `core.errors`: NotFound for an unknown id, Invalid for wrong arguments,
Conflict when the state does not allow it, Unreachable when something needed is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, Protocol

from core.host.overviews import (
    Completions,
    FormField,
    Lineage,
    OutputComparison,
    OutputFigures,
    PastRun,
    SummaryPoint,
    TaskOutline,
)  # fmt: skip
from core.host.product import AuditFilter, AuditView, Event, Once
from core.host.views import (
    Evaluation,
    ExecutionFilter,
    ExecutionView,
    FilePreview,
    FileView,
    FlowView,
    Happening,
    KvView,
    LogFilter,
    LogView,
    OutputFilter,
    Page,
    Reason,
    TaskExecutionView,
)  # fmt: skip
from core.model.flow import Flow

KEEP: Final = object()
"""For an output that is to stay as it is, since None is an output too."""


FlowPlace = tuple[str, str]
"""The namespace and the id of a flow."""


class Flows(Protocol):
    """Flows and their revisions."""

    def load(self, path: Path) -> tuple[Flow | None, tuple[Any, ...]]:
        """Read and check a flow's file: the flow, and problems (`core.loading.Problem`), warnings included."""

    def read(self, flow: str | Path) -> Flow:
        """A flow by its YAML, or by the path of its file (a text of one line is a path).

        Raises InvalidFlow with everything that is wrong, Invalid when there is no such file.
        """

    def check(self, source: str) -> tuple[Flow | None, tuple[Any, ...]]:
        """As `load`, of a text."""

    def push(self, source: str, *, local: bool = False) -> FlowView:
        """Store a revision; the same text makes no new one. Raises InvalidFlow."""

    def get(self, namespace: str, flow_id: str, revision: int | None = None) -> FlowView: ...

    def revisions(self, namespace: str, flow_id: str) -> tuple[FlowView, ...]:
        """All of a flow, the newest first. Raises NotFound."""

    def parsed(self, namespace: str, flow_id: str, revision: int) -> Flow:
        """A stored revision as a flow. Raises NotFound; InvalidFlow when a plugin it needs is gone."""

    def lines(self, namespace: str, flow_id: str, revision: int) -> Mapping[str, int]:
        """In which line of its source (from 1) each task of a revision begins, by the task's id. Raises NotFound."""

    def look_in(self, folder: Path) -> None:
        """Let flows that other flows call be found among the files of a folder, before those that are stored."""

    def list(self, namespace: str | None = None) -> tuple[FlowView, ...]:
        """The newest revision of each flow, by namespace and id."""


class Executions(Protocol):
    """Flow executions and their task executions."""

    def preflight(self, flow: Flow, *, runner: str | None = None, execution_id: str | None = None) -> tuple[str, ...]:
        """Ask each task for what it needs, those of flows that it calls too; the lines a person should see.

        execution_id: the one that is about to go on, if it is there already. Raises Unreachable before anything ran.
        """

    def create(
        self,
        flow: Flow,
        inputs: Mapping[str, Any],
        *,
        labels: Mapping[str, str] | None = None,
        files: Mapping[str, Path] | None = None,
    ) -> tuple[ExecutionView, tuple[str, ...]]:
        """A new execution (and warnings about the inputs). Local paths given for FILE inputs are stored; where callers
        come from elsewhere only those of `files`, by input.

        Raises InvalidInput naming every input that is missing or wrong.
        """

    def run(
        self,
        execution_id: str,
        *,
        follow: Callable[[Happening], None] | None = None,
        runner: str | None = None,
        local_files: Path | None = None,
    ) -> ExecutionView:
        """Own the execution and work on it until it has ended, or only a person can continue it.

        What was sent to it before (`resume`, `restart`, …) is decided first. Raises Conflict when another process
        works on it.

        local_files: a folder whose files stand before those of the namespace (`_files` beside a flow's file).
        """

    def interrupt(self) -> None:
        """From a signal handler: kill what `run` works on; a second call leaves it at once, to be resumed."""

    def submit(self, execution_id: str) -> None:
        """Let an engine that serves, of whichever process, work on it (see `core.host.deployment`)."""

    def list(self, which: ExecutionFilter) -> Page[ExecutionView]: ...
    def get(self, execution_id: str) -> ExecutionView:
        """By id or a prefix of it that only one execution has; `last` is the newest."""

    def tasks(self, execution_id: str) -> tuple[TaskExecutionView, ...]:
        """In the order they were created."""

    def logs(
        self, execution_id: str, *, task_name: str | None = None, level: str = "TRACE", after: int = 0
    ) -> tuple[LogView, ...]:
        """Recorded lines of at least a level; at most 10 000 after the line with `seq` after."""

    def find_logs(self, execution_id: str, which: LogFilter) -> tuple[LogView, ...]:
        """Some lines, at most 10 000. Raises Invalid."""

    def form(
        self, flow: Flow, given: Mapping[str, Any] | None = None, *, task: str | None = None
    ) -> tuple[FormField, ...]:
        """The inputs of a flow as a form asks for them, in their order; nothing is stored. given: what was filled in so
        far, None for a form that is new: then nothing is a problem yet. task: the inputs (`onResume`) of that task
        instead. FILE inputs are given as any text when one was chosen."""

    def outline(self, execution_id: str) -> tuple[TaskOutline, ...]:
        """What ran, one for each task, in the order they first began; cheap with 100 000 task executions."""

    def past_runs(self, flows: Sequence[FlowPlace], limit: int = 20) -> Mapping[FlowPlace, tuple[PastRun, ...]]:
        """The newest executions of some flows, the oldest of them first."""

    def why(self, execution_id: str) -> tuple[Reason, ...]:
        """What an execution that has not ended waits for, or why it ended as it did; never empty."""

    # -- actions: each puts a row into the execution's inbox. Whoever works on it decides it within 50 ms; where nobody
    # does (`is_owned` is false), the next `run` decides it. Each raises Conflict when the state does not allow it.
    def is_owned(self, execution_id: str) -> bool:
        """Whether a living process works on it."""

    def kill(self, execution_id: str) -> None:
        """End it, with the executions it waits for. Where nobody works on it, it has ended when this returns."""

    def pause(self, execution_id: str) -> None:
        """Let what runs come to its end and begin nothing new, until `resume`. Only where a process works on it."""

    def resume(
        self,
        execution_id: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        task_name: str | None = None,
        value: str | None = None,
        by: str = "",
        files: Mapping[str, Path] | None = None,
    ) -> None:
        """Let a paused execution go on: lift a pause, or let the tasks go on that wait for a person.

        inputs: what those tasks declare as `onResume`, as texts or values. task_name: of several that wait only this
        one; value: of the loop around it (of all loops, joined by `/`). by: who asks, for the output of the tasks that
        waited. files: as for `create`. An execution whose process is gone needs no message: this only makes sure that
        `run` can go on with it.
        Raises InvalidInput naming every input that is missing or wrong, NotFound.
        """

    def restart(self, execution_id: str) -> None:
        """Let an execution that ended badly go on in itself: what failed runs again, what succeeded is kept."""

    def change_state(self, execution_id: str, task_name: str, state: str, *, value: str | None = None) -> None:
        """Let a task execution of an ended execution count as SUCCESS, WARNING, FAILED or SKIPPED, and go on from it.

        value: as for `resume`. Raises NotFound, Invalid.
        """

    def force_run(self, execution_id: str) -> None:
        """Run now what is queued, is to begin later, or is paused: past the concurrency limit, without inputs."""

    def replay(
        self,
        execution_id: str,
        *,
        from_task: str | None = None,
        value: str | None = None,
        stale: bool = False,
        latest_revision: bool = False,
    ) -> ExecutionView:
        """A new execution of an ended one, with its inputs and labels, to be `run`.

        from_task: what ran before that task is kept with its outputs; value: as for `resume`. stale: only what is
        stale, and what follows from it, runs again. latest_revision: of the flow, instead of the one that ran; tasks
        that changed their type are not kept. Raises NotFound, Invalid.
        """

    def purge(self, which: ExecutionFilter) -> int:
        """Delete ended executions with all their records and the files nobody else uses; how many."""


class Outputs(Protocol):
    """Task outputs: what came out, across executions."""

    def list(self, which: OutputFilter) -> Page[TaskExecutionView]: ...

    def get(self, output_id: str) -> TaskExecutionView:
        """By id, by a prefix of it that only one output has, or by `EXECUTION/TASK` (`last/TASK` too)."""

    def value(self, output_id: str) -> Any:
        """The recorded output: usually a map, None when the task gave none."""

    def values(self, ids: Sequence[str]) -> Mapping[str, Any]:
        """As `value`, of many at once; without those that are above the inline limit or have none."""

    def count(self, which: OutputFilter) -> int:
        """How many there are, the page left aside."""

    def lineage(self, output_id: str) -> Lineage:
        """What it was made from, and who read it."""

    def compare(self, first: str, second: str, *, limit: int = 1000) -> OutputComparison:
        """The outputs of two executions: maps and lists by what is in them, numbers by their value, lists of maps as
        tables. first, second: ids of executions."""

    def figures(self, which: OutputFilter) -> OutputFigures:
        """What a list amounts to, its page left aside; the newest 20 000 rows of it are examined."""

    def summary_over_time(self, which: OutputFilter, path: str, limit: int = 500) -> tuple[SummaryPoint, ...]:
        """The newest values of a numeric field of `summary`, the oldest of them first."""

    def open(self, output_id: str) -> tuple[BinaryIO, int] | None:
        """The recorded JSON as a stream that can seek, and its size in bytes; None when there is no output."""


class Changes(Protocol):
    """What people and outside workers change of what came out. by: who, as the audit names them.

    Each change writes an audit row in its transaction. Texts and maps that are too large raise TooLarge.
    """

    def correct(
        self,
        output_id: str,
        version: int,
        *,
        by: str,
        output: Any = KEEP,
        summary: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        reason: str = "",
    ) -> tuple[TaskExecutionView, tuple[str, ...]]:
        """Correct an output that has this version: how it is now, and the ids of what became stale by it (only another
        output makes anything stale). What is not given stays; tags and summary are replaced as a whole.

        Raises NotFound, Conflict (another version, hidden, not ended, or an engine works on its execution), Invalid.
        """

    def tag(self, ids: Sequence[str], add: Mapping[str, str], remove: Sequence[str], *, by: str) -> None:
        """All of 1 to 100 outputs, or none. Raises NotFound, Invalid."""

    def delete_output(self, output_id: str, *, by: str) -> None:
        """Hide it: lists leave it out unless they are asked for `deleted`. Raises NotFound."""

    def restore_output(self, output_id: str, *, by: str) -> TaskExecutionView:
        """Bring it back. Raises NotFound."""

    def add_output(
        self,
        execution_id: str,
        task_name: str,
        *,
        by: str,
        status: Literal["completed", "failed"] = "completed",
        value: str | None = None,
        output: Any = None,
        summary: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        error: str = "",
        once: Once | None = None,
    ) -> TaskExecutionView:
        """What an outside worker gave to an execution. once: safe to repeat. Raises NotFound, Conflict, Invalid."""

    def delete_execution(self, execution_id: str, *, by: str) -> None:
        """Hide an ended execution with its outputs. Raises NotFound, Conflict."""

    def restore_execution(self, execution_id: str, *, by: str) -> ExecutionView:
        """Bring it back, with those outputs that went with it. Raises NotFound."""

    def note(self, by: str, action: str, subject: str, before: Any = None, after: Any = None) -> None:
        """An audit row for a change that another service made."""

    def audit(self, which: AuditFilter) -> Page[AuditView]:
        """Who changed what, newest first."""


class Feed(Protocol):
    """What was committed, by any process, in order; the newest 200 000 events are kept."""

    def events(self, after: int, limit: int = 1000) -> tuple[Event, ...]:
        """Those whose `seq` is greater, the oldest first; empty when there is nothing new."""

    def last(self) -> int:
        """The `seq` of the newest event, 0 without any: where to begin to follow."""


class Files(Protocol):
    """Internal storage and namespace files."""

    def open(self, uri: str) -> BinaryIO:
        """Its bytes, to be closed. Raises NotFound."""

    def stat(self, uri: str) -> FileView: ...
    def local(self, uri: str) -> AbstractContextManager[Path]:
        """A path of this machine to read its bytes at, with its suffix; a copy where the storage is elsewhere, gone
        when the block ends. Raises NotFound."""

    def list(self, uri: str) -> tuple[FileView, ...]:
        """Files below a directory given as URI."""

    def preview(self, uri: str, rows: int = 20) -> FilePreview: ...

    def put(self, source: Path, namespace: str, name: str) -> FileView:
        """Store a namespace file; an existing one is replaced."""


class KeyValueStore(Protocol):
    """The key-value stores of namespaces."""

    def get(self, namespace: str, key: str) -> KvView: ...
    def set(self, namespace: str, key: str, value: Any) -> KvView: ...
    def list(self, namespace: str) -> tuple[KvView, ...]: ...
    def delete(self, namespace: str, key: str) -> bool: ...


class Evaluator(Protocol):
    """Expressions in the recorded context of an execution, under limits; secrets are refused."""

    def evaluate(
        self, execution_id: str, expression: str, *, task_name: str | None = None, value: str | None = None
    ) -> Evaluation:
        """An expression without braces is taken as `{{ … }}`. value: as for `resume`. Raises ExpressionError, NotFound,
        TooLarge."""


    def complete(
        self, execution_id: str, text: str, cursor: int, *, task_name: str | None = None, value: str | None = None
    ) -> Completions:
        """Names that fit at a place (in characters) of an expression, as they are in that very context: members of what
        stands before a dot, names, functions and filters; at most 50, the likeliest first."""


class Services(Protocol):
    """Everything, bound to one organization."""

    @property
    def flows(self) -> Flows: ...
    @property
    def executions(self) -> Executions: ...
    @property
    def outputs(self) -> Outputs: ...
    @property
    def files(self) -> Files: ...
    @property
    def changes(self) -> Changes: ...
    @property
    def feed(self) -> Feed: ...
    @property
    def kv(self) -> KeyValueStore: ...
    @property
    def evaluator(self) -> Evaluator: ...

    def now(self) -> int:
        """Microseconds since 1970 UTC, by the clock of this machine: how far what runs has come."""

    def checks(self) -> Iterator[tuple[str, bool, str]]:
        """What `doctor` tells: a name, whether it is well, and a line about it."""
