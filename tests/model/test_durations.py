from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.model.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("PT30S", timedelta(seconds=30)),
        ("PT1H30M", timedelta(hours=1, minutes=30)),
        ("P1D", timedelta(days=1)),
        ("P2W", timedelta(weeks=2)),
        ("P1DT12H", timedelta(days=1, hours=12)),
        ("PT0.5S", timedelta(milliseconds=500)),
        ("PT0,5S", timedelta(milliseconds=500)),
        ("PT-0.5S", timedelta(milliseconds=-500)),
        ("PT0.123456789S", timedelta(microseconds=123457)),
        ("PT9999999999.999999S", timedelta(seconds=9999999999, microseconds=999999)),
        ("-PT1H", timedelta(hours=-1)),
        ("PT-1H-30M", timedelta(hours=-1, minutes=-30)),
        ("PT1H-30M", timedelta(minutes=30)),
        ("PT+1H", timedelta(hours=1)),
        ("pt5m", timedelta(minutes=5)),
        (" PT5M ", timedelta(minutes=5)),
        ("PT0S", timedelta()),
        ("PT60M", timedelta(hours=1)),
    ],
)
def test_iso_8601_durations_are_read(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "1H", "PT1.5H", "P1Y", "P1M", "PT5", "5 minutes", "PT٣S", "PT1S1M"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_duration(text)

    assert str(refused.value) == (
        f"`{text}` is not a duration\n  expected: an ISO 8601 duration such as PT30S, PT1H30M or P1D"
    )


def test_a_duration_longer_than_python_knows_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        parse_duration("P99999999999D")

    assert str(refused.value) == ("`P99999999999D` is too long for a duration\n  expected: less than 2.7 million years")


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(), "PT0S"),
        (timedelta(hours=1, minutes=30), "PT1H30M"),
        (timedelta(days=1, seconds=1), "PT24H1S"),
        (timedelta(milliseconds=1500), "PT1.5S"),
        (timedelta(microseconds=-1), "PT-0.000001S"),
        (timedelta(hours=-1, seconds=-2), "PT-1H-2S"),
    ],
)
def test_hours_are_the_largest_unit(span: timedelta, text: str) -> None:
    assert format_duration(span) == text


@given(st.timedeltas())
def test_every_duration_is_read_as_it_was_written(span: timedelta) -> None:
    assert parse_duration(format_duration(span)) == span
