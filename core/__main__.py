"""`python -m core`, and what the installed script calls."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command that this process was started with, and end the process with its exit code."""
    gc.disable()  # what is imported stays to the end: looking through it finds nothing. `_run` enables it again
    gc.set_threshold(10_000)
    from core.cli.main import main as command_line  # noqa: PLC0415 - after the lines above, which is why it is there

    code = command_line()
    # Everything of ours is closed and written by now. Taking the interpreter apart would cost a sixth of the whole
    # time of a small run, so the process just ends (as mypy's does).
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = code or 141
    os._exit(code)


if __name__ == "__main__":
    main()
