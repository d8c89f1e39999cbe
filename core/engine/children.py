"""Executions that a task of another execution starts: begun, counted, ended again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from core.engine.child_outputs import ChildOutputs
from core.engine.live import LiveExecution
from core.host.records import ChildRow, ParentLink, RecordStore
from core.host.views import ExecutionView
from core.model.codec import decode
from core.model.data import data
from core.model.decisions import Decision, EndTask, GiveOutput, StartChild
from core.model.flow import Flow
from core.model.messages import ChildEnded, ChildStarted, TaskKey
from core.model.nodes import Call
from core.model.state import ENDED


@data
class Child:
    """An execution that a task has called. due_at: when it is to begin, in microseconds since 1970 UTC; 0: at once.

    warnings: about what it was given, for the log of the task.
    """

    id: str
    due_at: int = 0
    warnings: tuple[str, ...] = ()


class OtherFlows(Protocol):
    """What an engine needs of flows other than the one it runs."""

    def flow_of(self, view: ExecutionView) -> Flow:
        """The flow of an execution. Raises NotFound, InvalidFlow."""

    def seal(self) -> Callable[[str], object] | None:
        """What a text of the type SECRET is kept as; None without a key."""

    def create_child(self, parent: LiveExecution, request: Mapping[str, Any], link: ParentLink) -> Child:
        """Create the execution that a task asked for; one that had been created before is found.

        Raises the errors of creating an execution: NotFound, Conflict, InvalidInput.
        """


FlowsOf = Callable[[str], OtherFlows]
"""The flows of an organization."""


class Children:
    """The child executions of what an engine works on."""

    def __init__(self, records: RecordStore, flows_of: FlowsOf) -> None:
        self._records = records
        self.flows_of = flows_of
        self.outputs: ChildOutputs | None = None

    def create(self, parent: LiveExecution, effect: StartChild) -> Child:
        """The child that a Call has asked for. Raises TailraceError when there can be none."""
        request, _ = parent.evaluations.pop(effect.request)
        node = parent.steps[effect.key.task_id].node
        assert isinstance(node, Call)
        task_id = parent.identities[effect.key].id
        attempt = parent.tasks[effect.key].attempts
        link = ParentLink(parent.identity.id, task_id, effect.key, effect.index, node.wait, attempt)
        return self.flows_of(parent.identity.organization_id).create_child(parent, request, link)

    def of(self, parent: LiveExecution, key: TaskKey) -> tuple[ChildRow, ...]:
        """Those of a Call; none when it ends as it is opened."""
        known = parent.identities.get(key)
        return self._records.children_of(known.id) if known else ()

    def with_outputs(self, live: LiveExecution, message: object, decision: Decision) -> Decision:
        """The decision, with what its Calls give: the child's id when it has begun, all of it when it has ended."""
        if not live.has_calls:
            return decision
        given = []
        if isinstance(message, ChildStarted) and message.execution_id and _is_one(live, message.key):
            given.append(GiveOutput(message.key, {"executionId": message.execution_id}))
        for change in decision.changes:
            if isinstance(change, EndTask) and _is_call(live, change.key):
                rows = self.of(live, change.key)
                if rows:
                    many = _times(live, change.key)
                    one = self._all(live, change.key, rows) if many else self._one(rows[-1])
                    given.append(GiveOutput(change.key, one))
        if isinstance(message, ChildEnded) and self.outputs:
            self.outputs.take(message.execution_id)  # what came too late for this decision comes too late for all
        if not given:
            return decision
        return Decision((*given, *decision.changes), decision.effects, decision.guards, decision.rules)

    def _one(self, row: ChildRow) -> dict[str, object]:
        """Of one child: also how it ended, when somebody waited for that."""
        found: dict[str, object] = {"executionId": row.execution_id}
        if row.state in ENDED:
            found["state"] = row.state
        rendered = self.outputs.take(row.execution_id) if self.outputs else None
        if row.outputs_json:
            found["outputs"] = decode(row.outputs_json)
        elif rendered is not None:
            found["outputs"] = dict(rendered)
        return found

    def _all(self, live: LiveExecution, key: TaskKey, rows: tuple[ChildRow, ...]) -> dict[str, object]:
        """Of many children: how many ended how (one that nobody waits for counts as SUCCESS), and their outputs."""
        node, counters = live.steps[key.task_id].node, live.tasks[key].counters
        waits = isinstance(node, Call) and node.wait
        states: dict[str, int] = {}
        for row in rows:
            state = row.state if waits else "SUCCESS"
            states[state] = states.get(state, 0) + 1
        outputs = [decode(row.outputs_json) for row in rows if row.outputs_json]
        return {"numberOfBatches": counters.round if counters else len(rows), "iterations": states, "outputs": outputs}


def _is_call(live: LiveExecution, key: TaskKey) -> bool:
    """Of an execution that is only to end the flow is not known: then nothing is."""
    step = live.steps.get(key.task_id)
    return step is not None and isinstance(step.node, Call)


def _is_one(live: LiveExecution, key: TaskKey) -> bool:
    """Whether it is an open Call of one child; it may have ended meanwhile."""
    return key in live.tasks and not _times(live, key)


def _times(live: LiveExecution, key: TaskKey) -> bool:
    node = live.steps[key.task_id].node
    return isinstance(node, Call) and node.times is not None


def unfinished(rows: tuple[ChildRow, ...]) -> tuple[ChildRow, ...]:
    """Those that have not ended."""
    return tuple(row for row in rows if row.state not in ENDED)
