"""Times: microseconds since 1970 UTC on our side, ISO 8601 text in UTC on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(at: int | None) -> str | None:
    """`2025-05-01T10:00:00.000000Z`; None stays None."""
    if at is None:
        return None
    seconds, rest = divmod(at, 1_000_000)
    return f"{_second(seconds)}.{rest:06d}Z"


@lru_cache(4096)
def _second(seconds: int) -> str:
    """Rows of a list lie close together, and this takes longer than all the rest of a row."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def micros(text: str) -> int:
    """A date or a time, in UTC where it names no zone. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
