"""Strict conversion of single values. Nothing is guessed: what is not clearly meant is refused with a message.

Every function has the shape of a converter (value, context); single values need no context.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from core.errors import Invalid
from core.model.durations import format_duration, parse_duration
from core.registry.problem import mismatch

T = TypeVar("T")
_WHOLE = r"[+-]?[0-9]{1,4000}"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"

BOOLEAN = ("true or false",)
WHOLE = ("a whole number", "such as 5")
NUMBER = ("a number", "such as 1.5")
TEXT = ("a text",)
DURATION = ("a duration", "such as PT30S, PT1H30M or P1D")
DATETIME = ("a date with a time", "such as 2024-02-29T10:00:00Z")
DATE = ("a date", "such as 2024-02-29")
TIME = ("a time", "such as 10:00:00")
PATH = ("a path", "such as data/report.csv")
LIST = ("a list", "or the JSON text of one")
MAP = ("a map", "or the JSON text of one")


def to_bool(value: Any, context: object = None) -> bool:
    """True and false, also as the texts `true` and `false`; no other text, no number."""
    if value is True or value is False:
        return value
    if isinstance(value, str) and value.strip() in ("true", "false"):
        return value.strip() == "true"
    raise mismatch(value, *BOOLEAN)


def to_int(value: Any, context: object = None) -> int:
    """Whole numbers and their texts; not 5.7, not 5.0, not true."""
    if type(value) is int:
        return value
    if isinstance(value, str) and re.fullmatch(_WHOLE, value.strip()):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise mismatch(value, *WHOLE)


def to_float(value: Any, context: object = None) -> float:
    """Numbers and their texts; not true."""
    if type(value) is float:
        return value
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:  # a whole number of more than 308 digits
            raise mismatch(value, *NUMBER) from None
    if isinstance(value, str) and re.fullmatch(_NUMBER, value.strip()):
        return float(value)
    raise mismatch(value, *NUMBER)


def to_text(value: Any, context: object = None) -> str:
    """Texts; numbers, booleans, dates and durations as JSON and ISO 8601 write them; not maps, lists or null."""
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, Decimal)):
        return str(value)
    if isinstance(value, float):
        return json.dumps(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Path):
        return str(value)
    raise mismatch(value, *TEXT)


def to_duration(value: Any, context: object = None) -> timedelta:
    """ISO 8601 texts."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise mismatch(value, *DURATION)
    try:
        return parse_duration(value)
    except (Invalid, OverflowError):
        raise mismatch(value, *DURATION) from None


def to_datetime(value: Any, context: object = None) -> datetime:
    """ISO 8601 texts that have a time."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or len(value.strip()) < len("2024-02-29T10:00"):
        raise mismatch(value, *DATETIME)
    return _from_iso(datetime.fromisoformat, value, DATETIME)


def to_date(value: Any, context: object = None) -> date:
    """ISO 8601 texts without a time."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return _from_iso(date.fromisoformat, value, DATE)


def to_time(value: Any, context: object = None) -> time:
    """ISO 8601 texts of a time of day."""
    return value if isinstance(value, time) else _from_iso(time.fromisoformat, value, TIME)


def to_path(value: Any, context: object = None) -> Path:
    """Texts that are not empty."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise mismatch(value, *PATH)
    return Path(value)


def to_list(value: Any) -> list[Any] | tuple[Any, ...]:
    """Lists as they are, and the JSON text of a list."""
    if isinstance(value, (list, tuple)):
        return value
    found = _from_json(value, "[")
    if not isinstance(found, list):
        raise mismatch(value, *LIST)
    return found


def to_map(value: Any) -> Mapping[Any, Any]:
    """Maps as they are, and the JSON text of a map."""
    if type(value) is dict or isinstance(value, Mapping):
        return value
    found = _from_json(value, "{")
    if not isinstance(found, dict):
        raise mismatch(value, *MAP)
    return found


def _from_iso(read: Callable[[str], T], value: Any, expected: tuple[str, ...]) -> T:
    if isinstance(value, str):
        try:
            return read(value.strip())
        except ValueError:
            pass
    raise mismatch(value, *expected)


def _from_json(value: Any, opening: str) -> Any:
    if isinstance(value, str) and value.lstrip().startswith(opening):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            pass
    return None


SCALARS: dict[type, tuple[Callable[[Any, object], Any], tuple[str, ...]]] = {
    bool: (to_bool, BOOLEAN),
    int: (to_int, WHOLE),
    float: (to_float, NUMBER),
    str: (to_text, TEXT),
    timedelta: (to_duration, DURATION),
    datetime: (to_datetime, DATETIME),
    date: (to_date, DATE),
    time: (to_time, TIME),
    Path: (to_path, PATH),
}
"""Python type → its conversion, and what is expected: in words, with an example."""
