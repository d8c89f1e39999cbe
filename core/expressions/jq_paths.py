"""jq programs that are no more than a path (`.a.b[0]`, `.rows[].id`), followed without jq.

Most programs of flows are. They cost nothing this way, whatever the size of the value, and numbers stay what they are:
jq itself counts in doubles.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from core.expressions.faults import within_items
from core.expressions.frame import Frame
from core.expressions.json_reader import parse_json
from core.expressions.values import is_list, text_of, to_json

_STEP = re.compile(
    r"""\.([A-Za-z_]\w*)|\."([^"\\]*)"|\.?\[\s*(?:(-?\d{1,9})|"([^"\\]*)")?\s*\]""",
    re.ASCII,
)
_EVERY = None
"""The step `[]`."""
_EXACT = frozenset({str, int, bool, type(None)})
_PER_VALUE = 200
"""Steps of the meter."""
_LARGEST = 4_000_000
"""Characters and values of what is turned into JSON without counting on the way."""


@lru_cache(maxsize=512)
def path_of(program: str) -> tuple[str | int | None, ...] | None:
    """The steps of a program that is a path, or None. `[]` is the step None."""
    program = program.strip()
    if program == ".":
        return ()
    if not program.startswith("."):
        return None
    steps: list[str | int | None] = []
    at = 0
    while at < len(program):
        match = _STEP.match(program, at)
        if match is None:
            return None
        name, quoted, index, key = match.groups()
        texts = [each for each in (name, quoted, key) if each is not None]
        steps.append(texts[0] if texts else int(index) if index else _EVERY)
        at = match.end()
    return tuple(steps)


def follow(frame: Frame, value: Any, path: tuple[str | int | None, ...]) -> list[Any] | None:
    """What is at the end of a path, as JSON has it; None where jq itself is to tell what is wrong."""
    found = [value]
    for step in path:
        following: list[Any] = []
        for each in found:
            if not _take(each, step, following):
                return None
        within_items(len(following))
        frame.spend(_PER_VALUE * len(following))
        found = following
    zone = frame.runtime.zone
    return [_as_json(frame, each, zone) for each in found]


def _take(value: Any, step: str | int | None, found: list[Any]) -> bool:
    """Add what one step finds in a value. False where that is an error."""
    if step is _EVERY:
        if isinstance(value, Mapping):
            found += [each for each in value.values() if each is not None]
        elif is_list(value):
            found += value
        else:
            return False
    elif value is None:
        found.append(None)
    elif isinstance(step, str) and isinstance(value, Mapping):
        found.append(value.get(step))
    elif isinstance(step, int) and type(value) is list:
        found.append(value[step] if -len(value) <= step < len(value) else None)
    else:
        return False
    return True


def _as_json(frame: Frame, value: Any, zone: tzinfo) -> Any:
    """A value as it would come back from JSON: without null entries, dates as texts."""
    kind = type(value)
    if kind in _EXACT:
        return value
    if isinstance(value, Mapping):
        frame.spend(_PER_VALUE * (len(value) + 1))
        return {text_of(key): _as_json(frame, each, zone) for key, each in value.items() if each is not None}
    if is_list(value):
        frame.spend(_PER_VALUE * (len(value) + 1))
        return [_as_json(frame, each, zone) for each in value]
    if isinstance(value, float) or (isinstance(value, Decimal) and value.is_finite()):
        return value if math.isfinite(value) else parse_json(to_json(value, zone))
    return value if isinstance(value, int) else parse_json(to_json(value, zone))


def json_text(frame: Frame, value: Any) -> str:
    """A value as jq reads it: as `toJson` writes it, in a fraction of the time if it is made of plain values."""
    if _is_moderate(value):
        try:
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError):
            text = ""
        if text and '":null' not in text:
            return text
    return to_json(value, frame.runtime.zone)


def _is_moderate(value: Any) -> bool:
    """Whether the JSON of a value is not too large; parts that occur many times count as often."""
    size = 0
    waiting = [value]
    while waiting and size < _LARGEST:
        each = waiting.pop()
        kind = type(each)
        if kind is dict:
            size += 8 * len(each)
            waiting += each.values()
        elif kind is list:
            size += len(each)
            waiting += each
        elif kind is str:
            size += len(each)
    return size < _LARGEST
