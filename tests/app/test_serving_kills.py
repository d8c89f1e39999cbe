"""Engines of one home are killed under load, and taken for dead while they live: nothing is lost, nothing is doubled."""

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.app import App, Installation, load_settings, open_deployment
from core.model.state import ENDED
from tests.waiting import until

ROOT = Path(__file__).parents[2]
EXECUTIONS = 60
ENGINES = 3
KILLS = 9
BETWEEN = (0.2, 0.4)
GROUPS = ("each", "call")
DRIVER = """
import sys
from pathlib import Path
from core.app import load_settings, open_deployment
home = Path(sys.argv[1])
with open_deployment(load_settings(home=home, plugins_dir=home / "plugins", environment={})) as installation:
    engine = installation.engine(workers=4, processes=sys.argv[2] == "processes")
    engine.start()
    print("serving", flush=True)
    sys.stdin.read()
    engine.close()
    print(engine.failure, flush=True)
"""
PLUGIN = '''
import os, time
from pathlib import Path
from core.sdk import RunContext, RunnableTask, TaskOutput, prop

class Mark(RunnableTask, type="testing.Mark"):
    """Write a line into a file, wait a little, give a value."""

    file: str = prop("The file.")
    seconds: float = prop("How long it takes.", default=0.0)

    class Output(TaskOutput):
        value: str = prop("The task execution and the process.")

    def run(self, ctx: RunContext) -> Output:
        text = f"{ctx.render('{{ taskrun.id }}')} {os.getpid()}"
        with Path(self.file).open("a") as file:
            file.write(text + chr(10))
        end = time.monotonic() + self.seconds
        while time.monotonic() < end and not ctx.stop_requested:
            time.sleep(0.005)
        return self.Output(value=text)
'''


def flows(marks: Path) -> list[str]:
    """A chain, a loop that works on several values at once, one that sleeps, one that calls another."""
    mark = f"type: testing.Mark, file: '{marks}', seconds: 0.1"
    chain = [f"- {{id: t{number}, {mark}}}" for number in range(5)]
    loop = ["- id: each", "  type: flow.ForEach", "  values: [a, b, c, d]", "  concurrencyLimit: 3", "  tasks:"]
    loop += [f"  - {{id: in, {mark}}}", "  - {id: out, type: debug.Return, format: '{{ outputs.in[taskrun.value].value }}'}"]
    sleep = [f"- {{id: before, {mark}}}", "- {id: sleep, type: flow.Sleep, duration: PT1.5S}", f"- {{id: after, {mark}}}"]
    call = ["- {id: call, type: flow.Subflow, namespace: n, flowId: chain, wait: true, transmitFailed: true}"]
    named = {"chain": chain, "loop": loop, "sleep": sleep, "call": call}
    return ["\n".join([f"id: {name}", "namespace: n", "tasks:", *lines]) for name, lines in named.items()]


class Engines:
    """Processes that serve a home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.running: list[subprocess.Popen[str]] = []

    def start(self, tasks_in: str = "threads") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(self.home), tasks_in], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self.running.append(process)
        return process

    def ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"

    def kill(self, process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGKILL)
        self.running.remove(process)
        _, errors = process.communicate(timeout=20)
        assert errors == ""

    def close(self) -> None:
        """Let them leave in order: none of them has ended of anything."""
        for process in self.running:
            out, errors = process.communicate("", timeout=20)
            assert (errors, out.splitlines()[-1]) == ("", "None")
        self.running.clear()


@contextmanager
def home_with_engines(home: Path) -> Iterator[tuple[Installation, Engines]]:
    (home / "plugins").mkdir(parents=True)
    (home / "plugins" / "mark.py").write_text(PLUGIN, "utf-8")
    engines = Engines(home)
    try:
        with open_deployment(load_settings(home=home, plugins_dir=home / "plugins", environment={})) as installation:
            yield installation, engines
        engines.close()
    finally:
        for process in engines.running:
            process.kill()
            process.communicate()


def query(home: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(home / "records.db")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def take_for_dead(home: Path, process: subprocess.Popen[str]) -> None:
    """Without its lock file an engine that lives looks dead to the others, which take over what it works on."""
    for engine, pid in query(home, "SELECT id, pid FROM engines"):
        if pid == process.pid:
            (home / "engines" / f"{engine}.lock").unlink()


def submit_all(app: App, marks: Path) -> list[str]:
    texts = flows(marks)
    for text in texts:
        app.flows.push(text)
    parsed = [app.flows.read(text) for text in texts]
    ids = []
    for number in range(EXECUTIONS):
        view, _ = app.executions.create(parsed[number % len(parsed)], {})
        app.executions.submit(view.id)
        ids.append(view.id)
    return ids


def check_rows(home: Path, marks: Path) -> None:
    """Everything ended well, and every task execution once, whatever happened meanwhile."""
    states = query(home, "SELECT state, count(*), sum(engine_id IS NOT NULL) FROM flow_executions GROUP BY state")
    assert states == [("SUCCESS", EXECUTIONS + EXECUTIONS // 4, 0)]
    rows = query(home, "SELECT id, task_name, state, attempts_json, version FROM task_executions")
    assert {(state, version) for _, _, state, _, version in rows} <= {("SUCCESS", 1), ("SUCCESS", 0)}
    attempts = {(name in GROUPS, *(number for number, *_ in json.loads(str(made)))) for _, name, _, made, _ in rows}
    assert attempts <= {(False, 1), (True,), (True, 1)}, "an attempt that was taken over keeps its number"
    assert Counter(name for _, name, *_ in rows) == {
        name: many * EXECUTIONS // 4 for name, many in {
            **{f"t{number}": 2 for number in range(5)}, "each": 1, "in": 4, "out": 4, "before": 1, "sleep": 1,
            "after": 1, "call": 1,
        }.items()
    }  # fmt: skip
    bodies = dict(query(home, "SELECT task_execution_id, body FROM task_output_bodies"))
    marked = {str(identifier) for identifier, name, *_ in rows if name in ("in", "before", "after") or str(name)[0] == "t"}
    ran = [line.split()[0] for line in marks.read_text().splitlines()]
    assert set(ran) == marked, "every task ran, and none that the records don't know"
    assert len(ran) - len(marked) > KILLS, "hardly any task was interrupted: this test tests nothing"
    for identifier in marked:
        assert json.loads(str(bodies[identifier]))["value"].split()[0] == identifier
    assert query(home, "SELECT count(*) FROM inbox WHERE done_at IS NULL") == [(0,)]
    assert query(home, "PRAGMA integrity_check") == [("ok",)]


def test_engines_that_are_killed_under_load_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    home, marks, chance = tmp_path / "home", tmp_path / "marks", random.Random(11)
    with home_with_engines(home) as (installation, engines):
        for process in [engines.start() for _ in range(ENGINES)]:
            engines.ready(process)
        app = installation.services("default")
        ids = submit_all(app, marks)
        for number in range(KILLS):
            time.sleep(chance.uniform(*BETWEEN))
            if number % 3 == 2:
                take_for_dead(home, engines.running[0])
            else:
                another = engines.start()
                engines.kill(engines.running[0])
                engines.ready(another)
        until(lambda: all(app.executions.get(one).state in ENDED for one in ids))
        until(lambda: query(home, "SELECT count(*) FROM flow_executions WHERE engine_id IS NOT NULL") == [(0,)])
        check_rows(home, marks)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("tasks_in", ["threads", "processes"])
def test_what_a_killed_engine_ran_is_taken_over(tmp_path: Path, tasks_in: str) -> None:
    home, marks = tmp_path / "home", tmp_path / "marks"
    text = f"id: f\nnamespace: n\ntasks:\n- {{id: a, type: testing.Mark, file: '{marks}', seconds: 0.5}}"
    with home_with_engines(home) as (installation, engines):
        first, second = engines.start(tasks_in), engines.start(tasks_in)
        engines.ready(first)
        app = installation.services("default")
        execution = app.executions.create(app.flows.read(text), {})[0].id
        app.executions.submit(execution)
        engines.ready(second)

        def runs() -> list[str]:
            return marks.read_text().splitlines() if marks.exists() else []

        def owner() -> list[int]:
            return [pid for (pid,) in query(home, "SELECT pid FROM engines JOIN flow_executions ON engine_id = engines.id")]

        until(runs)
        victim = next(one for one in (first, second) if owner() == [one.pid])
        engines.kill(victim)
        until(lambda: owner() not in ([], [victim.pid]))
        until(lambda: app.executions.get(execution).state == "SUCCESS")
        (task,) = app.executions.tasks(execution)
        assert [attempt.state for attempt in task.attempts] == ["SUCCESS"]
        assert [line.split()[0] for line in runs()] == [task.id, task.id]
        assert not _lives(int(runs()[0].split()[1]))
