"""What the planner is told: results of work, answers of evaluations, and what others want of an execution."""

# Annotations are no texts here: typing would compile each of a named tuple, which a start waits for.

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from core.model.data import field, quick


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


@quick
class Started:
    """The execution was created and may begin."""


@quick
class TaskEnded:
    """An attempt is over. state: SUCCESS, WARNING, FAILED or KILLED. exit: the task asks the execution to end so."""

    key: TaskKey
    state: str
    error: str = ""
    exit: str = ""


@quick
class TasksEnded:
    """Attempts of plain work that are over, all in SUCCESS: the same as a TaskEnded for each, in one decision."""

    keys: Sequence[TaskKey]


@quick
class TaskWaits:
    """An attempt gave its thread back: it is called again at `due_at` (microseconds since 1970 UTC), with its state."""

    key: TaskKey
    due_at: int
    state: str


@quick
class MemberStarted:
    """Inside the job of a Group one of its children began."""

    group: TaskKey
    task_id: str


@quick
class MemberEnded:
    """Inside the job of a Group one of its children is over."""

    group: TaskKey
    task_id: str
    state: str
    error: str = ""


@quick
class JobRestarted:
    """After its owner died the job of a Group runs once more, from its start: what its members gave counts no more."""

    group: TaskKey


@quick
class Evaluated:
    """What an evaluation gave: its rendered value, or why it failed."""

    key: EvaluationKey
    value: object = None
    error: str = ""


@quick
class KillRequested:
    """Somebody wants the execution to end now."""


@quick
class PauseRequested:
    """Somebody wants no new task to start."""


@quick
class ResumeRequested:
    """A person or a task lets a paused execution go on. inputs: checked already. key: one waiting task; None: all.

    by: who, "" when that is not known.
    """

    inputs: Mapping[str, object] = field(factory=dict)
    key: TaskKey | None = None
    by: str = ""


@quick
class ForceRunRequested:
    """Somebody wants the execution to run now, whatever limit or pause holds it back."""


@quick
class EndRequested:
    """The execution is to end in a state of the asker's choice, without `finally`. stop: what runs is stopped first."""

    state: str
    error: str = ""
    stop: bool = False


@quick
class RestartRequested:
    """An execution that has ended goes on; what is kept follows from its rows (`Facts.rows`).

    what: `failed` (all that failed), `from` (the named tasks and all that follows them), `stale` (only what is
    stale, and what is missing in the named groups), `state` (the named tasks end in `state` instead, and it goes on
    from there), `child` (as `failed`, and where no task failed it goes on to its end again: its parent waits for one).
    """

    what: str = "failed"
    tasks: tuple[TaskKey, ...] = ()
    state: str = ""


@quick
class ChildStarted:
    """What became of a StartChild: the id of the child execution, or why there is none."""

    key: TaskKey
    index: int = 0
    execution_id: str = ""
    error: str = ""


@quick
class ChildEnded:
    """An execution that a Call started is over. error: why its outputs can't be had, which fails the task."""

    key: TaskKey
    execution_id: str
    state: str
    error: str = ""
    index: int = 0


@quick
class SlotFree:
    """The flow's concurrency limit has room again."""


@quick
class OutputCorrected:
    """An output was changed by hand; what read it becomes stale."""

    key: TaskKey
    version: int


@quick
class Due:
    """A time that the execution waited for has come."""

    key: TaskKey


Message = (
    Started | TaskEnded | TasksEnded | TaskWaits | MemberStarted | MemberEnded | JobRestarted | Evaluated
    | KillRequested | PauseRequested | ResumeRequested | ForceRunRequested | EndRequested | RestartRequested
    | ChildStarted | ChildEnded | SlotFree | OutputCorrected | Due
)  # fmt: skip
