"""What the planner answers: changes of rows, effects that follow the commit, guards that must hold inside it."""

from __future__ import annotations

from typing import NamedTuple

from core.model.data import data
from core.model.messages import EvaluationKey, TaskKey


class Counters(NamedTuple):
    """Where a group stands, held on its own row: so a decision touches what changed, never all that ever ran.

    cursor: index of the next child. running: children that have begun and not ended. worst: the worst end so far.
    phase: tasks, finished (its tasks are over), then for the flow itself outputs (asked for) and done.
    """

    cursor: int = 0
    running: int = 0
    worst: str = "SUCCESS"
    phase: str = "tasks"


# -- changes of rows


@data
class OpenTask:
    """A task execution begins to exist. counters: for a group. attempt: its first attempt begins with it."""

    key: TaskKey
    parent: TaskKey
    state: str
    counters: Counters | None = None
    attempt: bool = False


@data
class MoveTask:
    """A task execution changes its counters; when `entered`, its state too. attempt: an attempt begins with it."""

    key: TaskKey
    state: str
    counters: Counters | None = None
    attempt: bool = False
    entered: bool = False


@data
class EndTask:
    """A task execution is over."""

    key: TaskKey
    state: str
    error: str = ""


@data
class MoveExecution:
    """The execution changes the counters of its root; when `entered`, its state too."""

    state: str
    counters: Counters
    error: str = ""
    entered: bool = False


@data
class Remember:
    """The answer of an evaluation becomes part of the record."""

    key: EvaluationKey
    value: object
    error: str = ""


Change = OpenTask | MoveTask | EndTask | MoveExecution | Remember

# -- effects, performed only after the commit


@data
class RunTask:
    """Hand the task's open attempt to an executor."""

    key: TaskKey


@data
class StopTask:
    """Tell the executor to stop the task's open attempt."""

    key: TaskKey


@data
class Evaluate:
    """Render a template in the task's place and tell the planner what it gave. typed: keep its type."""

    key: EvaluationKey
    template: object
    typed: bool = False


@data
class WakeAt:
    """Send `Due` when the time has come (microseconds since 1970 UTC); the row's `due_at` says the same."""

    key: TaskKey
    due_at: int


@data
class StartChild:
    """Create an execution of another flow for a Call."""

    key: TaskKey


Effect = RunTask | StopTask | Evaluate | WakeAt | StartChild

# -- guards, checked inside the transaction


@data
class FreeSlot:
    """Fewer than `limit` executions of the flow run."""

    namespace: str
    flow_id: str
    limit: int


@data
class KeyAbsent:
    """The key-value store has no such key."""

    namespace: str
    key: str


@data
class VersionIs:
    """The output's version is still the one that was read."""

    key: TaskKey
    version: int


Guard = FreeSlot | KeyAbsent | VersionIs


@data
class Decision:
    """A delta: never a new copy of the execution. rules: the names of the rules that spoke, for people and tests.

    That the decider still owns the execution (its fencing number) is a guard of every decision; the store adds it.
    """

    changes: tuple[Change, ...] = ()
    effects: tuple[Effect, ...] = ()
    guards: tuple[Guard, ...] = ()
    rules: tuple[str, ...] = ()
