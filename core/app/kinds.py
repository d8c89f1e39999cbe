"""The language's words for the types of values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from core.model.codec import SecretText


def type_word(value: object) -> str:
    """The language's word for a value's type."""
    words: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "boolean"), (int, "whole number"), (float, "number"), ((str, SecretText), "text"),
        (datetime, "date and time"), (date, "date"), (time, "time"), (timedelta, "duration"),
        (Mapping, "map"), ((list, tuple), "list"),
    )  # fmt: skip
    if value is None:
        return "null"
    return next((word for kind, word in words if isinstance(value, kind)), "value")
