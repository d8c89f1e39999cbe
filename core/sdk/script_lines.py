"""What a script says: lines for the log, and whole lines `::{json}::` that carry outputs, metrics and log entries."""

from __future__ import annotations

import json
import re
import sys
from datetime import timedelta
from typing import Any, Literal

from core.errors import Invalid
from core.model.durations import parse_duration
from core.sdk.context import LEVELS, Level, RunContext

_MESSAGE = re.compile(r"::(\{.*\})::")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_KEYS = ("outputs", "metrics", "logs")
_QUOTED = 500
"""Characters of a faulty message that are repeated in the log."""

Kind = Literal["counter", "timer", "gauge"]
_KINDS = ("counter", "timer", "gauge")
_Metric = tuple[str, Kind, float | timedelta, dict[str, str]]
_LogEntry = tuple[Level, str]


class ScriptLines:
    """Takes every line of a script and passes it on at once.

    vars: the outputs the script has given so far, later ones replacing earlier ones of the same name.
    stderr_used: whether anything was written to standard error, messages included.
    """

    def __init__(self, ctx: RunContext) -> None:
        self.vars: dict[str, Any] = {}
        self.stderr_used = False
        self._ctx = ctx

    def __call__(self, stream: Literal["stdout", "stderr"], line: str) -> None:
        if stream == "stderr":
            self.stderr_used = True
        match = _MESSAGE.fullmatch(line)
        if match is not None:
            self._take(match[1])
        elif stream == "stdout":
            self._ctx.log.info(line)
        else:
            self._ctx.log.error(line)

    def _take(self, text: str) -> None:
        try:
            message = _parse(text)
        except Invalid as error:
            quoted = text if len(text) <= _QUOTED else text[:_QUOTED] + "…"
            self._ctx.log.warn(f"Invalid outputs '{quoted}': {error.what}")
            return
        outputs, metrics, logs, unknown = message
        if unknown:
            names = ", ".join(f"`{key}`" for key in unknown)
            self._ctx.log.warn(f"Ignored in a message of the script: {names} (known are {', '.join(_KEYS)})")
        self.vars.update(outputs)
        for name, kind, value, tags in metrics:
            self._ctx.metric(name, value, kind=kind, tags=tags)
        for level, line in logs:
            self._ctx.log.log(level, line)


def _parse(text: str) -> tuple[dict[str, Any], list[_Metric], list[_LogEntry], list[str]]:
    """Outputs, metrics and log entries of a message, and its keys that are none of these: a script may say more than is
    known here. Nothing of it counts when a part is faulty. Raises Invalid.
    """
    try:
        message = json.loads(text)
    except json.JSONDecodeError as error:
        raise Invalid(f"{error.msg} at column {error.colno}") from error
    except ValueError as error:  # Python reads no number of more than 4300 digits
        raise Invalid("a number in it is too long") from error
    except RecursionError as error:
        raise Invalid("it is nested too deeply") from error
    return (
        _of_type(dict, message.get("outputs"), "outputs", "a map", absent={}),
        [_metric(item) for item in _of_type(list, message.get("metrics"), "metrics", "a list", absent=[])],
        [_log_entry(item) for item in _of_type(list, message.get("logs"), "logs", "a list", absent=[])],
        [key for key in message if key not in _KEYS],
    )


def _metric(item: object) -> _Metric:
    fields = _of_type(dict, item, "metrics", "a list of maps")
    name = _of_type(str, fields.get("name"), "metrics.name", "a text")
    kind = fields.get("type")
    if kind not in _KINDS:
        raise Invalid(f"the type of the metric `{name}` is not one of {', '.join(_KINDS)}")
    tags = _of_type(dict, fields.get("tags"), "metrics.tags", "a map", absent={})
    value = _measured(name, kind, fields.get("value"))
    return name, kind, value, {key: _text(tag, "a tag of a metric") for key, tag in tags.items()}


def _measured(name: str, kind: Kind, value: object) -> float | timedelta:
    """A timer's number is seconds. What a shell script writes between quotes may be a number too."""
    if kind == "timer" and isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= sys.float_info.max:
        raise Invalid(f"the value of the metric `{name}` is not {'a duration' if kind == 'timer' else 'a number'}")
    if kind != "timer":
        return value
    try:
        return timedelta(seconds=value)
    except OverflowError as error:
        raise Invalid(f"the value of the metric `{name}` is not a duration") from error


def _text(value: object, what: str) -> str:
    if isinstance(value, (dict, list)) or value is None:
        raise Invalid(f"{what} is not a text")
    return value if isinstance(value, str) else json.dumps(value)


def _log_entry(item: object) -> _LogEntry:
    fields = _of_type(dict, item, "logs", "a list of maps")
    level = str(fields.get("level", "INFO")).upper()
    if level not in LEVELS:
        raise Invalid(f"the level of a log entry is not one of {', '.join(LEVELS)}")
    return level, _text(fields.get("message"), "`logs.message`")


def _of_type(wanted: type, value: Any, where: str, what: str, absent: Any = None) -> Any:
    """The value when it is of a type; `absent` in place of null, where there is one. Raises Invalid."""
    if value is None and absent is not None:
        return absent
    if not isinstance(value, wanted):
        raise Invalid(f"`{where}` is not {what}")
    return value
