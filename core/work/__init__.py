"""The far side of the seam: renders, runs attempts, and tells what became of them.

A lazy door: a helper process needs a small part of this, and its start is waited for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.work.processes import ProcessExecutor
    from core.work.secrets import Secrets
    from core.work.threads import ThreadExecutor
    from core.work.tools import Tools
    from core.work.worker_tools import WorkerTools

__all__ = ["ProcessExecutor", "Secrets", "ThreadExecutor", "Tools", "WorkerTools"]

_MODULES = {
    "ProcessExecutor": "processes", "Secrets": "secrets", "ThreadExecutor": "threads", "Tools": "tools",
    "WorkerTools": "worker_tools",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module `{__name__}` has no `{name}`")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return found
