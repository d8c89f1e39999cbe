"""Time and chance: the only place where the core asks for either."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

from core import expressions


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
    millis = time.time_ns() // 1_000_000
    drawn = int.from_bytes(os.urandom(10), "big")
    bits = (millis << 80) | (0x7 << 76) | ((drawn >> 68) & 0xFFF) << 64 | (0b10 << 62) | (drawn & ((1 << 62) - 1))
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
