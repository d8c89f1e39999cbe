"""Expressions in the recorded context of an execution: the engine's own evaluator, secrets refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from core import expressions
from core.app.direct_line import direct_line
from core.app.flows import FlowService
from core.engine.answers import Answers
from core.engine.live import execution_prefix
from core.engine.needs import Needs
from core.engine.variables import Variables
from core.errors import NotFound
from core.host.records import ExecutionIdentity, RecordStore, TaskIdentity
from core.host.seam import Place
from core.host.views import Evaluation as EvaluationView
from core.host.views import ExecutionView, TaskExecutionView
from core.model.codec import SecretText
from core.model.messages import ROOT, TaskKey
from core.planner import TaskFacts
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
        variables = self._variables(view, identity, task_name, value)
        found = evaluate_for_people(template, place, variables, tools, direct_line(self._answers()), self._helper())
        return EvaluationView(found.text, found.value, type_word(found.value))

    def _variables(
        self, view: ExecutionView, identity: ExecutionIdentity, task_name: str | None, value: str | None
    ) -> dict[str, Any]:
        """What the engine would give to a task in the same place: everything, since people look around."""
        flow = self._flows.parsed(view.namespace, view.flow_id, view.flow_revision)
        key, tasks, identities = ROOT, dict[TaskKey, TaskFacts](), dict[TaskKey, TaskIdentity]()
        if task_name is not None:
            views = self._records.task_executions(self._organization, view.id)
            key, tasks, identities = _place_of(views, task_name, value)
        variables = Variables(
            view, flow, identity, self._records, tasks, identities, self._records.evaluations(view.id), fresh=False
        )
        variables.entered(view.state, view.ended_at or view.created_at)
        return variables.of(key, Needs(None, tasks=True, parents=True))


def _place_of(
    views: tuple[TaskExecutionView, ...], name: str, value: str | None
) -> tuple[TaskKey, dict[TaskKey, TaskFacts], dict[TaskKey, TaskIdentity]]:
    """The latest task execution of a task (for a value of the loop around it), and it with the groups around it."""
    chosen = [task for task in views if task.task_name == name and (value is None or task.value == value)]
    if not chosen:
        names = ", ".join(dict.fromkeys(task.task_name for task in views)) or "none"
        raise NotFound(f"no task `{name}` ran in this execution", expected=f"one of: {names}")
    by_id = {task.id: task for task in views}
    tasks: dict[TaskKey, TaskFacts] = {}
    identities: dict[TaskKey, TaskIdentity] = {}
    task: TaskExecutionView | None = chosen[-1]
    while task is not None:
        above = by_id.get(task.parent_id or "")
        parent = _key(above) if above else ROOT
        began = next((at for state, at in task.history if state == "RUNNING"), task.created_at)
        tasks[_key(task)] = TaskFacts(parent, task.state, since=began, iteration=task.iteration)
        identities[_key(task)] = TaskIdentity(task.id, task.type, task.parent_id, len(task.attempts))
        task = above
    return _key(chosen[-1]), tasks, identities


def _key(task: TaskExecutionView) -> TaskKey:
    return TaskKey(task.task_name, task.path, task.turn)


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
