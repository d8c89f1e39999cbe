"""`/executions/{id}`: what failed and why, what it waits for, what came in and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from core.host.overviews import TaskOutline
from core.host.services import Services
from core.host.views import LogFilter, OutputFilter, Reason, TaskExecutionView
from core.sdk import TailraceError, is_storage_uri
from tailrace_server.drawing.graph import worst
from tailrace_server.pages.execution import Head, head
from tailrace_server.pages.paged import Shown, page
from tailrace_server.people import href
from tailrace_server.showing.trees import scalar
from tailrace_server.showing.values import ShownValue, shown_value

FAILURES, FOUND = 5, 100
"""Failed task executions that are shown, of so many that are looked at."""
LINES, LONGEST = 12, 2_000
"""Log lines of each, characters of a line."""
ERROR, ATTEMPTS, STATES = 20_000, 20, 50
"""Characters of an error, the last attempts of a task, the last states of the execution: so much is shown."""
TASKS = 300
VALUES, FILES = 40, 3
"""Of inputs, of outputs: so many are shown, and so many files are looked into, which may take seconds each."""
EXPLAINED = 2000
"""Task executions of one whose reasons are looked for while it runs: that reads all of them."""
RUNS = ("RUNNING", "RETRYING", "RESTARTED", "KILLING")


@frozen
class Failure:
    """What failed. line: of its task in the source. properties: as they were rendered, of the failed attempt.
    logs: level and message of its last lines."""

    view: TaskExecutionView
    line: int | None
    properties: ShownValue | None
    logs: tuple[tuple[str, str], ...]
    logs_url: str

    @property
    def name(self) -> str:
        """With the values of the loops around it."""
        return named(self.view)

    @property
    def error(self) -> str:
        """As much of it as fits."""
        return shortened(self.view.error, ERROR)


@frozen
class TaskRow:
    """A task in the list of what ran. state: that says most of it."""

    outline: TaskOutline
    state: str
    depth: int
    now: int

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.outline.started_at is not None and self.outline.ended_at is None

    @property
    def seconds(self) -> float | None:
        """From its first begin to its last end, or to now."""
        if self.outline.started_at is None:
            return None
        ended = self.now if self.outline.ended_at is None else self.outline.ended_at
        return max(0, ended - self.outline.started_at) / 1_000_000


@page("/executions/{id:str}", slow=True)
def overview(id: str, services: Services) -> Shown:
    """The first page of an execution."""
    top = head(services, id)
    outlines = services.executions.outline(top.id)
    failures, more = failures_of(services, top)
    return Shown("execution_overview.html", {
        "head": top, "here": "Overview", "failures": failures, "more_failures": more, "attempts": ATTEMPTS,
        "error": shortened(top.view.error, ERROR), "states": top.view.history[-STATES:],
        "reasons": _reasons(services, top, outlines),
        "tasks": rows_of(outlines, top.now)[:TASKS], "all_tasks": len(outlines),
        "inputs": _values(services, top.view.inputs), "outputs": _values(services, top.view.outputs or {}),
        "variables": _values(services, top.view.variables or {}),
        "trigger": _values(services, top.view.trigger or {}),
    })  # fmt: skip


def shortened(text: str, most: int) -> str:
    """The beginning of a long text."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def named(view: TaskExecutionView) -> str:
    """A task execution by its name, and by the values of the loops around it."""
    return f"{view.task_name} [{' / '.join(view.path)}]" if view.path else view.task_name


def failures_of(services: Services, top: Head) -> tuple[tuple[Failure, ...], int]:
    """The first that failed by themselves, and how many others did; groups only when nothing in them did."""
    which = OutputFilter(flow_execution_id=(top.id,), state=("FAILED", "KILLED"), limit=FOUND)
    found = services.outputs.list(which).data[::-1]
    groups = {one.parent_id for one in found}
    own = [one for one in found if one.error and one.id not in groups] or [one for one in found if one.error]
    if not own:
        return (), 0
    lines = _lines(services, top)
    return tuple(_failure(services, top, one, lines) for one in own[:FAILURES]), len(own) - FAILURES


def _lines(services: Services, top: Head) -> Mapping[str, int]:
    return services.flows.lines(top.view.namespace, top.view.flow_id, top.view.flow_revision)


def _failure(services: Services, top: Head, view: TaskExecutionView, lines: Mapping[str, int]) -> Failure:
    one = view.id if view.path else None
    logs = services.executions.find_logs(
        top.id, LogFilter(task_name=view.task_name, task_execution_id=one, before=2**53, limit=LINES)
    )
    properties = shown_value(services, view.properties) if view.properties else None
    logs_url = href(f"{top.url}/logs", task_name=view.task_name, task_execution_id=one)
    told = tuple((line.level, shortened(line.message, LONGEST)) for line in logs)
    return Failure(view, lines.get(view.task_name), properties, told, logs_url)


def _reasons(services: Services, top: Head, outlines: Sequence[TaskOutline]) -> tuple[Reason, ...]:
    if top.ended or (top.view.state in RUNS and sum(one.count for one in outlines) > EXPLAINED):
        return ()
    return services.executions.why(top.id)


def rows_of(outlines: Sequence[TaskOutline], now: int) -> list[TaskRow]:
    """What ran, each group before what it holds."""
    below: dict[str | None, list[TaskOutline]] = {}
    names = {one.task_name for one in outlines}
    for one in outlines:
        below.setdefault(one.parent if one.parent in names else None, []).append(one)
    rows: list[TaskRow] = []
    waiting = [(one, 0) for one in reversed(below.get(None, []))]
    while waiting:
        one, depth = waiting.pop()
        rows.append(TaskRow(one, worst(one.states), depth, now))
        waiting += [(child, depth + 1) for child in reversed(below.pop(one.task_name, []))]
    return rows


def _values(services: Services, values: Mapping[str, Any]) -> list[tuple[str, ShownValue | None, str]]:
    """(name, value, why it can't be shown)."""
    found: list[tuple[str, ShownValue | None, str]] = []
    files = 0
    for name, value in list(values.items())[:VALUES]:
        files += is_storage_uri(value)
        if is_storage_uri(value) and files > FILES:
            found.append((name, ShownValue("scalar", "file", markup=scalar(value)), ""))
            continue
        try:
            found.append((name, shown_value(services, value), ""))
        except TailraceError as error:  # a file that is gone
            found.append((name, None, error.what))
    return found


PAGES = (overview,)
