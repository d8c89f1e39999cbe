"""For the tests of plugin and flow authors. Nothing is imported until it is used; only the contracts need pytest."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.testing.apps import temporary_app
    from core.testing.executor_contract import ExecutorContract
    from core.testing.flows import FlowRun, TaskExecution, run_flow
    from core.testing.record_store_contract import RecordStoreContract
    from core.testing.runner_contract import RunnerContract
    from core.testing.storage_contract import StorageContract
    from core.testing.task_contract import TaskContract
    from core.testing.tasks import TaskRun, run_task

__all__ = [
    "ExecutorContract", "FlowRun", "RecordStoreContract", "RunnerContract", "StorageContract", "TaskContract",
    "TaskExecution", "TaskRun", "run_flow", "run_task", "temporary_app",
]  # fmt: skip

_MODULES = {
    "apps": ("temporary_app",),
    "executor_contract": ("ExecutorContract",),
    "flows": ("FlowRun", "TaskExecution", "run_flow"),
    "record_store_contract": ("RecordStoreContract",),
    "runner_contract": ("RunnerContract",),
    "storage_contract": ("StorageContract",),
    "task_contract": ("TaskContract",),
    "tasks": ("TaskRun", "run_task"),
}

_ASSERTING = (
    "executor_contract", "executor_left", "executor_members", "near_side", "record_reading", "record_requests",
    "record_store_contract", "record_writing", "runner_contract", "storage_contract", "task_contract",
)  # fmt: skip

if "pytest" in sys.modules:
    # Before they are imported, or a failed assertion of a contract would not say what it compared.
    sys.modules["pytest"].register_assert_rewrite(*(f"{__name__}.{module}" for module in _ASSERTING))


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"core.testing.{module}"), name)
    raise AttributeError(f"module `core.testing` has no `{name}`")
