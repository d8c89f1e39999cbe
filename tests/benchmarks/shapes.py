"""What a task costs in flows of different shapes, run whole in a fresh home: so that none is left out of sight.

Usage: python tests/benchmarks/shapes.py [PART OF A NAME…]. `cpu` above `wall` means that threads were in each other's
way; compare a shape at two sizes to see whether it grows faster than its tasks.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.app import App, load_settings, open_app

Task = dict[str, Any]


def returns(name: str = "t", text: str = "x") -> Task:
    return {"id": name, "type": "debug.Return", "format": text}


def loop(times: int, limit: int, *tasks: Task, name: str = "each") -> Task:
    values = f"{{{{ range(1, {times}) }}}}"
    return {"id": name, "type": "flow.ForEach", "values": values, "concurrencyLimit": limit, "tasks": list(tasks)}


def parallel(times: int) -> list[Task]:
    return [{"id": "all", "type": "flow.Parallel", "tasks": [returns(f"t{at}") for at in range(times)]}]


def dag(times: int) -> list[Task]:
    """Each task waits for the five before it."""
    tasks = [
        {"task": returns(f"t{at}"), "dependsOn": [f"t{before}" for before in range(max(0, at - 5), at)]}
        for at in range(times)
    ]
    return [{"id": "all", "type": "flow.Dag", "tasks": tasks}]


def chain(times: int) -> list[Task]:
    """Each task reads the one before it."""
    return [returns(f"t{at}", f"{{{{ outputs.t{at - 1}.value }}}}" if at else "x") for at in range(times)]


def until(times: int) -> list[Task]:
    frequency = {"interval": "PT0.001S", "maxIterations": times}
    return [{"id": "until", "type": "flow.LoopUntil", "condition": "false", "failOnMaxReached": False,
             "checkFrequency": frequency, "tasks": [returns()]}]  # fmt: skip


def chooses(times: int) -> list[Task]:
    condition = f"{{{{ (taskrun.value | number) > {times // 2} }}}}"
    return [loop(times, 4, {"id": "if", "type": "flow.If", "condition": condition, "then": [returns()]})]


def calls(flow: str) -> Task:
    return {"id": "call", "type": "flow.Subflow", "namespace": "benchmarks", "flowId": flow, "wait": True}


SHAPES: dict[str, tuple[int, Callable[[int], list[Task]]]] = {
    "chain": (500, chain),
    "chain, longer": (2000, chain),
    "parallel": (1000, parallel),
    "dag": (250, dag),
    "dag, larger": (1000, dag),
    "loop, one after another": (2000, lambda times: [loop(times, 1, returns(text="{{ taskrun.value }}"))]),
    "loop, 16 at once": (4000, lambda times: [loop(times, 16, returns(text="{{ taskrun.value }}"))]),
    "loop, unlimited": (4000, lambda times: [loop(times, 0, returns(text="{{ taskrun.value }}"))]),
    "loop, unlimited, larger": (20000, lambda times: [loop(times, 0, returns(text="{{ taskrun.value }}"))]),
    "loop in a loop": (3600, lambda times: [loop(60, 0, loop(times // 60, 0, returns(), name="inner"))]),
    "loop with a choice": (2000, chooses),
    "loop of log lines": (4000, lambda times: [loop(times, 0, {"id": "t", "type": "log.Log", "message": "hello"})]),
    "until": (200, until),
    "subflows": (200, lambda times: [loop(times, 0, calls("called"))]),
    "subflows in a queue": (200, lambda times: [loop(times, 0, calls("one_at_a_time"))]),
    "pauses": (1000, lambda times: [loop(times, 0, {"id": "t", "type": "flow.Pause", "delay": "PT0.001S"})]),
    "loop that reads a state": (1000, lambda times: [returns("t"), loop(times, 0, returns("u", "{{ tasks.t.state }}"))]),
    "loop that reads a long list": (500, lambda times: [
        {"id": "list", "type": "output.OutputValues", "values": {"all": list(range(2000))}},
        loop(times, 0, returns(text="{{ outputs.list['values'].all[5] }}"))]),
    "loop of failures": (1000, lambda times: [loop(times, 0, {**returns(text="{{ nothing }}"), "allowFailure": True})]),
    "loop of groups": (1000, lambda times: [loop(times, 0, {"id": "in", "type": "flow.Parallel", "tasks": [
        returns("a"), returns("b")]})]),
    "script of many lines": (100000, lambda times: [
        {"id": "t", "type": "scripts.python.Script", "taskRunner": {"type": "runner.Process"},
         "script": f"for number in range({times}): print('line', number)"}]),
}  # fmt: skip


def ran(app: App, tasks: list[Task]) -> tuple[float, float]:
    """Seconds by the clock and of computing."""
    flow = app.flows.read(json.dumps({"id": "shape", "namespace": "benchmarks", "tasks": tasks}) + "\n")
    view, _ = app.executions.create(flow, {})
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    view = app.executions.run(view.id)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    assert view.state in ("SUCCESS", "WARNING"), view
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(parts: list[str]) -> None:
    gc.set_threshold(10_000)  # as `python -m core` does
    for name, (times, shape) in SHAPES.items():
        if parts and not any(part in name for part in parts):
            continue
        with tempfile.TemporaryDirectory() as home, open_app(load_settings(home=Path(home) / "home")) as app:
            for called, more in (("called", {}), ("one_at_a_time", {"concurrency": {"limit": 1, "behavior": "QUEUE"}})):
                flow = {"id": called, "namespace": "benchmarks", **more, "tasks": [returns()]}
                app.flows.push(json.dumps(flow) + "\n")
            wall, cpu = (seconds / times * 1e6 for seconds in ran(app, shape(times)))
        print(f"{name:28} {times:6} x  {wall:8.0f} µs wall  {cpu:8.0f} µs cpu", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
