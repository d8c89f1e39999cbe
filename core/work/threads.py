"""The executor of `run`: threads of this process, started when they are needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from core.errors import TailraceError
from core.host.executor import Executor
from core.host.seam import Answer, Down, EvaluationJob, Stop, TaskJob, TaskResult, Up
from core.work.attempt import KILLED, Attempt, rejected
from core.work.context import AttemptContext
from core.work.evaluate import evaluate
from core.work.line import Line
from core.work.tools import Tools

GRACE_SECONDS = 10.0


class ThreadExecutor(Executor):
    """At most `workers` jobs at once; the others wait in order.

    A thread can't be killed: it is asked to stop, and after a grace period its attempt ends without it, its late
    result refused by the engine.
    """

    def __init__(self, tell: Callable[[Up], None], tools: Tools, workers: int, grace: float = GRACE_SECONDS) -> None:
        super().__init__(tell)
        self._tools = tools
        self._line = Line(tell)
        self._workers = workers
        self._grace = grace
        self._jobs: SimpleQueue[TaskJob | EvaluationJob | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self._waiting = 0
        self._running: dict[str, AttemptContext] = {}
        self._stopped: dict[str, str] = {}

    def send(self, message: Down) -> None:
        if isinstance(message, (TaskJob, EvaluationJob)):
            self._submit(message)
        elif isinstance(message, Answer):
            self._line.answer(message)
        elif isinstance(message, Stop):
            self._stop(message)

    def close(self) -> None:
        for attempt_id in list(self._running):
            self._stop(Stop(attempt_id, KILLED))
        self._line.close()
        for _ in range(self._threads):
            self._jobs.put(None)

    def _submit(self, job: TaskJob | EvaluationJob) -> None:
        with self._lock:
            self._waiting += 1
            another = self._waiting > self._idle and self._threads < self._workers
            self._threads += another
        self._jobs.put(job)
        if another:
            threading.Thread(target=self._work, name="task", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            job = self._jobs.get()
            with self._lock:
                self._idle -= 1
                self._waiting -= 1
            if job is None:
                return
            if isinstance(job, EvaluationJob):
                self.tell(evaluate(job, self._tools, self._line))
            else:
                self._attempt(job)

    def _attempt(self, job: TaskJob) -> None:
        context = AttemptContext(job, self._tools, self._line)
        attempt = Attempt(job, self._tools, context)
        with self._lock:
            self._running[job.attempt_id] = context
            reason = self._stopped.pop(job.attempt_id, None)
        if reason:
            context.stop(reason)
        timer = self._timer(job, attempt)
        if not isinstance(timer, TaskResult):
            result = rejected(job, self._tools, "KILLED", reason) if reason else attempt.run()
        else:
            result = timer
        if isinstance(timer, threading.Timer):
            timer.cancel()
        with self._lock:
            told = self._running.pop(job.attempt_id, None) is None
        if not told:
            self.tell(result)

    def _timer(self, job: TaskJob, attempt: Attempt) -> threading.Timer | TaskResult | None:
        """Started when the job has a time limit; a result when the limit itself is wrong."""
        try:
            seconds = attempt.timeout()
        except TailraceError as error:
            attempt.context.log.error(str(error))
            return rejected(job, self._tools, "FAILED", str(error))
        if seconds is None:
            return None
        reason = f"Timeout: the task took longer than {seconds:g} s"
        timer = threading.Timer(seconds, self._stop, (Stop(job.attempt_id, reason),))
        timer.daemon = True
        timer.start()
        return timer

    def _stop(self, message: Stop) -> None:
        with self._lock:
            context = self._running.get(message.attempt_id)
            if context is None:
                self._stopped[message.attempt_id] = message.reason
                return
        context.stop(message.reason)
        timer = threading.Timer(self._grace, self._abandon, (message,))
        timer.daemon = True
        timer.start()

    def _abandon(self, message: Stop) -> None:
        with self._lock:
            abandoned = self._running.pop(message.attempt_id, None) is not None
        if abandoned:
            state = "KILLED" if message.reason == KILLED else "FAILED"
            now = self._tools.now()
            self.tell(TaskResult(message.attempt_id, state, now, now, error=message.reason))
