"""What arrives together is decided together, whatever it is."""

from __future__ import annotations

from collections.abc import Sequence

from core.host.requests import SetKv
from core.host.seam import Down, Stop, TaskJob, Up
from core.model.nodes import Each, Step
from tests.engine.world import ORGANIZATION, World, ended, task

LOOP = Step("loop", "flow.ForEach", Each(tuple("abcdef"), (task("one"),), 0))
SIDE = SetKv("tests", "name", '"1"')


def test_a_task_that_ends_in_the_turn_in_which_it_is_killed_needs_no_stop(world: World) -> None:
    def does(message: Down) -> Sequence[Up]:
        if not isinstance(message, TaskJob):
            return []
        world.engine.interrupt()
        return [ended(message)]

    world.does = does
    world.run(task("a"), task("b"))

    assert (world.state(), world.jobs()) == ("KILLED", ["a"])
    assert [one for one in world.sent if isinstance(one, Stop)] == []
    assert [name for name, _ in world.states()] == ["a"]


def test_tasks_that_have_succeeded_together_are_one_decision(world: World) -> None:
    world.run(LOOP)
    assert world.state() == "SUCCESS"
    units = [unit for units in world.records.commits for unit in units]
    assert [sorted(key.path[0] for key in unit.results) for unit in units] == [[], list("abcdef")]
    rows = world.records.task_executions(ORGANIZATION, "e1")
    assert [(row.value, row.state) for row in rows[1:]] == [(value, "SUCCESS") for value in "abcdef"]


def test_what_fails_or_asks_for_more_is_decided_by_itself(world: World) -> None:
    def does(message: Down) -> Sequence[Up]:
        assert isinstance(message, TaskJob)
        value = message.path[0]
        if value == "c":
            return [ended(message, "FAILED", error="no")]
        return [ended(message, requests=(SIDE,) if value == "e" else ())]

    world.does = does
    world.run(LOOP)
    assert world.state() == "FAILED"
    units = [unit for units in world.records.commits for unit in units]
    assert [[key.path[0] for key in unit.results] for unit in units] == [[], ["a", "b"], ["c"], ["d"], ["e"], ["f"]]
