"""YAML text → values, as the reference's reader (Jackson, YAML 1.1) takes them.

`yes` and `on` are true, `010` is 8, `1_000` is 1000; dates, `1:30` and aliases stay texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from core.expressions.faults import MAX_ITEMS, MAX_NESTING, Fault, too_many
from core.expressions.meter import unmetered

_WHOLE = re.compile(r"[-+]?\d[\d_]*")
_DECIMAL = re.compile(r"[-+]?(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][-+]?\d+)?|[-+]?\d[\d_]*\.(?:[eE][-+]?\d+)?")
_TRUE = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
_FALSE = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_FLOATS = {
    ".inf": float("inf"), ".Inf": float("inf"), ".INF": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"),
    ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
}  # fmt: skip


_PER_VALUE = 4000
"""Steps of the meter."""


def read(text: str, spend: Callable[[int], None] = unmetered) -> Any:
    """The first document. spend: told of the work that was done. Raises Fault, TooLarge."""
    from ruamel.yaml import YAML  # noqa: PLC0415 (heavy)
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    reader = YAML(typ="safe")
    reader.version = (1, 1)
    try:
        return _Builder(iter(reader.parse(text)), spend).document()
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it can't be read"
        raise Fault(f"the text is not YAML{place}: {problem}") from None


class _Builder:
    """Makes a value of the parser's events."""

    def __init__(self, events: Any, spend: Callable[[int], None]) -> None:
        self._events = events
        self._spend = spend
        self._depth = 0
        self._count = 0

    def document(self) -> Any:
        for event in self._events:
            name = type(event).__name__
            if name not in ("StreamStartEvent", "DocumentStartEvent"):
                if name == "StreamEndEvent":
                    break
                return self._value(event)
        raise Fault("an empty text is not YAML")

    def _value(self, event: Any) -> Any:
        self._spend(_PER_VALUE)
        self._count += 1
        if self._count > MAX_ITEMS:
            raise too_many("the YAML text")
        name = type(event).__name__
        if name == "ScalarEvent":
            return _scalar(event.value, event.implicit[0], event.tag)
        if name == "AliasEvent":
            return event.anchor
        self._depth += 1
        if self._depth > 10 * MAX_NESTING:
            raise Fault("the YAML text is nested too deeply")
        result = self._list() if name == "SequenceStartEvent" else self._map()
        self._depth -= 1
        return result

    def _list(self) -> list[Any]:
        items: list[Any] = []
        for event in self._events:
            if type(event).__name__ == "SequenceEndEvent":
                break
            items.append(self._value(event))
        return items

    def _map(self) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        for event in self._events:
            name = type(event).__name__
            if name == "MappingEndEvent":
                break
            if name != "ScalarEvent":
                raise Fault("the key of a map in the YAML text is no text")
            entries[event.value] = self._value(next(self._events))
        return entries


def _scalar(text: str, plain: bool, tag: str | None) -> Any:
    if tag == "tag:yaml.org,2002:str" or not plain:
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text in _FLOATS:
        return _FLOATS[text]
    return _number(text)


def _number(text: str) -> Any:
    digits = text.replace("_", "")
    sign = -1 if digits.startswith("-") else 1
    bare = digits.lstrip("+-")
    try:
        if _WHOLE.fullmatch(text):
            octal = len(bare) > 1 and bare[0] == "0"
            return sign * int(bare, 8 if octal else 10)
        if re.fullmatch(r"0x[0-9a-fA-F]+", bare) or re.fullmatch(r"0b[01]+", bare):
            return sign * int(bare, 0)
        if _DECIMAL.fullmatch(text):
            return float(digits)
    except ValueError:
        return text
    return text
