"""An execution in the hands of its owner: what it decides on, and what its jobs may read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.engine.clock import as_instant, new_id
from core.engine.needs import Needs, needs_of
from core.host.records import ExecutionIdentity, OpenExecution, RecordStore, TaskIdentity
from core.host.seam import OutputReference, OutputText, Place
from core.host.views import ExecutionView
from core.model.decisions import Decision, EndTask, MoveExecution, MoveTask, OpenTask
from core.model.flow import Flow
from core.model.messages import ROOT, TaskKey
from core.model.nodes import Step
from core.planner import Facts, TaskFacts

CACHE_BYTES = 32 * 1024 * 1024


class LiveExecution:
    """Facts for the planner, identities for the record, variables for jobs. Changed only by decisions."""

    def __init__(self, opened: OpenExecution, flow: Flow, records: RecordStore) -> None:
        view = opened.view
        self.flow = flow
        self.view = view
        self.fence = opened.fence
        self.identity = ExecutionIdentity(
            view.id, opened.organization_id, view.namespace, view.flow_id, view.flow_revision
        )
        self.steps: dict[str, Step] = {step.id: step for step in flow.steps()}
        self.state = view.state
        self.counters = opened.counters
        self.started_at = view.started_at
        self.evaluations = dict(opened.evaluations)
        self.tasks: dict[TaskKey, TaskFacts] = {}
        self.identities: dict[TaskKey, TaskIdentity] = {}
        self.attempts: dict[str, TaskKey] = {}
        self._records = records
        self._needs: dict[str, Needs] = {}
        self._cache: dict[TaskKey, OutputText | OutputReference | None] = {}
        self._cached_bytes = 0
        self._complete = not opened.tasks and view.state == "CREATED"
        self._recover(opened)
        self.base = base_variables(view, flow, state="RUNNING")

    def _recover(self, opened: OpenExecution) -> None:
        """What had not ended under an earlier owner; nothing of it runs here."""
        by_id = {row.identity.id: row.key for row in opened.tasks}
        for row in opened.tasks:
            parent = by_id.get(row.identity.parent_id or "", ROOT)
            self.tasks[row.key] = TaskFacts(parent, row.state, row.counters, running=False)
            self.identities[row.key] = row.identity
            if row.identity.attempt_id:
                self.attempts[row.identity.attempt_id] = row.key

    def facts(self) -> Facts:
        return Facts(self.flow, self.steps, self.state, self.counters, self.tasks)

    # -- identities

    def named(self, decision: Decision) -> Mapping[TaskKey, TaskIdentity]:
        """The identity of every task execution that the decision names; new ones are drawn here."""
        named: dict[TaskKey, TaskIdentity] = {}
        for change in decision.changes:
            if isinstance(change, OpenTask):
                parent = named.get(change.parent) or self.identities.get(change.parent)
                step = self.steps[change.key.task_id]
                begins = (1, new_id()) if change.attempt else (0, "")
                named[change.key] = TaskIdentity(new_id(), step.type, parent.id if parent else None, *begins)
            elif isinstance(change, MoveTask):
                known = named.get(change.key) or self.identities[change.key]
                if change.attempt:
                    known = TaskIdentity(known.id, known.type, known.parent_id, known.attempt + 1, new_id())
                named[change.key] = known
            elif isinstance(change, EndTask) and change.key not in named:
                named[change.key] = self.identities[change.key]
        return named

    # -- after the commit

    def apply(self, decision: Decision, named: Mapping[TaskKey, TaskIdentity]) -> None:
        """Make a committed decision true here too."""
        for change in decision.changes:
            if isinstance(change, OpenTask):
                self.tasks[change.key] = TaskFacts(change.parent, change.state, change.counters, change.attempt)
                self._identify(change.key, named[change.key])
            elif isinstance(change, MoveTask):
                task = self.tasks[change.key]
                self.tasks[change.key] = TaskFacts(
                    task.parent, change.state, change.counters, task.running or change.attempt
                )
                self._identify(change.key, named[change.key])
            elif isinstance(change, EndTask):
                self.tasks.pop(change.key, None)
                identity = self.identities.pop(change.key, None)
                if identity:
                    self.attempts.pop(identity.attempt_id, None)
            elif isinstance(change, MoveExecution):
                self.state, self.counters = change.state, change.counters

    def _identify(self, key: TaskKey, identity: TaskIdentity) -> None:
        self.identities[key] = identity
        if identity.attempt_id:
            self.attempts[identity.attempt_id] = key

    # -- what jobs may read

    def remember(self, key: TaskKey, output: OutputText | OutputReference | None) -> None:
        """Keep an ended task's output at hand, as it was recorded; the record has what falls out."""
        self._cache[key] = output
        self._cached_bytes += _weight(output)
        while self._cached_bytes > CACHE_BYTES and len(self._cache) > 1:
            self._cached_bytes -= _weight(self._cache.pop(next(iter(self._cache))))
            self._complete = False

    def needs(self, step: Step) -> Needs:
        """What the expressions of a task name, looked at once."""
        if step.id not in self._needs:
            self._needs[step.id] = needs_of((step.properties, step.timeout, step.run_if))
        return self._needs[step.id]

    def variables(self, key: TaskKey, needs: Needs) -> dict[str, Any]:
        """The variables of a place in the flow, as far as they are named there."""
        variables = dict(self.base)
        variables["outputs"] = self._outputs(needs) if needs.outputs is None or needs.outputs else {}
        if needs.tasks:
            variables["tasks"] = self.task_states()
        if key != ROOT:
            identity = self.identities.get(key)
            variables["task"] = {"id": key.task_id, "type": self.steps[key.task_id].type}
            variables["taskrun"] = {
                "id": identity.id if identity else "",
                "startDate": self.base["execution"]["startDate"],
                "attemptsCount": max(identity.attempt - 1, 0) if identity else 0,
            }
        return variables

    def task_states(self) -> dict[str, Any]:
        """`tasks.<id>.state` of everything that began."""
        ended = {key.task_id: {"state": state} for key, state, _ in self._records.outputs_of(self.identity.id, None)}
        return {**ended, **{key.task_id: {"state": task.state} for key, task in self.tasks.items()}}

    def _outputs(self, needs: Needs) -> dict[str, Any]:
        """Those that are read; where one is missing, also what is at hand, so that people are told what there is."""
        wanted = needs.outputs
        if wanted is None:
            return self._at_hand() if self._complete else self._recorded(None)
        if all(TaskKey(name) in self._cache for name in wanted):
            found = {name: shown for name in wanted if (shown := self._cache[TaskKey(name)]) is not None}
        else:
            found = self._recorded(wanted)
        return found if len(found) == len(wanted) else {**self._at_hand(), **found}

    def _at_hand(self) -> dict[str, Any]:
        return {key.task_id: output for key, output in self._cache.items() if output is not None}

    def _recorded(self, wanted: frozenset[str] | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, _, stored in self._records.outputs_of(self.identity.id, None if wanted is None else sorted(wanted)):
            if stored is None:
                continue
            found[key.task_id] = (
                OutputText(stored.text) if stored.text is not None else OutputReference(stored.uri or "", stored.size)
            )
        return found

    # -- places

    def place(self, key: TaskKey) -> Place:
        """Where a task's (or the flow's own) jobs belong."""
        identity = self.identities.get(key)
        home = execution_prefix(self.identity)
        prefix = ""
        if identity:
            prefix = f"{home}/tasks/{key.task_id}/{identity.id}"
            prefix += f"/{identity.attempt}" if identity.attempt > 1 else ""
        return Place(
            self.identity.organization_id, self.identity.namespace, self.identity.flow_id, self.identity.id,
            key.task_id, identity.id if identity else "", home, prefix,
        )  # fmt: skip


def _weight(output: OutputText | OutputReference | None) -> int:
    return len(output.text) if isinstance(output, OutputText) else 64


def execution_prefix(identity: ExecutionIdentity) -> str:
    """The directory of an execution's files in internal storage."""
    return f"{identity.namespace.replace('.', '/')}/{identity.flow_id}/executions/{identity.id}"


def nested(labels: Mapping[str, str]) -> dict[str, Any]:
    """Labels as expressions see them: `system.from` is read as `labels.system.from`."""
    found: dict[str, Any] = {}
    for name, value in labels.items():
        place = found
        *parents, last = name.split(".") if name.startswith("system.") else [name]
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return found


def base_variables(view: ExecutionView, flow: Flow, *, state: str) -> dict[str, Any]:
    """The variables that are the same everywhere in an execution."""
    base: dict[str, Any] = {
        "flow": {"id": view.flow_id, "namespace": view.namespace, "revision": view.flow_revision},
        "execution": {
            "id": view.id,
            "startDate": as_instant(view.created_at),
            "originalId": view.id,
            "state": state,
        },
        "inputs": view.inputs,
        "labels": nested(view.labels),
    }
    if flow.variables:
        base["vars"] = flow.variables
    return base
