"""A server without an engine and two engines, all of them processes, on one database and one storage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import psycopg
import pytest

from core.app import load_settings, open_deployment
from core.engine import serving
from core.settings import Settings
from tests.waiting import until

pytestmark = pytest.mark.postgres
ORGANIZATIONS = ("acme", "other")
EXECUTIONS = 6
"""Of each organization: more than one engine takes at once, and few enough for who is left."""
TASKS = 6
SECONDS = 0.4
TASK = '''
import os, time
from pathlib import Path
from core.sdk import RunContext, RunnableTask, TaskOutput, prop

class Mark(RunnableTask, type="testing.Mark"):
    """Write a line into a file, wait a little, give a value."""

    file: str = prop("The file.")
    seconds: float = prop("How long it takes.")

    class Output(TaskOutput):
        value: str = prop("The task execution.")

    def run(self, ctx: RunContext) -> Output:
        one = ctx.render("{{ taskrun.id }}")
        with Path(self.file).open("a") as file:
            file.write(f"{one} {os.getpid()} {time.time()}" + chr(10))
        time.sleep(self.seconds)
        return self.Output(value=one)
'''


def flow(name: str, file: Path, tasks: int, seconds: float) -> str:
    each = [f"- {{id: t{number}, type: testing.Mark, file: '{file}', seconds: {seconds}}}" for number in range(tasks)]
    return "\n".join([f"id: {name}", "namespace: company", "tasks:", *each])


class Place:
    """A home that names the records, and the processes that use it."""

    def __init__(self, home: Path, url: str, closing: ExitStack) -> None:
        self.home = home
        plugins = home / "plugins"
        plugins.mkdir(parents=True)
        (plugins / "mark.py").write_text(TASK, "utf-8")
        self.environment = {"TAILRACE_HOME": str(home), "TAILRACE_RECORDS": url, "TAILRACE_PLUGINS_DIR": str(plugins)}
        self._closing = closing
        self.marks = home / "marks"

    def settings(self) -> Settings:
        return load_settings(environment=self.environment)

    def command(self, *words: str) -> subprocess.Popen[str]:
        environment, pipe = {**os.environ, **self.environment}, subprocess.PIPE
        line = [sys.executable, "-m", "core", *words]
        process = subprocess.Popen(line, env=environment, stdout=pipe, stderr=pipe, text=True)
        self._closing.callback(process.communicate)
        self._closing.callback(process.kill)
        return process

    def ran(self) -> list[tuple[str, int, float]]:
        """Task execution, process and time of each run of a task that has begun."""
        lines = self.marks.read_text("utf-8").splitlines() if self.marks.exists() else []
        parts = (line.split() for line in lines)
        return [(one, int(process), float(at)) for one, process, at in parts]


@pytest.fixture
def place(tmp_path: Path, database: str) -> Iterator[Place]:
    with ExitStack() as closing:
        yield Place(tmp_path / "home", database, closing)


@pytest.fixture
def clients(place: Place) -> Mapping[str, httpx.Client]:
    """Of each organization, of a server that has no engine."""
    keys = {}
    with open_deployment(place.settings()) as deployment:
        for name in ORGANIZATIONS:
            deployment.keys.create_organization(name)
            keys[name] = deployment.keys.create(name, "tests", "editor")[1]
            flows = deployment.services(name).flows
            flows.push(flow("one", place.marks, 1, 0))
            flows.push(flow("many", place.marks, TASKS, SECONDS))
    process = place.command("server", "--no-engine", "--port", "0", "--json")
    assert process.stdout is not None
    told = ""
    while not told.endswith("}\n"):
        told += process.stdout.readline() or pytest.fail(process.stderr.read() if process.stderr else "")
    url = json.loads(told)["url"]
    return {
        name: place._closing.enter_context(
            httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        )
        for name, key in keys.items()
    }


def engine(place: Place) -> subprocess.Popen[str]:
    process = place.command("engine", "--threads", "--workers", "4")
    assert process.stderr is not None
    assert "works on what is there to do" in process.stderr.readline()
    return process


def start(client: httpx.Client, flow_id: str) -> str:
    answer = client.post("/flow-executions", json={"namespace": "company", "flow_id": flow_id})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def states(client: httpx.Client) -> Counter[str]:
    shown = client.get("/flow-executions", params={"limit": 100, "flow_id": "many"}).json()["data"]
    return Counter(execution["state"] for execution in shown)


def owners(server: str, process: int) -> int:
    """How many executions an engine, by its process, owns."""
    with psycopg.connect(server) as connection:
        sql = "SELECT count(*) FROM tailrace.flow_executions e JOIN tailrace.engines n ON n.id = e.engine_id WHERE n.pid = %s"
        row = connection.execute(sql, (process,)).fetchone()
    return int(row[0]) if row else 0


def test_two_engines_share_what_a_server_starts_and_one_takes_over_what_the_other_left(
    place: Place, clients: Mapping[str, httpx.Client], server: str
) -> None:
    engines = [engine(place), engine(place)]
    sleep(0.5)
    for number in range(4):  # of one organization and the other
        start(clients[ORGANIZATIONS[number % 2]], "one")
        until(lambda: len(place.ran()) == number + 1)  # noqa: B023
    ids = {name: [start(client, "many") for _ in range(EXECUTIONS)] for name, client in clients.items()}
    both = {process.pid for process in engines}
    until(lambda: {process for _, process, _ in place.ran()[4:]} == both and len(place.ran()) > 14)
    other, doomed = sorted(engines, key=lambda process: owners(server, process.pid))
    doomed.send_signal(signal.SIGKILL)
    until(lambda: not owners(server, doomed.pid))
    until(lambda: all(states(client) == {"SUCCESS": EXECUTIONS} for client in clients.values()))
    assert other.poll() is None
    check_outputs(place, clients, ids)


def check_outputs(place: Place, clients: Mapping[str, httpx.Client], ids: Mapping[str, list[str]]) -> None:
    """Each task of each execution has one output, its own, for its organization alone."""
    recorded: list[str] = []
    for name, client in clients.items():
        rows: list[dict[str, Any]] = client.get("/task-outputs", params={"flow_id": "many", "limit": 1000}).json()["data"]
        assert Counter((row["flow_execution_id"], row["task_name"]) for row in rows) == {
            (one, f"t{number}"): 1 for one in ids[name] for number in range(TASKS)
        }
        assert {(row["organization_id"], row["state"], row["version"]) for row in rows} == {(name, "SUCCESS", 1)}
        assert all(row["output"] == {"value": row["id"]} for row in rows)
        tasks = client.get("/task-executions", params={"flow_id": "many", "limit": 1000}).json()["data"]
        assert {row["id"] for row in tasks} == {row["id"] for row in rows}
        recorded += [row["id"] for row in rows]
    ran = Counter(one for one, _, _ in place.ran())
    assert set(recorded) <= set(ran)
    assert len(ran) == len(recorded) + 4, "a task ran that the records don't know"
    again = [one for one, times in ran.items() if times > 1]
    assert 0 < len(again) <= 8, "what was interrupted runs again, and nothing else"


def test_an_engine_is_woken_by_a_message_not_by_its_own_look(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here engines look by themselves once in ten minutes."""
    monkeypatch.setattr(serving, "CLAIM_SECONDS", 600.0)
    with open_deployment(place.settings()) as asking, open_deployment(place.settings()) as working:
        app = asking.services("default")
        view = app.flows.push(flow("one", place.marks, 1, 0))
        parsed = app.flows.parsed(view.namespace, view.flow_id, view.revision)
        serves = working.engine(workers=2, processes=False)
        serves.start()
        try:
            sleep(1)
            for number in range(3):
                app.executions.submit(app.executions.create(parsed, {})[0].id)
                until(lambda: len(place.ran()) == number + 1)  # noqa: B023
        finally:
            serves.close()
