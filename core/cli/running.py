"""Loading a flow's file, and following an execution to its end: for every command that runs something."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from core.app import App
from core.cli.command import Call
from core.cli.exit_codes import code_of_state
from core.cli.follow import follower
from core.cli.problems import is_error, problem_object, problem_text
from core.cli.report import show_execution, show_look_further
from core.cli.shapes import execution_object
from core.errors import InvalidFlow
from core.host.services import Services
from core.host.views import ExecutionView
from core.model.flow import Flow
from core.sdk.context import LEVELS
from core.settings import RUNNERS

ENDING = (signal.SIGINT, signal.SIGTERM)
"""What Ctrl-C sends, and what `timeout`, services and CI send to a program that is to end."""


def running_options(parser: ArgumentParser) -> None:
    """How an execution is run, and what is shown of it."""
    parser.add_argument("--runner", choices=RUNNERS, help="where scripts run when the flow does not say")
    parser.add_argument(
        "--log-level", choices=LEVELS, default="INFO", help="the least level of the log lines that are shown"
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="print the result as one JSON object")
    shown.add_argument("--quiet", action="store_true", help="print the id of the execution and errors, nothing else")


def load_flow(call: Call, app: App, path: Path, *, warnings: bool = True) -> Flow:
    """The flow of a file. Raises InvalidFlow with everything that is wrong with it.

    warnings: whether what does not keep it from running is noted.
    """
    flow, problems = app.flows.load(path)
    if flow is None or any(is_error(problem) for problem in problems):
        texts, objects = tuple(map(problem_text, problems)), tuple(map(problem_object, problems))
        raise InvalidFlow(texts, where=str(path), found=objects)
    for problem in problems if warnings else ():
        call.out.note(problem_text(problem))
    inactive = flow.said_of_triggers()
    if inactive:
        call.out.note(inactive)
    return flow


def run_to_end(
    call: Call, app: App, flow: Flow, inputs: Mapping[str, Any], *,
    labels: Mapping[str, str] | None = None, runner: str | None = None, log_level: str = "INFO",
    local_files: Path | None = None,
) -> tuple[ExecutionView, int]:  # fmt: skip
    """Check what the flow needs, create an execution and follow it to its end: how it ended, and the exit code.

    local_files: a folder of files that stand before those of the namespace.
    """
    for line in app.executions.preflight(flow, runner=runner):
        call.out.note(line)
    created, warnings = app.executions.create(flow, inputs, labels=labels)
    for line in warnings:
        call.out.note(f"warning: {line}")
    return follow_to_end(call, app, created.id, runner=runner, log_level=log_level, local_files=local_files)


def follow_to_end(
    call: Call, app: Services, execution_id: str, *, runner: str | None = None, log_level: str = "INFO",
    local_files: Path | None = None,
) -> tuple[ExecutionView, int]:  # fmt: skip
    """Work on an execution as long as something can happen by itself: how it stands then, and the exit code.

    Ctrl-C and SIGTERM interrupt the execution instead of this program. Raises Conflict when another process works on
    it.
    """
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        app.executions.interrupt()

    before = {one: signal.getsignal(one) for one in ENDING}
    try:
        with follower(call.out, log_level) as follow:
            for one in ENDING:
                signal.signal(one, interrupt)  # only now: before `run` nothing would hear of it
            ended = app.executions.run(execution_id, follow=follow, runner=runner, local_files=local_files)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    return ended, code_of_state(ended.state, interrupted=interrupted)


def show_result(call: Call, app: Services, ended: ExecutionView, code: int) -> None:
    """What came out, as --json or --quiet ask for it, else for people."""
    args, out = call.args, call.out
    if args.json:
        out.data(execution_object(ended, app))
    elif args.quiet:
        out.result(ended.id)
        if code:
            out.warn(f"error: the execution is {ended.state}" + (f": {ended.error}" if ended.error else ""))
    else:
        show_look_further(call, ended, show_execution(call, app, ended))
