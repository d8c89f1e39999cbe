"""What becomes of an execution that was being stopped, or was to be, when its engine died."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest

from core.engine.recovering import MOST_TAKEOVERS
from core.host.seam import Down, Stop, TaskJob
from core.model.flow import Flow
from core.model.nodes import Group, Step
from core.model.nodes import Sequence as Sequential
from tests.engine.world import ORGANIZATION, World, only_end, succeed, task

KILLED = "the execution was killed"
KINDS = pytest.mark.parametrize(
    ("kind", "asked", "state"),
    [("kill", {}, "KILLED"), ("end", {"state": "FAILED", "error": "late", "stop": True}, "FAILED")],
)


def jobs(sent: Sequence[Down]) -> list[tuple[str, bool, bool]]:
    """Of each job its task, whether it was begun before, and whether it only ends."""
    return [(one.place.task_name, one.again, one.ends) for one in sent if isinstance(one, TaskJob)]


def begun(world: World, *steps: Step) -> Flow:
    """An execution whose first task runs for ever."""
    world.does = only_end
    flow = world.own(*steps)
    world.engine._turn()
    return flow


def ask(world: World, kind: str, asked: dict[str, Any]) -> None:
    world.records.send("e1", kind, json.dumps(asked), 1)


def taken_over(world: World, flow: Flow, *, go_on: bool = True) -> None:
    """The engine has died, and the next one takes a turn."""
    world.sent.clear()
    world.engine = world.another("engine-1")
    world.engine.own("e1", flow, world.told.append, go_on=go_on)
    world.engine._turn()
    world.engine._turn()


@KINDS
def test_of_what_was_told_to_stop_is_ended_what_outlived_its_engine(
    world: World, kind: str, asked: dict[str, Any], state: str
) -> None:
    flow = begun(world, task("a"), task("b"))
    first = world.sent[0]
    ask(world, kind, asked)
    world.engine._look_soon()
    world.engine._turn()
    assert isinstance(world.sent.pop(), Stop)

    taken_over(world, flow)

    assert jobs(world.sent) == [("a", False, True)]
    assert (len(world.sent), world.sent[0].attempt_id) == (1, first.attempt_id)  # type: ignore[union-attr]
    (view,) = world.records.task_executions(ORGANIZATION, "e1")
    assert (view.task_name, view.state, view.error, len(view.attempts)) == ("a", state, KILLED, 1)
    assert world.state() == state


@KINDS
@pytest.mark.parametrize("go_on", [True, False])
def test_what_is_to_stop_when_it_is_taken_over_is_not_begun_once_more(
    world: World, kind: str, asked: dict[str, Any], state: str, go_on: bool
) -> None:
    flow = begun(world, task("a"), task("b"))
    ask(world, kind, asked)

    taken_over(world, flow, go_on=go_on)

    assert jobs(world.sent) == [("a", False, True)]
    assert (len(world.sent), world.state()) == (1, state)
    (view,) = world.records.task_executions(ORGANIZATION, "e1")
    assert (view.state, view.error, len(view.attempts)) == (state, KILLED, 1)


def test_who_only_ends_what_was_being_stopped_ends_what_is_left_too(world: World) -> None:
    flow = begun(world, task("a"))
    ask(world, "kill", {})
    world.engine._look_soon()
    world.engine._turn()
    ask(world, "kill", {})

    taken_over(world, flow, go_on=False)

    assert (jobs(world.sent), len(world.sent)) == ([("a", False, True)], 1)
    assert (world.state(), world.states()) == ("KILLED", [("a", "KILLED")])


def test_a_group_is_one_job_that_ends_what_its_members_left(world: World) -> None:
    group = Step("group", "flow.WorkingDirectory", Group((task("a"), task("b"))))
    flow = begun(world, group, task("behind"))
    ask(world, "kill", {})

    taken_over(world, flow, go_on=False)

    assert jobs(world.sent) == [("group", False, True)]
    members = world.sent[0].members  # type: ignore[union-attr]
    assert [member.task_name for member in members or ()] == ["a", "b"]
    assert (world.state(), world.states()) == ("KILLED", [("group", "KILLED")])


def test_of_an_execution_whose_flow_is_gone_nothing_is_looked_for(world: World) -> None:
    begun(world, task("a"))
    ask(world, "kill", {})

    taken_over(world, Flow("flow", "tests", Sequential(())), go_on=False)

    assert (world.sent, world.state(), world.states()) == ([], "KILLED", [("a", "KILLED")])


def test_another_message_lets_an_attempt_go_on(world: World) -> None:
    flow = begun(world, task("a"))
    ask(world, "pause", {})

    taken_over(world, flow)

    assert jobs(world.sent) == [("a", True, False)]


def test_who_asks_for_an_end_after_the_end_lets_what_runs_then_go_on(world: World) -> None:
    world.does = lambda down: succeed(down) if isinstance(down, TaskJob) and down.place.task_name == "a" else []
    flow = world.own(task("a"), after=(task("behind"),))
    for _ in range(3):
        world.engine._turn()
    assert (world.state(), jobs(world.sent)[1:]) == ("SUCCESS", [("behind", False, False)])
    ask(world, "end", {"state": "FAILED", "stop": True})

    taken_over(world, flow)

    assert jobs(world.sent) == [("behind", True, False)]


def test_what_goes_on_after_a_take_over_is_stopped_like_everything(world: World) -> None:
    flow = begun(world, task("a"))
    taken_over(world, flow)
    ask(world, "kill", {})
    world.engine._look_soon()
    world.engine._turn()

    assert jobs(world.sent) == [("a", True, False)]
    assert world.sent[1:] == [Stop(world.sent[0].attempt_id, KILLED)]  # type: ignore[union-attr]


def test_a_second_kill_does_not_stop_what_is_being_ended(world: World) -> None:
    flow = begun(world, task("a"))
    ask(world, "end", {"state": "FAILED", "stop": True})
    world.does = lambda down: []
    taken_over(world, flow)
    ask(world, "kill", {})
    world.engine._look_soon()
    world.engine._turn()

    assert (jobs(world.sent), len(world.sent)) == ([("a", False, True)], 1)
    assert world.state() == "KILLING"


@KINDS
def test_what_may_have_ended_engines_is_not_ended_by_a_job_of_its_own(
    world: World, kind: str, asked: dict[str, Any], state: str
) -> None:
    flow = begun(world, task("a"))
    ask(world, kind, asked)
    world.engine._look_soon()
    world.engine._turn()
    with closing(sqlite3.connect(world.home / "records.db")) as records, records:
        records.execute("UPDATE flow_executions SET engine_id = 'gone', takeovers = ?", (MOST_TAKEOVERS - 1,))

    taken_over(world, flow)
    assert (world.sent, world.state(), world.states()) == ([], state, [("a", state)])
