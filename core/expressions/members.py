"""Getters (`date.year`, `list.size`) and methods (`'a'.toUpperCase()`) that values have in the reference.

A getter is found without regard to case and with `get` and `is` before it; methods by their exact name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from core.expressions.equality import same
from core.expressions.faults import Fault, within_limit
from core.expressions.values import Entry, Instant, is_list, is_number, key_of, kind_of, offset_text, text_of

Getter = Callable[[Any], Any]
Method = Callable[[Any, list[Any]], Any]

_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_MONTHS = ("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER",
           "NOVEMBER", "DECEMBER")  # fmt: skip

_TEXT_GETTERS: dict[str, Getter] = {
    "length": len,
    "empty": lambda text: text == "",
    "blank": lambda text: not text.strip(),
}
_LIST_GETTERS: dict[str, Getter] = {"size": len, "empty": lambda items: len(items) == 0}
_ENTRY_GETTERS: dict[str, Getter] = {"key": lambda entry: entry.key, "value": lambda entry: entry.value}
_DATE_GETTERS: dict[str, Getter] = {
    "year": lambda day: day.year,
    "month": lambda day: _MONTHS[day.month - 1],
    "monthvalue": lambda day: day.month,
    "dayofmonth": lambda day: day.day,
    "dayofyear": lambda day: day.timetuple().tm_yday,
    "dayofweek": lambda day: _DAYS[day.weekday()],
}
_TIME_GETTERS: dict[str, Getter] = {
    "hour": lambda moment: moment.hour,
    "minute": lambda moment: moment.minute,
    "second": lambda moment: moment.second,
    "nano": lambda moment: moment.microsecond * 1000,
}
_ZONED_GETTERS: dict[str, Getter] = {
    "offset": offset_text,
    "zone": lambda moment: getattr(moment.tzinfo, "key", None) or offset_text(moment),
    "epochsecond": lambda moment: int(moment.astimezone(UTC).timestamp() // 1),
}
_DURATION_GETTERS: dict[str, Getter] = {
    "seconds": lambda span: span // timedelta(seconds=1),
    "nano": lambda span: span.microseconds * 1000,
    "zero": lambda span: not span,
    "negative": lambda span: span < timedelta(),
}
_SHOWN_GETTERS = ("monthValue", "dayOfMonth", "dayOfYear", "dayOfWeek", "epochSecond")


def _getters(value: Any) -> tuple[dict[str, Getter], ...]:
    if isinstance(value, str):
        return (_TEXT_GETTERS,)
    if isinstance(value, Entry):
        return (_ENTRY_GETTERS,)
    if isinstance(value, datetime):
        return (_DATE_GETTERS, _TIME_GETTERS, _ZONED_GETTERS) if value.tzinfo else (_DATE_GETTERS, _TIME_GETTERS)
    if isinstance(value, date):
        return (_DATE_GETTERS,)
    if isinstance(value, time):
        return (_TIME_GETTERS,)
    if isinstance(value, timedelta):
        return (_DURATION_GETTERS,)
    return (_LIST_GETTERS,) if is_list(value) else ()


def getter(value: Any, name: str) -> Getter | None:
    """What reads the attribute `name` of a value that is no map."""
    lowered = name.lower()
    for table in _getters(value):
        for prefix in ("", "get", "is"):
            if lowered.startswith(prefix) and (found := table.get(lowered[len(prefix) :])):
                return found
    return None


# -- methods ---------------------------------------------------------------------------------------------------


def _plain(function: Callable[..., Any], least: int = 0, most: int | None = None, texts: bool = False) -> Method:
    """A method with `least` to `most` arguments, all of them texts if `texts`."""

    def call(value: Any, arguments: list[Any]) -> Any:
        if not least <= len(arguments) <= (least if most is None else most):
            raise Fault(f"the method takes {least} arguments, {len(arguments)} are given")
        for argument in arguments:
            if texts and not isinstance(argument, str):
                raise Fault(f"the method was given {kind_of(argument)}", expected="a text")
        return function(value, *arguments)

    return call


def _at(items: Any, index: Any) -> Any:
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(items):
        raise Fault(f"there is no element {text_of(index)}", expected=f"0 to {len(items) - 1}")
    return items[index] if hasattr(items, "__getitem__") else list(items)[index]


def _substring(text: str, first: Any, last: Any = None) -> str:
    last = len(text) if last is None else last
    if not isinstance(first, int) or not isinstance(last, int) or not 0 <= first <= last <= len(text):
        raise Fault("the places of the substring are not in the text", expected=f"0 to {len(text)}")
    return text[first:last]


def _repeat(text: str, times: Any) -> str:
    if not isinstance(times, int) or isinstance(times, bool) or times < 0:
        raise Fault(f"a text can't be repeated {text_of(times)} times", expected="a whole number from 0 up")
    within_limit(len(text) * times)
    return text * times if text else ""


def _replace(text: str, old: str, new: str) -> str:
    within_limit(len(text) + (text.count(old) * (len(new) - len(old))))
    return text.replace(old, new)


def _whole(number: Any) -> int:
    if not math.isfinite(number):
        raise Fault(f"{text_of(number)} is not a whole number")
    within_limit(abs(number.adjusted()) if isinstance(number, Decimal) else 0, "digits")
    return int(number)


def _position(items: Any, wanted: Any) -> int:
    return next((number for number, item in enumerate(items) if same(item, wanted)), -1)


def _entries(items: Mapping[Any, Any]) -> list[Entry]:
    return [Entry(key, value) for key, value in items.items()]


_TEXT_METHODS: dict[str, Method] = {
    "length": _plain(len),
    "isEmpty": _plain(lambda text: text == ""),
    "isBlank": _plain(lambda text: not text.strip()),
    "toUpperCase": _plain(str.upper),
    "toLowerCase": _plain(str.lower),
    "trim": _plain(str.strip),
    "strip": _plain(str.strip),
    "startsWith": _plain(str.startswith, 1, texts=True),
    "endsWith": _plain(str.endswith, 1, texts=True),
    "indexOf": _plain(str.find, 1, texts=True),
    "lastIndexOf": _plain(str.rfind, 1, texts=True),
    "replace": _plain(_replace, 2, texts=True),
    "concat": _plain(str.__add__, 1, texts=True),
    "equalsIgnoreCase": _plain(lambda text, other: text.lower() == other.lower(), 1, texts=True),
    "compareTo": _plain(lambda text, other: (text > other) - (text < other), 1, texts=True),
    "substring": _plain(_substring, 1, 2),
    "charAt": _plain(_at, 1),
    "repeat": _plain(_repeat, 1),
}
_LIST_METHODS: dict[str, Method] = {
    "size": _plain(len),
    "isEmpty": _plain(lambda items: len(items) == 0),
    "get": _plain(_at, 1),
    "indexOf": _plain(_position, 1),
    "getFirst": _plain(lambda items: _at(items, 0)),
    "getLast": _plain(lambda items: _at(items, len(items) - 1)),
}
_MAP_METHODS: dict[str, Method] = {
    "size": _plain(len),
    "isEmpty": _plain(lambda items: len(items) == 0),
    "get": _plain(lambda items, key: items.get(key_of(key)), 1),
    "getOrDefault": _plain(lambda items, key, default: items.get(key_of(key), default), 2),
    "containsKey": _plain(lambda items, key: key_of(key) in items, 1),
    "containsValue": _plain(lambda items, value: any(same(item, value) for item in items.values()), 1),
    "keySet": _plain(list),
    "values": _plain(lambda items: list(items.values())),
    "entrySet": _plain(_entries),
}
_NUMBER_METHODS: dict[str, Method] = {
    "intValue": _plain(_whole),
    "longValue": _plain(_whole),
    "doubleValue": _plain(float),
}
_DURATION_METHODS: dict[str, Method] = {
    "toMillis": _plain(lambda span: span // timedelta(milliseconds=1)),
    "toSeconds": _plain(lambda span: span // timedelta(seconds=1)),
    "toMinutes": _plain(lambda span: span // timedelta(minutes=1)),
    "toHours": _plain(lambda span: span // timedelta(hours=1)),
    "toDays": _plain(lambda span: span // timedelta(days=1)),
}
_ANY_METHODS: dict[str, Method] = {"toString": _plain(text_of)}


def _moved(moment: Any, unit: timedelta, sign: int, amount: Any) -> Any:
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise Fault(f"a date can't be moved by {kind_of(amount)}", expected="a whole number")
    try:
        if unit < timedelta(days=1) and moment.tzinfo is not None:
            return (moment.astimezone(UTC) + sign * amount * unit).astimezone(moment.tzinfo)
        return moment + sign * amount * unit
    except OverflowError:
        raise Fault("the date is out of range", expected="a year from 1 to 9999") from None


def _moves(units: dict[str, timedelta]) -> dict[str, Method]:
    """`plusDays(1)`, `minusHours(2)` …"""

    def by(unit: timedelta, sign: int) -> Method:
        return _plain(lambda moment, amount: _moved(moment, unit, sign, amount), 1)

    return {f"{word}{name}": by(unit, sign) for name, unit in units.items() for word, sign in _SIGNS}


def _compared(compare: Callable[[Any, Any], bool]) -> Method:
    def call(moment: Any, other: Any) -> bool:
        alike = isinstance(other, datetime) is isinstance(moment, datetime) and isinstance(other, date)
        if not alike or (isinstance(moment, datetime) and bool(moment.tzinfo) is not bool(other.tzinfo)):
            raise Fault(f"a date can't be compared with {kind_of(other)}", expected="a date of the same kind")
        return compare(moment, other)

    return _plain(call, 1)


def _instant(moment: datetime) -> Instant:
    return Instant(*moment.astimezone(UTC).timetuple()[:6], moment.microsecond, UTC)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIGNS = (("plus", 1), ("minus", -1))
_DATE_METHODS: dict[str, Method] = {
    "isBefore": _compared(lambda moment, other: moment < other),
    "isAfter": _compared(lambda moment, other: moment > other),
    "isEqual": _compared(lambda moment, other: moment == other),
    **_moves({"Days": timedelta(days=1), "Weeks": timedelta(weeks=1)}),
}
_TIME_METHODS: dict[str, Method] = {
    "toLocalDate": _plain(lambda moment: moment.date()),
    **_moves({"Hours": timedelta(hours=1), "Minutes": timedelta(minutes=1), "Seconds": timedelta(seconds=1)}),
}
_ZONED_METHODS: dict[str, Method] = {
    "toInstant": _plain(_instant),
    "toLocalDateTime": _plain(lambda moment: moment.replace(tzinfo=None)),
    "toEpochSecond": _plain(lambda moment: (moment - _EPOCH) // timedelta(seconds=1)),
    "toEpochMilli": _plain(lambda moment: (moment - _EPOCH) // timedelta(milliseconds=1)),
}


def _date_methods(value: date) -> dict[str, Method]:
    if not isinstance(value, datetime):
        return _DATE_METHODS
    zoned = _ZONED_METHODS if value.tzinfo else {}
    return {**_DATE_METHODS, **_TIME_METHODS, **zoned}


def _methods(value: Any) -> dict[str, Method]:
    if isinstance(value, str):
        return _TEXT_METHODS
    if isinstance(value, Mapping):
        return _MAP_METHODS
    if is_list(value):
        return _LIST_METHODS
    if isinstance(value, timedelta):
        return _DURATION_METHODS
    if isinstance(value, date):
        return _date_methods(value)
    return _NUMBER_METHODS if is_number(value) else {}


def method(value: Any, name: str) -> Method | None:
    """The method `name` of a value; a getter may be called as `getYear()`, too."""
    found = _methods(value).get(name) or _ANY_METHODS.get(name)
    if found is None and (read := None if isinstance(value, Mapping) else getter(value, name)):
        return _plain(read)
    return found


def names_of(value: Any) -> tuple[list[str], list[str]]:
    """The getters and the methods that a value has, as they are usually written (`dayOfWeek`, `isEmpty`)."""
    shown = {name.lower(): name for name in _SHOWN_GETTERS}
    tables = () if isinstance(value, Mapping) else _getters(value)
    return [shown.get(name, name) for table in tables for name in table], list(_methods(value))
