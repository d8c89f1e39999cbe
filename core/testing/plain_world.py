"""The engine's world for tests of tasks without an engine: what is wished for is kept in plain lists and maps."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from attrs import Factory, define

from core.errors import NotFound
from core.sdk.storage import StoredFile, checked_path, storage_uri
from core.sdk.world import ExecutionCount, ExecutionState, KeyEntry, Weight


@define
class PlainKeyValues:
    """Key-values as (namespace, key) → value. gone: keys whose time is over; ttl: how long a key that was set lives."""

    namespace: str
    values: dict[tuple[str, str], Any] = Factory(dict)
    gone: set[tuple[str, str]] = Factory(set)
    ttl: dict[tuple[str, str], timedelta] = Factory(dict)

    def get(self, key: str, namespace: str | None = None) -> Any:
        return self.values.get(self._name(key, namespace))

    def has(self, key: str, namespace: str | None = None) -> bool:
        return self._name(key, namespace) in self.values

    def expired(self, key: str, namespace: str | None = None) -> bool:
        return self._name(key, namespace) in self.gone

    def keys(self, namespaces: Sequence[str], prefix: str = "") -> list[KeyEntry]:
        names = sorted({*self.values, *self.gone})
        return [
            KeyEntry(namespace, key, (namespace, key) in self.gone)
            for namespace, key in names if key.startswith(prefix) and _within(namespace, namespaces)
        ]  # fmt: skip

    def set(
        self, key: str, value: object, namespace: str | None = None, *, overwrite: bool = True,
        ttl: timedelta | None = None, description: str | None = None,
    ) -> None:  # fmt: skip
        name = self._name(key, namespace)
        if overwrite or name not in self.values:
            self.values[name] = value
            if ttl is not None:
                self.ttl[name] = ttl

    def delete(self, key: str, namespace: str | None = None) -> None:
        self.values.pop(self._name(key, namespace), None)

    def delete_expired(self, keys: Sequence[str], namespace: str) -> None:
        self.gone -= {(namespace, key) for key in keys}

    def _name(self, key: str, namespace: str | None) -> tuple[str, str]:
        return namespace or self.namespace, key


@define
class PlainNamespaceFiles:
    """Namespace files as (namespace, name) → bytes."""

    namespace: str
    contents: dict[tuple[str, str], bytes] = Factory(dict)

    def namespaces(self) -> list[str]:
        return sorted({where for where, _ in self.contents})

    def names(self, namespace: str | None = None) -> list[str]:
        own = namespace or self.namespace
        return sorted(name for where, name in self.contents if where == own)

    def open(self, name: str, namespace: str | None = None) -> BinaryIO:
        own = namespace or self.namespace
        if (own, name) not in self.contents:
            raise NotFound(f"there is no file `{name}` in the namespace `{own}`")
        return io.BytesIO(self.contents[own, name])

    def put(self, source: Path | BinaryIO, name: str, namespace: str | None = None) -> StoredFile:
        content = source.read_bytes() if isinstance(source, Path) else source.read()
        own = namespace or self.namespace
        self.contents[own, checked_path(name.removeprefix("/"))] = content
        return StoredFile(storage_uri(f"{own}/_files/{name.removeprefix('/')}"), len(content))

    def delete(self, name: str, namespace: str | None = None) -> bool:
        return self.contents.pop((namespace or self.namespace, name), None) is not None


@define
class PlainExecution:
    """What a task wanted of its own execution."""

    id: str = "execution"
    variables: dict[str, Any] = Factory(dict)
    labels: dict[str, str] = Factory(dict)
    unset: list[str] = Factory(list)
    exited: str = ""

    def set_labels(self, labels: Mapping[str, str]) -> None:
        self.labels.update(labels)

    def set_variables(self, values: Mapping[str, Any]) -> None:
        self.variables.update(values)

    def unset_variables(self, names: Sequence[str]) -> None:
        self.unset += names

    def exit(self, state: str) -> None:
        self.exited = state


@define
class PlainExecutions:
    """Other executions: id → where each stands, and what a task wanted of them."""

    known: dict[str, ExecutionState] = Factory(dict)
    lines: dict[str, list[Mapping[str, Any]]] = Factory(dict)
    resumed: dict[str, Mapping[str, Any]] = Factory(dict)
    purged: list[str] = Factory(list)
    switched: dict[str, bool] = Factory(dict)

    def state(self, execution_id: str) -> ExecutionState | None:
        return self.known.get(execution_id)

    def resume(self, execution_id: str, inputs: Mapping[str, Any]) -> None:
        self.resumed[execution_id] = inputs

    def switch_trigger(
        self, trigger_id: str, *, enabled: bool, namespace: str | None = None, flow_id: str | None = None
    ) -> None:
        self.switched[trigger_id] = enabled

    def count(
        self, *, namespaces: Sequence[str] = (), flow_id: str | None = None, states: Sequence[str] = (),
        after: datetime | None = None, before: datetime | None = None,
    ) -> list[ExecutionCount]:  # fmt: skip
        counts: dict[tuple[str, str], int] = {}
        for found in self._chosen(namespaces, flow_id, states).values():
            counts[found.namespace, found.flow_id] = counts.get((found.namespace, found.flow_id), 0) + 1
        return [ExecutionCount(*flow, count) for flow, count in counts.items()]

    def ended(
        self, *, namespaces: Sequence[str] = (), flow_id: str | None = None, states: Sequence[str] = (),
        after: datetime | None = None, before: datetime | None = None, page: int = 100,
    ) -> Iterator[list[str]]:  # fmt: skip
        ids = list(self._chosen(namespaces, flow_id, states))
        yield from (ids[start : start + page] for start in range(0, len(ids), page))

    def weight(self, ids: Sequence[str]) -> Weight:
        return Weight(sum(len(self.lines.get(one, ())) for one in ids), 0, 0)

    def purge(
        self, ids: Sequence[str], *, executions: bool = True, logs: bool = True, metrics: bool = True,
        files: bool = True,
    ) -> None:  # fmt: skip
        self.purged += ids

    def logs(self, execution_id: str, levels: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        return (line for line in self.lines.get(execution_id, ()) if line["level"] in levels)

    def purge_logs(
        self, *, before: datetime, after: datetime | None = None, namespace: str = "", flow_id: str = "",
        execution_id: str = "", levels: Iterable[str] = (),
    ) -> int:  # fmt: skip
        return sum(len(lines) for one, lines in self.lines.items() if execution_id in ("", one))

    def _chosen(
        self, namespaces: Sequence[str], flow_id: str | None, states: Sequence[str]
    ) -> dict[str, ExecutionState]:
        return {
            one: found
            for one, found in self.known.items()
            if _within(found.namespace, namespaces)
            and flow_id in (None, found.flow_id)
            and (not states or found.state in states)
        }


def _within(namespace: str, wanted: Sequence[str]) -> bool:
    return not wanted or any(
        namespace == one or (one.endswith(".*") and f"{namespace}.".startswith(one[:-1])) for one in wanted
    )
