"""Rows as views."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.host.records import OpenTaskRow, PastRow, TaskIdentity
from core.host.views import AttemptView, ExecutionView, History, TaskExecutionView
from core.model.codec import decode
from core.model.decisions import Counters
from core.model.messages import ROOT, TaskKey
from core.records.texts import counters_of, key_of

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
        variables=None if row["variables_json"] is None else decode(row["variables_json"]),
        trigger=None if row["trigger_json"] is None else decode(row["trigger_json"]),
        original_id=row["original_id"],
        attempt=row["attempt_number"],
        parent_id=row["parent_execution_id"],
        due_at=row["due_at"],
        deleted_at=row["deleted_at"],
        held=row["state"] == "PAUSED" and (counters_of(row["counters_json"]) or Counters()).note == "held",
    )


def task_view(row: Row, tags: Mapping[str, str]) -> TaskExecutionView:
    return TaskExecutionView(
        **_came_out(row, tags),
        history=_history(row["history_json"]),
        attempts=_attempts(row),
        note=row["note"] or "",
        output_preview=row["output_preview"],
        path=_key(row).path,
        turn=row["turn"] if row["turn"] >= 0 else -1 - row["turn"],
        iteration=row["iteration"],
        parent_id=row["parent_id"],
        due_at=row["due_at"],
        copied_from=row["copied_from"],
        log_uris=tuple(uri for _, uri in _read(row["log_files_json"])) if row["log_files_json"] else (),
        properties=None if row["properties_json"] is None else decode(row["properties_json"]),
    )


def brief_view(row: Row, tags: Mapping[str, str]) -> TaskExecutionView:
    """What came out, of a row with the columns BRIEF."""
    return TaskExecutionView(**_came_out(row, tags), history=(), attempts=(), note="", output_preview=None)


_AS_THEY_ARE = (
    "id", "flow_execution_id", "namespace", "flow_id", "flow_revision", "task_name", "type", "value", "state",
    "output_size", "output_sha256", "version", "modified_by", "created_at", "updated_at", "ended_at", "stale_since",
    "deleted_at",
)  # fmt: skip
BRIEF = ", ".join((*_AS_THEY_ARE, "seq", "error", "summary_json"))
"""The columns of `task_executions` that `brief_view` needs."""


def _came_out(row: Row, tags: Mapping[str, str]) -> dict[str, Any]:
    fields = {name: row[name] for name in _AS_THEY_ARE}
    fields["error"] = row["error"] or ""
    fields["summary"] = decode(row["summary_json"]) if row["summary_json"] else {}
    fields["tags"] = tags
    return fields


def open_task(row: Row) -> OpenTaskRow:
    attempts = json.loads(row["attempts_json"])
    return OpenTaskRow(
        identity=identity(row["id"], row["type"], row["parent_id"], attempts),
        key=_key(row),
        state=row["state"],
        counters=counters_of(row["counters_json"]),
        parent=_parent(row),
        running=bool(attempts) and attempts[-1][4] is None and not row["due_at"],
        attempts=len(attempts),
        since=_since(row, attempts),
        due_at=row["due_at"] or 0,
        iteration=row["iteration"],
        wait_state=row["wait_state"],
    )


def past_rows(rows: Sequence[tuple[Any, ...]]) -> Iterator[PastRow]:
    """All rows of an execution."""
    keys: dict[str | None, TaskKey] = {row[0]: key_of(*row[4:7]) for row in rows}
    for identifier, kind, parent, attempts_json, _, _, _, state, counters, stale in rows:
        attempts = json.loads(attempts_json)
        yield PastRow(
            keys[identifier], keys.get(parent, ROOT), state, counters_of(counters), stale is not None, len(attempts),
            identity(identifier, kind, parent, attempts),
        )  # fmt: skip


def identity(identifier: str, kind: str, parent: str | None, attempts: list[list[Any]]) -> TaskIdentity:
    """With the last of its attempts."""
    last: list[Any] = attempts[-1] if attempts else [0, ""]
    return TaskIdentity(identifier, kind, parent, last[0], last[1])


def _attempts(row: Row) -> tuple[AttemptView, ...]:
    """Its attempts; of a group, which works by its children, one that follows its states (the reference, 1.x)."""
    text = row["attempts_json"]
    found = tuple(AttemptView(*attempt) for attempt in _read(text)) if text != "[]" else ()
    if found or not row["counters_json"]:
        return found
    began = next((at for state, at in _history(row["history_json"]) if state == "RUNNING"), None)
    return (AttemptView(1, row["id"], row["state"], began, row["ended_at"]),) if began is not None else ()


def _since(row: Row, attempts: list[list[Any]]) -> int:
    """When it was opened or last restarted, or its first attempt began after that."""
    began = next((at for state, at in reversed(_history(row["history_json"])) if state == "RESTARTED"), None)
    began = int(row["created_at"]) if began is None else began
    return max(began, attempts[0][3]) if attempts else began


def _key(row: Row) -> TaskKey:
    return key_of(row["task_name"], row["path_json"], row["turn"])


def _parent(row: Row) -> TaskKey:
    name = row["parent_name"]
    return ROOT if name is None else key_of(name, row["parent_path"], row["parent_turn"])


def _history(text: str) -> History:
    return tuple((state, at) for state, at in _read(text))


_raw_decode = json.JSONDecoder().raw_decode


def _read(text: str) -> Any:
    """A text of ours, which has no blanks around it: lists read many."""
    return _raw_decode(text)[0]
