"""32-bit numbers, names of kinds, methods of dates, arguments that are ignored, and what `default` evaluates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from core.errors import ExpressionError
from core.expressions.values import float32


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'12.3' | number | className", "java.lang.Float"), ("'1.123456789' | number | className", "java.lang.Double"),
        ("'1.12345678901234567890' | number | className", "java.math.BigDecimal"),
        ("'1.5' | number('FLOAT') | className", "java.lang.Float"), ("'1.5d' | number | className", "java.lang.Double"),
        ("'7' | number('BIGINTEGER') | className", "java.math.BigInteger"), ("'7' | number | className", "java.lang.Integer"),
        ("7 | className", "java.lang.Long"), ("(n + 1) | className", "java.lang.Long"), ("n | className", "java.lang.Integer"),
        ("-n | className", "java.lang.Integer"), ("2.5 | className", "java.lang.Double"),
        ("('0.1' | number) * 3", "0.3"), ("('0.1' | number) + ('0.2' | number)", "0.3"), ("-('0.1' | number)", "-0.1"),
        ("('0.1' | number) + 0.2", "0.30000000000000004"), ("('0.1' | number) == 0.1", "true"),
        ("'16777217.5' | number('FLOAT')", "1.6777218E7"), ("f", "1.123"), ("[f]", "[1.123]"),
        ("f | toIon", "1.1230000257492065e0"), ("f | jq('.') | first | className", "java.lang.Float"),
    ],
)  # fmt: skip
def test_numbers_have_the_widths_of_the_reference(render: Callable[..., str], expression: str, expected: str) -> None:
    assert render("{{ " + expression + " }}", n=3, f=float32(1.123)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("z.offset", "+01:00"), ("z.zone", "+01:00"), ("z.plusDays(1)", "2024-03-01T10:05:06+01:00"),
        ("z.minusHours(11)", "2024-02-28T23:05:06+01:00"), ("z.toInstant()", "2024-02-29T09:05:06Z"),
        ("z.toEpochSecond()", "1709197506"), ("z.toLocalDate()", "2024-02-29"), ("day.plusWeeks(1)", "2024-03-07"),
        ("z.toLocalDateTime()", "2024-02-29T10:05:06"), ("z.isBefore(z.plusSeconds(1))", "true"),
        ("day.isAfter(day)", "false"), ("day.isEqual(day)", "true"),
    ],
)  # fmt: skip
def test_dates_have_methods(render: Callable[..., str], expression: str, expected: str) -> None:
    when = datetime(2024, 2, 29, 10, 5, 6, tzinfo=timezone(timedelta(hours=1)))
    assert render("{{ " + expression + " }}", z=when, day=date(2024, 2, 29)) == expected


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("z.plusDays('1')", "a date can't be moved by a text"),
        ("z.plusDays(9999999)", "the date is out of range"),
        ("z.isBefore(day)", "a date can't be compared with a date"),
        ("z.isBefore(1)", "a date can't be compared with a whole number"),
    ],
)
def test_what_methods_of_dates_refuse(message: Callable[..., str], expression: str, problem: str) -> None:
    told = message("{{ " + expression + " }}", z=datetime(2024, 2, 29, tzinfo=UTC), day=date(2024, 2, 29))
    assert told.splitlines()[0] == problem


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'a' | upper(1)", "A"), ("'a' | upper(x=1)", "A"), ("[1] | length('b', 2)", "1"), ("2 is even(5)", "true"),
        ("max(a=1)", ""), ("max('a')", "a"), ("'abc' | startsWith(value='a')", "true"), ("'ßa' | title", "ßa"),
    ],
)  # fmt: skip
def test_filters_without_arguments_ignore_them(render: Callable[..., str], expression: str, expected: str) -> None:
    assert render("{{ " + expression + " }}") == expected


def test_the_argument_of_default_is_always_evaluated(render: Callable[..., str]) -> None:
    assert render("{{ a | default('b') }} {{ (a | default(x)) ?? 'c' }}", a=1) == "1 c"
    with pytest.raises(ExpressionError, match="`x` is undefined"):
        render("{{ a | default(x) }}", a=1)


def test_is_not_is_one_operator(message: Callable[..., str]) -> None:
    assert message("{{ 1 is  not null }}") == (
        "`is not` is one operator\n    {{ 1 is  not null }}\n             ^\n  expected: one blank between its words"
    )


def test_years_go_on_after_9999(render: Callable[..., str]) -> None:
    assert render("{{ 1518004210000 | date('MM/dd/yyyy') }}") == "08/21/+50073"
    assert render("{{ 1518004210000 | dateAdd(1, 'DAYS', 'yyyy-MM-dd y yy') }}") == "+50073-08-22 50073 73"
    assert render("{{ 1518004210000 | timestamp }} {{ 1518004210000 | timestampNano }}") == (
        "1518004210000 1518004210000000000000"
    )
