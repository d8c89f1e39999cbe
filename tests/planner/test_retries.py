"""Retries: when a failed task runs again, whose retry applies, and what it leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from core.model.decisions import Derive, MoveTask, RunTask, WakeAt
from core.model.messages import Due, TaskKey
from core.model.nodes import Each, Group, Parallel, Policy, Retry, Sequence
from core.planner.retries import delay
from tests.planner.flows import played, task, work, world

SECOND = 1_000_000
A = TaskKey("a")


@pytest.mark.parametrize(("retry", "spans"), [
    (Retry("constant", 5), [5, 5, 5]),
    (Retry("exponential", 10), [10, 20, 40, 80]),
    (Retry("exponential", 10, max_interval=30), [10, 20, 30, 30]),
    (Retry("exponential", 10, delay_factor=1.5), [10, 15, 22, 33]),
])  # fmt: skip
def test_how_long_a_retry_waits(retry: Retry, spans: list[int]) -> None:
    assert [delay(retry, attempts, "", A) for attempts in range(1, len(spans) + 1)] == spans


def test_an_exponential_retry_never_overflows() -> None:
    assert delay(Retry("exponential", 10), 100_000, "", A) == 10**18
    assert delay(Retry("exponential", 10, max_interval=30), 100_000, "", A) == 30


def test_a_random_retry_lies_in_its_span_and_is_the_same_for_the_same_attempt() -> None:
    retry = Retry("random", min_interval=100, max_interval=200)
    spans = {delay(retry, attempts, seed, A) for attempts in range(1, 9) for seed in ("x", "y")}
    assert len(spans) > 10
    assert all(100 <= span < 200 for span in spans)
    assert delay(retry, 3, "x", A) == delay(retry, 3, "x", A)


def test_a_failed_task_waits_in_its_row_and_runs_again() -> None:
    run = world(work("a", retry=Retry("constant", 2 * SECOND, max_attempts=2)))
    run.start()
    decision = run.end("a", "FAILED", error="no")
    due_at = decision.changes[0].due_at  # type: ignore[union-attr]
    assert decision.changes[0] == MoveTask(
        A, "RETRYING", None, entered=True, attempt_ended="FAILED", error="no", due_at=due_at
    )
    assert decision.effects == (WakeAt(A, due_at),)
    assert (run.state, due_at - run.now) == ("RETRYING", 2 * SECOND)
    run.now = due_at
    again = run.tell(Due(A))
    assert again.effects == (RunTask(A),)
    assert run.state == "RUNNING"
    run.end("a", "FAILED", error="no")
    assert (run.state, run.rows[A].attempts, run.ran()) == ("FAILED", 2, ["a=FAILED"])


@pytest.mark.parametrize(("retry", "attempts"), [
    (Retry("constant", SECOND, max_attempts=4), 4),
    (Retry("constant", 2 * SECOND, max_duration=6 * SECOND), 3),
    (Retry("exponential", SECOND, max_duration=8 * SECOND), 4),
])  # fmt: skip
@pytest.mark.parametrize("place", ["own", "group", "flow"])
def test_the_closest_retry_applies_until_it_is_exhausted(retry: Retry, attempts: int, place: str) -> None:
    inner = work("a", retry=retry if place == "own" else None)
    outer = task("g", Sequence((inner,)), retry=retry if place == "group" else None)
    run = played(outer, fails="a", retry=retry if place == "flow" else None)
    assert (run.rows[A].attempts, run.rows[TaskKey("g")].attempts, run.state) == (attempts, 0, "FAILED")


def test_errors_run_when_no_attempt_is_left() -> None:
    run = played(work("a", retry=Retry("constant", 1, max_attempts=3)), fails="a", policy=Policy((work("e"),)))
    assert run.ran() == ["a=FAILED", "e=SUCCESS"]
    assert run.rows[A].attempts == 3


def test_a_failure_that_is_allowed_waits_only_for_the_tasks_own_retry() -> None:
    retry = Retry("constant", 1, max_attempts=3)
    assert played(work("a", allow_failure=True, retry=retry), fails="a").rows[A].attempts == 3
    run = played(work("a", allow_failure=True), fails="a", retry=retry)
    assert (run.rows[A].attempts, run.ran()) == (1, ["a=WARNING"])


@pytest.mark.parametrize(("failures", "ends"), [(0, "SUCCESS"), (1, "SUCCESS"), (2, "WARNING"), (3, "WARNING")])
def test_success_from_the_third_attempt_on_is_a_warning(failures: int, ends: str) -> None:
    run = world(work("a", retry=Retry("constant", 1, warning_on_retry=True)))
    results = iter(["FAILED"] * failures + ["SUCCESS"])
    run.outcome = lambda key: next(results)
    run.start()
    assert run.play().ran() == [f"a={ends}"]


def test_siblings_go_on_while_one_waits_for_its_retry() -> None:
    run = world(task("g", Parallel((work("a", retry=Retry("constant", SECOND)), work("b"), work("c")), 2)))
    run.start()
    run.end("a", "FAILED")
    assert run.state == "RUNNING"
    run.end("b")
    run.end("c")
    assert (run.state, run.ran()) == ("RETRYING", ["g=RUNNING", "a=RETRYING", "b=SUCCESS", "c=SUCCESS"])


def test_a_group_with_one_directory_is_retried_as_a_whole() -> None:
    run = world(task("g", Group((work("a"), work("b"))), retry=Retry("constant", 1, max_attempts=2)))
    results = iter(["", "SUCCESS", "FAILED", "", "SUCCESS", "SUCCESS"])
    run.outcome = lambda key: next(results)
    run.start()
    assert run.play().ran() == ["g=SUCCESS", "a=SUCCESS", "b=FAILED", "a#1=SUCCESS", "b#1=SUCCESS"]
    assert run.rows[TaskKey("g")].attempts == 2


def new_execution(**settings: Any) -> Retry:
    return Retry("constant", SECOND, behavior="CREATE_NEW_EXECUTION", **settings)


def test_a_retry_in_a_new_execution_ends_everything_here() -> None:
    inner = Each(["x", "y"], (work("a"), work("b")), 2)
    run = world(task("g", inner), after_execution=(work("z"),), retry=new_execution(max_attempts=2))
    run.start()
    run.end("a", "FAILED", "x")
    assert (run.state, run.derived) == ("RUNNING", [])
    run.end("a", "SUCCESS", "y")
    assert run.ran() == ["g=RETRIED", "a@x=RETRIED", "a@y=SUCCESS"]
    key = TaskKey("a", ("x",))
    assert (run.state, run.over(), run.derived) == ("RETRIED", True, [Derive(key, 2 * SECOND)])


def test_the_last_execution_of_a_row_fails() -> None:
    run = world(work("a", retry=new_execution(max_attempts=2)), fails="a")
    run.attempt = 2
    run.start()
    assert run.play().state == "FAILED"
    assert run.derived == []
