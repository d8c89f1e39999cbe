"""Who leads the loop, and what the others do meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from core.engine.timers import Timer, Timers
from core.errors import Unreachable
from core.host.records import Unit
from core.host.seam import TaskJob, Up
from core.host.views import Happening, TaskLogged
from core.model.messages import ROOT
from core.model.nodes import Retry
from tests.engine.world import ORGANIZATION, World, chain, ended, line, running, task
from tests.waiting import PATIENCE, until


def first_job(world: World) -> TaskJob:
    return next(one for one in world.sent if isinstance(one, TaskJob))


def test_whoever_brings_a_result_leads_the_next_turn_in_its_own_thread(world: World) -> None:
    threads: list[str] = []
    world.does = lambda down: threads.append(threading.current_thread().name) or []  # type: ignore[func-returns-value]
    world.own(*chain(2))
    with running(world) as raised:
        until(lambda: len(world.sent) == 1)
        bringer = threading.Thread(target=lambda: world.hands.tell(ended(world.sent[0])), name="bringer")
        bringer.start()
        bringer.join(PATIENCE)
        assert threads[1:] == ["bringer"]
        world.hands.tell(ended(world.sent[1]))
    assert (raised, world.state()) == ([], "SUCCESS")


def test_who_does_not_lead_sleeps_while_results_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Going round instead would take the interpreter from those that work."""
    looks: list[None] = []
    is_done = world.engine._is_done
    monkeypatch.setattr(world.engine, "_is_done", lambda: looks.append(None) or is_done())
    world.does = lambda down: []
    world.own(*chain(1))
    with running(world) as raised:
        until(lambda: world.sent)
        writes = threading.Event()

        def slow(units: Sequence[Unit]) -> None:
            world.engine._inbox.append(None)  # something else has come in meanwhile
            before, began = len(looks), time.monotonic()
            writes.wait(0.5)
            assert len(looks) - before < 100 * (time.monotonic() - began)

        world.records.before = slow
        world.hands.tell(ended(world.sent[0]))
    assert (raised, world.state()) == ([], "SUCCESS")


def test_a_time_that_another_thread_has_set_wakes_who_sleeps(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would sleep until its next look."""
    monkeypatch.setattr("core.engine.engine.LOOK_SECONDS", 10 * PATIENCE)
    world.does = lambda down: []
    world.own(task("a", retry=Retry("constant", 1000)))
    with running(world) as raised:
        until(lambda: world.sent)
        world.hands.tell(ended(world.sent[0], "FAILED", error="not yet"))
        until(lambda: len(world.sent) == 2)
        world.hands.tell(ended(world.sent[1]))
    assert (raised, world.state()) == ([], "SUCCESS")


def test_what_goes_wrong_in_a_turn_that_another_thread_leads_is_raised_by_run(world: World) -> None:
    def full(units: Sequence[Unit]) -> None:
        raise Unreachable("the disk is full")

    world.does = lambda down: []
    world.own(*chain(2))
    with running(world) as raised:
        until(lambda: world.sent)
        world.records.before = full
        bringer = threading.Thread(target=lambda: world.hands.tell(ended(world.sent[0])))
        bringer.start()
        bringer.join(PATIENCE)
    assert [str(error) for error in raised] == ["the disk is full"]


def test_a_task_that_goes_on_talking_does_not_keep_a_turn_from_ending(world: World) -> None:
    commits: list[int] = []

    class Talking(list[Happening]):
        def append(self, happening: Happening) -> None:
            if isinstance(happening, TaskLogged) and len(commits) < 10:
                commits.append(len(world.records.commits))
                world.hands.tell(line(first_job(world), "one more"))

    world.told = Talking()
    world.does = lambda down: []
    world.own(*chain(1))
    with running(world) as raised:
        until(lambda: world.sent)
        world.hands.tell(line(first_job(world), "the first"))
        until(lambda: len(commits) == 10)
        world.hands.tell(ended(first_job(world)))
    assert (raised, world.state()) == ([], "SUCCESS")
    assert commits[0] < commits[-1], "lines are written while more are said"


def test_who_says_more_than_can_be_written_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a script that prints without end would fill the memory."""
    monkeypatch.setattr("core.engine.hearing.MANY_WORDS", 10)
    monkeypatch.setattr("core.engine.engine.LOOK_SECONDS", 10 * PATIENCE)
    world.does = lambda down: []
    world.own(*chain(1))
    with running(world) as raised:
        until(lambda: world.sent)
        waiting = []
        for number in range(100):
            world.hands.tell(line(first_job(world), f"line {number}"))
            waiting.append(len(world.engine._hearing._words))
        assert max(waiting) <= 10
        world.hands.tell(ended(first_job(world)))
    assert (raised, world.state()) == ([], "SUCCESS")
    lines = world.records.logs(ORGANIZATION, "e1", None, ("INFO",), 0, 1000)
    assert [one.message for one in lines] == [f"line {number}" for number in range(100)]


def test_what_comes_while_a_talker_lets_go_of_the_lead_waits_for_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class LettingGo:
        """Takes the time to let go in which another thread brings a result, and finds that somebody leads."""

        def __init__(self, late: list[Up]) -> None:
            self._lock = threading.Lock()
            self._late = late

        def acquire(self, *, blocking: bool = True, timeout: float = -1) -> bool:
            return self._lock.acquire(blocking, timeout)

        def release(self) -> None:
            world.engine._inbox.extend(self._late)
            self._late.clear()
            self._lock.release()

    monkeypatch.setattr("core.engine.hearing.MANY_WORDS", 0)
    world.does = lambda down: []
    world.own(*chain(2))
    world.engine._turn()
    world.engine._leading = LettingGo([ended(first_job(world))])  # type: ignore[assignment]
    world.hands.tell(line(first_job(world), "much"))
    assert world.jobs() == ["t0", "t1"]


def test_who_does_not_lead_may_ask_for_the_next_time_while_it_is_taken_out() -> None:
    class TakenOut(list[Timer]):
        def __len__(self) -> int:
            count = super().__len__()
            self.clear()
            return count

    timers = Timers()
    for asked in (lambda: timers.has_due(2), lambda: timers.seconds(1, 3.0)):
        timers._heap = TakenOut([Timer(1, 1, "e1", ROOT)])
        asked()
