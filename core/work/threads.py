"""The executor of `run`: threads of this process, started when they are needed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from core.host.executor import Executor
from core.host.seam import Answer, Down, EvaluationJob, Stop, TaskJob, TaskResult, Up
from core.model.data import evolve
from core.work.attempt import KILLED
from core.work.attempted import attempted
from core.work.context import AttemptContext
from core.work.evaluate import evaluate
from core.work.line import Line
from core.work.timers import CallOff, later
from core.work.tools import Tools

GRACE_SECONDS = 10.0
CLOSE_SECONDS = 2.5
"""How long closing waits for what was stopped: a process has 2 s to end by itself before it is ended by force."""


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
        self._ended = threading.Condition(self._lock)
        self._threads = 0
        self._idle = 0
        self._waiting = 0
        self._queued: dict[str, TaskJob] = {}
        self._running: dict[str, AttemptContext] = {}
        self._left: deque[TaskJob] = deque()
        self._enders = 0
        self._most_enders = workers

    def send(self, message: Down) -> None:
        if isinstance(message, TaskJob) and message.ends:
            self._end_left(message)
        elif isinstance(message, (TaskJob, EvaluationJob)):
            self._submit(message)
        elif isinstance(message, Answer):
            self._line.answer(message)
        elif isinstance(message, Stop):
            self._stop(message)

    def close(self) -> None:
        with self._lock:
            self._queued.clear()
            self._left.clear()
            running = list(self._running)
            threads = self._threads
        for attempt_id in running:
            self._stop(Stop(attempt_id, KILLED))
        self._line.close()
        for _ in range(threads):
            self._jobs.put(None)
        with self._ended:
            self._ended.wait_for(lambda: not self._running, CLOSE_SECONDS)

    # -- threads

    def _submit(self, job: TaskJob | EvaluationJob) -> None:
        with self._lock:
            self._waiting += 1
            if isinstance(job, TaskJob):
                self._queued[job.attempt_id] = job
            self._jobs.put(job)
            self._add_thread()

    def _add_thread(self) -> None:
        """Start another thread when jobs wait for one and there may be more; under the lock."""
        if self._waiting > self._idle and self._threads < self._workers:
            self._threads += 1
            self._idle += 1
            threading.Thread(target=self._work, name="task", daemon=True).start()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            with self._lock:
                self._idle -= 1
                self._waiting -= 1
            if job is None:
                return
            if isinstance(job, EvaluationJob):
                result = evaluate(job, self._tools, self._line)
                with self._lock:
                    self._idle += 1
                self.tell(result)
            elif not self._attempt(job):
                return

    def _attempt(self, job: TaskJob) -> bool:
        """Run a job; False when it was abandoned meanwhile, and another thread has taken this one's place."""
        context = AttemptContext(job, self._tools, self._line)
        with self._lock:
            stopped = self._queued.get(job.attempt_id) is not job  # while it waited
            if not stopped:
                del self._queued[job.attempt_id]
                self._forget(job.attempt_id)
                self._running[job.attempt_id] = context
            else:
                self._idle += 1
        if stopped:
            return True
        result = self._result(job, context)
        with self._lock:
            abandoned = self._running.get(job.attempt_id) is not context
            if not abandoned:
                del self._running[job.attempt_id]
            self._idle += not abandoned  # before it tells: what follows from the result is for this very thread
            if not self._running:
                self._ended.notify_all()
        if not abandoned:
            self.tell(result)
        return not abandoned

    def _result(self, job: TaskJob, context: AttemptContext) -> TaskResult:
        def watch(seconds: float, reason: str) -> CallOff:
            return later(seconds, self._stop, Stop(job.attempt_id, reason))

        return attempted(job, self._tools, context, self._line, self._grace, watch)

    # -- stopping

    def _end_left(self, job: TaskJob) -> None:
        """In threads beside the others: what an engine that died left running does not wait until they are free."""
        with self._lock:
            self._queued[job.attempt_id] = job
            self._left.append(job)
            self._add_ender()

    def _add_ender(self) -> None:
        """Start another thread that ends what is left, as long as there are few; under the lock."""
        if self._left and self._enders < self._most_enders:
            self._enders += 1
            self._workers += 1
            self._threads += 1
            threading.Thread(target=self._end_all_left, name="end", daemon=True).start()

    def _end_all_left(self) -> None:
        while True:
            with self._lock:
                if not self._left:
                    self._enders -= 1
                    self._workers -= 1
                    self._threads -= 1
                    return
                job = self._left.popleft()
            if not self._attempt(job):
                return
            with self._lock:
                self._idle -= 1
                self._add_thread()

    def _stop(self, message: Stop) -> None:
        """Returns at once: what the task does to stop happens in a thread of its own."""
        with self._lock:
            waited = self._queued.pop(message.attempt_id, None)
            context = self._running.get(message.attempt_id)
        if waited is not None and waited.again and message.reason == KILLED:
            self._end_left(evolve(waited, again=False, ends=True))
        elif waited is not None:
            self._tell_end(message)
        if context is None:
            return
        threading.Thread(target=context.stop, args=(message.reason,), name="stop", daemon=True).start()
        later(self._grace, self._abandon, message, context)

    def _abandon(self, message: Stop, context: AttemptContext) -> None:
        with self._lock:
            abandoned = self._running.get(message.attempt_id) is context  # else it has ended, or was begun once more
            if abandoned:
                self._forget(message.attempt_id)
        if abandoned:
            self._tell_end(message)

    def _forget(self, attempt_id: str) -> None:
        """Under the lock: count no more on what runs of an attempt, if anything; another thread takes its place."""
        context = self._running.pop(attempt_id, None)
        if context is None:
            return
        self._threads -= 1
        if context.only_ends:
            self._enders -= 1
            self._workers -= 1
            self._add_ender()
        self._ended.notify_all()
        self._add_thread()

    def _tell_end(self, message: Stop) -> None:
        """The result of a job that did not begin, or did not end in time."""
        state = "KILLED" if message.reason == KILLED else "FAILED"
        now = self._tools.now()
        self.tell(TaskResult(message.attempt_id, state, now, now, error=message.reason))
