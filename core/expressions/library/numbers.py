"""Filters, functions and tests on numbers."""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from core.expressions import number_format as patterns
from core.expressions.faults import Fault
from core.expressions.library.declare import Number, Table
from core.expressions.operators import greater, less, wrapped
from core.expressions.values import BigWhole, float32, is_number, kind_of

table = Table()

_WHOLE = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]+|#[0-9a-fA-F]+|\d+)([lL]?)")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?")
_LONGEST = 3000


@table.filter("abs")
def abs_(value: Number | None) -> Any:
    if value is None:
        raise Fault("`abs` is given null", expected="a number")
    if isinstance(value, Decimal):
        return value.copy_abs()
    return wrapped(abs(value)) if isinstance(value, int) else abs(value)


@table.filter("number")
def number(value: str, type: str | None = None) -> Any:
    """The number in a text. type: INT, LONG, FLOAT, DOUBLE, BIGDECIMAL or BIGINTEGER; without one by its looks."""
    if len(value) > _LONGEST:
        raise Fault("the text is too long for a number", expected=f"at most {_LONGEST} characters")
    kind = (type or "").upper()
    if kind == "BIGINTEGER":
        return BigWhole(_whole(value, 10_000))
    if kind in ("INT", "INTEGER", "LONG"):
        return _whole(value, 63 if kind == "LONG" else 31)
    if kind in ("FLOAT", "DOUBLE"):
        decimal = _float(value.strip(), value)
        return float32(decimal) if kind == "FLOAT" else decimal
    if kind == "BIGDECIMAL":
        return _decimal(value)
    return _by_its_looks(value)


def _not_a_number(text: str) -> Fault:
    return Fault(f"`{text[:60]}` is not a number", expected="digits, with a sign, a point or an exponent at most")


def _whole(text: str, bits: int) -> int:
    if re.fullmatch(r"[+-]?\d+", text, re.ASCII) is None:
        raise _not_a_number(text)
    value = int(text)
    if not -(2**bits) <= value < 2**bits:
        raise Fault(f"`{text[:60]}` does not fit into {bits + 1} bits")
    return value


def _float(text: str, shown: str) -> float:
    if text in ("NaN", "Infinity", "+Infinity", "-Infinity"):
        return float(text)
    if _DECIMAL.fullmatch(text) is None:
        raise _not_a_number(shown)
    return float(text.rstrip("fFdD"))


def _decimal(text: str) -> Decimal:
    try:
        if _DECIMAL.fullmatch(text):
            return Decimal(text.rstrip("fFdD"))
    except InvalidOperation:
        pass
    raise _not_a_number(text)


def _by_its_looks(text: str) -> Any:
    """As commons-lang `createNumber`: hexadecimal with `0x`, octal with a leading 0, else whole or decimal.

    A decimal number has 32 bits if those hold its digits, else 64, else as many as it takes.
    """
    if match := _WHOLE.fullmatch(text):
        sign, digits, suffix = match.groups()
        base = 10
        if digits[0] == "#" or digits[:2] in ("0x", "0X"):
            digits, base = digits.lstrip("#")[0 if digits[0] == "#" else 2 :], 16
        elif len(digits) > 1 and digits[0] == "0":
            base = 8
        try:
            value = int(digits, base)
        except ValueError:
            raise _not_a_number(text) from None
        if suffix and value >= 2**63:
            raise Fault(f"`{text[:60]}` does not fit into 64 bits")
        return -value if sign == "-" else value
    if _DECIMAL.fullmatch(text) is None:
        raise _not_a_number(text)
    digits = text.rstrip("fFdD")
    wide = float(digits)
    narrow, exact = float32(wide), Decimal(digits)
    if text[-1] not in "dD" and _holds(narrow, exact) and (text[-1] in "fF" or narrow == wide):
        return narrow
    return wide if _holds(wide, exact) and (digits != text or exact == Decimal(repr(wide))) else exact


def _holds(value: float, exact: Decimal) -> bool:
    """Whether a number is neither too large nor too close to zero for its bits."""
    return math.isfinite(value) and (value != 0 or exact == 0)


@table.filter("numberFormat")
def number_format(value: Number, format: str | None = None) -> str:
    """A number by a pattern such as `#,##0.00`; half of the last place is rounded to the even neighbour."""
    return patterns.format_number(value, format)


@table.function("max")
def max_(*values: object) -> Any:
    return _extreme(values, "max")


@table.function("min")
def min_(*values: object) -> Any:
    return _extreme(values, "min")


def _extreme(values: tuple[Any, ...], name: str) -> Any:
    """The largest or smallest of the numbers; null is passed over."""
    found = [value for value in values if value is not None]
    for value in found if len(found) > 1 else ():
        if not is_number(value):
            raise Fault(f"`{name}` is given {kind_of(value)}", expected="numbers")
    better = greater if name == "max" else less
    best = found[0] if found else None
    for value in found[1:]:
        best = value if better(value, best) else best
    return best


@table.test("even")
def even(value: int) -> bool:
    return value % 2 == 0


@table.test("odd")
def odd(value: int) -> bool:
    return value % 2 == 1

