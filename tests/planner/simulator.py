"""An execution in memory, with everything around it played: decisions are applied, effects performed in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import attrs
from attrs import define, field

from core.model.data import evolve
from core.model.decisions import (
    ChangeEnd,
    Counters,
    Decision,
    Derive,
    EndTask,
    Evaluate,
    GiveOutput,
    HoldTask,
    KillChild,
    MoveExecution,
    MoveTask,
    OpenTask,
    ReleaseSlot,
    Remember,
    ReopenTask,
    RestartChild,
    RunTask,
    StartChild,
    StopTask,
    WakeAt,
)  # fmt: skip
from core.model.flow import Flow
from core.model.messages import (
    ROOT,
    ChildEnded,
    ChildStarted,
    Due,
    Evaluated,
    EvaluationKey,
    JobRestarted,
    MemberEnded,
    Message,
    Started,
    TaskEnded,
    TaskKey,
    TasksEnded,
)  # fmt: skip
from core.model.nodes import Call, Group, Work
from core.model.state import ENDED
from core.planner import Facts, PastTask, TaskFacts, apply, decide, is_over, pending
from core.planner.applied import keep
from core.planner.facts import ITERATION, KEPT
from core.planner.groups import LATER

Choose = Callable[[list[Any]], Any]


@define
class Row:
    """What a store would know of a task execution."""

    parent: TaskKey
    state: str
    counters: Counters | None
    history: list[str]
    attempts: int = 0
    due_at: int = 0
    error: str = ""
    output: dict[str, Any] = field(factory=dict)
    warning: str = ""


@define
class World:
    """choose picks one of several possibilities; outcome(key) and answer(evaluate) say what tasks and templates give.

    log holds every message with the time it was told at; peak the most children that each group had open at once.
    """

    flow: Flow
    choose: Choose
    outcome: Callable[[TaskKey], str]
    answer: Callable[[Evaluate], Evaluated]
    state: str = "CREATED"
    error: str = ""
    states: list[str] = field(factory=list)
    counters: Counters = field(factory=Counters)
    tasks: dict[TaskKey, TaskFacts] = field(factory=dict)
    answers: dict[EvaluationKey, tuple[Any, str]] = field(factory=dict)
    record: dict[EvaluationKey, tuple[Any, str]] = field(factory=dict)
    rows: dict[TaskKey, Row] = field(factory=dict)
    todo: list[Message] = field(factory=list)
    timers: list[tuple[int, TaskKey]] = field(factory=list)
    effects: list[Any] = field(factory=list)
    derived: list[Derive] = field(factory=list)
    log: list[tuple[int, Message]] = field(factory=list)
    rules: list[str] = field(factory=list)
    peak: dict[TaskKey, int] = field(factory=dict)
    slot_free: bool = True
    attempt: int = 1
    now: int = 1_000_000
    check: bool = False
    steps: dict[str, Any] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.steps = {step.id: step for step in self.flow.steps()}

    def facts(self, **more: Any) -> Facts:
        return Facts(self.flow, self.steps, self.state, self.counters, dict(self.tasks), self.now, "seed",
                     dict(self.record if more else self.answers), self.slot_free, self.attempt, 0, **more)  # fmt: skip

    def past(self, stale: Iterable[TaskKey] = ()) -> tuple[PastTask, ...]:
        marked = set(stale)
        return tuple(PastTask(key, row.parent, row.state, row.counters, key in marked, row.attempts)
                     for key, row in self.rows.items())  # fmt: skip

    # -- several messages

    def tell_together(self, keys: list[TaskKey]) -> None:
        """Work that has succeeded, in one decision; checked to be what it would be in one decision for each."""
        apart = deepcopy(self)
        for key in keys:
            apart.tell(TaskEnded(key, "SUCCESS"))
        self.tell(TasksEnded(keys))
        assert (self.state, self.counters, self.error) == (apart.state, apart.counters, apart.error)
        assert self._known() == apart._known()
        assert self.tasks == apart.tasks
        assert self.record == apart.record
        assert self.effects == apart.effects

    def _known(self) -> list[Any]:
        """The rows, without where groups stood that have ended: the decision that ends one does not write that."""
        return [(key, attrs.evolve(row, counters=None) if row.state in ENDED else row) for key, row in self.rows.items()]

    # -- one message

    def tell(self, message: Message, **more: Any) -> Decision:
        facts = self.facts(**more)
        before = repr(facts.tasks) + repr(facts.counters) if self.check else ""
        decision = decide(facts, message)
        if self.check:
            assert repr(facts.tasks) + repr(facts.counters) == before, "deciding changed the facts"
            assert decide(facts, message) == decision, "deciding twice gives two decisions"
        self.log.append((self.now, message))
        self.rules += decision.rules
        for change in deepcopy(decision.changes) if self.check else decision.changes:  # a store keeps what it was told
            self._write(change)
        apply(decision, self.tasks, self.answers, self.now)
        self._recall()
        for key, task in self.tasks.items():
            row = self.rows[key]
            known = (row.parent, row.state, row.counters, row.attempts, row.due_at)
            assert known == (task.parent, task.state, task.counters, task.attempts, task.due_at), (
                "rows differ from facts"
            )
        for effect in decision.effects:
            self.effects.append(effect)
            self._perform(effect)
        self._watch()
        return decision

    def _recall(self) -> None:
        """What the store keeps of evaluations of open tasks is at hand, also for one that was opened again."""
        assert all(key.task in self.tasks for key in self.answers), "answers of what has ended are still at hand"
        for key, answer in self.record.items():
            if key.task in self.tasks and key.purpose.startswith((ITERATION, *KEPT)):
                if key not in self.answers:
                    keep(self.answers, key, answer)
                assert self.answers[key] == answer

    def _write(self, change: Any) -> None:
        if isinstance(change, OpenTask):
            assert change.key not in self.rows, f"{change.key} was opened before"
            states = ["CREATED"] if change.state == "CREATED" else ["CREATED", change.state]
            self.rows[change.key] = Row(change.parent, change.state, change.counters, states, int(change.attempt))
        elif isinstance(change, MoveTask):
            row = self.rows[change.key]
            assert change.key in self.tasks or row.state, "moved, but never opened"
            row.counters = change.counters
            row.attempts += change.attempt
            if change.entered:
                row.state, row.due_at = change.state, change.due_at
                row.history.append(change.state)
        elif isinstance(change, HoldTask):
            self.rows[change.key].due_at = change.due_at
        elif isinstance(change, EndTask):
            row = self.rows[change.key]
            row.state, row.error, row.warning, row.due_at = change.state, change.error, change.warning, 0
            assert change.state in ENDED, change
            row.history.append(change.state)
        elif isinstance(change, ReopenTask):
            row = self.rows[change.key]
            row.state, row.counters, row.attempts = change.state, change.counters, change.attempts
            row.history += ["RESTARTED", change.state]
        elif isinstance(change, ChangeEnd):
            self.rows[change.key].state = change.state
        elif isinstance(change, GiveOutput):
            self.rows[change.key].output = dict(change.output)
        elif isinstance(change, Remember):
            if change.key.purpose.startswith(ITERATION):
                assert change.key not in self.record, f"{change.key} was recorded before"
            self.record[change.key] = (change.value, change.error)
        elif isinstance(change, Derive):
            self.derived.append(change)
        elif isinstance(change, MoveExecution):
            self.state, self.counters, self.error = change.state, change.counters, change.error or self.error
            if change.entered:
                self.states += [*change.through.split(), change.state]

    def _perform(self, effect: Any) -> None:
        if isinstance(effect, RunTask):
            node = self.steps[effect.key.task_id].node
            result = self.outcome(effect.key)
            if isinstance(node, Group):
                for step in node.children:
                    if not step.disabled:
                        member = self.outcome(TaskKey(step.id, effect.key.path, 0))
                        self.todo.append(MemberEnded(effect.key, step.id, member))
                        if member == "FAILED" and not step.allow_failure:
                            result = "FAILED"
                            break
                else:
                    result = "SUCCESS"
                self.todo.append(TaskEnded(effect.key, result))
            else:
                self.todo.append(TaskEnded(effect.key, result))
        elif isinstance(effect, Evaluate):
            self.todo.append(self.answer(effect))
        elif isinstance(effect, WakeAt):
            self.timers.append((effect.due_at, effect.key))
        elif isinstance(effect, StartChild):
            self.todo.append(ChildStarted(effect.key, effect.index, f"child-{effect.index}"))
            self.todo.append(
                ChildEnded(effect.key, f"child-{effect.index}", self.outcome(effect.key), "", effect.index)
            )
        elif isinstance(effect, RestartChild):
            times = self.rows[effect.key].counters.round  # type: ignore[union-attr]
            self.todo += [ChildEnded(effect.key, "", self.outcome(effect.key), "", at) for at in range(times)]
        else:
            assert isinstance(effect, (StopTask, KillChild, ReleaseSlot))

    # -- many

    def start(self) -> Decision:
        return self.tell(Started())

    def end(self, task_id: str, state: str = "SUCCESS", *path: str, turn: int = 0, error: str = "") -> Decision:
        key = TaskKey(task_id, path, turn)
        self.todo = [one for one in self.todo if not (isinstance(one, TaskEnded) and one.key == key)]
        return self.tell(TaskEnded(key, state, error))

    def over(self) -> bool:
        return is_over(self.state, self.counters.phase)

    def play(self, limit: int = 20_000) -> World:
        """Let happen what can happen by itself, in the order `choose` picks."""
        while (self.todo or self.timers) and limit and not self.over():
            limit -= 1
            if self.todo:
                at = self.choose(list(range(len(self.todo))))
                if isinstance(self.todo[at], (TaskEnded, MemberEnded)):  # the words of one job keep their order
                    group = getattr(self.todo[at], "group", None) or self.todo[at].key  # type: ignore[union-attr]
                    at = next(i for i, one in enumerate(self.todo)
                              if (isinstance(one, MemberEnded) and one.group == group)
                              or (isinstance(one, TaskEnded) and one.key == group))  # fmt: skip
                together = self._plain_ends() if self.check and isinstance(self.todo[at], TaskEnded) else []
                if len(together) > 1:
                    self.todo = [one for one in self.todo if getattr(one, "key", None) not in together]
                    self.tell_together(together)
                else:
                    self.tell(self.todo.pop(at))
            else:
                self.timers.sort()
                due_at, key = self.timers.pop(0)
                self.now = max(self.now, due_at)
                self.tell(Due(key))
            self.now += 1
        assert limit, "it never ends"
        return self

    def _plain_ends(self) -> list[TaskKey]:
        """What an engine would tell together; none while the execution is held or ends."""
        if self.state != "RUNNING" or self.counters.note:
            return []
        return [one.key for one in self.todo if isinstance(one, TaskEnded) and one.state == "SUCCESS"
                and isinstance(self.steps[one.key.task_id].node, Work)]  # fmt: skip

    def _watch(self) -> None:
        open_children: dict[TaskKey, int] = {}
        for task in self.tasks.values():
            waits = task.counters is not None and task.counters.phase == LATER
            open_children[task.parent] = open_children.get(task.parent, 0) + (not waits)
        for key, number in open_children.items():
            self.peak[key] = max(self.peak.get(key, 0), number)
            assert key == ROOT or key in self.tasks, f"{key} ended before its children"

    def crash(self) -> None:
        """Another owner goes on from the rows: what was on its way is lost and comes from `pending`."""
        self.todo.clear()
        self.timers.clear()
        self.tasks = {
            key: TaskFacts(row.parent, row.state, row.counters, self._runs(key, row), row.attempts, 0, row.due_at)
            for key, row in self.rows.items() if row.state not in ENDED
        }  # fmt: skip
        for effect in pending(self.facts()):
            if isinstance(effect, RunTask):
                if isinstance(self.steps[effect.key.task_id].node, Group):
                    self.tell(JobRestarted(effect.key))
                self.tasks[effect.key] = evolve(self.tasks[effect.key], running=True)
            elif isinstance(effect, StopTask):
                self.todo.append(TaskEnded(effect.key, "KILLED"))
            self._perform(effect)

    def _runs(self, key: TaskKey, row: Row) -> bool:
        """Whether an attempt of it has not ended."""
        work = isinstance(self.steps[key.task_id].node, (Work, Call))
        return row.state == "KILLING" or (row.state == "RUNNING" and work and not row.due_at)

    # -- looking

    def ran(self) -> list[str]:
        """task[@path][#turn]=state, in the order in which they were opened."""
        return [f"{key.task_id}{'@' + '/'.join(key.path) if key.path else ''}{f'#{key.turn}' if key.turn else ''}"
                f"={row.state}" for key, row in self.rows.items()]  # fmt: skip
