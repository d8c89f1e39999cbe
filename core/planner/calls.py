"""Work that is more than one attempt: child executions of a Call, and the members of a Group."""

from __future__ import annotations

from core.model.decisions import Counters, OpenTask, RunTask, StartChild
from core.model.messages import (
    ChildEnded,
    ChildStarted,
    Evaluated,
    EvaluationKey,
    JobRestarted,
    MemberEnded,
    MemberStarted,
    TaskKey,
)  # fmt: skip
from core.model.nodes import Call, Group
from core.planner.draft import Draft, Kind
from core.planner.facts import TaskFacts
from core.planner.groups import WHY, WINDOW, child_ended, end_task, finish_group, worse
from core.planner.retries import after_retries, retry_later

TIMES = "times"
REQUEST = "request"

# -- Call


def start_call(draft: Draft, key: TaskKey, node: Call) -> str | None:
    """What its children need is asked for."""
    if node.times is None:
        return _children(draft, key, 1)
    if "{" not in node.times:
        return _times_known(draft, key, node.times)
    draft.count(key).phase = "asking"
    ask_call(draft, key, node)
    return None


def ask_call(draft: Draft, key: TaskKey, node: Call) -> None:
    """How many children, or what each of those needs that have begun and not ended."""
    counters = draft.counters(key)
    if counters.phase == "asking":
        draft.ask(EvaluationKey(key, _purpose(draft, key, TIMES)), node.times)
        return
    for index in range(counters.cursor):
        if not counters.done >> index & 1:
            draft.ask(EvaluationKey(key, _purpose(draft, key, REQUEST), index), node.request, typed=True)


def _purpose(draft: Draft, key: TaskKey, name: str) -> str:
    """Asked once per attempt."""
    task = draft.task(key)
    return name if task is None or task.attempts < 2 else f"{name} {task.attempts}"


def _times_known(draft: Draft, key: TaskKey, times: str) -> str | None:
    if not times.strip().isdecimal():
        draft.rule("not a number of children")
        return end_task(draft, key, "FAILED", f"`{times}` is not a number of child executions")
    return _children(draft, key, int(times))


def _children(draft: Draft, key: TaskKey, times: int) -> str | None:
    draft.rule("ask what the children need")
    group = draft.count(key)
    group.phase, group.round = "tasks", times
    return _ask_requests(draft, key)


def _ask_requests(draft: Draft, key: TaskKey) -> str | None:
    """Ask for the next children, a window at once. A failed one does not keep the others back (the reference)."""
    node = draft.step(key).node
    assert isinstance(node, Call)
    group = draft.count(key)
    while group.running < WINDOW and group.cursor < group.round and not draft.halted:
        draft.ask(EvaluationKey(key, _purpose(draft, key, REQUEST), group.cursor), node.request, typed=True)
        group.cursor, group.running = group.cursor + 1, group.running + 1
    return None if group.running else _close_call(draft, key)


def call_answered(draft: Draft, key: TaskKey, node: Call, message: Evaluated) -> str | None:
    draft.remember(message.key, message.value, message.error)
    if message.key.purpose.startswith(TIMES):
        if draft.counters(key).phase != "asking":
            draft.rule("late answer")
            return None
        if draft.halted:
            return end_task(draft, key, "KILLED")
        if message.error:
            draft.rule("the number of children can't be rendered")
            return end_task(draft, key, "FAILED", message.error)
        return _times_known(draft, key, str(message.value))
    if message.key.purpose != _purpose(draft, key, REQUEST) or _is_over(draft, key, message.key.round):
        draft.rule("late answer")
        return None
    if draft.halted:
        draft.rule("no time to start")
        return _child_over(draft, key, message.key.round, "KILLED", "")
    if message.error:
        draft.rule("a child's request can't be rendered")
        return _child_over(draft, key, message.key.round, "FAILED", message.error)
    draft.rule("start a child execution")
    draft.effects.append(StartChild(key, message.key.round, message.key))
    return None


def child_started(draft: Draft, message: ChildStarted) -> None:
    key, index = message.key, message.index
    task = draft.task(key)
    if task is None or _is_over(draft, key, index):
        draft.rule("late child")
        return
    node = draft.step(key).node
    if message.error:
        draft.rule("no child execution")
        _told(draft, key, task, _child_over(draft, key, index, "FAILED", message.error))
    elif isinstance(node, Call) and not node.wait:
        draft.rule("not waiting for the child")
        _told(draft, key, task, _child_over(draft, key, index, "SUCCESS", ""))
    else:
        draft.rule("child execution started")


def call_ended(draft: Draft, message: ChildEnded) -> None:
    key, index = message.key, message.index
    task = draft.task(key)
    node = draft.step(key).node if task else None
    if task is None or not isinstance(node, Call) or _is_over(draft, key, index):
        draft.rule("late child")
    elif not node.wait:
        draft.rule("nobody waits for the child")
    elif message.state == "RETRIED":
        draft.rule("the child goes on in another execution")
    else:
        draft.rule("child ended")
        state = _transmitted(message.state) if node.transmit_failed else "SUCCESS"
        why = f"the execution {message.execution_id} ended {message.state}" if state in ("FAILED", "WARNING") else ""
        if message.error:
            state, why = "FAILED", message.error
        _told(draft, key, task, _child_over(draft, key, index, state, why))


def _is_over(draft: Draft, key: TaskKey, index: int) -> bool:
    """Whether nobody waits for this child: its end is known, or it never began."""
    counters = draft.counters(key)
    return counters.phase != "tasks" or index >= counters.cursor or counters.done >> index & 1 == 1


def _transmitted(state: str) -> str:
    return "FAILED" if state == "CANCELLED" else "SUCCESS" if state == "SKIPPED" else state


def _child_over(draft: Draft, key: TaskKey, index: int, state: str, why: str) -> str | None:
    group = draft.count(key)
    group.running -= 1
    if worse(group.worst, state) != group.worst:
        group.worst, group.note = state, why
    group.done |= 1 << index
    return _ask_requests(draft, key)


def _close_call(draft: Draft, key: TaskKey) -> str | None:
    """What is said of the first of the children that ended worst is said of all."""
    task, counters = draft.task(key), draft.counters(key)
    if task is None:
        return None
    state, why = counters.worst, counters.note
    if state == "FAILED" and not draft.halted and retry_later(draft, key, task, why):
        return None
    error, warning = ("", why) if state == "WARNING" else (why, "")
    return end_task(draft, key, after_retries(draft, key, task, state), error, warning)


def _told(draft: Draft, key: TaskKey, task: TaskFacts, state: str | None) -> None:
    if state is not None:
        child_ended(draft, key, task.parent, state)


# -- Group


def start_job(draft: Draft, key: TaskKey, node: Group) -> str | None:
    """One job for the group and its members."""
    task = draft.task(key)
    if task is not None and task.attempts > 1:  # its members run again
        draft.count(key).turn = draft.next_turn()
    draft.effects.append(RunTask(key))
    return None


def ask_job(draft: Draft, key: TaskKey, node: Group) -> None:
    """Nothing: its attempt is handed to an executor again."""


def run_job(draft: Draft, key: TaskKey, node: Group, child: TaskKey | None) -> bool:
    """Its members run on the far side; nothing is opened here."""
    task = draft.task(key)
    return task is not None and task.running


def member_started(draft: Draft, message: MemberStarted) -> None:
    group, key = _member(draft, message.group, message.task_id)
    if group is None or draft.task(key) is not None:
        draft.rule("late member")
        return
    draft.rule("member started")
    draft.open(OpenTask(key, message.group, "RUNNING", attempt=True))
    _began(draft, message.group)


def member_ended(draft: Draft, message: MemberEnded) -> None:
    group, key = _member(draft, message.group, message.task_id)
    if group is None:
        draft.rule("late member")
        return
    if draft.task(key) is None and message.state == "SKIPPED":  # it never began
        draft.open(OpenTask(key, message.group, "CREATED"))
        _began(draft, message.group)
    elif draft.task(key) is None:
        member_started(draft, MemberStarted(message.group, message.task_id))
    draft.rule("member ended")
    _end_member(draft, message.group, key, message.state, message.error)


def _member(draft: Draft, group: TaskKey, task_id: str) -> tuple[TaskFacts | None, TaskKey]:
    task = draft.task(group)
    known = task is not None and task.running and task_id in draft.facts.steps
    return task if known else None, TaskKey(task_id, group.path, draft.counters(group).turn)


def _began(draft: Draft, group: TaskKey) -> None:
    counters = draft.count(group)
    counters.cursor, counters.running = counters.cursor + 1, counters.running + 1


def _end_member(draft: Draft, group: TaskKey, key: TaskKey, state: str, error: str = "") -> None:
    counters = draft.count(group)
    counters.running -= 1
    counters.worst = worse(counters.worst, end_task(draft, key, state, error))


def job_restarted(draft: Draft, message: JobRestarted) -> None:
    key = message.group
    task = draft.task(key)
    if task is None or not isinstance(draft.node(key), Group) or draft.counters(key).phase != "tasks":
        draft.rule("late job")
        return
    draft.rule("the group begins anew")
    for member, known in list(draft.open_tasks()):
        if known.parent == key:
            draft.end(member, "KILLED", "its engine died")
    draft.count_anew(key, Counters(turn=draft.next_turn()))


def job_ended(draft: Draft, key: TaskKey, node: Group, state: str, error: str) -> str | None:
    """The group's job is over: members that said nothing more end with it; then its blocks run."""
    for member, known in list(draft.open_tasks()):
        if known.parent == key and known.running:
            _end_member(draft, key, member, "KILLED" if state == "KILLED" else "FAILED", "its group has ended")
    task = draft.task(key)
    if task is None:
        return None
    worst = state if state in ("FAILED", "KILLED") else worse(draft.counters(key).worst, state)
    if draft.halted:
        return end_task(draft, key, worst, error)
    if worst == "FAILED" and retry_later(draft, key, task, error):
        return None
    worst = after_retries(draft, key, task, worst)
    note = f"{WHY}{error}" if error else ""
    if node.policy.errors or node.policy.finally_:
        draft.move(key, "RUNNING", attempt_ended=state, error=error, entered=False)
    group = draft.count(key)
    group.worst, group.running, group.note = worst, 0, note
    return finish_group(draft, key, node)


CALL = Kind(start_call, run_job, ask_call, call_answered, attempt=True)
GROUP = Kind(start_job, run_job, ask_job, ended=job_ended, attempt=True)
