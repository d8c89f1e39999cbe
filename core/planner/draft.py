"""A decision in the making: the facts as they will be once it is committed."""

from __future__ import annotations

from core.model.decisions import Change, Counters, Decision, Effect, EndTask, Guard, MoveExecution, MoveTask, OpenTask
from core.model.messages import ROOT, TaskKey
from core.model.nodes import Node, Step
from core.planner.facts import Facts, TaskFacts


class Draft:
    """Collects changes and effects; what was changed reads as changed. Only what is touched is copied."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.state = facts.state
        self._counters = facts.counters
        self._root_moved = False
        self._touched: dict[TaskKey, TaskFacts | None] = {}
        self._group_moved: dict[TaskKey, MoveTask] = {}
        self.error = ""
        self.changes: list[Change] = []
        self.effects: list[Effect] = []
        self.guards: list[Guard] = []
        self.rules: list[str] = []

    # -- reading

    def task(self, key: TaskKey) -> TaskFacts | None:
        """The task execution, or None when it has ended or never was."""
        return self._touched[key] if key in self._touched else self.facts.tasks.get(key)

    def open_tasks(self) -> list[tuple[TaskKey, TaskFacts]]:
        """Every task execution that has not ended, parents before children."""
        known = {**self.facts.tasks, **self._touched}
        return [(key, task) for key, task in known.items() if task is not None]

    def step(self, key: TaskKey) -> Step:
        return self.facts.steps[key.task_id]

    def node(self, key: TaskKey) -> Node:
        """The node a group runs; that of the flow for the root."""
        return self.facts.flow.root if key == ROOT else self.step(key).node

    def counters(self, key: TaskKey) -> Counters:
        if key == ROOT:
            return self._counters
        task = self.task(key)
        return (task.counters if task else None) or Counters()

    # -- writing

    def rule(self, name: str) -> None:
        self.rules.append(name)

    def open(self, key: TaskKey, parent: TaskKey, state: str, *, group: bool = False, attempt: bool = False) -> None:
        counters = Counters() if group else None
        self._touched[key] = TaskFacts(parent, state, counters, attempt)
        self.changes.append(OpenTask(key, parent, state, counters, attempt))

    def move(self, key: TaskKey, state: str, *, group: bool = False, attempt: bool = False) -> None:
        task = self.task(key)
        if task is None:
            return
        counters = Counters() if group else task.counters
        self._touched[key] = task._replace(state=state, counters=counters, running=task.running or attempt)
        self.changes.append(MoveTask(key, state, counters, attempt, entered=True))

    def set_counters(self, key: TaskKey, counters: Counters) -> None:
        if key == ROOT:
            self._counters, self._root_moved = counters, True
            return
        task = self.task(key)
        if task is None:
            return
        self._touched[key] = task._replace(counters=counters)
        self._group_moved[key] = MoveTask(key, task.state, counters)

    def end(self, key: TaskKey, state: str, error: str = "") -> None:
        self._touched[key] = None
        self.changes.append(EndTask(key, state, error))

    def set_state(self, state: str, error: str = "") -> None:
        self.state, self.error, self._root_moved = state, error or self.error, True

    def decision(self) -> Decision:
        """What was drafted; of a group's counters, and of the execution's state, only the last word."""
        self.changes += [move for key, move in self._group_moved.items() if self._touched[key] is not None]
        if self._root_moved:
            entered = self.state != self.facts.state
            self.changes.append(MoveExecution(self.state, self._counters, self.error, entered))
        return Decision(tuple(self.changes), tuple(self.effects), tuple(self.guards), tuple(self.rules))
