"""Who leads the loop, and what the others do meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from core.errors import Unreachable
from core.host.records import Unit
from core.model.nodes import Retry
from tests.engine.world import World, chain, ended, running, task
from tests.waiting import PATIENCE, until


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
