"""The engine's world as one attempt sees it: reads ask the engine, writes are wishes that come with the result."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import Forbidden, Invalid, NotFound
from core.host.requests import (
    DeleteKv,
    DeleteNamespaceFile,
    Exit,
    ForgetFiles,
    LogSpan,
    PurgeExecutions,
    PurgeLogs,
    PutNamespaceFile,
    Request,
    Resume,
    SetKv,
    SetLabels,
    SetVariables,
    SwitchTrigger,
    UnsetVariables,
)  # fmt: skip
from core.host.seam import Place
from core.model.codec import encode
from core.model.state import ENDED
from core.sdk.storage import StorageBackend, StoredFile, is_storage_uri, storage_path, storage_uri
from core.sdk.world import ExecutionCount, ExecutionState, KeyEntry, Weight
from core.work.files import AttemptFiles, namespace_uri
from core.work.line import Line
from core.work.secrets import Redactor
from core.work.variables import revealed

KEY = r"[a-zA-Z0-9][a-zA-Z0-9._-]*"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Wishes:
    """What the parts below have in common: whom to ask in which place, and where wishes are kept."""

    def __init__(self, place: Place, line: Line, redactor: Redactor, now: Callable[[], int]) -> None:
        self.place = place
        self.redactor = redactor
        self.now = now
        self.requests: list[Request] = []
        self._line = line

    def ask(self, what: str, **arguments: Any) -> Any:
        return self._line.ask(self.place, what, arguments)

    def namespace(self, given: str | None) -> str:
        return given or self.place.namespace

    def recorded(self, value: object) -> str:
        """The codec's text, secrets named instead of told."""
        return encode(self.redactor.mark(value))


class TaskFiles(AttemptFiles):
    """Implements `core.sdk.TaskStorage`: bytes move at once, rows with the result."""

    def __init__(
        self, backend: StorageBackend, place: Place, allowed: Callable[[str], bool], wishes: Wishes
    ) -> None:
        super().__init__(backend, place, allowed)
        self._wishes = wishes

    def delete(self, uri: str) -> bool:
        path = self._readable(uri)
        if "_files" in path.split("/") and not path.startswith(self._place.execution_prefix + "/"):
            raise Forbidden(f"`{uri}` is a file of a namespace", hint="remove it with namespace.DeleteFiles")
        gone = self._backend.delete(self._place.organization_id, path)
        self.stored.pop(storage_uri(path), None)
        self._wishes.requests.append(ForgetFiles((storage_uri(path),)))
        return gone

    def own(self) -> list[str]:
        prefix = storage_uri(self._place.execution_prefix + "/")
        return [uri for uri in self._wishes.ask("own_files") if uri.startswith(prefix)]


class KeyValues:
    """Implements `core.sdk.KeyValues`."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes

    def get(self, key: str, namespace: str | None = None) -> Any:
        return self._found(key, self._wishes.namespace(namespace), inherit=namespace is None)[1]

    def has(self, key: str, namespace: str | None = None) -> bool:
        return bool(self._found(key, self._wishes.namespace(namespace), inherit=False)[0])

    def _found(self, key: str, namespace: str, *, inherit: bool) -> tuple[bool, Any]:
        found, value = self._wishes.ask("kv", namespace=namespace, key=key, inherit=inherit)
        return found, revealed(value, self._wishes.redactor.get)

    def expired(self, key: str, namespace: str | None = None) -> bool:
        return bool(self._wishes.ask("kv_expired", namespace=self._wishes.namespace(namespace), key=key))

    def keys(self, namespaces: Sequence[str], prefix: str = "") -> list[KeyEntry]:
        return [KeyEntry(*row) for row in self._wishes.ask("kv_keys", namespaces=list(namespaces), prefix=prefix)]

    def set(
        self, key: str, value: object, namespace: str | None = None, *, overwrite: bool = True,
        ttl: timedelta | None = None, description: str | None = None,
    ) -> None:  # fmt: skip
        if not re.fullmatch(KEY, key):
            allowed = "letters, digits, `.`, `_` and `-`, a letter or digit first"
            raise Invalid(f"`{key}` can't be a key", expected=allowed)
        wishes = self._wishes
        expires_at = None if ttl is None else wishes.now() + ttl // timedelta(microseconds=1)
        text = wishes.recorded(value)
        hidden = None if description is None else wishes.redactor.hide(description)
        wishes.requests.append(SetKv(wishes.namespace(namespace), key, text, overwrite, expires_at, hidden))

    def delete(self, key: str, namespace: str | None = None) -> None:
        self._wishes.requests.append(DeleteKv(self._wishes.namespace(namespace), (key,)))

    def delete_expired(self, keys: Sequence[str], namespace: str) -> None:
        self._wishes.requests.append(DeleteKv(namespace, tuple(keys), expired_only=True))


class NamespaceFiles:
    """Implements `core.sdk.NamespaceFileStore`: bytes move at once, rows with the result."""

    def __init__(self, wishes: Wishes, backend: StorageBackend) -> None:
        self._wishes = wishes
        self._backend = backend

    def namespaces(self) -> list[str]:
        return list(self._wishes.ask("file_namespaces"))

    def names(self, namespace: str | None = None) -> list[str]:
        return sorted(self._all(namespace))

    def open(self, name: str, namespace: str | None = None) -> BinaryIO:
        where = self._all(namespace).get(name.removeprefix("/"))
        if where is None:
            raise NotFound(f"there is no file `{name}` in the namespace `{self._wishes.namespace(namespace)}`")
        if not is_storage_uri(where):
            return Path(where).open("rb")
        return self._backend.open(self._wishes.place.organization_id, storage_path(where))

    def put(self, source: Path | BinaryIO, name: str, namespace: str | None = None) -> StoredFile:
        own = self._wishes.namespace(namespace)
        uri, path = namespace_uri(own, name), name.removeprefix("/")
        stored = self._backend.put(self._wishes.place.organization_id, storage_path(uri), source)
        self._wishes.requests.append(PutNamespaceFile(own, path, uri, stored.size, stored.sha256))
        return stored

    def delete(self, name: str, namespace: str | None = None) -> bool:
        own, path = self._wishes.namespace(namespace), name.removeprefix("/")
        where = self._all(namespace).get(path)
        if where is None:
            return False
        if not is_storage_uri(where):
            raise Forbidden(
                f"the file `{path}` lies in the folder of the flow that is run",
                where=where,
                expected="a file of the namespace that is stored",
            )
        self._backend.delete(self._wishes.place.organization_id, storage_path(where))
        self._wishes.requests.append(DeleteNamespaceFile(own, path))
        return True

    def _all(self, namespace: str | None) -> Mapping[str, str]:
        found: Mapping[str, str] = self._wishes.ask("namespace_files", namespace=self._wishes.namespace(namespace))
        return found


class OwnExecution:
    """Implements `core.sdk.OwnExecution`. variables: as they came with the job, secrets named."""

    def __init__(self, wishes: Wishes, variables: Mapping[str, Any]) -> None:
        self._wishes = wishes
        self._variables = variables

    @property
    def id(self) -> str:
        return self._wishes.place.flow_execution_id

    @property
    def variables(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = revealed(self._variables, self._wishes.redactor.get)
        return found

    def set_labels(self, labels: Mapping[str, str]) -> None:
        hide = self._wishes.redactor.hide
        self._wishes.requests.append(SetLabels({hide(key): hide(value) for key, value in labels.items()}))

    def set_variables(self, values: Mapping[str, Any]) -> None:
        self._wishes.requests.append(SetVariables(self._wishes.recorded(dict(values)), encode(self._variables)))

    def unset_variables(self, names: Sequence[str]) -> None:
        self._wishes.requests.append(UnsetVariables(tuple(names), encode(self._variables)))

    def exit(self, state: str) -> None:
        self._wishes.requests.append(Exit(state))


class Executions:
    """Implements `core.sdk.Executions`."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes

    def state(self, execution_id: str) -> ExecutionState | None:
        found = self._wishes.ask("execution_state", id=execution_id)
        return ExecutionState(*found) if found else None

    def resume(self, execution_id: str, inputs: Mapping[str, Any]) -> None:
        self._wishes.requests.append(Resume(execution_id, self._wishes.recorded(dict(inputs))))

    def switch_trigger(
        self, trigger_id: str, *, enabled: bool, namespace: str | None = None, flow_id: str | None = None
    ) -> None:
        place = self._wishes.place
        namespace, flow_id = namespace or place.namespace, flow_id or place.flow_id
        known = self._wishes.ask("trigger_ids", namespace=namespace, flow_id=flow_id)
        if known is None:
            raise NotFound(f"there is no flow {namespace}.{flow_id}")
        if trigger_id not in known:
            raise NotFound(
                f"the flow {namespace}.{flow_id} has no trigger `{trigger_id}`",
                expected=f"one of: {', '.join(known) or 'none'}",
            )
        self._wishes.requests.append(SwitchTrigger(namespace, flow_id, trigger_id, enabled))

    def count(
        self, *, namespaces: Sequence[str] = (), flow_id: str | None = None, states: Sequence[str] = (),
        after: datetime | None = None, before: datetime | None = None,
    ) -> list[ExecutionCount]:  # fmt: skip
        rows = self._wishes.ask("execution_counts", **_filter(namespaces, flow_id, states, after, before))
        return [ExecutionCount(*row) for row in rows]

    def ended(
        self, *, namespaces: Sequence[str] = (), flow_id: str | None = None, states: Sequence[str] = (),
        after: datetime | None = None, before: datetime | None = None, page: int = 100,
    ) -> Iterator[list[str]]:  # fmt: skip
        asked = _filter(namespaces, flow_id, states or sorted(ENDED), after, before)
        start: str | None = None
        while True:
            ids, start = self._wishes.ask("execution_ids", **asked, limit=page, starting_after=start)
            if others := [one for one in ids if one != self._wishes.place.flow_execution_id]:
                yield others
            if start is None:
                return

    def weight(self, ids: Sequence[str]) -> Weight:
        return Weight(*self._wishes.ask("execution_weight", ids=list(ids)))

    def purge(
        self, ids: Sequence[str], *, executions: bool = True, logs: bool = True, metrics: bool = True,
        files: bool = True,
    ) -> None:  # fmt: skip
        self._wishes.requests.append(PurgeExecutions(tuple(ids), executions, logs, metrics, files))

    def logs(self, execution_id: str, levels: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        seq = 0
        while lines := self._wishes.ask("log_lines", id=execution_id, levels=list(levels), after=seq):
            for seq, at, level, task, attempt, message in lines:  # noqa: B007 # the last seq is where it goes on
                yield {
                    "timestamp": _EPOCH + timedelta(microseconds=at), "level": level, "taskId": task,
                    "attemptNumber": max((attempt or 1) - 1, 0), "message": message,
                }  # fmt: skip

    def purge_logs(
        self, *, before: datetime, after: datetime | None = None, namespace: str = "", flow_id: str = "",
        execution_id: str = "", levels: Iterable[str] = (),
    ) -> int:  # fmt: skip
        start = None if after is None else micros(after)
        span = LogSpan(micros(before), start, namespace, flow_id, execution_id, tuple(levels))
        self._wishes.requests.append(PurgeLogs(span))
        return int(self._wishes.ask("log_count", **vars(span)))


def _filter(
    namespaces: Sequence[str], flow_id: str | None, states: Sequence[str], after: datetime | None,
    before: datetime | None,
) -> dict[str, Any]:  # fmt: skip
    """The fields of an ExecutionFilter, as a question carries them."""
    return {
        "namespace": list(namespaces),
        "flow_id": [] if flow_id is None else [flow_id],
        "state": list(states),
        "created_after": None if after is None else micros(after),
        "created_before": None if before is None else micros(before),
    }


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC; a moment without a zone is one of UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)
