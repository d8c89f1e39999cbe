"""The thread executor keeps the contract of executors."""

from __future__ import annotations

from collections.abc import Callable

from core.host.executor import Executor
from core.host.seam import Up
from core.testing.executor_contract import ExecutorContract
from core.work import ThreadExecutor, Tools


class TestThreadExecutor(ExecutorContract):
    def make(self, tell: Callable[[Up], None], tools: Tools) -> Executor:
        return ThreadExecutor(tell, tools, workers=2, grace=self.grace)
