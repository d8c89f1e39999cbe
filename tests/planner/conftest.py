"""An execution that lives in memory only: what the planner decides becomes its facts, at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import define, field

from core.model.decisions import (
    Counters,
    Decision,
    EndTask,
    Evaluate,
    MoveExecution,
    MoveTask,
    OpenTask,
    Remember,
    RunTask,
)  # fmt: skip
from core.model.flow import Flow, FlowOutput
from core.model.messages import Evaluated, Message, Started, TaskEnded, TaskKey
from core.model.nodes import Sequence, Step, Work
from core.planner import Facts, TaskFacts, decide


def work(task_id: str, **settings: object) -> Step:
    return Step(task_id, "debug.Return", Work(), **settings)  # type: ignore[arg-type]


def group(task_id: str, *children: Step, **settings: object) -> Step:
    return Step(task_id, "flow.Sequential", Sequence(children), **settings)  # type: ignore[arg-type]


@define
class Playing:
    """One execution. `tell` decides and applies; ended: (task, state, error) in the order they ended."""

    flow: Flow
    state: str = "CREATED"
    error: str = ""
    counters: Counters = field(factory=Counters)
    tasks: dict[TaskKey, TaskFacts] = field(factory=dict)
    opened: list[TaskKey] = field(factory=list)
    ended: list[tuple[str, str, str]] = field(factory=list)
    remembered: list[Remember] = field(factory=list)
    steps: dict[str, Step] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.steps = {step.id: step for step in self.flow.steps()}

    def facts(self) -> Facts:
        return Facts(self.flow, self.steps, self.state, self.counters, dict(self.tasks))

    def tell(self, message: Message) -> Decision:
        decision = decide(self.facts(), message)
        for change in decision.changes:
            if isinstance(change, OpenTask):
                self.opened.append(change.key)
                self.tasks[change.key] = TaskFacts(change.parent, change.state, change.counters, change.attempt)
            elif isinstance(change, MoveTask):
                task = self.tasks[change.key]
                running = task.running or change.attempt
                self.tasks[change.key] = TaskFacts(task.parent, change.state, change.counters, running)
            elif isinstance(change, EndTask):
                del self.tasks[change.key]
                self.ended.append((change.key.task_id, change.state, change.error))
            elif isinstance(change, MoveExecution):
                self.state, self.counters, self.error = change.state, change.counters, change.error or self.error
            elif isinstance(change, Remember):
                self.remembered.append(change)
        return decision

    def start(self) -> Decision:
        return self.tell(Started())

    def end(self, task_id: str, state: str = "SUCCESS", error: str = "") -> Decision:
        return self.tell(TaskEnded(TaskKey(task_id), state, error))

    def play(
        self, outcome: Callable[[str], tuple[str, str]], answer: Callable[[Evaluate], Evaluated], limit: int = 10_000
    ) -> None:
        """Start it, and do whatever the planner asks for until it asks for nothing more."""
        waiting = list(self.start().effects)
        while waiting and limit:
            limit -= 1
            effect = waiting.pop(0)
            if isinstance(effect, RunTask):
                waiting += self.tell(TaskEnded(effect.key, *outcome(effect.key.task_id))).effects
            elif isinstance(effect, Evaluate):
                waiting += self.tell(answer(effect)).effects


Play = Callable[..., Playing]


@pytest.fixture
def play() -> Play:
    """A flow of some steps, not yet started."""

    def make(*steps: Step, outputs: tuple[FlowOutput, ...] = ()) -> Playing:
        return Playing(Flow("flow", "tests", Sequence(steps), outputs=outputs))

    return make


@pytest.fixture
def task() -> Callable[..., Step]:
    """A task that does work."""
    return work


@pytest.fixture
def sequential() -> Callable[..., Step]:
    """A task that holds others."""
    return group
