"""Patterns of java.time.DateTimeFormatter and the named formats of the reference → pieces that write a moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from core.expressions.date_names import ENGLISH, Names, known, names_of
from core.expressions.faults import Fault
from core.expressions.values import offset_text

MAX_PATTERN = 1000
FRACTION, REGION = "\x01", "\x02"
"""Own letters of the named formats: a fraction without trailing zeros, and `[Zone]`."""

_LOCAL_TIME = f"HH:mm:ss{FRACTION}"
NAMED_FORMATS = {
    "iso": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "iso_sec": "yyyy-MM-dd'T'HH:mm:ssXXX",
    "sql": "yyyy-MM-dd HH:mm:ss.SSSSSS",
    "sql_seq": "yyyy-MM-dd HH:mm:ss",
    "iso_date_time": f"yyyy-MM-dd'T'{_LOCAL_TIME}[XXX{REGION}]",
    "iso_zoned_date_time": f"yyyy-MM-dd'T'{_LOCAL_TIME}XXX{REGION}",
    "iso_offset_date_time": f"yyyy-MM-dd'T'{_LOCAL_TIME}XXX",
    "iso_local_date_time": f"yyyy-MM-dd'T'{_LOCAL_TIME}",
    "iso_local_date": "yyyy-MM-dd",
    "iso_local_time": _LOCAL_TIME,
    "iso_date": "yyyy-MM-dd[XXX]",
    "iso_offset_date": "yyyy-MM-ddXXX",
    "iso_time": f"{_LOCAL_TIME}[XXX]",
    "iso_offset_time": f"{_LOCAL_TIME}XXX",
    "iso_instant": f"yyyy-MM-dd'T'{_LOCAL_TIME}'Z'",
    "iso_ordinal_date": "yyyy-DDD[XXX]",
    "iso_week_date": "\x03XXX",
    "basic_iso_date": "yyyyMMdd[XX]",
    "rfc_1123_date_time": "EEE, d MMM yyyy HH:mm:ss \x04",
    "full": "EEEE, MMMM d, yyyy 'at' h:mm:ss a zzzz",
    "long": "MMMM d, yyyy 'at' h:mm:ss a z",
    "medium": "MMM d, yyyy, h:mm:ss a",
    "short": "M/d/yy, h:mm a",
}
_STYLES = frozenset({"full", "long", "medium", "short"})


class Moment(NamedTuple):
    """A point in time with nanoseconds. when: with a zone. nanos: of the second, 0 to 999,999,999.

    later: years, a multiple of 400, that are to be added; the calendar repeats itself after 400 years.
    """

    when: datetime
    nanos: int
    later: int = 0


class Field(NamedTuple):
    """`width` times a letter; pad: the width that a `p` before it asks for."""

    letter: str
    width: int
    pad: int = 0


class Optional(NamedTuple):
    """`[…]`"""

    items: tuple[Item, ...]


Item = str | Field | Optional


@lru_cache(maxsize=512)
def items_of(pattern: str) -> tuple[Item, ...]:
    """The pieces of a pattern. Raises Fault."""
    if len(pattern) > MAX_PATTERN:
        raise Fault("the date pattern is too long", expected=f"at most {MAX_PATTERN} characters")
    return _Reader(pattern).read()


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._pad = 0

    def read(self) -> tuple[Item, ...]:
        stack: list[list[Item]] = [[]]
        while self._at < len(self._pattern):
            char = self._pattern[self._at]
            if char == "[":
                stack.append([])
            elif char == "]":
                if len(stack) == 1:
                    raise self._fault("`]` closes nothing")
                inner = tuple(stack.pop())
                stack[-1].append(Optional(inner))
            elif char == "'":
                stack[-1].append(self._quoted())
            elif char in "{}#":
                raise self._fault(f"`{char}` is reserved")
            elif (char.isascii() and char.isalpha()) or char < "\x05":
                self._letters(stack[-1])
                continue
            else:
                stack[-1].append(char)
            self._at += 1
        if self._pad:
            raise self._fault("`p` stands before the letters that it pads")
        while len(stack) > 1:
            inner = tuple(stack.pop())
            stack[-1].append(Optional(inner))
        return tuple(stack[0])

    def _quoted(self) -> str:
        """`'T'` is T, `''` is one quote."""
        end = self._pattern.find("'", self._at + 1)
        if end < 0:
            raise self._fault("a quote is never closed")
        text = self._pattern[self._at + 1 : end]
        self._at = end
        while self._pattern.startswith("'", self._at + 1) and text:
            following = self._pattern.find("'", self._at + 2)
            if following < 0:
                raise self._fault("a quote is never closed")
            text += "'" + self._pattern[self._at + 2 : following]
            self._at = following
        return text or "'"

    def _letters(self, items: list[Item]) -> None:
        letter = self._pattern[self._at]
        start = self._at
        while self._at < len(self._pattern) and self._pattern[self._at] == letter:
            self._at += 1
        count = self._at - start
        if letter == "p":
            self._pad = count
            return
        if letter not in _WRITERS:
            raise self._fault(f"Unknown pattern letter: {letter}")
        if count > _MOST.get(letter, 19):
            raise self._fault(f"Too many pattern letters: {letter}")
        if letter == "V" and count != 2:
            raise self._fault("`V` stands in pairs")
        items.append(Field(letter, count, self._pad))
        self._pad = 0

    def _fault(self, what: str) -> Fault:
        return Fault(
            f"`{self._pattern[:80]}` is not a date pattern: {what}",
            expected="a pattern such as yyyy-MM-dd'T'HH:mm:ss, or a name such as iso",
        )


def write(moment: Moment, format: str, locale: str | None) -> str:
    """A moment in a named format or by a pattern. Raises Fault."""
    pattern = NAMED_FORMATS.get(format.lower(), format)
    names = ENGLISH if format.lower() == "rfc_1123_date_time" else names_of(locale)
    if format.lower() in _STYLES and names is not ENGLISH:
        raise Fault(f"the style `{format}` is known in English only", hint="write a pattern such as dd/MM/yyyy")
    if format.lower() in ("iso_instant", "rfc_1123_date_time"):
        moment = moment._replace(when=moment.when.astimezone(UTC))
    return _write_items(items_of(pattern), _Shown(moment.when, moment.nanos, names, locale, moment.later))


class _Shown(NamedTuple):
    when: datetime
    nanos: int
    names: Names | None
    locale: str | None
    later: int

    def known(self) -> Names:
        return known(self.names, self.locale)


def _write_items(items: tuple[Item, ...], shown: _Shown) -> str:
    parts: list[str] = []
    for item in items:
        if isinstance(item, str):
            parts.append(item)
        elif isinstance(item, Optional):
            parts.append(_write_items(item.items, shown))
        else:
            text = _WRITERS[item.letter](shown, item.width)
            if item.pad and len(text) > item.pad:
                raise Fault(f"`{text}` is wider than the {item.pad} places that the date pattern gives it")
            parts.append(text.rjust(item.pad))
    return "".join(parts)


# -- fields ----------------------------------------------------------------------------------------------------


def _padded(read: Callable[[_Shown], int]) -> Callable[[_Shown, int], str]:
    return lambda shown, count: f"{read(shown):0{count}d}"


def _year(shown: _Shown, count: int) -> str:
    return _year_text(shown.when.year + shown.later, count)


def _year_text(year: int, count: int) -> str:
    sign = "+" if count >= 4 and year >= 10**count else ""
    return f"{year % 100:02d}" if count == 2 else f"{sign}{year:0{count}d}"


def _era(shown: _Shown, count: int) -> str:
    return {4: "Anno Domini", 5: "A"}.get(count, "AD")


def _month(shown: _Shown, count: int) -> str:
    month = shown.when.month
    if count <= 2:
        return f"{month:0{count}d}"
    names = shown.known()
    return _sized(count, names.short_months[month - 1], names.months[month - 1])


def _sized(count: int, short: str, full: str) -> str:
    """Three letters: short, four: in full, five: the first character."""
    return full if count == 4 else full[0].upper() if count == 5 else short


def _quarter(shown: _Shown, count: int) -> str:
    quarter = (shown.when.month - 1) // 3 + 1
    if count <= 2:
        return f"{quarter:0{count}d}"
    ordinal = ("1st", "2nd", "3rd", "4th")[quarter - 1]
    return {3: f"Q{quarter}", 4: f"{ordinal} quarter"}.get(count, str(quarter))


def _day_name(shown: _Shown, count: int) -> str:
    names, day = shown.known(), shown.when.weekday()
    return _sized(max(count, 3), names.short_days[day], names.days[day])


def _day_number(shown: _Shown, count: int) -> str:
    """`e` and `c`: the place of the day in the week of the locale."""
    if count > 2:
        return _day_name(shown, count)
    first = 0 if shown.names is not None and shown.names.iso_weeks else 6
    return f"{(shown.when.weekday() - first) % 7 + 1:0{count}d}"


def _week(shown: _Shown) -> tuple[int, int]:
    """Year and number of the week, by the rules of the locale."""
    day = shown.when.date()
    if shown.names is not None and shown.names.iso_weeks:
        year, week, _ = day.isocalendar()
        return year, week
    # Weeks start on Sunday; the one that holds 1 January is the first.
    sunday = day - timedelta(days=(day.weekday() + 1) % 7)
    year = (sunday + timedelta(days=6)).year if day.year < 9999 else day.year
    january = date(year, 1, 1)
    start = january - timedelta(days=(january.weekday() + 1) % 7)
    return year, (sunday - start).days // 7 + 1


def _week_of_month(shown: _Shown) -> int:
    first = shown.when.replace(day=1).weekday()
    start = 0 if shown.names is not None and shown.names.iso_weeks else 6
    lead = (first - start) % 7
    week = (shown.when.day + lead - 1) // 7 + 1
    return week - 1 if start == 0 and lead > 3 else week


def _half_day(shown: _Shown, count: int) -> str:
    text = "AM" if shown.when.hour < 12 else "PM"
    return text[0].lower() if count == 5 else text


def _fraction(shown: _Shown, count: int) -> str:
    return f"{shown.nanos:09d}".ljust(count, "0")[:count]


def _second_of_day(shown: _Shown) -> int:
    return shown.when.hour * 3600 + shown.when.minute * 60 + shown.when.second


def _optional_fraction(shown: _Shown, count: int) -> str:
    return f".{shown.nanos:09d}".rstrip("0") if shown.nanos else ""


def _region(shown: _Shown) -> str:
    return getattr(shown.when.tzinfo, "key", None) or offset_text(shown.when)


def _zone_name(shown: _Shown, count: int) -> str:
    region = getattr(shown.when.tzinfo, "key", None)
    if count < 4 or region is None:
        return shown.when.tzname() or "" if region else offset_text(shown.when)
    if region in ("UTC", "Etc/UTC"):
        return "Coordinated Universal Time"
    raise Fault("names of time zones in full are known for UTC only", hint="write `z` or `VV` in the date pattern")


def _offset(shown: _Shown, count: int, zero: str) -> str:
    """`X` and `x`: +02, +0200, +02:00, the last two also with seconds."""
    text = offset_text(shown.when, "")
    if not text:
        return zero or ("+00", "+0000", "+00:00", "+0000", "+00:00")[count - 1]
    if count == 1:
        return text[:3] if text[4:6] == "00" else text[:3] + text[4:6]
    text = text if count > 3 else text[:6]
    return text.replace(":", "") if count % 2 == 0 else text


def _offset_z(shown: _Shown, count: int) -> str:
    if count == 5:
        return _offset(shown, 5, "Z")
    return _localized_offset(shown, 4) if count == 4 else _offset(shown, 2, "")


def _localized_offset(shown: _Shown, count: int) -> str:
    text = offset_text(shown.when, "")
    if text and count == 1:
        text = text[0] + text[1:3].lstrip("0").rjust(1, "0") + ("" if text[4:6] == "00" else text[3:6])
    return "GMT" + text


def _iso_week_date(shown: _Shown, count: int) -> str:
    year, week, day = shown.when.isocalendar()
    return f"{_year_text(year + shown.later, 4)}-W{week:02d}-{day}"


def _rfc_offset(shown: _Shown, count: int) -> str:
    return _offset(shown, 2, "GMT")


_WRITERS: dict[str, Callable[[_Shown, int], str]] = {
    "G": _era,
    "u": _year,
    "y": _year,
    "Y": lambda shown, count: _year_text(_week(shown)[0] + shown.later, count),
    "Q": _quarter,
    "q": _quarter,
    "M": _month,
    "L": _month,
    "w": _padded(lambda shown: _week(shown)[1]),
    "W": _padded(_week_of_month),
    "D": _padded(lambda shown: shown.when.timetuple().tm_yday),
    "d": _padded(lambda shown: shown.when.day),
    "g": _padded(lambda shown: shown.when.toordinal() - 678576),
    "E": _day_name,
    "e": _day_number,
    "c": _day_number,
    "a": _half_day,
    "B": lambda shown, count: _day_period(shown),
    "h": _padded(lambda shown: (shown.when.hour - 1) % 12 + 1),
    "K": _padded(lambda shown: shown.when.hour % 12),
    "k": _padded(lambda shown: (shown.when.hour - 1) % 24 + 1),
    "H": _padded(lambda shown: shown.when.hour),
    "m": _padded(lambda shown: shown.when.minute),
    "s": _padded(lambda shown: shown.when.second),
    "S": _fraction,
    "A": _padded(lambda shown: _second_of_day(shown) * 1000 + shown.nanos // 1_000_000),
    "n": _padded(lambda shown: shown.nanos),
    "N": _padded(lambda shown: _second_of_day(shown) * 1_000_000_000 + shown.nanos),
    "V": lambda shown, count: _region(shown),
    "z": _zone_name,
    "O": _localized_offset,
    "X": lambda shown, count: _offset(shown, count, "Z"),
    "x": lambda shown, count: _offset(shown, count, ""),
    "Z": _offset_z,
    FRACTION: _optional_fraction,
    REGION: lambda shown, count: f"[{key}]" if (key := getattr(shown.when.tzinfo, "key", None)) else "",
    "\x03": _iso_week_date,
    "\x04": _rfc_offset,
}
_MOST = {
    "G": 5, "Q": 5, "q": 5, "M": 5, "L": 5, "w": 2, "W": 1, "D": 3, "d": 2, "E": 5, "e": 5, "c": 5, "a": 1, "B": 5,
    "h": 2, "K": 2, "k": 2, "H": 2, "m": 2, "s": 2, "S": 9, "V": 2, "z": 4, "O": 4, "X": 5, "x": 5, "Z": 5,
}  # fmt: skip


def _day_period(shown: _Shown) -> str:
    hour = shown.when.hour
    if (hour, shown.when.minute) in ((0, 0), (12, 0)):
        return "noon" if hour else "midnight"
    periods = ((6, "at night"), (12, "in the morning"), (18, "in the afternoon"), (21, "in the evening"))
    return next((text for end, text in periods if hour < end), "at night")
