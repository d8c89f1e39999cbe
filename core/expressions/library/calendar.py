"""Functions on the day of a date (the reference's 2.x dialect). A date that says its zone is looked at in that zone."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime

from core.expressions.faults import Fault
from core.expressions.library.dates import moment_of
from core.expressions.library.declare import Frame, Table

table = Table()

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_WEEKEND = ("SATURDAY", "SUNDAY")
PLACES = ("FIRST", "SECOND", "THIRD", "FOURTH", "LAST")


@table.function("dayOfWeek")
def day_of_week(frame: Frame, date: object) -> str:
    """The day of the week, `MONDAY` to `SUNDAY`."""
    return DAYS[_when(frame, date).weekday()]


@table.function("dayOfMonth")
def day_of_month(frame: Frame, date: object) -> int:
    """The day of the month, from 1."""
    return _when(frame, date).day


@table.function("monthOfYear")
def month_of_year(frame: Frame, date: object) -> int:
    """The month, from 1."""
    return _when(frame, date).month


@table.function("hourOfDay")
def hour_of_day(frame: Frame, date: object) -> int:
    """The hour, 0 to 23."""
    return _when(frame, date).hour


@table.function("isWeekend")
def is_weekend(frame: Frame, date: object) -> bool:
    """Whether it is a Saturday or a Sunday."""
    return _on_weekend(_when(frame, date))


@table.function("isLastWorkingDay")
def is_last_working_day(frame: Frame, date: object) -> bool:
    """Whether it is the last day of its month that is no Saturday and no Sunday; public holidays count as days."""
    when = _when(frame, date)
    left = monthrange(when.year, when.month)[1] - when.day
    return not _on_weekend(when) and (left == 0 or (DAYS[when.weekday()] == "FRIDAY" and left <= len(_WEEKEND)))


@table.function("isDayWeekInMonth")
def is_day_week_in_month(frame: Frame, date: object, day: str, position: str) -> bool:
    """Whether it is the FIRST, SECOND, THIRD, FOURTH or LAST such day of its month. day: MONDAY, TUESDAY, …"""
    when = _when(frame, date)
    weekday, place = _one_of(DAYS, day), _one_of(PLACES, position)
    if when.weekday() != weekday:
        return False
    if PLACES[place] == "LAST":
        return when.day + len(DAYS) > monthrange(when.year, when.month)[1]
    return (when.day - 1) // len(DAYS) == place


def _when(frame: Frame, date: object) -> datetime:
    return moment_of(frame, date).when  # what `later` leaves out are whole cycles of the calendar


def _on_weekend(when: datetime) -> bool:
    return DAYS[when.weekday()] in _WEEKEND


def _one_of(names: tuple[str, ...], name: str) -> int:
    if name.upper() not in names:
        raise Fault(f"`{name}` is not one of {', '.join(names)}")
    return names.index(name.upper())
