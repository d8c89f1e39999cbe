"""Values → YAML text, with as few quotes as the reference's writer (Jackson, MINIMIZE_QUOTES) uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, tzinfo
from typing import Any

from core.expressions.values import Budget, date_time_text, is_list, json_scalar, text_of

_RESERVED = frozenset({
    "true", "True", "TRUE", "false", "False", "FALSE", "null", "Null", "NULL", "~",
    "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "y", "Y", "n", "N",
})  # fmt: skip
_DOUBLE_QUOTED = re.compile(r": |:$|,| #|^[#\[{]|[\t\x00-\x08\x0b\x0c\x0e-\x1f\x7f\r\ufeff]", re.MULTILINE)
_SINGLE_QUOTED = re.compile(r"""^[->|&@*!%`?'"]|^ | $""")
_PLAIN_START = re.compile(r"^[-?][^\s]")
_LEADING_ZERO = re.compile(r"^0\d+$")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\0": "\\0"}


def write(value: Any, zone: tzinfo) -> str:
    """A YAML document, ending in a line break; `null` alone has none."""
    if value is None:
        return "null"
    lines = _Lines()
    if isinstance(value, Mapping) and len(value):
        _map(value, 0, lines, zone)
    elif is_list(value) and len(value):
        _list(value, 1, lines, zone)
    elif value == "":
        lines.append('--- ""')
    else:
        lines.append(_scalar(value, 2, zone))
    return "\n".join(lines) + "\n"


class _Lines(list[str]):
    """Lines that stop when they become too many."""

    def __init__(self) -> None:
        super().__init__()
        self._budget = Budget()

    def append(self, line: str) -> None:
        self._budget.spend(len(line) + 1)
        super().append(line)


def _map(value: Mapping[Any, Any], indent: int, lines: list[str], zone: tzinfo) -> None:
    margin = " " * indent
    for key, item in value.items():
        name = f"{margin}{_key(key)}:"
        if isinstance(item, Mapping) and len(item):
            lines.append(name)
            _map(item, indent + 2, lines, zone)
        elif is_list(item) and len(item):
            lines.append(name)
            _list(item, indent + 1, lines, zone)
        else:
            lines.append(f"{name} {_scalar(item, indent + 2, zone)}")


def _list(value: Any, indent: int, lines: list[str], zone: tzinfo) -> None:
    margin = " " * indent
    for item in value:
        if isinstance(item, Mapping) and len(item):
            lines.append(f"{margin}-")
            _map(item, indent + 1, lines, zone)
        elif is_list(item) and len(item):
            lines.append(f"{margin}-")
            _list(item, indent + 2, lines, zone)
        else:
            lines.append(f"{margin}- {_scalar(item, indent + 1, zone)}")


def _key(key: Any) -> str:
    text = key if isinstance(key, str) else text_of(key)
    if "\n" in text:
        return _double(text)
    # A key that looks like a number would not come back as a text.
    return f'"{text}"' if text.isdigit() else _text(text, 0)


def _scalar(value: Any, indent: int, zone: tzinfo) -> str:
    """indent: of the lines of a block."""
    if isinstance(value, str):
        return _text(value, indent)
    if isinstance(value, Mapping):
        return "{}"
    if is_list(value):
        return "[]"
    if isinstance(value, (datetime, date, time)):
        return _date(value)
    text = json_scalar(value, zone)
    return _text(text_of(value), indent) if text.startswith('"') else text


def _date(value: date | time) -> str:
    """Dates keep their own offset here, and always have seconds."""
    if not isinstance(value, datetime):
        return value.isoformat()
    text = date_time_text(value).partition("[")[0]
    return text if value.second or value.microsecond or text.count(":") > 2 else _with_seconds(text)


def _with_seconds(text: str) -> str:
    day, _, rest = text.partition("T")
    return text if rest[5:6] == ":" else f"{day}T{rest[:5]}:00{rest[5:]}"


def _text(text: str, indent: int) -> str:
    if "\n" in text:
        return _block(text, indent)
    if text == "" or text in _RESERVED or _DOUBLE_QUOTED.search(text):
        return _double(text)
    if _LEADING_ZERO.match(text) or (_SINGLE_QUOTED.search(text) and not _PLAIN_START.match(text)):
        return "'" + text.replace("'", "''") + "'"
    return "'-'" if text == "-" else text


def _double(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(char, char if char >= " " else f"\\x{ord(char):02X}") for char in text) + '"'


def _block(text: str, indent: int) -> str:
    """`|-`, `|` or `|+`, the lines below it; a number when the first line would hide the indentation."""
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    sign = "-" if ends == 0 else "" if ends == 1 and body else "+"
    width = str(indent) if text[:1] in (" ", "\n") else ""
    margin = " " * indent
    lines = text.split("\n")
    if ends:
        lines.pop()
    shown = [margin + line if line else "" for line in lines]
    return "\n".join([f"|{width}{sign}", *shown])
