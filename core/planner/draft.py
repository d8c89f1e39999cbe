"""A decision in the making: the facts as they will be once it is committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.model.data import data
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
from core.planner.facts import Facts, TaskFacts

HELD = "held"
_UNTOUCHED: Any = object()
_NOT_KNOWN = (None, "")


@data
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
        "_answers", "_counters", "_moved", "_touched", "changes", "effects", "error", "facts", "guards", "halted",
        "held", "kind", "rules", "state", "through", "turns",
    )  # fmt: skip

    def __init__(self, facts: Facts, kind: Callable[[type], Kind]) -> None:
        root = facts.counters
        self.facts = facts
        self.kind = kind
        self.state = facts.state
        self.through = ""
        self.error = ""
        self.held = root.note == HELD
        self.halted = facts.state == "KILLING" or (root.note != "" and not self.held and facts.state != "QUEUED")
        self.turns = root.turns
        self._moved = False
        self._touched: dict[TaskKey, TaskFacts | None] = {}
        self._counters: dict[TaskKey, Counters] = {ROOT: root}
        self._answers: dict[EvaluationKey, tuple[Any, str]] | None = None
        self.changes: list[Change] = []
        self.effects: list[Effect] = []
        self.guards: tuple[Guard, ...] = ()
        self.rules: list[str] = []

    # -- reading

    def task(self, key: TaskKey) -> TaskFacts | None:
        """The task execution, or None when it has ended or never was. For its counters ask `counters`."""
        task: TaskFacts | None = self._touched.get(key, _UNTOUCHED)
        return self.facts.tasks.get(key) if task is _UNTOUCHED else task

    def open_tasks(self) -> list[tuple[TaskKey, TaskFacts]]:
        """Every task execution that has not ended, parents before children."""
        known = {**self.facts.tasks, **self._touched}
        return [(key, task) for key, task in known.items() if task is not None]

    def step(self, key: TaskKey) -> Step:
        return self.facts.steps[key.task_id]

    def node(self, key: TaskKey) -> Node:
        """The node a group runs; that of the flow for the root."""
        return self.facts.flow.root if key == ROOT else self.facts.steps[key.task_id].node

    def counters(self, key: TaskKey) -> Counters:
        counters = self._counters.get(key)
        if counters is None:
            task = self.task(key)
            counters = (task.counters if task else None) or Counters()
        return counters

    def answer(self, key: EvaluationKey) -> Any:
        """The value an evaluation gave; None when it is not known."""
        if self._answers and key in self._answers:
            return self._answers[key][0]
        return self.facts.evaluations.get(key, _NOT_KNOWN)[0]

    # -- writing

    def rule(self, name: str) -> None:
        self.rules.append(name)

    def open(
        self, key: TaskKey, parent: TaskKey, state: str, *, group: bool = False, attempt: bool = False,
        iteration: int | None = None,
    ) -> None:  # fmt: skip
        counters = Counters(0, 0, "SUCCESS", "tasks", key.turn) if group else None
        now = self.facts.now
        self._touched[key] = TaskFacts(parent, state, counters, attempt, 1 if attempt else 0, now, 0, iteration)
        self.changes.append(OpenTask(key, parent, state, counters, attempt, iteration))

    def reopen(self, key: TaskKey, parent: TaskKey, state: str, counters: Counters | None, *,
               attempt: bool = False, attempts: int = 0, iteration: int | None = None) -> None:  # fmt: skip
        """Let a task execution that had ended go on."""
        begun = attempts + 1 if attempt else attempts
        self._touched[key] = TaskFacts(parent, state, counters, attempt, begun, self.facts.now, 0, iteration)
        self.changes.append(ReopenTask(key, parent, state, counters, attempt, iteration, begun))

    def move(
        self, key: TaskKey, state: str, *, group: bool = False, attempt: bool = False, attempt_ended: str = "",
        error: str = "", due_at: int = 0, entered: bool = True,
    ) -> None:  # fmt: skip
        task = self.task(key)
        if task is None:
            return
        counters = Counters(0, 0, "SUCCESS", "tasks", key.turn) if group else self._counters.get(key, task.counters)
        self._counters.pop(key, None)
        running = attempt or (task.running and not attempt_ended)
        self._touched[key] = task._replace(
            state=state, counters=counters, running=running, attempts=task.attempts + attempt, due_at=due_at,
            since=self.facts.now if attempt and not task.attempts else task.since,
        )  # fmt: skip
        self.changes.append(MoveTask(key, state, counters, attempt, entered, attempt_ended, error, due_at))

    def hold(self, key: TaskKey, due_at: int, state: str | None = None) -> None:
        """Let the attempt of a task wait, or (0) run again."""
        task = self.task(key)
        if task is not None:
            self._touched[key] = task._replace(running=not due_at, due_at=due_at)
            self.changes.append(HoldTask(key, due_at, state))

    def set_counters(self, key: TaskKey, counters: Counters) -> None:
        self._counters[key] = counters

    def end(self, key: TaskKey, state: str, error: str = "") -> None:
        self._touched[key] = None
        self.changes.append(EndTask(key, state, error))

    def set_state(self, state: str, error: str = "", through: str = "") -> None:
        self.state, self.error, self._moved = state, error or self.error, True
        self.through = through or self.through

    def note(self, note: str) -> None:
        """Say on the root how the execution is held or ends."""
        self.set_counters(ROOT, self._counters[ROOT]._replace(note=note))
        self.held = note == HELD
        self.halted = self.state == "KILLING" or (note != "" and not self.held)

    def next_turn(self) -> int:
        """A turn that no task of the execution has had."""
        self.turns += 1
        self._moved = True
        return self.turns

    def ask(self, key: EvaluationKey, template: object, *, typed: bool = False) -> None:
        self.effects.append(Evaluate(key, template, typed))

    def remember(self, key: EvaluationKey, value: object, error: str = "") -> None:
        self._answers = self._answers or {}
        self._answers[key] = (value, error)
        self.changes.append(Remember(key, value, error))

    def give(self, key: TaskKey, output: Mapping[str, object]) -> None:
        self.changes.append(GiveOutput(key, output))

    def decision(self) -> Decision:
        """What was drafted; of a group's counters, and of the execution's state, only the last word."""
        root = self._counters.pop(ROOT)
        for key, counters in self._counters.items():
            task = self.task(key)
            if task is not None and task.counters != counters:
                self.changes.append(MoveTask(key, task.state, counters))
        if self._moved or root is not self.facts.counters:
            root = root if root.turns == self.turns else root._replace(turns=self.turns)
            entered = self.state != self.facts.state or (self.through == "RESTARTED" and self.state in ENDED)
            self.changes.append(MoveExecution(self.state, root, self.error, entered, self.through))
        return Decision(tuple(self.changes), tuple(self.effects), self.guards, tuple(self.rules))
