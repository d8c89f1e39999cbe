"""What values are to the language: their kinds, their text, their JSON, their equality and truth.

Python types stand for the reference's: int for a 64-bit Long, float for Double, datetime with a zone for
ZonedDateTime, without one for LocalDateTime, timedelta for Duration, Decimal for BigDecimal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from json.encoder import encode_basestring
from struct import pack, unpack
from typing import Any

from core.errors import TooLarge
from core.expressions.faults import MAX_TEXT, Fault, within_limit
from core.model.durations import format_duration

_LISTS = frozenset({list, tuple})
_SCALARS = frozenset({str, int, float, bool, type(None)})
"""Types that are told by one look: asking abstract classes (Mapping, Sequence) costs ten times as much."""
_CONTAINER = 32
"""What a list or map counts for in the limit of text, so that empty ones inside of one another have an end, too."""


class Instant(datetime):
    """A point in time that prints as the reference's Instant does: in UTC, with seconds (`2024-02-29T10:00:00Z`)."""

    __slots__ = ()


class Float32(float):
    """A decimal number of 32 bits: the double that is written with the same digits (`0.1`, not 0.10000000149)."""

    __slots__ = ()


class BigWhole(int):
    """A whole number that was asked for as a BigInteger, whatever its size."""

    __slots__ = ()


def float32(value: float) -> Float32:
    """A number rounded to 32 bits."""
    exact = as_32_bits(value)
    digits = 1
    while digits < 9 and as_32_bits(float(f"{exact:.{digits}g}")) != exact:
        digits += 1
    return Float32(f"{exact:.{digits}g}")


def as_32_bits(value: float) -> float:
    """The exact value of a number rounded to 32 bits, infinite when it is too large for them."""
    try:
        rounded: float = unpack("f", pack("f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


class Entry:
    """One pair of a map, as loops over maps and `entrySet()` give it."""

    __slots__ = ("key", "value")

    def __init__(self, key: Any, value: Any) -> None:
        self.key = key
        self.value = value


def is_list(value: object) -> bool:
    """Lists, tuples and sets; lazy sequences too. Not texts and bytes."""
    kind = type(value)
    if kind in _LISTS:
        return True
    if kind in _SCALARS or kind is dict:
        return False
    return isinstance(value, (Sequence, Set)) and not isinstance(value, (str, bytes, bytearray, memoryview))


def is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def kind_of(value: object) -> str:
    """What a value is, in the words of messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, int):
        return "a whole number"
    if isinstance(value, (float, Decimal)):
        return "a decimal number"
    if isinstance(value, Mapping):
        return "a map"
    if is_list(value):
        return "a list"
    if isinstance(value, (date, time)):
        return "a date"
    if isinstance(value, timedelta):
        return "a duration"
    if isinstance(value, Entry):
        return "a map entry"
    return "bytes" if isinstance(value, (bytes, bytearray)) else "a value"


def key_of(value: Any) -> Any:
    """A value as the key of a map; lists and maps are keys by their text."""
    return text_of(value) if isinstance(value, Mapping) or is_list(value) else value


def is_empty(value: object) -> bool:
    """Null, a blank text, an empty list or map. Not 0 and not false."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or ((isinstance(value, Mapping) or is_list(value)) and len(value) == 0)  # type: ignore[arg-type]


def truth(value: object, what: str) -> bool:
    """The truth of a condition or operand. Raises Fault for null and for what is neither boolean, number nor text."""
    if value is True or value is False:
        return value
    if isinstance(value, str):
        return value != ""
    if is_number(value):
        return value != 0
    hint = "compare it: `x is not empty`, `x is defined`, `x == …`"
    raise Fault(f"{what} is {kind_of(value)}", expected="a boolean, a number or a text", hint=hint)


class Budget:
    """Counts what was written, so that what would be too much stops early."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_TEXT

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            within_limit(MAX_TEXT + 1)


# -- text ------------------------------------------------------------------------------------------------------


def printed(value: object, zone: tzinfo) -> str:
    """What `{{ value }}` gives: nothing for null, JSON for lists and maps, else the value's text."""
    if type(value) in _SCALARS:
        return "" if value is None else _scalar_text(value)
    if isinstance(value, Mapping) or is_list(value):
        return to_json(value, zone)
    return text_of(value)


def text_of(value: object) -> str:
    """The text of a value inside of other text: lists and maps as the reference's `toString` (`[1, a]`, `{a=1}`)."""
    if type(value) not in _SCALARS and (isinstance(value, (Mapping, Entry)) or is_list(value)):
        parts: list[str] = []
        _write_text(value, parts, Budget())
        return "".join(parts)
    return _scalar_text(value)


def _scalar_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int_text(value)
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, Decimal):
        within_limit(abs(value.adjusted()) if value.is_finite() else 0, "digits")
        return format(value, "f")
    if isinstance(value, (datetime, time)):
        return date_time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", errors="replace")
    return str(value)


def _write_text(value: object, parts: list[str], budget: Budget) -> None:
    if type(value) in _SCALARS:
        text = _scalar_text(value)
        budget.spend(len(text) + 2)
        parts.append(text)
    elif isinstance(value, Entry):
        _write_text(value.key, parts, budget)
        parts.append("=")
        _write_text(value.value, parts, budget)
    elif isinstance(value, Mapping):
        parts.append("{")
        budget.spend(_CONTAINER)
        for number, (key, item) in enumerate(value.items()):
            parts.append(", " if number else "")
            _write_text(key, parts, budget)
            parts.append("=")
            _write_text(item, parts, budget)
        parts.append("}")
    elif is_list(value):
        parts.append("[")
        budget.spend(_CONTAINER)
        for number, item in enumerate(value):  # type: ignore[arg-type]
            parts.append(", " if number else "")
            _write_text(item, parts, budget)
        parts.append("]")
    else:
        text = _scalar_text(value)
        budget.spend(len(text) + 2)
        parts.append(text)


def int_text(value: int) -> str:
    if value.bit_length() > 10_000:
        raise TooLarge("a whole number has more than 3,000 digits", hint="keep such a number as text")
    return str(value)


def float_text(value: float) -> str:
    """As Java prints a double: `1.0`, `1.0E7` from 10^7 up, `1.0E-4` below 10^-3."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value) if abs(value) >= 1e-3 or value == 0 else format(Decimal(repr(value)), "f")
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, *rest = map(str, digits)
    power = int(exponent) + len(rest)
    return f"{'-' if sign else ''}{first}.{''.join(rest) or '0'}E{power}"


def date_time_text(value: datetime | time) -> str:
    """As `java.time` prints: seconds left out when zero, the fraction in groups of three, `[Zone]` for a region."""
    if isinstance(value, Instant):
        moment = value.astimezone(UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}{_fraction(moment.microsecond)}Z"
    text = f"{value.date().isoformat()}T" if isinstance(value, datetime) else ""
    text += f"{value.hour:02d}:{value.minute:02d}"
    if value.second or value.microsecond:
        text += f":{value.second:02d}{_fraction(value.microsecond)}"
    if value.tzinfo is None:
        return text
    region = getattr(value.tzinfo, "key", None)
    return text + offset_text(value) + (f"[{region}]" if region else "")


def offset_text(value: datetime | time, zero: str = "Z") -> str:
    """`+02:00`, or `zero` at UTC."""
    seconds = int((value.utcoffset() or timedelta()).total_seconds())
    if seconds == 0:
        return zero
    sign = "-" if seconds < 0 else "+"
    hours, rest = divmod(abs(seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{sign}{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")


def _fraction(micros: int) -> str:
    if not micros:
        return ""
    return f".{micros // 1000:03d}" if micros % 1000 == 0 else f".{micros:06d}"


# -- JSON ------------------------------------------------------------------------------------------------------


def to_json(value: object, zone: tzinfo) -> str:
    """Compact JSON. Entries of maps that are null are left out; dates are moved to `zone`; durations are seconds."""
    parts: list[str] = []
    _write_json(value, parts, zone, Budget())
    return "".join(parts)


def _write_json(value: object, parts: list[str], zone: tzinfo, budget: Budget) -> None:
    if type(value) in _SCALARS:
        text = json_scalar(value, zone)
        budget.spend(len(text) + 1)
        parts.append(text)
    elif isinstance(value, Mapping):
        parts.append("{")
        budget.spend(_CONTAINER)
        first = True
        for key, item in value.items():
            if item is None:
                continue
            name = encode_basestring(key if isinstance(key, str) else text_of(key))
            budget.spend(len(name))
            parts.append(f"{name}:" if first else f",{name}:")
            first = False
            _write_json(item, parts, zone, budget)
        parts.append("}")
    elif is_list(value):
        parts.append("[")
        budget.spend(_CONTAINER)
        for number, item in enumerate(value):  # type: ignore[arg-type]
            if number:
                parts.append(",")
            _write_json(item, parts, zone, budget)
        parts.append("]")
    else:
        text = json_scalar(value, zone)
        budget.spend(len(text) + 1)
        parts.append(text)


def json_scalar(value: object, zone: tzinfo) -> str:
    """The JSON of anything but lists and maps."""
    if isinstance(value, str):
        return str(encode_basestring(value))
    if value is None or isinstance(value, (bool, int)):
        return _scalar_text(value)
    if isinstance(value, float):
        return float_text(value) if math.isfinite(value) else f'"{float_text(value)}"'
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else f'"{value}"'
    if isinstance(value, timedelta):
        micros = round(value / timedelta(microseconds=1))
        return f"{'-' if micros < 0 else ''}{abs(micros) // 1_000_000}.{abs(micros) % 1_000_000:06d}000"
    if isinstance(value, Entry):
        return f"{{{encode_basestring(text_of(value.key))}:{to_json(value.value, zone)}}}"
    if isinstance(value, datetime):
        return f'"{_json_date_time(value, zone)}"'
    return str(encode_basestring(_scalar_text(value)))


def _json_date_time(value: datetime, zone: tzinfo) -> str:
    suffix = ""
    if isinstance(value, Instant):
        value, suffix = value.astimezone(UTC), "Z"
    elif value.tzinfo is not None:
        value = value.astimezone(zone)
        suffix = offset_text(value)
    text = f"{value.date().isoformat()}T{value.hour:02d}:{value.minute:02d}:{value.second:02d}"
    if value.microsecond:
        text += f".{value.microsecond:06d}".rstrip("0")
    return text + suffix

