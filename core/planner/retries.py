"""When a failed task runs again: its own retry, else that of the closest group around it, else the flow's."""

from __future__ import annotations

from binascii import crc32

from core.model.decisions import WakeAt
from core.model.messages import ROOT, TaskKey
from core.model.nodes import Retry
from core.planner.draft import Draft
from core.planner.facts import TaskFacts
from core.planner.groups import begin

NEW_EXECUTION = "CREATE_NEW_EXECUTION"
RETRIED = "retried"


def retry_of(draft: Draft, key: TaskKey, task: TaskFacts) -> Retry | None:
    """The retry that applies. `allowFailure` and `warningOnRetry` wait for a task's own retry only (the reference)."""
    step = draft.step(key)
    if step.retry is not None or step.allow_failure:
        return step.retry
    parent = task.parent
    while parent != ROOT:
        above = draft.task(parent)
        retry = draft.step(parent).retry
        if retry is not None or above is None:
            return retry
        parent = above.parent
    return draft.facts.flow.retry


def retry_later(draft: Draft, key: TaskKey, task: TaskFacts, error: str) -> bool:
    """After a failure: whether the task will run again. If so it now waits for that, in state RETRYING."""
    retry = retry_of(draft, key, task)
    if retry is None:
        return False
    anew = retry.behavior == NEW_EXECUTION
    if anew and draft.counters(ROOT).phase == "after":
        return False
    attempts, since = (draft.facts.attempt, draft.facts.began_at) if anew else (task.attempts, task.since)
    due_at = draft.facts.now + delay(retry, attempts, draft.facts.seed, key)
    if retry.max_attempts is not None and attempts >= retry.max_attempts:
        draft.rule("no attempt left")
        return False
    if retry.max_duration is not None and due_at > since + retry.max_duration:
        draft.rule("no time left for a retry")
        return False
    draft.move(key, "RETRYING", attempt_ended="FAILED", error=error, due_at=due_at)
    if anew:
        draft.rule("retry in a new execution")
        draft.note(RETRIED)
    else:
        draft.rule("retry later")
        draft.effects.append(WakeAt(key, due_at))
    return True


def run_again(draft: Draft, key: TaskKey) -> str | None:
    """The next attempt begins."""
    return begin(draft, key)


def after_retries(draft: Draft, key: TaskKey, task: TaskFacts, state: str) -> str:
    """`warningOnRetry`: success from the third attempt on is a warning (the reference counts earlier retries > 1)."""
    retry = draft.step(key).retry
    if state == "SUCCESS" and retry is not None and retry.warning_on_retry and task.attempts > 2:
        draft.rule("warningOnRetry")
        return "WARNING"
    return state


def delay(retry: Retry, attempts: int, seed: str, key: TaskKey) -> int:
    """Microseconds until the next attempt, after `attempts` of them; random ones follow from the seed and the key."""
    if retry.kind == "exponential":
        try:
            span = retry.interval * retry.delay_factor ** (attempts - 1)
        except OverflowError:
            span = float("inf")
        longest = retry.max_interval
        return int(span if longest is None else min(span, longest)) if span < 1e18 else longest or 10**18
    if retry.kind == "random":
        longest = retry.min_interval if retry.max_interval is None else retry.max_interval
        fraction = crc32(repr((seed, key, attempts)).encode()) / 2**32
        return retry.min_interval + int((longest - retry.min_interval) * fraction)
    return retry.interval
