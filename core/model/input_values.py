"""Values of the input types: from what was given to a typed value, and the constraints on it.

Types, constraints and the wording of messages are those of the reference (its FlowInputOutput), with one rule of
ours: a boolean is `true` or `false`, where the reference takes every other text for false.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from core.errors import Invalid
from core.model.durations import format_duration, parse_duration

ParseYaml = Callable[[str], Any]
NO_ENCRYPTION = "Unable to use a `SECRET` input/output as encryption is not configured"

_WHOLE = r"[-+]?[0-9]{1,10}"
_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)[0-9]{0,3}"
_DATETIME = (
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)[0-9]{0,3}(Z|[-+][0-9]{2}:[0-9]{2})"
)
_URI = r"[a-z]+://(?:www\.)?[-a-zA-Z0-9@:%._+~#=]{1,256}\.[a-zA-Z0-9()]{1,6}\b[-a-zA-Z0-9()@:%_+.~#?&/=]*"
_EMAIL = r"|[a-zA-Z0-9_!#$%&’*+/=?`{|}~^.-]+@[a-zA-Z0-9.-]+"
_SHOWN = 200


class Refused(Exception):
    """A value is not of the type; its text says why, in the words of the reference."""


def typed(kind: str, value: Any, item_type: object, parse_yaml: ParseYaml | None) -> Any:
    """A value (not null) as one of INPUT_TYPES. Raises Refused.

    item_type: of the elements of a list; without it those of an ARRAY stay as they are.
    """
    try:
        if kind == "YAML":
            return parse_yaml(value) if parse_yaml is not None and isinstance(value, str) else value
        if kind in _LISTS:
            return _list(value, item_type or _LISTS[kind], parse_yaml)
        return _READERS[kind](value)
    except (ValueError, OverflowError, Invalid) as error:
        why = error.what if isinstance(error, Invalid) else str(error)
        raise Refused(f"Expected `{kind}` but received `{shown(value)}` with errors: {why}") from None


def violations(kind: str, value: Any, options: Mapping[str, Any], *, required: bool) -> list[str]:
    """Every constraint of a declaration that a typed value violates."""
    return [
        *_out_of_bounds(kind, value, options),
        *_not_among_values(kind, value, options, required=required),
        *_not_matching(kind, value, options),
    ]


def shown(value: object) -> str:
    """A value in a message: texts as they are, the rest as JSON, long ones cut."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _bound(limit: object, written: object) -> str:
    """A bound in a message, as it was written; a time without its seconds when they are zero, as the reference does."""
    if isinstance(limit, time) and not limit.second and not limit.microsecond:
        return limit.isoformat("minutes")
    return shown(written)


def _out_of_bounds(kind: str, value: Any, options: Mapping[str, Any]) -> list[str]:
    it = "It" if kind == "DURATION" else "it"
    found = []
    for name, words in _BOUNDS.items():
        bound = options.get(name)
        if bound is None:
            continue
        limit = _READERS[kind](bound)
        if value < limit if name in ("min", "after") else value > limit:
            found.append(f"{it} must be {words} `{_bound(limit, bound)}`")
    return found


def _not_among_values(kind: str, value: Any, options: Mapping[str, Any], *, required: bool) -> list[str]:
    if kind not in ("ENUM", "SELECT", "MULTISELECT") or options.get("allowCustomValue"):
        return []
    if kind != "MULTISELECT" and not required:
        return []
    values = options.get("values") or options.get("options") or []
    allowed = [_text(item) for item in values]
    if all(_text(item) in allowed for item in (value if kind == "MULTISELECT" else [value])):
        return []
    return [f"it must match the values `[{', '.join(allowed)}]`"]


def _not_matching(kind: str, value: Any, options: Mapping[str, Any]) -> list[str]:
    if kind == "EMAIL" and not re.fullmatch(_EMAIL, value):
        return ["The input must be a valid email"]
    pattern = options.get("validator")
    if kind in ("STRING", "SECRET") and pattern is not None:
        matches = re.fullmatch(options.get("pattern", pattern), value)
        return [] if matches else [f"it must match the pattern `{pattern}`"]
    endings = options.get("allowedFileExtensions") if kind == "FILE" else None
    if endings and not value.lower().endswith(tuple(ending.lower() for ending in endings)):
        return [f"File type not allowed. Accepted extensions: {', '.join(endings)}"]
    return []


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return _moment(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise ValueError("it is not a text")


def _moment(value: datetime) -> str:
    """A point in time as expressions write it (the reference's Instant): in UTC, no more of a second than it has."""
    micros = value.microsecond
    precision = "seconds" if not micros else "microseconds" if micros % 1000 else "milliseconds"
    return value.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _int(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(_WHOLE, value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("it is not a whole number")
    if not -(2**31) <= value < 2**31:
        raise ValueError("it does not fit into 32 bits")
    return value


def _float(value: Any) -> float:
    if isinstance(value, str) and re.fullmatch(_NUMBER, value):
        return float(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError("it is not a number")
    return float(value)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):  # as the reference reads it; who gives an input is warned
        return value.lower() == "true"
    raise ValueError("it is neither true nor false")


def _datetime(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    match = re.fullmatch(_DATETIME, value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("it is not a date and time with a zone, such as 2024-02-29T10:00:00Z")
    return datetime.fromisoformat(match.group(1) + match.group(2)).astimezone(UTC)


def _date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not re.fullmatch(_DATE, value):
        raise ValueError("it is not a date, such as 2024-02-29")
    return date.fromisoformat(value)


def _time(value: Any) -> time:
    if isinstance(value, time):
        return value
    match = re.fullmatch(_TIME, value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("it is not a time, such as 10:00:00")
    return time.fromisoformat(match.group(1))


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError("it is not a duration, such as PT1H30M")
    return parse_duration(value)


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON, {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"it is not JSON, which has no {name}")


def _uri(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_URI, value):
        raise Refused(f"Expected `URI` but received `{shown(value)}`")
    return value


def _file(value: Any) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("it is neither a URI nor the path of a file")
    return value


def _list(value: Any, item_type: object, parse_yaml: ParseYaml | None) -> list[Any]:
    items = _json(value)
    if not isinstance(items, (list, tuple)):
        raise ValueError("it is neither a list nor the JSON text of one")
    if not item_type:
        return list(items)
    result = []
    for item in items:
        try:
            result.append(typed(str(item_type), item, None, parse_yaml))
        except Refused:
            raise Refused(f"Unable to parse array element as `{item_type}` on `{shown(item)}`") from None
    return result


_LISTS = {"ARRAY": "", "MULTISELECT": "STRING"}
_BOUNDS = {"min": "more than", "after": "after", "max": "less than", "before": "before"}
_READERS: dict[str, Callable[[Any], Any]] = {
    "STRING": _text, "SELECT": _text, "ENUM": _text, "EMAIL": _text, "SECRET": _text, "INT": _int, "FLOAT": _float,
    "BOOLEAN": _bool, "BOOL": _bool, "DATETIME": _datetime, "DATE": _date, "TIME": _time, "DURATION": _duration,
    "JSON": _json, "URI": _uri, "FILE": _file,
}  # fmt: skip
