"""The live table of a run on a terminal. rich is imported only when one is shown."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Any

from core.cli.people import duration, one_line
from core.host.views import Happening, TaskChanged, TaskLogged, TaskProgressed
from core.model.state import ENDED, status_of
from core.sdk.context import LEVELS

_COLOURS = {"completed": "green", "failed": "red", "running": "cyan", "queued": "dim"}


KEPT = 5
"""Rows of one task of a loop that ended well: older ones are folded into one."""


class _Row:
    """One task execution as it stands. began: by the display's clock; took: seconds, once it has ended."""

    def __init__(self, name: str, state: str) -> None:
        self.name = name
        self.state = state
        self.began: float | None = None
        self.took: float | None = None
        self.last = ""


class LiveTable:
    """Tasks with state, duration and last words, drawn in place on standard error while the `with` block runs.

    transient: it vanishes at the end, because the result follows on the same terminal.
    """

    def __init__(self, log_level: str, *, transient: bool) -> None:
        self._transient = transient
        self._levels = LEVELS[LEVELS.index(log_level) :]
        self._rows: dict[str, _Row] = {}
        self._folded: dict[str, int] = {}
        self._ended_well: dict[str, deque[str]] = {}
        self._started: dict[str, int] = {}

    def __enter__(self) -> LiveTable:
        from rich.console import Console  # noqa: PLC0415
        from rich.live import Live  # noqa: PLC0415

        self._console = Console(stderr=True)
        self._live = Live(
            console=self._console, get_renderable=self._table, refresh_per_second=8, transient=self._transient
        )
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def __call__(self, happening: Happening) -> None:
        if isinstance(happening, TaskChanged):
            self._changed(happening)
        elif isinstance(happening, TaskLogged) and happening.level in self._levels:
            self._said(happening.task_name, happening.message)
        elif isinstance(happening, TaskProgressed):
            share = f"{happening.fraction:.0%} " if happening.fraction is not None else ""
            self._said(happening.task_name, share + happening.message)

    def _changed(self, task: TaskChanged) -> None:
        name = task.task_name if task.value is None else f"{task.task_name} [{one_line(task.value, 30)}]"
        row = self._rows.setdefault(task.task_execution_id, _Row(name, task.state))
        row.state = task.state
        if task.state == "RUNNING":
            row.began = self._console.get_time()
            self._started[task.task_execution_id] = task.at
        elif task.state in ENDED and task.task_execution_id in self._started:
            row.took = (task.at - self._started.pop(task.task_execution_id)) / 1_000_000
        row.last = task.error or task.note or row.last
        if task.value is not None and status_of(task.state) == "completed":
            self._fold(task.task_execution_id, task.task_name)

    def _fold(self, task_execution_id: str, task_name: str) -> None:
        """Of a loop's task that ended well many times only the last rows are kept; the others are counted."""
        ended = self._ended_well.setdefault(task_name, deque())
        ended.append(task_execution_id)
        if len(ended) > KEPT:
            self._rows.pop(ended.popleft(), None)
            self._folded[task_name] = self._folded.get(task_name, 0) + 1

    def _said(self, task_name: str, text: str) -> None:
        for row in list(self._rows.values()):
            if row.state not in ENDED and row.name.partition(" [")[0] == task_name:
                row.last = text

    def _table(self) -> Any:
        """The table, as often as it is drawn; another thread may add rows meanwhile."""
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        rows = list(self._rows.values())
        room = max(self._console.height - 4 - len(self._folded), 3)
        shown = rows if len(rows) <= room else _most_telling(rows, room)
        table = Table(box=None, pad_edge=False)
        for title in ("TASK", "STATE", "DURATION", ""):
            table.add_column(title, no_wrap=True, overflow="ellipsis")
        for row in shown:
            seconds = row.took if row.began is None or row.took is not None else self._console.get_time() - row.began
            state = Text(row.state, style=_COLOURS.get(status_of(row.state), ""))
            table.add_row(Text(row.name), state, duration(seconds), Text(one_line(row.last, 200), style="dim"))
        for name, count in list(self._folded.items()):
            table.add_row(Text(f"{name} … {count} more"), Text("ended well", style=_COLOURS["completed"]), "", "")
        if len(shown) < len(rows):
            table.add_row(Text(f"… and {len(rows) - len(shown)} more", style="dim"))
        return table


def _most_telling(rows: list[_Row], room: int) -> list[_Row]:
    """What runs and what failed, then the newest, in the order they began."""
    order = sorted(
        range(len(rows)), key=lambda i: (rows[i].state in ENDED and status_of(rows[i].state) != "failed", -i)
    )
    return [rows[i] for i in sorted(order[:room])]
