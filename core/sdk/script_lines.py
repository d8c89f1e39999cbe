"""What a script says: lines for the log, and whole lines `::{json}::` that carry outputs, metrics and log entries."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from attrs import frozen

from core.errors import Invalid
from core.model.durations import parse_duration
from core.sdk.context import LEVELS, Level, RunContext

_MESSAGE = re.compile(r"::(\{.*\})::")
_KEYS = ("outputs", "metrics", "logs")
_QUOTED = 500
"""Characters of a faulty message that are repeated in the log."""

Kind = Literal["counter", "timer", "gauge"]
_KINDS = ("counter", "timer", "gauge")


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
        self.vars.update(message.outputs)
        for metric in message.metrics:
            self._ctx.metric(metric.name, metric.value, kind=metric.kind, tags=metric.tags)
        for level, line in message.logs:
            self._ctx.log.log(level, line)


@frozen
class _Metric:
    name: str
    kind: Kind
    value: float | timedelta
    tags: Mapping[str, str]


@frozen
class _Message:
    outputs: Mapping[str, Any]
    metrics: Sequence[_Metric]
    logs: Sequence[tuple[Level, str]]


def _parse(text: str) -> _Message:
    """A message as a whole: nothing of it counts when a part can't be read. Raises Invalid."""
    try:
        message = json.loads(text)
    except json.JSONDecodeError as error:
        raise Invalid(f"{error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise Invalid("it is nested too deeply") from error
    for key in message:
        if key not in _KEYS:
            raise Invalid(f"`{key}` is not one of {', '.join(_KEYS)}")
    return _Message(
        outputs=_of_type(dict, message.get("outputs"), "outputs", "a map", absent={}),
        metrics=[_metric(item) for item in _of_type(list, message.get("metrics"), "metrics", "a list", absent=[])],
        logs=[_log_entry(item) for item in _of_type(list, message.get("logs"), "logs", "a list", absent=[])],
    )


def _metric(item: object) -> _Metric:
    fields = _of_type(dict, item, "metrics", "a list of maps")
    name = _of_type(str, fields.get("name"), "metrics.name", "a text")
    kind = fields.get("type")
    if kind not in _KINDS:
        raise Invalid(f"the type of the metric `{name}` is not one of {', '.join(_KINDS)}")
    tags = _of_type(dict, fields.get("tags"), "metrics.tags", "a map", absent={})
    value = _measured(name, kind, fields.get("value"))
    return _Metric(name, kind, value, {key: _tag(tag) for key, tag in tags.items()})


def _measured(name: str, kind: Kind, value: object) -> float | timedelta:
    """A timer's number is seconds."""
    if kind == "timer" and isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Invalid(f"the value of the metric `{name}` is not {'a duration' if kind == 'timer' else 'a number'}")
    if kind != "timer":
        return value
    try:
        return timedelta(seconds=value)
    except OverflowError as error:
        raise Invalid(f"the value of the metric `{name}` is not a duration") from error


def _tag(value: object) -> str:
    if isinstance(value, (dict, list)) or value is None:
        raise Invalid("a tag of a metric is not a text")
    return value if isinstance(value, str) else json.dumps(value)


def _log_entry(item: object) -> tuple[Level, str]:
    fields = _of_type(dict, item, "logs", "a list of maps")
    level = str(fields.get("level", "INFO")).upper()
    if level not in LEVELS:
        raise Invalid(f"the level of a log entry is not one of {', '.join(LEVELS)}")
    return level, _of_type(str, fields.get("message"), "logs.message", "a text")


def _of_type(wanted: type, value: Any, where: str, what: str, absent: Any = None) -> Any:
    """The value when it is of a type; `absent` in place of null, where there is one. Raises Invalid."""
    if value is None and absent is not None:
        return absent
    if not isinstance(value, wanted):
        raise Invalid(f"`{where}` is not {what}")
    return value
