"""Loading a flow's file and running it to its end, as `run` and `demo` do."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from core.cli.command import Call
from core.cli.exit_codes import code_of_state
from core.cli.follow import follower
from core.cli.problems import is_error, problem_text
from core.errors import InvalidFlow
from core.host.services import Services
from core.host.views import ExecutionView
from core.model.flow import Flow


def load_flow(call: Call, services: Services, path: Path) -> Flow:
    """The flow of a file; its warnings are noted. Raises InvalidFlow with everything that is wrong with it."""
    flow, problems = services.flows.load(path)
    if flow is None or any(is_error(problem) for problem in problems):
        raise InvalidFlow(tuple(problem_text(problem) for problem in problems), where=str(path))
    for problem in problems:
        call.out.note(problem_text(problem))
    return flow


def run_to_end(
    call: Call, services: Services, flow: Flow, inputs: Mapping[str, Any], *,
    labels: Mapping[str, str] | None = None, runner: str | None = None, log_level: str = "INFO",
) -> tuple[ExecutionView, int]:  # fmt: skip
    """Check what the flow needs, create an execution and follow it to its end: how it ended, and the exit code.

    Ctrl-C interrupts the execution instead of this program.
    """
    for line in services.executions.preflight(flow, runner=runner):
        call.out.note(line)
    created, warnings = services.executions.create(flow, inputs, labels=labels)
    for line in warnings:
        call.out.note(f"warning: {line}")
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        services.executions.interrupt()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with follower(call.out, log_level) as follow:
            ended = services.executions.run(created.id, follow=follow, runner=runner)
    finally:
        signal.signal(signal.SIGINT, before)
    return ended, code_of_state(ended.state, interrupted=interrupted)
