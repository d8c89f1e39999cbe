"""The seam: what crosses between the engine and whoever does the work. Plain data, in both directions.

Down: `TaskJob`, `EvaluationJob`, `Stop`, `Answer`. Up: `LogLine`, `Metric`, `Progress`, `Question`, of groups
`MemberStarted` and `MemberEnded`, then a `TaskResult` or `EvaluationResult`. The far side renders; secrets travel by
name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from core.host.requests import Exit, Request
from core.model.data import data, field, quick
from core.model.flow import TaskCache

EMPTY: Mapping[str, Any] = {}


@quick
class Place:
    """Where in the world a job belongs.

    execution_prefix and storage_prefix: the directories of the execution's and of the attempt's own files in internal
    storage.
    """

    organization_id: str
    namespace: str
    flow_id: str
    flow_execution_id: str
    task_name: str = ""
    task_execution_id: str = ""
    execution_prefix: str = ""
    storage_prefix: str = ""


@quick
class OutputText:
    """An output as it was recorded; decoded only when an expression reads it."""

    text: str


@data
class OutputReference:
    """A large output that was not shipped: read through the shared storage when an expression needs it."""

    uri: str
    size: int


@data
class LoopOutputs:
    """The outputs of a task below a loop. known: those for the loop values around the place, by their path; for the
    others, as many as there may be, the far side asks (`loop_outputs`).
    """

    task_name: str
    known: Mapping[tuple[str, ...], OutputText | OutputReference]


Shipped = OutputText | OutputReference | LoopOutputs


@data
class FileLine:
    """A line of a text file in internal storage, counted from 0: read only where the variable is needed."""

    uri: str
    number: int


@data
class Member:
    """A task that runs inside the job of a group, after those before it. What it has is as in TaskJob.

    task_execution_id: drawn before it begins, since its expressions may read it.
    """

    task_name: str
    type: str
    properties: Mapping[str, object]
    run_if: str | None = None
    timeout: str | None = None
    log_level: str = "TRACE"
    allow_failure: bool = False
    allow_warning: bool = False
    task_execution_id: str = ""
    cache: TaskCache | None = None
    log_to_file: bool = False


@quick
class TaskJob:
    """One attempt of a runnable task. properties: raw, as in the flow. variables: what its expressions may read;
    `outputs` in it holds what was shipped of each task's output. timeout: raw text or None.
    log_level: the least level recorded. members: of a group, the tasks that run in its directory one after another;
    None of other tasks.
    path: the values of the loops around it, by which members find each other's outputs.
    cache: that what it gave before is given again. waited: what the attempt gave when it began to wait, None at first.
    log_to_file: its log lines go to a file instead.
    again: an engine that died had begun it, and something of it may still run.
    ends: nothing is begun: what is left of it is ended, and it is KILLED.
    """

    attempt_id: str
    attempt: int
    place: Place
    type: str
    properties: Mapping[str, object]
    variables: Mapping[str, Any]
    timeout: str | None = None
    log_level: str = "TRACE"
    members: tuple[Member, ...] | None = None
    path: tuple[str, ...] = ()
    cache: TaskCache | None = None
    waited: str | None = None
    log_to_file: bool = False
    again: bool = False
    ends: bool = False


@quick
class EvaluationJob:
    """A template to render in its place. ticket: comes back with the result. typed: keep the value's type.

    rows: nothing is rendered; they go to a file, a line of JSON each, and its URI is the value.
    """

    ticket: int
    place: Place
    template: object
    variables: Mapping[str, Any]
    typed: bool = False
    rows: tuple[Any, ...] | None = None


@data
class Stop:
    """The attempt shall end; `reason` is shown."""

    attempt_id: str
    reason: str


@data
class Answer:
    """The engine's answer to a question; `error` instead of a value when it can't be given."""

    question_id: int
    value: Any = None
    error: str = ""


@quick
class LogLine:
    """One line of a task's log, secrets already redacted. at: microseconds since 1970 UTC.

    task_name: the member of a group that spoke; attempt_id is the group's then. So for Metric and Progress.
    """

    attempt_id: str
    at: int
    level: str
    message: str
    task_name: str = ""


@quick
class Metric:
    """One measurement; a timer's value is in seconds."""

    attempt_id: str
    at: int
    name: str
    kind: Literal["counter", "timer", "gauge"]
    value: float
    tags: Mapping[str, str] = EMPTY
    task_name: str = ""


@data
class Progress:
    """How far a task is, in words and from 0 to 1 when known; shown, not recorded."""

    attempt_id: str
    message: str
    fraction: float | None = None
    task_name: str = ""


@data
class Question:
    """What a task wants to read of the engine's world.

    what: `kv` (namespace, key) → [found, value]; `file_allowed` (uri) → bool; `namespace_files` (namespace) →
    {name: URI or local path}; `error_logs` () → entries; `task_states` () → [[task, loop value or None, state]];
    `loop_outputs` (task, path) → [the output there or None, the loop values one level deeper];
    `kv_expired` (namespace, key) → bool;
    `kv_keys` (namespaces, prefix) → [[namespace, key, expired]]; `execution_counts` (a filter) → [[namespace, flow,
    count]]; `execution_ids` (a filter) → [ids, next]; `execution_weight` (ids) → [logs, metrics, files];
    `execution_state` (id) → state, namespace and flow, or None; `own_files` () → URIs;
    `file_namespaces` () → names; `log_lines` (id, levels, after)
    → lines; `log_count` (span) → number. What they hold is said in `core/engine/surveys.py`.
    """

    question_id: int
    place: Place
    what: str
    arguments: Mapping[str, Any]


@quick
class Read:
    """One thing an expression read: the path of the variable, or `kv:…`, `file:…`."""

    what: str
    task_name: str = ""


@quick
class TaskResult:
    """How an attempt ended.

    output: the codec's text when it is small enough for the record; `output_uri`: where it lies otherwise; both None
    when there is none. size in bytes and sha256 are of that text, preview is its beginning. files: (URI, size, sha256)
    of what it stored. note: what a person should know of how it ran. properties_hash: of type, plugin version and
    rendered properties. properties: of one that failed, as they were rendered, the codec's text with secrets hidden.
    due_at: it has not ended, and is called again then, with `wait_state`; 0 for an end.
    log_uri: the file with its log lines, where they are not in the record.
    """

    attempt_id: str
    state: str
    started_at: int
    ended_at: int
    output: str | None = None
    output_uri: str | None = None
    size: int | None = None
    sha256: str | None = None
    preview: str | None = None
    summary: Mapping[str, Any] = EMPTY
    error: str = ""
    note: str = ""
    properties_hash: str = ""
    reads: tuple[Read, ...] = ()
    files: tuple[tuple[str, int, str], ...] = ()
    requests: tuple[Request, ...] = ()
    properties: str = ""
    due_at: int = 0
    wait_state: str = ""
    log_uri: str = ""

    @property
    def exit(self) -> str:
        """The state in which the task wants the whole execution to end, or ""."""
        return next((request.state for request in self.requests if isinstance(request, Exit)), "")


@data
class MemberStarted:
    """Inside a group's job one of its members began. attempt_id: the group's."""

    attempt_id: str
    task_name: str
    at: int


@data
class MemberEnded:
    """Inside a group's job one of its members is over; `result.attempt_id` is the group's too."""

    attempt_id: str
    task_name: str
    result: TaskResult


@quick
class EvaluationResult:
    """What an evaluation gave: the codec's text, or why it failed. files: as of a TaskResult."""

    ticket: int
    value: str | None = None
    error: str = ""
    reads: tuple[Read, ...] = field(factory=tuple)
    files: tuple[tuple[str, int, str], ...] = ()


Down = TaskJob | EvaluationJob | Stop | Answer
Up = LogLine | Metric | Progress | Question | MemberStarted | MemberEnded | TaskResult | EvaluationResult
