"""What becomes of an execution that was being stopped when its engine died."""

from __future__ import annotations

import json

import pytest

from core.host.seam import Stop
from tests.engine.world import ORGANIZATION, World, task


@pytest.mark.parametrize(
    ("kind", "asked", "state"),
    [("kill", {}, "KILLED"), ("end", {"state": "FAILED", "error": "late", "stop": True}, "FAILED")],
)
def test_what_was_told_to_stop_has_stopped_with_the_engine_that_ran_it(
    world: World, kind: str, asked: dict[str, object], state: str
) -> None:
    world.does = lambda down: []
    flow = world.own(task("a"), task("b"))
    world.engine._turn()
    world.records.send("e1", kind, json.dumps(asked), 1)
    world.engine._look_soon()
    world.engine._turn()
    assert isinstance(world.sent.pop(), Stop)
    world.sent.clear()

    world.engine = world.another("engine-1")
    world.engine.own("e1", flow, world.told.append)
    world.engine._turn()

    (view,) = world.records.task_executions(ORGANIZATION, "e1")
    assert (view.task_name, view.state, view.error) == ("a", state, "the execution was killed")
    assert (world.state(), world.sent) == (state, [])
