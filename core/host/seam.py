"""The seam: what crosses between the engine and whoever does the work. Plain data, in both directions.

Down: `TaskJob`, `EvaluationJob`, `Stop`, `Answer`. Up: `LogLine`, `Metric`, `Progress`, `Question`, then a
`TaskResult` or `EvaluationResult`. The far side renders; secrets travel by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from core.model.data import data, field

EMPTY: Mapping[str, Any] = {}


@data
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


@data
class OutputText:
    """An output as it was recorded; decoded only when an expression reads it."""

    text: str


@data
class OutputReference:
    """A large output that was not shipped: read through the shared storage when an expression needs it."""

    uri: str
    size: int


@data
class TaskJob:
    """One attempt of a runnable task. properties: raw, as in the flow. variables: what its expressions may read;
    `outputs` in it holds OutputText and OutputReference, nested by loop values. timeout: raw text or None.
    log_level: the least level recorded.
    """

    attempt_id: str
    attempt: int
    place: Place
    type: str
    properties: Mapping[str, object]
    variables: Mapping[str, Any]
    timeout: str | None = None
    log_level: str = "TRACE"


@data
class EvaluationJob:
    """A template to render in its place. ticket: comes back with the result. typed: keep the value's type."""

    ticket: int
    place: Place
    template: object
    variables: Mapping[str, Any]
    typed: bool = False


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


@data
class LogLine:
    """One line of a task's log, secrets already redacted. at: microseconds since 1970 UTC."""

    attempt_id: str
    at: int
    level: str
    message: str


@data
class Metric:
    """One measurement; a timer's value is in seconds."""

    attempt_id: str
    at: int
    name: str
    kind: Literal["counter", "timer", "gauge"]
    value: float
    tags: Mapping[str, str] = EMPTY


@data
class Progress:
    """How far a task is, in words and from 0 to 1 when known; shown, not recorded."""

    attempt_id: str
    message: str
    fraction: float | None = None


@data
class Question:
    """What a task wants to read of the engine's world.

    what: `kv` (namespace, key) → [found, value]; `file_allowed` (uri) → bool; `namespace_files` (namespace) →
    {name: URI or local path}; `error_logs` () → entries; `task_states` () → {task: state}.
    """

    question_id: int
    place: Place
    what: str
    arguments: Mapping[str, Any]


@data
class Read:
    """One thing an expression read: the path of the variable, or `kv:…`, `file:…`."""

    what: str
    task_name: str = ""


@data
class SetKv:
    """A task's wish, applied in the commit that records its result."""

    namespace: str
    key: str
    value_json: str


@data
class TaskResult:
    """How an attempt ended.

    output: the codec's text when it is small enough for the record; `output_uri`: where it lies otherwise; both None
    when there is none. size in bytes and sha256 are of that text, preview is its beginning. files: (URI, size, sha256)
    of what it stored. note: what a person should know of how it ran. properties_hash: of type, plugin version and
    rendered properties.
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
    requests: tuple[SetKv, ...] = ()


@data
class EvaluationResult:
    """What an evaluation gave: the codec's text, or why it failed."""

    ticket: int
    value: str | None = None
    error: str = ""
    reads: tuple[Read, ...] = field(factory=tuple)


Down = TaskJob | EvaluationJob | Stop | Answer
Up = LogLine | Metric | Progress | Question | TaskResult | EvaluationResult
