"""Takes the pictures of docs/images/pages: `python -m docs.screenshots [NAME …]`, in the root of the repository.

A home is filled by the demo and a few flows of `docs/screenshots/`, a server of this machine shows it, and Chromium
takes each page as it is in the light and in the dark.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
PICTURES = HERE / "images" / "pages"
FLOWS = HERE / "screenshot_flows"
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
SIZE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def main() -> None:
    """All pictures, or those named."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as home, _server(home) as url:
        pages = _filled(home, url)
        wanted = sys.argv[1:] or [*pages]
        with sync_playwright() as playwright:
            path = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS])
            for name in wanted:
                if name == "sign-in":  # the last one: from now on a key is asked for
                    key = ("--organization", "default", "--role", "viewer")
                    _run("api-keys", "create", *key, "--home", home, "--json")
                for scheme in ("light", "dark"):
                    _take(browser, url + pages[name], name, scheme)
            browser.close()


def _take(browser: Browser, address: str, name: str, scheme: str) -> None:
    size = PHONE if name.startswith("phone") else SIZE
    context = browser.new_context(viewport=size, color_scheme=scheme, locale="en-GB", timezone_id="UTC")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    page.wait_for_load_state()
    page.evaluate("document.fonts.ready")
    page.screenshot(path=str(PICTURES / f"{name}-{scheme}.png"))
    context.close()


@contextmanager
def _server(home: str) -> Iterator[str]:
    line = [sys.executable, "-m", "core", "server", "--home", home, "--port", "0", "--json"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = ""
        while not told.endswith("}\n"):
            told += process.stdout.readline()
        try:
            yield str(json.loads(told)["url"]).removesuffix("/api/v1")
        finally:
            process.terminate()


def _filled(home: str, url: str) -> Mapping[str, str]:
    """Run what the pictures show; the pages by the names of their pictures."""
    demo = _run("demo", "--home", home, "--json")
    runs = [
        _run("run", str(FLOWS / "orders.yaml"), "--home", home, "--json", "-i", f"limit={limit}")
        for limit in (7, 4, 9, 2, 6, 3, 5)
    ]
    first, second = runs[-2:]
    failed = _run("run", str(FLOWS / "import.yaml"), "--home", home, "--json", code=None)
    for path in sorted(FLOWS.glob("*.yaml")):
        _run("flows", "push", str(path), "--home", home, "--json")
    source = (FLOWS / "orders.yaml").read_text("utf-8").replace("concurrencyLimit: 2", "concurrencyLimit: 4")
    _send(url, "PUT", "/flows/company.shop/orders", {"source": source})
    paused = _run("run", str(FLOWS / "approval.yaml"), "--home", home, "--json", code=None)
    for row in _get(url, f"/task-outputs?flow_execution_id={second['id']}&limit=100")["data"]:
        body = {"summary": {"rows": len(row["task_name"])}, "tags": {"checked": "yes"}, "reason": "looked at"}
        if row["status"] == "completed":
            _send(url, "PATCH", f"/task-outputs/{row['id']}", body)
    rows = _get(url, f"/task-outputs?flow_execution_id={demo['id']}")["data"]
    outputs = {row["task_name"]: row["id"] for row in rows}
    execution = f"/executions/{demo['id']}"
    return {
        "executions": "/executions",
        "start": "/flows/company.shop/orders/start",
        "overview": f"/executions/{failed['id']}",
        "gantt": f"/executions/{first['id']}/gantt",
        "graph": f"/executions/{first['id']}/graph",
        "logs": f"/executions/{first['id']}/logs",
        "outputs": f"{execution}/outputs?show={outputs['sqlQuery']}",
        "value": f"/values/{outputs['sqlQuery']}?name=uri",
        "evaluator": f"{execution}/evaluator?expression=outputs.api.code",
        "source": f"/executions/{failed['id']}/source",
        "replay": f"/executions/{failed['id']}/replay",
        "resume": f"/executions/{paused['id']}/resume",
        "compare": f"/compare?first={first['id']}&second={second['id']}",
        "choice": f"/compare?first={first['id']}",
        "flows": "/flows",
        "flow": "/flows/company.shop/orders",
        "diff": "/flows/company.shop/orders/diff?from=1&to=2",
        "edit": "/flows/company.shop/orders/edit",
        "new": "/flows/new",
        "across": "/outputs",
        "charts": "/outputs/charts",
        "output": f"/outputs/{outputs['api']}",
        "phone": f"{execution}/outputs",
        "wrong": "/flows/company.shop/other",
        "sign-in": "/sign-in",
    }


def _run(*words: str, code: int | None = 0) -> Any:
    """What a command told, as JSON. code: what it has to end with, None for whatever."""
    ended = subprocess.run([sys.executable, "-m", "core", *words], capture_output=True, text=True, check=False)
    if code is not None and ended.returncode != code:
        raise SystemExit(f"{' '.join(words)} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return json.loads(ended.stdout)


def _get(url: str, path: str) -> Any:
    with urlopen(f"{url}/api/v1{path}") as answer:
        return json.load(answer)


def _send(url: str, method: str, path: str, body: Mapping[str, Any]) -> None:
    headers = {"Content-Type": "application/json", "If-Match": "*"}
    with urlopen(Request(f"{url}/api/v1{path}", json.dumps(body).encode(), headers, method=method)):
        pass


if __name__ == "__main__":
    main()
