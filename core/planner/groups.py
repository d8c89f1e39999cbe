"""How a group runs its children: one set of rules per node, over the counters on the group's row."""

from __future__ import annotations

from core.errors import Invalid
from core.model.decisions import Counters, Evaluate, RunTask
from core.model.messages import ROOT, EvaluationKey, TaskKey
from core.model.nodes import Sequence, Step, Work
from core.model.truth import truthy
from core.planner.draft import Draft

RUN_IF = "run_if"
_SEVERITY = {"SKIPPED": 0, "SUCCESS": 0, "PAUSED": 1, "WARNING": 2, "FAILED": 3, "KILLED": 4}


def begin(draft: Draft, key: TaskKey) -> str | None:
    """Run what stands behind an open row. The state it ended in at once, or None while something runs."""
    node = draft.node(key)
    if isinstance(node, Work):
        draft.move(key, "RUNNING", attempt=True)
        draft.effects.append(RunTask(key))
        return None
    if key != ROOT:
        draft.move(key, "RUNNING", group=True)
    return _advance(draft, key)


def child_ended(draft: Draft, parent: TaskKey, state: str) -> None:
    """Tell a group that one of its children is over; a group that ends so tells its own parent."""
    while True:
        counters = draft.counters(parent)
        cursor, running, worst, phase = counters
        draft.set_counters(parent, Counters(cursor, running - 1, _worse(worst, state), phase))
        if draft.state != "RUNNING":
            return
        above = None if parent == ROOT else draft.task(parent)
        ended = _advance(draft, parent)
        if ended is None or above is None:
            return
        parent, state = above.parent, ended


def end_task(draft: Draft, key: TaskKey, state: str, error: str = "") -> str:
    """Close a task execution in the state that its `allowFailure` and `allowWarning` leave it in."""
    step = draft.step(key)
    if state == "FAILED" and step.allow_failure:
        draft.rule("allowFailure")
        state = "WARNING"
    if state == "WARNING" and step.allow_warning:
        draft.rule("allowWarning")
        state = "SUCCESS"
    draft.end(key, state, error)
    return state


def _advance(draft: Draft, key: TaskKey) -> str | None:
    """Open the group's next children. The state the group ended in, or None while something of it runs."""
    node = draft.node(key)
    if not isinstance(node, Sequence):
        raise Invalid(f"tasks shaped as {type(node).__name__} can't run in this version", where=key.task_id)
    counters = draft.counters(key)
    cursor, worst = counters.cursor, counters.worst
    while cursor < len(node.children) and _SEVERITY[worst] < _SEVERITY["FAILED"]:
        step = node.children[cursor]
        cursor += 1
        if step.disabled:
            continue
        ended = _open(draft, step, key)
        if ended is None:
            draft.set_counters(key, Counters(cursor, 1, worst, counters.phase))
            return None
        worst = _worse(worst, ended)
    return _close(draft, key, worst)


def _open(draft: Draft, step: Step, parent: TaskKey) -> str | None:
    """Open a child. The state it ended in at once, or None while it runs or waits for an answer."""
    key = TaskKey(step.id, parent.path, parent.turn)
    condition = step.run_if
    if condition is not None and "{" in condition:
        draft.open(key, parent, "CREATED")
        draft.effects.append(Evaluate(EvaluationKey(key, RUN_IF), condition))
        return None
    if condition is not None and not truthy(condition):
        draft.open(key, parent, "CREATED")
        return end_task(draft, key, "SKIPPED")
    if isinstance(step.node, Work):
        draft.open(key, parent, "RUNNING", attempt=True)
        draft.effects.append(RunTask(key))
        return None
    draft.open(key, parent, "RUNNING", group=True)
    return _advance(draft, key)


def _close(draft: Draft, key: TaskKey, worst: str) -> str:
    if key == ROOT:
        draft.set_counters(ROOT, draft.counters(ROOT)._replace(running=0, worst=worst, phase="finished"))
        return worst
    return end_task(draft, key, worst)


def _worse(one: str, other: str) -> str:
    """The graver of two ends; SKIPPED counts as nothing."""
    return other if _SEVERITY[other] > _SEVERITY[one] else one
