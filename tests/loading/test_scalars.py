from __future__ import annotations

import math

import pytest

from core.loading.scalars import MEANINGFUL, resolve

TABLE: dict[str, object] = {
    # null
    "": None, "~": None, "null": None, "Null": None, "NULL": None, "nULL": "nULL", "None": "None",
    # booleans
    "true": True, "True": True, "TRUE": True, "tRUE": "tRUE", "yes": True, "Yes": True, "on": True, "ON": True,
    "false": False, "no": False, "No": False, "off": False, "OFF": False, "y": "y", "n": "n", "t": "t",
    # whole numbers
    "0": 0, "5": 5, "+5": 5, "-5": -5, "-0": 0, "1_000": 1000, "1__0": 10, "010": 8, "-010": -8, "0_7": 7, "00": 0,
    "0x1F": 31, "-0xff": -255, "0x_f": 15, "0b101": 5, "08": "08", "0o7": "0o7", "0x": "0x", "_1": "_1", "-": "-",
    "123456789012345678901234567890": 123456789012345678901234567890,
    # numbers with a fraction
    "1.5": 1.5, "-1.5": -1.5, "1.": 1.0, ".5": 0.5, "1e3": 1000.0, "1E-3": 0.001, "1_000.5": 1000.5, "1.5e2": 150.0,
    "-.5": "-.5", "1e": "1e", ".": ".", "..": "..", "...": "...",
    ".inf": math.inf, "-.INF": -math.inf, "+.Inf": math.inf, "inf": "inf", "NaN": "NaN",
    # what YAML 1.1 calls dates and base 60 stays text
    "2024-02-29": "2024-02-29", "2024-02-29T10:00:00Z": "2024-02-29T10:00:00Z", "1:30": "1:30", "1:30.5": "1:30.5",
    "10:00:00": "10:00:00",
    # the rest
    "hello": "hello", "1 2": "1 2", "v1": "v1", "=": "=", "<<": "<<", "1.2.3": "1.2.3", "٣": "٣",
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), TABLE.items())
def test_a_plain_text_means_what_it_means_in_the_reference(text: str, value: object) -> None:
    found = resolve(text)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_not_a_number_is_a_number(text: str) -> None:
    found = resolve(text)

    assert isinstance(found, float)
    assert math.isnan(found)


def test_whatever_has_a_meaning_passes_the_fast_test() -> None:
    assert [text for text, value in TABLE.items() if value != text and text[:1] not in MEANINGFUL] == []


def test_a_number_that_is_absurdly_long_stays_text() -> None:
    assert resolve("9" * 5000) == "9" * 5000
