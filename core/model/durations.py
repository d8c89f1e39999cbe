"""ISO 8601 durations (`PT1H30M`), the only way the language writes a span of time."""

from __future__ import annotations

import re
from datetime import timedelta

from core.errors import Invalid

_PATTERN = re.compile(
    r"([+-])?P(?:(-?\d+)W)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?\d+(?:[.,]\d{1,9})?)S)?)?", re.IGNORECASE
)


def parse_duration(text: str) -> timedelta:
    """`PT1H30M` → 1 hour 30 minutes. Raises Invalid; years and months have no fixed length and are refused."""
    match = _PATTERN.fullmatch(text.strip())
    if match is None or not any(match.groups()[1:]) or text.strip().upper().endswith("T"):
        raise Invalid(f"`{text}` is not a duration", expected="an ISO 8601 duration such as PT30S, PT1H30M or P1D")
    sign, weeks, days, hours, minutes, seconds = match.groups()
    span = timedelta(
        weeks=int(weeks or 0),
        days=int(days or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=float((seconds or "0").replace(",", ".")),
    )
    return -span if sign == "-" else span


def format_duration(span: timedelta) -> str:
    """1 hour 30 minutes → `PT1H30M`; hours are the largest unit, zero is `PT0S`."""
    micros = round(span / timedelta(microseconds=1))
    sign = "-" if micros < 0 else ""
    seconds, fraction = divmod(abs(micros), 1_000_000)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    text = f"{sign}{hours}H" if hours else ""
    if minutes:
        text += f"{sign}{minutes}M"
    if seconds or fraction:
        tail = f".{fraction:06d}".rstrip("0") if fraction else ""
        text += f"{sign}{seconds}{tail}S"
    return "PT" + (text or "0S")
