"""What is told while an execution runs: a line per change, or a live table on a terminal."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from core.cli.live import LiveTable
from core.cli.output import Output
from core.cli.people import duration, one_line, wall_clock
from core.host.views import ExecutionChanged, Happening, TaskChanged, TaskLogged, TaskProgressed
from core.model.state import ENDED, status_of
from core.sdk.context import LEVELS

TOLD = 20
"""Executions of one task of a loop that are told one by one."""
PAUSE = 2_000_000
"""Microseconds between two lines that only count."""


class _Count:
    """Executions of one task of a loop: the ids of those that are told, and how many have ended well."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.told: set[str] = set()
        self.ended = 0
        self.last = 0


class Follower(Protocol):
    """Called for everything that happens, from the thread that runs the execution."""

    def __call__(self, happening: Happening) -> None: ...


def follower(out: Output, log_level: str) -> AbstractContextManager[Follower | None]:
    """The follower that fits where standard error goes to; none with --quiet."""
    if out.quiet:
        return nullcontext(None)
    return LiveTable(log_level, transient=out.on_terminal) if out.live else nullcontext(Lines(out, log_level))


class Lines:
    """One plain line per change of a task, per log line and per new progress.

    Of a task that runs many times the first executions are told, and what fails; of the others only how many there
    are, now and then.
    """

    def __init__(self, out: Output, log_level: str) -> None:
        self._out = out
        self._levels = LEVELS[LEVELS.index(log_level) :]
        self._running: dict[str, int] = {}
        self._progress: dict[str, str] = {}
        self._errors: dict[str, str] = {}
        self._counts: dict[str, _Count] = {}

    def __call__(self, happening: Happening) -> None:
        if isinstance(happening, TaskChanged):
            self._changed(happening)
        elif isinstance(happening, TaskLogged):
            if happening.level in self._levels:
                if happening.level == "ERROR":
                    self._errors[happening.task_name] = happening.message
                for line in happening.message.splitlines() or [""]:
                    self._out.note(f"{wall_clock(happening.at)} {happening.task_name} {happening.level} {line}")
        elif isinstance(happening, TaskProgressed):
            self._progressed(happening)
        elif isinstance(happening, ExecutionChanged):
            for name, count in self._counts.items():
                self._tell_count(name, count, happening.at)
            if happening.state == "QUEUED":
                self._out.note(f"{wall_clock(happening.at)} QUEUED until the flow's concurrency limit has room")
            elif happening.state in ENDED and happening.error:
                self._out.note(f"{wall_clock(happening.at)} {happening.state} {one_line(happening.error, 300)}")

    def _changed(self, task: TaskChanged) -> None:
        value = f" [{one_line(task.value, 40)}]" if task.value is not None else ""
        line = f"{wall_clock(task.at)} {task.task_name}{value} {task.state}"
        if task.state == "RUNNING":
            self._running[task.task_execution_id] = task.at
        elif task.state in ENDED:
            began = self._running.pop(task.task_execution_id, None)
            line += f" {duration((task.at - began) / 1_000_000)}" if began is not None else ""
        if self._counted(task):
            return
        self._out.note(line)
        if task.error and task.error != self._errors.pop(task.task_name, ""):  # else its own last line said it
            self._out.note(f"  {one_line(task.error, 300)}")

    def _counted(self, task: TaskChanged) -> bool:
        """Whether a change is only counted: of a loop's task that has run many times, and nothing went wrong."""
        if task.value is None or status_of(task.state) == "failed":
            return False
        count = self._counts.setdefault(task.task_name, _Count(task.at))
        seen = task.task_execution_id in count.told
        if not seen and len(count.told) < TOLD:
            count.told.add(task.task_execution_id)
            seen = True
        if task.state in ENDED:
            count.ended += 1
        if not seen and task.at - count.at >= PAUSE:
            self._tell_count(task.task_name, count, task.at)
        return not seen

    def _tell_count(self, name: str, count: _Count, at: int) -> None:
        if count.ended > max(count.last, TOLD):
            count.at, count.last = at, count.ended
            self._out.note(f"{wall_clock(at)} {name} … {count.ended} ended")

    def _progressed(self, task: TaskProgressed) -> None:
        share = f"{task.fraction:.0%} " if task.fraction is not None else ""
        text = f"{task.task_name} {share}{task.message}".rstrip()
        if self._progress.get(task.task_name) != text:
            self._progress[task.task_name] = text
            self._out.note(f"         {text}")
