"""An execution in the hands of its owner: what it decides on, and who is who in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.engine.clock import new_id
from core.engine.requests import requested
from core.engine.variables import Variables
from core.host.records import ExecutionIdentity, OpenExecution, PastRow, RecordStore, TaskIdentity
from core.host.requests import Request
from core.host.seam import Member, Place
from core.model.decisions import (
    ChangeEnd,
    Decision,
    EndTask,
    GiveOutput,
    HoldTask,
    MoveExecution,
    MoveTask,
    OpenTask,
    ReopenTask,
)  # fmt: skip
from core.model.flow import Flow
from core.model.messages import ROOT, TaskKey
from core.model.nodes import Call, Group, Step, Work
from core.model.state import ENDED
from core.planner import Facts, PastTask, TaskFacts, apply, is_over

_OF_OPEN_TASKS = (EndTask, MoveTask, HoldTask, GiveOutput)


class LiveExecution:
    """Facts for the planner, identities for the record, variables for jobs. Changed only by decisions."""

    def __init__(self, opened: OpenExecution, flow: Flow, records: RecordStore, *, runs: bool = True) -> None:
        view = opened.view
        self.flow = flow
        self.view = view
        self.fence = opened.fence
        self.seq = opened.seq
        self.parent = opened.parent
        self.identity = ExecutionIdentity(
            view.id, opened.organization_id, view.namespace, view.flow_id, view.flow_revision
        )
        self._home = execution_prefix(self.identity)
        self.steps: dict[str, Step] = {step.id: step for step in flow.steps()}
        self.has_calls = any(isinstance(step.node, Call) for step in self.steps.values())
        self.state = view.state
        self.counters = opened.counters
        self.started_at = view.started_at
        self.evaluations = dict(opened.evaluations)
        self.tasks: dict[TaskKey, TaskFacts] = {}
        self.identities: dict[TaskKey, TaskIdentity] = {}
        self.attempts: dict[str, TaskKey] = {}
        self.waited: dict[TaskKey, str] = {}
        self._drawn: dict[tuple[TaskKey, str], str] = {}
        self._facts = Facts(
            flow, self.steps, view.state, opened.counters, self.tasks, 0, view.id, self.evaluations,
            attempt=opened.attempt, began_at=opened.began_at,
        )  # fmt: skip
        self._records = records
        fresh = not opened.tasks and view.state == "CREATED" and view.original_id is None
        self._recover(opened, runs)
        self.variables = Variables(
            view, flow, self.identity, records, self.tasks, self.identities, self.evaluations, fresh=fresh,
            turn=self.counters.turn,
        )  # fmt: skip
        if view.state in ENDED:  # what is left runs after it
            self.variables.entered(view.state, view.ended_at or 0)

    def _recover(self, opened: OpenExecution, runs: bool) -> None:
        """What had not ended under an earlier owner. runs: False for one that is only to end."""
        by_id = {row.identity.id: row.key for row in opened.tasks}
        for row in opened.tasks:
            parent = by_id.get(row.identity.parent_id or "", ROOT)
            self.tasks[row.key] = TaskFacts(
                parent, row.state, row.counters, row.running and (runs or self._has_job(row.key, parent)),
                row.identity.attempt, row.since, row.due_at, row.iteration,
            )  # fmt: skip
            self.identities[row.key] = row.identity
            if row.identity.attempt_id:
                self.attempts[row.identity.attempt_id] = row.key
            if row.wait_state is not None:
                self.waited[row.key] = row.wait_state

    def _has_job(self, key: TaskKey, parent: TaskKey) -> bool:
        """Whether an executor was given an attempt of a task; the members of a group are part of its job."""
        step, group = self.steps.get(key.task_id), self.steps.get(parent.task_id)
        is_member = group is not None and isinstance(group.node, Group)
        return step is not None and isinstance(step.node, (Work, Group)) and not is_member

    def facts(self, now: int, *, slot_free: bool = True, rows: Sequence[PastRow] = ()) -> Facts:
        """What the planner is told, until the next call. rows: for a restart, every row of the execution."""
        facts = self._facts
        facts.state, facts.counters, facts.now = self.state, self.counters, now
        facts.slot_free, facts.rows = slot_free, past_tasks(rows) if rows else ()
        return facts

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left to run."""
        return is_over(self.state, self.counters.phase)

    # -- identities

    def named(self, decision: Decision) -> Mapping[TaskKey, TaskIdentity]:
        """The identity of every task execution that the decision names; new ones are drawn here."""
        named: dict[TaskKey, TaskIdentity] = {}
        for change in decision.changes:
            if type(change) is OpenTask:
                named[change.key] = self._new(change, named.get(change.parent) or self.identities.get(change.parent))
            elif isinstance(change, _OF_OPEN_TASKS):
                known = named.get(change.key) or self.identities[change.key]
                if type(change) is MoveTask and change.attempt:
                    known = TaskIdentity(known.id, known.type, known.parent_id, known.attempt + 1, new_id())
                named[change.key] = known
            elif isinstance(change, (ReopenTask, ChangeEnd)):
                named[change.key] = self._again(change)
        return named

    def _new(self, change: OpenTask, parent: TaskIdentity | None) -> TaskIdentity:
        """The id of a group's member was drawn before it began."""
        task_id = change.key.task_id
        own = self._drawn.pop((change.parent, task_id), "") if self._drawn else ""
        attempt, attempt_id = (1, new_id()) if change.attempt else (0, "")
        return TaskIdentity(
            own or new_id(), self.steps[task_id].type, parent.id if parent else None, attempt, attempt_id
        )

    def _again(self, change: ReopenTask | ChangeEnd) -> TaskIdentity:
        """A task execution that had ended."""
        known = self._records.identity(self.identity.id, change.key)
        if isinstance(change, ReopenTask) and change.attempt:
            return TaskIdentity(known.id, known.type, known.parent_id, known.attempt + 1, new_id())
        return known

    # -- after the commit

    def apply(self, decision: Decision, named: Mapping[TaskKey, TaskIdentity], now: int) -> None:
        """Make a committed decision true here too."""
        apply(decision, self.tasks, self.evaluations, now)
        for change in decision.changes:
            if type(change) is EndTask:
                self._ended(change.key)
            elif isinstance(change, (OpenTask, MoveTask, ReopenTask)):
                identity = self.identities[change.key] = named[change.key]
                if identity.attempt_id:
                    self.attempts[identity.attempt_id] = change.key
            elif type(change) is MoveExecution:
                if change.state != self.state:
                    self.variables.entered(change.state, now)
                if change.counters.turn != self.counters.turn:
                    self.variables.restarted(change.counters.turn)
                self.state, self.counters = change.state, change.counters
            elif type(change) is HoldTask and change.state is not None:
                self.waited[change.key] = change.state

    def requested(self, requests: Iterable[Request]) -> None:
        """Make true here what a committed result asked for the execution itself: its labels and variables."""
        requested(self.variables, requests)

    def _ended(self, key: TaskKey) -> None:
        if self.waited:
            self.waited.pop(key, None)
        identity = self.identities.pop(key, None)
        if identity:
            self.attempts.pop(identity.attempt_id, None)

    # -- jobs

    def members(self, key: TaskKey) -> tuple[Member, ...] | None:
        """What a group's job does, one after another; the ids of its task executions are drawn here.
        None of other tasks.
        """
        node = self.steps[key.task_id].node
        if not isinstance(node, Group):
            return None
        children = [child for child in node.children if not child.disabled]
        self._drawn.update({(key, child.id): new_id() for child in children})
        return tuple(
            Member(child.id, child.type, child.properties, child.run_if, child.timeout, child.log_level,
                   child.allow_failure, child.allow_warning, self._drawn[key, child.id],
                   self.flow.task_caches.get(child.id), child.id in self.flow.logs_to_file)
            for child in children
        )  # fmt: skip

    def member(self, group: TaskKey, task_id: str) -> TaskKey:
        """Which task execution a member of a running group is."""
        counters = self.tasks[group].counters if group in self.tasks else None
        return TaskKey(task_id, group.path, counters.turn if counters else group.turn)

    def place(self, key: TaskKey) -> Place:
        """Where a task's (or the flow's own) jobs belong."""
        own, identity = self.identity, self.identities.get(key)
        if identity is None:
            return Place(own.organization_id, own.namespace, own.flow_id, own.id, key.task_id, "", self._home)
        prefix = f"{self._home}/tasks/{key.task_id}/{identity.id}"
        if identity.attempt > 1:
            prefix += f"/{identity.attempt}"
        return Place(
            own.organization_id, own.namespace, own.flow_id, own.id, key.task_id, identity.id, self._home, prefix
        )


def past_tasks(rows: Sequence[PastRow]) -> tuple[PastTask, ...]:
    """Rows of the record as the planner looks at them."""
    return tuple(PastTask(row.key, row.parent, row.state, row.counters, row.stale, row.attempts) for row in rows)


def execution_prefix(identity: ExecutionIdentity) -> str:
    """The directory of an execution's files in internal storage."""
    return f"{identity.namespace.replace('.', '/')}/{identity.flow_id}/executions/{identity.id}"
