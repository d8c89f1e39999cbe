"""The planner's decision tables: (facts, message) → changes, effects, rules. No database, no thread, no clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.model.decisions import (
    Counters,
    Decision,
    EndTask,
    Evaluate,
    MoveExecution,
    MoveTask,
    OpenTask,
    Remember,
    RunTask,
)  # fmt: skip
from core.model.flow import FlowOutput
from core.model.messages import (
    ROOT,
    Evaluated,
    EvaluationKey,
    TaskKey,
)  # fmt: skip
from core.model.nodes import Step

A, B, C, G, H = (TaskKey(name) for name in "abcgh")
Make = Callable[..., Step]
Play = Callable[..., Any]


def condition(key: TaskKey) -> EvaluationKey:
    return EvaluationKey(key, "run_if")


OUTPUTS = EvaluationKey(ROOT, "outputs")

# -- starting and advancing


def test_a_start_opens_the_first_task_with_its_attempt(play: Play, task: Make) -> None:
    assert play(task("a"), task("b")).start() == Decision(
        changes=(
            OpenTask(A, ROOT, "RUNNING", None, attempt=True),
            MoveExecution("RUNNING", Counters(1, 1, "SUCCESS", "tasks"), "", entered=True),
        ),
        effects=(RunTask(A),),
        rules=("start",),
    )


def test_a_success_opens_the_next_task(play: Play, task: Make) -> None:
    execution = play(task("a"), task("b"))
    execution.start()
    assert execution.end("a") == Decision(
        changes=(
            EndTask(A, "SUCCESS"),
            OpenTask(B, ROOT, "RUNNING", None, attempt=True),
            MoveExecution("RUNNING", Counters(2, 1, "SUCCESS", "tasks"), "", entered=False),
        ),
        effects=(RunTask(B),),
        rules=("task ended",),
    )


def test_the_last_success_ends_the_execution(play: Play, task: Make) -> None:
    execution = play(task("a"))
    execution.start()
    assert execution.end("a") == Decision(
        changes=(
            EndTask(A, "SUCCESS"),
            MoveExecution("SUCCESS", Counters(1, 0, "SUCCESS", "finished"), "", entered=True),
        ),
        rules=("task ended", "finish"),
    )


def test_a_failure_leaves_the_rest_unopened(play: Play, task: Make) -> None:
    execution = play(task("a"), task("b"))
    execution.start()
    decision = execution.end("a", "FAILED", "no luck")
    assert decision.changes == (
        EndTask(A, "FAILED", "no luck"),
        MoveExecution("FAILED", Counters(1, 0, "FAILED", "finished"), "", entered=True),
    )
    assert decision.effects == ()
    assert execution.opened == [A]


def test_a_warning_lets_the_next_task_run_and_marks_the_execution(play: Play, task: Make) -> None:
    execution = play(task("a"), task("b"))
    execution.start()
    assert execution.end("a", "WARNING").effects == (RunTask(B),)
    execution.end("b")
    assert execution.state == "WARNING"


def test_starting_twice_starts_once(play: Play, task: Make) -> None:
    execution = play(task("a"))
    execution.start()
    assert execution.start() == Decision(rules=("already started",))


# -- what ends at once


def test_what_is_over_as_soon_as_it_begins_was_running_too(play: Play, task: Make) -> None:
    (moved,) = (one for one in play(task("a", run_if="false")).start().changes if isinstance(one, MoveExecution))
    assert (moved.through, moved.state) == ("RUNNING", "SUCCESS")


def test_an_empty_flow_succeeds_at_its_start(play: Play) -> None:
    assert play().start() == Decision(
        changes=(MoveExecution("SUCCESS", Counters(0, 0, "SUCCESS", "finished"), "", entered=True),),
        rules=("start", "finish"),
    )


def test_a_disabled_task_leaves_no_trace(play: Play, task: Make) -> None:
    execution = play(task("a", disabled=True), task("b"), task("c", disabled=True))
    assert execution.start().effects == (RunTask(B),)
    execution.end("b")
    assert (execution.state, execution.opened) == ("SUCCESS", [B])


def test_a_flow_of_disabled_tasks_succeeds_at_its_start(play: Play, task: Make) -> None:
    execution = play(task("a", disabled=True), task("b", disabled=True))
    execution.start()
    assert (execution.state, execution.opened) == ("SUCCESS", [])


def test_an_empty_group_succeeds_at_once_and_the_next_task_runs(play: Play, task: Make, sequential: Make) -> None:
    decision = play(sequential("g"), task("a")).start()
    assert decision.changes == (
        OpenTask(G, ROOT, "RUNNING", Counters()),
        EndTask(G, "SUCCESS"),
        OpenTask(A, ROOT, "RUNNING", None, attempt=True),
        MoveExecution("RUNNING", Counters(2, 1, "SUCCESS", "tasks"), "", entered=True),
    )
    assert decision.effects == (RunTask(A),)


def test_groups_in_groups_with_nothing_to_run_end_from_the_inside_out(play: Play, sequential: Make) -> None:
    execution = play(sequential("g", sequential("h", sequential("a"))))
    execution.start()
    assert execution.ended == [("a", "SUCCESS", ""), ("h", "SUCCESS", ""), ("g", "SUCCESS", "")]
    assert execution.state == "SUCCESS"


def test_a_disabled_group_hides_its_children(play: Play, task: Make, sequential: Make) -> None:
    execution = play(sequential("g", task("a"), disabled=True))
    execution.start()
    assert (execution.state, execution.opened) == ("SUCCESS", [])


# -- groups


def test_a_group_opens_with_its_first_child(play: Play, task: Make, sequential: Make) -> None:
    decision = play(sequential("g", task("a"), task("b"))).start()
    assert decision.changes == (
        OpenTask(G, ROOT, "RUNNING", Counters()),
        OpenTask(A, G, "RUNNING", None, attempt=True),
        MoveTask(G, "RUNNING", Counters(1, 1, "SUCCESS", "tasks")),
        MoveExecution("RUNNING", Counters(1, 1, "SUCCESS", "tasks"), "", entered=True),
    )


def test_the_end_of_a_child_touches_its_group_and_nothing_above(play: Play, task: Make, sequential: Make) -> None:
    execution = play(sequential("g", task("a"), task("b")), task("c"))
    execution.start()
    decision = execution.end("a")
    assert decision.changes == (
        EndTask(A, "SUCCESS"),
        OpenTask(B, G, "RUNNING", None, attempt=True),
        MoveTask(G, "RUNNING", Counters(2, 1, "SUCCESS", "tasks")),
    )


def test_the_last_child_ends_its_group_and_the_next_task_runs(play: Play, task: Make, sequential: Make) -> None:
    execution = play(sequential("g", sequential("h", task("a"))), task("c"))
    execution.start()
    decision = execution.end("a")
    assert [change for change in decision.changes if isinstance(change, EndTask)] == [
        EndTask(A, "SUCCESS"), EndTask(H, "SUCCESS"), EndTask(G, "SUCCESS"),
    ]  # fmt: skip
    assert decision.effects == (RunTask(C),)
    assert not any(isinstance(change, MoveTask) for change in decision.changes), "a group that ended moved again"


def test_a_failure_ends_all_groups_around_it(play: Play, task: Make, sequential: Make) -> None:
    execution = play(sequential("g", sequential("h", task("a"), task("b"))), task("c"))
    execution.start()
    execution.end("a", "FAILED", "no luck")
    assert execution.ended == [("a", "FAILED", "no luck"), ("h", "FAILED", ""), ("g", "FAILED", "")]
    assert execution.state == "FAILED"


# -- allowFailure, allowWarning


@pytest.mark.parametrize(
    ("settings", "given", "becomes"),
    [
        ({}, "FAILED", "FAILED"),
        ({"allow_failure": True}, "FAILED", "WARNING"),
        ({"allow_warning": True}, "FAILED", "FAILED"),
        ({"allow_failure": True, "allow_warning": True}, "FAILED", "SUCCESS"),
        ({"allow_warning": True}, "WARNING", "SUCCESS"),
        ({"allow_failure": True}, "WARNING", "WARNING"),
        ({"allow_failure": True}, "KILLED", "KILLED"),
        ({"allow_failure": True, "allow_warning": True}, "SUCCESS", "SUCCESS"),
    ],
)
def test_what_a_task_allows(play: Play, task: Make, settings: dict[str, bool], given: str, becomes: str) -> None:
    execution = play(task("a", **settings))
    execution.start()
    execution.end("a", given, "why" if given != "SUCCESS" else "")
    assert execution.ended == [("a", becomes, "why" if given != "SUCCESS" else "")]
    assert execution.state == becomes


def test_a_group_that_allows_failure_lets_the_flow_go_on(play: Play, task: Make, sequential: Make) -> None:
    execution = play(sequential("g", task("a"), task("b"), allow_failure=True), task("c"))
    execution.start()
    assert execution.end("a", "FAILED").effects == (RunTask(C),)
    execution.end("c")
    assert execution.ended == [("a", "FAILED", ""), ("g", "WARNING", ""), ("c", "SUCCESS", "")]
    assert execution.state == "WARNING"


# -- runIf


@pytest.mark.parametrize(
    ("literal", "runs"),
    [("true", True), ("yes", True), ("null", True), ("False", True), ("1", True),
     ("false", False), ("0", False), ("-0", False), ("", False)],
)  # fmt: skip
def test_a_literal_condition_is_decided_without_asking(play: Play, task: Make, literal: str, runs: bool) -> None:
    execution = play(task("a", run_if=literal))
    decision = execution.start()
    assert decision.effects == ((RunTask(A),) if runs else ())
    assert execution.ended == ([] if runs else [("a", "SKIPPED", "")])


def test_a_condition_is_asked_for_before_anything_runs(play: Play, task: Make) -> None:
    decision = play(task("a", run_if="{{ inputs.go }}"), task("b")).start()
    assert decision == Decision(
        changes=(
            OpenTask(A, ROOT, "CREATED"),
            MoveExecution("RUNNING", Counters(1, 1, "SUCCESS", "tasks"), "", entered=True),
        ),
        effects=(Evaluate(condition(A), "{{ inputs.go }}"),),
        rules=("start",),
    )


def test_a_true_condition_begins_the_attempt(play: Play, task: Make) -> None:
    execution = play(task("a", run_if="{{ inputs.go }}"))
    execution.start()
    assert execution.tell(Evaluated(condition(A), "true")) == Decision(
        changes=(Remember(condition(A), "true"), MoveTask(A, "RUNNING", None, attempt=True, entered=True)),
        effects=(RunTask(A),),
        rules=("runIf is true",),
    )


def test_a_false_condition_skips_and_counts_as_nothing(play: Play, task: Make) -> None:
    execution = play(task("a", run_if="{{ inputs.go }}"), task("b"))
    execution.start()
    decision = execution.tell(Evaluated(condition(A), "false"))
    assert decision.changes[:2] == (Remember(condition(A), "false"), EndTask(A, "SKIPPED"))
    assert decision.effects == (RunTask(B),)
    execution.end("b")
    assert execution.state == "SUCCESS"


def test_a_condition_that_cannot_be_rendered_fails_its_task(play: Play, task: Make) -> None:
    execution = play(task("a", run_if="{{ nope }}"), task("b"))
    execution.start()
    execution.tell(Evaluated(condition(A), None, "nope is not known"))
    assert execution.ended == [("a", "FAILED", "nope is not known")]
    assert (execution.state, execution.opened) == ("FAILED", [A])


def test_a_condition_that_cannot_be_rendered_may_be_allowed(play: Play, task: Make) -> None:
    execution = play(task("a", run_if="{{ nope }}", allow_failure=True), task("b"))
    execution.start()
    assert execution.tell(Evaluated(condition(A), None, "nope is not known")).effects == (RunTask(B),)


@pytest.mark.parametrize("answer", ["true", "false"])
def test_a_condition_on_a_group_decides_for_all_its_children(
    play: Play, task: Make, sequential: Make, answer: str
) -> None:
    execution = play(sequential("g", task("a"), run_if="{{ inputs.go }}"), task("b"))
    execution.start()
    decision = execution.tell(Evaluated(condition(G), answer))
    assert decision.effects == (RunTask(A if answer == "true" else B),)
    assert execution.opened == ([G, A] if answer == "true" else [G, B])


def test_an_answer_for_a_task_that_is_over_is_remembered_only(play: Play, task: Make) -> None:
    execution = play(task("a", run_if="{{ inputs.go }}"), task("b"))
    execution.start()
    execution.tell(Evaluated(condition(A), "false"))
    assert execution.tell(Evaluated(condition(A), "true")) == Decision(
        changes=(Remember(condition(A), "true"),), rules=("late runIf",)
    )


# -- flow outputs

DECLARED = (FlowOutput("x", "STRING", "{{ outputs.a.value }}"), FlowOutput("y", "INT", "1"))


@pytest.mark.parametrize("end", ["SUCCESS", "WARNING", "FAILED"])
def test_flow_outputs_are_asked_for_whatever_the_end(play: Play, task: Make, end: str) -> None:
    execution = play(task("a"), outputs=DECLARED)
    execution.start()
    decision = execution.end("a", end)
    assert decision.effects == (Evaluate(OUTPUTS, {"x": "{{ outputs.a.value }}", "y": "1"}, typed=True),)
    assert (execution.state, execution.counters.phase) == ("RUNNING", "outputs")
    execution.tell(Evaluated(OUTPUTS, {"x": "1", "y": 1}))
    assert (execution.state, execution.counters.phase) == (end, "done")


def test_flow_outputs_that_cannot_be_rendered_fail_the_execution(play: Play, task: Make) -> None:
    execution = play(task("a"), outputs=DECLARED)
    execution.start()
    execution.end("a")
    decision = execution.tell(Evaluated(OUTPUTS, None, "no such output"))
    assert decision.changes == (
        Remember(OUTPUTS, None, "no such output"),
        MoveExecution("FAILED", Counters(1, 0, "FAILED", "done"), "no such output", entered=True),
    )


def test_an_empty_flow_with_outputs_asks_for_them_at_its_start(play: Play) -> None:
    execution = play(outputs=DECLARED)
    assert [type(effect) for effect in execution.start().effects] == [Evaluate]
    assert execution.state == "RUNNING"


def test_outputs_are_asked_for_once(play: Play, task: Make) -> None:
    execution = play(task("a"), outputs=DECLARED)
    execution.start()
    execution.end("a")
    assert execution.end("a") == Decision(rules=("late result",))
