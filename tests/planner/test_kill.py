"""The planner's decision tables for kills, and for messages that no longer matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.model.data import evolve
from core.model.decisions import (
    Counters,
    Decision,
    MoveExecution,
    MoveTask,
    Remember,
    StopTask,
)  # fmt: skip
from core.model.flow import FlowOutput
from core.model.messages import (
    ROOT,
    ChildEnded,
    ChildStarted,
    Due,
    Evaluated,
    EvaluationKey,
    ForceRunRequested,
    JobRestarted,
    KillRequested,
    MemberEnded,
    MemberStarted,
    OutputCorrected,
    RestartRequested,
    ResumeRequested,
    SlotFree,
    Started,
    TaskEnded,
    TaskKey,
)  # fmt: skip
from core.model.nodes import Step
from core.model.state import STATES

A, B, C, G, H = (TaskKey(name) for name in "abcgh")
Make = Callable[..., Step]
Play = Callable[..., Any]


def condition(key: TaskKey) -> EvaluationKey:
    return EvaluationKey(key, "run_if")


OUTPUTS = EvaluationKey(ROOT, "outputs")

DECLARED = (FlowOutput("x", "STRING", "{{ outputs.a.value }}"), FlowOutput("y", "INT", "1"))

# -- kill


def test_a_kill_stops_what_runs_and_waits_for_it(play: Play, task: Make, sequential: Make) -> None:
    execution = play(sequential("g", task("a")), task("b"))
    execution.start()
    assert execution.tell(KillRequested()) == Decision(
        changes=(
            MoveTask(A, "KILLING", None, entered=True),
            MoveExecution("KILLING", Counters(1, 1, "SUCCESS", "tasks"), "", entered=True),
        ),
        effects=(StopTask(A),),
        rules=("kill",),
    )


@pytest.mark.parametrize("end", ["KILLED", "SUCCESS", "FAILED"])
def test_whatever_the_stopped_task_says_the_execution_is_killed(
    play: Play, task: Make, sequential: Make, end: str
) -> None:
    execution = play(sequential("g", task("a"), task("b")), task("c"))
    execution.start()
    execution.tell(KillRequested())
    decision = execution.end("a", end)
    assert execution.ended == [("a", end, ""), ("g", "KILLED", "")]
    assert (execution.state, decision.effects, execution.tasks) == ("KILLED", (), {})


def test_a_kill_before_the_start_ends_it_at_once(play: Play, task: Make) -> None:
    execution = play(task("a"))
    execution.tell(KillRequested())
    assert (execution.state, execution.opened) == ("KILLED", [])
    assert execution.start() == Decision(rules=("already ended",))


def test_a_kill_while_a_condition_is_asked_for_ends_the_task_too(play: Play, task: Make) -> None:
    execution = play(task("a", run_if="{{ inputs.go }}"))
    execution.start()
    assert execution.tell(KillRequested()).effects == ()
    assert (execution.state, execution.ended) == ("KILLED", [("a", "KILLED", "")])
    assert execution.tell(Evaluated(condition(A), "true")) == Decision(rules=("already ended",))


def test_a_kill_while_outputs_are_asked_for_gives_none(play: Play, task: Make) -> None:
    execution = play(task("a"), outputs=DECLARED)
    execution.start()
    execution.end("a")
    execution.tell(KillRequested())
    assert execution.state == "KILLED"


def test_a_second_kill_stops_nothing_twice(play: Play, task: Make) -> None:
    execution = play(task("a"))
    execution.start()
    execution.tell(KillRequested())
    assert execution.tell(KillRequested()) == Decision(rules=("already killing",))


def test_a_kill_of_what_another_owner_left_ends_it(play: Play, task: Make, sequential: Make) -> None:
    execution = play(sequential("g", task("a")))
    execution.start()
    execution.tasks = {key: evolve(facts, running=False) for key, facts in execution.tasks.items()}
    execution.tell(KillRequested())
    assert execution.ended == [("a", "KILLED", ""), ("g", "KILLED", "")]
    assert execution.state == "KILLED"


def test_a_killing_that_another_owner_left_is_finished_by_the_next_kill(play: Play, task: Make) -> None:
    execution = play(task("a"))
    execution.start()
    execution.tell(KillRequested())
    execution.tasks = {key: evolve(facts, running=False) for key, facts in execution.tasks.items()}
    execution.tell(KillRequested())
    assert (execution.state, execution.ended) == ("KILLED", [("a", "KILLED", "")])


# -- what no longer matters, and what nobody waits for


@pytest.mark.parametrize("state", [state for state in STATES if state in {
    "SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "RETRIED", "SKIPPED"}])  # fmt: skip
@pytest.mark.parametrize("message", [Started(), TaskEnded(A, "FAILED"), KillRequested(), Evaluated(OUTPUTS, {})])
def test_nothing_changes_what_has_ended(play: Play, task: Make, state: str, message: Any) -> None:
    execution = play(task("a"), outputs=DECLARED)
    execution.state = state
    assert execution.tell(message) == Decision(rules=("already ended",))


def test_a_result_of_a_task_that_never_was_is_late(play: Play, task: Make) -> None:
    execution = play(task("a"))
    execution.start()
    assert execution.end("b", "FAILED") == Decision(rules=("late result",))


def test_a_second_result_is_late(play: Play, task: Make) -> None:
    execution = play(task("a"), task("b"))
    execution.start()
    execution.end("a")
    assert execution.end("a", "FAILED") == Decision(rules=("late result",))


@pytest.mark.parametrize(("message", "rule"), [
    (Started(), "already started"),
    (ResumeRequested(), "nothing to resume"),
    (RestartRequested(), "nothing to restart: the execution has not ended"),
    (ForceRunRequested(), "nothing holds it back"),
    (ChildStarted(A), "late child"),
    (ChildEnded(A, "x", "SUCCESS"), "late child"),
    (MemberStarted(A, "a"), "late member"),
    (MemberEnded(G, "a", "SUCCESS"), "late member"),
    (JobRestarted(A), "late job"),
    (SlotFree(), "not queued"),
    (OutputCorrected(A, 2), "nothing waits for OutputCorrected"),
    (Due(A), "late timer"),
    (Evaluated(EvaluationKey(B, "values"), []), "late answer"),
    (Evaluated(EvaluationKey(A, "values"), []), "nobody asked"),
])  # fmt: skip
def test_a_message_that_nobody_waits_for_opens_and_ends_nothing_and_says_so(
    play: Play, task: Make, message: Any, rule: str
) -> None:
    execution = play(task("a"))
    execution.start()
    decision = execution.tell(message)
    assert decision.rules == (rule,)
    assert decision.effects == ()
    assert all(isinstance(change, Remember) for change in decision.changes)
