"""What a task started outside of its engine's process ends with its execution, also when that engine was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.app import App, load_settings, open_app, open_deployment
from core.settings import Settings
from tailrace_runner_docker.plan import ATTEMPT
from tests.containers import IMAGE, docker, reason_to_skip
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
DRIVER = """
import os, sys
from pathlib import Path
from core.app import open_app
from core.settings import load_settings
with open_app(load_settings(home=Path(sys.argv[1]), environment=os.environ)) as app:
    flow, _ = app.flows.load(Path(sys.argv[2]))
    created, _ = app.executions.create(flow, {})
    print(created.id, flush=True)
    app.executions.run(created.id)
"""
DEAF = "trap '' TERM; echo began; while :; do sleep 0.2; done"
"""Ends by force only."""
IN_A_CONTAINER = f"containerImage: {IMAGE}, taskRunner: {{type: runner.Docker, pullPolicy: NEVER, killGracePeriod: PT4S}}"
HERE = "taskRunner: {type: runner.Process}"


REASON = reason_to_skip()
CONTAINER = pytest.param(
    IN_A_CONTAINER, marks=[pytest.mark.docker, pytest.mark.skipif(bool(REASON), reason=REASON)], id="container"
)
PROCESS = pytest.param(
    HERE, marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc"), id="process"
)


def settings(home: Path) -> Settings:
    return load_settings(home=home, environment=dict(os.environ))


def flow_file(home: Path, runner: str, *, group: bool = False) -> Path:
    """A flow whose first task runs outside of the process that works on it."""
    task = f'{{id: deaf, type: scripts.shell.Commands, {runner}, commands: ["{DEAF}"]}}'
    lines = ["id: left", "namespace: tests", "tasks:"]
    lines += ["- {id: group, type: flow.WorkingDirectory, tasks: [" + task + "]}"] if group else [f"- {task}"]
    flow = home.with_name("left.yaml")
    flow.write_text("\n".join([*lines, "- {id: behind, type: log.Log, message: never}"]), "utf-8")
    return flow


@contextmanager
def engine_at_work(flow: Path, home: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The id of an execution of a flow, and the process that works on it."""
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(home), str(flow)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def said(app: App, execution: str) -> list[str]:
    return [line.message for line in app.executions.logs(execution)]


def runs_on(attempt: str) -> bool:
    """Whether a container or a process of an attempt, or of a member of its group, is there."""
    labels = "" if REASON else docker("ps", "-a", "--format", f"{{{{.Label \"{ATTEMPT}\"}}}}")
    if any(line.startswith(attempt) for line in labels.split()):
        return True
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"TAILRACE_ATTEMPT={attempt}".encode() in environ.read_bytes():
                return True
        except OSError:  # it has ended meanwhile
            continue
    return False


def resume(home: Path, execution: str) -> None:
    with open_app(settings(home)) as app:
        app.executions.run(execution)


def kill(home: Path, execution: str) -> None:
    with open_app(settings(home)) as app:
        app.executions.kill(execution)


def serve(home: Path, execution: str, *, processes: bool) -> None:
    with open_deployment(settings(home)) as installation:
        engine = installation.engine(workers=2, processes=processes)
        engine.start()
        with open_app(settings(home)) as app:
            until(lambda: app.executions.get(execution).state == "KILLED")
        engine.close()


def serve_in_threads(home: Path, execution: str) -> None:
    serve(home, execution, processes=False)


def serve_in_processes(home: Path, execution: str) -> None:
    serve(home, execution, processes=True)


def check_ended(app: App, execution: str, attempt: str) -> None:
    """It was killed once, nothing was begun anew, and nothing is left."""
    assert app.executions.get(execution).state == "KILLED"
    assert {task.state for task in app.executions.tasks(execution)} == {"KILLED"}
    assert {len(task.attempts) for task in app.executions.tasks(execution)} == {1}
    assert not runs_on(attempt)
    messages = said(app, execution)
    ended = [line for line in messages if line.startswith("Ended the container") or line.endswith("were left running")]
    assert len(ended) == 1
    assert not any("could not be ended" in line for line in messages)
    assert list((app.settings.home / "work").iterdir()) == []


@pytest.mark.parametrize("go_on", [resume, kill, serve_in_threads, serve_in_processes])
@pytest.mark.parametrize("runner", [CONTAINER, PROCESS])
def test_an_engine_that_dies_while_it_stops_a_task_leaves_nothing_once_another_has_gone_on(
    tmp_path: Path, runner: str, go_on: Callable[[Path, str], None]
) -> None:
    home = tmp_path / "home"
    with engine_at_work(flow_file(home, runner), home) as (execution, process), open_app(settings(home)) as app:
        until(lambda: "began" in said(app, execution))
        attempt = app.executions.tasks(execution)[0].attempts[0].id
        app.executions.kill(execution)
        until(lambda: app.executions.get(execution).state == "KILLING")
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
        assert runs_on(attempt)

        go_on(home, execution)
        check_ended(app, execution, attempt)


@pytest.mark.parametrize("group", [False, True], ids=["alone", "member"])
@pytest.mark.parametrize("runner", [CONTAINER, PROCESS])
def test_what_is_killed_when_nobody_works_on_it_any_more_leaves_nothing(
    tmp_path: Path, runner: str, group: bool
) -> None:
    home = tmp_path / "home"
    flow = flow_file(home, runner, group=group)
    with engine_at_work(flow, home) as (execution, process), open_app(settings(home)) as app:
        until(lambda: "began" in said(app, execution))
        attempt = app.executions.tasks(execution)[0].attempts[0].id
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
        assert runs_on(attempt)

        app.executions.kill(execution)
        check_ended(app, execution, attempt)


@pytest.mark.parametrize("runner", [CONTAINER])
def test_a_container_that_takes_longer_to_end_than_its_worker_process_may_leaves_nothing(
    tmp_path: Path, runner: str
) -> None:
    home = tmp_path / "home"
    with open_deployment(settings(home)) as installation, open_app(settings(home)) as app:
        flow, _ = app.flows.load(flow_file(home, runner))
        assert flow is not None
        execution = app.executions.create(flow, {})[0].id
        engine = installation.engine(workers=2, processes=True)
        engine.start()
        until(lambda: "began" in said(app, execution))
        attempt = app.executions.tasks(execution)[0].attempts[0].id
        app.executions.kill(execution)
        until(lambda: app.executions.get(execution).state == "KILLED")
        engine.close()
        check_ended(app, execution, attempt)
