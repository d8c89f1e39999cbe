"""Commands as processes of this machine."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from functools import partial
from math import inf
from pathlib import Path
from typing import IO, Literal

from core.sdk import (
    Command,
    CommandResult,
    Interrupted,
    Invalid,
    RunContext,
    TailraceError,
    TaskFailed,
    TaskRunner,
    Unreachable,
)
from core.sdk.lines import LineSplitter
from core.sdk.runners import OnLine

GRACE = 2.0
"""Seconds between the request to end and the end by force."""
DRAIN = 0.5
"""Seconds in which what the command left running may still write, once the command itself has ended."""
TICK = 0.05
"""Seconds after which a silent command is looked at again, to see whether it is to stop."""
SHORT_TICK = 0.005
"""The same where the end of a process makes no descriptor readable, for a command that has closed its output."""
CHUNK = 1 << 16
ATTEMPT = "TAILRACE_ATTEMPT"
"""A variable that every command has: by it what outlived its engine is found."""

Stream = Literal["stdout", "stderr"]


class Process(TaskRunner, type="runner.Process", aliases=("io.kestra.plugin.core.runner.Process",)):
    """Run commands as processes of this machine, with the engine's environment and rights.

    A command and everything it starts form a process group that ends with it: on a stop with SIGTERM and, 2 s later,
    SIGKILL; once the command has ended, what it left in the background is ended as well, as in a container. What
    outlives its engine is found by the variable `TAILRACE_ATTEMPT`, which every command has.
    """

    @classmethod
    def unavailable(cls, environment: Mapping[str, str]) -> str:
        return "" if os.name == "posix" else "process groups are needed, which this system does not have"

    def run(self, ctx: RunContext, command: Command) -> CommandResult:
        if not command.argv:
            raise Invalid("There is no command to run", expected="a program and its arguments")
        if ctx.stop_requested:
            raise Interrupted(f"`{command.argv[0]}` was stopped before it started")
        process = _start(command, {**ctx.environment, **command.env, ATTEMPT: ctx.attempt_id})
        try:
            stopped = _follow(process, command.on_line, lambda: ctx.stop_requested)
        finally:
            _end(process)
        if stopped:
            raise Interrupted(f"`{command.argv[0]}` was stopped")
        return CommandResult(exit_code=process.returncode)

    def stop_left(self, ctx: RunContext) -> None:
        if not _groups_of(ctx.attempt_id):
            return
        ctx.log.info("Ending processes that were left running")
        for number in (signal.SIGTERM, signal.SIGKILL):
            for group in _groups_of(ctx.attempt_id):
                _signal(group, number)
            last_look = time.monotonic() + GRACE
            while _groups_of(ctx.attempt_id) and time.monotonic() < last_look:
                time.sleep(TICK)
        if left := _groups_of(ctx.attempt_id):
            raise TaskFailed(f"Processes do not end: those of the groups {', '.join(map(str, sorted(left)))}")


def _groups_of(attempt_id: str) -> set[int]:
    """The process groups in which something with an attempt's variable runs, but for this process's own.

    What has ended has no environment. Nothing is found where the system has no `/proc`: only Linux has.
    """
    sign = f"{ATTEMPT}={attempt_id}".encode()
    found = set()
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile, or belongs to somebody else
            if sign in (directory / "environ").read_bytes().split(b"\0"):
                found.add(os.getpgid(int(directory.name)))
    return found - {os.getpgrp()}


def _start(command: Command, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.argv,
            cwd=command.working_dir,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise _not_started(command, error) from error


def _not_started(command: Command, error: OSError | ValueError) -> TailraceError:
    program = command.argv[0]
    if isinstance(error, ValueError):  # a NUL in an argument or in the environment, `=` in a variable's name
        return Invalid(f"`{program}` can't be started: {error}")
    if not command.working_dir.is_dir():
        return Unreachable(f"The working directory `{command.working_dir}` does not exist")
    if isinstance(error, FileNotFoundError):
        return Unreachable(
            f"There is no program `{program}` on this machine",
            hint="install it or add its directory to PATH; if it is there, see whether the interpreter in its first "
            "line is; or run the task in a container (`taskRunner: {type: runner.Docker}`)",
        )
    return Unreachable(f"`{program}` can't be started: {error.strerror or error}")


def _follow(process: subprocess.Popen[bytes], on_line: OnLine, stop_requested: Callable[[], bool]) -> bool:
    """Hand on the output until the process has ended; whether it was told to stop."""
    stopped = False
    running = True
    deadline = inf
    with ExitStack() as cleanup:
        selector = cleanup.enter_context(selectors.PollSelector())
        streams: tuple[tuple[Stream, IO[bytes] | None], ...] = (("stdout", process.stdout), ("stderr", process.stderr))
        for name, stream in streams:
            splitter = cleanup.enter_context(closing(LineSplitter(partial(on_line, name))))
            selector.register(stream or -1, selectors.EVENT_READ, splitter)
        exit_fd = _watch_exit(process, selector, cleanup)
        open_streams = len(streams)
        while (running or open_streams) and time.monotonic() < deadline:
            for key, _ in selector.select(TICK if open_streams or exit_fd >= 0 else SHORT_TICK):
                if key.fd == exit_fd:
                    running = False
                elif data := os.read(key.fd, CHUNK):
                    key.data.feed(data)
                    continue
                else:
                    open_streams -= 1
                selector.unregister(key.fd)
            if exit_fd < 0 and running:
                running = process.poll() is None
            if not running and deadline == inf:
                deadline = time.monotonic() + DRAIN
            if running and not stopped and stop_requested():
                stopped = True
                _signal(process.pid, signal.SIGTERM)
                deadline = time.monotonic() + GRACE
    return stopped


def _watch_exit(process: subprocess.Popen[bytes], selector: selectors.BaseSelector, cleanup: ExitStack) -> int:
    """A descriptor that becomes readable when the process ends, or -1 on systems that have none.

    It leaves the process unreaped, so that its number, and with it the group's, can't be given to a stranger meanwhile.
    """
    if not hasattr(os, "pidfd_open"):
        return -1
    try:
        exit_fd = os.pidfd_open(process.pid)
    except OSError:  # kernels before 5.3, and sandboxes
        return -1
    cleanup.callback(os.close, exit_fd)
    selector.register(exit_fd, selectors.EVENT_READ)
    return exit_fd


def _end(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of the group and collect the exit code."""
    _signal(process.pid, signal.SIGKILL)
    with process:  # closes the streams and waits
        pass


def _signal(group: int, number: signal.Signals) -> None:
    # macOS says "not permitted" for a group of which only ended processes are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
