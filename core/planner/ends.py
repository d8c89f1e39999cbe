"""How an execution ends: by itself, killed, asked to, or handed on to another execution; and what runs after that."""

from __future__ import annotations

from core.model.decisions import Derive, Evaluate, KillChild, MoveTask, ReleaseSlot, RunTask, StartChild, StopTask
from core.model.messages import ROOT, EndRequested, Evaluated, EvaluationKey, KillRequested, TaskKey
from core.model.nodes import Call, Work
from core.model.state import ENDED
from core.planner.draft import Draft
from core.planner.facts import TaskFacts
from core.planner.groups import advance, awaits_answer, is_member

OUTPUTS = "outputs"
PROMISES = "promises"
KEPT_PROMISES = "kept"
EXIT = "exit:"
STOPPED = "stop:"
"""Begin the note of an execution that was asked to end in the state that follows; see `ask_end`."""
KILLED_AFTER = "killed"
RETRIED = "retried"
RETRIED_STATE = "RETRIED"
_NEVER_BEGAN = frozenset({"CREATED", "QUEUED"})
_WORKING = (RunTask, Evaluate, StartChild)


def is_over(state: str, phase: str) -> bool:
    """Whether nothing of an execution is left to run, given its state and the phase of its root."""
    return state in ENDED and phase != "after"


# -- asked from outside


def kill(draft: Draft, message: KillRequested | None = None) -> None:
    """Stop what runs; what waits will end without running. Asked for by a person, child executions are killed too."""
    after = draft.counters(ROOT).phase == "after"
    if draft.state == "KILLING" or draft.counters(ROOT).note == KILLED_AFTER:
        draft.rule("already killing")
        return
    draft.rule("kill")
    if after:  # the state is final; only what still runs after it is stopped
        draft.note(KILLED_AFTER)
    else:
        draft.set_state("KILLING")
        draft.halted = True
    _stop(draft, cascade=message is not None)


def end_requested(draft: Draft, message: EndRequested) -> None:
    """End without `finally`, in the state that was asked for."""
    if draft.halted or draft.counters(ROOT).phase == "after":
        draft.rule("already ending")
        return
    ask_end(draft, message.state, message.error, stop=message.stop)


def ask_end(draft: Draft, state: str, error: str = "", *, stop: bool = False) -> None:
    """Open nothing more; once nothing runs, everything open and the execution end in this state.

    stop: what runs is stopped; else it goes on to its end. What runs after the end can only stop early: the state is
    final.
    """
    if state == "KILLED" or draft.counters(ROOT).phase == "after":
        kill(draft)
        return
    draft.rule(f"asked to end {state}")
    draft.note((STOPPED if stop else EXIT) + state)
    draft.set_state(draft.state, error)
    if stop:
        _stop(draft, cascade=False, last=state)


def _stop(draft: Draft, *, cascade: bool, last: str = "KILLED") -> None:
    """As the reference does. cascade: child executions end too; else they are left to themselves, as for what a flow
    asks for. last: how the task ends that began last of those that run; see `stopped_as`.
    """
    says = last != "KILLED"
    works = [(key, task) for key, task in draft.open_tasks() if task.running or (says and waits_itself(task))]
    leaves = [key for key, task in works if says and _is_leaf(draft, key) and not is_member(draft, key, task)]
    for key, task in works:
        ends = last if leaves[-1:] == [key] else "KILLED"
        calls = task.running and isinstance(draft.node(key), Call)
        if not task.running or (calls and not cascade):
            draft.end(key, ends)
            continue
        if ends == "KILLED":
            draft.move(key, "KILLING")
        if not is_member(draft, key, task):  # those stop with their group
            draft.effects.append(KillChild(key) if calls else StopTask(key))


def stopped_as(draft: Draft, task: TaskFacts) -> str:
    """How a task ends that was stopped: KILLED, or as the execution where it is the one that says why."""
    note = draft.counters(ROOT).note
    says = note.startswith(STOPPED) and task.state == "RUNNING" and draft.state != "KILLING"
    return note.removeprefix(STOPPED) if says else "KILLED"


def _is_leaf(draft: Draft, key: TaskKey) -> bool:
    """Of an execution that is only to end the flow is not known: then no task is."""
    step = draft.facts.steps.get(key.task_id)
    return step is not None and isinstance(step.node, (Work, Call))


def waits_itself(task: TaskFacts) -> bool:
    """Whether it does work, and has given its thread back for some time."""
    return task.due_at > 0 and task.state == "RUNNING" and task.counters is None


def is_leaving(draft: Draft) -> bool:
    """Whether the execution is to end once what runs has ended, which nobody has stopped."""
    return draft.counters(ROOT).note.startswith(EXIT) and draft.state != "KILLING"


def goes_on(draft: Draft, task: TaskFacts) -> bool:
    """Whether a task that waits goes on to its end though its execution is to end."""
    return waits_itself(task) and is_leaving(draft)


# -- by itself


def flow_answered(draft: Draft, message: Evaluated) -> None:
    """Something that the flow itself asked for."""
    if message.key.purpose != PROMISES:
        outputs_known(draft, message)
    elif draft.counters(ROOT).phase != PROMISES or draft.halted:
        draft.rule("late answer")
    else:
        draft.rule("promises kept")
        draft.count(ROOT).phase = KEPT_PROMISES


def outputs_known(draft: Draft, message: Evaluated) -> None:
    draft.remember(message.key, message.value, message.error)
    if draft.counters(ROOT).phase != OUTPUTS or draft.halted:
        draft.rule("late answer")
        return
    draft.rule("flow outputs known")
    root = draft.count(ROOT)
    root.phase, root.worst = "done", "FAILED" if message.error else root.worst
    draft.set_state(draft.state, message.error)


def finish(draft: Draft) -> None:
    """Ends the execution when nothing of it is left to run; else says whether it runs or waits."""
    if draft.halted:
        _wind_down(draft)
    if draft.halted or draft.state in ENDED:
        return
    if draft.state == "RUNNING" and draft.effects and type(draft.effects[0]) is RunTask:
        return  # the common case: it runs, and will
    phase = draft.counters(ROOT).phase
    if phase == "finished" and any(promise.assertion is not None for promise in draft.facts.flow.sla):
        draft.rule("look at the promises")
        draft.count(ROOT).phase = PROMISES
        ask_promises(draft)
    elif phase in ("finished", KEPT_PROMISES) and draft.facts.flow.outputs:
        draft.rule("ask for flow outputs")
        draft.count(ROOT).phase = OUTPUTS
        ask_outputs(draft)
    elif phase in ("finished", KEPT_PROMISES, "done"):
        draft.rule("finish")
        end_execution(draft, draft.counters(ROOT).worst)
    elif not draft.held and (draft.changes or draft.effects):
        _runs_or_waits(draft)


def ask_promises(draft: Draft) -> None:
    """One last look before the end: who watches the promises answers, or asks for another end (EndRequested)."""
    draft.ask(EvaluationKey(ROOT, PROMISES, draft.counters(ROOT).turn), None)


def ask_outputs(draft: Draft) -> None:
    templates = {output.id: output.value for output in draft.facts.flow.outputs}
    draft.ask(EvaluationKey(ROOT, OUTPUTS, draft.counters(ROOT).turn), templates, typed=True)


def _runs_or_waits(draft: Draft) -> None:
    """PAUSED or RETRYING while all that is open waits for a person or a time, else RUNNING."""
    state = "RUNNING"
    begins = any(isinstance(effect, _WORKING) for effect in draft.effects)
    if not begins and not any(_works(draft, key, task) for key, task in draft.open_tasks()):
        states = {task.state for _, task in draft.open_tasks()}
        state = next((waits for waits in ("RETRYING", "PAUSED") if waits in states), "RUNNING")
    if state != draft.state and draft.state in ("RUNNING", "PAUSED", "RETRYING"):
        draft.set_state(state, through="RUNNING" if draft.facts.state in _NEVER_BEGAN else "")
    elif state == "PAUSED" and any(type(one) is MoveTask and one.state == "RUNNING" for one in draft.changes):
        draft.set_state(state, through="RUNNING")  # it went on, and waits again


def _works(draft: Draft, key: TaskKey, task: TaskFacts) -> bool:
    if task.running or task.state in _NEVER_BEGAN:
        return True
    return task.counters is not None and awaits_answer(draft, key)


def _wind_down(draft: Draft) -> None:
    """Once nothing runs any more, close what is open, the innermost first."""
    tasks = list(draft.open_tasks())
    if any(task.running or goes_on(draft, task) for _, task in tasks):
        return
    note = draft.counters(ROOT).note
    state = "KILLED" if draft.state == "KILLING" or note == KILLED_AFTER else note.partition(":")[2]
    if note == RETRIED and draft.state != "KILLING":
        state = RETRIED_STATE
        key, task = next((key, task) for key, task in tasks if task.state == "RETRYING" and task.due_at)
        draft.changes.append(Derive(key, task.due_at))
    for key, task in reversed(tasks):  # a task that asked for the end closes groups so, but what waits was killed
        draft.end(key, state if state == RETRIED_STATE or task.counters is not None else "KILLED")
    if note == KILLED_AFTER:
        root = draft.count(ROOT)
        root.phase, root.running = "over", 0
        return
    root = draft.count(ROOT)
    root.note = ""
    if state in ("SUCCESS", "WARNING", "FAILED"):  # the flow's outputs are still to be had
        root.worst, root.phase, root.running = state, "finished", 0
        draft.halted = False
        return
    draft.rule(state.lower())
    draft.halted = False
    end_execution(draft, state)


def _ran_unseen(draft: Draft, state: str) -> bool:
    """Whether an execution goes on and is over in this one decision: it was RUNNING for that moment."""
    if draft.through or not draft.changes or state not in ("SUCCESS", "WARNING", "FAILED"):
        return False
    begins = draft.facts.state in _NEVER_BEGAN and draft.state == "RUNNING"
    return begins or (draft.facts.state == "PAUSED" and not draft.held)


def end_execution(draft: Draft, state: str, error: str = "") -> None:
    """The final state; the slot is free again, and what runs afterwards begins."""
    flow = draft.facts.flow
    if flow.concurrency is not None and draft.facts.state not in ("CREATED", "QUEUED"):
        draft.effects.append(ReleaseSlot(flow.namespace, flow.id))
    passed = state == "KILLED" and draft.facts.state != "KILLING"  # else it had that state before
    draft.set_state(state, error, through="KILLING" if passed else "RUNNING" if _ran_unseen(draft, state) else "")
    if state != RETRIED_STATE and any(not step.disabled for step in flow.after_execution):
        draft.rule("afterExecution")
        draft.held = False
        root = draft.count(ROOT)
        root.cursor, root.running, root.phase, root.done, root.note = 0, 0, "after", 0, ""
        advance(draft, ROOT)
