"""What a committed unit means to those who watch."""

from __future__ import annotations

from collections.abc import Iterator

from core.host.records import Unit
from core.host.views import ExecutionChanged, Happening, TaskChanged
from core.model.decisions import ChangeEnd, EndTask, MoveExecution, MoveTask, OpenTask, ReopenTask


def happenings(unit: Unit) -> Iterator[Happening]:
    """One for each task execution and execution that changed its state, in order."""
    for change in unit.decision.changes:
        if isinstance(change, MoveExecution):
            if change.entered:
                yield ExecutionChanged(unit.execution.id, change.state, unit.at, change.error)
        elif isinstance(change, (OpenTask, ReopenTask, ChangeEnd)) or (isinstance(change, MoveTask) and change.entered):
            yield _task(unit, change, "", "")
        elif isinstance(change, EndTask):
            result = unit.results.get(change.key)
            yield _task(unit, change, change.error, result.note if result else "")


def _task(
    unit: Unit, change: OpenTask | MoveTask | EndTask | ReopenTask | ChangeEnd, error: str, note: str
) -> TaskChanged:
    identity = unit.tasks[change.key]
    value = change.key.path[-1] if change.key.path else None
    return TaskChanged(
        unit.execution.id, identity.id, change.key.task_id, identity.type, change.state, unit.at, value, error, note
    )
