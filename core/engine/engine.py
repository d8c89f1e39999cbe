"""The loop: drain messages, decide each, commit once, and only then act."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Lock

from core.engine.acting import Acting
from core.engine.answers import Answers
from core.engine.children import Children, OtherFlows
from core.engine.clock import monotonic, now
from core.engine.inbox import URGENT, message_of
from core.engine.live import LiveExecution
from core.engine.timers import Timers
from core.engine.work import Follow, Told, Work
from core.errors import Conflict
from core.host.executor import Executor
from core.host.records import RecordStore, Refused, Unit
from core.host.seam import (
    EvaluationResult,
    LogLine,
    MemberEnded,
    MemberStarted,
    Metric,
    Progress,
    Question,
    TaskResult,
    Up,
)  # fmt: skip
from core.model.codec import encode
from core.model.decisions import Decision, Effect, RunTask
from core.model.flow import Flow
from core.model.messages import (
    ROOT,
    Evaluated,
    JobRestarted,
    KillRequested,
    RestartRequested,
    SlotFree,
    Started,
    TaskKey,
)  # fmt: skip
from core.model.messages import MemberEnded as MemberIsOver
from core.model.messages import MemberStarted as MemberBegan
from core.model.nodes import Group
from core.planner import OUTPUTS, decide, pending

LOOK_SECONDS = 0.05
LOGS_SECONDS = 0.1
BEAT_SECONDS = 5.0


class Engine:
    """Works on the executions it owns, one turn of its loop at a time.

    Whoever brings a result leads the next turn, in its own thread, unless another thread is leading: a chain of tasks
    needs no hand-over between threads, which costs more than all the rest of a small task. The thread in `run` leads
    when nobody else does: it looks at inboxes, timers, logs and beats.
    """

    def __init__(
        self,
        engine_id: str,
        records: RecordStore,
        answers: Answers,
        flows: OtherFlows,
        make_executor: Callable[[Callable[[Up], None]], Executor],
    ) -> None:
        self._id = engine_id
        self._records = records
        self._answers = answers
        self._flows = flows
        self._inbox: deque[Up | Told | None] = deque()
        self._leading = Lock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._failure: BaseException | None = None
        self._questions: deque[Question] = deque()
        self._words: deque[LogLine | Metric | Progress] = deque()
        self._executor = make_executor(self._tell)
        self._owned: dict[str, Work] = {}
        self._timers = Timers()
        self._children = Children(records, flows)
        self._acting = Acting(
            self._executor, self._timers, self._children, records, self._own_other, self._inbox.append
        )
        self._interrupts = 0
        self._fresh = False
        self._next_look = 0.0
        self._next_beat = monotonic() + BEAT_SECONDS

    # -- from outside

    def own(self, execution_id: str, flow: Flow, follow: Follow, *, go_on: bool = True) -> None:
        """Become the owner of an execution, and go on with it where it stands. Raises Conflict, NotFound.

        go_on: False for one that is only to end: nothing that ran counts as running.
        """
        opened = self._records.claim(execution_id, self._id)
        work = self._owned[execution_id] = Work(LiveExecution(opened, flow, self._records, runs=go_on), follow)
        self._acting.sla.began(work)
        for effect in pending(work.live.facts(now())) if go_on else ():
            if isinstance(effect, RunTask) and isinstance(work.live.steps[effect.key.task_id].node, Group):
                self._inbox.append(Told(work, JobRestarted(effect.key)))
            self._acting.perform(work, effect)
        self._look_soon()

    def _own_other(self, organization: str, execution_id: str, follow: Follow) -> bool:
        """Own a child or a parent of what is owned; False when another process has it."""
        if execution_id in self._owned:
            return True
        view = self._records.execution(organization, execution_id)
        if view is None:
            return False
        try:
            self.own(execution_id, self._flows.flow_of(view), follow)
        except Conflict:
            return False
        return True

    def interrupt(self) -> None:
        """Kill what is owned; the second time leave it as it is, to be resumed. Safe in signal handlers."""
        self._interrupts += 1
        self._inbox.append(None)
        self._wake.put(None)

    def run(self) -> None:
        """Work until nothing owned can go on by itself, or a second interrupt.

        What is left running keeps this engine as its owner: once the engine is gone, others see it was abandoned.
        """
        try:
            while not self._is_done():
                if self._leading.acquire(blocking=False):
                    self._lead_once()
                if (self._owned or self._acting.later) and not self._inbox:
                    self._sleep()
        finally:
            with self._leading:  # a turn that is going on is not left half way
                self._owned.clear()
        if self._failure:
            raise self._failure

    def _is_done(self) -> bool:
        if self._interrupts >= 2 or self._failure:
            return True
        if self._owned or self._acting.later:
            return False
        with self._leading:  # the turn of another thread lets go of a child before it takes its parent
            return not (self._owned or self._acting.later)

    def _sleep(self) -> None:
        try:
            self._wake.get(timeout=max(self._timers.seconds(now(), LOOK_SECONDS), 0.001))
        except Empty:
            self._records.tidy()

    def close(self) -> None:
        """Stop what still runs."""
        self._executor.close()

    # -- the loop

    def _tell(self, message: Up) -> None:
        """Called from any thread. Words of a task wait for the next turn; what is to be decided is decided now."""
        if isinstance(message, (LogLine, Metric, Progress)):
            self._words.append(message)
            return
        self._inbox.append(message)
        while self._inbox and not self._failure and self._leading.acquire(blocking=False):
            self._lead_once()
        if not self._owned:
            self._wake.put(None)

    def _lead_once(self) -> None:
        """Turn until nothing more has arrived, and let go of the lead."""
        try:
            self._turn()
            while self._inbox:
                self._turn()
        except BaseException as error:  # noqa: BLE001 # raised again by run(), in whichever thread it happened
            self._failure = error
            self._wake.put(None)
        finally:
            self._leading.release()

    def _turn(self) -> None:
        told = self._drain()
        units, effects = self._decide(told)
        if units:
            self._commit(units)
        for work, effect in effects:
            self._acting.perform(work, effect)
        while self._questions:  # after the commit: who asks sees what was told before
            self._answer(self._questions.popleft())
        for execution_id in [name for name, work in self._owned.items() if self._rests(work)]:
            self._let_go(self._owned.pop(execution_id))

    def _rests(self, work: Work) -> bool:
        """Whether it has ended, or goes on only when somebody else does something."""
        live = work.live
        if live.is_over:
            return True
        if self._inbox or work.tickets or live.state in ("CREATED", "QUEUED"):
            return False
        return not (self._acting.runs(work, self._owned) or self._timers.waited_for(live.identity.id))

    def _let_go(self, work: Work) -> None:
        live = work.live
        self._records.release(live.identity.id, live.fence)
        if self._records.unread([live.identity.id]):  # sent after the last look: whoever sent it saw an owner
            self._own_other(live.identity.organization_id, live.identity.id, work.follow)
        elif live.is_over and live.parent is not None and live.parent.wait:
            self._look_soon()
            self._own_other(live.identity.organization_id, live.parent.execution_id, work.follow)

    def _look_soon(self) -> None:
        """This engine's own commits don't show as changes: what it put into an inbox, it must look for."""
        self._fresh = True
        self._next_look = 0.0
        self._wake.put(None)

    def _drain(self) -> deque[Told]:
        told: deque[Told] = deque()
        moment = monotonic()
        if moment >= self._next_look:
            self._next_look = moment + LOOK_SECONDS
            self._look(told, moment)
        messages = [self._inbox.popleft() for _ in range(len(self._inbox))]
        early = [word for word in self._heard_words() if not self._hear(word)]
        self._words.extendleft(reversed(early))
        for message in messages:
            self._receive(message, told)
        return told

    def _look(self, told: deque[Told], moment: float) -> None:
        """Every 50 ms: has anybody written to an inbox of ours, and has a time come?"""
        if self._records.changed() or self._fresh:
            self._fresh = False
            rows = self._records.unread(list(self._owned))
            for seq, execution_id, kind, payload in sorted(rows, key=lambda row: row[2] not in URGENT):
                work = self._owned[execution_id]
                told.extend(self._acting.heard(Told(work, message_of(kind, payload, execution_id), done=(seq,))))
            for work in self._owned.values():
                if work.live.state == "QUEUED":
                    told.append(Told(work, SlotFree()))
        told.extend(self._acting.due(self._owned))
        if moment >= self._next_beat:
            self._next_beat = moment + BEAT_SECONDS
            self._records.beat(self._id)

    def _receive(self, message: Up | Told | None, told: deque[Told]) -> None:
        if isinstance(message, TaskResult):
            found = self._attempt(message.attempt_id)
            if found:
                told.append(found[0].ended(found[1], message))
        elif isinstance(message, EvaluationResult):
            told.extend(self._acting.answered(message, self._owned))
        elif isinstance(message, Question):
            self._questions.append(message)
        elif isinstance(message, (MemberStarted, MemberEnded)):
            self._member(message, told)
        elif isinstance(message, Told):
            if message.work.live.identity.id in self._owned:
                told.extend(self._acting.heard(message))
        else:
            told.extend(Told(work, KillRequested()) for work in self._owned.values())

    def _member(self, message: MemberStarted | MemberEnded, told: deque[Told]) -> None:
        """One of a group's members began or is over."""
        found = self._attempt(message.attempt_id)
        if found is None:
            return
        work, group = found
        if isinstance(message, MemberStarted):
            told.append(Told(work, MemberBegan(group, message.task_name)))
            return
        result = message.result
        over = MemberIsOver(group, message.task_name, result.state, result.error)
        told.append(Told(work, over, result=result))

    def _attempt(self, attempt_id: str) -> tuple[Work, TaskKey] | None:
        """Whose attempt it is; None for one that is over: its late words are dropped."""
        for work in self._owned.values():
            key = work.live.attempts.get(attempt_id)
            if key is not None:
                return work, key
        return None

    def _heard_words(self) -> Iterator[LogLine | Metric | Progress]:
        """Taken after the messages: what a task said before its result is heard before it."""
        while self._words:
            yield self._words.popleft()

    def _answer(self, question: Question) -> None:
        owner = self._owned.get(question.place.flow_execution_id)
        self._executor.send(self._answers.answer(question, owner.live if owner else None))

    def _hear(self, word: LogLine | Metric | Progress) -> bool:
        """What a running task says; the late words of one that is over are dropped. False when it is too early."""
        found = self._attempt(word.attempt_id)
        if found is None:
            return True
        work, key = found
        if word.task_name:
            key = work.live.member(key, word.task_name)
            if key not in work.live.identities:
                return False
        work.hear(key, word, monotonic())
        return True

    # -- decide

    def _decide(self, told: deque[Told]) -> tuple[list[Unit], list[tuple[Work, Effect]]]:
        units: list[Unit] = []
        effects: list[tuple[Work, Effect]] = []
        while told:
            item = told.popleft()
            work, live, at = item.work, item.work.live, now()
            rows = self._records.past(live.identity.id) if isinstance(item.message, RestartRequested) else ()
            decision = self._children.with_outputs(live, item.message, decide(live.facts(at, rows=rows), item.message))
            unit = self._unit(item, decision, at)
            if decision.guards:  # others can make them untrue: whether they hold is known only by the commit
                if units:
                    self._commit(units)
                    units = []
                if self._guarded(unit):
                    decision = decide(live.facts(at, slot_free=False), item.message)
                    unit = self._unit(item, decision, at)
                    units.append(unit)
            else:
                units.append(unit)
            live.apply(decision, unit.tasks, at)
            effects.extend((work, effect) for effect in decision.effects)
        moment = monotonic()
        for work in self._owned.values():
            if work.logs and moment - work.oldest_log >= LOGS_SECONDS:
                units.append(self._unit(Told(work, Started()), Decision(), now()))
        return units, effects

    def _unit(self, item: Told, decision: Decision, at: int) -> Unit:
        work, message = item.work, item.message
        live = work.live
        named = live.named(decision)
        results, evaluated, outputs = {}, {}, None
        if item.result is not None:
            key = item.result_key(live)
            if key in named:  # else it came too late
                results[key] = item.result
        elif isinstance(message, Evaluated):
            evaluated[message.key] = item.reads
            if message.key.task == ROOT and message.key.purpose == OUTPUTS and not message.error:
                outputs = encode(message.value)
        work.tell_failures(item, decision, named, at)
        logs, metrics = work.logs, work.metrics
        work.logs, work.metrics = [], []
        derived, kept = self._acting.derived(work, decision)
        return Unit(
            live.identity, live.fence, decision, at, named, results, evaluated, logs, metrics, outputs, item.done,
            derived, kept, item.requests,
        )  # fmt: skip

    # -- commit

    def _guarded(self, unit: Unit) -> bool:
        """Commit a unit whose guards others can make untrue; whether there was no free slot for it."""
        refused = self._write([unit])
        return refused is not None

    def _commit(self, units: Sequence[Unit]) -> None:
        refused = self._write(units)
        if refused is not None:
            raise Conflict(f"a decision for the execution {refused.execution_id} was refused", hint=refused.guard)

    def _write(self, units: Sequence[Unit]) -> Refused | None:
        """Commit, and let what was committed be known; the refused unit that can be decided again."""
        lost = {refused.execution_id: refused for refused in self._records.commit(units)}
        for unit in units:
            work = self._owned[unit.execution.id]
            if unit.execution.id not in lost:
                work.committed(unit)
                self._acting.sla.changed(work, unit)
        for execution_id, refused in lost.items():
            if refused.kind == "slot":
                return refused
            del self._owned[execution_id]
            raise Conflict(f"another process has taken over the execution {execution_id}", hint=refused.guard)
        return None
