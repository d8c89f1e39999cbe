"""Replays from a task: what is kept, and what runs again, in groups of each kind."""

from __future__ import annotations

import pytest

from core.model.messages import RestartRequested, TaskKey
from core.model.nodes import Dag, Each, Sequence
from core.planner.restart import continuation
from tests.planner.flows import again, played, task, work, world

A = TaskKey("a")


def test_a_replay_runs_the_task_and_all_that_follows_it() -> None:
    steps = (work("b"), task("g", Sequence((work("c"), work("a"), work("d")))), work("z"))
    run = played(*steps)
    again(run, "from", A)
    assert run.play().ran()[5:] == ["z=SUCCESS", "a#1=SUCCESS", "d#1=SUCCESS", "z#1=SUCCESS"]
    assert run.state == "SUCCESS"


LOOPED = (task("g", Each(["x", "y"], (work("b"), work("a"), work("c")))), work("z"))


def test_a_replay_in_a_loop_runs_the_elements_behind_again() -> None:
    run = played(*LOOPED)
    message = RestartRequested("from", (TaskKey("a", ("x",)),))
    plan = continuation(run.facts(rows=run.past()), message)
    assert plan.kept == {TaskKey("b", ("x",)), TaskKey("b", ("y",))}  # what stood before the task, for every element
    again(run, "from", *message.tasks)
    assert run.play().ran()[8:] == [
        "a@x#1=SUCCESS", "c@x#1=SUCCESS", "b@y#1=SUCCESS", "a@y#1=SUCCESS", "c@y#1=SUCCESS", "z#1=SUCCESS",
    ]  # fmt: skip


def test_a_replay_in_a_loop_keeps_the_elements_before_and_those_that_ran_side_by_side() -> None:
    run = played(*LOOPED)
    again(run, "from", TaskKey("a", ("y",)))
    assert run.play().ran()[8:] == ["a@y#1=SUCCESS", "c@y#1=SUCCESS", "z#1=SUCCESS"]
    run = played(task("g", Each(["x", "y"], (work("b"), work("a")), 2)))
    again(run, "from", TaskKey("a", ("x",)))
    assert run.play().ran()[5:] == ["a@x#1=SUCCESS"]


def test_a_warning_that_is_to_run_again_no_longer_counts() -> None:
    run = world(*LOOPED)
    run.outcome = lambda key: "WARNING" if key == TaskKey("b", ("y",)) else "SUCCESS"
    run.start()
    assert run.play().state == "WARNING"
    again(run, "from", TaskKey("a", ("x",)))
    assert run.play().state == "SUCCESS"


def test_a_replay_in_a_dag_runs_what_depends_on_the_task() -> None:
    node = Dag((work("a"), work("b"), work("c"), work("d")), {"c": ("a",), "d": ("b",)})
    run = played(task("g", node))
    again(run, "from", A)
    assert run.play().ran()[5:] == ["a#1=SUCCESS", "c#1=SUCCESS"]


def test_what_depends_on_the_task_by_way_of_others_runs_again_wherever_it_is_written() -> None:
    run = played(task("g", Dag((work("c"), work("b"), work("a"), work("d")), {"b": ("a",), "c": ("b",)})))
    again(run, "from", A)
    assert run.play().ran()[5:] == ["a#1=SUCCESS", "b#1=SUCCESS", "c#1=SUCCESS"]


@pytest.mark.parametrize("as_items", [False, True])
def test_an_element_goes_on_behind_a_task_that_ends_as_it_is_replayed(as_items: bool) -> None:
    children = (work("b"), work("a", run_if="false"), work("c", run_if="false"), work("d"), work("e"))
    run = played(task("g", Each(["x"], children, as_items=as_items)))
    again(run, "from", TaskKey("a", ("x",)))
    assert run.play().ran()[6:] == ["a@x#1=SKIPPED", "c@x#1=SKIPPED", "d@x#1=SUCCESS", "e@x#1=SUCCESS"]
    assert run.state == "SUCCESS"
