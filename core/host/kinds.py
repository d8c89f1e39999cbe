"""The language's words for what values are, as the evaluator and everything that shows values says them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

WORDS: Final[Mapping[type, str]] = {
    type(None): "null", bool: "boolean", int: "whole number", float: "number", Decimal: "number", str: "text",
    datetime: "date and time", date: "date", time: "time", timedelta: "duration", bytes: "bytes", dict: "map",
    list: "list", tuple: "list",
}  # fmt: skip


def is_list(value: object) -> bool:
    """What counts as a list."""
    return isinstance(value, (list, tuple, set, frozenset))


def type_word(value: object) -> str:
    """The word for a value's type; a text with secrets in it is a text."""
    word = WORDS.get(type(value))
    if word:
        return word
    if isinstance(value, Mapping):
        return "map"
    if is_list(value):
        return "list"
    return next((word for kind, word in WORDS.items() if isinstance(value, kind)), "text")
