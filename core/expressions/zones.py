"""Time zones by name."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo

from core.expressions.faults import Fault

_OFFSET = r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?"


def zone_of(name: str) -> tzinfo:
    """`Europe/Paris`, `UTC`, `+03:00`, `Z`. Raises Fault for a name that no zone has."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 (slow to load)

    if name == "Z":
        return UTC
    if match := re.fullmatch(_OFFSET, name):
        sign, hours, minutes, seconds = match.groups()
        span = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
        if span <= timedelta(hours=18):
            return timezone(-span if sign == "-" else span)
    try:
        if name not in ("EST", "MST", "HST") and name[:1].isalpha():
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise Fault(f"there is no time zone `{name}`", expected="a name such as Europe/Paris, or an offset such as +02:00")
