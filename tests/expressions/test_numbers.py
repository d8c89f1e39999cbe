"""Numbers from text, and text from numbers by a pattern."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("-5 | abs", "5"), ("-1.5 | abs", "1.5"),
        ("'12' | number", "12"), ("'-12L' | number", "-12"), ("'0x1F' | number", "31"), ("'012' | number", "10"),
        ("'0' | number", "0"), ("'1.5' | number", "1.5"), ("'1e3' | number", "1000.0"), ("'1.5f' | number", "1.5"),
        ("'123456789012345678901234567890' | number", "123456789012345678901234567890"),
        ("'1.12345678901234567890' | number", "1.12345678901234567890"),
        ("'7' | number('INT') + 1", "8"), ("'1.5' | number(type='DOUBLE')", "1.5"), ("'1.10' | number('BIGDECIMAL')", "1.10"),
        ("'9' | number('LONG')", "9"), ("'NaN' | number('DOUBLE')", "NaN"), ("'5' | number('nonsense')", "5"),
        ("null | number", ""),
    ],
)  # fmt: skip
def test_numbers(render: Callable[..., str], expression: str, expected: str) -> None:
    assert render("{{ " + expression + " }}") == expected


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        (1234.565, "0.00", "1234.57"), (1234.565, "0", "1235"), (1234.565, "#,##0.0", "1,234.6"), (1234.565, "0%", "123456%"),
        (1234.565, "0.0‰", "1234565.0‰"), (1234.565, "x0y", "x1235y"), (1234.565, "$ #,##0.00", "$ 1,234.57"),
        (0.125, "#.##", ".12"), (2.5, "0", "2"), (3.5, "0", "4"), (-1.5, "0.0;(0.0)", "(1.5)"), (-5, "000", "-005"),
        (12, "000", "012"), (0, "#", "0"), (0, "#.##", "0"), (0.5, "#.0", ".5"), (10000000, "#,###", "10,000,000"),
        (12345, "0.###E0", "1.234E4"), (0.00012, "0.0E00", "1.2E-04"), (12345, "##0.##E0", "12.3E3"), (12345, "##0.#####E0", "12.345E3"), (0, "0E0", "0E0"),
        (Decimal("2.675"), "0.00", "2.68"), (1.005, "0.00", "1.00"), (float("inf"), "0", "∞"), (-float("inf"), "0", "-∞"),
        (float("nan"), "0", "NaN"), (5, "'#'0", "#5"), (5, "0 'it''s'", "5 its"), (1234567.8912, None, "1,234,567.891"),
        (-0.4, "0", "-0"), (1234.5, "", "1,234.5"), (5.7, "x", "x6"), (5, "0 EUR", "5 EUR"),
    ],
)  # fmt: skip
def test_number_patterns(render: Callable[..., str], value: object, pattern: str | None, expected: str) -> None:
    template = "{{ x | numberFormat }}" if pattern is None else "{{ x | numberFormat(p) }}"
    assert render(template, x=value, p=pattern) == expected


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("1 | number", "`value` of `number` is a whole number"),
        ("' 1' | number", "` 1` is not a number"),
        ("'' | number", "`` is not a number"),
        ("'09' | number", "`09` is not a number"),
        ("'1,5' | number", "`1,5` is not a number"),
        ("'1.5' | number('INT')", "`1.5` is not a number"),
        ("'3000000000' | number('INT')", "`3000000000` does not fit into 32 bits"),
        ("'99999999999999999999L' | number", "`99999999999999999999L` does not fit into 64 bits"),
        ("'a' | numberFormat('0')", "`value` of `numberFormat` is a text"),
        ("null | abs", "`abs` is given null"),
        ("1 | numberFormat('.')", "`.` is not a number pattern"),
        ("1 | numberFormat('0EUR')", "`0EUR` is not a number pattern"),
        ("1 | numberFormat('0#')", "`0#` is not a number pattern"),
        ("1 | numberFormat('0.#0')", "`0.#0` is not a number pattern"),
        ("1 | numberFormat('0.0.0')", "`0.0.0` is not a number pattern"),
    ],
)
def test_what_is_refused(message: Callable[..., str], expression: str, problem: str) -> None:
    assert message("{{ " + expression + " }}").splitlines()[0] == problem
