"""How often each key may ask."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from tailrace_server.errors import Refused

MANY = 10_000


class RateLimit:
    """A bucket of tokens for each name, filled again evenly. To be used from one thread.

    most: how many at once, a second's worth when not given. told: to who asks for more.
    """

    def __init__(self, rate: float, clock: Callable[[], float], *, most: float | None = None, told: str = "") -> None:
        self._rate = rate
        self._most = max(1.0, rate) if most is None else most
        self._told = told or f"more than {rate:g} requests a second"
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> None:
        """One request. Raises Refused (429) with `Retry-After`."""
        now = self._clock()
        left, since = self._buckets.get(name, (self._most, now))
        left = min(self._most, left + (now - since) * self._rate)
        if left < 1:
            seconds = max(1, ceil((1 - left) / self._rate))
            raise Refused(429, self._told, headers={"Retry-After": str(seconds)})
        if len(self._buckets) >= MANY:
            self._forget(now)
        self._buckets[name] = (left - 1, now)

    def _forget(self, now: float) -> None:
        """Buckets that are full again are as good as new ones."""
        for name, (left, since) in list(self._buckets.items()):
            if left + (now - since) * self._rate >= self._most:
                del self._buckets[name]
        if len(self._buckets) > MANY // 2:  # else those that come would look through all of them, each
            self._buckets = dict(list(self._buckets.items())[len(self._buckets) // 2 :])
