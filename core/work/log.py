"""The log of one attempt: lines go up at once, secrets hidden, long ones in pieces."""

from __future__ import annotations

from collections.abc import Callable

from core.host.seam import LogLine, Up
from core.sdk.context import LEVELS, Level, Log

MAX_MESSAGE = 10_240


_FROM: dict[str, frozenset[Level]] = {level: frozenset(LEVELS[at:]) for at, level in enumerate(LEVELS)}


class AttemptLog(Log):
    """Implements `core.sdk.Log`. threshold: the least level that is kept. hide: takes secrets out of a text."""

    def __init__(
        self, attempt_id: str, threshold: str, now: Callable[[], int], tell: Callable[[Up], None],
        hide: Callable[[str], str],
    ) -> None:  # fmt: skip
        self._attempt_id = attempt_id
        self._levels = _FROM[threshold]
        self._now = now
        self._tell = tell
        self._hide = hide

    def log(self, level: Level, message: str) -> None:
        if level not in self._levels:
            return
        text = self._hide(str(message))
        at = self._now()
        if len(text) <= MAX_MESSAGE:
            self._tell(LogLine(self._attempt_id, at, level, text))
            return
        for start in range(0, len(text), MAX_MESSAGE):
            self._tell(LogLine(self._attempt_id, at, level, text[start : start + MAX_MESSAGE]))
