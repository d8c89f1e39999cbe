"""Values as people read them."""

from __future__ import annotations

import pytest

from core.cli import people


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "-"), (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (55_200, "53.9 KiB"), (1024**2 - 1, "1.0 MiB"),
     (3 * 1024**3, "3.0 GiB"), (5 * 1024**4, "5.0 TiB")],
)  # fmt: skip
def test_sizes(count: int | None, text: str) -> None:
    assert people.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0, "0.00 s"), (0.416, "0.42 s"), (9.996, "10.0 s"), (59.96, "1 m 00 s"), (65, "1 m 05 s"),
     (3599.6, "1 h 00 m"), (7380, "2 h 03 m")],
)  # fmt: skip
def test_durations(seconds: float | None, text: str) -> None:
    assert people.duration(seconds) == text


def test_times_are_iso_8601_in_utc() -> None:
    assert people.iso_time(1_746_093_600_000_001) == "2025-05-01T10:00:00.000001Z"
    assert people.short_time(1_746_093_600_999_999) == "2025-05-01T10:00:00Z"
    assert people.iso_time(None) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "true"), (1.5, "1.5"), ("a\n b", "a b"), ({"a": [1]}, '{"a": [1]}'),
     ("x" * 61, "x" * 59 + "…")],
)  # fmt: skip
def test_cells(value: object, text: str) -> None:
    assert people.cell(value) == text


def test_facts_are_pairs() -> None:
    assert people.facts({"code": 200, "ok": True}) == "code=200, ok=true"
