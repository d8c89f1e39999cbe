"""Functions on the day of a date."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.expressions import Renderer


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("dayOfWeek('2024-02-29')", "THURSDAY"),
        ("dayOfWeek('2024-02-29T23:30:00-05:00')", "THURSDAY"),
        ("dayOfWeek(1709201106)", "THURSDAY"),
        ("dayOfMonth('2024-02-29T10:00:00Z')", "29"),
        ("monthOfYear('2024-02-29')", "2"),
        ("hourOfDay('2024-02-29T23:30:00+05:00')", "23"),
        ("hourOfDay('2024-02-29')", "0"),
        ("isWeekend('2024-03-01')", "false"),
        ("isWeekend('2024-03-02')", "true"),
        ("isWeekend('2024-03-03')", "true"),
        ("isLastWorkingDay('2024-02-29')", "true"),
        ("isLastWorkingDay('2024-03-29')", "true"),  # a Friday, the 30th and 31st are a weekend
        ("isLastWorkingDay('2024-03-30')", "false"),
        ("isLastWorkingDay('2024-03-28')", "false"),
        ("isLastWorkingDay('2024-06-28')", "true"),  # a Friday, the 30th is a Sunday
        ("isLastWorkingDay('2024-09-30')", "true"),  # a Monday
        ("isLastWorkingDay('2024-09-27')", "false"),
        ("isDayWeekInMonth('2024-03-04', 'MONDAY', 'FIRST')", "true"),
        ("isDayWeekInMonth('2024-03-11', 'monday', 'second')", "true"),
        ("isDayWeekInMonth('2024-03-11', 'MONDAY', 'FIRST')", "false"),
        ("isDayWeekInMonth('2024-03-11', 'TUESDAY', 'SECOND')", "false"),
        ("isDayWeekInMonth('2024-03-25', 'MONDAY', 'FOURTH')", "true"),
        ("isDayWeekInMonth('2024-03-25', 'MONDAY', 'LAST')", "true"),
        ("isDayWeekInMonth('2024-03-22', 'FRIDAY', 'LAST')", "false"),
        ("isDayWeekInMonth('2024-03-29', 'FRIDAY', 'LAST')", "true"),
        ("isDayWeekInMonth('2024-03-29', day='FRIDAY', position='LAST')", "true"),
    ],
)
def test_the_day_of_a_date(expression: str, expected: str, render: Callable[..., str]) -> None:
    assert render("{{ " + expression + " }}") == expected


def test_every_day_of_a_year_is_in_one_place_of_its_month_or_two(renderer: Renderer) -> None:
    template = (
        "{% for place in ['FIRST', 'SECOND', 'THIRD', 'FOURTH', 'LAST'] %}"
        "{{ isDayWeekInMonth(date, dayOfWeek(date), place) ? place : '' }} {% endfor %}"
    )
    found = [
        renderer.render(template, {"date": f"2023-{month:02}-{day:02}"}).split()
        for month in range(1, 13) for day in range(1, 29)
    ]  # fmt: skip
    assert {tuple(places) for places in found} == {
        ("FIRST",), ("SECOND",), ("THIRD",), ("FOURTH",), ("FOURTH", "LAST"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("isDayWeekInMonth('2024-03-11', 'MON', 'FIRST')", "`MON` is not one of MONDAY, TUESDAY, WEDNESDAY, THURSDAY"),
        ("isDayWeekInMonth('2024-03-11', 'MONDAY', 'FIFTH')", "`FIFTH` is not one of FIRST, SECOND, THIRD, FOURTH, LAST"),
        ("isWeekend(true)", "a boolean is not a date"),
        ("isPublicHoliday('2024-03-11', 'FR')", "`isPublicHoliday()` is not available here"),
    ],
)  # fmt: skip
def test_what_is_no_day_is_told(expression: str, expected: str, message: Callable[..., str]) -> None:
    assert message("{{ " + expression + " }}").startswith(expected)
