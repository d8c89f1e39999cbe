"""How tests wait: for something that must happen, never for a time to pass."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds after which something hangs: far more than anything here takes on a slow machine that has much to do.

How fast things are is measured in tests/benchmarks, never asserted.
"""


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)
