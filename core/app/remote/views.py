"""Records out of the API's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.host.views import (
    AttemptView,
    ExecutionFilter,
    ExecutionView,
    FilePreview,
    History,
    LogView,
    OutputFilter,
    TaskExecutionView,
)  # fmt: skip

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = Mapping[str, Any]


def execution_view(row: Row) -> ExecutionView:
    """A flow execution."""
    return ExecutionView(
        id=row["id"], namespace=row["namespace"], flow_id=row["flow_id"], flow_revision=row["flow_revision"],
        state=row["state"], history=_history(row), inputs=row["inputs"], outputs=row["outputs"],
        labels=row["labels"], error=row["error"] or "", created_at=micros(row["created_at"]),
        started_at=_micros(row["started_at"]), ended_at=_micros(row["ended_at"]), original_id=row["original_id"],
        attempt=row["attempt"], parent_id=row["parent_id"],
    )  # fmt: skip


def task_view(output: Row, task: Row, preview: str | None = None) -> TaskExecutionView:
    """A task execution, out of what came out of it and of how it ran; the latter was asked for last."""
    status, updated = task["status"], micros(task["updated_at"])
    return TaskExecutionView(
        id=output["id"], flow_execution_id=output["flow_execution_id"], namespace=output["namespace"],
        flow_id=output["flow_id"], flow_revision=output["flow_revision"], task_name=output["task_name"],
        type=task["type"], value=output["value"], state=task["state"], history=_history(task),
        attempts=tuple(_attempt(one) for one in task["attempts"]), error=task["error"] or "",
        note=task["note"] or "", summary=output["summary"], tags=output["tags"], output_size=output["output_size"],
        output_sha256=None, output_preview=preview, version=task["version"], modified_by=output["modified_by"],
        created_at=micros(output["created_at"]), updated_at=updated, ended_at=_micros(task["ended_at"]),
        stale_since=updated if status == "stale" else None, deleted_at=updated if status == "deleted" else None,
        path=tuple(task["path"]), turn=task["turn"], iteration=task["iteration"], parent_id=task["parent_id"],
        due_at=_micros(task["due_at"]), copied_from=task["copied_from"], properties=task["properties"],
    )  # fmt: skip


def log_view(row: Row) -> LogView:
    """A log line."""
    return LogView(
        row["seq"], micros(row["at"]), row["level"], row["task_name"], row["attempt"], row["message"],
        row["task_execution_id"],
    )  # fmt: skip


def preview_view(row: Row) -> FilePreview:
    """The beginning of a file."""
    kind: Any = "binary" if row["kind"] == "image" else row["kind"]
    rows = tuple(tuple(cells) for cells in row["rows"])
    return FilePreview(row["uri"], row["size"], kind, tuple(row["columns"]), rows, row["text"], row["truncated"])


def output_query(which: OutputFilter) -> dict[str, Any]:
    """A filter as the parameters of a list."""
    conditions: dict[str, list[str]] = {}
    for one in which.summary:
        sign = one.operator if one.operator in ("<", ">") else one.operator[:-1]
        name = f"summary.{one.path}{sign}" + (one.value if one.operator in ("<", ">") else "")
        conditions.setdefault(name, []).append("" if one.operator in ("<", ">") else one.value)
    return {
        "flow_execution_id": which.flow_execution_id, "flow_id": which.flow_id, "namespace": which.namespace,
        "task_name": which.task_name, "status": which.status, "state": which.state, "tag": which.tag,
        "tag_all": which.tag_all, "modified_by": which.modified_by, "updated_after": _iso(which.updated_after),
        "updated_before": _iso(which.updated_before), "search": which.search or None,
        "order": "oldest" if which.oldest_first else None, **_page(which), **conditions,
    }  # fmt: skip


def execution_query(which: ExecutionFilter) -> dict[str, Any]:
    """The same for flow executions."""
    return {
        "flow_id": which.flow_id, "namespace": which.namespace, "status": which.status, "state": which.state,
        "label": which.label, **_page(which),
    }  # fmt: skip


def _page(which: OutputFilter | ExecutionFilter) -> dict[str, Any]:
    return {
        "created_after": _iso(which.created_after), "created_before": _iso(which.created_before),
        "limit": which.limit, "starting_after": which.starting_after, "ending_before": which.ending_before,
    }  # fmt: skip


def micros(text: str) -> int:
    """Microseconds since 1970 UTC."""
    since = datetime.fromisoformat(text) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _micros(text: str | None) -> int | None:
    return None if text is None else micros(text)


def _iso(at: int | None) -> str | None:
    if at is None:
        return None
    seconds, rest = divmod(at, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest).isoformat().replace("+00:00", "Z")


def _history(row: Row) -> History:
    return tuple((one["state"], micros(one["at"])) for one in row["history"])


def _attempt(row: Row) -> AttemptView:
    return AttemptView(
        row["n"], row["id"], row["state"], micros(row["started_at"]), _micros(row["ended_at"]), row["error"] or ""
    )
