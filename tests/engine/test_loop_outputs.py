"""A loop's outputs when the engine dies in between: what was said is not asked again, what was not is."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from core.host.seam import Down, EvaluationJob, EvaluationResult, Up
from core.model.nodes import Each, IterationOutput, Step
from tests.engine.world import ORGANIZATION, World, succeed, task

LOOP = Step("loop", "flow.Loop", Each(
    ["x", "y"], (task("a"),), 1, as_items=True, outputs=(IterationOutput("said", "STRING", "{{ outputs.a.value }}"),),
    stored=True, break_when="{{ no }}",
))  # fmt: skip


def asked(world: World) -> list[str]:
    """Every evaluation that was sent: what it is for, and in which iteration."""
    found = []
    for one in world.sent:
        if isinstance(one, EvaluationJob):
            item = one.variables.get("item")
            what = "file" if one.rows is not None else "outputs" if isinstance(one.template, dict) else "break"
            found.append(f"{what} {item['index']}" if item and what != "file" else what)
    return found


class Died(BaseException):
    """The end of an engine's process, at any place."""


def answered(down: Down) -> Sequence[Up]:
    if not isinstance(down, EvaluationJob):
        return succeed(down)
    if down.rows is not None:
        uri, files = '"storage:///rows.jsonl"', (("storage:///rows.jsonl", len(down.rows), "00"),)
        return [EvaluationResult(down.ticket, uri, files=files)]
    if isinstance(down.template, dict):
        return [EvaluationResult(down.ticket, json.dumps({"said": down.variables["item"]["value"]}))]
    return [EvaluationResult(down.ticket, '"false"')]


@pytest.mark.parametrize(
    ("died_at", "again"),
    [
        ("outputs 0", ["outputs 0", "break 0", "outputs 1", "break 1", "file"]),
        ("break 0", ["break 0", "outputs 1", "break 1", "file"]),
        ("outputs 1", ["outputs 1", "break 1", "file"]),
        ("break 1", ["break 1", "file"]),
        ("file", ["file"]),
    ],
)
def test_the_next_engine_asks_what_was_not_said(world: World, died_at: str, again: list[str]) -> None:
    def does(down: Down) -> Sequence[Up]:
        if not isinstance(down, EvaluationJob) or asked(world)[-1] != died_at:
            return answered(down)
        raise Died

    world.does = does
    flow = world.own(LOOP)
    with pytest.raises(Died):
        world.engine.run()
    world.sent.clear()
    tasks = world.states()

    world.does = answered
    world.engine = world.another("engine-1")
    world.engine.own("e1", flow, world.told.append)
    world.engine.run()

    assert (asked(world), world.state()) == (again, "SUCCESS")
    assert world.states()[: len(tasks)] == [(name, "SUCCESS") for name, _ in tasks]
    stored, _ = world.records.outputs_at("e1", "loop", ())
    assert stored is not None
    assert json.loads(stored.text or "") == {
        "iterationCount": 2, "runningIterations": 0, "terminatedIterations": {"SUCCESS": 2},
        "uri": "storage:///rows.jsonl",
    }  # fmt: skip
    rows = [one.rows for one in world.sent if isinstance(one, EvaluationJob) and one.rows is not None]
    assert rows == [tuple(
        {"item": {"value": value, "iteration": number, "key": None}, "outputs": {"said": value}}
        for number, value in enumerate("xy")
    )]  # fmt: skip
    assert world.records.own_files(ORGANIZATION, "e1") == ("storage:///rows.jsonl",)
