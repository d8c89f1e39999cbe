"""What runs after an execution has ended knows that it has."""

from __future__ import annotations

from core.engine.live import LiveExecution
from core.host.seam import EvaluationJob, EvaluationResult
from core.model.flow import FlowOutput
from tests.engine.world import ORGANIZATION, World, succeed, task


def test_who_takes_over_an_execution_that_has_ended_knows_when_and_what_it_gave(world: World) -> None:
    world.does = lambda down: (
        [EvaluationResult(down.ticket, '{"x":"hi"}')] if isinstance(down, EvaluationJob) else succeed(down)
    )
    flow = world.own(task("a"), outputs=(FlowOutput("x", "STRING", "{{ outputs.a.value }}"),))
    world.engine.run()
    view = world.records.execution(ORGANIZATION, "e1")
    assert view is not None
    assert view.ended_at is not None

    live = LiveExecution(world.records.claim("e1", "engine-1"), flow, world.records)

    seen = live.variables.base["execution"]
    assert (seen["state"], seen["outputs"]) == (view.state, view.outputs) == ("SUCCESS", {"x": "hi"})
    assert round(seen["endDate"].timestamp() * 1000) == view.ended_at // 1000


def test_an_execution_that_goes_on_has_no_end(world: World) -> None:
    flow = world.own(task("a"))
    world.engine.run()
    variables = LiveExecution(world.records.claim("e1", "engine-1"), flow, world.records).variables

    variables.entered("RUNNING", 5)

    assert variables.base["execution"].keys() == {"id", "startDate", "originalId", "state"}
