"""Answers to what tasks ask of the engine's world; reads only, given at once by the loop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.engine.clock import now
from core.engine.live import LiveExecution
from core.engine.surveys import Surveys
from core.engine.variables import shipped
from core.errors import TailraceError
from core.host.records import RecordStore
from core.host.seam import Answer, Place, Question

MAX_ERROR_LOGS = 25


class Answers:
    """local_files: a folder whose files stand before those of the namespace (`_files/` beside a flow that is run)."""

    def __init__(self, records: RecordStore, local_files: Path | None = None) -> None:
        self._records = records
        self._surveys = Surveys(records)
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
        elif question.what == "loop_outputs":
            value = self._loop_outputs(place.flow_execution_id, arguments["task"], tuple(arguments["path"]))
        elif question.what == "task_states":
            value = self._task_states(place)
        else:
            return self._survey(question)
        return Answer(question.question_id, value)

    def _survey(self, question: Question) -> Answer:
        survey = self._surveys.find(question.what)
        if survey is None:
            return Answer(question.question_id, error=f"nobody answers `{question.what}`")
        try:
            return Answer(question.question_id, survey(question.place, question.arguments))
        except TailraceError as error:  # what was asked for can't be: the task is told, the loop goes on
            return Answer(question.question_id, error=str(error))

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

    def _task_states(self, place: Place) -> list[list[str | None]]:
        """Of a task that runs in turns the last one."""
        states = {(key.task_id, key.path): state for key, state in self._records.states_of(place.flow_execution_id)}
        return [[task, path[-1] if path else None, state] for (task, path), state in states.items()]

    def _loop_outputs(self, execution_id: str, task: str, path: tuple[str, ...]) -> list[Any]:
        stored, deeper = self._records.outputs_at(execution_id, task, path)
        return [None if stored is None else shipped(stored), list(deeper)]
