"""The record store over any database of SQL: what is common to those of one machine and of many."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.errors import Conflict, NotFound
from core.host.records import NewExecution, OpenExecution, Refused, Unit
from core.host.requests import LogSpan, PurgeExecutions
from core.host.views import (
    ExecutionView,
    FlowView,
    KvView,
    LogView,
    TaskExecutionView,
)  # fmt: skip
from core.model.codec import decode
from core.model.decisions import Counters
from core.model.digest import digest
from core.model.messages import EvaluationKey, TaskKey
from core.model.state import ENDED
from core.records.database import Database
from core.records.derived import create, derive, parent_of
from core.records.lineage import dependents
from core.records.on_demand import OnDemandReads
from core.records.places import PlaceReads
from core.records.requests import purge, span_values
from core.records.rows import execution_view, open_task, task_view
from core.records.texts import counters_of, in_namespaces, key_of
from core.records.writer import Writer

CREATOR_MICROS = 1_000_000
"""How long a new execution waits for the process that created it, before any engine may claim it: `run` owns its own.
Whoever wants it claimed at once sends it one message more."""
FEW = 4
"""Inboxes that are sooner read one after the other than by one question."""


class SqlRecords(PlaceReads, OnDemandReads):
    """Implements `core.host.records.RecordStore`, but for how engines show that they live.

    is_alive: whether the engine of an id lives and decides.
    """

    def __init__(self, database: Database, is_alive: Callable[[str], bool]) -> None:
        self._db = database
        self._is_alive = is_alive
        self._writer = Writer(database, is_alive)

    # -- writing

    def create_execution(self, new: NewExecution) -> bool:
        with self._db.writing():
            return create(self._db, new)

    def derive(self, new: NewExecution, of: str, keep: Sequence[TaskKey], again: Sequence[TaskKey] = ()) -> None:
        with self._db.writing():
            derive(self._db, new, of, keep, again, retry=False)

    def commit(self, units: Sequence[Unit]) -> tuple[Refused, ...]:
        return self._writer.commit(units)

    def save_flow(
        self, organization: str, namespace: str, flow_id: str, source: str, *, local: bool, at: int
    ) -> FlowView:
        sha256 = digest(source.encode(), seldom=True)
        with self._db.writing():
            newest = self._db.write("flow_newest", (organization, namespace, flow_id)).fetchone()
            if newest is None or newest[1] != sha256:
                revision = (newest[0] if newest else 0) + 1
                values = (organization, namespace, flow_id, revision, source, sha256, int(local), at)
                self._db.write("insert_flow", values)
                return FlowView(namespace, flow_id, revision, source, local, at)
        found = self.flow(organization, namespace, flow_id, newest[0])
        if found is None:
            raise Conflict(f"the flow {namespace}.{flow_id} was deleted", hint="push it again under another id")
        return found

    def set_kv(self, organization: str, namespace: str, key: str, value_json: str, at: int) -> KvView:
        with self._db.writing():
            self._db.write("set_kv", (organization, namespace, key, value_json, None, None, at, at, True))
            row = self._db.write("get_kv", (organization, namespace, key, key, at)).fetchone()
        return _kv(row)

    def delete_kv(self, organization: str, namespace: str, key: str) -> bool:
        with self._db.writing():
            return self._db.write("delete_kv", (organization, namespace, key)).rowcount == 1

    def save_namespace_file(
        self, organization: str, namespace: str, path: str, uri: str, size: int, sha256: str, at: int
    ) -> None:
        with self._db.writing():
            self._db.write("save_namespace_file", (organization, namespace, path, uri, size, sha256, at))

    def purge_execution(self, organization: str, execution_id: str) -> tuple[str, ...]:
        found = self._db.read("state_of", (organization, execution_id))  # also one that is hidden
        if not found:
            raise NotFound(f"there is no execution {execution_id}")
        if found[0][0] not in ENDED:
            raise Conflict(f"the execution {execution_id} has not ended", hint="kill it first")
        with self._db.writing():
            return tuple(purge(self._db, organization, execution_id, PurgeExecutions((execution_id,))))

    def files_removed(self, organization: str, uris: Sequence[str]) -> None:
        with self._db.writing():
            for uri in uris:
                self._db.write("doomed_file_gone", (organization, uri))

    # -- ownership and messages from outside

    def claim(self, execution_id: str, engine_id: str) -> OpenExecution:
        with self._db.writing():
            row = self._db.write("owner", (execution_id,)).fetchone()
            if row is None:
                raise NotFound(f"there is no execution {execution_id}")
            owner = row[0]
            if owner not in (None, engine_id) and self._is_alive(owner):
                raise Conflict(f"another process works on the execution {execution_id}")
            self._db.write("claim", (engine_id, execution_id))
        return self._open_execution(execution_id)

    def evaluations(self, execution_id: str) -> dict[EvaluationKey, tuple[Any, str]]:
        found: dict[EvaluationKey, tuple[Any, str]] = {}
        for name, path, turn, purpose, round_, value, error in self._db.read("evaluations_of", (execution_id,)):
            key = EvaluationKey(key_of(name, path, turn), purpose, round_)
            found[key] = (None if value is None else decode(value), error or "")
        return found

    def _open_execution(self, execution_id: str) -> OpenExecution:
        row = self._db.select_maps("SELECT * FROM flow_executions WHERE id = ?", (execution_id,))[0]
        tasks = tuple(open_task(task) for task in self._db.read_maps("open_tasks", (execution_id,)))
        return OpenExecution(
            view=execution_view(row, self._labels(execution_id)),
            organization_id=row["organization_id"],
            counters=counters_of(row["counters_json"]) or Counters(),
            fence=row["fence"],
            tasks=tasks,
            evaluations=self.evaluations(execution_id),
            attempt=row["attempt_number"],
            began_at=row["original_created_at"] or row["created_at"],
            due_at=row["due_at"] or 0,
            parent=parent_of(self._db, execution_id),
            takeovers=row["takeovers"],
            seq=row["seq"],
        )

    def release(self, execution_id: str, fence: int) -> None:
        with self._db.writing():
            self._db.write("release", (execution_id, fence))

    def is_owned(self, execution_id: str) -> bool:
        rows = self._db.read("owner", (execution_id,))
        return bool(rows) and rows[0][0] is not None and self._is_alive(rows[0][0])

    def send(self, execution_id: str, kind: str, payload_json: str, at: int) -> None:
        with self._db.writing():
            self._db.write("insert_inbox", (execution_id, kind, payload_json, at))
        self._db.forget_seen()

    def unread(self, execution_ids: Sequence[str]) -> tuple[tuple[int, str, str, str], ...]:
        if len(execution_ids) > FEW:
            return tuple(self._db.read("inbox_unread_of", (json.dumps(list(execution_ids)),)))
        return tuple(row for one in execution_ids for row in self._db.read("inbox_unread", (one,)))

    def queued(self, organization: str, namespace: str, flow_id: str) -> tuple[str, ...]:
        rows = self._db.read("queued", (organization, namespace, flow_id))
        return tuple(execution for execution, owner in rows if owner is not None and self._is_alive(owner))

    def mark_stale(self, task_execution_id: str, at: int) -> tuple[str, ...]:
        with self._db.writing():
            row = self._db.write("place", (task_execution_id,)).fetchone()
            if row is None:
                raise NotFound(f"there is no task output {task_execution_id}")
            found = dependents(self._db, row[0], task_execution_id)
            for one in found:
                self._db.write("set_stale", (at, at, one))
        return tuple(found)

    def changed(self) -> bool:
        return self._db.changed()

    def tidy(self) -> None:
        self._db.tidy()

    # -- reading

    def execution(self, organization: str, execution_id: str) -> ExecutionView | None:
        rows = self._db.read_maps("execution", (organization, execution_id))
        return execution_view(rows[0], self._labels(execution_id)) if rows else None

    def find_executions(self, organization: str, prefix: str, limit: int = 2) -> tuple[str, ...]:
        return tuple(row[0] for row in self._db.read("find_executions", (organization, prefix, prefix + "~", limit)))

    def newest_execution(self, organization: str) -> str | None:
        rows = self._db.read("newest_execution", (organization,))
        return rows[0][0] if rows else None

    def abandoned(self, organization: str, engine_id: str) -> tuple[str, ...]:
        rows = self._db.read("abandoned", (organization, engine_id))
        return tuple(execution for execution, owner in rows if not self._is_alive(owner))

    def claimable(self, engine_id: str, now: int, limit: int = 100) -> tuple[tuple[str, str], ...]:
        owners = (owner for (owner,) in self._db.read("owners") if owner != engine_id)
        dead = [owner for owner in owners if not self._is_alive(owner)]
        found = [row for owner in dead for row in self._db.read("left_by", (owner, now, limit))]
        found += self._db.read("with_messages", (now, now - CREATOR_MICROS, limit))
        found += self._db.read("come_due", (now, limit))
        oldest = sorted(dict.fromkeys(found), key=lambda row: row[1])  # ids begin with the time
        return tuple((organization, execution) for organization, execution in oldest[:limit])

    def task_executions(self, organization: str, execution_id: str) -> tuple[TaskExecutionView, ...]:
        rows = self._db.read_maps("tasks_of", (organization, execution_id))
        tags: dict[str, dict[str, str]] = {}
        for task, key, value in self._db.read("tags_of_tasks", (organization, execution_id)):
            tags.setdefault(task, {})[key] = value
        return tuple(task_view(row, tags.get(row["id"], {})) for row in rows)

    def task_execution(self, organization: str, task_execution_id: str) -> TaskExecutionView | None:
        rows = self._db.read_maps("task", (organization, task_execution_id))
        return task_view(rows[0], self._tags(task_execution_id)) if rows else None

    def find_task_executions(self, organization: str, prefix: str, limit: int = 2) -> tuple[str, ...]:
        return tuple(row[0] for row in self._db.read("find_tasks", (organization, prefix, prefix + "~", limit)))

    def logs(
        self, organization: str, execution_id: str, task_name: str | None, levels: Sequence[str], after: int, limit: int
    ) -> tuple[LogView, ...]:
        values = (organization, execution_id, after, task_name, task_name, json.dumps(list(levels)), limit)
        return tuple(LogView(*row) for row in self._db.read("logs_of", values))

    def flow(self, organization: str, namespace: str, flow_id: str, revision: int | None) -> FlowView | None:
        rows = self._db.read("flow_revision", (organization, namespace, flow_id, revision, revision))
        return _flow(rows[0]) if rows else None

    def flow_revisions(self, organization: str, namespace: str, flow_id: str) -> tuple[FlowView, ...]:
        return tuple(_flow(row) for row in self._db.read("flow_revisions", (organization, namespace, flow_id)))

    def flows(self, organization: str, namespace: str | None) -> tuple[FlowView, ...]:
        return tuple(_flow(row) for row in self._db.read("flows_newest", (organization, namespace, namespace)))

    def kv(self, organization: str, namespace: str, key: str, now: int) -> KvView | None:
        rows = self._db.read("get_kv", (organization, namespace, key, key, now))
        return _kv(rows[0]) if rows else None

    def kvs(self, organization: str, namespace: str, now: int) -> tuple[KvView, ...]:
        return tuple(_kv(row) for row in self._db.read("get_kv", (organization, namespace, None, None, now)))

    def log_files(self, execution_id: str) -> tuple[tuple[str, int, str], ...]:
        rows = self._db.read("log_files", (execution_id,))
        return tuple((name, attempt, uri) for name, files in rows for attempt, uri in json.loads(files))

    def kept_result(self, organization: str, key: str, now: int) -> str | None:
        rows = self._db.read("kept_result", (organization, key, now))
        return rows[0][0] if rows else None

    def kv_expired(self, organization: str, namespace: str, key: str, now: int) -> bool:
        return bool(self._db.read("kv_expired", (organization, namespace, key, now)))

    def kv_keys(self, organization: str, namespaces: Sequence[str], now: int) -> tuple[tuple[str, str, bool], ...]:
        sql = "SELECT namespace, key, CASE WHEN expires_at <= ? THEN 1 ELSE 0 END FROM kv WHERE organization_id = ?"
        values: tuple[Any, ...] = (now, organization)
        if namespaces:
            part, bound = in_namespaces(namespaces)
            sql, values = f"{sql} AND {part}", (*values, *bound)
        rows = self._db.select(f"{sql} ORDER BY namespace, key", values)
        return tuple((namespace, key, bool(expired)) for namespace, key, expired in rows)

    def weight_of(self, organization: str, execution_ids: Sequence[str]) -> tuple[int, int, int]:
        ((logs, metrics, files),) = self._db.read("weight_of", (organization, json.dumps(list(execution_ids))))
        return logs, metrics, files

    def count_logs(self, organization: str, which: LogSpan) -> int:
        return int(self._db.read("count_logs", span_values(organization, which))[0][0])

    def own_files(self, organization: str, execution_id: str) -> tuple[str, ...]:
        return tuple(uri for (uri,) in self._db.read("own_files", (organization, execution_id)))

    def doomed_files(self, organization: str, limit: int) -> tuple[str, ...]:
        return tuple(uri for (uri,) in self._db.read("doomed_files", (organization, limit)))

    def may_read_file(self, organization: str, execution_id: str, uri: str) -> bool:
        return bool(self._db.read("may_read_file", (organization, execution_id, uri)))

    def file_namespaces(self, organization: str) -> tuple[str, ...]:
        return tuple(namespace for (namespace,) in self._db.read("file_namespaces", (organization,)))

    def namespace_files(self, organization: str, namespace: str) -> tuple[tuple[str, str], ...]:
        return tuple((path, uri) for path, uri in self._db.read("namespace_files", (organization, namespace)))

    def _labels(self, execution_id: str) -> Mapping[str, str]:
        return dict(self._db.read("labels_of", (execution_id,)))

    def _tags(self, task_execution_id: str) -> Mapping[str, str]:
        return dict(self._db.read("tags_of", (task_execution_id,)))

    def close(self) -> None:
        self._db.close()


def _flow(row: tuple[Any, ...]) -> FlowView:
    namespace, flow_id, revision, source, local, created = row
    return FlowView(namespace, flow_id, revision, source, bool(local), created)


def _kv(row: tuple[Any, ...]) -> KvView:
    namespace, key, value, version, updated = row
    return KvView(namespace, key, decode(value), version, updated)
