"""What the planner is told: results of work, answers of evaluations, and what others want of an execution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from core.model.data import data, field


class TaskKey(NamedTuple):
    """Which task execution within one flow execution: unique, so deciding twice is harmless.

    path: the values of the loops around it, outermost first. turn: counts restarts and loop turns.
    """

    task_id: str
    path: tuple[str, ...] = ()
    turn: int = 0


ROOT = TaskKey("")
"""The flow itself, seen as the group of its tasks."""


class EvaluationKey(NamedTuple):
    """Which value of the world: asked for once per key and recorded. round: for what is asked again (a loop's end)."""

    task: TaskKey
    purpose: str
    round: int = 0


@data
class Started:
    """The execution was created and may begin."""


@data
class TaskEnded:
    """An attempt is over. state: SUCCESS, WARNING, FAILED or KILLED."""

    key: TaskKey
    state: str
    error: str = ""


@data
class Evaluated:
    """What an evaluation gave: its rendered value, or why it failed."""

    key: EvaluationKey
    value: object = None
    error: str = ""


@data
class KillRequested:
    """Somebody wants the execution to end now."""


@data
class PauseRequested:
    """Somebody wants no new task to start."""


@data
class ResumeRequested:
    """A person or a task lets a paused execution go on."""

    inputs: Mapping[str, object] = field(factory=dict)


@data
class RestartRequested:
    """The execution continues, keeping what the named task executions gave."""

    keep: tuple[TaskKey, ...] = ()


@data
class ChildEnded:
    """An execution that a Call started is over."""

    key: TaskKey
    execution_id: str
    state: str


@data
class SlotFree:
    """The flow's concurrency limit has room again."""


@data
class OutputCorrected:
    """An output was changed by hand; what read it becomes stale."""

    key: TaskKey
    version: int


@data
class Due:
    """A time that the execution waited for has come."""

    key: TaskKey


Message = (
    Started | TaskEnded | Evaluated | KillRequested | PauseRequested | ResumeRequested | RestartRequested | ChildEnded
    | SlotFree | OutputCorrected | Due
)  # fmt: skip
