"""The loop: drain messages, decide each, commit once, and only then act."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from queue import Empty, SimpleQueue
from threading import Lock
from typing import NamedTuple

from core.engine.answers import Answers
from core.engine.clock import monotonic, now
from core.engine.live import LiveExecution
from core.engine.needs import needs_of
from core.engine.results import typed_outputs
from core.engine.stories import happenings
from core.errors import Conflict
from core.host.executor import Executor
from core.host.records import RecordStore, TaskIdentity, Unit
from core.host.seam import (
    EvaluationJob,
    EvaluationResult,
    LogLine,
    Metric,
    OutputReference,
    OutputText,
    Progress,
    Question,
    Read,
    Stop,
    TaskJob,
    TaskResult,
    Up,
)  # fmt: skip
from core.host.views import Happening, TaskLogged, TaskProgressed
from core.model.codec import encode
from core.model.decisions import Decision, Effect, Evaluate, RunTask, StopTask
from core.model.flow import Flow
from core.model.messages import (
    ROOT,
    Evaluated,
    EvaluationKey,
    KillRequested,
    Message,
    Started,
    TaskEnded,
    TaskKey,
)  # fmt: skip
from core.model.state import ENDED
from core.planner import decide

LOOK_SECONDS = 0.05
LOGS_SECONDS = 0.1
BEAT_SECONDS = 5.0
KILLED = "the execution was killed"
_FROM_INBOX: dict[str, Callable[[], Message]] = {"start": Started, "kill": KillRequested}


class _Work:
    """One execution in hand: its facts, and what waits to be written with its next decision."""

    def __init__(self, live: LiveExecution, follow: Callable[[Happening], None]) -> None:
        self.live = live
        self.follow = follow
        self.logs: list[tuple[TaskKey, TaskIdentity | None, LogLine]] = []
        self.metrics: list[tuple[TaskIdentity, Metric]] = []
        self.oldest_log = 0.0


class _Told(NamedTuple):
    """A message for the planner, with what came along."""

    work: _Work
    message: Message
    result: TaskResult | None = None
    reads: tuple[Read, ...] = ()
    done: tuple[int, ...] = ()


class Engine:
    """Works on the executions it owns, one turn of its loop at a time.

    Whoever brings a result leads the next turn, in its own thread, unless another thread is leading: a chain of tasks
    needs no hand-over between threads, which costs more than all the rest of a small task. The thread in `run` leads
    when nobody else does: it looks at inboxes, logs and beats.
    """

    def __init__(
        self,
        engine_id: str,
        records: RecordStore,
        answers: Answers,
        make_executor: Callable[[Callable[[Up], None]], Executor],
    ) -> None:
        self._id = engine_id
        self._records = records
        self._answers = answers
        self._inbox: deque[Up | None] = deque()
        self._leading = Lock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._failure: BaseException | None = None
        self._words: deque[LogLine | Metric | Progress] = deque()
        self._executor = make_executor(self._tell)
        self._owned: dict[str, _Work] = {}
        self._tickets: dict[int, tuple[_Work, EvaluationKey]] = {}
        self._numbers = count(1)
        self._interrupts = 0
        self._fresh = False
        self._next_look = 0.0
        self._next_beat = monotonic() + BEAT_SECONDS

    # -- from outside

    def own(self, execution_id: str, flow: Flow, follow: Callable[[Happening], None]) -> None:
        """Become the owner of an execution. Raises Conflict, NotFound."""
        opened = self._records.claim(execution_id, self._id)
        self._owned[execution_id] = _Work(LiveExecution(opened, flow, self._records), follow)
        self._next_look = 0.0
        self._fresh = True

    def interrupt(self) -> None:
        """Kill what is owned; the second time leave it as it is, to be resumed. Safe in signal handlers."""
        self._interrupts += 1
        self._inbox.append(None)
        self._wake.put(None)

    def run(self) -> None:
        """Work until everything owned has ended, or a second interrupt.

        What is left unfinished keeps this engine as its owner: once the engine is gone, others see it was abandoned.
        """
        try:
            while self._owned and self._interrupts < 2 and not self._failure:
                if self._leading.acquire(blocking=False):
                    self._lead_once()
                if self._owned and not self._inbox:
                    self._sleep()
        finally:
            with self._leading:  # a turn that is going on is not left half way
                self._owned.clear()
        if self._failure:
            raise self._failure

    def _sleep(self) -> None:
        try:
            self._wake.get(timeout=LOOK_SECONDS)
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
            self._perform(work, effect)
        for execution_id in [name for name, work in self._owned.items() if work.live.state in ENDED]:
            work = self._owned.pop(execution_id)
            self._records.release(execution_id, work.live.fence)

    def _drain(self) -> deque[_Told]:
        told: deque[_Told] = deque()
        moment = monotonic()
        if moment >= self._next_look:
            self._next_look = moment + LOOK_SECONDS
            self._look(told, moment)
        messages = [self._inbox.popleft() for _ in range(len(self._inbox))]
        while self._words:  # after the messages were taken: what a task said before its result is heard before it
            self._hear(self._words.popleft())
        for message in messages:
            self._receive(message, told)
        return told

    def _look(self, told: deque[_Told], moment: float) -> None:
        """Every 50 ms: has anybody written to an inbox of ours?"""
        if self._records.changed() or self._fresh:
            self._fresh = False
            rows = self._records.unread(list(self._owned))
            for seq, execution_id, kind, _ in sorted(rows, key=lambda row: row[2] != "kill"):  # it overtakes a start
                if kind not in _FROM_INBOX:
                    raise Conflict(f"the message `{kind}` in the inbox of {execution_id} is of a newer version")
                told.append(_Told(self._owned[execution_id], _FROM_INBOX[kind](), done=(seq,)))
        if moment >= self._next_beat:
            self._next_beat = moment + BEAT_SECONDS
            self._records.beat(self._id)

    def _receive(self, message: Up | None, told: deque[_Told]) -> None:
        if isinstance(message, TaskResult):
            found = self._attempt(message.attempt_id)
            if found:
                work, key = found
                told.append(_Told(work, TaskEnded(key, message.state, message.error), result=message))
        elif isinstance(message, EvaluationResult):
            work, asked = self._tickets.pop(message.ticket)
            if work.live.identity.id in self._owned:  # else it has ended meanwhile
                value, error = typed_outputs(work.live.flow, asked, message)
                told.append(_Told(work, Evaluated(asked, value, error), reads=message.reads))
        elif isinstance(message, Question):
            owner = self._owned.get(message.place.flow_execution_id)
            self._executor.send(self._answers.answer(message, owner.live if owner else None))
        else:
            told.extend(_Told(work, KillRequested()) for work in self._owned.values())

    def _attempt(self, attempt_id: str) -> tuple[_Work, TaskKey] | None:
        """Whose attempt it is; None for one that is over: its late words are dropped."""
        for work in self._owned.values():
            key = work.live.attempts.get(attempt_id)
            if key is not None:
                return work, key
        return None

    def _hear(self, word: LogLine | Metric | Progress) -> None:
        """What a running task says; the late words of one that is over are dropped."""
        found = self._attempt(word.attempt_id)
        if found is None:
            return
        work, key = found
        execution_id = work.live.identity.id
        if isinstance(word, Metric):
            work.metrics.append((work.live.identities[key], word))
        elif isinstance(word, Progress):
            work.follow(TaskProgressed(execution_id, key.task_id, word.message, word.fraction))
        else:
            if not work.logs:
                work.oldest_log = monotonic()
            work.logs.append((key, work.live.identities[key], word))
            work.follow(TaskLogged(execution_id, key.task_id, word.at, word.level, word.message))

    # -- decide

    def _decide(self, told: deque[_Told]) -> tuple[list[Unit], list[tuple[_Work, Effect]]]:
        units: list[Unit] = []
        effects: list[tuple[_Work, Effect]] = []
        while told:
            item = told.popleft()
            live = item.work.live
            decision = decide(live.facts(), item.message)
            unit = self._unit(item, decision)
            live.apply(decision, unit.tasks)
            units.append(unit)
            for effect in decision.effects:
                effects.append((item.work, effect))
        moment = monotonic()
        for work in self._owned.values():
            if work.logs and moment - work.oldest_log >= LOGS_SECONDS:
                units.append(self._unit(_Told(work, Started()), Decision()))
        return units, effects

    def _unit(self, item: _Told, decision: Decision) -> Unit:
        work, message = item.work, item.message
        named = work.live.named(decision)
        results, evaluated, outputs = {}, {}, None
        if isinstance(message, TaskEnded) and item.result and message.key in named:  # else it came too late
            results[message.key] = item.result
        elif isinstance(message, Evaluated):
            evaluated[message.key] = item.reads
            if message.key.task == ROOT and not message.error:
                outputs = encode(message.value)
        logs, metrics = work.logs, work.metrics
        work.logs, work.metrics = [], []
        return Unit(
            work.live.identity, work.live.fence, decision, now(), named, results, evaluated, logs,
            metrics, outputs, item.done,
        )  # fmt: skip

    # -- commit

    def _commit(self, units: Sequence[Unit]) -> None:
        lost = {refused.execution_id: refused.guard for refused in self._records.commit(units)}
        for unit in units:
            work = self._owned[unit.execution.id]
            if unit.execution.id in lost:
                continue
            for key, result in unit.results.items():
                work.live.remember(key, _shipped(result))
            for happening in happenings(unit):
                work.follow(happening)
        for execution_id in lost:
            del self._owned[execution_id]
            raise Conflict(f"another process has taken over the execution {execution_id}", hint=lost[execution_id])

    # -- act

    def _perform(self, work: _Work, effect: Effect) -> None:
        live = work.live
        if isinstance(effect, RunTask):
            step, identity = live.steps[effect.key.task_id], live.identities[effect.key]
            self._executor.send(TaskJob(
                identity.attempt_id, identity.attempt, live.place(effect.key), step.type, step.properties,
                live.variables(effect.key, live.needs(step)), step.timeout, step.log_level,
            ))  # fmt: skip
        elif isinstance(effect, Evaluate):
            ticket = next(self._numbers)
            self._tickets[ticket] = (work, effect.key)
            needs = needs_of(effect.template)
            place, variables = live.place(effect.key.task), live.variables(effect.key.task, needs)
            self._executor.send(EvaluationJob(ticket, place, effect.template, variables, effect.typed))
        elif isinstance(effect, StopTask):
            self._executor.send(Stop(live.identities[effect.key].attempt_id, KILLED))
        else:
            raise Conflict(f"{type(effect).__name__} can't be done by this version")


def _shipped(result: TaskResult) -> OutputText | OutputReference | None:
    if result.output is not None:
        return OutputText(result.output)
    return OutputReference(result.output_uri, result.size or 0) if result.output_uri else None
