"""Every task type of the core and of the first-party plugins keeps the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pytest

from core.registry import build, load_registry
from core.sdk import FlowTask, Node, Step, Work
from core.testing import TaskContract

REGISTRY = load_registry(None)
FIRST_PARTY = {info.name for info in REGISTRY.plugins() if info.distribution.startswith("tailrace")}
TASKS = [entry.name for entry in REGISTRY.entries("task") if entry.plugin in FIRST_PARTY]
HELLO = [Step("hello", "log.Log", Work(), {"message": "hello"})]
OTHER_FLOW = {"namespace": "company.team", "flowId": "other"}
VALID: Mapping[str, Mapping[str, object]] = {
    "debug.Echo": {"format": "hello"},
    "flow.Dag": {"tasks": [{"task": HELLO[0]}]},
    "flow.EachParallel": {"value": ["a", "b"], "tasks": HELLO},
    "flow.EachSequential": {"value": '["a", "b"]', "tasks": HELLO},
    "flow.ForEach": {"values": ["a", "b"], "tasks": HELLO},
    "flow.ForEachItem": {**OTHER_FLOW, "items": "storage:///lines.txt"},
    "flow.ForEachItemSplit": {"items": "storage:///lines.txt"},
    "flow.If": {"condition": "true", "then": HELLO},
    "flow.Loop": {"values": {"a": 1, "b": 2}, "tasks": HELLO},
    "flow.LoopUntil": {"condition": "true", "tasks": HELLO},
    "flow.Parallel": {"tasks": HELLO},
    "flow.Subflow": OTHER_FLOW,
    "flow.Switch": {"value": "a", "cases": {"a": HELLO}},
    "flow.Template": {"namespace": "company.team", "templateId": "other", "tasks": HELLO},
    "flow.WorkingDirectory": {"tasks": HELLO},
    "jdbc.duckdb.Queries": {"sql": "SELECT 1; SELECT 2"},
    "jdbc.duckdb.Query": {"sql": "SELECT 1"},
    "log.Log": {"message": ["first", "second"]},
}
"""What can't be told from the examples of the properties."""

REPLACED_ELSEWHERE: Mapping[str, Mapping[str, str]] = {
    "flow.Pause": {"tasks": "tasks behind the pause"},
    "flow.Subflow": {"outputs": "`outputs` of the other flow"},
}
"""Deprecated properties for which no property of the same task stands in, and what their users are told."""


class ReplacedElsewhere(TaskContract):
    """The contract of a type whose deprecated properties are all replaced outside of the task."""

    def test_deprecated_properties_say_what_to_use(self) -> None:
        deprecated = {known.name: (at, known) for at, known in self.declared if known.deprecated}
        assert {name: known.deprecated for name, (_, known) in deprecated.items()} == REPLACED_ELSEWHERE[self.task.type]
        assert [name for name, (at, _) in deprecated.items() if at.required] == []


def _contract_of(name: str) -> type[TaskContract]:
    """The class of tests of one type."""
    base = ReplacedElsewhere if name in REPLACED_ELSEWHERE else TaskContract
    body = {"task": REGISTRY.resolve(name), "valid": VALID.get(name, {}), "__module__": __name__}
    return type(f"Test_{name.replace('.', '_')}", (base,), body)


globals().update({contract.__name__: contract for contract in map(_contract_of, TASKS)})


def test_no_plugin_and_no_type_is_left_out() -> None:
    assert [info.error for info in REGISTRY.plugins() if info.name in FIRST_PARTY and info.error] == []
    groups = {name.rpartition(".")[0] for name in TASKS}
    assert groups >= {
        "debug", "execution", "flow", "http", "jdbc.duckdb", "log", "output", "scripts.python", "scripts.shell",
    }  # fmt: skip
    assert {*VALID, *REPLACED_ELSEWHERE} <= set(TASKS)


@pytest.mark.parametrize("name", [name for name in TASKS if issubclass(REGISTRY.resolve(name), FlowTask)])
def test_what_is_valid_of_a_flow_task_can_be_planned(name: str) -> None:
    task = build(cast("type[FlowTask]", REGISTRY.resolve(name)), VALID.get(name, {}), REGISTRY)
    assert isinstance(task.plan_as("a"), Node)
