"""Records as `--json` shows them: the names here are stable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.cli.people import iso_time
from core.host.views import ExecutionView, LogView, Page, TaskExecutionView

if TYPE_CHECKING:
    from core.host.services import Services


def page_object(page: Page[Any], rows: Sequence[Any]) -> dict[str, Any]:
    """One page of a list. next: what `--starting-after` takes to go on, or null."""
    return {"data": list(rows), "has_more": page.has_more, "next": page.next}


def execution_row(view: ExecutionView) -> dict[str, Any]:
    """A flow execution as a list shows it. duration: seconds, null while it has not ended.

    original_id: the execution it was derived from, by a replay or a retry. parent_id: the one that called it.
    """
    return {
        "id": view.id,
        "flow": {"namespace": view.namespace, "id": view.flow_id, "revision": view.flow_revision},
        "state": view.state,
        "status": view.status,
        "duration": view.duration,
        "labels": view.labels,
        "error": view.error or None,
        "original_id": view.original_id,
        "parent_id": view.parent_id,
        "created_at": iso_time(view.created_at),
        "started_at": iso_time(view.started_at),
        "ended_at": iso_time(view.ended_at),
    }


def execution_object(view: ExecutionView, services: Services) -> dict[str, Any]:
    """A flow execution with everything that came out; what `run --json` prints.

    duration: seconds. attempts: how many there were. value: what the innermost loop around the task stood at, or null.
    original_id and parent_id are there where there is one: the execution it was derived from, the one that called it.
    """
    return {
        "id": view.id,
        "flow": {"namespace": view.namespace, "id": view.flow_id, "revision": view.flow_revision},
        "state": view.state,
        "status": view.status,
        "duration": view.duration,
        **_links(view),
        "inputs": view.inputs,
        "outputs": view.outputs or {},
        "task_executions": [
            {
                "id": task.id,
                "task_name": task.task_name,
                "value": task.value,
                "state": task.state,
                "duration": task.duration,
                "attempts": len(task.attempts),
                "output": services.outputs.value(task.id),
                "error": task.error or None,
            }
            for task in services.executions.tasks(view.id)
        ],
    }


def _links(view: ExecutionView) -> dict[str, str]:
    links = {"original_id": view.original_id, "parent_id": view.parent_id}
    return {name: other for name, other in links.items() if other}


def output_row(view: TaskExecutionView, organization: str) -> dict[str, Any]:
    """A task output as a list shows it. output_size: bytes of the recorded output, null when there is none."""
    return {
        "id": view.id,
        "flow_execution_id": view.flow_execution_id,
        "task_name": view.task_name,
        "value": view.value,
        "organization_id": organization,
        "namespace": view.namespace,
        "flow_id": view.flow_id,
        "flow_revision": view.flow_revision,
        "status": view.status,
        "state": view.state,
        "summary": view.summary,
        "output_size": view.output_size,
        "tags": view.tags,
        "error": view.error or None,
        "modified_by": view.modified_by,
        "version": view.version,
        "created_at": iso_time(view.created_at),
        "updated_at": iso_time(view.updated_at),
    }


def output_object(view: TaskExecutionView, value: Any, organization: str) -> dict[str, Any]:
    """A task output as a list shows it, with the output itself.

    properties: of its last failed attempt, as they were rendered, secrets hidden; null when none failed.
    """
    return {**output_row(view, organization), "output": value, "properties": view.properties}


def log_row(line: LogView) -> dict[str, Any]:
    """A recorded log line."""
    return {
        "seq": line.seq,
        "at": iso_time(line.at),
        "level": line.level,
        "task_name": line.task_name,
        "attempt": line.attempt,
        "message": line.message,
    }
