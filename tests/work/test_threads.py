"""The thread executor keeps the contract of executors."""

from __future__ import annotations

import threading
from collections.abc import Callable

from core.app import App
from core.host.executor import Executor
from core.host.seam import TaskResult, Up
from core.testing.executor_contract import ExecutorContract
from core.testing.near_side import NearSide
from core.work import ThreadExecutor


class TestThreadExecutor(ExecutorContract):
    def make(self, tell: Callable[[Up], None], app: App) -> Executor:
        return ThreadExecutor(tell, app.tools(), workers=2, grace=self.grace)

    def test_what_follows_from_a_result_runs_in_the_thread_that_told_it(self, near: NearSide) -> None:
        threads = []

        def tell(message: Up) -> None:
            if isinstance(message, TaskResult):
                threads.append(threading.get_ident())
                if len(threads) < 5:
                    near.send("debug.Return", f"next-{len(threads)}", format="x")
            near.tell(message)

        near.executor.tell = tell
        near.send("debug.Return", format="x")
        near.result("next-4")
        assert (len(threads), len(set(threads))) == (5, 1)
