"""`outputs` of a Subflow (deprecated): rendered in the child's context when it has ended, where its flow has none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from core.engine.live import execution_prefix
from core.engine.needs import needs_of
from core.engine.variables import Variables
from core.engine.work import Told, Work
from core.errors import TailraceError
from core.host.records import ExecutionIdentity, RecordStore
from core.host.seam import EvaluationJob, EvaluationResult, Place
from core.host.views import ExecutionView
from core.model.codec import decode
from core.model.data import evolve
from core.model.flow import Flow
from core.model.messages import ROOT, ChildEnded, EvaluationKey
from core.model.nodes import Call

CHILD_OUTPUTS = "child outputs"
"""Purpose of these evaluations; the planner does not ask for them, and they are not recorded."""

Evaluate = Callable[[Work, EvaluationKey, Callable[[int], EvaluationJob]], None]


class Flows(Protocol):
    """Where the flow of a child is found."""

    def flow_of(self, view: ExecutionView) -> Flow:
        """Raises NotFound, InvalidFlow."""


class ChildOutputs:
    """Holds the end of a child back until its outputs are rendered."""

    def __init__(self, records: RecordStore, flows_of: Callable[[str], Flows], evaluate: Evaluate) -> None:
        self._records = records
        self._flows_of = flows_of
        self._evaluate = evaluate
        self._held: dict[tuple[str, EvaluationKey], Told] = {}
        self._rendered: dict[str, Mapping[str, Any]] = {}

    def heard(self, told: Told) -> Iterable[Told]:
        """The message itself, or nothing while it is held back."""
        work, message = told.work, told.message
        if not isinstance(message, ChildEnded):
            return (told,)
        step = work.live.steps.get(message.key.task_id)
        wanted = step.node.request.get("outputs") if step is not None and isinstance(step.node, Call) else None
        if wanted is None or message.key not in work.live.tasks:
            return (told,)
        asked = EvaluationKey(message.key, CHILD_OUTPUTS, message.index)
        held = (work.live.identity.id, asked)
        if held in self._held:  # the row was read once more meanwhile
            return ()
        try:
            job = self._job(work, message.execution_id, wanted)
        except TailraceError as error:
            return (evolve(told, message=evolve(message, error=str(error))),)
        if job is None:
            return (told,)
        self._held[held] = told
        self._evaluate(work, asked, job)
        return ()

    def _job(self, work: Work, child_id: str, wanted: object) -> Callable[[int], EvaluationJob] | None:
        organization = work.live.identity.organization_id
        view = self._records.execution(organization, child_id)
        flow = None if view is None else self._flows_of(organization).flow_of(view)
        if view is None or flow is None or flow.outputs:  # it has outputs of its own
            return None
        identity = ExecutionIdentity(view.id, organization, view.namespace, view.flow_id, view.flow_revision)
        known = Variables(view, flow, identity, self._records, {}, {}, {}, fresh=False)
        known.entered(view.state, view.ended_at or 0)
        variables = known.of(ROOT, needs_of(wanted))
        place = Place(organization, view.namespace, view.flow_id, view.id, execution_prefix=execution_prefix(identity))
        return lambda ticket: EvaluationJob(ticket, place, wanted, variables)

    def answered(self, work: Work, asked: EvaluationKey, result: EvaluationResult) -> Told:
        """The end of the child, with its outputs at hand, or with why there are none."""
        told = self._held.pop((work.live.identity.id, asked))
        message = told.message
        assert isinstance(message, ChildEnded)
        if result.error or result.value is None:
            why = f"Failed to extract outputs with the error: '{result.error}'"
            return evolve(told, message=evolve(message, error=why))
        self._rendered[message.execution_id] = decode(result.value)
        return told

    def forget(self, work: Work, asked: EvaluationKey) -> None:
        """Nobody waits any more for what was asked."""
        self._held.pop((work.live.identity.id, asked), None)

    def take(self, child_id: str) -> Mapping[str, Any] | None:
        """The outputs of a child whose end is decided now."""
        return self._rendered.pop(child_id, None)


def request_of(node: object, template: object) -> object:
    """What is asked before a child is created: all but what is rendered when it has ended."""
    if isinstance(node, Call) and isinstance(template, Mapping) and "outputs" in template:
        return {name: value for name, value in template.items() if name != "outputs"}
    return template
