"""Expressions in the recorded context of an execution: the engine's own evaluator, secrets refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from core import expressions
from core.app.completing import Context, complete
from core.app.direct_line import direct_line
from core.app.flows import FlowService
from core.engine.answers import Answers
from core.engine.live import execution_prefix
from core.engine.needs import Needs, needs_of
from core.engine.variables import Variables
from core.errors import ExpressionError, NotFound
from core.host.kinds import type_word
from core.host.overviews import Completions
from core.host.records import ExecutionIdentity, RecordStore, TaskIdentity
from core.host.seam import Place
from core.host.views import Evaluation as EvaluationView
from core.host.views import ExecutionView, OutputFilter, TaskExecutionView
from core.model.data import evolve
from core.model.messages import ROOT, TaskKey
from core.planner import TaskFacts
from core.work.apart import Evaluated, evaluate_for_people
from core.work.evaluate import Evaluation
from core.work.helper import Helper
from core.work.tools import Tools

_EVERYTHING = Needs(None, None, parents=True)
_PART = 100
"""Characters of a loop's value that its task execution is looked for by: records search for short texts alone."""


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
        view = self._execution(execution_id)
        template = expression if "{{" in expression or "{%" in expression else "{{ " + expression + " }}"
        if not expressions.is_quick(template):
            self._helper().warm()  # it comes up while the context is read
        spot = self._spot(view, task_name, value)
        try:
            found = self._evaluated(template, self._here(view, spot, needs_of([template])), printing=True)
        except ExpressionError as error:
            if not error.undefined:
                raise
            here = self._here(view, spot, _EVERYTHING)  # so that the message names what there is
            found = self._evaluated(template, here, printing=True)
        return EvaluationView(found.text, found.value, type_word(found.value))

    def complete(
        self, execution_id: str, text: str, cursor: int, *, task_name: str | None = None, value: str | None = None
    ) -> Completions:
        view = self._execution(execution_id)

        def context(template: str) -> Context:
            here = self._here(view, self._spot(view, task_name, value), needs_of([template]))
            seen = Evaluation(here.place, here.variables, self._tools(), direct_line(self._answers()), None).variables
            return Context(seen, lambda wanted: self._evaluated(wanted, here, printing=False).value)

        return complete(text, cursor, context)

    def _execution(self, execution_id: str) -> ExecutionView:
        view = self._records.execution(self._organization, self._resolve(execution_id))
        if view is None:
            raise NotFound(f"there is no execution {execution_id}")
        return view

    def _evaluated(self, template: str, here: _Here, *, printing: bool) -> Evaluated:
        line = direct_line(self._answers())
        return evaluate_for_people(
            template, here.place, here.variables, self._tools(), line, self._helper(), printing=printing
        )

    def _here(self, view: ExecutionView, spot: _Spot, needs: Needs) -> _Here:
        """What the engine would give to a task at this spot, as far as it is named."""
        identity = ExecutionIdentity(view.id, self._organization, view.namespace, view.flow_id, view.flow_revision)
        place = Place(self._organization, view.namespace, view.flow_id, view.id,
                      execution_prefix=execution_prefix(identity))  # fmt: skip
        flow = self._flows.parsed(view.namespace, view.flow_id, view.flow_revision)
        answers = {} if spot.key == ROOT else self._records.evaluations(view.id)
        variables = Variables(view, flow, identity, self._records, spot.tasks, spot.identities, answers, fresh=False)
        variables.entered(view.state, view.ended_at or view.created_at)
        return _Here(place, {"tasks": {}, **variables.of(spot.key, Needs(needs.outputs, needs.tasks, parents=True))})

    def _spot(self, view: ExecutionView, name: str | None, value: str | None) -> _Spot:
        """The latest task execution of a task (for a value of the loop around it), and it with the groups around it."""
        tasks: dict[TaskKey, TaskFacts] = {}
        identities: dict[TaskKey, TaskIdentity] = {}
        task = None if name is None else self._latest(view.id, name, value)
        key = ROOT if task is None else _key(task)
        while task is not None:
            above = self._records.task_execution(self._organization, task.parent_id) if task.parent_id else None
            parent = _key(above) if above else ROOT
            began = next((at for state, at in task.history if state == "RUNNING"), task.created_at)
            tasks[_key(task)] = TaskFacts(parent, task.state, since=began, iteration=task.iteration)
            identities[_key(task)] = TaskIdentity(task.id, task.type, task.parent_id, len(task.attempts))
            task = above
        return _Spot(key, tasks, identities)

    def _latest(self, execution_id: str, name: str, value: str | None) -> TaskExecutionView:
        """value: of the innermost loop, or of all loops around the task, joined by `/`.

        Raises NotFound with the names of the tasks that ran.
        """
        part = (value or "").rpartition("/")[2][:_PART]  # of the innermost one in both cases
        which = OutputFilter(
            flow_execution_id=(execution_id,), task_name=(name,), search=part, limit=1 if value is None else 1000
        )
        while True:
            page = self._records.outputs(self._organization, which)
            for task in page.data:
                if value is None or (task.path and value in (task.path[-1], "/".join(task.path))):
                    return task
            if page.next is None:
                break
            which = evolve(which, starting_after=page.next)
        ran = self._records.product.outline(self._organization, execution_id)
        names = ", ".join(one.task_name for one in ran) or "none"
        raise NotFound(f"no task `{name}` ran in this execution", expected=f"one of: {names}")


class _Spot(NamedTuple):
    """A task, and the facts of it and of the groups around it; ROOT is the execution itself."""

    key: TaskKey
    tasks: dict[TaskKey, TaskFacts]
    identities: dict[TaskKey, TaskIdentity]


class _Here(NamedTuple):
    """A place in the world, and what expressions see there."""

    place: Place
    variables: dict[str, Any]


def _key(task: TaskExecutionView) -> TaskKey:
    return TaskKey(task.task_name, task.path, task.turn)
