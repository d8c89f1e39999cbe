"""Whether an engine lives, by its beat: seen on the clock of who looks, never on those of others."""

from __future__ import annotations

from threading import Lock

LEASE_SECONDS = 10.0
"""A beat that stands still for so long is that of a dead engine."""


class Beats:
    """What one process saw of the beats of engines.

    Time in which the observer itself was held up counts little: after it, an engine gets another look.
    """

    def __init__(self, lease: float = LEASE_SECONDS) -> None:
        self._lease = lease
        self._seen: dict[str, tuple[int, float, float]] = {}
        self._lock = Lock()

    def is_alive(self, engine_id: str, beat: int | None, moment: float) -> bool:
        """beat: as it is now, None when the engine said that it is gone. moment: monotonic seconds.

        An engine that is looked at for the first time counts as alive: only time can tell.
        """
        with self._lock:
            if beat is None:
                self._seen.pop(engine_id, None)
                return False
            before, looked, still = self._seen.get(engine_id, (None, moment, 0.0))
            still = still + min(moment - looked, self._lease / 2) if beat == before else 0.0
            self._seen[engine_id] = (beat, moment, still)
            return still < self._lease
