"""What a new owner has to do again."""

from __future__ import annotations

from core.model.decisions import Effect, KillChild, RunTask, StopTask, WakeAt
from core.model.messages import ROOT, EvaluationKey, TaskKey
from core.model.nodes import Call, Group, Work
from core.planner.draft import Draft
from core.planner.ends import OUTPUTS, PROMISES, STOPPED, ask_outputs, ask_promises, is_over
from core.planner.facts import Facts, TaskFacts, listener_asked
from core.planner.groups import RUN_IF, awaits_answer, is_member
from core.planner.kinds import kind_of


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
        elif task.running and _is_stopped(draft, task):
            _stop_again(draft, key, task)
        elif task.state == "CREATED" and step.run_if is not None:
            draft.ask(EvaluationKey(key, RUN_IF), step.run_if)
        elif isinstance(step.node, (Work, Group)):
            if task.state == "RUNNING" and not is_member(draft, key, task) and draft.counters(key).phase == "tasks":
                draft.effects.append(RunTask(key))
        elif task.attempts or awaits_answer(draft, key):
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


def _is_stopped(draft: Draft, task: TaskFacts) -> bool:
    """Whether what runs was told to stop; of an execution that is to end in another state, one task stays RUNNING."""
    return task.state == "KILLING" or draft.counters(ROOT).note.startswith(STOPPED)


def _stop_again(draft: Draft, key: TaskKey, task: TaskFacts) -> None:
    """A member stops with its group. That a child execution never began shows when what it needs is asked for again."""
    node = draft.node(key)
    if isinstance(node, Call):
        draft.effects.append(KillChild(key))
        ask = kind_of(Call).ask
        if ask is not None:
            ask(draft, key, node)
    elif not is_member(draft, key, task):
        draft.effects.append(StopTask(key))
