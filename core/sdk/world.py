"""The engine's world as a task meets it: keys, namespace files, its own execution and others.

What is read is asked at once. What is written is a wish: it comes true in the commit that records the task's result,
so that a task that is cut off has changed nothing. Only the bytes of files move at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from core.model.data import data
from core.sdk.storage import StoredFile


@data
class KeyEntry:
    """A key of a namespace's store; an expired one is seen by nobody who reads values."""

    namespace: str
    key: str
    expired: bool = False


@data
class ExecutionCount:
    """How many executions of a flow there are."""

    namespace: str
    flow_id: str
    count: int


@data
class ExecutionState:
    """Where an execution stands."""

    state: str
    namespace: str
    flow_id: str


@data
class Weight:
    """What belongs to some executions."""

    logs: int
    metrics: int
    files: int


class KeyValues(Protocol):
    """The key-value stores of namespaces; without a namespace the flow's is meant. Secrets are kept by name."""

    def get(self, key: str, namespace: str | None = None) -> Any:
        """The value, None when there is none. Without a namespace the parents of the flow's are looked at too."""

    def has(self, key: str, namespace: str | None = None) -> bool:
        """Whether that very namespace has the key."""

    def expired(self, key: str, namespace: str | None = None) -> bool:
        """Whether there was a value whose time is over."""

    def keys(self, namespaces: Sequence[str], prefix: str = "") -> list[KeyEntry]:
        """Keys of these namespaces, expired ones too; `a.*` is `a` and those below it, no namespace means all."""

    def set(
        self, key: str, value: object, namespace: str | None = None, *, overwrite: bool = True,
        ttl: timedelta | None = None, description: str | None = None,
    ) -> None:  # fmt: skip
        """Give a key a value, for a time. Raises Invalid for what can't be a key or a value.

        It is written with the task's result; with `overwrite` False the task fails when the key is there by then.
        """

    def delete(self, key: str, namespace: str | None = None) -> None: ...

    def delete_expired(self, keys: Sequence[str], namespace: str) -> None:
        """Delete those whose time is over when the wish comes true."""


class NamespaceFileStore(Protocol):
    """Files of namespaces by relative name; without a namespace the flow's is meant."""

    def namespaces(self) -> list[str]:
        """The namespaces that have files, those beside a flow left aside."""

    def names(self, namespace: str | None = None) -> list[str]: ...

    def open(self, name: str, namespace: str | None = None) -> BinaryIO:
        """The bytes of a file. Raises NotFound."""

    def put(self, source: Path | BinaryIO, name: str, namespace: str | None = None) -> StoredFile:
        """Store a file; one of that name is replaced. Raises Forbidden for a name that leads out."""

    def delete(self, name: str, namespace: str | None = None) -> bool:
        """Remove a file; False when there was none. Raises Forbidden for one beside a flow that is run from a file."""


class OwnExecution(Protocol):
    """The execution this task runs in."""

    @property
    def id(self) -> str: ...
    @property
    def variables(self) -> Mapping[str, Any]:
        """`vars`, as they were when this attempt began."""

    def set_labels(self, labels: Mapping[str, str]) -> None:
        """Add labels, or replace those of the same key. A secret in one is covered: labels are for everyone to see."""

    def set_variables(self, values: Mapping[str, Any]) -> None:
        """Merge values into `vars`, map by map, for the tasks that follow."""

    def unset_variables(self, names: Sequence[str]) -> None:
        """Take variables away, `a.b` inside the map `a`."""

    def exit(self, state: str) -> None:
        """End the whole execution in this state once the task has ended."""


class Executions(Protocol):
    """All executions of the organization. Times of executions are those of their creation."""

    def state(self, execution_id: str) -> ExecutionState | None: ...
    def resume(self, execution_id: str, inputs: Mapping[str, Any]) -> None:
        """Let a paused execution go on."""

    def switch_trigger(
        self, trigger_id: str, *, enabled: bool, namespace: str | None = None, flow_id: str | None = None
    ) -> None:
        """Switch a trigger on or off, whatever its `disabled` says; of this execution's flow when none is named.

        Raises NotFound for a flow or a trigger that is not there.
        """

    def count(
        self, *, namespaces: Sequence[str] = (), flow_id: str | None = None, states: Sequence[str] = (),
        after: datetime | None = None, before: datetime | None = None,
    ) -> list[ExecutionCount]:  # fmt: skip
        """Of each flow that has any; `a.*` among the namespaces is `a` and those below it."""

    def ended(
        self, *, namespaces: Sequence[str] = (), flow_id: str | None = None, states: Sequence[str] = (),
        after: datetime | None = None, before: datetime | None = None, page: int = 100,
    ) -> Iterator[list[str]]:  # fmt: skip
        """Ids of executions that have ended, newest first, so many at a time. states: empty for all of the end."""

    def weight(self, ids: Sequence[str]) -> Weight: ...
    def purge(
        self, ids: Sequence[str], *, executions: bool = True, logs: bool = True, metrics: bool = True,
        files: bool = True,
    ) -> None: ...  # fmt: skip

    def logs(self, execution_id: str, levels: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        """Recorded lines in order: timestamp, level, taskId, attemptNumber, message."""

    def purge_logs(
        self, *, before: datetime, after: datetime | None = None, namespace: str = "", flow_id: str = "",
        execution_id: str = "", levels: Iterable[str] = (),
    ) -> int:  # fmt: skip
        """Delete log lines; how many there are now."""
