"""A decision in the making: the facts as they will be once it is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from core.model.data import evolve, quick
from core.model.decisions import (
    Change,
    Counters,
    Decision,
    Effect,
    EndTask,
    Evaluate,
    GiveOutput,
    Guard,
    HoldTask,
    MoveExecution,
    MoveTask,
    OpenTask,
    Remember,
    ReopenTask,
)  # fmt: skip
from core.model.messages import ROOT, Evaluated, EvaluationKey, TaskKey
from core.model.nodes import Node, Step
from core.model.state import ENDED
from core.planner.applied import hold, move, opened, reopened
from core.planner.facts import Facts, TaskFacts

HELD = "held"
_NOT_KNOWN = (None, "")


@quick
class Kind:
    """How one shape of node runs.

    start: its row is open; the state it ended in at once, or None. run: open what can be opened now that `child` has
    ended; whether something of it goes on. answered, due: what it asked or waited for has come; result as of start.
    ask: ask again for what it has asked for, for a new owner. ended: its job is over, in this state and
    with this error. attempt: an attempt begins with it.
    """

    start: Callable[[Draft, TaskKey, Any], str | None]
    run: Callable[[Draft, TaskKey, Any, TaskKey | None], bool]
    ask: Callable[[Draft, TaskKey, Any], None] | None = None
    answered: Callable[[Draft, TaskKey, Any, Evaluated], str | None] | None = None
    due: Callable[[Draft, TaskKey, Any], str | None] | None = None
    ended: Callable[[Draft, TaskKey, Any, str, str], str | None] | None = None
    attempt: bool = False


class Draft:
    """Collects changes and effects; what was changed reads as changed. Only what is touched is copied.

    held: somebody paused the execution, so nothing begins. halted: it is to end, so nothing is opened either.
    """

    __slots__ = (
        "_answers", "_groups", "_moved", "_touched", "changes", "effects", "error", "facts", "guards", "halted",
        "held", "kind", "rules", "state", "through",
    )  # fmt: skip

    def __init__(self, facts: Facts, kind: Callable[[type], Kind]) -> None:
        self.facts = facts
        self.kind = kind
        self.state = facts.state
        self.through = ""
        self.error = ""
        note = facts.counters.note
        self.held = note == HELD
        self.halted = facts.state == "KILLING" or (note != "" and not self.held and facts.state != "QUEUED")
        self._moved = False
        self._touched: dict[TaskKey, TaskFacts | OpenTask | None] = {}
        self._groups: dict[TaskKey, Counters] = {}
        self._answers: dict[EvaluationKey, tuple[Any, str]] | None = None
        self.changes: list[Change] = []
        self.effects: list[Effect] = []
        self.guards: tuple[Guard, ...] = ()
        self.rules: list[str] = []

    # -- reading

    def task(self, key: TaskKey) -> TaskFacts | None:
        """The task execution, or None when it has ended or never was. For its counters ask `counters`."""
        if key not in self._touched:
            return self.facts.tasks.get(key)
        task = self._touched[key]
        if isinstance(task, OpenTask):  # seldom asked for
            task = self._touched[key] = opened(task, self.facts.now)
        return task

    def open_tasks(self) -> Iterator[tuple[TaskKey, TaskFacts]]:
        """Every task execution that has not ended, parents before children. Make a list of it before you change any."""
        opened_now = (key for key in self._touched if key not in self.facts.tasks)
        for key in chain(self.facts.tasks, opened_now):
            task = self.task(key)
            if task is not None:
                yield key, task

    def step(self, key: TaskKey) -> Step:
        return self.facts.steps[key.task_id]

    def node(self, key: TaskKey) -> Node:
        """The node a group runs; that of the flow for the root."""
        return self.facts.flow.root if key == ROOT else self.facts.steps[key.task_id].node

    def counters(self, key: TaskKey) -> Counters:
        """Where a group stands, to be read."""
        counters = self._groups.get(key)
        return self._counted_before(key) if counters is None else counters

    def _counted_before(self, key: TaskKey) -> Counters:
        """Where it stood before this decision."""
        task = self.facts.tasks.get(key)
        if task is not None and key not in self._touched:  # most are
            return task.counters or Counters()
        if key == ROOT:
            return self.facts.counters
        task = self.task(key)
        return (task and task.counters) or Counters()

    def answer(self, task: TaskKey, purpose: str) -> Any:
        """The value an evaluation gave; None when it is not known."""
        key: Any = (task, purpose, 0)  # as good as an EvaluationKey, which takes as long to make as a whole change
        if self._answers and key in self._answers:
            return self._answers[key][0]
        return self.facts.evaluations.get(key, _NOT_KNOWN)[0]

    def known(self, key: EvaluationKey) -> tuple[Any, str] | None:
        """The value and the error an evaluation gave; None when it has given nothing yet."""
        if self._answers and key in self._answers:
            return self._answers[key]
        return self.facts.evaluations.get(key)

    def ended_in(self, key: TaskKey) -> str:
        """The state of a task execution that this decision has ended."""
        for one in reversed(self.changes):
            if type(one) is EndTask and one.key == key:
                return one.state
        raise KeyError(key)

    # -- writing

    def rule(self, name: str) -> None:
        self.rules.append(name)

    def count(self, key: TaskKey) -> Counters:
        """Where a group stands, to be changed."""
        counters = self._groups.get(key)
        if counters is None:
            counters = self._groups[key] = self._counted_before(key).copy()
        return counters

    def count_anew(self, key: TaskKey, counters: Counters) -> None:
        self._groups[key] = counters

    def open(self, change: OpenTask) -> None:
        self._touched[change.key] = change
        self.changes.append(change)

    def reopen(self, key: TaskKey, parent: TaskKey, state: str, counters: Counters | None, *,
               attempt: bool = False, attempts: int = 0, iteration: int | None = None) -> None:  # fmt: skip
        """Let a task execution that had ended go on."""
        begun = attempts + 1 if attempt else attempts
        change = ReopenTask(key, parent, state, counters, attempt, iteration, begun)
        self._touched[key] = reopened(change, self.facts.now)
        self.changes.append(change)

    def move(
        self, key: TaskKey, state: str, *, group: bool = False, attempt: bool = False, attempt_ended: str = "",
        error: str = "", due_at: int = 0, entered: bool = True,
    ) -> None:  # fmt: skip
        task = self._own(key)
        if task is None:
            return
        counters = self._groups.pop(key, task.counters)
        change = MoveTask(
            key, state, Counters(turn=key.turn) if group else counters, attempt, entered, attempt_ended, error, due_at
        )
        move(task, change, self.facts.now)
        self.changes.append(change)

    def hold(self, key: TaskKey, due_at: int, state: str | None = None) -> None:
        """Let the attempt of a task wait, or (0) run again."""
        task = self._own(key)
        if task is not None:
            change = HoldTask(key, due_at, state)
            hold(task, change)
            self.changes.append(change)

    def _own(self, key: TaskKey) -> TaskFacts | None:
        """A task execution to be changed: the facts stay as they are."""
        task = self.task(key)
        if task is not None and key not in self._touched:
            task = self._touched[key] = evolve(task)
        return task

    def end(self, key: TaskKey, state: str, error: str = "", warning: str = "") -> None:
        self._touched[key] = None
        self.changes.append(EndTask(key, state, error, warning))

    def set_state(self, state: str, error: str = "", through: str = "") -> None:
        if self.through == "RESTARTED" and self.state == "RUNNING" != state:  # it went on, and no further in this
            through = "RESTARTED RUNNING"
        self.state, self.error, self._moved = state, error or self.error, True
        self.through = through or self.through

    def note(self, note: str) -> None:
        """Say on the root how the execution is held or ends."""
        self.count(ROOT).note = note
        self.held = note == HELD
        self.halted = self.state == "KILLING" or (note != "" and not self.held)

    def next_turn(self) -> int:
        """A turn that no task of the execution has had."""
        root = self.count(ROOT)
        root.turns += 1
        return root.turns

    def ask(
        self, key: EvaluationKey, template: object, *, typed: bool = False, seen: Mapping[str, object] | None = None
    ) -> None:
        self.effects.append(Evaluate(key, template, typed, seen))

    def remember(self, key: EvaluationKey, value: object, error: str = "") -> None:
        self._answers = self._answers or {}
        self._answers[key] = (value, error)
        self.changes.append(Remember(key, value, error))

    def give(self, key: TaskKey, output: Mapping[str, object]) -> None:
        self.changes.append(GiveOutput(key, output))

    def decision(self) -> Decision:
        """What was drafted; of a group's counters, and of the execution's state, only the last word."""
        root = self._groups.pop(ROOT, self.facts.counters)
        for key, counters in self._groups.items():
            task = self.task(key)
            if task is not None and (task.counters is None or not counters.same_as(task.counters)):
                self.changes.append(MoveTask(key, task.state, counters))
        if self._moved or root is not self.facts.counters:
            stops = self.state == "PAUSED" or self.state in ENDED
            entered = self.state != self.facts.state or (stops and self.through not in ("", "KILLING"))
            self.changes.append(MoveExecution(self.state, root, self.error, entered, self.through))
        return Decision(tuple(self.changes), tuple(self.effects), self.guards, tuple(self.rules))
