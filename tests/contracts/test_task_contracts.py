"""Every task type of the core and of the first-party plugins keeps the contract."""

from __future__ import annotations

from collections.abc import Mapping

from core.registry import load_registry
from core.testing import TaskContract

REGISTRY = load_registry(None)
FIRST_PARTY = {info.name for info in REGISTRY.plugins() if info.distribution.startswith("tailrace")}
TASKS = [entry.name for entry in REGISTRY.entries("task") if entry.plugin in FIRST_PARTY]
VALID: Mapping[str, Mapping[str, object]] = {
    "debug.Echo": {"format": "hello"},
    "jdbc.duckdb.Queries": {"sql": "SELECT 1; SELECT 2"},
    "jdbc.duckdb.Query": {"sql": "SELECT 1"},
    "log.Log": {"message": ["first", "second"]},
}
"""What can't be told from the examples of the properties."""


def _contract_of(name: str) -> type[TaskContract]:
    """The class of tests of one type."""
    body = {"task": REGISTRY.resolve(name), "valid": VALID.get(name, {}), "__module__": __name__}
    return type(f"Test_{name.replace('.', '_')}", (TaskContract,), body)


globals().update({contract.__name__: contract for contract in map(_contract_of, TASKS)})


def test_no_plugin_and_no_type_is_left_out() -> None:
    assert [info.error for info in REGISTRY.plugins() if info.name in FIRST_PARTY and info.error] == []
    groups = {name.rpartition(".")[0] for name in TASKS}
    assert groups >= {
        "debug", "execution", "flow", "http", "jdbc.duckdb", "log", "output", "scripts.python", "scripts.shell",
    }  # fmt: skip
    assert set(VALID) <= set(TASKS)
