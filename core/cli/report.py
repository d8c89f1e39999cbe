"""The end of a run for people: what came out, what went wrong, and how to look further."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from core.cli.command import Call
from core.cli.output import Output
from core.cli.people import cell, duration, facts, one_line, wall_clock
from core.cli.show import previews, value_lines
from core.host.views import ExecutionView, LogView, Reason, TaskExecutionView
from core.model.state import ENDED, status_of

if TYPE_CHECKING:
    from core.host.services import Services

_FAILURES = 5
_ERROR_LINES = 10
_MANY = 20
"""Executions of one task above which a table counts some of them only."""


def show_execution(
    call: Call, services: Services, view: ExecutionView, *, everything: bool = False
) -> Sequence[TaskExecutionView]:
    """An execution with its tasks, its outputs and its failures to standard output; its tasks, which may be many.

    everything: also of a task that ran many times each of its executions.
    """
    out = call.out
    tasks = services.executions.tasks(view.id)
    out.result(f"{view.id}  {view.state}  {duration(view.duration)}")
    out.result(f"{view.namespace}/{view.flow_id}, revision {view.flow_revision}")
    if view.parent_id:
        out.result(f"called by the execution {view.parent_id}")
    if view.original_id:
        out.result(f"derived from the execution {view.original_id}")
    if tasks:
        out.result()
        _task_table(out, tasks, folded=not everything)
    if view.outputs:
        out.result("\noutputs:")
        for line in (*value_lines(view.outputs, services.files, "  "), *previews(view.outputs, services.files)):
            out.result(line)
    if status_of(view.state) == "failed":
        _show_failure(out, services, view, tasks)
    elif view.state not in ENDED:
        out.result()
        show_reasons(call, services.executions.why(view.id))
    return tasks


def show_reasons(call: Call, reasons: Sequence[Reason]) -> None:
    """Why an execution stands where it stands, and what lets it go on, to standard output."""
    for reason in reasons:
        call.out.result(reason.text)
        if reason.command:
            call.out.result(f"  {call.to_type(*reason.command)}")


def show_task(call: Call, services: Services, view: TaskExecutionView) -> None:
    """One task execution: how it ended, its output, and the properties that it failed with, to standard output."""
    out = call.out
    out.result(f"{view.id}  {view.state}  {duration(view.duration)}")
    where = f"{view.flow_execution_id}/{view.task_name}" + (f" [{view.value}]" if view.value is not None else "")
    out.result(f"{where}  ({view.type})")
    if view.copied_from:
        out.result(f"kept from {view.copied_from}")
    for line in filter(None, (view.error, view.note)):
        out.result(line)
    for attempt in view.attempts if len(view.attempts) > 1 else ():
        error = f": {one_line(attempt.error, 300)}" if attempt.error else ""
        out.result(f"attempt {attempt.n} {attempt.state}{error}")
    out.result()
    value = services.outputs.value(view.id)
    if value is None:
        out.result("no output")
    else:
        for line in (*value_lines(value, services.files), *previews(value, services.files)):
            out.result(line)
    if view.properties:
        out.result("\nproperties of its last failed attempt:")
        for line in value_lines(view.properties, services.files, "  "):
            out.result(line)


def _task_table(out: Output, tasks: Sequence[TaskExecutionView], *, folded: bool) -> None:
    looped = any(task.value is not None for task in tasks)
    columns = ["TASK", *(["VALUE"] if looped else []), "STATE", "DURATION", "OUTPUT"]
    hidden = _folded(tasks) if folded else {}
    rows: list[list[Any]] = []
    for task in tasks:
        if task.id not in hidden:
            rows.append(
                [task.task_name, *([task.value] if looped else []), task.state, duration(task.duration), outcome(task)]
            )
    for name in dict.fromkeys(hidden.values()):
        states = Counter(task.state for task in tasks if hidden.get(task.id) == name)
        counts = ", ".join(f"{count} {state}" for state, count in states.items())
        rows.append([name, *(["…"] if looped else []), "…", "", f"and {counts} more"])
    out.table(columns, rows)
    for task in tasks:
        if task.note and task.id not in hidden:
            out.result(f"{task.task_name}: {task.note}")


def _folded(tasks: Sequence[TaskExecutionView]) -> dict[str, str]:
    """Task executions that a table only counts (id → task): of a task with many the ones that tell least."""
    counts = Counter(task.task_name for task in tasks)
    shown: Counter[tuple[str, bool]] = Counter()
    hidden = {}
    for task in tasks:
        if counts[task.task_name] <= _MANY:
            continue
        place = (task.task_name, status_of(task.state) == "completed")
        shown[place] += 1
        if shown[place] > _MANY // 2:
            hidden[task.id] = task.task_name
    return hidden


def outcome(task: TaskExecutionView) -> str:
    """What a task gave, in one line: its summary, else the beginning of its output; its error when it failed."""
    if task.error:
        return one_line(task.error.partition("\n")[0])
    return facts(task.summary) if task.summary else cell(task.output_preview)


def _show_failure(out: Output, services: Services, view: ExecutionView, tasks: Sequence[TaskExecutionView]) -> None:
    failed = [task for task in tasks if task.state in ("FAILED", "KILLED", "CANCELLED")]
    leaves = [task for task in failed if task.error] or failed
    out.result()
    for task in leaves[:_FAILURES]:
        value = f" [{one_line(task.value, 40)}]" if task.value is not None else ""
        reason = f": {task.error}" if task.error else ""
        out.result(f"task `{task.task_name}`{value} is {task.state}{reason}")
    if len(leaves) > _FAILURES:
        out.result(f"… and {len(leaves) - _FAILURES} more")
    if view.error and all(view.error != task.error for task in leaves):
        out.result(view.error)
    told = {task.error for task in leaves[:_FAILURES]}
    lines = all_logs(services, view.id, level="ERROR")
    errors = deque((line for line in lines if line.message not in told), _ERROR_LINES)
    if errors:
        out.result("\nlast errors logged:")
        for line in errors:
            out.result("  " + log_line(line).replace("\n", "\n    "))


def log_line(line: LogView) -> str:
    """A recorded log line as text."""
    task = f"{line.task_name} " if line.task_name else ""
    return f"{wall_clock(line.at)} {task}{line.level} {line.message}"


def all_logs(
    services: Services, execution_id: str, *, task_name: str | None = None, level: str = "TRACE"
) -> Iterator[LogView]:
    """Every recorded line, read in portions: there may be millions."""
    after = 0
    while lines := services.executions.logs(execution_id, task_name=task_name, level=level, after=after):
        yield from lines
        after = lines[-1].seq


def look_further(call: Call, view: ExecutionView, tasks: Sequence[TaskExecutionView]) -> Iterator[str]:
    """Commands that show more of an execution, with its real ids."""
    with_output = [task for task in tasks if task.output_size]
    yield call.to_type("outputs", "list", "--flow-execution-id", view.id)
    if with_output:
        last = with_output[-1]
        yield call.to_type("outputs", "show", last.id)
        if last.value is None:
            yield call.to_type("eval", view.id, "{{ " + _path(last.task_name) + " }}")
    yield call.to_type("executions", "logs", view.id)


def _path(task_name: str) -> str:
    return f"outputs.{task_name}" if task_name.isidentifier() else f"outputs['{task_name}']"


def show_look_further(call: Call, view: ExecutionView, tasks: Sequence[TaskExecutionView]) -> None:
    """The same under a heading, to standard output."""
    call.out.result("\nlook further:")
    for line in look_further(call, view, tasks):
        call.out.result(f"  {line}")
