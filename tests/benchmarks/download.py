"""`http.Download` of a large file into storage beside `curl -o`: wall time and peak memory of each process.

Usage: python tests/benchmarks/download.py [MEGABYTES] [RUNS]. Both fetch from a server on loopback, in turn; the time
of the engine is that of the whole `run`, and that of its task alone. Needs curl, and three times the space on disk.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from core.testing.http_server import HttpServer

ROOT = Path(__file__).parents[2]
FLOW = "id: download\nnamespace: benchmarks\ntasks:\n  - {{id: get, type: http.Download, uri: '{url}'}}\n"
PIECE = os.urandom(1 << 20)


def main(megabytes: int, runs: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "large").open("wb") as file:
            for _ in range(megabytes):
                file.write(PIECE)
        with HttpServer({"/large": folder / "large"}) as server:
            (folder / "flow.yaml").write_text(FLOW.format(url=f"{server.url}/large"), "utf-8")
            measured = [(_curl(folder, f"{server.url}/large"), _engine(folder, megabytes)) for _ in range(runs)]
    for title, column in (("curl -o", 0), ("run", 1)):
        seconds = statistics.median(row[column][0] for row in measured)
        peak = max(row[column][1] for row in measured)
        print(f"{title:<8} {seconds:6.2f} s  {megabytes / seconds:6.0f} MiB/s  peak {peak / 1024:4.0f} MiB")
    task = statistics.median(row[1][2] for row in measured)
    print(f"its task {task:6.2f} s  {megabytes / task:6.0f} MiB/s")


def _curl(folder: Path, url: str) -> tuple[float, int]:
    took = _measured(["curl", "--silent", "--fail", "-o", str(folder / "copy"), url], folder / "curl.out")
    (folder / "copy").unlink()
    return took


def _engine(folder: Path, megabytes: int) -> tuple[float, int, float]:
    """Seconds and peak memory of the run, and the seconds of its task."""
    home = ["--home", str(folder / "home")]
    words = [sys.executable, "-m", "core", "run", str(folder / "flow.yaml"), "--json", *home]
    seconds, peak = _measured(words, folder / "run.out")
    (task,) = json.loads((folder / "run.out").read_text("utf-8"))["task_executions"]
    if (task["state"], task["output"]["length"]) != ("SUCCESS", megabytes << 20):
        raise SystemExit(f"the download failed: {task}")
    subprocess.run([sys.executable, "-m", "core", "executions", "purge", "--all", *home], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    return seconds, peak, float(task["duration"])


def _measured(words: Sequence[str], output: Path) -> tuple[float, int]:
    """Seconds until the process has ended, and the most memory it had, in KiB."""
    with output.open("wb") as file:
        started = time.perf_counter()
        process = subprocess.Popen(words, cwd=ROOT, stdout=file, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{words[0]} ended with {process.returncode}")
    return seconds, used.ru_maxrss


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [1024, 3][len(given) :]))
