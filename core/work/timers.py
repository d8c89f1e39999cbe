"""A call that happens later, unless it is called off."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

CallOff = Callable[[], object]
Watch = Callable[[float, str], CallOff]
"""(seconds, reason): once the seconds have passed an attempt is stopped for that reason, unless it is called off."""


def later(seconds: float, call: Callable[..., object], *arguments: Any) -> CallOff:
    """Call in another thread once the seconds have passed; what is returned calls it off."""
    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), call, arguments)
    timer.daemon = True
    timer.start()
    return timer.cancel
