"""What the planner knows of one execution when it decides: data, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.model.data import changing, field, quick
from core.model.decisions import Counters
from core.model.flow import Flow
from core.model.messages import EvaluationKey, TaskKey
from core.model.nodes import Step

VALUES = "values"
SETTINGS = "settings"
ITEMS = "items"
"""What the values of a loop stand for, where they are names made for them: [key or None, text] of each."""
LINES = "lines"
"""The URI of the file whose lines a loop runs over."""
KEPT = frozenset({VALUES, ITEMS, LINES, SETTINGS})
"""Purposes of evaluations whose answers the planner reads again while the task is open; besides those that begin with
ITERATION.
"""
ITERATION = "iteration "
"""Begins the purposes of what is asked and known of one iteration of a loop, `round` of their keys; behind it stand
what it is and the turn of the tasks of the iteration, since those of another turn may give something else.
"""
OUTPUTS_OF = f"{ITERATION}outputs"
BREAK = f"{ITERATION}break"
FILE = f"{ITERATION}file"
"""Of the loop as a whole: what its iterations gave becomes a file."""


@changing
class TaskFacts:
    """A task execution that has not ended. Changed only when a decision was committed (`apply`).

    running: its attempt is with an executor, or its child executions run. attempts: how many have begun.
    since: when it began, or was restarted (microseconds). due_at: what it waits for. iteration: see OpenTask.
    """

    parent: TaskKey
    state: str
    counters: Counters | None = None
    running: bool = False
    attempts: int = 0
    since: int = 0
    due_at: int = 0
    iteration: int | None = None


@quick
class PastTask:
    """A row of the execution, ended or not, in the order in which they were opened: what a restart looks at."""

    key: TaskKey
    parent: TaskKey
    state: str
    counters: Counters | None = None
    stale: bool = False
    attempts: int = 0


@changing
class Facts:
    """One execution: its flow, where its root stands, and the task executions that have not ended.

    Its owner keeps it up to date between decisions; while one is made nothing of it changes.

    steps: every task of the flow by its id. now: microseconds since 1970 UTC. seed: the execution's id, from which
    random delays follow. evaluations: (value, error) by key, at least those of purposes in KEPT for open tasks.
    slot_free: False when the guard FreeSlot was refused a moment ago. attempt: 1, more for an execution that retries
    another; began_at: when the first of them was created. rows: every row of the execution, for a restart:
    for RestartRequested, and for what lets one begin that waits (`waits_to_restart`). derived: what the planner has
    found out of the flow alone, by task id, so that it need not again.
    """

    flow: Flow
    steps: Mapping[str, Step]
    state: str
    counters: Counters
    tasks: Mapping[TaskKey, TaskFacts]
    now: int = 0
    seed: str = ""
    evaluations: Mapping[EvaluationKey, tuple[Any, str]] = field(factory=dict)
    slot_free: bool = True
    attempt: int = 1
    began_at: int = 0
    rows: Sequence[PastTask] = ()
    derived: dict[str, Any] = field(factory=dict, repr=False)


def listener_asked(facts: Facts) -> TaskKey | None:
    """The task of a listener whose conditions were asked for: it counts as running, and is not there yet."""
    root = facts.counters
    if root.phase != "after" or not root.running or facts.tasks:
        return None
    return TaskKey(facts.flow.after_execution[root.cursor - 1].id, (), root.turn)
