"""What a change means for the facts: in a decision that is being made, and once it is committed."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from core.model.decisions import Decision, EndTask, HoldTask, MoveTask, OpenTask, Remember, ReopenTask
from core.model.messages import EvaluationKey, TaskKey
from core.planner.facts import ITERATION, KEPT, TaskFacts

Tasks = MutableMapping[TaskKey, TaskFacts]
Answers = MutableMapping[EvaluationKey, tuple[Any, str]]
_OF_ITERATIONS = "of iterations"
"""Under it the keys of what is known of a loop's iterations, to be forgotten with it."""


def apply(decision: Decision, tasks: Tasks, answers: Answers, now: int) -> None:
    """Make a committed decision true for the facts of the next one; state and root counters are the caller's."""
    for change in decision.changes:  # not isinstance, which takes twice as long to say no
        if type(change) is EndTask:
            ended = tasks.pop(change.key, None)
            if ended is not None and ended.counters is not None and answers:
                _forget(change.key, answers)
        elif type(change) is OpenTask:
            tasks[change.key] = opened(change, now)
        elif type(change) is MoveTask:
            task = tasks.get(change.key)
            if task is not None:
                move(task, change, now)
        elif type(change) is HoldTask:
            task = tasks.get(change.key)
            if task is not None:
                hold(task, change)
        elif type(change) is ReopenTask:
            tasks[change.key] = reopened(change, now)
        elif type(change) is Remember and change.key.task in tasks:
            keep(answers, change.key, (change.value, change.error))


def keep(answers: Answers, key: EvaluationKey, answer: tuple[Any, str]) -> None:
    """Have an answer at hand while its task is open, if it is one that is read again."""
    if key.purpose in KEPT:
        answers[key] = answer
    elif key.purpose.startswith(ITERATION):
        answers[key] = answer
        answers.setdefault(EvaluationKey(key.task, _OF_ITERATIONS), ([], ""))[0].append(key)


def _forget(group: TaskKey, answers: Answers) -> None:
    for purpose in KEPT:
        answers.pop(EvaluationKey(group, purpose), None)
    for key in answers.pop(EvaluationKey(group, _OF_ITERATIONS), ((), ""))[0]:
        answers.pop(key, None)


def opened(change: OpenTask, now: int) -> TaskFacts:
    attempt = change.attempt
    return TaskFacts(change.parent, change.state, change.counters, attempt, int(attempt), now, 0, change.iteration)


def reopened(change: ReopenTask, now: int) -> TaskFacts:
    return TaskFacts(
        change.parent, change.state, change.counters, change.attempt, change.attempts, now, 0, change.iteration
    )


def move(task: TaskFacts, change: MoveTask, now: int) -> None:
    task.state, task.counters = change.state, change.counters
    if change.entered:
        task.due_at = change.due_at
    if change.attempt_ended:
        task.running = False
    if change.attempt:
        task.running = True
        task.since = task.since if task.attempts else now
        task.attempts += 1


def hold(task: TaskFacts, change: HoldTask) -> None:
    task.running, task.due_at = not change.due_at, change.due_at
