"""What arrives together is decided together, whatever it is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.engine import work
from core.host.records import NewExecution
from core.host.requests import SetKv
from core.host.seam import Down, Stop, TaskJob, Up
from core.model.flow import Flow
from core.model.messages import SlotFree
from core.model.nodes import Concurrency, Each, Step
from core.model.nodes import Sequence as Sequential
from tests.engine.world import ORGANIZATION, World, ended, running, task
from tests.waiting import until

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


def test_of_those_that_wait_for_a_slot_none_is_asked_behind_one_that_gets_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = 12
    told: list[SlotFree] = []

    def slot_free() -> SlotFree:
        told.append(SlotFree())
        return told[-1]

    monkeypatch.setattr(work, "SlotFree", slot_free)
    flow = Flow("flow", "tests", Sequential((task("a"),)), concurrency=Concurrency(1, "QUEUE"))
    for number in range(many):
        name = f"e{number:02}"
        world.records.create_execution(NewExecution(name, ORGANIZATION, "tests", "flow", 1, "{}", {}, (), number))
        world.engine.own(name, flow, None)
    with running(world) as raised:
        pass
    assert raised == []

    assert {world.state(f"e{number:02}") for number in range(many)} == {"SUCCESS"}
    asked = [unit for units in world.records.commits for unit in units if unit.decision.guards]
    assert len(asked) <= 3 * many, "each once when it begins, then one that begins and one that gets nothing"
    assert len(told) <= 3 * many, "so none behind it is told either, however long the line is"


def test_slots_are_given_in_the_order_in_which_executions_were_recorded_whatever_clocks_said(world: World) -> None:
    """Two that are created at once look at the clock before one of them waits for the other to be recorded."""
    flow = Flow("flow", "tests", Sequential((task("a"),)), concurrency=Concurrency(1, "QUEUE"))
    for name, at in (("e0", 1), ("e1", 100), ("e2", 90)):
        world.records.create_execution(NewExecution(name, ORGANIZATION, "tests", "flow", 1, "{}", {}, (), at))
        world.engine.own(name, flow, None)
    with running(world) as raised:
        until(lambda: world.state("e1") == world.state("e2") == "SUCCESS")
    assert raised == []
    order = [one.place.flow_execution_id for one in world.sent if isinstance(one, TaskJob)]
    assert order == ["e0", "e1", "e2"]


def test_of_two_revisions_that_wait_for_slots_the_older_execution_is_asked_first(world: World) -> None:
    """Each may have a limit of its own: what is asked first may take the slot of one that waits longer."""
    flow = Flow("flow", "tests", Sequential((task("a"),)), concurrency=Concurrency(1, "QUEUE"))
    for name, revision in (("e0", 1), ("e1", 1), ("e2", 1), ("e3", 2)):
        world.records.create_execution(NewExecution(name, ORGANIZATION, "tests", "flow", revision, "{}", {}, (), 1))
    for name in ("e0", "e3", "e2", "e1"):
        world.engine.own(name, flow, None)
    world.does = lambda message: ()
    with running(world) as raised:
        until(lambda: [world.state(name) for name in ("e1", "e2", "e3")] == ["QUEUED"] * 3)
        with world.engine._leading:
            asked = [[work.live.identity.id for work in line] for line in world.engine._queued()]
        for _ in range(2):
            world.engine.interrupt()
    assert (raised, asked) == ([], [["e1", "e2"], ["e3"]])
