"""The thread executor keeps the contract of executors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import core.work.left
import core.work.threads
from core.app import App
from core.host.executor import Executor
from core.host.seam import Stop, TaskResult, Up
from core.testing.executor_contract import ExecutorContract
from core.testing.executor_left import left, lines
from core.testing.near_side import KILLED, NearSide
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

    def test_what_does_not_end_is_given_up_one_day(
        self, near: NearSide, gate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(core.work.left, "LONGEST_SECONDS", 0.1)
        names = ["one", "two", "three", "four", "five"]
        for name in names:
            near.executor.send(left(name, text="late", until=str(gate)))
        assert {(near.result(name).state, near.result(name).error) for name in names} == {("KILLED", KILLED)}
        gate.touch()
        late = {("", "INFO", f"ended {name}: late") for name in names}
        near.wait(lambda heard: set(lines(near)) == late)
        assert near.run("testing.Say", "next", text="next").state == "SUCCESS"
        assert [len(near.results(name)) for name in names] == [1] * 5

    def test_what_is_left_of_much_is_ended_side_by_side_and_takes_nobodys_place(
        self, near: NearSide, gate: Path
    ) -> None:
        for number in range(20):
            near.executor.send(left(f"left-{number}", text="x", until=str(gate)))
        for name in ("h1", "h2", "h3"):
            near.send("testing.Hold", name, until=str(gate))
        near.begins(2)
        gate.touch()
        assert {near.result(f"left-{number}").state for number in range(20)} == {"KILLED"}
        assert {near.result(name).state for name in ("h1", "h2", "h3")} == {"SUCCESS"}
        jobs = [f"again-{number}" for number in range(10)]
        for name in jobs:
            near.send("testing.Say", name, text="again")
        assert {near.result(name).state for name in jobs} == {"SUCCESS"}

    def test_what_is_given_up_leaves_its_place_to_nobody(
        self, near: NearSide, gate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(core.work.left, "LONGEST_SECONDS", 0.1)
        near.executor.send(left("given-up", text="late", until=str(gate)))
        near.result("given-up")
        for name in ("h1", "h2", "h3"):
            near.send("testing.Hold", name, until=str(gate))
        assert near.executor._threads == 2  # type: ignore[attr-defined] # as many as there are workers
        gate.touch()
        assert {near.result(name).state for name in ("h1", "h2", "h3")} == {"SUCCESS"}

    def test_an_attempt_that_is_begun_once_more_is_not_given_up_for_an_earlier_stop(
        self, near: NearSide, gate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An engine that was taken for dead stops what it ran, and may own it again before the grace is over."""
        given_up: list[Callable[[], object]] = []
        monkeypatch.setattr(core.work.threads, "later", lambda _, call, *of: given_up.append(partial(call, *of)))
        near.send("testing.Hold", until=str(gate))
        near.begins(1)
        near.executor.send(Stop("one", "another engine works on the execution"))
        near.wait(lambda heard: near.results("one"))
        near.send("testing.Hold", until=str(gate))
        near.begins(2)
        given_up.pop()()
        gate.touch()
        near.wait(lambda heard: len(near.results("one")) == 2)
        assert [one.state for one in near.results("one")] == ["FAILED", "SUCCESS"]

    def test_of_an_attempt_that_is_begun_once_more_only_the_later_result_is_told(
        self, near: NearSide, gate: Path
    ) -> None:
        near.send("testing.Hold", until=str(gate), deaf=True)
        near.begins(1)
        near.send("testing.Hold", until=str(gate.with_name("again")))
        near.begins(2)
        gate.touch()
        for name in ("h1", "h2"):
            near.send("testing.Hold", name, until=str(gate.with_name("again")))
        near.begins(3)  # in the place of what ended
        assert near.results("one") == []
        gate.with_name("again").touch()
        assert {near.result(name).state for name in ("one", "h1", "h2")} == {"SUCCESS"}
        assert len(near.results("one")) == 1
