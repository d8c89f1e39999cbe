"""The five (or six) fields of cron, and its nicknames."""

from __future__ import annotations

import re

NICKNAMES = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: at for at, name in enumerate(_MONTHS, 1)}),
    ("day of the week", 0, 7, {name: at for at, name in enumerate(_DAYS)}),
)
"""Name, least and greatest value, and words for values; Sunday is both 0 and 7."""


def wrong_with_cron(text: str, *, with_seconds: bool) -> str:
    """Why a text is no cron expression, or ""."""
    written = text.split()
    if len(written) == 1 and written[0].startswith("@"):
        return "" if written[0].lower() in NICKNAMES else f"there is no nickname `{written[0]}`"
    fields = _FIELDS if with_seconds else _FIELDS[1:]
    if len(written) != len(fields):
        return f"it has {len(written)} fields, not {len(fields)}"
    for part, (name, least, greatest, words) in zip(written, fields, strict=True):
        for item in part.split(","):
            why = _wrong_with_item(item, least, greatest, words)
            if why:
                return f"the {name} `{part}` is wrong: {why}"
    return ""


def _wrong_with_item(item: str, least: int, greatest: int, words: dict[str, int]) -> str:
    """`*`, a value or a range, each with `/` and a step."""
    span, slash, step = item.partition("/")
    if slash and not (re.fullmatch("[0-9]{1,9}", step) and int(step)):
        return f"`{step}` is not a step"
    if span == "*":
        return ""
    values = []
    for word in span.split("-"):
        value = words.get(word.upper(), int(word) if re.fullmatch("[0-9]{1,9}", word) else None)
        if value is None:
            return f"`{word}` is not a number" if word else "a number is missing"
        if not least <= value <= greatest:
            return f"`{word}` is not between {least} and {greatest}"
        values.append(value)
    if len(values) > 2:
        return f"`{span}` is not a range"
    if len(values) == 2 and values[0] > values[1]:
        return f"`{span}` ends before it begins"
    return ""
