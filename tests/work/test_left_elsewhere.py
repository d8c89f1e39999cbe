"""What a task had started elsewhere, a container, when its worker process ends without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest

import core.testing.executor_tasks as executor_tasks
import tests.work.dying_tasks as dying_tasks
from core.host.seam import LogLine, Stop
from core.testing.apps import temporary_app
from core.testing.near_side import KILLED, NearSide
from core.work import ProcessExecutor


@pytest.fixture
def near(tmp_path: Path) -> Iterator[NearSide]:
    types = tmp_path / "types"
    types.mkdir()
    for file in (executor_tasks.__file__, dying_tasks.__file__):
        copy(file, types)
    with temporary_app(plugins_dir=types) as app:
        side = NearSide()
        side.executor = ProcessExecutor(side.tell, app.worker_tools(), workers=2, grace=0.3)
        yield side
        side.executor.close()


@pytest.mark.parametrize("how", ["exit", "abort"])
def test_what_a_task_that_dies_has_left_elsewhere_is_ended_before_its_end_is_told(near: NearSide, how: str) -> None:
    """With `abort` the process that does so dies as well."""
    dead = near.run("testing.DieOutside", how=how)
    what = "ended itself with exit code 3" if how == "exit" else "died of SIGABRT"
    assert dead.state == "FAILED"
    assert dead.error.startswith(f"the process that ran the task {what}")
    said = [(one.level, one.message) for one in near.heard if isinstance(one, LogLine)]
    assert said[:2] == [("ERROR", dead.error), ("INFO", f"ended what one had left by {how}")]
    assert near.run("testing.Say", "next", text="next").state == "SUCCESS"
    assert len(near.results("one")) == 1


def test_what_a_task_that_is_ended_by_force_has_left_elsewhere_is_ended(near: NearSide, tmp_path: Path) -> None:
    near.send("testing.DieOutside", how="deaf", when=str(tmp_path / "never"))
    near.begins(1)
    near.executor.send(Stop("one", KILLED))
    assert (near.result("one").state, near.result("one").error) == ("KILLED", KILLED)
    said = [one.message for one in near.heard if isinstance(one, LogLine)]
    assert said == ["ended what one had left by deaf"]
