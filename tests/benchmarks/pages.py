"""What the pages weigh and how long they take in a real Chromium: `python tests/benchmarks/pages.py [ITERATIONS] [RUNS]`.

First page: every byte over the wire of `/executions` in a browser that has seen nothing, and the first contentful
paint. Outputs tab: of an execution of so many iterations (10 000 unless said), from the request to the paint and to
the end of loading, and the server's share of it. Each number is the median of RUNS (9), the worst one behind it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

from playwright.sync_api import Browser, sync_playwright
from served import server

FLOW = """
id: many
namespace: benchmark
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: "{{{{ range(1, {count}) }}}}"
    concurrencyLimit: 0
    tasks:
      - {{id: one, type: io.kestra.plugin.core.debug.Return, format: "number {{{{ taskrun.value }}}}"}}
"""
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
LOADED = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"


def main() -> None:
    iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        flow = Path(folder) / "many.yaml"
        flow.write_text(FLOW.format(count=iterations), "utf-8")
        subprocess.run([sys.executable, "-m", "core", "run", str(flow), "--home", str(home)], check=True, capture_output=True)
        with server(home, "--no-engine") as served, sync_playwright() as playwright:
            origin = served.url.removesuffix("/api/v1")
            path = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS])
            looked(browser, f"{origin}/executions", runs, "first page /executions")
            with urlopen(f"{served.url}/flow-executions?limit=1") as answer:
                execution = json.load(answer)["data"][0]["id"]
            for tab in ("outputs", "", "gantt", "graph", "logs", "source"):
                looked(browser, f"{origin}/executions/{execution}/{tab}".rstrip("/"), runs, f"{tab or 'overview'} of {iterations} iterations")
            browser.close()


def looked(browser: Browser, address: str, runs: int, name: str) -> None:
    """One page, in a fresh browser context each time."""
    weights, paints, ends, answers = [], [], [], []
    for _ in range(runs):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        weight = Weight(context.new_cdp_session(page))
        begun = time.perf_counter()
        with urlopen(address) as answer:
            answer.read()
        answers.append((time.perf_counter() - begun) * 1000)
        page.goto(address, wait_until="load")
        page.wait_for_function(PAINT)
        paints.append(page.evaluate(PAINT))
        ends.append(page.evaluate(LOADED))
        weights.append(weight.bytes)
        context.close()
    figures = [f"{what} {median(found):.0f} ({max(found):.0f}) {unit}" for what, found, unit in (
        ("over the wire", weights, "bytes"), ("first contentful paint", paints, "ms"), ("loaded", ends, "ms"),
        ("the server alone", answers, "ms"))]  # fmt: skip
    print(f"{name}: {', '.join(figures)}")


class Weight:
    """Bytes that came over the wire, headers included."""

    def __init__(self, session: Any) -> None:
        self.bytes = 0
        session.send("Network.enable")
        session.on("Network.loadingFinished", self._finished)

    def _finished(self, event: dict[str, Any]) -> None:
        self.bytes += round(event["encodedDataLength"])


if __name__ == "__main__":
    main()
