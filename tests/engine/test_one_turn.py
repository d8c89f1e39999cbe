"""What arrives together is decided together, whatever it is."""

from __future__ import annotations

from collections.abc import Sequence

from core.host.seam import Down, Stop, TaskJob, Up
from tests.engine.world import World, ended, task


def test_a_task_that_ends_in_the_turn_in_which_it_is_killed_needs_no_stop(world: World) -> None:
    def does(message: Down) -> Sequence[Up]:
        if not isinstance(message, TaskJob):
            return []
        world.engine.interrupt()
        return [ended(message)]

    world.does = does
    world.run(task("a"), task("b"))

    assert (world.state(), world.jobs()) == ("KILLED", ["a"])
    assert [one for one in world.sent if isinstance(one, Stop)] == []
    assert [name for name, _ in world.states()] == ["a"]
