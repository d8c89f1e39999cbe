"""Recorded values as JSON."""

from __future__ import annotations

import json
import math
from binascii import b2a_base64
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from core.sdk import TooLarge, format_duration


def json_bytes(value: Any) -> bytes:
    """A value as JSON, as `--json` of the command line shows it. Raises TooLarge for endless nesting."""
    try:
        try:
            return _QUICK.encode(value).encode()
        except ValueError:  # half of a pair of UTF-16, which needs an escape, or a number that JSON does not have
            return _ESCAPED.encode(plain(value)).encode()
    except RecursionError as error:
        raise TooLarge("the value is nested too deeply to be shown") from error


def plain(value: Any) -> Any:
    """Dates, times and durations become ISO 8601 text, decimals text, bytes base64 text.

    What JSON has no number for becomes the texts `NaN`, `Infinity` and `-Infinity`; a secret is `••••`.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _not_finite(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return _text(value)


def _other(value: object) -> Any:
    """What `json` itself does not know."""
    return plain(value) if isinstance(value, (Mapping, set, frozenset)) else _text(value)


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _text(value: object) -> str:
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, bytes):
        return b2a_base64(value, newline=False).decode("ascii")
    return str(value)  # decimals, and texts with secrets, which hide themselves


_QUICK = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_other)
_ESCAPED = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_other)
