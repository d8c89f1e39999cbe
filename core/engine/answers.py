"""Answers to what tasks ask of the engine's world; reads only, given at once by the loop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.engine.clock import now
from core.engine.live import LiveExecution
from core.host.records import RecordStore
from core.host.seam import Answer, Place, Question

MAX_ERROR_LOGS = 25


class Answers:
    """local_files: a folder whose files stand before those of the namespace (`_files/` beside a flow that is run)."""

    def __init__(self, records: RecordStore, local_files: Path | None = None) -> None:
        self._records = records
        self._local_files = local_files.resolve() if local_files else None

    def answer(self, question: Question, live: LiveExecution | None) -> Answer:
        """live: the execution that asks, None when a person's evaluator does."""
        place, arguments = question.place, question.arguments
        if question.what == "kv":
            value: Any = self._kv(place, arguments)
        elif question.what == "file_allowed":
            value = self._records.may_read_file(place.organization_id, place.flow_execution_id, arguments["uri"])
        elif question.what == "namespace_files":
            value = self._namespace_files(place.organization_id, arguments["namespace"])
        elif question.what == "error_logs":
            value = self._error_logs(place)
        elif question.what == "task_states":
            value = self._task_states(place, live)
        else:
            return Answer(question.question_id, error=f"nobody answers `{question.what}`")
        return Answer(question.question_id, value)

    def _kv(self, place: Place, arguments: Mapping[str, Any]) -> list[Any]:
        """[found, value]; when no namespace was named, the parents of the own one are looked at too (reference 1.x)."""
        namespace = arguments["namespace"]
        while True:
            found = self._records.kv(place.organization_id, namespace, arguments["key"], now())
            if found is not None:
                return [True, found.value]
            if not arguments["inherit"] or "." not in namespace:
                return [False, None]
            namespace = namespace.rpartition(".")[0]

    def _namespace_files(self, organization: str, namespace: str) -> dict[str, str]:
        files = dict(self._records.namespace_files(organization, namespace))
        folder = self._local_files
        if folder is not None and folder.is_dir():
            for path in sorted(folder.rglob("*")):
                if path.is_file() and folder in path.resolve().parents:
                    files[path.relative_to(folder).as_posix()] = str(path.resolve())
        return files

    def _error_logs(self, place: Place) -> list[dict[str, Any]]:
        lines = self._records.logs(
            place.organization_id, place.flow_execution_id, None, ("ERROR",), 0, MAX_ERROR_LOGS
        )
        return [{"taskId": line.task_name, "level": line.level, "message": line.message} for line in lines]

    def _task_states(self, place: Place, live: LiveExecution | None) -> dict[str, str]:
        if live is not None:
            return {task: state["state"] for task, state in live.task_states().items()}
        views = self._records.task_executions(place.organization_id, place.flow_execution_id)
        return {view.task_name: view.state for view in views}
