"""Filters and functions on dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from core.expressions import date_patterns, date_reading
from core.expressions.date_patterns import Moment
from core.expressions.faults import Fault
from core.expressions.library.declare import Frame, Table
from core.expressions.values import kind_of
from core.expressions.zones import zone_of

table = Table()

_EXACT = {
    "MICROS": timedelta(microseconds=1), "MILLIS": timedelta(milliseconds=1), "SECONDS": timedelta(seconds=1),
    "MINUTES": timedelta(minutes=1), "HOURS": timedelta(hours=1), "HALF_DAYS": timedelta(hours=12),
}  # fmt: skip
_DAYS = {"DAYS": 1, "WEEKS": 7}
_MONTHS = {"MONTHS": 1, "YEARS": 12, "DECADES": 120, "CENTURIES": 1200, "MILLENNIA": 12000}
_CYCLE = 146_097 * 86_400
"""Seconds of 400 years."""
_LAST_SECOND = 31_556_889_864_403_199
"""Of the reference's calendar."""
_UNITS = ("NANOS", *_EXACT, *_DAYS, *_MONTHS)


@table.filter("date")
def date_(
    frame: Frame, value: object, format: str | None = None, time_zone: str | None = None,
    existing_format: str | None = None, locale: str | None = None,
) -> str | None:  # fmt: skip
    """A date by a named format (`iso` by default) or a pattern, in `timeZone` or the zone of the system."""
    if value is None:
        return None
    zone = _zone(frame, time_zone)
    return _written(_moment(value, existing_format, zone), format, zone, locale)


@table.function("now")
def now(
    frame: Frame, format: str | None = None, time_zone: str | None = None, existing_format: str | None = None,
    locale: str | None = None,
) -> str:  # fmt: skip
    """The current time, written as `date` does; `existingFormat` only keeps its place, as in the reference."""
    current = frame.runtime.now()
    return _written(Moment(current, current.microsecond * 1000), format, _zone(frame, time_zone), locale)


@table.filter("dateAdd")
def date_add(
    frame: Frame, value: object, amount: int, unit: str, format: str | None = None, time_zone: str | None = None,
    existing_format: str | None = None, locale: str | None = None,
) -> str | None:  # fmt: skip
    """A date `amount` units later, written as `date` does; the last day of a month stays within the month."""
    if value is None:
        return None
    zone = _zone(frame, time_zone)
    moment = _moment(value, existing_format, zone)
    try:
        later = _added(moment, amount, unit)
    except (OverflowError, ValueError):
        raise _out_of_range() from None
    return _written(later, format, zone, locale)


@table.filter("timestamp")
def timestamp(
    frame: Frame, value: object, time_zone: str | None = None, existing_format: str | None = None
) -> int | None:
    """Whole seconds since 1970."""
    return None if value is None else _seconds(_moment(value, existing_format, _zone(frame, time_zone)))


@table.filter("timestampMilli")
def timestamp_milli(
    frame: Frame, value: object, time_zone: str | None = None, existing_format: str | None = None
) -> int | None:
    """Milliseconds since 1970."""
    if value is None:
        return None
    moment = _moment(value, existing_format, _zone(frame, time_zone))
    return _seconds(moment) * 1000 + moment.nanos // 1_000_000


@table.filter("timestampMicro")
def timestamp_micro(
    frame: Frame, value: object, time_zone: str | None = None, existing_format: str | None = None
) -> str | None:
    """A text: seconds * 10⁹ plus the microseconds of the fraction (a quirk that the reference's tests pin)."""
    if value is None:
        return None
    moment = _moment(value, existing_format, _zone(frame, time_zone))
    return str(_seconds(moment) * 1_000_000_000 + moment.nanos // 1000)


@table.filter("timestampNano")
def timestamp_nano(
    frame: Frame, value: object, time_zone: str | None = None, existing_format: str | None = None
) -> str | None:
    """A text: nanoseconds since 1970."""
    if value is None:
        return None
    moment = _moment(value, existing_format, _zone(frame, time_zone))
    return str(_seconds(moment) * 1_000_000_000 + moment.nanos)


def _zone(frame: Frame, name: str | None) -> tzinfo:
    return zone_of(frame.runtime.zone_name if name is None else name)


def moment_of(frame: Frame, value: object) -> Moment:
    """A date for the functions on the calendar; without a zone of its own it is in that of the system."""
    return _moment(value, None, _zone(frame, None))


def _moment(value: Any, existing_format: str | None, zone: tzinfo) -> Moment:
    """The moment of a date, a text or seconds since 1970.

    Without a zone of its own a date-time is in `zone`, a date object is noon there, a date as text midnight.
    """
    if isinstance(value, str):
        return date_reading.read(value, existing_format, zone)
    if isinstance(value, datetime):
        when = value if value.tzinfo else value.replace(tzinfo=zone)
        return Moment(when, when.microsecond * 1000)
    if isinstance(value, date):
        return Moment(datetime.combine(value, time(12), zone), 0)
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return Moment(datetime.fromtimestamp(value, UTC), 0)
        except (OverflowError, ValueError, OSError):
            return _far(value)
    raise Fault(f"{kind_of(value)} is not a date", expected="a date, a text, or whole seconds since 1970")


def _far(seconds: int) -> Moment:
    """A moment after the year 9999 (seconds since 1970 that were meant as milliseconds, most likely)."""
    cycles, rest = divmod(seconds, _CYCLE)
    if not 0 < seconds <= _LAST_SECOND:
        raise _out_of_range()
    return Moment(datetime.fromtimestamp(rest, UTC), 0, cycles * 400)


def _out_of_range() -> Fault:
    return Fault("the date is out of range", expected="a year from 1 to 9999 (a number is in seconds since 1970)")


def _written(moment: Moment, format: str | None, zone: tzinfo, locale: str | None) -> str:
    try:
        shown = moment._replace(when=moment.when.astimezone(zone))
    except OverflowError:
        raise _out_of_range() from None
    return date_patterns.write(shown, "iso" if format is None else format, locale)


def _seconds(moment: Moment) -> int:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (moment.when - epoch) // timedelta(seconds=1) + moment.later // 400 * _CYCLE


def _added(moment: Moment, amount: int, unit: str) -> Moment:
    when = moment.when
    if unit == "NANOS":
        seconds, nanos = divmod(moment.nanos + amount, 1_000_000_000)
        return moment._replace(
            when=_exact(when, timedelta(seconds=seconds)).replace(microsecond=nanos // 1000), nanos=nanos
        )
    if unit in _EXACT:
        later = _exact(when, _EXACT[unit] * amount)
        return moment._replace(when=later, nanos=later.microsecond * 1000 + moment.nanos % 1000)
    if unit in _DAYS:
        return moment._replace(when=when + timedelta(days=amount * _DAYS[unit]))
    if unit in _MONTHS:
        months = when.year * 12 + when.month - 1 + amount * _MONTHS[unit]
        year, month = months // 12, months % 12 + 1
        return moment._replace(when=when.replace(year=year, month=month, day=min(when.day, _last_day(year, month))))
    raise Fault(f"`{unit}` is not a unit of time", expected=f"one of {', '.join(_UNITS)}")


def _exact(when: datetime, span: timedelta) -> datetime:
    """Later by a span of real time, whatever the clocks do in between."""
    return (when.astimezone(UTC) + span).astimezone(when.tzinfo)


def _last_day(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).day
