"""What a task wants written to the engine's world: requests in its result, applied in the commit that records it.

A closed set of plain data. Each is harmless when it is applied twice. Values are the codec's texts, secrets in them
named, not told.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.model.data import data


@data
class SetKv:
    """A key of a namespace's store gets a value. expires_at: microseconds since 1970 UTC, None for never.

    overwrite: False leaves a key as it is that is there and has not expired; the engine fails the task then, but for
    the members of a group, which has gone on. description: None keeps the one it has.
    """

    namespace: str
    key: str
    value_json: str
    overwrite: bool = True
    expires_at: int | None = None
    description: str | None = None


@data
class DeleteKv:
    """Keys of a namespace's store go. expired_only: one that was set anew meanwhile stays."""

    namespace: str
    keys: tuple[str, ...]
    expired_only: bool = False


@data
class SetLabels:
    """The execution's labels: added, or replaced where the key is there."""

    labels: Mapping[str, str]


@data
class SetVariables:
    """Merged, map by map, into the execution's variables. before_json: what they are when no task changed them yet."""

    values_json: str
    before_json: str


@data
class UnsetVariables:
    """Variables of the execution go, named by dotted path; what is not there is no error. before_json: as above."""

    names: tuple[str, ...]
    before_json: str


@data
class Exit:
    """The execution is to end in this state once the task has ended: for the planner, nothing is written."""

    state: str


@data
class Resume:
    """A row in the inbox of a paused execution of the organization: let it go on, with these inputs."""

    execution_id: str
    inputs_json: str


@data
class PutNamespaceFile:
    """A namespace has this file now; its bytes lie there already."""

    namespace: str
    path: str
    uri: str
    size: int
    sha256: str


@data
class DeleteNamespaceFile:
    """A namespace has this file no more; its bytes are gone already."""

    namespace: str
    path: str


@data
class ForgetFiles:
    """Files of internal storage that are gone: no row names them any more."""

    uris: tuple[str, ...]


@data
class PurgeExecutions:
    """Ended executions of the organization go, or only what is said of them. Their files are removed afterwards."""

    ids: tuple[str, ...]
    executions: bool = True
    logs: bool = True
    metrics: bool = True
    files: bool = True


@data
class LogSpan:
    """Which log lines: of an execution, or of a flow, or of a namespace and those below it, or of all.

    levels: empty for all. after (included) and before: microseconds since 1970 UTC.
    """

    before: int
    after: int | None = None
    namespace: str = ""
    flow_id: str = ""
    execution_id: str = ""
    levels: tuple[str, ...] = ()


@data
class PurgeLogs:
    """Log lines go."""

    which: LogSpan


@data
class KeepResult:
    """What a task gave, to be given again by a task with the same key. until: microseconds since 1970 UTC, or None."""

    key: str
    result_json: str
    until: int | None = None


@data
class SwitchTrigger:
    """A trigger of a flow is on or off from now on, whatever its `disabled` says."""

    namespace: str
    flow_id: str
    trigger_id: str
    enabled: bool


Request = (
    SetKv | DeleteKv | SetLabels | SetVariables | UnsetVariables | Exit | Resume | PutNamespaceFile
    | DeleteNamespaceFile | ForgetFiles | PurgeExecutions | PurgeLogs | KeepResult
    | SwitchTrigger
)  # fmt: skip
