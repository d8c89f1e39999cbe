"""One process works on an execution, another one asks for its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.app import open_app
from core.host.views import ExecutionFilter
from core.settings import load_settings

ROOT = Path(__file__).parents[2]
OWNER = """
import signal, sys
from pathlib import Path
from core.app import open_app
from core.settings import load_settings
from core.testing.executor_tasks import TASKS
with open_app(load_settings(home=Path(sys.argv[1]), environment={})) as app:
    app.registry = app.registry.including(*TASKS)
    signal.signal(signal.SIGINT, lambda *_: app.executions.interrupt())
    flow, _ = app.flows.load(Path(sys.argv[2]))
    created, _ = app.executions.create(flow, {})
    print(created.id, flush=True)
    print(app.executions.run(created.id, follow=lambda one: print("told", flush=True)).state, flush=True)
"""
Owner = tuple[str, "subprocess.Popen[str]"]


@contextmanager
def owner_of(home: Path, gate: Path, *, deaf: bool) -> Iterator[Owner]:
    """The id of an execution whose task waits, and the process that works on it."""
    flow = home.parent / "flow.yaml"
    flow.write_text(f"id: f\nnamespace: n\ntasks:\n  - {{id: t, type: testing.Hold, until: '{gate}', deaf: {deaf}}}\n")
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(home), str(flow)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        execution = process.stdout.readline().strip()
        for _ in range(3):  # the task runs, the execution runs, the task says it began
            assert process.stdout.readline() == "told\n"
        yield execution, process
    finally:
        gate.touch()
        process.kill()
        process.communicate()


def test_a_kill_from_another_process_takes_less_than_a_second(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with owner_of(home, tmp_path / "gate", deaf=False) as (execution, process):
        with open_app(load_settings(home=home, environment={})) as app:
            asked = time.monotonic()
            app.executions.kill(execution)
            while app.executions.get(execution).state != "KILLED":
                assert time.monotonic() - asked < 1
                time.sleep(0.01)
        out, errors = process.communicate(timeout=10)
        assert (process.returncode, errors, out.splitlines()[-1]) == (0, "", "KILLED")


def test_the_second_interrupt_leaves_at_once_what_the_first_could_not_end(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with owner_of(home, tmp_path / "gate", deaf=True) as (execution, process):
        process.send_signal(signal.SIGINT)
        with open_app(load_settings(home=home, environment={})) as app:
            begun = time.monotonic()
            while app.executions.get(execution).state != "KILLING":
                assert time.monotonic() - begun < 2
                time.sleep(0.01)
            left = time.monotonic()
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=10)
            assert time.monotonic() - left < 4, "2.5 s are given to what has been stopped"
            assert (process.returncode, errors, out.splitlines()[-1]) == (0, "", "KILLING")
            assert app.executions.why(execution)[0].text == "the process that worked on it is gone"
            app.executions.kill(execution)
            assert app.executions.get(execution).state == "KILLED"
            assert app.executions.list(ExecutionFilter(status=("running",))).data == ()
