"""What the Python task of the tutorial costs from its second run on, above the same script run by hand.

Usage: python tests/benchmarks/second_run.py [RUNS]. By hand: the Python of the environment that the first run has
made, on a file with the rendered script. Needs polars from the package index for the first run.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.cli.demo_server import DATA, product_api

ROOT = Path(__file__).parents[2]
FLOW = ROOT / "tests" / "examples" / "tutorial" / "3-getting-started-process.yaml"


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as name, product_api() as url:
        home = Path(name, "home")
        first = _task_seconds(home, url)
        by_hand, engine = [], []
        for _ in range(runs):
            by_hand.append(_by_hand(home, Path(name)))
            engine.append(_task_seconds(home, url))
        script, task = (statistics.median(found) * 1000 for found in (by_hand, engine))
        print(f"first run of the task   {first * 1000:6.0f} ms, its environment is made")
        print(f"script by hand          {script:6.0f} ms")
        print(f"second run of the task  {task:6.0f} ms, {task - script:.0f} ms above the script")


def _task_seconds(home: Path, url: str) -> float:
    """How long the task took, as the record has it."""
    words = [sys.executable, "-m", "core", "run", str(FLOW), "-i", f"api_url={url}", "--json", "--home", str(home)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    tasks = json.loads(done.stdout)["task_executions"]
    return float(next(task["duration"] for task in tasks if task["task_name"] == "python"))


def _by_hand(home: Path, folder: Path) -> float:
    python = next((home / "cache" / "python").glob("*/bin/python"))
    products = json.loads((DATA / "products.json").read_text("utf-8"))["products"]
    body = FLOW.read_text("utf-8").partition("script: |\n")[2].partition("\n\n")[0]
    lines = [line.strip() for line in body.splitlines()]
    script = "\n".join(f"data = {products!r}" if line.startswith("data = ") else line for line in lines)
    (folder / "script.py").write_text(script, "utf-8")
    started = time.perf_counter()
    subprocess.run([python, "script.py"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
