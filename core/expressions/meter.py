"""What one evaluation uses of the machine: computing time and memory, looked at between steps.

A step is about a nanosecond of work or a byte that was made. Counting steps costs next to nothing; only every few
million of them the clock of the thread and the size of the process are read. A single call into C (a jq program, a
regular expression) can't be interrupted by this: see `core.expressions.native`.
"""

from __future__ import annotations

import os
import sys
from time import thread_time

from core.errors import TooLarge

MAX_SECONDS = 1.0
"""Computing time of one evaluation. Waiting (for a file, for other threads) does not count."""
MAX_GROWTH = 128 * 1024 * 1024
"""Bytes by which the process may grow while it evaluates: what a last step adds stays well below as much again."""
_BEFORE_FIRST_LOOK = 400_000
_BETWEEN_LOOKS = 4_000_000


class Meter:
    """Of one evaluation, the templates that it renders inside of it included. left: steps until the next look."""

    __slots__ = ("_memory", "_started", "left")

    def __init__(self) -> None:
        self._started = thread_time()
        self._memory: int | None = None
        self.left = _BEFORE_FIRST_LOOK

    def look(self) -> None:
        """Raises TooLarge."""
        self.left = _BETWEEN_LOOKS
        if thread_time() - self._started > MAX_SECONDS:
            raise TooLarge(
                f"an expression computes for more than {MAX_SECONDS:g} s",
                expected=f"at most {MAX_SECONDS:g} s of computing",
                hint="make its loops and lists shorter, or do this work in a task",
            )
        if self._memory is None:
            self._memory = resident()
        elif resident() - self._memory > MAX_GROWTH:
            raise TooLarge(
                f"an expression takes more than {MAX_GROWTH >> 20} MB of memory",
                expected=f"at most {MAX_GROWTH >> 20} MB for all values it holds",
                hint="work on a file in a task instead",
            )


def unmetered(steps: int) -> None:
    """Stands for the meter where nobody counts."""


def resident() -> int:
    """Bytes of memory that the process holds now; where the system does not tell, the most it ever held (or 0)."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as source:
            return int(source.read(100).split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return _peak()


def _peak() -> int:
    try:
        import resource  # noqa: PLC0415 (Windows has none)
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
