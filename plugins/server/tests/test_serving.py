"""The server as a process: it begins, says how it is, keeps to its limits, and ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from core.app import App, Installation
from core.errors import Unreachable
from core.host.deployment import Serving
from tailrace_server.app import make_app
from tailrace_server.errors import Refused
from tailrace_server.options import Options
from tailrace_server.rate import MANY, RateLimit
from tailrace_server.serve import Server, listening
from tailrace_server.serve import serve as run_server
from tests.waiting import PATIENCE


@contextmanager
def command(*words: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    """A command in a process of its own; it is ended at the end, if it has not."""
    environment = {**os.environ, "TAILRACE_HOME": str(home), "PYTHONUNBUFFERED": ""}  # a pipe as most have it
    line = [sys.executable, "-m", "core", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(line, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_until_it_is_told_to_end(tmp_path: Path, flow: str, asked: signal.Signals) -> None:
    with command("server", "--port", "0", "--threads", home=tmp_path) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"Tailrace \S+ answers at ((http://127\.0\.0\.1:\d+)/api/v1) \(for people: \2\)\n", line)
        assert found is not None, line
        health = httpx.get(f"{found[1]}/health", timeout=PATIENCE).json()
        assert health == {"status": "ok", "parts": {"records": "ok", "engine": "ok"}}
        process.send_signal(asked)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, "", "")


def test_without_an_engine_it_only_answers(tmp_path: Path) -> None:
    with command("server", "--port", "0", "--no-engine", "--json", home=tmp_path) as process:
        assert process.stdout is not None
        told = ""
        while not told.endswith("}\n"):
            told += process.stdout.readline()
        url = json.loads(told)["url"]
        assert httpx.get(f"{url}/health", timeout=PATIENCE).json() == {"status": "ok", "parts": {"records": "ok"}}
        process.terminate()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_an_engine_works_beside_it(tmp_path: Path) -> None:
    with command("engine", "--threads", home=tmp_path) as process:
        assert process.stderr is not None
        assert re.fullmatch(r"Tailrace \S+ works on what is there to do\n", process.stderr.readline())
        process.terminate()
        out, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (0, "")


def test_an_address_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unreachable) as refused, listening(Options(note=print, port=port)):
            pass
    assert str(refused.value) == (
        f"127.0.0.1:{port}: the server can't listen here: Address already in use\n  to do: --port 0 takes a free one"
    )


def test_a_signal_while_the_engine_begins_is_not_lost_and_does_no_harm(fresh: Installation) -> None:
    done = []

    class Engine:
        def start(self) -> None:
            signal.raise_signal(signal.SIGINT)
            done.append("started")

        def close(self, seconds: float = 10.0) -> None:
            done.append("closed")

    run_server(fresh, Options(note=print, port=0), cast(Serving, Engine()), done.append)
    assert done == ["started", "closed"]


def test_a_signal_in_the_middle_of_another_waits_for_nothing(fresh: Installation) -> None:
    app = make_app(fresh, Options(note=print))
    server = Server(app, lambda: None)
    told = []

    class Closing:
        def set(self) -> None:
            told.append("closing")
            if len(told) == 1:
                server._asked_to_end()

    app.state.closing = Closing()
    server._asked_to_end()
    assert (told, server.should_exit, server.force_exit) == (["closing"], True, True)


def test_what_goes_on_comes_to_its_end(fresh: Installation, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is worked on when the server is told to end is answered."""
    begun = threading.Event()
    app = fresh.services("default")
    pages = app.outputs.list

    def slow(which: Any) -> Any:
        begun.set()
        time.sleep(0.5)
        return pages(which)

    monkeypatch.setattr(app.outputs, "list", slow)
    with ThreadPoolExecutor() as pool:
        with serve(fresh) as api:
            answer = pool.submit(httpx.get, f"{api.url}/task-outputs", timeout=PATIENCE)
            assert begun.wait(PATIENCE)
        assert answer.result(PATIENCE).status_code == 200


def test_slow_requests_hold_up_no_others(fresh: Installation, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    app = fresh.services("default")
    go_on = threading.Event()

    def slow(which: Any) -> Any:
        assert go_on.wait(PATIENCE)
        return type(page)(())

    page = app.outputs.list(_any())
    monkeypatch.setattr(app.outputs, "list", slow)
    with serve(fresh, threads=4) as api, ThreadPoolExecutor() as pool:
        waiting = [pool.submit(httpx.get, f"{api.url}/task-outputs", timeout=PATIENCE) for _ in range(3)]
        assert httpx.get(f"{api.url}/openapi.json", timeout=PATIENCE).status_code == 200
        go_on.set()
        assert [one.result().status_code for one in waiting] == [200, 200, 200]


def _any() -> Any:
    from core.host.views import OutputFilter

    return OutputFilter()


# -- health and metrics


def test_a_server_that_can_not_read_its_records_says_so(api: Any, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise Unreachable("the disk is gone", where="/secret/place")

    monkeypatch.setattr(api.deployment, "healthy", gone)
    answer = api.client().get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "parts": {"records": "unavailable"}})
    assert api.notes[-1] == "not healthy: /secret/place: the disk is gone"


def test_an_engine_that_ended_by_itself_is_told(fresh: Installation, serve: Callable[..., Any]) -> None:
    class Engine:
        failure: BaseException | None = None

        def working_on(self) -> int:
            return 3

    engine = Engine()
    with serve(fresh, engine=engine) as api:
        client = api.client()
        assert client.get("/health").json() == {"status": "ok", "parts": {"records": "ok", "engine": "ok"}}
        assert {"tailrace_engine_executions_owned 3", "tailrace_engine_up 1"} <= set(client.get("/metrics").text.split("\n"))
        engine.failure = RuntimeError("out of memory")
        answer = client.get("/health")
        assert (answer.status_code, answer.json()) == (
            503, {"status": "unavailable", "parts": {"records": "ok", "engine": "unavailable"}},
        )  # fmt: skip
        assert "tailrace_engine_up 0" in client.get("/metrics").text.split("\n")


def test_metrics_are_what_prometheus_reads(fresh: Installation, serve: Callable[..., Any], flow: str) -> None:
    fresh.services("default").run(flow)
    with serve(fresh) as api:
        client = api.client()
        client.get("/task-outputs")
        client.get("/task-outputs?limit=0")
        client.get("/nothing")
        assert client.request("MADEUP", "/nothing").status_code in (404, 405)
        answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    sample = re.compile(r'tailrace_[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+')
    assert [line for line in lines if not line.startswith("# ") and not sample.fullmatch(line)] == []
    assert {
        'tailrace_http_requests_total{method="GET",route="/api/v1/task-outputs",status="200"} 1',
        'tailrace_http_requests_total{method="GET",route="/api/v1/task-outputs",status="422"} 1',
        'tailrace_http_requests_total{method="GET",route="none",status="404"} 1',
        'tailrace_http_requests_total{method="other",route="none",status="404"} 1',
        'tailrace_http_request_seconds_bucket{method="GET",route="/api/v1/task-outputs",le="+Inf"} 2',
        'tailrace_http_request_seconds_count{method="GET",route="/api/v1/task-outputs"} 2',
        'tailrace_executions{state="RUNNING"} 0',
        "# TYPE tailrace_http_request_seconds histogram",
    } <= set(lines)
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families))


# -- how often


def test_a_key_that_asks_too_often_has_to_wait(fresh: Installation, serve: Callable[..., Any]) -> None:
    secrets = [fresh.keys.create("default", name, "viewer")[1] for name in ("one", "two")]
    with serve(fresh, rate=2.0) as api:
        one, two = (api.client(secret) for secret in secrets)
        answers = [one.get("/task-outputs") for _ in range(4)]
        assert [answer.status_code for answer in answers[:2]] == [200, 200]
        assert answers[-1].status_code == 429
        assert answers[-1].headers["retry-after"] == "1"
        assert answers[-1].json()["error"] == {
            "code": "rate_limited", "message": "more than 2 requests a second", "details": []
        }  # fmt: skip
        assert two.get("/task-outputs").status_code == 200
        unknown = api.client("wrong")
        wrong = [unknown.get("/task-outputs").status_code for _ in range(4)]
        assert (wrong[0], wrong[-1]) == (401, 429)
        assert one.get("/health").status_code == 200


def test_a_bucket_is_filled_evenly() -> None:
    now = [100.0]
    limit = RateLimit(2, lambda: now[0])

    def taken() -> list[str]:
        told = []
        for _ in range(3):
            try:
                limit.take("a")
                told.append("taken")
            except Refused as refused:
                told.append(refused.headers["Retry-After"])
        return told

    assert taken() == ["taken", "taken", "1"]
    now[0] += 0.5
    assert taken() == ["taken", "1", "1"]
    now[0] += 60
    assert taken() == ["taken", "taken", "1"]


def test_a_rate_below_one_waits_longer() -> None:
    limit = RateLimit(0.1, lambda: 0.0)
    limit.take("a")
    with pytest.raises(Refused) as refused:
        limit.take("a")
    assert refused.value.headers == {"Retry-After": "10"}


def test_full_buckets_are_forgotten() -> None:
    now = [0.0]
    limit = RateLimit(1, lambda: now[0])
    for number in range(MANY):
        limit.take(str(number))
    now[0] = 2.0
    limit.take("one more")
    assert len(limit._buckets) == 1
