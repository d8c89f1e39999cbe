"""How values become text: alone, inside of other text, and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.expressions import Entry, Instant, Renderer

EAST = timezone(timedelta(hours=1))
PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("value", "alone", "in_json"),
    [
        (True, "true", "true"),
        (5, "5", "5"),
        (2**70, "1180591620717411303424", "1180591620717411303424"),
        (1.0, "1.0", "1.0"),
        (1234567.0, "1234567.0", "1234567.0"),
        (1e7, "1.0E7", "1.0E7"),
        (123456789.125, "1.23456789125E8", "1.23456789125E8"),
        (0.001, "0.001", "0.001"),
        (0.0001, "1.0E-4", "1.0E-4"),
        (-0.00012, "-1.2E-4", "-1.2E-4"),
        (-0.0, "-0.0", "-0.0"),
        (float("inf"), "Infinity", '"Infinity"'),
        (float("nan"), "NaN", '"NaN"'),
        (Decimal("1.50"), "1.50", "1.50"),
        (Decimal("1E+3"), "1000", "1E+3"),
        ("é\u0001\"/\\\n", "é\u0001\"/\\\n", '"é\\u0001\\"/\\\\\\n"'),
        (datetime(2024, 2, 29, 10, tzinfo=EAST), "2024-02-29T10:00+01:00", '"2024-02-29T09:00:00Z"'),
        (datetime(2024, 2, 29, 10, 0, 5, tzinfo=UTC), "2024-02-29T10:00:05Z", '"2024-02-29T10:00:05Z"'),
        (datetime(2024, 7, 1, 10, tzinfo=PARIS), "2024-07-01T10:00+02:00[Europe/Paris]", '"2024-07-01T08:00:00Z"'),
        (datetime(2024, 2, 29, 10, 0, 0, 120000), "2024-02-29T10:00:00.120", '"2024-02-29T10:00:00.12"'),
        (Instant(2024, 2, 29, 10, tzinfo=UTC), "2024-02-29T10:00:00Z", '"2024-02-29T10:00:00Z"'),
        (date(2024, 2, 29), "2024-02-29", '"2024-02-29"'),
        (time(10, 5), "10:05", '"10:05"'),
        (timedelta(hours=1, minutes=30), "PT1H30M", "5400.000000000"),
        (timedelta(microseconds=-1500), "PT-0.0015S", "-0.001500000"),
        (Entry("a", 1), "a=1", '{"a":1}'),
        (b"ab", "ab", '"ab"'),
    ],
    ids=lambda one: "an entry" if isinstance(one, Entry) else repr(one),
)  # fmt: skip
def test_scalars(render: Callable[..., str], value: Any, alone: str, in_json: str) -> None:
    assert render("{{ x }}", x=value) == alone
    assert render("{{ [x] }}", x=value) == f"[{in_json}]"
    assert render("{{ x | toJson }}", x=value) == in_json


def test_maps_lose_their_null_entries_and_lists_keep_theirs(render: Callable[..., str]) -> None:
    value = {"a": None, "b": [None, {"c": None, "d": 1}], 3: "x"}
    assert render("{{ x }}", x=value) == '{"b":[null,{"d":1}],"3":"x"}'


def test_lists_and_maps_inside_of_text(render: Callable[..., str]) -> None:
    value = {"a": [1, "b", None], "c": {"d": 1.0}}
    assert render("{{ 'x' ~ x }}", x=value) == "x{a=[1, b, null], c={d=1.0}}"


def test_null_alone_is_nothing(render: Callable[..., str]) -> None:
    assert render("[{{ x }}]", x=None) == "[]"


def test_dates_in_json_are_moved_to_the_zone_of_the_renderer() -> None:
    renderer = Renderer(zone="Europe/Paris")
    moment = datetime(2024, 7, 1, 10, tzinfo=UTC)
    assert renderer.render("{{ [x] }}", {"x": moment}) == '["2024-07-01T12:00:00+02:00"]'


def test_what_a_list_prints_is_a_python_value_too(render: Callable[..., str]) -> None:
    """Flows print lists into Python scripts; true, false and null are the only names in them."""
    rows = [{"id": 1, "price": 9.99, "tags": ["a", None], "ok": True, "text": 'quote " and \\'}]
    printed = render("{{ body | jq('.products') | first }}", body={"products": rows})
    names: dict[str, Any] = {"true": True, "false": False, "null": None, "__builtins__": {}}
    assert eval(printed, names) == rows
