"""Expressions in the recorded context of an execution: the engine's own evaluator, secrets refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from core import expressions
from core.app.flows import FlowService
from core.app.lines import direct_line
from core.engine.answers import Answers
from core.engine.live import execution_prefix
from core.engine.variables import base_variables
from core.errors import NotFound
from core.host.records import ExecutionIdentity, RecordStore
from core.host.seam import OutputReference, OutputText, Place
from core.host.views import Evaluation as EvaluationView
from core.host.views import ExecutionView, TaskExecutionView
from core.model.codec import SecretText
from core.work.apart import evaluate_for_people
from core.work.helper import Helper
from core.work.tools import Tools


class EvaluatorService:
    """Implements `core.host.services.Evaluator`."""

    def __init__(
        self,
        organization: str,
        records: RecordStore,
        flows: FlowService,
        resolve: Callable[[str], str],
        tools: Callable[[], Tools],
        answers: Callable[[], Answers],
        helper: Callable[[], Helper],
    ) -> None:
        self._organization = organization
        self._records = records
        self._flows = flows
        self._resolve = resolve
        self._tools = tools
        self._answers = answers
        self._helper = helper

    def evaluate(
        self, execution_id: str, expression: str, *, task_name: str | None = None, value: str | None = None
    ) -> EvaluationView:
        view = self._records.execution(self._organization, self._resolve(execution_id))
        if view is None:
            raise NotFound(f"there is no execution {execution_id}")
        template = expression if "{{" in expression or "{%" in expression else "{{ " + expression + " }}"
        tools = self._tools()
        if not expressions.is_quick(template):
            self._helper().warm()  # it comes up while the context is read
        identity = ExecutionIdentity(view.id, self._organization, view.namespace, view.flow_id, view.flow_revision)
        place = Place(self._organization, view.namespace, view.flow_id, view.id,
                      execution_prefix=execution_prefix(identity))  # fmt: skip
        variables = self._variables(view, task_name, value)
        found = evaluate_for_people(template, place, variables, tools, direct_line(self._answers()), self._helper())
        return EvaluationView(found.text, found.value, type_word(found.value))

    def _variables(self, view: ExecutionView, task_name: str | None, value: str | None) -> dict[str, Any]:
        flow = self._flows.parsed(view.namespace, view.flow_id, view.flow_revision)
        variables = base_variables(view, flow, state=view.state)
        outputs: dict[str, Any] = {}
        for key, _, stored in self._records.outputs_of(view.id, None):
            if stored is not None:
                shipped = OutputText(stored.text) if stored.text is not None else None
                outputs[key.task_id] = shipped or OutputReference(stored.uri or "", stored.size)
        tasks = self._records.task_executions(self._organization, view.id)
        variables["outputs"] = outputs
        variables["tasks"] = {task.task_name: {"state": task.state} for task in tasks}
        if task_name is not None:
            variables.update(_task_variables(tasks, task_name, value))
        return variables


def _task_variables(tasks: tuple[TaskExecutionView, ...], name: str, value: str | None) -> dict[str, Any]:
    chosen = [task for task in tasks if task.task_name == name and (value is None or task.value == value)]
    if not chosen:
        names = ", ".join(dict.fromkeys(task.task_name for task in tasks)) or "none"
        raise NotFound(f"no task `{name}` ran in this execution", expected=f"one of: {names}")
    task = chosen[-1]
    taskrun: dict[str, Any] = {"id": task.id, "attemptsCount": max(len(task.attempts) - 1, 0)}
    if task.value is not None:
        taskrun["value"] = task.value
    return {"task": {"id": task.task_name, "type": task.type}, "taskrun": taskrun}


def type_word(value: object) -> str:
    """The language's word for a value's type."""
    words: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "boolean"), (int, "whole number"), (float, "number"), ((str, SecretText), "text"),
        (datetime, "date and time"), (date, "date"), (time, "time"), (timedelta, "duration"),
        (Mapping, "map"), ((list, tuple), "list"),
    )  # fmt: skip
    if value is None:
        return "null"
    return next((word for kind, word in words if isinstance(value, kind)), "value")
