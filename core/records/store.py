"""The record store of one machine: a SQLite file in the home, shared by all its processes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import Conflict, NotFound
from core.host.records import NewExecution, OpenExecution, Refused, StoredOutput, Unit
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
from core.model.codec import decode
from core.model.decisions import Counters
from core.model.messages import EvaluationKey, TaskKey
from core.model.state import ENDED
from core.records.database import Database, explained
from core.records.locks import FileLock, is_held
from core.records.queries import execution_query, output_query
from core.records.rows import execution_view, open_task, read_counters, task_view
from core.records.writer import Writer

EXECUTION_TABLES = ("task_executions", "evaluations", "reads", "inbox", "labels", "file_uses", "logs", "metrics")
TASK_TABLES = ("task_output_bodies", "tags", "summary_values")


class SqliteRecords:
    """Implements `core.host.records.RecordStore`."""

    def __init__(self, home: Path, *, durable: bool, now: int) -> None:
        self._home = home
        self._db = Database(home, durable=durable, now=now)
        self._writer = Writer(self._db)
        self._engines: dict[str, FileLock] = {}

    # -- liveness of engines

    def register_engine(self, engine_id: str, now: int) -> None:
        """Show that this process lives: an OS lock for the machine, a row with a beat for everybody."""
        folder = self._home / "engines"
        with explained(folder):
            folder.mkdir(exist_ok=True)
            lock = FileLock(folder / f"{engine_id}.lock")
        lock.try_hold()
        self._engines[engine_id] = lock
        with self._db.writing():
            self._db.write("register_engine", (engine_id, os.getpid(), now))

    def beat(self, engine_id: str) -> None:
        """Move an engine's beat, for observers that can't see its lock."""
        with self._db.writing():
            self._db.write("beat", (engine_id,))

    def forget_engine(self, engine_id: str) -> None:
        """The engine decides no more."""
        lock = self._engines.pop(engine_id, None)
        if lock is not None:
            try:
                with self._db.writing():
                    self._db.write("forget_engine", (engine_id,))
            finally:
                lock.path.unlink(missing_ok=True)
                lock.close()

    def _is_alive(self, engine_id: str) -> bool:
        return is_held(self._home / "engines" / f"{engine_id}.lock")

    # -- writing

    def create_execution(self, new: NewExecution) -> None:
        history = json.dumps([["CREATED", new.at]])
        with self._db.writing():
            seq = self._db.write("insert_execution", (
                new.id, new.organization_id, new.namespace, new.flow_id, new.flow_revision, history, new.inputs_json,
                new.at,
            )).lastrowid  # fmt: skip
            for key, value in new.labels.items():
                self._db.write("insert_label", (new.organization_id, new.id, key, value, seq))
            for uri, size, sha256 in new.files:
                self._db.write("insert_file", (new.organization_id, uri, size, sha256, new.at))
                self._db.write("use_file", (new.organization_id, new.id, uri))
            self._db.write("insert_inbox", (new.id, "start", "{}", new.at))

    def commit(self, units: Sequence[Unit]) -> tuple[Refused, ...]:
        return self._writer.commit(units)

    def save_flow(
        self, organization: str, namespace: str, flow_id: str, source: str, *, local: bool, at: int
    ) -> FlowView:
        digest = hashlib.sha256(source.encode()).hexdigest()
        with self._db.writing():
            newest = self._db.write("flow_newest", (organization, namespace, flow_id)).fetchone()
            if newest is None or newest[1] != digest:
                revision = (newest[0] if newest else 0) + 1
                values = (organization, namespace, flow_id, revision, source, digest, int(local), at)
                self._db.write("insert_flow", values)
                return FlowView(namespace, flow_id, revision, source, local, at)
        found = self.flow(organization, namespace, flow_id, newest[0])
        if found is None:
            raise Conflict(f"the flow {namespace}.{flow_id} was deleted", hint="push it again under another id")
        return found

    def set_kv(self, organization: str, namespace: str, key: str, value_json: str, at: int) -> KvView:
        with self._db.writing():
            self._db.write("set_kv", (organization, namespace, key, value_json, at, at))
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
        view = self.execution(organization, execution_id)
        if view is None:
            raise NotFound(f"there is no execution {execution_id}")
        if view.state not in ENDED:
            raise Conflict(f"the execution {execution_id} has not ended", hint="kill it first")
        free = []
        with self._db.writing():
            uris = [uri for (uri,) in self._db.write("files_of", (organization, execution_id)).fetchall()]
            inner = "(SELECT id FROM task_executions WHERE flow_execution_id = ?)"
            for table in TASK_TABLES:
                self._db.execute(f"DELETE FROM {table} WHERE task_execution_id IN {inner}", (execution_id,))
            for table in EXECUTION_TABLES:
                self._db.execute(f"DELETE FROM {table} WHERE flow_execution_id = ?", (execution_id,))
            self._db.execute("DELETE FROM flow_executions WHERE id = ?", (execution_id,))
            for uri in uris:
                if self._db.write("file_used", (organization, uri)).fetchone() is None:
                    self._db.write("delete_file", (organization, uri))
                    free.append(uri)
        return tuple(free)

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

    def _open_execution(self, execution_id: str) -> OpenExecution:
        row = self._db.select_maps("SELECT * FROM flow_executions WHERE id = ?", (execution_id,))[0]
        tasks = tuple(open_task(task) for task in self._db.read("open_tasks", (execution_id,)))
        evaluations: dict[EvaluationKey, tuple[Any, str]] = {}
        for name, path, turn, purpose, round_, value, error in self._db.read("evaluations_of", (execution_id,)):
            key = EvaluationKey(TaskKey(name, tuple(json.loads(path)), turn), purpose, round_)
            evaluations[key] = (None if value is None else decode(value), error or "")
        return OpenExecution(
            view=execution_view(row, self._labels(execution_id)),
            organization_id=row["organization_id"],
            counters=read_counters(row["counters_json"]) or Counters(),
            fence=row["fence"],
            tasks=tasks,
            evaluations=evaluations,
        )

    def release(self, execution_id: str, fence: int) -> None:
        with self._db.writing():
            self._db.write("release", (execution_id, fence))

    def send(self, execution_id: str, kind: str, payload_json: str, at: int) -> None:
        with self._db.writing():
            self._db.write("insert_inbox", (execution_id, kind, payload_json, at))
        self._db.forget_seen()

    def unread(self, execution_ids: Sequence[str]) -> tuple[tuple[int, str, str, str], ...]:
        return tuple(row for one in execution_ids for row in self._db.read("inbox_unread", (one,)))

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

    def executions(self, organization: str, which: ExecutionFilter) -> Page[ExecutionView]:
        query = execution_query(organization, which)
        rows = query.page(self._db, "flow_executions", which.limit, which.starting_after)
        shown = tuple(execution_view(row, self._labels(row["id"])) for row in rows[: which.limit])
        more = len(rows) > which.limit
        return Page(shown, more, shown[-1].id if more else None)

    def abandoned(self, organization: str, engine_id: str) -> tuple[str, ...]:
        rows = self._db.read("abandoned", (organization, engine_id))
        return tuple(execution for execution, owner in rows if not self._is_alive(owner))

    def task_executions(self, organization: str, execution_id: str) -> tuple[TaskExecutionView, ...]:
        rows = self._db.read_maps("tasks_of", (organization, execution_id))
        return tuple(task_view(row, self._tags(row["id"])) for row in rows)

    def task_execution(self, organization: str, task_execution_id: str) -> TaskExecutionView | None:
        rows = self._db.read_maps("task", (organization, task_execution_id))
        return task_view(rows[0], self._tags(task_execution_id)) if rows else None

    def find_task_executions(self, organization: str, prefix: str, limit: int = 2) -> tuple[str, ...]:
        return tuple(row[0] for row in self._db.read("find_tasks", (organization, prefix, prefix + "~", limit)))

    def outputs(self, organization: str, which: OutputFilter) -> Page[TaskExecutionView]:
        rows = output_query(organization, which).page(self._db, "task_executions", which.limit, which.starting_after)
        shown = tuple(task_view(row, self._tags(row["id"])) for row in rows[: which.limit])
        more = len(rows) > which.limit
        return Page(shown, more, shown[-1].id if more else None)

    def output(self, organization: str, task_execution_id: str) -> StoredOutput | None:
        rows = self._db.read("body", (organization, task_execution_id))
        return StoredOutput(*rows[0]) if rows and rows[0][3] is not None else None

    def outputs_of(
        self, execution_id: str, task_names: Sequence[str] | None
    ) -> tuple[tuple[TaskKey, str, StoredOutput | None], ...]:
        found = []
        for name in [None] if task_names is None else task_names:
            for task, path, turn, state, *body in self._db.read("bodies_of", (execution_id, name, name)):
                stored = StoredOutput(*body) if body[3] is not None else None
                found.append((TaskKey(task, tuple(json.loads(path)), turn), state, stored))
        return tuple(found)

    def logs(
        self, organization: str, execution_id: str, task_name: str | None, levels: Sequence[str], after: int, limit: int
    ) -> tuple[LogView, ...]:
        values = (organization, execution_id, after, task_name, task_name, json.dumps(list(levels)), limit)
        return tuple(LogView(*row) for row in self._db.read("logs_of", values))

    def flow(self, organization: str, namespace: str, flow_id: str, revision: int | None) -> FlowView | None:
        rows = self._db.read("flow_revision", (organization, namespace, flow_id, revision, revision))
        return _flow(rows[0]) if rows else None

    def flows(self, organization: str, namespace: str | None) -> tuple[FlowView, ...]:
        return tuple(_flow(row) for row in self._db.read("flows_newest", (organization, namespace, namespace)))

    def kv(self, organization: str, namespace: str, key: str, now: int) -> KvView | None:
        rows = self._db.read("get_kv", (organization, namespace, key, key, now))
        return _kv(rows[0]) if rows else None

    def kvs(self, organization: str, namespace: str, now: int) -> tuple[KvView, ...]:
        return tuple(_kv(row) for row in self._db.read("get_kv", (organization, namespace, None, None, now)))

    def may_read_file(self, organization: str, execution_id: str, uri: str) -> bool:
        return bool(self._db.read("may_read_file", (organization, execution_id, uri)))

    def namespace_files(self, organization: str, namespace: str) -> tuple[tuple[str, str], ...]:
        return tuple((path, uri) for path, uri in self._db.read("namespace_files", (organization, namespace)))

    def _labels(self, execution_id: str) -> Mapping[str, str]:
        return dict(self._db.read("labels_of", (execution_id,)))

    def _tags(self, task_execution_id: str) -> Mapping[str, str]:
        return dict(self._db.read("tags_of", (task_execution_id,)))

    def close(self) -> None:
        """Give everything back; an engine that was registered is gone."""
        for engine_id in list(self._engines):
            self.forget_engine(engine_id)
        self._db.close()


def _flow(row: tuple[Any, ...]) -> FlowView:
    namespace, flow_id, revision, source, local, created = row
    return FlowView(namespace, flow_id, revision, source, bool(local), created)


def _kv(row: tuple[Any, ...]) -> KvView:
    namespace, key, value, version, updated = row
    return KvView(namespace, key, decode(value), version, updated)
