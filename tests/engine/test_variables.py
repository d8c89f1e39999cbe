"""Which outputs an execution has at hand, and for which states of tasks it asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from core.engine.needs import Needs, needs_of
from core.engine.variables import CACHE_BYTES, Variables
from core.host.seam import OutputText
from core.model.messages import TaskKey
from tests.engine.world import World, chain

A, B = TaskKey("t0"), TaskKey("t1")


def test_a_task_that_gives_its_output_again_and_again_drives_out_no_other(world: World) -> None:
    world.own(*chain(2))
    variables = world.engine._owned["e1"].live.variables
    variables.remember(A, OutputText("small"))
    for _ in range(5):
        variables.remember(B, OutputText("x" * (CACHE_BYTES // 3)))
    assert variables.at("t0", ()) == OutputText("small")
    assert variables._cached_bytes == len("small") + CACHE_BYTES // 3


@pytest.mark.parametrize(
    ("text", "tasks"),
    [
        ("{{ tasks.a.state }} {{ tasks['b'].state }}", {"a", "b"}),
        ("{{ tasks[inputs.which].state }}", None),
        ("{{ tasks | length }}", None),
        ("{{ outputs.a.value }}", set()),
    ],
)
def test_states_are_asked_for_by_name(text: str, tasks: set[str] | None) -> None:
    assert needs_of([text]).tasks == (None if tasks is None else frozenset(tasks))


def test_states_of_the_tasks_that_are_named_are_looked_up_and_no_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run(*chain(3))
    world.own(*chain(1), name="e2")
    variables = world.engine._owned["e2"].live.variables
    asked: list[Sequence[str] | None] = []

    def states_of(execution_id: str, task_names: Sequence[str] | None = None) -> tuple[tuple[TaskKey, str], ...]:
        asked.append(task_names)
        return tuple((key, "SUCCESS") for key in (A, B) if task_names is None or key.task_id in task_names)

    monkeypatch.setattr(world.records, "states_of", states_of)
    named = variables.of(A, Needs(frozenset(), frozenset({"t0"})))
    assert (named["tasks"], asked) == ({"t0": {"state": "SUCCESS"}}, [["t0"]])
    missing = variables.of(A, Needs(frozenset(), frozenset({"none"})))
    both = {"t0": {"state": "SUCCESS"}, "t1": {"state": "SUCCESS"}}
    assert (missing["tasks"], asked[1:]) == (both, [["none"], None]), "a message about it names what there is"


def test_an_output_from_before_a_restart_is_read_from_the_record_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = world.own(*chain(2))
    live = world.engine._owned["e1"].live
    world.engine.run()
    variables = Variables(live.view, flow, live.identity, world.records, {}, {}, {}, fresh=False)
    asked: list[Sequence[str] | None] = []
    outputs_of = world.records.outputs_of

    def counted(execution_id: str, task_names: Sequence[str] | None) -> Any:
        asked.append(task_names)
        return outputs_of(execution_id, task_names)

    monkeypatch.setattr(world.records, "outputs_of", counted)
    for _ in range(3):
        assert variables.of(B, Needs(frozenset({"t0"}), frozenset()))["outputs"] == {"t0": OutputText('{"value":"t0"}')}
    assert asked == [["t0"]]
