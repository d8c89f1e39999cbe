"""What an iteration of a loop costs: decided by the planner alone, and as a whole in a run; each beside its floor.

Usage: python tests/benchmarks/loop.py [ITERATIONS [LIMIT]]; a limit of 0 is none. The time must grow with the
iterations and not faster: compare 10 000 with 100 000. Floors (`loop_floor.py`): a planner of plain tuples, and the
same with its rows in SQLite and a commit for all that was told at once.
"""

from __future__ import annotations

import gc
import resource
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

import loop_floor as floor  # beside this script

from core.app import load_settings, open_app
from core.model.decisions import Counters, MoveExecution, RunTask
from core.model.flow import Flow
from core.model.messages import EvaluationKey, Message, Started, TaskKey, TasksEnded
from core.model.nodes import Each, Sequence, Step, Work
from core.planner import Facts, TaskFacts, apply, decide
from core.planner.groups import WINDOW

FLOW = """
id: loop
namespace: benchmarks
tasks:
  - id: each
    type: flow.ForEach
    values: "{{{{ range(1, {iterations}) }}}}"
    concurrencyLimit: {limit}
    tasks:
      - {{id: one, type: debug.Return, format: "{{{{ taskrun.value }}}}"}}
"""


def decided(iterations: int, limit: int) -> float:
    """Seconds to decide a loop whose tasks all succeed, and to keep the facts of it."""
    values = tuple(f"v{number}" for number in range(iterations))
    each = Step("each", "flow.ForEach", Each(values, (Step("one", "debug.Return", Work()),), limit))
    flow = Flow("loop", "benchmarks", Sequence((each,)))
    tasks: dict[TaskKey, TaskFacts] = {}
    answers: dict[EvaluationKey, tuple[Any, str]] = {}
    facts = Facts(flow, {step.id: step for step in flow.steps()}, "CREATED", Counters(), tasks, evaluations=answers)
    messages: deque[Message] = deque([Started()])
    began = time.perf_counter()
    while messages:
        decision = decide(facts, messages.popleft())
        apply(decision, tasks, answers, 1)
        for change in decision.changes:
            if isinstance(change, MoveExecution):
                facts.state, facts.counters = change.state, change.counters
        ran = [effect.key for effect in decision.effects if type(effect) is RunTask]
        if ran:
            messages.append(TasksEnded(ran))
    assert facts.state == "SUCCESS", facts.state
    return time.perf_counter() - began


def ran(iterations: int, limit: int) -> float:
    """Seconds of a whole run in a fresh home."""
    with tempfile.TemporaryDirectory() as name, open_app(load_settings(home=Path(name) / "home")) as app:
        flow = app.flows.read(FLOW.format(iterations=iterations, limit=limit))
        view, _ = app.executions.create(flow, {})
        began = time.perf_counter()
        view = app.executions.run(view.id)
        assert view.state == "SUCCESS", view.state
        return time.perf_counter() - began


def floors(iterations: int, limit: int) -> tuple[float, float]:
    """Seconds of the two floors."""
    nodes = floor.loop([f"v{number}" for number in range(iterations)], limit or WINDOW)
    began = time.perf_counter()
    ran = floor.decided(nodes)
    decided_in = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as name:
        kept = floor.Kept(Path(name))
        began = time.perf_counter()
        assert kept.run(nodes) == ran == iterations
        kept_in = time.perf_counter() - began
        kept.close()
    return decided_in, kept_in


def main(iterations: int, limit: int) -> None:
    gc.set_threshold(10_000)  # as `python -m core` does
    least, least_kept = floors(iterations, limit)
    for name, seconds, below in (("decided", decided(iterations, limit), least), ("run", ran(iterations, limit), least_kept)):
        each, floor_each = (value / iterations * 1e6 for value in (seconds, below))
        print(f"{name:8}{seconds:8.2f} s {each:8.1f} µs an iteration; floor {floor_each:6.1f} µs: {each / floor_each:5.1f} x that")
    print(f"peak    {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:8} MB")


if __name__ == "__main__":
    main(*(int(word) for word in (sys.argv[1:] + ["10000", "1"][len(sys.argv) - 1 :])[:2]))
