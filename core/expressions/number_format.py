"""Patterns of java.text.DecimalFormat: `#,##0.00`, `0%`, `0.0;(0.0)`, `0.###E0`."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple

from core.expressions.faults import Fault, within_limit

DEFAULT = "#,##0.###"
_MAX_PATTERN = 400
_MOST_PLACES = 340
"""Places behind the point that the empty pattern allows."""
_NUMBER = frozenset("#0,.")


class Format(NamedTuple):
    """Digits before and after the point, how many together in a group (0: none), a factor, and the texts around.

    exponent: digits of the exponent at least, 0 for no exponent. most_whole: digits written before the point of a
    number with an exponent.
    """

    whole: int
    most_whole: int
    least: int
    most: int
    group: int
    exponent: int
    factor: int
    prefix: str
    suffix: str
    negative_prefix: str
    negative_suffix: str


def format_number(value: int | float | Decimal, pattern: str | None) -> str:
    """A number by a pattern; half of the last place goes to the even neighbour, on the exact binary value."""
    format = format_of(DEFAULT if pattern is None else pattern)
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    negative = value < 0 or (isinstance(value, float) and math.copysign(1.0, value) < 0)
    prefix, suffix = format.prefix, format.suffix
    if negative:
        prefix, suffix = format.negative_prefix, format.negative_suffix
    if isinstance(value, float) and math.isinf(value):
        return f"{prefix}∞{suffix}"
    within_limit(abs(Decimal(value).adjusted()) * 1000, "digits")
    exact = abs(Decimal(value * format.factor))
    digits = _scientific(exact, format) if format.exponent else _plain(exact, format)
    return f"{prefix}{digits}{suffix}"


def _plain(value: Decimal, format: Format) -> str:
    whole, _, fraction = _rounded(value, format.most).partition(".")
    whole = whole.lstrip("0").rjust(format.whole, "0")
    fraction = fraction.rstrip("0").ljust(format.least, "0")
    if not whole and not fraction:
        whole = "0"
    if format.group:
        whole = _grouped(whole, format.group)
    return f"{whole}.{fraction}" if fraction else whole


def _rounded(value: Decimal, places: int) -> str:
    with localcontext() as context:
        context.prec = 20_000
        return format(value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN), "f")


def _grouped(digits: str, size: int) -> str:
    first = len(digits) % size
    groups = [digits[start : start + size] for start in range(first, len(digits), size)]
    return ",".join(([digits[:first]] if first else []) + groups)


def _scientific(value: Decimal, format: Format) -> str:
    exponent = value.adjusted() if value else 0
    if format.most_whole > format.whole and format.most_whole > 1:
        exponent = exponent // format.most_whole * format.most_whole
    else:
        exponent -= max(format.whole, 1) - 1
    shifted = value.scaleb(-exponent) if value else value
    places = format.most
    if format.most_whole > format.whole and format.most_whole > 1:
        # As many digits in all as the pattern has zeros before the point and places behind it.
        places = max(0, format.whole + format.most - 1 - (shifted.adjusted() if value else 0))
    mantissa = _plain(shifted, format._replace(group=0, most=places))
    sign = "-" if exponent < 0 else ""
    return f"{mantissa}E{sign}{abs(exponent):0{format.exponent}d}"


@lru_cache(maxsize=256)
def format_of(pattern: str) -> Format:
    """Read a pattern. Raises Fault."""
    if len(pattern) > _MAX_PATTERN:
        raise Fault("the number pattern is too long", expected=f"at most {_MAX_PATTERN} characters")
    if not pattern:
        return Format(0, 0, 0, _MOST_PLACES, 3, 0, 1, "", "", "-", "")
    positive, negative = _halves(pattern)
    prefix, body, exponent, suffix = _parts(positive, pattern)
    factor = 100 if "%" in prefix + suffix else 1000 if "‰" in prefix + suffix else 1
    whole, _, fraction = body.partition(".")
    group = len(whole) - whole.rfind(",") - 1 if "," in whole else 0
    if (whole.count("0") and "#" in whole[whole.find("0") :]) or "0" in fraction.lstrip("0,") or "," in fraction:
        raise _malformed(pattern)
    negative_prefix, negative_suffix = "-" + prefix, suffix
    if negative is not None:
        negative_prefix, _, _, negative_suffix = _parts(negative, pattern)
    digits = whole.replace(",", "")
    return Format(
        digits.count("0"), len(digits), fraction.count("0"), len(fraction), group, exponent, factor,
        prefix, suffix, negative_prefix, negative_suffix,
    )  # fmt: skip


def _malformed(pattern: str) -> Fault:
    return Fault(f"`{pattern}` is not a number pattern", expected="a pattern such as 0, #,##0.00, 0.0% or 0.###E0")


def _halves(pattern: str) -> tuple[str, str | None]:
    quoted = False
    for at, char in enumerate(pattern):
        if char == "'":
            quoted = not quoted
        elif char == ";" and not quoted:
            return pattern[:at], pattern[at + 1 :]
    return pattern, None


def _parts(half: str, pattern: str) -> tuple[str, str, int, str]:
    """Text before the digits, the digits, the places of the exponent, text after."""
    prefix, at = _text(half, 0, stop=True)
    start = at
    while at < len(half) and half[at] in _NUMBER:
        at += 1
    body = half[start:at]
    if (body and not body.strip(".,")) or body.count(".") > 1 or body.endswith(","):
        raise _malformed(pattern)
    exponent = 0
    if body and half.startswith("E", at) and not half.startswith("E0", at):
        raise _malformed(pattern)
    if half.startswith("E0", at):
        end = at + 1
        while half.startswith("0", end):
            end += 1
        exponent, at = end - at - 1, end
    suffix, end = _text(half, at, stop=False)
    return prefix, body, exponent, suffix


def _text(half: str, at: int, stop: bool) -> tuple[str, int]:
    """Literal text from a place on, quotes taken off; up to the first digit if `stop`."""
    parts: list[str] = []
    while at < len(half) and not (stop and half[at] in _NUMBER):
        char = half[at]
        if char == "'":
            end = half.find("'", at + 1)
            if end < 0:
                raise _malformed(half)
            parts.append(half[at + 1 : end] or "'")
            at = end + 1
            continue
        if char == "¤" or char in _NUMBER:
            raise _malformed(half)
        parts.append(char)
        at += 1
    return "".join(parts), at
