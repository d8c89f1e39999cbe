"""One process works on an execution, another one asks for its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.app import open_app
from core.host.views import ExecutionFilter
from core.settings import load_settings
from tests.waiting import PATIENCE, until

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


def test_a_kill_reaches_another_process(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with owner_of(home, tmp_path / "gate", deaf=False) as (execution, process):
        with open_app(load_settings(home=home, environment={})) as app:
            app.executions.kill(execution)
            until(lambda: app.executions.get(execution).state == "KILLED")
        out, errors = process.communicate(timeout=PATIENCE)
        assert (process.returncode, errors, out.splitlines()[-1]) == (0, "", "KILLED")


def test_the_second_interrupt_leaves_at_once_what_the_first_could_not_end(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with owner_of(home, tmp_path / "gate", deaf=True) as (execution, process):
        process.send_signal(signal.SIGINT)
        with open_app(load_settings(home=home, environment={})) as app:
            until(lambda: app.executions.get(execution).state == "KILLING")
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=PATIENCE)
            assert (process.returncode, errors, out.splitlines()[-1]) == (0, "", "KILLING")
            assert app.executions.why(execution)[0].text == "the process that worked on it is gone"
            app.executions.kill(execution)
            assert app.executions.get(execution).state == "KILLED"
            assert app.executions.list(ExecutionFilter(status=("running",))).data == ()
