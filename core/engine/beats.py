"""Whether an engine lives, by its beat: a counter that it moves, seen on the observer's own clock."""

from __future__ import annotations

LEASE_SECONDS = 10.0
"""How long a beat may stand still."""


class Beats:
    """What one observer saw. Clocks of different machines are never compared.

    Time in which the observer itself was held up counts little: after it, an engine gets another look.
    """

    def __init__(self, lease: float = LEASE_SECONDS) -> None:
        self._lease = lease
        self._seen: dict[str, tuple[int, float, float]] = {}

    def is_alive(self, engine_id: str, beat: int, moment: float) -> bool:
        """False once the beat was seen to stand still for the lease. moment: seconds on a monotonic clock."""
        before, looked, still = self._seen.get(engine_id, (None, moment, 0.0))
        still = still + min(moment - looked, self._lease / 2) if beat == before else 0.0
        self._seen[engine_id] = (beat, moment, still)
        return still < self._lease

    def forget(self, engine_id: str) -> None:
        """The engine has gone in order."""
        self._seen.pop(engine_id, None)
