"""Texts → moments: ISO, a named format, or a pattern."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

from core.expressions.date_names import ENGLISH
from core.expressions.date_patterns import FRACTION, NAMED_FORMATS, REGION, Field, Item, Moment, Optional, items_of
from core.expressions.faults import Fault
from core.expressions.zones import zone_of

_ISO = re.compile(
    r"(?P<u>[+-]?\d{4,9})-(?P<M>\d\d)-(?P<d>\d\d)"
    r"(?:[T ](?P<H>\d\d):(?P<m>\d\d)(?::(?P<s>\d\d)(?:\.(?P<S>\d{1,9}))?)?"
    r"(?:(?P<X>Z|[+-]\d\d(?::?\d\d){0,2})(?:\[(?P<V>[^\]]+)\])?)?)?",
    re.IGNORECASE,
)
"""The reference needs the `T`; databases write a blank there, and their files are read by expressions."""
_ZONE = r"Z|[+-]\d{1,2}(?::?\d\d){0,2}|[A-Za-z][\w/+~-]*(?:[+-]\d\d:\d\d)?"
_TEXTS = {
    "M": (ENGLISH.short_months, ENGLISH.months),
    "L": (ENGLISH.short_months, ENGLISH.months),
    "E": (ENGLISH.short_days, ENGLISH.days),
}


class _Reading(NamedTuple):
    """fields: the letter that each group of the pattern stands for."""

    pattern: re.Pattern[str]
    fields: tuple[Field, ...]


def read(text: str, format: str | None, zone: tzinfo) -> Moment:
    """The moment in a text. zone: where a text without one is taken to be. Raises Fault."""
    if format is None:
        match = _ISO.fullmatch(text)
        if match is None:
            raise _unreadable(text, "an ISO date such as 2024-02-29 or 2024-02-29T10:05:06Z",
                              "say how it is written: `existingFormat='dd.MM.yyyy'`")  # fmt: skip
        return _moment(text, {key: value for key, value in match.groupdict().items() if value is not None}, zone)
    reading = _reading(NAMED_FORMATS.get(format.lower(), format))
    match = reading.pattern.fullmatch(text)
    if match is None:
        raise _unreadable(text, f"a date by the pattern {format}", "")
    found: dict[str, str] = {}
    for field, value in zip(reading.fields, match.groups(), strict=True):
        if value is not None:
            key, plain = _plain(field, value)
            found[key] = plain
    return _moment(text, found, zone)


def _unreadable(text: str, expected: str, hint: str) -> Fault:
    return Fault(f"`{text[:60]}` can't be read as a date", expected=expected, hint=hint)


@lru_cache(maxsize=256)
def _reading(pattern: str) -> _Reading:
    fields: list[Field] = []
    expression = _expression(items_of(pattern), fields)
    if sum(field.letter in "uy" for field in fields) > 2:
        raise Fault("the date pattern names the year more than twice", expected="each field once")
    return _Reading(re.compile(expression), tuple(fields))


def _expression(items: tuple[Item, ...], fields: list[Field]) -> str:
    parts: list[str] = []
    for item in items:
        if isinstance(item, str):
            parts.append(re.escape(item))
        elif isinstance(item, Optional):
            # Never tried a second way, as in the reference: so many of them cost no more than one.
            parts.append(f"(?>{_expression(item.items, fields)})?+")
        else:
            fields.append(item)
            parts.append(_field_expression(item))
    return "".join(parts)


def _field_expression(field: Field) -> str:
    letter, count = field.letter, field.width
    if letter in _TEXTS and count > 2:
        names = _TEXTS[letter][0 if count == 3 else 1]
        return "(" + "|".join(map(re.escape, sorted(names, key=len, reverse=True))) + ")"
    if letter == "E":
        return "(" + "|".join(ENGLISH.short_days) + ")"
    if letter in "uy":
        return r"(\d{2})" if count == 2 else rf"([+-]?\d{{{count},{max(count, 9)}}})" if count != 4 else r"(\d{4})"
    if letter in "MLdHhKkmsDQ":
        return rf"(\d{{{count}}})" if count > 1 else r"(\d{1,2}+)"
    special = {
        "S": rf"(\d{{{count}}})", "n": r"(\d{1,9}+)", "a": "(AM|PM)", FRACTION: r"(\.\d{1,9}+)?+",
        "G": "(AD|Anno Domini|A)", REGION: r"(\[[^\]]+\])?", "\x04": r"(GMT|[+-]\d{4})",
    }  # fmt: skip
    if letter in special:
        return special[letter]
    if letter in "XxZVzO":
        return f"({_ZONE})"
    raise Fault(f"dates can't be read by the pattern letter `{letter}`")


def _plain(field: Field, value: str) -> tuple[str, str]:
    """The field's letter as the ISO pattern names it, and digits for names."""
    letter = field.letter
    if letter in _TEXTS and not value.isdigit():
        names = _TEXTS[letter][0 if value in _TEXTS[letter][0] else 1]
        return ("M" if letter in "ML" else "E"), str(names.index(value) + 1)
    if letter in "uy":
        return "u", str(2000 + int(value)) if field.width == 2 else value
    if letter == FRACTION:
        return "S", value[1:]
    if letter == "n":
        return "S", value.rjust(9, "0")
    if letter in "XxZO\x04":
        return "X", value.removeprefix("GMT") or "Z"
    if letter == REGION:
        return "V", value[1:-1]
    return {"L": "M", "z": "V"}.get(letter, letter), value


def _moment(text: str, found: dict[str, str], zone: tzinfo) -> Moment:
    own = found.get("V") or found.get("X")
    nanos = int(found.get("S", "0").ljust(9, "0"))
    try:
        day = _day(found)
        when = datetime(day.year, day.month, day.day, _hour(found), int(found.get("m", 0)), int(found.get("s", 0)),
                        nanos // 1000)  # fmt: skip
    except (KeyError, ValueError, OverflowError):
        raise _unreadable(text, "a date with year, month and day that exists", "") from None
    if own is None:
        return Moment(when.replace(tzinfo=zone), nanos)
    offset = found.get("X")
    if offset and "V" in found:
        return Moment(when.replace(tzinfo=_zone(offset)).astimezone(zone_of(found["V"])), nanos)
    return Moment(when.replace(tzinfo=_zone(own)), nanos)


def _day(found: dict[str, str]) -> date:
    year = int(found["u"])
    if "D" in found and "M" not in found:
        return date.fromordinal(date(year, 1, 1).toordinal() + int(found["D"]) - 1)
    return date(year, int(found["M"]), int(found["d"]))


def _zone(name: str) -> tzinfo:
    return UTC if name.upper() == "Z" else zone_of(name)


def _hour(found: dict[str, str]) -> int:
    if "H" in found:
        return int(found["H"])
    if "k" in found:
        return int(found["k"]) % 24
    half = 12 if found.get("a") == "PM" else 0
    return int(found.get("h", found.get("K", "0"))) % 12 + half
