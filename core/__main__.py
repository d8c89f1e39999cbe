"""`python -m core`, and what the installed script calls."""

from __future__ import annotations

import gc
import sys

from core.cli.main import main as command_line

__all__ = ["main"]


def main() -> int:
    """Run the command that this process was started with; the exit code. The process ends right after it."""
    gc.set_threshold(10_000)  # what is imported stays to the end: looking through it every 700 objects finds nothing
    code = command_line()
    gc.freeze()  # nor need the interpreter look through everything twice more on its way out: a tenth of a short run
    return code


if __name__ == "__main__":
    sys.exit(main())
