"""Rows as views."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.host.records import OpenTaskRow, TaskIdentity
from core.host.views import AttemptView, ExecutionView, History, TaskExecutionView
from core.model.codec import decode
from core.model.decisions import Counters
from core.model.messages import TaskKey

Row = Mapping[str, Any]


def execution_view(row: Row, labels: Mapping[str, str]) -> ExecutionView:
    return ExecutionView(
        id=row["id"],
        namespace=row["namespace"],
        flow_id=row["flow_id"],
        flow_revision=row["flow_revision"],
        state=row["state"],
        history=_history(row["history_json"]),
        inputs=decode(row["inputs_json"]),
        outputs=None if row["outputs_json"] is None else decode(row["outputs_json"]),
        labels=labels,
        error=row["error"] or "",
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )


def task_view(row: Row, tags: Mapping[str, str]) -> TaskExecutionView:
    return TaskExecutionView(
        id=row["id"],
        flow_execution_id=row["flow_execution_id"],
        namespace=row["namespace"],
        flow_id=row["flow_id"],
        flow_revision=row["flow_revision"],
        task_name=row["task_name"],
        type=row["type"],
        value=row["value"],
        state=row["state"],
        history=_history(row["history_json"]),
        attempts=tuple(AttemptView(*attempt) for attempt in json.loads(row["attempts_json"])),
        error=row["error"] or "",
        note=row["note"] or "",
        summary=decode(row["summary_json"]) if row["summary_json"] else {},
        tags=tags,
        output_size=row["output_size"],
        output_sha256=row["output_sha256"],
        output_preview=row["output_preview"],
        version=row["version"],
        modified_by=row["modified_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        ended_at=row["ended_at"],
        stale_since=row["stale_since"],
        deleted_at=row["deleted_at"],
    )


def open_task(row: tuple[Any, ...]) -> OpenTaskRow:
    identifier, name, path, turn, parent, state, counters, attempts, kind = row
    last = (json.loads(attempts) or [[0, ""]])[-1]
    return OpenTaskRow(
        identity=TaskIdentity(identifier, kind, parent, last[0], last[1]),
        key=TaskKey(name, tuple(json.loads(path)), turn),
        state=state,
        counters=read_counters(counters),
    )


def read_counters(text: str | None) -> Counters | None:
    return None if text is None else Counters(*json.loads(text))


def _history(text: str) -> History:
    return tuple((state, at) for state, at in json.loads(text))
