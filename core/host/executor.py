"""The contract of executors: where task executions run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from core.host.seam import Down, Up


class Executor(ABC):
    """Runs jobs and tells of them. Every job ends in exactly one result, whatever happens to the task.

    tell: called from any thread with what comes up; it never raises. The engine may lead its next turn in that
    thread, and send what follows before it returns: tell of a result when the thread is free for the next job.
    What an attempt says (log lines, metrics) is told before its result. `core.testing.ExecutorContract` asks for this.
    No hook brings one yet: `run` takes threads, an engine that serves worker processes or threads.
    """

    def __init__(self, tell: Callable[[Up], None]) -> None:
        self.tell = tell

    @abstractmethod
    def send(self, message: Down) -> None:
        """Hand down a job, a stop or an answer; returns at once. Called from any thread.

        More jobs than can run at once wait, in order; evaluations, and jobs that only end what is left (`ends`), should
        not wait for tasks. A stop ends a job that waits, too: one that may have been begun before (`again`) by way of a
        job that ends what is left. Of an attempt that is over, or unknown, it does nothing.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop what still runs, and give all threads and processes back; nobody waits for results any more."""
