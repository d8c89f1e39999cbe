"""What is told while an execution runs: a line per change, or a live table on a terminal."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from core.cli.live import LiveTable
from core.cli.output import Output
from core.cli.people import duration, one_line, wall_clock
from core.host.views import ExecutionChanged, Happening, TaskChanged, TaskLogged, TaskProgressed
from core.model.state import ENDED
from core.sdk.context import LEVELS


class Follower(Protocol):
    """Called for everything that happens, from the thread that runs the execution."""

    def __call__(self, happening: Happening) -> None: ...


def follower(out: Output, log_level: str) -> AbstractContextManager[Follower | None]:
    """The follower that fits where standard error goes to; none with --quiet."""
    if out.quiet:
        return nullcontext(None)
    return LiveTable(log_level, transient=out.on_terminal) if out.live else nullcontext(Lines(out, log_level))


class Lines:
    """One plain line per change of a task, per log line and per new progress."""

    def __init__(self, out: Output, log_level: str) -> None:
        self._out = out
        self._levels = LEVELS[LEVELS.index(log_level) :]
        self._running: dict[str, int] = {}
        self._progress: dict[str, str] = {}
        self._errors: dict[str, str] = {}

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
        elif isinstance(happening, ExecutionChanged) and happening.state in ENDED and happening.error:
            self._out.note(f"{wall_clock(happening.at)} {happening.state} {one_line(happening.error, 300)}")

    def _changed(self, task: TaskChanged) -> None:
        value = f" [{one_line(task.value, 40)}]" if task.value is not None else ""
        line = f"{wall_clock(task.at)} {task.task_name}{value} {task.state}"
        if task.state == "RUNNING":
            self._running[task.task_execution_id] = task.at
        elif task.state in ENDED:
            began = self._running.pop(task.task_execution_id, None)
            line += f" {duration((task.at - began) / 1_000_000)}" if began is not None else ""
        self._out.note(line)
        if task.error and task.error != self._errors.pop(task.task_name, ""):  # else its own last line said it
            self._out.note(f"  {one_line(task.error, 300)}")

    def _progressed(self, task: TaskProgressed) -> None:
        share = f"{task.fraction:.0%} " if task.fraction is not None else ""
        text = f"{task.task_name} {share}{task.message}".rstrip()
        if self._progress.get(task.task_name) != text:
            self._progress[task.task_name] = text
            self._out.note(f"         {text}")
