"""JSON text → values, of a size that an expression may hold."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from core.expressions.faults import MAX_ITEMS, Fault, too_many

_CLOSED = frozenset({str, list, dict})
_SIGNS = frozenset({"_", "$"})
_BLANKS = frozenset({"", " ", "\t", "\r", "\n"})
_TEXTS = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def parse_json(text: str) -> Any:
    """The first JSON value of a text. Raises Fault, TooLarge."""
    if len(text) > MAX_ITEMS and _signs(text) > MAX_ITEMS and _signs(_TEXTS.sub("", text)) > MAX_ITEMS:
        raise too_many("the JSON text")
    start = text.lstrip(" \t\r\n\ufeff")
    try:
        value, end = _DECODER.raw_decode(start)
    except ValueError as error:
        problem = str(error).partition(" (char")[0]
        raise _not_json(text, problem) from None
    if type(value) not in _CLOSED and not _ends(start, end, value):
        raise _not_json(text, f"`{start[end]}` behind the first value")
    return value


def _ends(text: str, end: int, value: Any) -> bool:
    """Whether a number or a word ends there, as the reference has it (`01`, `1x` and `truex` are no JSON)."""
    following = text[end : end + 1]
    if isinstance(value, bool) or value is None:
        return not (following.isalnum() or following in _SIGNS)
    return following in _BLANKS


def _not_json(text: str, problem: str) -> Fault:
    shown = text.strip()[:60]
    return Fault(f"`{shown}` is not JSON: {problem}" if shown else "an empty text is not JSON")


def _signs(text: str) -> int:
    """As many as the text has values, or more: each but the first stands behind one of these."""
    return text.count(",") + text.count("[") + text.count("{")
