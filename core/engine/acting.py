"""After the commit: the effects of decisions, on executors, timers and other executions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from core.engine.batches import batch, before, with_outputs_before
from core.engine.child_outputs import CHILD_OUTPUTS, ChildOutputs, request_of
from core.engine.children import Children, unfinished
from core.engine.clock import new_id, now
from core.engine.inbox import restart_json
from core.engine.live import LiveExecution
from core.engine.needs import needs_of
from core.engine.results import typed_outputs
from core.engine.sla import ASSERTION, SlaWatch
from core.engine.timers import Timers
from core.engine.work import Follow, Told, Work
from core.errors import TailraceError
from core.host.executor import Executor
from core.host.records import NewExecution, RecordStore
from core.host.seam import EvaluationJob, EvaluationResult, Stop, TaskJob
from core.model.codec import encode
from core.model.data import evolve
from core.model.decisions import (
    Decision,
    Derive,
    Effect,
    Evaluate,
    KillChild,
    ReleaseSlot,
    RestartChild,
    RunTask,
    StartChild,
    StopTask,
    WakeAt,
)  # fmt: skip
from core.model.messages import (
    ROOT,
    ChildEnded,
    ChildStarted,
    Due,
    Evaluated,
    EvaluationKey,
    RestartRequested,
    TaskKey,
)  # fmt: skip
from core.model.nodes import Call
from core.model.state import ENDED
from core.planner import ITERATION, PROMISES, continuation

KILLED = "the execution was killed"
_ENDED_WELL = frozenset({"SUCCESS", "WARNING", "SKIPPED"})


class Acting:
    """own: take another execution (organization, id), followed as who asks; False when another process has it.

    tell: put what follows from an effect into the engine's own inbox.
    """

    def __init__(
        self,
        executor: Executor,
        timers: Timers,
        children: Children,
        records: RecordStore,
        own: Callable[[str, str, Follow], bool],
        tell: Callable[[Told], None],
    ) -> None:
        self._executor = executor
        self._timers = timers
        self._children = children
        self._records = records
        self._own = own
        self._tell = tell
        self.later: dict[str, tuple[str, str, Follow]] = {}
        """Executions that are to begin at some time: what `own` is then called with."""
        self._tickets: dict[int, tuple[Work, EvaluationKey]] = {}
        self._numbers = count(1)
        self.sla = SlaWatch(self._send_evaluation)
        self._outputs = children.outputs = ChildOutputs(records, children.flows_of, self._send_evaluation)
        self._acts: dict[type, Callable[[Work, Any], None]] = {
            RunTask: self._run,
            Evaluate: self._evaluate,
            StopTask: self._stop,
            WakeAt: lambda work, effect: timers.set(effect.due_at, work.live.identity.id, effect.key),
            StartChild: self._start_child,
            RestartChild: self._restart_children,
            KillChild: self._kill_children,
            ReleaseSlot: lambda work, effect: None,  # whoever waits for the slot looks when the records change
        }

    def perform(self, work: Work, effect: Effect) -> None:
        """Do what a committed decision asks for."""
        self._acts[type(effect)](work, effect)

    def asked(self, ticket: int) -> tuple[Work, EvaluationKey]:
        """What an evaluation was for."""
        work, key = self._tickets.pop(ticket)
        work.tickets -= 1
        return work, key

    def answered(self, result: EvaluationResult, owned: Mapping[str, Work]) -> Iterable[Told]:
        """What to tell the planner of an evaluation; nothing when its execution has ended meanwhile."""
        work, asked = self.asked(result.ticket)
        if owned.get(work.live.identity.id) is not work:
            self._outputs.forget(work, asked)
            return ()
        if asked.purpose == ASSERTION and asked.task == ROOT:
            return self.sla.answered(work, asked.round, result)
        if asked.purpose == CHILD_OUTPUTS:
            return (self._outputs.answered(work, asked, result),)
        flows = self._children.flows_of(work.live.identity.organization_id)
        value, error = typed_outputs(work.live.flow, asked, result, flows.seal)
        if asked.purpose.startswith("request") and not error:
            work.live.evaluations[asked] = (value, "")
        return (Told(work, Evaluated(asked, value, error), reads=result.reads, files=result.files),)

    def heard(self, told: Told) -> Iterable[Told]:
        """What to tell the planner now of what was sent to an execution."""
        return self._outputs.heard(told)

    def due(self, owned: Mapping[str, Work]) -> Iterator[Told]:
        """Whose time has come: what waits for it is told, what is to begin is taken."""
        for timer in self._timers.due(now()):
            if timer.execution_id in owned:
                yield Told(owned[timer.execution_id], Due(timer.key))
            elif timer.key == ROOT and timer.execution_id in self.later:
                self._own(*self.later.pop(timer.execution_id))
        yield from self.sla.due(owned)

    # -- jobs

    def _run(self, work: Work, effect: RunTask) -> None:
        self._executor.send(self._job(work, effect.key))

    def run_again(self, work: Work, key: TaskKey) -> None:
        """Go on with an attempt that an engine began which died."""
        self._executor.send(evolve(self._job(work, key), again=True))

    def end_left(self, work: Work, key: TaskKey) -> None:
        """End what is left of an attempt that an engine began which died; its log lines go to the record."""
        job = self._job(work, key)
        work.ends.add(job.attempt_id)
        self._executor.send(evolve(job, ends=True, log_to_file=False))

    def _job(self, work: Work, key: TaskKey) -> TaskJob:
        """Of the open attempt of a task."""
        live = work.live
        step, identity = live.steps[key.task_id], live.identities[key]
        variables = live.variables.of(key, live.variables.needs(step))
        with_outputs_before(variables, step, live.variables, key.path)
        return TaskJob(
            identity.attempt_id, identity.attempt, live.place(key), step.type, step.properties, variables,
            step.timeout, step.log_level, live.members(key),
            () if live.variables.loops.in_item(step.id) else key.path, live.flow.task_caches.get(step.id),
            live.waited.get(key), step.id in live.flow.logs_to_file,
        )  # fmt: skip

    def _stop(self, work: Work, effect: StopTask) -> None:
        identity = work.live.identities.get(effect.key)
        if identity is None:  # its result came in the same turn, and there is nothing left to stop
            return
        if identity.attempt_id in work.left - work.ends:
            self.end_left(work, effect.key)
        elif identity.attempt_id not in work.ends:
            self._executor.send(Stop(identity.attempt_id, KILLED))

    def _evaluate(self, work: Work, effect: Evaluate) -> None:
        live, task = work.live, effect.key.task
        if effect.key in live.evaluations:  # it was answered under an earlier owner
            self._tell(Told(work, Evaluated(effect.key, *live.evaluations[effect.key])))
            return
        if effect.key.purpose == PROMISES and task == ROOT:
            self.sla.ask(work, effect.key)
            return
        step = live.steps.get(task.task_id)
        template, typed = request_of(step.node if step else None, effect.template), effect.typed
        needs = needs_of(template)
        if effect.key.purpose.startswith(ITERATION):
            variables = live.variables.of_iteration(task, effect.key.round, needs)
        else:
            variables = live.variables.of(task, needs)
        if effect.seen:
            variables.update(effect.seen)
        if step is not None and before(step):
            with_outputs_before(variables, step, live.variables, task.path)
            if effect.typed:
                variables["taskrun"] = {**variables["taskrun"], **batch(step, effect.key, live.variables)}
        place, rows = live.place(task), effect.rows
        self._send_evaluation(
            work, effect.key, lambda ticket: EvaluationJob(ticket, place, template, variables, typed, rows)
        )

    def _send_evaluation(self, work: Work, key: EvaluationKey, made: Callable[[int], EvaluationJob]) -> None:
        ticket = next(self._numbers)
        self._tickets[ticket] = (work, key)
        work.tickets += 1
        self._executor.send(made(ticket))

    # -- child executions

    def _start_child(self, work: Work, effect: StartChild) -> None:
        try:
            child = self._children.create(work.live, effect)
        except TailraceError as error:
            self._tell(Told(work, ChildStarted(effect.key, effect.index, error=str(error))))
            return
        work.warn_of_child(effect.key, child.warnings, now())
        self._tell(Told(work, ChildStarted(effect.key, effect.index, child.id)))
        if child.due_at > now():
            self._begin_later(work, child.id, child.due_at)
        else:
            self._own(work.live.identity.organization_id, child.id, work.follow)

    def _begin_later(self, work: Work, execution_id: str, due_at: int) -> None:
        self.later[execution_id] = (work.live.identity.organization_id, execution_id, work.follow)
        self._timers.set(due_at, execution_id, ROOT)

    def _restart_children(self, work: Work, effect: RestartChild) -> None:
        """Those that failed go on; those that had ended well are told of once more."""
        organization = work.live.identity.organization_id
        for child in self._children.of(work.live, effect.key):
            if child.state in _ENDED_WELL:
                ended = ChildEnded(effect.key, child.execution_id, child.state, index=child.index)
                self._tell(Told(work, ended))
                continue
            if child.state in ENDED:
                self._records.send(child.execution_id, "restart", restart_json("child"), now())
            self._own(organization, child.execution_id, work.follow)

    def _kill_children(self, work: Work, effect: KillChild) -> None:
        for child in unfinished(self._children.of(work.live, effect.key)):
            self._records.send(child.execution_id, "kill", "{}", now())
            self._own(work.live.identity.organization_id, child.execution_id, work.follow)

    def runs(self, work: Work, owned: Mapping[str, Work]) -> bool:
        """Whether something of an execution works here, or in a child execution that somebody works on."""
        live = work.live
        for key, task in live.tasks.items():
            if task.state == "CREATED":
                return True
            if task.running and not isinstance(live.steps[key.task_id].node, Call):
                return True
        name = live.identity.id
        if any(other.live.parent and other.live.parent.execution_id == name for other in owned.values()):
            return True
        calls = [key for key, task in live.tasks.items() if task.running]
        return any(
            self._records.is_owned(child.execution_id)
            for key in calls for child in unfinished(self._children.of(live, key))
        )  # fmt: skip

    # -- another execution instead of this one

    def derived(self, work: Work, decision: Decision) -> tuple[NewExecution | None, Sequence[TaskKey]]:
        """The execution that a Derive asks for, and what of this one it keeps."""
        for change in decision.changes:
            if type(change) is Derive:
                return self._derived(work, change)
        return None, ()

    def _derived(self, work: Work, change: Derive) -> tuple[NewExecution, Sequence[TaskKey]]:
        live = work.live
        rows = self._records.past(live.identity.id)
        asked = RestartRequested("from", (change.key,))
        found = continuation(live.facts(now(), rows=rows), asked)
        new = derived_from(live, change)
        self._begin_later(work, new.id, change.due_at)
        return new, (*found.kept, *found.entered)


def derived_from(live: LiveExecution, change: Derive) -> NewExecution:
    """A new execution in the place of this one, which goes on from a task."""
    identity, view = live.identity, live.view
    return NewExecution(
        new_id(), identity.organization_id, identity.namespace, identity.flow_id, identity.flow_revision,
        encode(view.inputs), view.labels, (), now(), live.parent, change.due_at,
        ("restart", restart_json("from", (change.key,))),
    )  # fmt: skip
