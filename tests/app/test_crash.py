"""A run that is killed at any moment loses nothing that was recorded, and can be ended afterwards."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from core.app import App, open_app
from core.host.views import ExecutionFilter, ExecutionView, Reason
from core.model.state import ENDED
from core.settings import load_settings

ROOT = Path(__file__).parents[2]
TASKS = 200
KILLS = 20
DRIVER = """
import sys
from pathlib import Path
from core.app import open_app
from core.settings import load_settings
with open_app(load_settings(home=Path(sys.argv[1]), environment={})) as app:
    flow, _ = app.flows.load(Path(sys.argv[2]))
    created, _ = app.executions.create(flow, {})
    print(created.id, flush=True)
    app.executions.run(created.id, follow=lambda happening: print(flush=True))
"""


def chain(path: Path) -> Path:
    """Tasks that each read the one before: half at the top, half in a group."""
    lines = ["id: chain", "namespace: tests", "tasks:"]
    for number in range(TASKS):
        if number == TASKS // 2:
            lines += ["  - id: group", "    type: flow.Sequential", "    tasks:"]
        indent = "      " if number >= TASKS // 2 else "  "
        before = f"{{{{ outputs.t{number - 1}.value }}}}" if number else ""
        lines += [f"{indent}- id: t{number}", f"{indent}  type: debug.Return", f'{indent}  format: "{before}."']
    path.write_text("\n".join(lines), "utf-8")
    return path


def run_and_kill(home: Path, flow: Path, happenings: int, seconds: float = 0) -> str:
    """The id of an execution whose process was killed so long after it had told of so many happenings."""
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(home), str(flow)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    execution = process.stdout.readline().strip()
    for _ in range(happenings):
        process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate(timeout=20)
    assert errors == ""
    return execution


def check_rows(app: App, view: ExecutionView) -> None:
    """What must hold of an execution's rows, whenever its process was killed."""
    tasks = app.executions.tasks(view.id)
    connection = sqlite3.connect(app.settings.home / "records.db")
    counters = dict(connection.execute("SELECT task_name, counters_json FROM task_executions WHERE "
                                       "flow_execution_id = ? AND counters_json IS NOT NULL", (view.id,)))  # fmt: skip
    root = connection.execute("SELECT counters_json FROM flow_executions WHERE id = ?", (view.id,)).fetchone()[0]
    connection.close()
    assert max(Counter((task.task_name, task.value) for task in tasks).values(), default=1) == 1
    names = [task.task_name for task in tasks if task.task_name != "group"]
    assert names == [f"t{number}" for number in range(len(names))]
    for number, name in enumerate(names):
        task = next(one for one in tasks if one.task_name == name)
        if task.state == "SUCCESS":
            assert app.outputs.value(task.id) == {"value": "." * (number + 1)}
            assert task.attempts[-1].ended_at is not None
        else:
            assert (task.state, task.ended_at, number) == ("RUNNING", None, len(names) - 1)
    ended = {task.task_name for task in tasks if task.ended_at is not None}
    for group, text in [("", root), *((name, text) for name, text in counters.items() if name not in ended)]:
        children = [one for one in tasks if _parent(one.task_name) == group]
        cursor, running, worst, _ = json.loads(text)
        assert (cursor, running) == (len(children), sum(one.ended_at is None for one in children))
        assert worst == "SUCCESS"


def _parent(name: str) -> str:
    return "group" if name != "group" and int(name[1:]) >= TASKS // 2 else ""


def test_whatever_moment_a_run_is_killed_its_records_are_whole(tmp_path: Path) -> None:
    home, flow = tmp_path / "home", chain(tmp_path / "chain.yaml")
    moments = random.Random(7)
    places = [moments.randrange(TASKS * 3) for _ in range(KILLS - 2)]
    killed = [run_and_kill(home, flow, place, moments.uniform(0, 0.002)) for place in [0, 1, *places]]
    with open_app(load_settings(home=home, environment={})) as app:
        views = {view.id: view for view in app.executions.list(ExecutionFilter()).data}
        assert set(views) == set(killed)
        unfinished = [view for view in views.values() if view.state not in ENDED]
        assert len({len(app.executions.tasks(one)) for one in killed}) > 5, "they were all killed at the same place"
        for view in views.values():
            check_rows(app, view)
        for view in unfinished:
            before = {task.id: task for task in app.executions.tasks(view.id) if task.ended_at is not None}
            app.executions.kill(view.id)
            after = app.executions.tasks(view.id)
            assert app.executions.get(view.id).state == "KILLED"
            assert {task.id: task for task in after if task.id in before} == before
            assert {task.state for task in after if task.id not in before} <= {"KILLED"}
        assert app.executions.list(ExecutionFilter(status=("running", "queued"))).data == ()
    connection = sqlite3.connect(home / "records.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_what_was_interrupted_is_named_and_goes_on_where_it_was(tmp_path: Path) -> None:
    home, path = tmp_path / "home", chain(tmp_path / "chain.yaml")
    execution = run_and_kill(home, path, 20)
    with open_app(load_settings(home=home, environment={})) as app:
        flow, _ = app.flows.load(path)
        assert flow is not None
        assert app.executions.preflight(flow) == (
            "1 earlier execution was interrupted; `python -m core executions list --status running` shows them",
        )
        why = app.executions.why(execution)
        assert why[0] == Reason("the process that worked on it is gone", ("executions", "resume", execution))
        before = {task.id: task for task in app.executions.tasks(execution) if task.ended_at is not None}
        assert app.executions.run(execution).state == "SUCCESS"
        after = app.executions.tasks(execution)
        assert {task.id: task for task in after if task.id in before} == before
        assert len(after) == TASKS + 1
