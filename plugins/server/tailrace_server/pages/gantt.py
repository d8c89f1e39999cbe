"""`/executions/{id}/gantt`: tasks and their attempts on a time axis; a loop is one row until it is unfolded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve, field, frozen

from core.host.overviews import TaskOutline
from core.host.services import Services
from core.host.views import OutputFilter, TaskExecutionView
from tailrace_server.asked import Asked, Parameter
from tailrace_server.pages.execution import Head, head
from tailrace_server.pages.overview import TaskRow, named, rows_of
from tailrace_server.pages.paged import Shown, page
from tailrace_server.people import duration, href, plural

ROWS = 300
"""Tasks on a page."""
UNFOLDED = 50
"""Task executions that are shown of one that ran more often."""
ATTEMPTS = 100
"""The last ones of a task execution."""
TICKS = 8
SECOND = 1_000_000
STEPS = tuple(
    [base * 10**power for power in range(6) for base in (1_000, 2_000, 5_000) if base * 10**power < 60 * SECOND]
    + [minutes * 60 * SECOND for minutes in (1, 2, 5, 10, 30, 60, 120, 360, 720, 1440)]
)
"""Distances between marks of the axis, in microseconds."""
ASKS = (
    Parameter("task_name", "The task that is unfolded."),
    Parameter("failed", "Only the failed ones of it.", "flag", default=False),
    Parameter("page", "Which hundreds of tasks.", "whole", least=1, most=10_000, default=1),
)


@frozen
class Bar:
    """A piece of a row. left, width: in percent of the axis. open: it has not ended. state "": it waits to begin."""

    left: float
    width: float
    state: str
    title: str
    open: bool = False


@frozen
class Row:
    """A task, or one of its executions. unfold: the address that shows each of them, or folds them again."""

    name: str
    task: str
    depth: int
    state: str
    seconds: float | None
    open: bool
    bars: tuple[Bar, ...]
    count: str = ""
    unfold: str = ""
    unfolded: bool = False
    view: TaskExecutionView | None = None
    note: str = ""


@frozen
class Axis:
    """The time from `start` to `end`, in microseconds since 1970 UTC."""

    start: int
    end: int
    marks: tuple[tuple[float, str], ...] = field(default=())

    def at(self, moment: int) -> float:
        """Where a moment lies, in percent."""
        return round(100 * (min(max(moment, self.start), self.end) - self.start) / (self.end - self.start), 3)

    def bar(self, begun: int, ended: int | None, state: str, title: str) -> Bar:
        """From one moment to another; what has not ended lasts until now."""
        left, right = self.at(begun), self.at(self.end if ended is None else ended)
        width = max(right - left, 0.15)
        return Bar(min(left, 100 - width), round(width, 3), state, title, ended is None)


@page("/executions/{id:str}/gantt", asks=ASKS)
def gantt(id: str, services: Services, asked: Asked) -> Shown:
    """The chart, as a table whose cells hold the bars."""
    top = head(services, id)
    tasks = rows_of(services.executions.outline(top.id), top.now)
    first = (asked["page"] - 1) * ROWS
    shown, axis = tasks[first : first + ROWS], axis_of(top, [row.outline for row in tasks])
    single = _views(services, top, [row.outline.task_name for row in shown if row.outline.count == 1])
    rows: list[Row] = []
    for row in shown:
        name = row.outline.task_name
        if row.outline.count == 1 and name in single:
            rows.append(evolve(_of_view(single[name], axis), name=name, depth=row.depth))
            continue
        open_ = name == asked["task_name"]
        rows.append(_folded(top, row, axis, open_))
        rows += _unfolded(services, top, row, axis, asked["failed"]) if open_ else ()
    return Shown("execution_gantt.html", {
        "head": top, "here": "Gantt", "rows": rows, "axis": axis, "failed": asked["failed"],
        "all_tasks": len(tasks), "first": first, "last": min(first + ROWS, len(tasks)),
        "newer": href(f"{top.url}/gantt", page=asked["page"] - 1) if first else None,
        "older": href(f"{top.url}/gantt", page=asked["page"] + 1) if first + ROWS < len(tasks) else None,
    })  # fmt: skip


def axis_of(top: Head, outlines: Sequence[TaskOutline]) -> Axis:
    """From the beginning of the execution to its end, or to now."""
    start = top.view.created_at
    ends = [one.ended_at for one in outlines if one.ended_at is not None]
    end = max([*ends, top.view.ended_at or top.now, start + 1_000])
    step = next((step for step in STEPS if (end - start) / step <= TICKS), STEPS[-1])
    while (end - start) / step > TICKS:
        step *= 2
    axis = Axis(start, end)
    marks = tuple((axis.at(start + one), duration(one / SECOND)) for one in range(0, end - start, step))
    return evolve(axis, marks=marks)


def _views(services: Services, top: Head, names: Sequence[str]) -> Mapping[str, TaskExecutionView]:
    if not names:
        return {}
    which = OutputFilter(flow_execution_id=(top.id,), task_name=tuple(names), limit=len(names))
    return {view.task_name: view for view in services.outputs.list(which).data}


def _folded(top: Head, row: TaskRow, axis: Axis, unfolded: bool) -> Row:
    one = row.outline
    counts = ", ".join(f"{number:,} {state.lower()}" for state, number in sorted(one.states.items()))
    begun = one.started_at if one.started_at is not None else one.created_at
    bar = axis.bar(begun, one.ended_at, row.state, f"{one.count:,} times: {counts}")
    url = f"{top.url}/gantt"
    return Row(
        one.task_name, one.task_name, row.depth, row.state, row.seconds, row.open, (bar,),
        count=plural(one.count, "time"), unfold=url if unfolded else href(url, task_name=one.task_name),
        unfolded=unfolded, note=counts,
    )  # fmt: skip


def _unfolded(services: Services, top: Head, row: TaskRow, axis: Axis, failed: bool) -> Iterator[Row]:
    """Those that failed, then the newest others, in the order they began."""
    of = OutputFilter(flow_execution_id=(top.id,), task_name=(row.outline.task_name,), limit=UNFOLDED)
    found = {view.id: view for view in services.outputs.list(evolve_filter(of, ("FAILED", "KILLED"))).data}
    if not failed and len(found) < UNFOLDED:
        for view in services.outputs.list(of).data:
            if len(found) < UNFOLDED:
                found.setdefault(view.id, view)
    for view in sorted(found.values(), key=lambda view: (view.created_at, view.id)):
        yield evolve(_of_view(view, axis), depth=row.depth + 1)


def evolve_filter(which: OutputFilter, states: tuple[str, ...]) -> OutputFilter:
    """The same filter, for these states only."""
    return OutputFilter(**{**vars(which), "state": states})


def _of_view(view: TaskExecutionView, axis: Axis) -> Row:
    """A task execution with its attempts; a group without any is one bar."""
    bars = [
        axis.bar(one.started_at, one.ended_at, one.state,
                 _told(f"attempt {one.n}", one.state, one.started_at, one.ended_at))
        for one in view.attempts[-ATTEMPTS:]
    ]  # fmt: skip
    begun = view.attempts[0].started_at if view.attempts else _running_since(view)
    if begun is not None and begun > view.created_at >= axis.start:
        bars.insert(0, axis.bar(view.created_at, begun, "", _told("waited", "", view.created_at, begun)))
    if not view.attempts and begun is not None:
        bars.append(axis.bar(begun, view.ended_at, view.state, _told("", view.state, begun, view.ended_at)))
    kept = view.copied_from is not None and all(state != "RESTARTED" for state, _ in view.history)
    note = "taken over" if kept else plural(len(view.attempts), "attempt") if len(view.attempts) > 1 else ""
    open_ = view.ended_at is None and begun is not None
    seconds = (axis.end - begun) / SECOND if begun is not None and view.ended_at is None else view.duration
    return Row(named(view), view.task_name, 0, view.state, seconds, open_, tuple(bars), view=view, note=note)


def _running_since(view: TaskExecutionView) -> int | None:
    return next((at for state, at in view.history if state not in ("CREATED", "QUEUED")), None)


def _told(what: str, state: str, begun: int, ended: int | None) -> str:
    took = "" if ended is None else duration((ended - begun) / SECOND)
    return ", ".join(filter(None, (what, state.lower(), took)))


PAGES = (gantt,)
