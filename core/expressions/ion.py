"""Ion text in and out: JSON with symbols, timestamps, annotations, comments and lists in parentheses."""

from __future__ import annotations

import math
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from core.expressions.faults import MAX_ITEMS, MAX_NESTING, Fault, too_deep, too_many
from core.expressions.meter import unmetered
from core.expressions.values import (
    Budget,
    Entry,
    Float32,
    Instant,
    as_32_bits,
    date_time_text,
    int_text,
    is_list,
    text_of,
)
from core.model.durations import format_duration

_SYMBOL = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_RESERVED = frozenset({"null", "true", "false", "nan"})
_SPACE = re.compile(r"(?:\s++|//[^\n]*+|/\*.*?\*/)*+", re.DOTALL)
_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T(?:(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d))?)?(?![\w:.-])"
)
_NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|\d[\d_]*(?:\.\d[\d_]*|\.)?(?:[eEdD][+-]?\d+)?)(?![\w.])")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r?\n|.)", re.DOTALL)
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "a": "\a", "v": "\v"}
_TEXT = re.compile(r"'''(.*?)'''|\"((?:[^\"\\\n]++|\\.)*+)\"", re.DOTALL)
_QUOTED_SYMBOL = re.compile(r"'((?:[^'\\\n]++|\\.)*+)'", re.DOTALL)
_CLOSERS = {"[": "]", "(": ")"}
_CONTAINER = 8
"""What each value counts for in the limit of text, beside its own characters."""
_PER_VALUE = 4000
"""Steps of the meter."""


# -- writing ---------------------------------------------------------------------------------------------------


def write(value: Any, spend: Callable[[int], None] = unmetered) -> str:
    """One Ion value: `{a:1}`, `[1,"a"]`, `1.5e0`."""
    parts: list[str] = []
    _write(value, parts, Budget(), spend)
    return "".join(parts)


def _write(value: Any, parts: list[str], budget: Budget, spend: Callable[[int], None]) -> None:
    budget.spend(_CONTAINER)
    spend(_PER_VALUE)
    if isinstance(value, Entry):
        value = {value.key: value.value}
    if isinstance(value, Mapping):
        parts.append("{")
        for number, (key, item) in enumerate(value.items()):
            parts.append(f"{',' if number else ''}{_name(text_of(key))}:")
            budget.spend(len(parts[-1]))
            _write(item, parts, budget, spend)
        parts.append("}")
    elif is_list(value):
        parts.append("[")
        for number, item in enumerate(value):
            if number:
                parts.append(",")
            _write(item, parts, budget, spend)
        parts.append("]")
    else:
        parts.append(_scalar(value))
        budget.spend(len(parts[-1]))


def _name(key: str) -> str:
    return key if _SYMBOL.fullmatch(key) and key not in _RESERVED else "'" + _escaped(key, "'") + "'"


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int_text(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Decimal):
        text = str(value)
        return text.replace("E", "d") if "E" in text else text if "." in text else text + "."
    if isinstance(value, (bytes, bytearray)):
        return "{{" + b64encode(value).decode("ascii") + "}}"
    if isinstance(value, (date, time, timedelta)):
        return _date(value)
    return '"' + _escaped(text_of(value), '"') + '"'


def _float(value: float) -> str:
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "+inf" if value > 0 else "-inf"
    text = repr(as_32_bits(value) if isinstance(value, Float32) else value)
    return text if "e" in text else f"{text}e0"


def _date(value: date | time | timedelta) -> str:
    """Annotated texts, as the reference writes its date types; an instant is a timestamp."""
    if isinstance(value, Instant):
        moment = value.astimezone(UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    if isinstance(value, datetime):
        name = "ZonedDateTime" if value.tzinfo else "LocalDateTime"
        text = value.isoformat().replace("+00:00", "Z")
        region = getattr(value.tzinfo, "key", None)
        return f'{name}::"{text}{f"[{region}]" if region else ""}"'
    if isinstance(value, date):
        return f'LocalDate::"{value.isoformat()}"'
    if isinstance(value, time):
        return f'LocalTime::"{date_time_text(value)}"'
    return f'Duration::"{format_duration(value)}"'


def _escaped(text: str, quote: str) -> str:
    text = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
    for letter, char in _PLAIN_ESCAPES.items():
        if char in text:
            text = text.replace(char, "\\" + letter)
    return "".join(char if char >= " " else f"\\x{ord(char):02x}" for char in text)


# -- reading ---------------------------------------------------------------------------------------------------


def read(text: str, spend: Callable[[int], None] = unmetered, most: int | None = None) -> list[Any]:
    """The values of an Ion text, at most `most` of them; annotations are dropped. Raises Fault, TooLarge.

    spend: told of the work that was done.
    """
    reader = _Reader(text, spend)
    values: list[Any] = []
    while not reader.at_end() and (most is None or len(values) < most):
        values.append(reader.value())
    return values


class _Reader:
    def __init__(self, text: str, spend: Callable[[int], None]) -> None:
        self._text = text
        self._spend = spend
        self._count = 0
        self._at = 0
        self._depth = 0

    def at_end(self) -> bool:
        self._skip_space()
        return self._at >= len(self._text)

    def value(self) -> Any:
        self._spend(_PER_VALUE)
        self._count += 1
        if self._count > MAX_ITEMS:
            raise too_many("the Ion text")
        self._skip_space()
        while (annotation := self._annotation()) is not None:
            self._at = annotation
            self._skip_space()
        char = self._text[self._at : self._at + 1]
        if self._text.startswith("{{", self._at):
            return self._blob()
        if char == "{":
            return self._nested(self._struct)
        if char in _CLOSERS:
            return self._nested(lambda: self._sequence(_CLOSERS[char]))
        if char == '"' or self._text.startswith("'''", self._at):
            return self._string()
        return self._plain()

    def _nested(self, read: Any) -> Any:
        self._depth += 1
        if self._depth > 5 * MAX_NESTING:
            raise too_deep()
        result = read()
        self._depth -= 1
        return result

    def _skip_space(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _fault(self, expected: str) -> Fault:
        line = self._text.count("\n", 0, self._at) + 1
        column = self._at - self._text.rfind("\n", 0, self._at)
        return Fault(f"the text is not Ion at line {line}, column {column}", expected=expected)

    def _symbol(self) -> tuple[str, int] | None:
        """A symbol at this place and where it ends."""
        if match := _SYMBOL.match(self._text, self._at):
            return match.group(), match.end()
        if not self._text.startswith("'''", self._at) and (match := _QUOTED_SYMBOL.match(self._text, self._at)):
            return _unescaped(match.group(1)), match.end()
        return None

    def _annotation(self) -> int | None:
        """Where the annotation at this place ends, if there is one."""
        symbol = self._symbol()
        if symbol is None:
            return None
        space = _SPACE.match(self._text, symbol[1])
        end = space.end() if space else symbol[1]
        return end + 2 if self._text.startswith("::", end) else None

    def _string(self) -> str:
        parts: list[str] = []
        while match := _TEXT.match(self._text, self._at):
            long = match.group(1) is not None
            parts.append(_unescaped(match.group(1) if long else match.group(2)))
            self._at = match.end()
            if not long:
                break
            space = _SPACE.match(self._text, self._at)
            if space is None or not self._text.startswith("'''", space.end()):
                break
            self._at = space.end()
        if not parts:
            raise self._fault("a closing quote")
        return "".join(parts)

    def _struct(self) -> dict[str, Any]:
        self._at += 1
        entries: dict[str, Any] = {}
        while not self._closed("}", bool(entries)):
            if self._text[self._at : self._at + 1] == '"' or self._text.startswith("'''", self._at):
                name = self._string()
            else:
                symbol = self._symbol()
                if symbol is None:
                    raise self._fault("the name of a field")
                name, self._at = symbol
            self._skip_space()
            if not self._text.startswith(":", self._at):
                raise self._fault("`:`")
            self._at += 1
            entries[name] = self.value()
        return entries

    def _sequence(self, close: str) -> list[Any]:
        self._at += 1
        items: list[Any] = []
        while not self._closed(close, bool(items)):
            items.append(self.value())
        return items

    def _closed(self, close: str, more: bool) -> bool:
        self._skip_space()
        if more and close != ")" and self._text.startswith(",", self._at):
            self._at += 1
            self._skip_space()
            more = False
        if self._text.startswith(close, self._at):
            self._at += 1
            return True
        if (more and close != ")") or self._at >= len(self._text):
            raise self._fault(f"`,` or `{close}`")
        return False

    def _blob(self) -> bytes:
        end = self._text.find("}}", self._at)
        try:
            if end < 0:
                raise self._fault("`}}`")
            data = b64decode(self._text[self._at + 2 : end])
        except (Base64Error, ValueError):
            raise self._fault("base64") from None
        self._at = end + 2
        return data

    def _plain(self) -> Any:
        """Timestamps, numbers, constants and symbols."""
        text = self._text
        if (match := _TIME.match(text, self._at)) and ("-" in match.group() or "T" in match.group()):
            self._at = match.end()
            return self._timestamp(match)
        if match := _NUMBER.match(text, self._at):
            self._at = match.end()
            return _number(match.group().replace("_", ""))
        for word in ("+inf", "-inf"):
            if text.startswith(word, self._at):
                self._at += len(word)
                return float(word)
        symbol = self._symbol()
        if symbol is None:
            raise self._fault("a value")
        quoted = text.startswith("'", self._at)
        name, self._at = symbol
        if quoted:
            return name
        if name == "null":
            kind = re.compile(r"\.[a-z]+").match(text, self._at)
            self._at = kind.end() if kind else self._at
        return {"null": None, "true": True, "false": False, "nan": math.nan}.get(name, name)

    def _timestamp(self, match: re.Match[str]) -> datetime | date:
        year, month, day, hour, minute, second, fraction, zone = match.groups()
        try:
            if hour is None:
                return date(int(year), int(month or 1), int(day or 1))
            micros = int((fraction or "0").ljust(6, "0")[:6])
            offset = UTC if zone == "Z" else datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").tzinfo
            moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micros, offset)
            utc = moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise self._fault("a timestamp that exists") from None
        return Instant(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, UTC)


def _number(text: str) -> Any:
    bare = text.lstrip("-")
    if bare[:2].lower() in ("0x", "0b"):
        value = int(bare, 0)
        return -value if text.startswith("-") else value
    if "d" in text or "D" in text:
        return Decimal(text.replace("d", "E").replace("D", "E"))
    if "e" in text or "E" in text:
        return float(text)
    if "." in text:
        return float(text)
    if len(text) > 3000:
        raise Fault("a number in the Ion text has more than 3,000 digits")
    return int(text)


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = match.group(1)
        if code[0] in "xuU" and len(code) > 1:
            point = int(code[1:], 16)
            return chr(point) if point < 0x110000 else "\ufffd"
        if code in ("\n", "\r\n"):
            return ""
        return _PLAIN_ESCAPES.get(code, code)

    return _ESCAPE.sub(one, text) if "\\" in text else text
