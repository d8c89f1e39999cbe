"""What the planner answers: changes of rows, effects that follow the commit, guards that must hold inside it."""

from __future__ import annotations

from collections.abc import Mapping

from core.model.data import changing, quick
from core.model.messages import EvaluationKey, TaskKey


@changing
class Counters:
    """Where a group stands, held on its own row: so a decision touches what changed, never all that ever ran.

    What is in facts or in a decision does not change any more: the planner takes a copy and counts on in that.

    cursor: index of the next child (of an Each the next element, of a Call the next child execution).
    running: children that have begun and not ended. worst: the worst end of its tasks so far.
    phase: tasks, errors, finally; before them asking (for a value), waiting (for a time or a person) and later (its
    turn has not come since a restart); between them storing (a loop's file is written). Of the flow itself then
    finished, promises (looked at), kept, outputs (asked for), done, after (afterExecution runs) and over.
    turn: that of the children it opens. round: which round of a Repeat, how many children a Call has, of how many
    iterations a loop waits to hear what they give.
    done: a bit per child that is not to be opened: ended ones of a Dag, kept ones after a restart; above them one more
    when some of its groups are open already, in the phase later.
    note: the branch of a Choice, what the due time of a Wait means, why a loop ends early; of the flow itself `held`,
    `exit:STATE`, `retried`, and what is to be restarted when a slot is free.
    turns: of the flow itself the highest turn that was given out.
    """

    cursor: int = 0
    running: int = 0
    worst: str = "SUCCESS"
    phase: str = "tasks"
    turn: int = 0
    round: int = 0
    done: int = 0
    note: str = ""
    turns: int = 0

    def copy(self) -> Counters:
        return Counters(
            self.cursor, self.running, self.worst, self.phase, self.turn, self.round, self.done, self.note, self.turns
        )

    def same_as(self, other: Counters) -> bool:
        """As ==, but most differ at once."""
        return self.cursor == other.cursor and self.running == other.running and self == other


# -- changes of rows


@quick
class OpenTask:
    """A task execution begins to exist. counters: for a group. attempt: its first attempt begins with it.

    iteration: which element of the loop around it this is, from 0.
    """

    key: TaskKey
    parent: TaskKey
    state: str
    counters: Counters | None = None
    attempt: bool = False
    iteration: int | None = None


@quick
class MoveTask:
    """A task execution changes its counters; when `entered`, its state too. attempt: an attempt begins with it.

    attempt_ended: the state in which its open attempt ends, with `error`, while the task execution goes on.
    due_at: when `entered`, what it now waits for (microseconds since 1970 UTC; 0: nothing).
    """

    key: TaskKey
    state: str
    counters: Counters | None = None
    attempt: bool = False
    entered: bool = False
    attempt_ended: str = ""
    error: str = ""
    due_at: int = 0


@quick
class HoldTask:
    """The open attempt of a task waits until `due_at`; 0: it runs again. state: what it is then given, None: as before.
    """

    key: TaskKey
    due_at: int
    state: str | None = None


@quick
class EndTask:
    """A task execution is over. warning: what its log says of an end that is no failure."""

    key: TaskKey
    state: str
    error: str = ""
    warning: str = ""


@quick
class ReopenTask:
    """A task execution that had ended goes on: RESTARTED, then `state`. attempt: another attempt begins with it.

    attempts: how many have begun, this one included.
    """

    key: TaskKey
    parent: TaskKey
    state: str
    counters: Counters | None = None
    attempt: bool = False
    iteration: int | None = None
    attempts: int = 0


@quick
class ChangeEnd:
    """A task execution that had ended is to count as ended otherwise."""

    key: TaskKey
    state: str


@quick
class GiveOutput:
    """The output of a flow task, as far as it is known; later ones replace it."""

    key: TaskKey
    output: Mapping[str, object]


@quick
class MoveExecution:
    """The execution changes the counters of its root; when `entered`, its state too.

    through: states that it has on the way, in their order, each after a space.
    """

    state: str
    counters: Counters
    error: str = ""
    entered: bool = False
    through: str = ""


@quick
class Derive:
    """Another execution, derived from this one, begins at `due_at` from the task on; written in the same commit."""

    key: TaskKey
    due_at: int


@quick
class Remember:
    """The answer of an evaluation becomes part of the record."""

    key: EvaluationKey
    value: object
    error: str = ""


Change = (
    OpenTask | MoveTask | HoldTask | EndTask | ReopenTask | ChangeEnd | GiveOutput | MoveExecution | Derive | Remember
)

# -- effects, performed only after the commit


@quick
class RunTask:
    """Hand the task's open attempt to an executor."""

    key: TaskKey


@quick
class StopTask:
    """Tell the executor to stop the task's open attempt."""

    key: TaskKey


@quick
class Evaluate:
    """Render a template in the task's place and tell the planner what it gave. typed: keep its type.

    seen: variables that it reads besides. rows: these go to a file instead, and its URI is the answer.
    """

    key: EvaluationKey
    template: object
    typed: bool = False
    seen: Mapping[str, object] | None = None
    rows: tuple[object, ...] | None = None


@quick
class WakeAt:
    """Send `Due` when the time has come (microseconds since 1970 UTC); the row's `due_at` says the same."""

    key: TaskKey
    due_at: int


@quick
class StartChild:
    """Create the child execution number `index` of a Call, as the answer to `request` says, and tell ChildStarted."""

    key: TaskKey
    index: int
    request: EvaluationKey


@quick
class RestartChild:
    """Restart the failed child executions of a Call, and tell the end of every one as ChildEnded again.

    One that was never created is started as its recorded request says.
    """

    key: TaskKey


@quick
class KillChild:
    """Kill every child execution of a Call that has not ended."""

    key: TaskKey


@quick
class ReleaseSlot:
    """An execution of a flow with a concurrency limit is over: tell SlotFree to the one that waits longest."""

    namespace: str
    flow_id: str


Effect = RunTask | StopTask | Evaluate | WakeAt | StartChild | RestartChild | KillChild | ReleaseSlot

# -- guards, checked inside the transaction


@quick
class FreeSlot:
    """Fewer than `limit` other executions of the flow run or are paused. Refused: decide again, with no slot free."""

    namespace: str
    flow_id: str
    limit: int


@quick
class KeyAbsent:
    """The key-value store has no such key."""

    namespace: str
    key: str


@quick
class VersionIs:
    """The output's version is still the one that was read."""

    key: TaskKey
    version: int


Guard = FreeSlot | KeyAbsent | VersionIs


@quick
class Decision:
    """A delta: never a new copy of the execution. rules: the names of the rules that spoke, for people and tests.

    That the decider still owns the execution (its fencing number) is a guard of every decision; the store adds it.
    """

    changes: tuple[Change, ...] = ()
    effects: tuple[Effect, ...] = ()
    guards: tuple[Guard, ...] = ()
    rules: tuple[str, ...] = ()
