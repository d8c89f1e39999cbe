"""How many bare interpreter starts one `python -m core run` of a one-task flow takes, in a warm home.

Usage: python tests/benchmarks/cold_start.py [RUNS]. Whole processes, the bare one and the run in turn, so that a noisy
machine slows both; compiled bytecode is made first, as an installation would.
"""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
FLOW = """\
id: one
namespace: benchmarks
tasks:
  - id: say
    type: debug.Return
    format: hello
"""
EXPRESSION = FLOW.replace("hello", '"{{ flow.id }}"').replace("id: one", "id: one_expression")


def main(runs: int) -> None:
    """Print the medians and their ratio."""
    compileall.compile_dir(str(ROOT / "core"), quiet=2)
    compileall.compile_dir(str(ROOT / "plugins"), quiet=2)
    with tempfile.TemporaryDirectory() as folder:
        cases: dict[str, tuple[str, ...]] = {"python -c pass": (sys.executable, "-c", "pass")}
        for title, text in (("run, one task", FLOW), ("run, one expression", EXPRESSION)):
            flow = Path(folder, f"{len(cases)}.yaml")
            flow.write_text(text, encoding="utf-8")
            cases[title] = (sys.executable, "-m", "core", "run", str(flow), "--quiet")
        environment = {**os.environ, "TAILRACE_HOME": str(Path(folder, "home"))}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        taken: dict[str, list[float]] = {title: [] for title in cases}
        for turn in range(runs + 1):
            for title, command in cases.items():
                seconds = _seconds(command, environment)
                if turn:  # the first one makes the home and warms the caches
                    taken[title].append(seconds)
    bare = statistics.median(taken["python -c pass"])
    for title, times in taken.items():
        median = statistics.median(times)
        print(
            f"{title:<20} median {median * 1000:6.1f} ms   least {min(times) * 1000:6.1f} ms   {median / bare:5.1f} x"
        )


def _seconds(command: tuple[str, ...], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
