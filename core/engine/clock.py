"""Time and chance: the only place where the core asks for either."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

from core import expressions

_VARIANTS = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""A drawn digit → one whose two highest bits are the variant of a UUIDv7."""


def now() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


def as_instant(micros: int) -> expressions.Instant:
    """A recorded moment as expressions see it, in milliseconds as the reference's."""
    return expressions.Instant.fromtimestamp(micros // 1000 / 1000, UTC)


def moment() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def chance(size: int) -> bytes:
    """Bytes that nobody can guess."""
    return os.urandom(size)


def monotonic() -> float:
    """Seconds on a clock that nobody sets."""
    return time.monotonic()


def new_id() -> str:
    """A UUIDv7: it names, and sorts roughly by when it was drawn; nothing relies on that order."""
    time_part, drawn = f"{time.time_ns() // 1_000_000:012x}", os.urandom(10).hex()
    return f"{time_part[:8]}-{time_part[8:]}-7{drawn[:3]}-{_VARIANTS[drawn[3]]}{drawn[4:7]}-{drawn[7:19]}"
