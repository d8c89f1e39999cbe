"""The executor of servers: worker processes that can be killed, started when they are needed and kept warm."""

from __future__ import annotations

import itertools
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from importlib import import_module
from typing import Any

from core.errors import TailraceError, Unreachable
from core.host.executor import Executor
from core.host.seam import (
    Answer,
    Down,
    EvaluationJob,
    EvaluationResult,
    LogLine,
    Question,
    Stop,
    TaskJob,
    TaskResult,
    Up,
)  # fmt: skip
from core.model.data import evolve
from core.work.attempt import KILLED
from core.work.endings import why_it_died
from core.work.left import remove_directories
from core.work.timers import later
from core.work.wire import Limit, LimitOff, Ready, SecretUsed, pack, unpack
from core.work.worker import Work, Worker
from core.work.worker_tools import WorkerTools

__all__ = ["ProcessExecutor", "WorkerTools"]

GRACE_SECONDS = 2.5
"""A script has 2 s to end by itself before its runner ends it by force: what lasts longer does not listen."""
_END_SECONDS = 5.0


class ProcessExecutor(Executor):
    """At most `workers` tasks at once, each in a process of its own; the others wait in order.

    A process does one job after another. One that is to stop and has not after the grace is killed with all that it has
    started; one that dies fails its own job and no other. What it had started elsewhere is then ended by another one.
    Evaluations, then jobs that only end something, go before tasks, and each have one more process when all are busy:
    no decision and no end waits for a long task.

    description: what the workers build their tools from. grace: seconds. Raises Unreachable on systems without process
    groups, descriptors to pass on and `fork` (Windows).
    """

    def __init__(
        self, tell: Callable[[Up], None], description: WorkerTools, workers: int, grace: float = GRACE_SECONDS
    ) -> None:
        if os.name != "posix":
            raise Unreachable(
                "worker processes need a POSIX system", expected="Linux, macOS or a BSD",
                hint="let tasks run in threads here",
            )  # fmt: skip
        super().__init__(tell)
        self._description = description
        self._most = workers
        self._grace = grace
        self._now: Callable[[], int] = import_module(description.clock).now
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._tasks: OrderedDict[str, Work] = OrderedDict()
        self._evaluations: deque[Work] = deque()
        self._left: deque[Work] = deque()
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []
        self._running: dict[str, Worker] = {}
        self._numbers = itertools.count(1)
        self._asked: dict[int, tuple[Worker, int]] = {}
        self._closed = False

    def send(self, message: Down) -> None:
        if isinstance(message, (TaskJob, EvaluationJob)):
            self._submit(message)
        elif isinstance(message, Answer):
            self._answer(message)
        elif isinstance(message, Stop):
            self._stop(message)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._tasks.clear()
            self._evaluations.clear()
            self._left.clear()
            running, asked = list(self._running), list(self._asked)
        for attempt_id in running:
            self._stop(Stop(attempt_id, KILLED))
        for number in asked:
            self._answer(Answer(number, error="the engine is closing"))
        with self._changed:
            self._changed.wait_for(lambda: not self._running, self._grace + 0.5)
            workers = list(self._workers)
        for worker in workers:
            worker.kill()
        for worker in workers:
            if worker.thread is not None and worker.thread is not threading.current_thread():
                worker.thread.join(_END_SECONDS)

    # -- jobs

    def _submit(self, job: TaskJob | EvaluationJob) -> None:
        if isinstance(job, TaskJob):
            work = Work(job.attempt_id, 0, b"", job.again, job.ends)
        else:
            work = Work("", job.ticket, b"")
        try:
            work = work._replace(text=pack(job))
        except TailraceError as error:
            self._tell_end(work, self._now(), "FAILED", str(error))
            return
        self._line_up(work)

    def _line_up(self, work: Work) -> None:
        with self._lock:
            if self._closed:
                return
            if not work.attempt_id:
                self._evaluations.append(work)
            elif work.ends:
                self._left.append(work)
            else:
                self._tasks[work.attempt_id] = work
        self._begin()

    def _begin(self) -> None:
        """Give jobs that wait to processes that are free, or to new ones."""
        while True:
            with self._lock:
                worker = self._free()
                work = self._next() if worker is not None else None
                if worker is None or work is None:
                    return
                self._assign(worker, work)
                if worker.thread is None:
                    self._workers.add(worker)
                    worker.thread = threading.Thread(target=self._lead, args=(worker,), name="worker", daemon=True)
                    worker.thread.start()
                else:
                    self._idle.remove(worker)

    def _free(self) -> Worker | None:
        if self._idle:
            return self._idle[-1]
        ends = bool(self._left) or any(worker.work is not None and worker.work.ends for worker in self._workers)
        more = self._most + bool(self._evaluations) + ends
        return Worker() if len(self._workers) < more and not self._closed else None

    def _next(self) -> Work | None:
        if self._evaluations:
            return self._evaluations.popleft()
        if self._left:
            return self._left.popleft()
        if self._tasks and len(self._running) < self._most:
            return self._tasks.popitem(last=False)[1]
        return None

    def _assign(self, worker: Worker, work: Work) -> None:
        """Sends it under the lock, so that no stop comes before it; a worker takes what is sent without waiting."""
        worker.work, worker.since = work, self._now()
        worker.send(work.text)
        if work.attempt_id:
            self._running[work.attempt_id] = worker

    def _release(self, worker: Worker) -> Work | None:
        """Its job is over."""
        work, worker.work = worker.work, None
        if work is not None and self._running.get(work.attempt_id) is worker:  # else it was begun once more elsewhere
            del self._running[work.attempt_id]
        for call_off in worker.limits.values():
            call_off()
        worker.limits.clear()
        self._changed.notify_all()
        return work

    # -- what comes up

    def _lead(self, worker: Worker) -> None:
        """Start a process, and listen to it until it ends."""
        try:
            worker.start(self._description, self._grace)
        except OSError as error:
            worker.refused = str(Unreachable(f"no process can be started for the task: {error.strerror or error}"))
        else:
            for message in worker.messages():
                self._hear(worker, message)
        self._bury(worker)

    def _hear(self, worker: Worker, message: Any) -> None:
        if isinstance(message, (TaskResult, EvaluationResult)):
            self._over(worker, message)
        elif isinstance(message, Question):
            self._ask(worker, message)
        elif isinstance(message, Limit):
            self._limit(worker, message)
        elif isinstance(message, LimitOff):
            with self._lock:
                call_off = worker.limits.pop(message.number, None)
            if call_off is not None:
                call_off()
        elif isinstance(message, SecretUsed):
            worker.used(message)
        elif isinstance(message, Ready):
            worker.refused = message.error
        else:
            self.tell(message)

    def _over(self, worker: Worker, result: TaskResult | EvaluationResult) -> None:
        """The process has its next job, or is free, before its result is told: what follows may be for this one."""
        with self._lock:
            done = self._release(worker)
            work = None if worker.forced else self._next()
            if work is not None:
                self._assign(worker, work)
            elif not worker.forced:
                self._idle.append(worker)
        self.tell((done and done.then) or result)

    def _ask(self, worker: Worker, question: Question) -> None:
        """Each process counts its questions from one: here they get numbers that are unique."""
        with self._lock:
            number = next(self._numbers)
            self._asked[number] = (worker, question.question_id)
            closed = self._closed
        if closed:
            self._answer(Answer(number, error="the engine is closing"))
        else:
            self.tell(evolve(question, question_id=number))

    def _answer(self, answer: Answer) -> None:
        with self._lock:
            worker, number = self._asked.pop(answer.question_id, (None, 0))
        if worker is None:
            return
        try:
            text = pack(evolve(answer, question_id=number))
        except TailraceError as error:
            text = pack(Answer(number, error=str(error)))
        worker.send(text)

    # -- stopping

    def _limit(self, worker: Worker, limit: Limit) -> None:
        stop = Stop(limit.attempt_id, limit.reason)
        call_off = later(limit.seconds, self._stop, stop)
        with self._lock:
            worker.limits[limit.number] = call_off

    def _stop(self, message: Stop) -> None:
        with self._lock:
            waited = self._tasks.pop(message.attempt_id, None)
            worker = self._running.get(message.attempt_id)
            work = worker.work if worker is not None else None
        if waited is not None and waited.again and message.reason == KILLED:
            self._line_up(_that_ends(waited))
        elif waited is not None:
            self._tell_end(waited, self._now(), _state(message.reason), message.reason)
        if worker is None or work is None:
            return
        worker.send(pack(message))
        later(self._grace, self._force, worker, work, message.reason)

    def _force(self, worker: Worker, work: Work, reason: str) -> None:
        with self._lock:
            if worker.work is not work or worker.forced:
                return
            worker.forced = reason
        worker.kill()

    def _bury(self, worker: Worker) -> None:
        """The process has ended: its job has not, unless it had none."""
        ending = worker.ended()
        with self._lock:
            work = self._release(worker)
            self._workers.discard(worker)
            if worker in self._idle:
                self._idle.remove(worker)
            for number in [number for number, (asking, _) in self._asked.items() if asking is worker]:
                del self._asked[number]
        if work is not None:
            if work.attempt_id:
                remove_directories(self._description.scratch, work.attempt_id)
            reason = worker.forced or worker.refused
            if not reason:
                reason = why_it_died(ending, worker.secrets, self._description, evaluation=not work.attempt_id)
            if work.attempt_id and not worker.forced:
                self.tell(LogLine(work.attempt_id, self._now(), "ERROR", reason))
            if worker.refused or work.ends or not work.attempt_id or self._closed:
                self._tell_end(work, worker.since, _state(reason), reason)
            else:  # what it had started elsewhere, a container, has not ended with it
                result = TaskResult(work.attempt_id, _state(reason), worker.since, self._now(), error=reason)
                self._line_up(_that_ends(work)._replace(then=result))
        self._begin()

    def _tell_end(self, work: Work, since: int, state: str, error: str) -> None:
        """The result of a job that did not begin, or did not end by itself."""
        if work.then is not None:
            self.tell(work.then)
        elif work.ends:
            self.tell(TaskResult(work.attempt_id, "KILLED", since, self._now(), error=KILLED))
        elif work.attempt_id:
            self.tell(TaskResult(work.attempt_id, state, since, self._now(), error=error))
        else:
            self.tell(EvaluationResult(work.ticket, error=error))


def _that_ends(work: Work) -> Work:
    """What ends whatever a job has left, in its place."""
    job: TaskJob = unpack(work.text[4:])
    return work._replace(text=pack(evolve(job, again=False, ends=True)), again=False, ends=True)


def _state(reason: str) -> str:
    return "KILLED" if reason == KILLED else "FAILED"
