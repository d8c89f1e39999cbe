"""Ctrl-C while a script runs: the first ends the execution, the second leaves it; no process of the script survives."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
FLOW = """\
id: f
namespace: n
tasks:
  - id: wait
    type: scripts.shell.Commands
    taskRunner: {type: runner.Process}
    commands:
      - trap '' TERM
      - echo group $$
      - sleep 60 & sleep 61 & while :; do sleep 1; done
"""
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")

Program = Callable[..., tuple[int, str, str]]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_")}
    return kept | {"TAILRACE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def program(environment: dict[str, str]) -> Program:
    def run(*words: str) -> tuple[int, str, str]:
        ended = subprocess.run(
            [sys.executable, "-m", "core", *words], env=environment, capture_output=True, text=True, check=False
        )
        return ended.returncode, ended.stdout, ended.stderr

    return run


@contextmanager
def running(environment: dict[str, str], folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A run whose script ignores the request to end, and the script's process group."""
    (folder / "flow.yaml").write_text(FLOW, "utf-8")
    words = [sys.executable, "-m", "core", "run", str(folder / "flow.yaml")]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        group = 0
        try:
            for line in process.stderr:
                if found := re.search(r"group (\d+)$", line):
                    group = int(found[1])
                    break
            assert is_alive(group)
            yield process, group
        finally:
            process.kill()
            if group and is_alive(group):
                os.killpg(group, signal.SIGKILL)


def is_alive(group: int) -> bool:
    """Whether a process of the group still runs; what has ended may wait a while to be collected by the system."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            state, _, its_group = file.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                return True
    return False


def test_the_first_one_ends_the_execution_and_its_script(
    environment: dict[str, str], tmp_path: Path, program: Program
) -> None:
    with running(environment, tmp_path) as (process, group):
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=PATIENCE)
        assert not is_alive(group)
    assert process.returncode == 130
    assert out.splitlines()[0].split()[1] == "KILLED"
    assert re.fullmatch(r"\S+ wait KILLING\n\S+ wait KILLED .*\n  the execution was killed\n", errors), errors
    assert program("executions", "why", "last")[1].splitlines()[0] == "it has ended: KILLED"


def test_the_second_one_leaves_the_execution_and_ends_its_script(
    environment: dict[str, str], tmp_path: Path, program: Program
) -> None:
    with running(environment, tmp_path) as (process, group):
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "KILLING" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=PATIENCE)
        assert not is_alive(group)
    assert (process.returncode, errors) == (130, "")
    assert out.splitlines()[0].split()[1] == "KILLING"
    left_behind = out.split()[0]
    why = f"the process that worked on it is gone\n  python -m core executions resume {left_behind}\nwait is KILLING\n"
    assert program("executions", "why", "last") == (0, why, "")

    (tmp_path / "next.yaml").write_text("id: g\nnamespace: n\ntasks:\n  - {id: a, type: debug.Return, format: x}\n")
    code, _, errors = program("run", str(tmp_path / "next.yaml"))
    assert (code, errors.splitlines()[0]) == (
        0, "1 earlier execution was interrupted; `python -m core executions list --status running` shows them",
    )  # fmt: skip
    assert left_behind in program("executions", "list", "--status", "running")[1]
    assert program("executions", "kill", left_behind) == (0, f"{left_behind} is KILLED\n", "")
    assert program("executions", "list", "--status", "running", "--json")[1].split() == [
        "{", '"data":', "[],", '"has_more":', "false,", '"next":', "null", "}"
    ]  # fmt: skip
