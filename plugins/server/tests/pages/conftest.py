"""The pages in the real Chromium: `site` is a server with its engine, `browser_page` a page of a fresh browser context.

Tests that use the browser are marked `browser`, so that a machine without Chromium leaves them out. Wait with `expect`
and locators, never by sleeping.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import frozen

from core.app import App, Installation
from core.host.views import ExecutionView
from plugins.server.tests.conftest import installed, serving
from tailrace_server.showing import duck
from tests.waiting import PATIENCE

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@frozen
class Site:
    """A server with pages, over a home of its own. url: without a slash at its end."""

    url: str
    deployment: Installation
    notes: list[str]

    @property
    def app(self) -> App:
        """The services of the default organization."""
        return self.deployment.services("default")

    def key(self, role: str, organization: str = "default") -> str:
        """The secret of a new key. From the first one on, nobody gets in without."""
        _, secret = self.deployment.keys.create(organization, role, role)  # type: ignore[arg-type]
        return secret

    def client(self, key: str | None = None, **options: Any) -> httpx.Client:
        """For tests without a browser; to be closed. Follows no redirects unless asked to."""
        headers = {"Accept": "text/html", **({"Authorization": f"Bearer {key}"} if key else {})}
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE, **options)

    def get(self, path: str) -> str:
        """The text of a page that is there."""
        with self.client() as client:
            answer = client.get(path)
        assert answer.status_code == 200, f"{path} gave {answer.status_code}: {answer.text}"
        return answer.text

    def post(self, path: str, **fields: str) -> httpx.Response:
        """A form, filled in and sent with its token."""
        with self.client() as client:
            token = client.get("/executions").text.partition('name="csrf-token" content="')[2].partition('"')[0]
            return client.post(path, data={**({"csrf": token} if token else {}), **fields})

    def run(self, flow: str, inputs: Mapping[str, Any] | None = None) -> ExecutionView:
        """An execution that has ended."""
        return self.app.run(flow, dict(inputs or {}))

    def begin(self, flow: str, inputs: Mapping[str, Any] | None = None) -> ExecutionView:
        """An execution that the server's engine works on."""
        app = self.app
        view, _ = app.executions.create(app.flows.read(flow), dict(inputs or {}))
        app.executions.submit(view.id)
        return view


@contextmanager
def open_site(
    home: Path, *, keys: Sequence[str] = (), environment: Mapping[str, str] | None = None, **options: Any
) -> Iterator[Site]:
    """A server with an engine in threads. keys: organizations that have one. environment: of tasks, such as a PATH.
    options: of `Options`."""
    with installed(home, environment) as deployment:
        for organization in keys:
            if organization != "default":
                deployment.keys.create_organization(organization)
            deployment.keys.create(organization, "first", "admin")
        engine = deployment.engine(workers=4, processes=False)
        engine.start()
        try:
            with serving(deployment, engine=engine, **options) as api:
                yield Site(api.url.removesuffix("/api/v1"), deployment, api.notes)
        finally:
            engine.close()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow machine, too, questions to DuckDB are answered: the tests of its limit set one of their own."""
    monkeypatch.setattr(duck, "PATIENCE", PATIENCE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Without keys, for all tests of a file. Its inline limit is 64 bytes: what is larger is a file."""
    with open_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    """For one test alone: one that makes keys, or counts what is there."""
    with open_site(tmp_path / "site") as site:
        yield site


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, started once."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no Chromium here")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Any, url: str = "", **options: Any) -> Iterator[Any]:
    """A page of a context of its own; whatever its console says of errors fails the test, and so do failed scripts."""
    context = browser.new_context(base_url=url or None, viewport={"width": 1280, "height": 800}, **options)
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.on("console", lambda message: wrong.append(f"{page.url}: {message.text}") if _is_wrong(message) else None)
    try:
        yield page
    finally:
        context.close()
    assert wrong == []


def _is_wrong(message: Any) -> bool:
    """Scripts that fail and what the policy forbids; an answer such as 422 is told in the console too, and is meant.

    So is what a frame must not do: that it was kept from it is what its tests want.
    """
    of_frame = "/frame" in message.text.partition("sandboxed")[0] or "/frame" in message.location.get("url", "")
    return message.type == "error" and "Failed to load resource" not in message.text and not of_frame


@pytest.fixture
def browser_page(browser: Any, site: Site) -> Iterator[Any]:
    """A page whose addresses are those of `site`: `browser_page.goto("/executions")`."""
    with opened(browser, site.url) as page:
        yield page


@pytest.fixture(scope="session")
def axe() -> Callable[..., None]:
    """`axe(page)` fails with every breach of WCAG 2.2 AA, and of good practice, that axe-core finds in a page: in light,
    then in dark; `axe(page, "dark")` looks at one of them."""
    from axe_playwright_python.base import AXE_FILE_PATH

    script = AXE_FILE_PATH.read_text("utf-8")

    def check(page: Any, *schemes: str) -> None:
        if page.evaluate("typeof axe") == "undefined":
            page.evaluate(script)  # past the page's policy, as the developer tools are
        for scheme in schemes or ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
            told = [f"{one['id']}: {one['help']}\n{_nodes(one)}" for one in found["violations"]]
            assert not told, f"{page.url}, {scheme}\n" + "\n".join(told)

    return check


def _nodes(violation: Mapping[str, Any]) -> str:
    """Where it is, of the first few places."""
    return "\n".join(f"    {node['target']}: {node['failureSummary']}" for node in violation["nodes"][:5])
