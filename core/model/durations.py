"""ISO 8601 durations (`PT1H30M`), the only way the language writes a span of time."""

from __future__ import annotations

import re
from datetime import timedelta

from core.errors import Invalid

_COUNT = r"[-+]?[0-9]{1,15}"
_PATTERN = (
    rf"([+-])?P(?:({_COUNT})W)?(?:({_COUNT})D)?"
    rf"(?:T(?:({_COUNT})H)?(?:({_COUNT})M)?(?:({_COUNT}(?:[.,][0-9]{{1,9}})?)S)?)?"
)
"""Patterns stay texts here and elsewhere: `re` compiles and keeps them at their first use, not at each start."""


def parse_duration(text: str) -> timedelta:
    """`PT1H30M` → 1 hour 30 minutes. Raises Invalid; years and months have no fixed length and are refused."""
    match = re.fullmatch(_PATTERN, text.strip(), re.IGNORECASE)
    if match is None or not any(match.groups()[1:]) or text.strip().upper().endswith("T"):
        raise Invalid(f"`{text}` is not a duration", expected="an ISO 8601 duration such as PT30S, PT1H30M or P1D")
    sign, weeks, days, hours, minutes, seconds = match.groups()
    whole, _, fraction = (seconds or "0").replace(",", ".").partition(".")
    micros = round(int(fraction.ljust(9, "0")) / 1000)
    try:
        span = timedelta(
            weeks=int(weeks or 0),
            days=int(days or 0),
            hours=int(hours or 0),
            minutes=int(minutes or 0),
            seconds=int(whole),
            microseconds=-micros if whole.startswith("-") else micros,
        )
    except OverflowError:
        raise Invalid(f"`{text}` is too long for a duration", expected="less than 2.7 million years") from None
    return -span if sign == "-" else span


def format_duration(span: timedelta) -> str:
    """1 hour 30 minutes → `PT1H30M`; hours are the largest unit, zero is `PT0S`."""
    micros = span // timedelta(microseconds=1)
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
