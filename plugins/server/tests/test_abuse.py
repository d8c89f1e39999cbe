"""What clients do that mean no good, or break off: none of it keeps others out, none of it is a mistake of ours."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from core.app import App, Installation
from tailrace_server import patience
from tailrace_server.asked import EACH, MOST
from tailrace_server.rate import MANY as BUCKETS
from tailrace_server.rate import RateLimit
from tests.waiting import PATIENCE


def connect(url: str, text: str) -> socket.socket:
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)
    connection.sendall(text.encode())
    return connection


def is_closed_by_the_server(connection: socket.socket) -> bool:
    """While the connection waits: uvicorn itself waits five seconds for a next request."""
    with connection:
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
    return True


HEAD = "POST /api/v1/eval HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
SLOW = {
    "nothing": "", "half of a head": "GET /api/v1/health HTTP/1.1\r\nHost: lo", "half of a body": HEAD + '{"expression":',
    "half of a second head": "GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /api/v1/he",
}  # fmt: skip


@pytest.mark.parametrize("said", list(SLOW))
def test_a_client_that_says_no_more_is_not_waited_for(api: Any, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(patience, "BODY_SECONDS", 0.3)
    assert is_closed_by_the_server(connect(api.url, SLOW[said]))


def test_who_sends_a_head_byte_by_byte_gets_no_more_time(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.5)
    connection = connect(api.url, "GET /api/v1/health HTTP/1.1\r\nX-Slow: ")
    for _ in range(40):
        with suppress(OSError):  # it is closed by now
            connection.sendall(b"a")
        time.sleep(0.05)
    assert is_closed_by_the_server(connection)


def test_a_body_that_comes_slowly_is_read(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 1.5)  # that is for the head alone

    def body() -> Any:
        for part in (b'{"source"', b': "id', b': a"', b"}"):
            yield part
            time.sleep(0.7)

    with httpx.Client(base_url=api.url, timeout=PATIENCE) as client:
        answer = client.post("/flows/check", content=body(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 200


def test_a_stream_lasts_longer_than_what_is_waited_for(
    api: Any, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 2.0)
    monkeypatch.setattr(patience, "BODY_SECONDS", 2.0)
    with httpx.Client(base_url=api.url, timeout=PATIENCE) as client, client.stream("GET", "/events") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "retry: 2000"
        time.sleep(2.5)
        app.changes.note("local", "test", "x")
        assert next(lines) == ""


def test_a_body_that_is_broken_off_is_no_mistake_of_the_server(api: Any, client: httpx.Client) -> None:
    before = len(api.notes)
    connect(api.url, HEAD + '{"expression":').close()
    time.sleep(0.3)
    assert client.get("/health").status_code == 200
    assert api.notes[before:] == []


def test_the_head_of_what_has_no_end_is_all_there_is(client: httpx.Client) -> None:
    answer = client.head("/events")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0], answer.content) == (
        200, "text/event-stream", b"",
    )  # fmt: skip
    assert client.get("/health").status_code == 200  # on the same connection


FULL = {
    "/task-outputs?": [
        {"task_name=a{}": EACH}, {"flow_id=a{}": EACH}, {"modified_by=a{}": EACH},
        {"tag=a{}:b": 128, "namespace=a{}.*": 128, "tag_all=a{}": 64},
        {"tag=a{}": 128, "summary.a{}!=1": 64, "tag_all=a{}:b": 64},
    ],
    "/flow-executions?": [{"flow_id=a{}": EACH}, {"label=a{}:b": 128, "namespace=a{}.*": 128}],
}  # fmt: skip


@pytest.mark.parametrize(("path", "given"), [(path, given) for path, several in FULL.items() for given in several])
def test_as_many_values_as_allowed_are_answered(client: httpx.Client, path: str, given: dict[str, int]) -> None:
    query = "&".join(form.format(number) for form, many in given.items() for number in range(many))
    assert client.get(f"{path}{query}").status_code == 200


def test_more_parameters_are_refused(client: httpx.Client) -> None:
    answer = client.get(f"/task-outputs?{'&'.join(['task_name=a'] * (MOST + 1))}")
    assert (answer.status_code, answer.json()["error"]) == (422, {
        "code": "invalid", "message": "the query has more than 500 parameters",
        "details": [{"path": "query", "message": "expected: at most 500"}],
    })  # fmt: skip


@pytest.mark.parametrize("given", ["tag_all=a{}", "summary.a{}=1", "summary.a{}%3E1"])
def test_conditions_that_must_all_hold_are_fewer(client: httpx.Client, given: str) -> None:
    """No output has more tags, and none more scalars, than could all be asked for."""
    assert client.get("/task-outputs?" + "&".join(given.format(number) for number in range(64))).status_code == 200
    answer = client.get("/task-outputs?" + "&".join(given.format(number) for number in range(65)))
    assert answer.status_code == 422
    name = given.partition("=")[0] if given.startswith("tag") else "summary."
    assert answer.json()["error"]["details"] == [{"path": f"query.{name}", "message": "may be given 64 times"}]


def test_buckets_of_strangers_do_not_pile_up() -> None:
    limit = RateLimit(0.001, lambda: 0.0)
    for number in range(3 * BUCKETS):
        limit.take(str(number))
    assert len(limit._buckets) <= BUCKETS


def test_events_that_a_filter_leaves_out_are_read_once(api: Any, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    read = app.feed.events

    def events(after: int, limit: int = 1000) -> Any:
        asked.append(after)
        return read(after, limit)

    flow = app.flows.check("{id: few, namespace: a.b, tasks: [{id: one, type: debug.Return, format: x}]}")[0]
    assert flow is not None
    app.executions.create(flow, {})
    monkeypatch.setattr(app.feed, "events", events)
    unknown = "01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11"
    with (
        httpx.Client(base_url=api.url, timeout=PATIENCE, headers={"Last-Event-ID": "0"}) as client,
        client.stream("GET", f"/events?flow_execution_id={unknown}") as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines) == "retry: 2000"
        for _ in range(100):
            time.sleep(0.05)
            if len(asked) > 1:
                break
    assert asked[:2] == [0, app.feed.last()]
    assert asked[1] > 0


def test_revoking_the_only_key_opens_nothing(fresh: Installation, serve: Callable[..., Any]) -> None:
    made, _ = fresh.keys.create("default", "only", "admin")
    with serve(fresh) as api, httpx.Client(base_url=api.url, timeout=PATIENCE) as client:
        fresh.keys.revoke("default", made.id)
        assert client.get("/task-outputs").status_code == 401


def test_what_one_organization_asks_for_holds_no_other_up(
    fresh: Installation, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.keys.create_organization("other")
    slow, quick = (fresh.keys.create(name, "key", "viewer")[1] for name in ("default", "other"))
    held, gate = threading.Semaphore(0), threading.Event()

    def wait(*_: object) -> Any:
        held.release()
        gate.wait(PATIENCE)
        return ()

    monkeypatch.setattr(fresh.services("default").flows, "list", wait)
    with serve(fresh, threads=4) as api, ThreadPoolExecutor(8) as pool:
        def ask(key: str) -> int:
            return httpx.get(f"{api.url}/flows", headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE).status_code

        asked = [pool.submit(ask, slow) for _ in range(7)]
        for _ in range(3):
            assert held.acquire(timeout=PATIENCE)
        try:
            assert ask(quick) == 200
            assert not any(one.done() for one in asked)
        finally:
            gate.set()
        assert [one.result() for one in asked] == [200] * 7


def test_files_that_one_organization_sends_hold_no_other_up(
    fresh: Installation, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.keys.create_organization("other")
    slow, quick = fresh.keys.create("default", "key", "editor")[1], fresh.keys.create("other", "key", "viewer")[1]
    files = fresh.services("default").files
    held, gate, put = threading.Semaphore(0), threading.Event(), files.put

    def wait(*given: Any) -> Any:
        held.release()
        gate.wait(PATIENCE)
        return put(*given)

    monkeypatch.setattr(files, "put", wait)
    with serve(fresh, threads=4) as api, ThreadPoolExecutor(8) as pool:
        def ask(key: str, method: str, path: str) -> int:
            headers = {"Authorization": f"Bearer {key}"}
            return httpx.request(method, f"{api.url}{path}", headers=headers, content=b"", timeout=PATIENCE).status_code

        sent = [pool.submit(ask, slow, "PUT", f"/files?namespace=a&name={number}") for number in range(7)]
        for _ in range(3):
            assert held.acquire(timeout=PATIENCE)
        try:
            assert ask(quick, "GET", "/flows") == 200
            assert not held.acquire(blocking=False)
        finally:
            gate.set()
        assert [one.result() for one in sent] == [200] * 7


def test_a_head_without_an_end_is_cut_off(api: Any) -> None:
    connection = connect(api.url, "GET /api/v1/health HTTP/1.1\r\nX-Long: ")
    for _ in range(100):
        with suppress(OSError):  # it is closed by now
            connection.sendall(b"a" * 4096)
    assert is_closed_by_the_server(connection)


def test_what_is_no_http_is_answered_in_the_one_shape_of_errors(api: Any) -> None:
    with connect(api.url, "this is not HTTP\r\n\r\n") as connection:
        head, _, body = b"".join(iter(lambda: connection.recv(4096), b"")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    told = json.loads(body)
    assert told["error"] == {"code": "invalid", "message": "this is no request of HTTP", "details": []}
    assert told["request_id"].encode() in head
