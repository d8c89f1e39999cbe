"""`python -m core`, and what the installed script calls."""

from __future__ import annotations

import gc
import os
import signal
import sys

__all__ = ["main"]

INTERRUPTED = 130


def main() -> None:
    """Run the command that this process was started with, and end the process with its exit code."""
    gc.disable()  # what is imported stays to the end: looking through it finds nothing
    gc.set_threshold(10_000)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    try:
        code = _run()
    except KeyboardInterrupt:  # once more, while the first one was still being looked at
        code = INTERRUPTED
    # Everything of ours is closed and written by now. Taking the interpreter apart would cost a sixth of the whole
    # time of a small run, so the process just ends (as mypy's does).
    os._exit(code)


def _run() -> int:
    from core.cli.main import main as command_line  # noqa: PLC0415 - what `main` does first is to be done before it

    code = command_line(begin=_begin)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = code or 141
    return code


def _leave(*_: object) -> None:
    """Ctrl-C while modules are imported: an exception there would be told with a traceback, or be lost."""
    os._exit(INTERRUPTED)


def _begin() -> None:
    """Everything is imported by now, and stays."""
    gc.freeze()
    gc.enable()
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    main()
