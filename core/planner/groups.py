"""What all groups share: how a child is opened and ends, and the blocks that follow the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.model.decisions import Counters, OpenTask, RunTask
from core.model.messages import ROOT, EvaluationKey, TaskKey
from core.model.nodes import Call, Children, Choice, Dag, Each, Group, Policy, Step, Wait, Work, children_of
from core.model.truth import truthy
from core.planner.draft import Draft, Kind
from core.planner.facts import PastTask, TaskFacts

RUN_IF = "run_if"
WINDOW = 1000
"""How many children are open at once where the author sets no limit."""

WHY = "!"
"""Begins the note of a group that failed by itself; the rest says why."""
WARNS = "?"
"""Begins the note of a group that ends early, and well; the rest goes into its log as a warning."""

FATAL = frozenset({"FAILED", "KILLED"})
_SEVERITY = {"SKIPPED": 0, "SUCCESS": 0, "WARNING": 2, "FAILED": 3, "CANCELLED": 4, "KILLED": 5}
_ASKING = frozenset({"asking", "storing"})
_BLOCKS = frozenset({"errors", "finally", "after"})
LATER = "later"
"""Phase of a group that a restart has opened and whose turn has not come; see `go_on_or_open`."""


def worse(one: str, other: str) -> str:
    """The graver of two ends; SKIPPED counts as nothing."""
    return other if _SEVERITY[other] > _SEVERITY[one] else one


# -- a child


def open_step(
    draft: Draft, step: Step, parent: TaskKey, path: tuple[str, ...], turn: int, iteration: int | None = None,
    heard: bool = False,
) -> str | None:  # fmt: skip
    """Open a child. The state it ended in at once, or None while it runs or waits for an answer.

    heard: its `runIf` was asked before.
    """
    key = TaskKey(step.id, path, turn)
    if draft.held:
        draft.rule("opened while paused")
        draft.open(OpenTask(key, parent, "QUEUED", iteration=iteration))
        return None
    condition = step.run_if
    if condition is not None and not heard:
        asked = "{" in condition
        if step.listens and asked:
            draft.ask(EvaluationKey(key, RUN_IF), condition)
            return None
        if asked or not truthy(condition):
            draft.open(OpenTask(key, parent, "CREATED", iteration=iteration))
            if not asked:
                return skip(draft, key)
            draft.ask(EvaluationKey(key, RUN_IF), condition)
            return None
    if type(step.node) is Work:
        draft.open(OpenTask(key, parent, "RUNNING", None, True, iteration))
        draft.effects.append(RunTask(key))
        return None
    kind = draft.kind(type(step.node))
    draft.open(OpenTask(key, parent, "RUNNING", Counters(turn=turn), kind.attempt, iteration))
    return kind.start(draft, key, step.node)


def go_on_or_open(draft: Draft, step: Step, parent: TaskKey, path: tuple[str, ...], turn: int) -> str | None:
    """As `open_step`, where a restart may have opened groups whose turn comes now. Their parent has, above the bits of
    its children in `done`, one more that says so.
    """
    for key, task in draft.open_tasks():
        if task.parent == parent and key.task_id == step.id and draft.counters(key).phase == LATER:
            draft.count(key).phase = "tasks"
            return advance(draft, key)
    return open_step(draft, step, parent, path, turn)


def _close_later(draft: Draft, parent: TaskKey) -> None:
    """Groups whose turn never came are as they were."""
    for key, task in list(draft.open_tasks()):
        if task.parent == parent and draft.counters(key).phase == LATER:
            _close_later(draft, key)
            draft.end(key, draft.counters(key).worst)


def begin(draft: Draft, key: TaskKey) -> str | None:
    """Run what stands behind a row that was opened before. The state it ended in at once, or None."""
    node = draft.node(key)
    if isinstance(node, Work):
        draft.move(key, "RUNNING", attempt=True)
        draft.effects.append(RunTask(key))
        return None
    kind = draft.kind(type(node))
    draft.move(key, "RUNNING", group=True, attempt=kind.attempt)
    return kind.start(draft, key, node)


def begin_queued(draft: Draft, key: TaskKey) -> str | None:
    """Begin a child that was opened while the execution was paused."""
    condition = draft.step(key).run_if
    if condition is not None and "{" in condition:
        draft.move(key, "CREATED")
        draft.ask(EvaluationKey(key, RUN_IF), condition)
        return None
    if condition is not None and not truthy(condition):
        return skip(draft, key)
    return begin(draft, key)


def skip(draft: Draft, key: TaskKey) -> str:
    """End what its `runIf` leaves out; of a Call, and of what changes the execution, an attempt says so (1.x)."""
    node = draft.node(key)
    if isinstance(node, Call) or (isinstance(node, Work) and node.updates):
        draft.move(key, "CREATED", attempt=True, entered=False)
    return end_task(draft, key, "SKIPPED")


def end_task(draft: Draft, key: TaskKey, state: str, error: str = "", warning: str = "") -> str:
    """Close a task execution in the state that its `allowFailure` and `allowWarning` leave it in."""
    if state == "FAILED" and draft.step(key).allow_failure:
        draft.rule("allowFailure")
        state = "WARNING"
    if state == "WARNING" and draft.step(key).allow_warning:
        draft.rule("allowWarning")
        state = "SUCCESS"
    draft.end(key, state, error, warning)
    return state


def child_ended(draft: Draft, child: TaskKey, parent: TaskKey, state: str) -> None:
    """Tell a group that one of its children is over; a group that ends so tells its own parent."""
    while True:
        node: Any = draft.node(parent)
        group = draft.count(parent)
        group.running -= 1
        if state != "SUCCESS" and group.phase == "tasks" and not _is_on_pause(node, child):
            group.worst = worse(group.worst, state)
        if draft.halted:
            return
        above = draft.task(parent)
        ended = _advance(draft, parent, node, group.phase, child)
        if ended is None or above is None:
            return
        child, parent, state = parent, above.parent, ended


def settle(draft: Draft, key: TaskKey, state: str | None) -> None:
    """When a task has ended in `state`, tell its parent; None: it goes on."""
    task = draft.facts.tasks.get(key)
    if state is not None and task is not None:
        child_ended(draft, key, task.parent, state)


def is_member(draft: Draft, key: TaskKey, task: TaskFacts) -> bool:
    """Whether it runs inside the job of a Group, and not in a block behind it."""
    node = draft.node(task.parent)
    return isinstance(node, Group) and any(step.id == key.task_id for step in node.children)


def awaits_answer(draft: Draft, key: TaskKey) -> bool:
    """Whether a group has asked for something that it can't go on without."""
    counters = draft.counters(key)
    return counters.phase in _ASKING or (counters.round > 0 and isinstance(draft.node(key), Each))


def _is_on_pause(node: Any, child: TaskKey) -> bool:
    return isinstance(node, Wait) and node.on_pause is not None and node.on_pause.id == child.task_id


# -- a group


def fill(draft: Draft, key: TaskKey, children: Children, limit: int, *, counts: bool = True) -> bool:
    """Open children in their order while fewer than `limit` run; whether any runs now.

    counts: these are the group's tasks, whose failure stops it; else a block in which each has its turn.
    """
    group = draft.count(key)
    opens = go_on_or_open if group.done >> len(children) else open_step
    while group.running < limit and group.cursor < len(children) and not (counts and group.worst in FATAL):
        at = group.cursor
        group.cursor += 1
        if children[at].disabled or group.done >> at & 1:
            continue
        ended = opens(draft, children[at], key, key.path, group.turn)
        if ended is None:
            group.running += 1
        elif counts:
            group.worst = worse(group.worst, ended)
    return group.running > 0


def advance(draft: Draft, key: TaskKey) -> str | None:
    """Open what is next in a group. The state the group ended in, or None while something of it goes on."""
    return _advance(draft, key, draft.node(key), draft.counters(key).phase, None)


def _advance(draft: Draft, key: TaskKey, node: Any, phase: str, child: TaskKey | None) -> str | None:
    """child: which one has just ended."""
    if phase == "tasks":
        if draft.kind(type(node)).run(draft, key, node, child):
            return None
    elif phase not in _BLOCKS:
        return None
    return finish_group(draft, key, node)


def finish_group(draft: Draft, key: TaskKey, node: Any) -> str | None:
    """A group's tasks are over: run its `errors` when they failed, then its `finally`, then close it."""
    counters = draft.counters(key)
    if counters.done >> (len(node.children) if type(node) is Dag else 0):  # there each child that ends sets its bit
        _close_later(draft, key)
    policy: Policy = node.policy
    if policy.errors or policy.finally_ or counters.phase == "after":
        if counters.phase == "tasks":
            failed = counters.worst == "FAILED" and any(not step.disabled for step in policy.errors)
            counters = _block(draft, key, "errors" if failed else "finally")
        if counters.phase == "errors":
            if fill(draft, key, policy.errors, 1, counts=False):
                return None
            counters = _block(draft, key, "finally")
        block = draft.facts.flow.after_execution if counters.phase == "after" else policy.finally_
        if fill(draft, key, block, 1, counts=False):
            return None
        counters = draft.counters(key)
    if key == ROOT:
        root = draft.count(ROOT)
        root.running, root.phase = 0, "over" if root.phase == "after" else "finished"
        return root.worst
    note = "" if type(node) is Choice else counters.note  # there it is the branch
    error = note[1:] if note[:1] == WHY else ""
    warning = note[1:] if note[:1] == WARNS else ""
    if policy.failure_is_warning and counters.worst == "FAILED" and not draft.step(key).allow_failure:
        draft.rule("a failure counts as a warning")
        draft.end(key, "WARNING", error, warning)  # which `allowWarning` by itself leaves alone
        return "WARNING"
    return end_task(draft, key, counters.worst, error, warning)


def _block(draft: Draft, key: TaskKey, phase: str) -> Counters:
    if phase == "errors":
        draft.rule("errors")
    group = draft.count(key)
    group.cursor, group.running, group.phase, group.done = 0, 0, phase, 0
    return group


def block_ids(draft: Draft, key: TaskKey) -> frozenset[str]:
    """Ids of a group's steps that are not its tasks."""
    node: Any = draft.node(key)
    blocks = [*node.policy.errors, *node.policy.finally_]
    if key == ROOT:
        blocks += draft.facts.flow.after_execution
    if isinstance(node, Wait) and node.on_pause is not None:
        blocks.append(node.on_pause)
    return frozenset(step.id for step in blocks)


def group_around(
    key: TaskKey, rows: Mapping[tuple[str, tuple[str, ...]], PastTask], steps: Mapping[str, Step]
) -> PastTask | None:
    """The innermost group with a row around a task that has none: what a group ran in its blocks is not copied."""
    around = {child.id: step for step in steps.values() for child in children_of(step.node)}
    task_id, path = key.task_id, key.path
    while task_id in around:
        above = around[task_id]
        if isinstance(above.node, Each) and any(child.id == task_id for child in above.node.children):
            path = path[:-1]
        task_id = above.id
        if (task_id, path) in rows:
            return rows[task_id, path]
    return None


# -- the groups that need no more than counters


def start_group(draft: Draft, key: TaskKey, node: Any) -> str | None:
    return advance(draft, key)


def run_sequence(draft: Draft, key: TaskKey, node: Any, child: TaskKey | None) -> bool:
    return fill(draft, key, node.children, 1)


def run_parallel(draft: Draft, key: TaskKey, node: Any, child: TaskKey | None) -> bool:
    return fill(draft, key, node.children, node.limit or WINDOW)


SEQUENCE = Kind(start_group, run_sequence)
PARALLEL = Kind(start_group, run_parallel)
