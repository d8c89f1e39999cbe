"""What an execution waits for, in words: read from its rows, without an engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from core.app.creation import declared_inputs
from core.app.flows import FlowService
from core.engine.children import unfinished
from core.engine.clock import now
from core.errors import TailraceError
from core.host.records import PastRow, RecordStore
from core.host.views import ExecutionFilter, ExecutionView, Reason, TaskExecutionView
from core.model.flow import Flow
from core.model.messages import ROOT, TaskKey
from core.model.nodes import Call, Repeat, Retry, Step, Wait, Work
from core.model.state import ENDED

HOLDS_A_SLOT = ("RUNNING", "PAUSED", "RESTARTED", "RETRYING", "KILLING")
MOST = 20
"""So many reasons are told; of the others only how many there are."""
_AFTERWARDS = {
    "RESUME": "then it goes on", "WARN": "then it ends with a warning", "FAIL": "then it fails",
    "CANCEL": "then the execution is cancelled", "TIMEOUT": "then it fails",
}  # fmt: skip


class Why:
    """Looks at one execution."""

    def __init__(self, organization: str, records: RecordStore, flows: FlowService, view: ExecutionView) -> None:
        self._organization = organization
        self._records = records
        self._flows = flows
        self._view = view
        self._tasks = {task.id: task for task in records.task_executions(organization, view.id)}
        self._many_pause = sum(task.state == "PAUSED" for task in self._tasks.values()) > 1
        self._flow = _known_flow(flows, view)
        self._steps: Mapping[str, Step] = {step.id: step for step in self._flow.steps()} if self._flow else {}

    def reasons(self) -> tuple[Reason, ...]:
        """Why it stands where it stands, the whole execution first."""
        found = [*self._ended()] if self._view.state in ENDED else [*self._execution(), *self._waiting()]
        if len(found) > MOST:
            found[MOST:] = [Reason(f"… and {len(found) - MOST} more")]
        return tuple(found) or (Reason("it is about to go on"),)

    def _ended(self) -> Iterator[Reason]:
        yield Reason(f"it has ended: {self._view.state}")
        if self._view.error:
            yield Reason(self._view.error)
        for task in self._tasks.values():
            if task.error:
                yield Reason(f"{named(task)} {task.state}: {task.error}")

    # -- the execution

    def _execution(self) -> Iterator[Reason]:
        view = self._view
        going_on = ("executions", "resume", view.id)
        if view.held:
            yield Reason("it was paused: nothing new begins until somebody resumes it", going_on)
        elif view.id in self._records.abandoned(self._organization, ""):
            yield Reason("the process that worked on it is gone", going_on)
        elif view.state == "CREATED" and view.due_at and view.due_at > now():
            yield Reason(f"it is to begin at {_time(view.due_at)}", ("executions", "force-run", view.id))
        elif view.state == "CREATED" and not self._records.is_owned(view.id):
            yield Reason("it was created and nobody has begun to work on it", going_on)
        elif view.state == "QUEUED":
            yield Reason(self._queued(), ("executions", "force-run", view.id))

    def _queued(self) -> str:
        view = self._view
        same = ExecutionFilter(flow_id=(view.flow_id,), namespace=(view.namespace,), state=HOLDS_A_SLOT, limit=MOST)
        page = self._records.executions(self._organization, same)
        holders = [f"{other.id} ({other.state})" for other in page.data]
        limit = f" of {self._flow.concurrency.limit}" if self._flow and self._flow.concurrency else ""
        before = self._records.queued(self._organization, view.namespace, view.flow_id)
        ahead = before.index(view.id) if view.id in before else 0
        told = f"it is queued: the flow's concurrency limit{limit} is held by {', '.join(holders) or 'nobody any more'}"
        return told + (f"; {ahead} were queued before it" if ahead else "")

    # -- its tasks

    def _waiting(self) -> Iterator[Reason]:
        rows = {row.identity.id: row for row in self._records.past(self._view.id)}
        by_key = {row.key: row for row in rows.values()}
        parents = {task.parent_id for task in self._tasks.values() if task.ended_at is None}
        for task in self._tasks.values():
            held_back = self._view.held and task.state in ("CREATED", "QUEUED")
            if task.ended_at is None and not held_back and (task.id not in parents or task.state == "PAUSED"):
                yield from self._task(task, rows[task.id], by_key)

    def _task(self, task: TaskExecutionView, row: PastRow, by_key: Mapping[TaskKey, PastRow]) -> Iterator[Reason]:
        step = self._steps.get(task.task_name)
        node = step.node if step else None
        name, phase = named(task), row.counters.phase if row.counters else ""
        if task.state == "RETRYING" and task.due_at:
            retry = self._retry(row, by_key)
            of = f" of {retry.max_attempts}" if retry and retry.max_attempts else ""
            last = f": {task.attempts[-1].error}" if task.attempts and task.attempts[-1].error else ""
            yield Reason(f"{name} failed{last}; attempt {row.attempts + 1}{of} begins at {_time(task.due_at)}")
        elif isinstance(node, Wait) and phase == "waiting":
            yield self._paused(task, row, step)
        elif isinstance(node, Repeat) and phase == "waiting" and row.counters and task.due_at:
            yield Reason(f"{name} begins round {row.counters.round + 1} at {_time(task.due_at)}")
        elif isinstance(node, Call) and phase != "asking":
            yield from self._children(task)
        elif task.due_at and (task.state == "PAUSED" or (isinstance(node, Work) and task.due_at > now())):
            yield Reason(f"{name} waits until {_time(task.due_at)}")
        elif isinstance(node, Work) and task.state == "RUNNING" and self._records.is_owned(self._view.id):
            yield Reason(f"{name} is running since {_time(task.history[-1][1])}")
        else:
            yield Reason(f"{name} is {task.state}")

    def _paused(self, task: TaskExecutionView, row: PastRow, step: Step | None) -> Reason:
        declared = declared_inputs(step)
        needed = [f"{one.id}={one.type}" for one in declared if one.required and not one.has_defaults]
        command = ["executions", "resume", self._view.id]
        if self._many_pause:
            command += ["--task-name", task.task_name] + (["--value", task.value] if task.value is not None else [])
        for one in needed:
            command += ["-i", one]
        until = ""
        if task.due_at:
            note = row.counters.note if row.counters else ""
            until = f", or until {_time(task.due_at)}: {_AFTERWARDS.get(note, 'then it goes on')}"
        inputs = ", ".join(f"{one.id} ({one.type})" for one in declared)
        wants = f", who gives {inputs}" if inputs else ""
        return Reason(f"{named(task)} waits for a person{wants}{until}", tuple(command))

    def _children(self, task: TaskExecutionView) -> Iterator[Reason]:
        children = unfinished(self._records.children_of(task.id))
        for number, child in enumerate(children):
            found = self._records.execution(self._organization, child.execution_id)
            flow = f" of {found.namespace}.{found.flow_id}" if found else ""
            text = f"{named(task)} waits for the execution {child.execution_id}{flow}, which is {child.state}"
            command: tuple[str, ...] = ("executions", "why", child.execution_id)
            if found is not None and found.state == "PAUSED" and number < MOST:
                first = Why(self._organization, self._records, self._flows, found).reasons()[0]
                text, command = f"{text}: {first.text}", first.command or command
            yield Reason(text, command)
        if not children:
            yield Reason(f"{named(task)} is about to start another execution")

    def _retry(self, row: PastRow, by_key: Mapping[TaskKey, PastRow]) -> Retry | None:
        """The task's own retry, else that of the closest group around it, else the flow's."""
        key = row.key
        while key != ROOT and key in by_key:
            step = self._steps.get(key.task_id)
            if step is not None and step.retry is not None:
                return step.retry
            key = by_key[key].parent
        return self._flow.retry if self._flow else None


def named(task: TaskExecutionView) -> str:
    """A task execution by its name, and by the value of the loop around it."""
    return task.task_name if task.value is None else f"{task.task_name} [{task.value}]"


def _known_flow(flows: FlowService, view: ExecutionView) -> Flow | None:
    """The flow; None when what it needs is not installed any more: the rows tell most of it."""
    try:
        return flows.parsed(view.namespace, view.flow_id, view.flow_revision)
    except TailraceError:
        return None


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at // 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"
