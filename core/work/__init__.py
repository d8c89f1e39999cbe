"""The far side of the seam: renders, runs attempts, and tells what became of them.

A lazy door: a helper process needs a small part of this, and its start is waited for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.work.secrets import Secrets
    from core.work.threads import ThreadExecutor
    from core.work.tools import Tools

__all__ = ["Secrets", "ThreadExecutor", "Tools"]

_MODULES = {"Secrets": "secrets", "ThreadExecutor": "threads", "Tools": "tools"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module `{__name__}` has no `{name}`")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return found
