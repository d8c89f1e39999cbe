"""What an engine waits for: moments, each with the execution and the task that asked for it."""

# Annotations are no texts here: typing would compile each of a named tuple, which a start waits for.

import heapq
from collections.abc import Callable
from itertools import count
from typing import NamedTuple

from core.model.messages import TaskKey

MANY = 1000


class Timer(NamedTuple):
    """due_at: microseconds since 1970 UTC. key: of the task that waits; of the root for an execution to begin."""

    due_at: int
    number: int
    execution_id: str
    key: TaskKey


class Timers:
    """A heap; what became needless stays in it until its time, and is told all the same."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._numbers = count()
        self._most = MANY

    def set(self, due_at: int, execution_id: str, key: TaskKey) -> None:
        heapq.heappush(self._heap, Timer(due_at, next(self._numbers), execution_id, key))

    def due(self, now: int) -> list[Timer]:
        """Those whose time has come; they are taken out."""
        found = []
        while self._heap and self._heap[0].due_at <= now:
            found.append(heapq.heappop(self._heap))
        return found

    def has_due(self, now: int) -> bool:
        """Whether any time has come. Called from any thread."""
        first = self._first()
        return bool(first) and first[0].due_at <= now

    def seconds(self, now: int, longest: float) -> float:
        """How long nothing comes due, `longest` at most. Called from any thread."""
        first = self._first()
        return min(longest, max(first[0].due_at - now, 0) / 1_000_000) if first else longest

    def _first(self) -> list[Timer]:
        """The next one, if there is one, in one step: who leads may be taking it out."""
        return self._heap[:1]

    def waited_for(self, execution_id: str) -> bool:
        """Whether an execution waits for any."""
        return any(timer.execution_id == execution_id for timer in self._heap)

    def keep(self, wanted: Callable[[str], bool]) -> None:
        """Forget those of other executions, once there are twice as many as the last time."""
        if len(self._heap) > self._most:
            self._heap = [timer for timer in self._heap if wanted(timer.execution_id)]
            heapq.heapify(self._heap)
            self._most = max(2 * len(self._heap), MANY)
