"""What must not be there when a result is recorded."""

from __future__ import annotations

from collections.abc import Sequence

from core.host.requests import DeleteKv, SetKv
from core.host.seam import Down, TaskJob, Up
from tests.engine.world import ORGANIZATION, World, ended, line, succeed, task


def test_a_key_that_somebody_else_has_set_meanwhile_fails_the_task(world: World) -> None:
    once = SetKv("tests", "once", "2", overwrite=False)

    def does(down: Down) -> Sequence[Up]:
        if not isinstance(down, TaskJob):
            return succeed(down)
        world.records.set_kv(ORGANIZATION, "tests", "once", "1", 5)
        return [line(down, "said before"), ended(down, requests=(SetKv("tests", "other", "3"), once))]

    world.does = does
    world.run(task("first"), task("second"))

    why = "Cannot set value for key 'once'. Key already exists and `overwrite` is set to `false`."
    assert (world.state(), world.states()) == ("FAILED", [("first", "FAILED")])
    (row,) = world.records.task_executions(ORGANIZATION, "e1")
    assert row.error == why
    lines = world.records.logs(ORGANIZATION, "e1", None, ("INFO", "ERROR"), 0, 10)
    assert [one.message for one in lines] == ["said before", why]
    assert [(one.key, one.value) for one in world.records.kvs(ORGANIZATION, "tests", 9)] == [("once", 1)]


def test_a_key_that_the_task_itself_has_taken_away_is_no_reason_to_fail(world: World) -> None:
    requests = (DeleteKv("tests", ("once",)), SetKv("tests", "once", "2", overwrite=False))
    world.records.set_kv(ORGANIZATION, "tests", "once", "1", 5)
    world.does = lambda down: [ended(down, requests=requests)] if isinstance(down, TaskJob) else succeed(down)
    world.run(task("first"))
    (once,) = world.records.kvs(ORGANIZATION, "tests", 9)
    assert (world.state(), once.value) == ("SUCCESS", 2)
