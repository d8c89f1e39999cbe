"""Microseconds of an empty job: through threads of this process, and through warm worker processes.

Usage: python tests/benchmarks/executors.py [JOBS]. *One after another*: each job is sent when the result of the one
before has come, in the thread that brought it, as the engine does. *Side by side*: all are sent at once.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from core.app import open_app
from core.host.executor import Executor
from core.host.seam import OutputText, Place, TaskJob, TaskResult, Up
from core.settings import load_settings
from core.work import ProcessExecutor, ThreadExecutor

PLACE = Place("default", "benchmarks", "flow", "execution", "task", "task-execution", "home", "home/task")
WORKERS = 2


def job(number: int) -> TaskJob:
    variables = {
        "flow": {"id": "flow", "namespace": "benchmarks", "revision": 1}, "execution": {"id": "execution"},
        "inputs": {"n": 3}, "labels": {}, "taskrun": {"id": "task-execution", "attemptsCount": 0},
        "outputs": {"before": OutputText('{"value":"seen"}')},
    }  # fmt: skip
    return TaskJob(f"attempt-{number}", 1, PLACE, "debug.Return", {"format": "{{ outputs.before.value }}"}, variables)


class Runs:
    """Sends jobs to an executor and counts what comes back."""

    def __init__(self, make: Callable[[Callable[[Up], None]], Executor]) -> None:
        self._executor = make(self._tell)
        self._done = threading.Event()
        self._left = self._unsent = 0
        self._errors: list[str] = []

    def one_after_another(self, jobs: int) -> float:
        return self._timed(jobs, 1)

    def side_by_side(self, jobs: int) -> float:
        return self._timed(jobs, jobs)

    def close(self) -> None:
        self._executor.close()

    def _timed(self, jobs: int, at_once: int) -> float:
        self._done.clear()
        self._left, self._unsent = jobs, jobs - at_once
        begun = perf_counter()
        for number in range(at_once):
            self._executor.send(job(number))
        if not self._done.wait(60) or self._errors:
            raise SystemExit(self._errors[0] if self._errors else "jobs got no result")
        return (perf_counter() - begun) / jobs * 1e6

    def _tell(self, message: Up) -> None:
        if isinstance(message, TaskResult):
            self._errors += [message.error] if message.error else []
            self._left -= 1
            if self._unsent:
                self._unsent -= 1
                self._executor.send(job(self._unsent))
            if not self._left:
                self._done.set()


def main(jobs: int) -> None:
    with tempfile.TemporaryDirectory() as home, open_app(load_settings(home=Path(home))) as app:
        both = {
            "threads": Runs(lambda tell: ThreadExecutor(tell, app.tools(), WORKERS)),
            "processes": Runs(lambda tell: ProcessExecutor(tell, app.worker_tools(), WORKERS)),
        }
        for runs in both.values():
            runs.one_after_another(100)
            runs.side_by_side(100)
        for name, runs in both.items():
            after = statistics.median(runs.one_after_another(jobs) for _ in range(5))
            beside = statistics.median(runs.side_by_side(jobs) for _ in range(5))
            print(f"{name:9}  {after:5.0f} µs one after another, {beside:5.0f} µs side by side")
            runs.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
