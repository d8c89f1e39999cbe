"""Recorded values as JSON, as the command line shows them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from core.cli.output import json_text
from core.errors import TooLarge
from core.model.codec import SecretText
from tailrace_server.plain import json_bytes
from tailrace_server.times import iso, micros

VALUES: dict[str, tuple[Any, str]] = {
    "plain": ({"a": [1, 2.5, True, None, "ä"]}, '{"a":[1,2.5,true,null,"ä"]}'),
    "a date and times": (
        [date(2024, 2, 29), time(10, 0), datetime(2024, 2, 29, 10, 0, tzinfo=UTC)],
        '["2024-02-29","10:00:00","2024-02-29T10:00:00+00:00"]',
    ),
    "a duration": ({"d": timedelta(minutes=90)}, '{"d":"PT1H30M"}'),
    "a decimal": (Decimal("1.10"), '"1.10"'),
    "bytes": ({"b": b"\x00\xff"}, '{"b":"AP8="}'),
    "numbers that JSON does not have": (
        [float("nan"), float("inf"), float("-inf"), 1.5], '["NaN","Infinity","-Infinity",1.5]'),
    "beside a date": ([float("nan"), date(2024, 2, 29)], '["NaN","2024-02-29"]'),
    "a secret": ({"s": SecretText(("Bearer ", ("TOKEN",)))}, '{"s":"Bearer ••••"}'),
    "half a pair": ("\ud800", '"\\ud800"'),
    "a large number": (10**30, "1000000000000000000000000000000"),
    "another map": (MappingProxyType({"a": (1, 2)}), '{"a":[1,2]}'),
}  # fmt: skip


@pytest.mark.parametrize(("value", "text"), VALUES.values(), ids=VALUES)
def test_a_value_as_json(value: Any, text: str) -> None:
    assert json_bytes(value).decode() == text
    assert json.loads(text) == json.loads(json_text(value))


def test_endless_nesting_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(TooLarge) as refused:
        json_bytes(value)
    assert str(refused.value) == "the value is nested too deeply to be shown"


TIMES: dict[str, int] = {
    "1970-01-01": 0,
    "1970-01-01T00:00:00Z": 0,
    "1970-01-01T01:00:00+01:00": 0,
    "2024-02-29T10:00:00.000001Z": 1709200800000001,
    "1969-12-31T23:59:59Z": -1_000_000,
    "20240229T100000Z": 1709200800000000,
}


@pytest.mark.parametrize(("text", "at"), TIMES.items())
def test_a_time_is_read_and_shown(text: str, at: int) -> None:
    assert micros(text) == at
    assert micros(iso(at) or "") == at


def test_no_time_stays_none() -> None:
    assert iso(None) is None
