"""Being asked to end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def signals(act: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT call `act`. In another thread than the main one nothing changes: no signal arrives there."""

    def handle(_: int, frame: FrameType | None) -> None:
        act()

    try:
        before = {one: signal.signal(one, handle) for one in (signal.SIGTERM, signal.SIGINT)}
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
