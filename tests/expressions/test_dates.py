"""Dates: what is read, by which zone, and how each pattern letter writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from core.expressions import Renderer

Z = datetime(2024, 2, 29, 10, 5, 6, 789123, tzinfo=timezone(timedelta(hours=1)))
VARIABLES: dict[str, Any] = {
    "z": Z,
    "naive": datetime(2024, 2, 29, 10, 5, 6),
    "day": date(2024, 2, 29),
    "early": datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    "evening": datetime(2023, 12, 31, 21, 7, 8, 9, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("z | date", "2024-02-29T09:05:06.789123Z"),
        ("z | date(timeZone='Europe/Paris')", "2024-02-29T10:05:06.789123+01:00"),
        ("z | date('iso_sec', '+03:00')", "2024-02-29T12:05:06+03:00"),
        ("naive | date(timeZone='Europe/Paris')", "2024-02-29T10:05:06.000000+01:00"),
        ("day | date(timeZone='Asia/Tokyo')", "2024-02-29T12:00:00.000000+09:00"),
        ("'2024-02-29' | date", "2024-02-29T00:00:00.000000Z"),
        ("'2024-02-29' | date(timeZone='Asia/Tokyo')", "2024-02-29T00:00:00.000000+09:00"),
        ("'2024-02-29T10:05:06+02:00' | date", "2024-02-29T08:05:06.000000Z"),
        ("'2024-02-29T10:05Z' | date", "2024-02-29T10:05:00.000000Z"),
        ("'2024-02-29 10:05:06' | date", "2024-02-29T10:05:06.000000Z"),
        ("'2024-02-29 10:05:06.789123' | date(timeZone='Asia/Tokyo')", "2024-02-29T10:05:06.789123+09:00"),
        ("'2024-02-29 10:05:06.5+00' | date", "2024-02-29T10:05:06.500000Z"),
        ("'2024-02-29 10:05:06+02' | timestamp", "1709193906"),
        ("'2024-07-01T10:00:00+02:00[Europe/Paris]' | date('VV')", "UTC"),
        ("1709201106 | date", "2024-02-29T10:05:06.000000Z"),
        ("'29.02.2024' | date('yyyy-MM-dd', existingFormat='dd.MM.yyyy')", "2024-02-29"),
        ("'July 4, 2001 3:05 PM' | date(existingFormat='MMMM d, yyyy h:mm a')", "2001-07-04T15:05:00.000000Z"),
        ("'20240229T100506' | date(existingFormat=\"yyyyMMdd'T'HHmmss\")", "2024-02-29T10:05:06.000000Z"),
        ("'2024-02-29 10:05' | date(existingFormat='yyyy-MM-dd HH:mm[:ss]')", "2024-02-29T10:05:00.000000Z"),
        ("'24-060' | date('iso_date', existingFormat='yy-DDD')", "2024-02-29Z"),
        ("'Tue, 08 Feb 2022 19:38:26 GMT' | date(existingFormat='rfc_1123_date_time')", "2022-02-08T19:38:26.000000Z"),
        ("'2024-02-29 10:05 +0530' | date(existingFormat='yyyy-MM-dd HH:mm Z')", "2024-02-29T04:35:00.000000Z"),
        ("null | date", ""),
        ("now()", "2024-02-29T12:00:05.678901Z"),
        ("now('yyyy-MM-dd HH:mm', timeZone='Asia/Kolkata')", "2024-02-29 17:30"),
    ],
)
def test_reading_and_zones(render: Callable[..., str], expression: str, expected: str) -> None:
    assert render("{{ " + expression + " }}", **VARIABLES) == expected


def test_the_zone_of_the_renderer_is_the_default() -> None:
    renderer = Renderer(zone="Europe/Paris", clock=lambda: Z)
    assert renderer.render("{{ z | date }} {{ now('VV') }}", VARIABLES) == "2024-02-29T10:05:06.789123+01:00 Europe/Paris"
    assert renderer.render("{{ '2024-07-01' | timestamp }}", {}) == "1719784800"


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("iso", "2024-02-29T09:05:06.789123Z"), ("iso_sec", "2024-02-29T09:05:06Z"), ("sql", "2024-02-29 09:05:06.789123"),
        ("sql_seq", "2024-02-29 09:05:06"), ("iso_date_time", "2024-02-29T09:05:06.789123Z[UTC]"),
        ("iso_local_date_time", "2024-02-29T09:05:06.789123"), ("iso_local_date", "2024-02-29"),
        ("iso_local_time", "09:05:06.789123"), ("iso_date", "2024-02-29Z"), ("iso_offset_time", "09:05:06.789123Z"),
        ("iso_instant", "2024-02-29T09:05:06.789123Z"), ("iso_ordinal_date", "2024-060Z"),
        ("iso_week_date", "2024-W09-4Z"), ("rfc_1123_date_time", "Thu, 29 Feb 2024 09:05:06 GMT"),
        ("full", "Thursday, February 29, 2024 at 9:05:06 AM Coordinated Universal Time"),
        ("long", "February 29, 2024 at 9:05:06 AM UTC"), ("medium", "Feb 29, 2024, 9:05:06 AM"), ("short", "2/29/24, 9:05 AM"),
        ("G yyyy yy y u", "AD 2024 24 2024 2024"), ("Y-w-W e c", "2024-9-5 5 5"), ("Q QQ QQQ QQQQ", "1 01 Q1 1st quarter"),
        ("M MM MMM MMMM MMMMM L", "2 02 Feb February F 2"), ("d dd D DDD", "29 29 60 060"),
        ("E EEE EEEE EEEEE eee", "Thu Thu Thursday T Thu"), ("a h hh K k H HH", "AM 9 09 9 9 9 09"), ("m mm s ss", "5 05 6 06"),
        ("S SSS SSSSSSSSS n", "7 789 789123000 789123000"), ("A N", "32706789 32706789123000"),
        ("VV z zzzz", "UTC UTC Coordinated Universal Time"), ("O OOOO", "GMT GMT"),
        ("X XX XXX x xx xxx", "Z Z Z +00 +0000 +00:00"), ("Z ZZZZ ZZZZZ", "+0000 GMT Z"), ("g", "60369"),
        ("B", "in the morning"), ("pppM ppd", "  2 29"), ("''yyyy'' 'o''clock' [HH]", "'2024' o'clock 09"), ("yyyy/é.", "2024/é."),
    ],
)  # fmt: skip
def test_writing(render: Callable[..., str], format: str, expected: str) -> None:
    assert render("{{ z | date(format) }}", z=Z, format=format) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ evening | date('h a K k B') }}", "9 PM 9 21 at night"),
        ("{{ early | date('h K k B Y w') }}", "12 0 24 midnight 2024 1"),
        ("{{ evening | date('Y w') }}", "2024 1"),
        ("{{ evening | date('Y w e', locale='fr_FR') }}", "2023 52 7"),
        ("{{ evening | date('iso_local_time') }}", "21:07:08.000009"),
        ("{{ z | date('EEE d MMM, EEEE d MMMM', locale='fr') }}", "jeu. 29 févr., jeudi 29 février"),
        ("{{ z | date('EEEE', locale='de_DE') }}", "Donnerstag"),
        ("{{ z | date('yyyy', locale='zz') }}", "2024"),
        ("{{ z | date('X XX XXX O z VV', timeZone='+05:30') }}", "+0530 +0530 +05:30 GMT+5:30 +05:30 +05:30"),
        ("{{ z | date('X x O', timeZone='Asia/Tokyo') }}", "+09 +09 GMT+9"),
    ],
)
def test_writing_elsewhere(render: Callable[..., str], template: str, expected: str) -> None:
    assert render(template, **VARIABLES) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("z | dateAdd(-1, 'MONTHS')", "2024-01-29T09:05:06.789123Z"),
        ("'2024-01-31' | dateAdd(1, 'MONTHS', 'yyyy-MM-dd')", "2024-02-29"),
        ("z | dateAdd(1, 'YEARS', format='iso_date')", "2025-02-28Z"),
        ("z | dateAdd(2, 'DECADES', format='yyyy')", "2044"),
        ("z | dateAdd(1, 'WEEKS', format='dd')", "07"),
        ("z | dateAdd(1, 'HALF_DAYS', 'HH')", "21"),
        ("z | dateAdd(1, 'NANOS', 'SSSSSSSSS')", "789123001"),
        ("z | dateAdd(-789123001, 'NANOS', 'ss SSSSSSSSS')", "05 999999999"),
        ("z | dateAdd(1, 'MICROS', 'SSSSSS')", "789124"),
        ("'2024-03-30T12:00:00+01:00[Europe/Paris]' | dateAdd(1, 'DAYS', timeZone='Europe/Paris', format='HH XXX')", "12 +02:00"),
        ("'2024-03-30T12:00:00+01:00[Europe/Paris]' | dateAdd(24, 'HOURS', timeZone='Europe/Paris', format='HH')", "13"),
        ("null | dateAdd(1, 'DAYS')", ""),
        ("z | timestamp", "1709197506"),
        ("z | timestampMilli", "1709197506789"),
        ("z | timestampMicro", "1709197506000789123"),
        ("z | timestampNano", "1709197506789123000"),
        ("'1969-12-31T23:59:59.5Z' | timestamp", "-1"),
        ("naive | timestamp(timeZone='Europe/Paris')", "1709197506"),
    ],
)  # fmt: skip
def test_adding_and_counting(render: Callable[..., str], expression: str, expected: str) -> None:
    assert render("{{ " + expression + " }}", **VARIABLES) == expected


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("'soon' | date", "`soon` can't be read as a date"),
        ("'2024-02-30' | date", "`2024-02-30` can't be read as a date"),
        ("'2024' | date(existingFormat='yyyy')", "`2024` can't be read as a date"),
        ("'x' | date(existingFormat='yyyy-MM-dd')", "`x` can't be read as a date"),
        ("1.5 | date", "a decimal number is not a date"),
        ("true | date", "a boolean is not a date"),
        ("99999999999999999 | date", "the date is out of range"),
        ("z | date('b')", "`b` is not a date pattern: Unknown pattern letter: b"),
        ("z | date('MMMMMM')", "`MMMMMM` is not a date pattern: Too many pattern letters: M"),
        ("z | date('{')", "`{` is not a date pattern: `{` is reserved"),
        ("z | date(\"'open\")", "`'open` is not a date pattern: a quote is never closed"),
        ("z | date(timeZone='EST')", "there is no time zone `EST`"),
        ("z | date(timeZone='Nowhere/City')", "there is no time zone `Nowhere/City`"),
        ("z | date('MMM', locale='zz')", "the names of months and days are not known for the locale `zz`"),
        ("z | date('full', locale='fr')", "the style `full` is known in English only"),
        ("z | date('zzzz', timeZone='Asia/Tokyo')", "names of time zones in full are known for UTC only"),
        ("z | dateAdd(1, 'days')", "`days` is not a unit of time"),
        ("z | dateAdd('1', 'DAYS')", "`amount` of `dateAdd` is a text"),
        ("z | dateAdd(99999, 'YEARS')", "the date is out of range"),
        ("now(1)", "`format` of `now` is a whole number"),
    ],
)
def test_what_is_refused(message: Callable[..., str], expression: str, problem: str) -> None:
    assert message("{{ " + expression + " }}", **VARIABLES).splitlines()[0] == problem
