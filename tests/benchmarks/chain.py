"""Microseconds per chained task above the floor: 1 000 `debug.Return` tasks, each reading the one before.

Usage: python tests/benchmarks/chain.py [RUNS]. Engine and floor run in turn, each in a process of its own; both time
their work without the start of the interpreter and its imports.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TASKS = 1000
ENGINE = """
import gc, sys, time
from pathlib import Path
from core.app import open_app
from core.settings import load_settings
gc.set_threshold(10_000)  # as `python -m core` does
with open_app(load_settings(home=Path(sys.argv[3]))) as app:
    for path in (sys.argv[1], sys.argv[2]):  # the first, short one imports what is imported when it is needed
        started = time.perf_counter()
        flow, _ = app.flows.load(Path(path))
        view, _ = app.executions.create(flow, {})
        view = app.executions.run(view.id)
        took = time.perf_counter() - started
        assert view.state == "SUCCESS", view.state
    print(took)
"""


def chain(tasks: int) -> str:
    lines = ["id: chain", "namespace: benchmarks", "tasks:"]
    for number in range(tasks):
        value = f"{{{{ outputs.t{number - 1}.value }}}}" if number else "start"
        lines += [f"  - id: t{number}", "    type: debug.Return", f'    format: "{value}"']
    return "\n".join(lines) + "\n"


def main(runs: int) -> None:
    floor_script = Path(__file__).with_name("chain_floor.py")
    with tempfile.TemporaryDirectory() as name:
        flow = Path(name) / "chain.yaml"
        flow.write_text(chain(TASKS), "utf-8")
        short = Path(name) / "short.yaml"
        short.write_text(chain(2), "utf-8")
        floor, engine = [], []
        for run in range(runs + 1):
            directory = Path(name) / str(run)
            directory.mkdir()
            floor.append(_seconds(str(floor_script), str(flow), str(directory)))
            engine.append(_seconds("-c", ENGINE, str(short), str(flow), str(directory / "home")))
        per_floor, per_engine = (statistics.median(found[1:]) / TASKS * 1e6 for found in (floor, engine))
        times = statistics.median(above / below for above, below in zip(engine[1:], floor[1:], strict=True))
        print(f"floor  {per_floor:6.0f} µs a task")
        print(f"engine {per_engine:6.0f} µs a task, {per_engine - per_floor:.0f} µs above the floor; {times - 1:.1f} x the floor above it, pair by pair")


def _seconds(*arguments: str) -> float:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    return float(done.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
