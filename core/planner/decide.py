"""The planner: `decide(facts, message)` says what becomes of an execution now. Pure and total."""

from __future__ import annotations

from core.model.decisions import Decision, Evaluate, Remember, StopTask
from core.model.messages import ROOT, Evaluated, EvaluationKey, KillRequested, Message, Started, TaskEnded, TaskKey
from core.model.state import ENDED
from core.model.truth import truthy
from core.planner.draft import Draft
from core.planner.facts import Facts
from core.planner.groups import RUN_IF, begin, child_ended, end_task

OUTPUTS = "outputs"


def decide(facts: Facts, message: Message) -> Decision:
    """What changes, what is to be done after the commit, and which rules said so.

    A message that no longer matters (a late result, a kill of what has ended) decides nothing.
    """
    draft = Draft(facts)
    if facts.state in ENDED:
        draft.rule("already ended")
        return draft.decision()
    if isinstance(message, TaskEnded):
        _task_ended(draft, message)
    elif isinstance(message, Evaluated):
        _evaluated(draft, message)
    elif isinstance(message, Started):
        _started(draft)
    elif isinstance(message, KillRequested):
        _kill(draft)
    else:
        draft.rule(f"nothing waits for {type(message).__name__}")
    _finish(draft)
    return draft.decision()


def _started(draft: Draft) -> None:
    if draft.state != "CREATED":
        draft.rule("already started")
        return
    draft.rule("start")
    draft.set_state("RUNNING")
    begin(draft, ROOT)


def _task_ended(draft: Draft, message: TaskEnded) -> None:
    task = draft.task(message.key)
    if task is None:
        draft.rule("late result")
        return
    draft.rule("task ended")
    state = end_task(draft, message.key, message.state, message.error)
    child_ended(draft, task.parent, state)


def _evaluated(draft: Draft, message: Evaluated) -> None:
    key = message.key
    draft.changes.append(Remember(key, message.value, message.error))
    if key.purpose == RUN_IF:
        _run_if_known(draft, key.task, message)
    elif key.purpose == OUTPUTS and draft.state == "RUNNING":
        draft.rule("flow outputs known")
        root = draft.counters(ROOT)
        draft.set_counters(ROOT, root._replace(phase="done", worst="FAILED" if message.error else root.worst))
        draft.set_state(draft.state, message.error)


def _run_if_known(draft: Draft, key: TaskKey, message: Evaluated) -> None:
    task = draft.task(key)
    if task is None:
        draft.rule("late runIf")
        return
    if message.error:
        draft.rule("runIf can't be rendered")
        state: str | None = end_task(draft, key, "FAILED", message.error)
    elif not truthy(str(message.value)):
        draft.rule("runIf is false")
        state = end_task(draft, key, "SKIPPED")
    else:
        draft.rule("runIf is true")
        state = begin(draft, key)
    if state is not None:
        child_ended(draft, task.parent, state)


def _kill(draft: Draft) -> None:
    if draft.state == "KILLING":
        draft.rule("already killing")
        return
    draft.rule("kill")
    draft.set_state("KILLING")
    for key, task in draft.open_tasks():
        if task.running:
            draft.move(key, "KILLING")
            draft.effects.append(StopTask(key))


def _finish(draft: Draft) -> None:
    """Ends the execution when nothing of it is left to run."""
    root = draft.counters(ROOT)
    if draft.state == "KILLING":
        if any(task.running for _, task in draft.open_tasks()):
            return
        for key, _ in reversed(draft.open_tasks()):
            draft.end(key, "KILLED")
        draft.rule("killed")
        draft.set_state("KILLED")
    elif root.phase == "finished" and draft.facts.flow.outputs:
        draft.rule("ask for flow outputs")
        draft.set_counters(ROOT, root._replace(phase="outputs"))
        templates = {output.id: output.value for output in draft.facts.flow.outputs}
        draft.effects.append(Evaluate(EvaluationKey(ROOT, OUTPUTS), templates, typed=True))
    elif root.phase in ("finished", "done"):
        draft.rule("finish")
        draft.set_state(root.worst)
