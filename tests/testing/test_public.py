"""What `core.testing` offers, and what it costs to ask for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import core.testing

OFFERED = [
    "ExecutorContract", "FlowRun", "RecordStoreContract", "RunnerContract", "StorageContract", "TaskContract",
    "TaskExecution", "TaskRun", "run_flow", "run_task", "temporary_app",
]  # fmt: skip


def test_what_is_offered_is_pinned() -> None:
    assert sorted(core.testing.__all__) == OFFERED


def test_everything_offered_is_there() -> None:
    for name in core.testing.__all__:
        assert getattr(core.testing, name).__name__ == name


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(AttributeError, match=r"module `core\.testing` has no `run_tasks`"):
        _ = core.testing.run_tasks


@pytest.mark.parametrize(
    ("statement", "modules"),
    [
        ("import core.testing", ("core.app", "pytest", "attrs")),
        ("from core.testing import run_task, run_flow", ("pytest", "httpx", "duckdb", "docker", "rich", "asyncio")),
    ],
)
def test_nothing_is_imported_that_is_not_used(statement: str, modules: tuple[str, ...]) -> None:
    program = f"import sys; {statement}; print(*(name for name in {modules!r} if name in sys.modules))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == []
