"""A real server on loopback over a real home; every answer that a test gets is held against the API's own document."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import frozen
from jsonschema import Draft202012Validator

from core.app import App, Installation, open_deployment
from core.host.deployment import Deployment, Serving
from core.settings import Settings
from tailrace_server.app import make_app
from tailrace_server.document import document
from tailrace_server.options import Options
from tailrace_server.serve import Server, listening, url_of
from tests.waiting import PATIENCE

FLOW = """
id: products
namespace: company.team
tasks:
  - {id: fetch, type: debug.Return, format: "42"}
  - {id: twice, type: debug.Return, format: "{{ outputs.fetch.value }}{{ outputs.fetch.value }}"}
  - {id: large, type: debug.Return, format: "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 01234567"}
"""
INLINE_LIMIT = 64
"""Bytes: so small that the output of `large` is a file."""


@frozen
class Api:
    """A running server. notes: what it told whoever runs it."""

    url: str
    deployment: Deployment
    document: dict[str, Any]
    notes: list[str]
    closing: ExitStack

    def client(self, key: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        hooks = {"response": [lambda response: check(self.document, response)]}
        return self.closing.enter_context(
            httpx.Client(base_url=self.url, headers=headers, event_hooks=hooks, timeout=PATIENCE)
        )


@contextmanager
def serving(deployment: Deployment, *, engine: Serving | None = None, **options: Any) -> Iterator[Api]:
    """A server in a thread, until the block ends."""
    notes: list[str] = []
    chosen = Options(note=notes.append, port=0, **options)
    ready = threading.Event()
    with ExitStack() as closing, listening(chosen) as listener:
        app = make_app(deployment, chosen, engine)
        server = Server(app, ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert ready.wait(PATIENCE)
            yield Api(url_of(listener, chosen), deployment, document(app), notes, closing)
        finally:
            closing.close()
            server.end()
            thread.join(PATIENCE)
            assert not thread.is_alive()


def check(told: dict[str, Any], response: httpx.Response) -> None:
    """An answer is one that the document names, of the shape that it gives."""
    assert response.headers["x-request-id"]
    path, method = response.request.url.path, response.request.method.lower().replace("head", "get")
    known = [one for one in told["paths"] if method in told["paths"][one] and matches(one, path)]
    operation = told["paths"][min(known, key=lambda one: "{" in one)][method] if known else None
    if operation is None or response.status_code == 304:
        return
    assert str(response.status_code) in operation["responses"], f"{method} {path} gave {response.status_code}"
    answer = operation["responses"][str(response.status_code)]
    if "$ref" in answer:
        answer = told["components"]["responses"][str(response.status_code)]
    media = response.headers.get("content-type", "").partition(";")[0]
    if response.status_code == 204:
        assert not response.read()
        return
    media = media if media in answer["content"] else "*/*"
    assert media in answer["content"], f"{method} {path} gave {media}"
    schema = answer["content"][media].get("schema")
    if schema and response.request.method != "HEAD":
        response.read()
        Draft202012Validator({**schema, "components": told["components"]}).validate(response.json())


def matches(known: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", known), path) is not None


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Without keys, for all tests of a file."""
    with installed(tmp_path_factory.mktemp("home")) as deployment:
        yield deployment


@contextmanager
def installed(home: Path, environment: Mapping[str, str] | None = None) -> Iterator[Installation]:
    settings = Settings(home=home, environment=environment or {}, runner="process", inline_limit=INLINE_LIMIT)
    with open_deployment(settings) as deployment:
        deployment.services("default")
        yield deployment


@pytest.fixture(scope="module")
def api(deployment: Installation) -> Iterator[Api]:
    with serving(deployment) as api:
        yield api


@pytest.fixture(scope="module")
def client(api: Api) -> httpx.Client:
    return api.client()


@pytest.fixture(scope="module")
def app(deployment: Installation) -> App:
    """The services of the default organization."""
    return deployment.services("default")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Installation]:
    """An installation of its own, for a test that makes keys or counts requests."""
    with installed(tmp_path / "home") as deployment:
        yield deployment


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    """`serving`, for tests with options of their own."""
    return serving


@pytest.fixture(scope="session")
def flow() -> str:
    """Three tasks; the second reads the first, and the output of the third is a file."""
    return FLOW
