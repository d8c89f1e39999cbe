"""Members of a group in containers: they share the directory with those that run on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.host.seam import LogLine, Member, Stop
from core.model.data import evolve
from core.testing.apps import temporary_app
from core.testing.near_side import KILLED, PLACE, NearSide
from core.work import ThreadExecutor
from tailrace_runner_docker.plan import ATTEMPT
from tests.containers import IMAGE, docker, reason_to_skip

SHELL = "scripts.shell.Commands"


REASON = reason_to_skip()
pytestmark = [pytest.mark.docker, pytest.mark.skipif(bool(REASON), reason=REASON)]


@pytest.fixture
def near(tmp_path: Path) -> Iterator[NearSide]:
    with temporary_app() as app:
        side = NearSide()
        side.executor = ThreadExecutor(side.tell, evolve(app.tools(), scratch=tmp_path / "scratch"), workers=1)
        yield side
        side.executor.close()


def contained(name: str, *commands: str, strategy: str = "VOLUME") -> Member:
    runner = {"type": "runner.Docker", "fileHandlingStrategy": strategy, "pullPolicy": "NEVER"}
    return Member(name, SHELL, {"commands": [*commands], "containerImage": IMAGE, "taskRunner": runner})


def here(name: str, *commands: str) -> Member:
    return Member(name, SHELL, {"commands": [*commands], "taskRunner": {"type": "runner.Process"}})


def said(near: NearSide) -> list[tuple[str, str]]:
    return [(one.task_name, one.message) for one in near.heard if isinstance(one, LogLine) and one.level == "INFO"]


@pytest.mark.parametrize("strategy", ["VOLUME", "MOUNT"])
def test_containers_and_processes_share_a_directory(near: NearSide, strategy: str) -> None:
    result = near.run_group(
        here("first", "echo one > a.txt"),
        contained("second", "cat a.txt", "mkdir out; echo two > out/b.txt", strategy=strategy),
        here("third", "cat out/b.txt"),
        outputFiles=["**/*.txt"],
    )
    assert said(near) == [("second", "one"), ("third", "two")]
    files = f"storage:///{PLACE.storage_prefix}"
    assert (result.state, result.error, sorted(uri for uri, _, _ in result.files)) == (
        "SUCCESS", "", [f"{files}/a.txt", f"{files}/out/b.txt"],
    )  # fmt: skip


def test_a_kill_ends_the_container_of_a_member(near: NearSide) -> None:
    near.send_group(contained("first", "echo began", "sleep 60"), here("second", "true"))
    near.wait(lambda heard: ("first", "began") in said(near))
    near.executor.send(Stop("one", KILLED))
    assert (near.result("one").state, near.told_of_members()) == ("KILLED", [("first", "began"), ("first", "KILLED")])
    assert docker("ps", "-aq", "--filter", f"label={ATTEMPT}=one-first") == ""


def test_a_container_that_outlived_its_engine_belongs_to_its_own_member(near: NearSide) -> None:
    """The members before it run anew; it is not taken for one of theirs."""
    script = "echo of the first > a.txt; echo left > b.txt"
    docker("run", "-d", "--label", f"{ATTEMPT}=one-second", "-w", "/gone", IMAGE, "sh", "-c", script)
    near.run_group(contained("first", "echo ran anew"), contained("second", "false"), here("third", "cat *.txt"))
    news = [line for line in said(near) if not line[1].startswith("Going on with the container")]
    assert news == [("first", "ran anew"), ("third", "of the first"), ("third", "left")]
