"""The planner: `decide(facts, message)` says what becomes of an execution now. Pure and total."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from core.model.decisions import Decision, OpenTask
from core.model.messages import (
    ROOT,
    EndRequested,
    Evaluated,
    KillRequested,
    Message,
    RestartRequested,
    Started,
    TaskEnded,
    TasksEnded,
)  # fmt: skip
from core.model.nodes import Step, Work
from core.model.state import ENDED
from core.model.truth import truthy
from core.planner.draft import Draft
from core.planner.ends import ask_end, end_requested, finish, flow_answered, kill, stopped_as
from core.planner.facts import Facts, listener_asked
from core.planner.groups import RUN_IF, begin, child_ended, end_task, open_step, settle, skip
from core.planner.kinds import kind_of
from core.planner.retries import after_retries, retry_later
from core.planner.starts import start


def decide(facts: Facts, message: Message) -> Decision:
    """What changes, what is to be done after the commit, and which rules said so.

    A message that no longer matters (a late result, a kill of what has ended) decides nothing.
    """
    draft = Draft(facts, kind_of)
    if facts.state in ENDED and facts.counters.phase != "after" and type(message) is not RestartRequested:
        draft.rule("already ended")
        return draft.decision()
    kind: type = type(message)
    rule = _rule_of(kind)
    if rule is None:
        draft.rule(f"nothing waits for {type(message).__name__}")
    else:
        rule(draft, message)
    finish(draft)
    return draft.decision()


def _task_ended(draft: Draft, message: TaskEnded) -> None:
    key, state = message.key, message.state
    task = draft.facts.tasks.get(key)
    if task is None or (task.state == "RETRYING" and not task.running):
        draft.rule("late result")
        return
    draft.rule("task ended")
    if message.exit and not draft.halted and draft.counters(ROOT).phase != "after":
        draft.end(key, message.exit, message.error)
        ask_end(draft, message.exit)
        child_ended(draft, key, task.parent, message.exit)
        return
    node: Any = draft.facts.steps[key.task_id].node
    if type(node) is not Work:
        ended = draft.kind(type(node)).ended
        if ended is None:
            draft.rule("no job of its own")
        else:
            settle(draft, key, ended(draft, key, node, state, message.error))
        return
    if state == "KILLED" and draft.halted:
        state = stopped_as(draft, task)
        draft.end(key, state, message.error)
        child_ended(draft, key, task.parent, state)
        return
    if state == "FAILED" and not draft.halted and retry_later(draft, key, task, message.error):
        return
    if task.attempts > 2:
        state = after_retries(draft, key, task, state)
    child_ended(draft, key, task.parent, end_task(draft, key, state, message.error))


def _tasks_ended(draft: Draft, message: TasksEnded) -> None:
    """One decision for all: what each of them touches is copied, counted and written once."""
    draft.rule("tasks ended")
    for key in message.keys:
        task = draft.task(key)
        if task is None or (task.state == "RETRYING" and not task.running):
            draft.rule("late result")
            continue
        state = after_retries(draft, key, task, "SUCCESS") if task.attempts > 2 else "SUCCESS"
        child_ended(draft, key, task.parent, end_task(draft, key, state))


def _evaluated(draft: Draft, message: Evaluated) -> None:
    key = message.key
    if key.task == ROOT:
        flow_answered(draft, message)
        return
    task = draft.task(key.task)
    if key.purpose == RUN_IF:
        _run_if_known(draft, message)
    elif task is None or (draft.halted and not task.running):
        draft.remember(key, message.value, message.error)
        draft.rule("late answer")
    else:
        node = draft.node(key.task)
        answered = None if type(node) is Work else draft.kind(type(node)).answered
        if answered is None:
            draft.rule("nobody asked")
        else:
            settle(draft, key.task, answered(draft, key.task, node, message))


def _run_if_known(draft: Draft, message: Evaluated) -> None:
    key = message.key.task
    draft.remember(message.key, message.value, message.error)
    task = draft.task(key)
    if task is None and key == listener_asked(draft.facts) and not draft.halted:
        _listener_known(draft, message, draft.step(key))
    elif task is None or task.state != "CREATED" or draft.halted:
        draft.rule("late runIf")
    elif message.error:
        draft.rule("runIf can't be rendered")
        settle(draft, key, end_task(draft, key, "FAILED", message.error))
    elif not truthy(None if message.value is None else str(message.value)):
        draft.rule("runIf is false")
        settle(draft, key, skip(draft, key))
    else:
        draft.rule("runIf is true")
        settle(draft, key, begin(draft, key))


def _listener_known(draft: Draft, message: Evaluated, step: Step) -> None:
    """A task of a listener begins to exist only when its conditions are met."""
    key = message.key.task
    if not message.error and not truthy(None if message.value is None else str(message.value)):
        draft.rule("a listener's conditions are not met")
        child_ended(draft, key, ROOT, "SKIPPED")
        return
    draft.rule("a listener")
    if message.error:
        draft.open(OpenTask(key, ROOT, "CREATED"))
        child_ended(draft, key, ROOT, end_task(draft, key, "FAILED", message.error))
        return
    ended = open_step(draft, step, ROOT, key.path, key.turn, heard=True)
    if ended is not None:
        child_ended(draft, key, ROOT, ended)


_RULES: dict[type, Callable[[Draft, Any], None]] = {
    TaskEnded: _task_ended,
    TasksEnded: _tasks_ended,
    Evaluated: _evaluated,
    Started: start,
    KillRequested: kill,
    EndRequested: end_requested,
}
_SELDOM = {
    "Due": "waits.due", "PauseRequested": "waits.pause", "ResumeRequested": "waits.resume",
    "ForceRunRequested": "queued.force_run", "SlotFree": "queued.slot_free", "RestartRequested": "restart.restart",
    "TaskWaits": "waits.task_waits", "MemberStarted": "calls.member_started", "MemberEnded": "calls.member_ended",
    "JobRestarted": "calls.job_restarted", "ChildStarted": "calls.child_started", "ChildEnded": "calls.call_ended",
}  # fmt: skip


@lru_cache
def _rule_of(message: type) -> Callable[[Draft, Any], None] | None:
    """What decides this message; seldom ones are imported when the first arrives."""
    if message in _RULES or message.__name__ not in _SELDOM:
        return _RULES.get(message)
    module, name = _SELDOM[message.__name__].split(".")
    rule: Callable[[Draft, Any], None] = getattr(import_module(f"core.planner.{module}"), name)
    return rule
