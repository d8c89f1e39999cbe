"""`GET /events` of a real server: who follows is told what its organization commits, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from core.app import Installation
from tailrace_server.app import make_app
from tailrace_server.listening import Listeners
from tailrace_server.options import Options
from tests.waiting import PATIENCE

from .loops import run

GUARD = 60
"""Seconds after which a test that hangs fails."""


def test_a_client_that_goes_while_it_is_sent_to_follows_no_more(fresh: Installation) -> None:
    """At once, not when its answer is collected as garbage."""
    app = make_app(fresh, Options(note=print))
    listeners: Listeners = app.state.listeners
    scope: Any = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/api/v1/events", "raw_path": b"/api/v1/events", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"127.0.0.1")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip

    async def test() -> None:
        stuck = asyncio.Event()

        async def receive() -> Any:
            await stuck.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                stuck.set()
                await asyncio.Event().wait()  # the client takes nothing

        await app(scope, receive, send)
        assert stuck.is_set()
        assert listeners._all == {}

    gc.disable()
    try:
        run(asyncio.wait_for(test(), GUARD))
    finally:
        gc.enable()


def told(client: httpx.Client) -> Generator[str, None, None]:
    """The ids of the executions, as they are told; first "" once it is connected."""
    with client.stream("GET", "/events", timeout=GUARD) as answer:
        for line in answer.iter_lines():
            if line.startswith("retry:"):
                yield ""
            elif line.startswith("data:"):
                yield re.findall(r'"flow_execution_id":"([^"]+)"', line)[0]


def test_organizations_hear_nothing_of_each_other(fresh: Installation, serve: Callable[..., Any], flow: str) -> None:
    secrets = {}
    for name in ("acme", "globex"):
        fresh.keys.create_organization(name)
        secrets[name] = fresh.keys.create(name, "follower", "viewer")[1]
    with serve(fresh) as api:
        streams = {name: told(api.client(secret)) for name, secret in secrets.items()}
        assert [next(stream) for stream in streams.values()] == ["", ""]
        for name in ("acme", "globex", "globex", "acme"):
            app = fresh.services(name)
            made = app.executions.create(app.flows.read(flow), {})[0]
            assert next(streams[name]) == made.id
        for stream in streams.values():
            stream.close()


def test_who_follows_is_told_the_end_of_the_server(fresh: Installation, serve: Callable[..., Any]) -> None:
    connected = threading.Barrier(4)

    def follow(url: str) -> list[str]:
        with httpx.Client(base_url=url, timeout=PATIENCE) as client:
            stream = told(client)
            first = next(stream)
            connected.wait(GUARD)
            return [first, *stream]

    with ThreadPoolExecutor() as pool:
        with serve(fresh) as api:
            following = [pool.submit(follow, api.url) for _ in range(3)]
            connected.wait(GUARD)
        assert [one.result(GUARD) for one in following] == [[""]] * 3
