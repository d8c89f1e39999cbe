"""Loading a flow's file and running it to its end, as `run` and `demo` do."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from core.app import App
from core.cli.command import Call
from core.cli.exit_codes import code_of_state
from core.cli.follow import follower
from core.cli.problems import is_error, problem_text
from core.errors import InvalidFlow
from core.host.views import ExecutionView
from core.model.flow import Flow


def load_flow(call: Call, app: App, path: Path, *, warnings: bool = True) -> Flow:
    """The flow of a file. Raises InvalidFlow with everything that is wrong with it.

    warnings: whether what does not keep it from running is noted.
    """
    flow, problems = app.flows.load(path)
    if flow is None or any(is_error(problem) for problem in problems):
        raise InvalidFlow(tuple(problem_text(problem) for problem in problems), where=str(path))
    for problem in problems if warnings else ():
        call.out.note(problem_text(problem))
    return flow


def run_to_end(
    call: Call, app: App, flow: Flow, inputs: Mapping[str, Any], *,
    labels: Mapping[str, str] | None = None, runner: str | None = None, log_level: str = "INFO",
    local_files: Path | None = None,
) -> tuple[ExecutionView, int]:  # fmt: skip
    """Check what the flow needs, create an execution and follow it to its end: how it ended, and the exit code.

    Ctrl-C interrupts the execution instead of this program. local_files: a folder of files that stand before those of
    the namespace.
    """
    for line in app.executions.preflight(flow, runner=runner):
        call.out.note(line)
    created, warnings = app.executions.create(flow, inputs, labels=labels)
    for line in warnings:
        call.out.note(f"warning: {line}")
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        app.executions.interrupt()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with follower(call.out, log_level) as follow:
            ended = app.executions.run(created.id, follow=follow, runner=runner, local_files=local_files)
    finally:
        signal.signal(signal.SIGINT, before)
    return ended, code_of_state(ended.state, interrupted=interrupted)
