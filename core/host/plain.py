"""Values of records as plain JSON: the same for every `--json` of the command line, and over HTTP."""

from __future__ import annotations

import math
from binascii import b2a_base64
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from core.model.durations import format_duration


def plain(value: Any) -> Any:
    """Dates and times become ISO 8601 text, durations ISO 8601 text (`PT1M`), decimals text, bytes base64 text.

    What JSON has no number for becomes the texts `NaN`, `Infinity` and `-Infinity`; a secret is `••••`.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _not_finite(value)
    # Loops, because a comprehension would cost a second frame for every level of nesting.
    if isinstance(value, Mapping):
        result = {}
        for key, item in value.items():
            result[str(key)] = plain(item)
        return result
    if isinstance(value, (list, tuple, set, frozenset)):
        items = []
        for item in value:
            items.append(plain(item))
        return items
    return plain_text(value)


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def plain_text(value: object) -> str:
    """What is neither a number nor holds other values."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, bytes):
        return b2a_base64(value, newline=False).decode("ascii")
    return str(value)  # decimals, and texts with secrets, which hide themselves
