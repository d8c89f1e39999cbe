"""From rows and decisions to facts: how a committed decision changes them, and what a new owner has to do again."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from core.model.decisions import (
    Decision,
    Effect,
    EndTask,
    HoldTask,
    MoveTask,
    OpenTask,
    Remember,
    ReopenTask,
    RunTask,
    WakeAt,
)  # fmt: skip
from core.model.messages import EvaluationKey, TaskKey
from core.model.nodes import Group, Work
from core.planner.draft import Draft
from core.planner.ends import OUTPUTS, PROMISES, ask_outputs, ask_promises, is_over
from core.planner.facts import KEPT, Facts, TaskFacts, listener_asked
from core.planner.groups import RUN_IF, is_member
from core.planner.kinds import kind_of

Tasks = MutableMapping[TaskKey, TaskFacts]
Answers = MutableMapping[EvaluationKey, tuple[Any, str]]


def apply(decision: Decision, tasks: Tasks, answers: Answers, now: int) -> None:
    """Make a committed decision true for the facts of the next one; state and root counters are the caller's."""
    for change in decision.changes:
        rule = _APPLIED.get(type(change))
        if rule is not None:
            rule(change, tasks, answers, now)


def _open(change: OpenTask, tasks: Tasks, answers: Answers, now: int) -> None:
    tasks[change.key] = TaskFacts(
        change.parent, change.state, change.counters, change.attempt, int(change.attempt), now, 0, change.iteration
    )


def _reopen(change: ReopenTask, tasks: Tasks, answers: Answers, now: int) -> None:
    tasks[change.key] = TaskFacts(
        change.parent, change.state, change.counters, change.attempt, change.attempts, now, 0, change.iteration
    )


def _move(change: MoveTask, tasks: Tasks, answers: Answers, now: int) -> None:
    task = tasks.get(change.key)
    if task is None:
        return
    running = change.attempt or (task.running and not change.attempt_ended)
    due_at = change.due_at if change.entered else task.due_at
    since = now if change.attempt and not task.attempts else task.since
    tasks[change.key] = TaskFacts(
        task.parent, change.state, change.counters, running, task.attempts + change.attempt, since, due_at,
        task.iteration,
    )  # fmt: skip


def _hold(change: HoldTask, tasks: Tasks, answers: Answers, now: int) -> None:
    if change.key in tasks:
        tasks[change.key] = tasks[change.key]._replace(running=not change.due_at, due_at=change.due_at)


def _end(change: EndTask, tasks: Tasks, answers: Answers, now: int) -> None:
    ended = tasks.pop(change.key, None)
    if answers and ended is not None and ended.counters is not None:
        for purpose in KEPT:
            answers.pop(EvaluationKey(change.key, purpose), None)


def _remember(change: Remember, tasks: Tasks, answers: Answers, now: int) -> None:
    if change.key.purpose in KEPT and change.key.task in tasks:
        answers[change.key] = (change.value, change.error)


_APPLIED: dict[type, Callable[[Any, Tasks, Answers, int], None]] = {
    OpenTask: _open,
    ReopenTask: _reopen,
    MoveTask: _move,
    HoldTask: _hold,
    EndTask: _end,
    Remember: _remember,
}


def pending(facts: Facts) -> tuple[Effect, ...]:
    """What a new owner has to perform: every effect that was committed and may not have been performed.

    Doing one twice is harmless: an evaluation that is on record is answered from it, a child execution that exists is
    not created again, an attempt keeps its number.
    """
    draft = Draft(facts, kind_of)
    if is_over(facts.state, facts.counters.phase):
        return ()
    for key, task in facts.tasks.items():
        step = facts.steps[key.task_id]
        if task.due_at:
            draft.effects.append(WakeAt(key, task.due_at))
        elif task.state == "CREATED" and step.run_if is not None:
            draft.ask(EvaluationKey(key, RUN_IF), step.run_if)
        elif isinstance(step.node, (Work, Group)):
            if task.state == "RUNNING" and not is_member(draft, key, task) and draft.counters(key).phase == "tasks":
                draft.effects.append(RunTask(key))
        elif task.attempts or draft.counters(key).phase == "asking":
            shape: type = type(step.node)
            ask = kind_of(shape).ask
            if ask is not None and task.state == "RUNNING":
                ask(draft, key, step.node)
    root, listener = facts.counters, listener_asked(facts)
    if listener is not None:
        draft.ask(EvaluationKey(listener, RUN_IF), facts.steps[listener.task_id].run_if)
    elif root.phase == OUTPUTS:
        ask_outputs(draft)
    elif root.phase == PROMISES:
        ask_promises(draft)
    return tuple(draft.effects)
