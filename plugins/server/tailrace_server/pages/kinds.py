"""Words for what values are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

WORDS: Final[Mapping[type, str]] = {
    type(None): "null", bool: "boolean", int: "whole number", float: "number", Decimal: "number", str: "text",
    datetime: "date and time", date: "date", time: "time", timedelta: "duration", bytes: "bytes", dict: "map",
    list: "list", tuple: "list",
}  # fmt: skip
NUMBERS: Final = frozenset({"whole number", "number"})


def is_list(value: object) -> bool:
    """What is shown as a list."""
    return isinstance(value, (list, tuple, set, frozenset))


def type_word(value: Any) -> str:
    """The language's word for a value's type, as the evaluator says it."""
    word = WORDS.get(type(value))
    if word:
        return word
    if isinstance(value, Mapping):
        return "map"
    return "list" if is_list(value) else "text"


def counted(number: int) -> str:
    """`1 200`."""
    return f"{number:,}".replace(",", "\u202f")
