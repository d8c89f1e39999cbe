"""For the tests of plugin and flow authors. Nothing is imported until it is used; only the contracts need pytest."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.testing.apps import temporary_app
    from core.testing.flows import FlowRun, TaskExecution, run_flow
    from core.testing.runner_contract import RunnerContract
    from core.testing.storage_contract import StorageContract
    from core.testing.task_contract import TaskContract
    from core.testing.tasks import TaskRun, run_task

__all__ = [
    "FlowRun", "RunnerContract", "StorageContract", "TaskContract", "TaskExecution", "TaskRun", "run_flow", "run_task",
    "temporary_app",
]  # fmt: skip

_MODULES = {
    "apps": ("temporary_app",),
    "flows": ("FlowRun", "TaskExecution", "run_flow"),
    "runner_contract": ("RunnerContract",),
    "storage_contract": ("StorageContract",),
    "task_contract": ("TaskContract",),
    "tasks": ("TaskRun", "run_task"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"core.testing.{module}"), name)
    raise AttributeError(f"module `core.testing` has no `{name}`")
