"""Arithmetic, comparison, `contains`, `isIn`, `..`, `~`. Whole numbers have 64 bits and wrap, as in the reference."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal, DecimalException, localcontext
from typing import Any

from core.expressions.equality import Among
from core.expressions.faults import Fault, within_items, within_limit
from core.expressions.values import Float32, float32, is_list, is_number, kind_of, text_of

_CONVERT_HINT = "turn a text into a number with `| number`"


def wrapped(value: int) -> int:
    """A whole number cut to 64 bits."""
    return (value + 2**63) % 2**64 - 2**63 if not -(2**63) <= value < 2**63 else value


def add(left: Any, right: Any) -> Any:
    """Numbers are added, texts joined with anything, lists extended (a new list: the operands stay as they are)."""
    if isinstance(left, str) or isinstance(right, str):
        return joined([text_of(left), text_of(right)])
    if is_list(left):
        more = right if is_list(right) else [right]
        within_items(len(left) + len(more))
        return [*left, *more]
    return _arithmetic("+", left, right)


def subtract(left: Any, right: Any) -> Any:
    """Numbers are subtracted; a list loses the elements that equal the right side (or one of its elements)."""
    if is_list(left):
        gone = right if is_list(right) else [right]
        among = Among(gone)
        return [item for item in left if item not in among]
    return _arithmetic("-", left, right)


def multiply(left: Any, right: Any) -> Any:
    return _arithmetic("*", left, right)


def divide(left: Any, right: Any) -> Any:
    return _arithmetic("/", left, right)


def remainder(left: Any, right: Any) -> Any:
    return _arithmetic("%", left, right)


def _arithmetic(operator: str, left: Any, right: Any) -> Any:
    if not is_number(left) or not is_number(right):
        raise Fault(
            f"`{operator}` can't be applied to {kind_of(left)} and {kind_of(right)}",
            expected="two numbers" + (", a text or a list" if operator == "+" else ""),
            hint=_CONVERT_HINT if isinstance(left, str) or isinstance(right, str) else "",
        )
    if isinstance(left, int) and isinstance(right, int):
        return wrapped(_WHOLE[operator](left, right))
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return _decimals(operator, _as_decimal(left), _as_decimal(right))
    result = _FLOAT[operator](float(left), float(right))
    narrow = isinstance(left, Float32) or isinstance(right, Float32)
    return float32(result) if narrow and all(isinstance(each, (int, Float32)) for each in (left, right)) else result


def _as_decimal(value: Any) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _decimals(operator: str, left: Decimal, right: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = 34
        try:
            return _DECIMAL[operator](left, right)
        except DecimalException as error:
            raise Fault(f"`{operator}` gives no number here") from error


def _nonzero(right: int) -> int:
    if right == 0:
        raise Fault("division by zero")
    return right


def _whole_divide(left: int, right: int) -> int:
    quotient = abs(left) // abs(_nonzero(right))
    return quotient if (left < 0) == (right < 0) else -quotient


def _whole_remainder(left: int, right: int) -> int:
    rest = abs(left) % abs(_nonzero(right))
    return -rest if left < 0 else rest


def _float_divide(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _float_remainder(left: float, right: float) -> float:
    return math.nan if right == 0 or math.isinf(left) else math.fmod(left, right)


_WHOLE: dict[str, Callable[[int, int], int]] = {
    "+": int.__add__, "-": int.__sub__, "*": int.__mul__, "/": _whole_divide, "%": _whole_remainder,
}  # fmt: skip
_FLOAT: dict[str, Callable[[float, float], float]] = {
    "+": float.__add__, "-": float.__sub__, "*": float.__mul__, "/": _float_divide, "%": _float_remainder,
}  # fmt: skip
_DECIMAL: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": Decimal.__add__, "-": Decimal.__sub__, "*": Decimal.__mul__, "/": Decimal.__truediv__, "%": Decimal.__mod__,
}  # fmt: skip


def negative(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value.copy_negate()
    negated = -number(value, "-")
    return wrapped(negated) if isinstance(value, int) else Float32(negated) if isinstance(value, Float32) else negated


def positive(value: Any) -> Any:
    return number(value, "+")


def number(value: Any, operator: str) -> Any:
    if not is_number(value):
        hint = _CONVERT_HINT if isinstance(value, str) else ""
        raise Fault(f"`{operator}` can't be applied to {kind_of(value)}", expected="a number", hint=hint)
    return value


def _is_ordered(value: Any) -> bool:
    """Not NaN (which Decimal refuses to compare)."""
    return bool(value == value)


def _comparison(operator: str, numbers: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        if is_number(left) and is_number(right):
            return _is_ordered(left) and _is_ordered(right) and numbers(left, right)
        if left is None or right is None:
            return False
        if isinstance(left, str) and isinstance(right, str):
            return numbers(left, right)
        raise Fault(
            f"`{operator}` can't compare {kind_of(left)} and {kind_of(right)}",
            expected="two numbers or two texts",
            hint="compare dates by `| timestamp`, texts that hold numbers by `| number`",
        )

    return compare


less = _comparison("<", lambda left, right: left < right)
less_or_equal = _comparison("<=", lambda left, right: left <= right)
greater = _comparison(">", lambda left, right: left > right)
greater_or_equal = _comparison(">=", lambda left, right: left >= right)


def contains(left: Any, right: Any) -> bool:
    """A list holds an element (or all of a list), a map a key, a text a text. Null holds nothing."""
    if left is None:
        return False
    if isinstance(left, str):
        return text_of(right) in left
    if isinstance(left, Mapping):
        return isinstance(right, (str, int, float)) and right in left
    if is_list(left):
        wanted = right if is_list(right) else [right]
        among = Among(left)
        return all(one in among for one in wanted)
    raise Fault(f"`contains` can't look into {kind_of(left)}", expected="a list, a map or a text")


def is_in(left: Any, right: Any) -> bool:
    """`x isIn [a, b]`: compared as text; of a map, a key or a value. Null on either side: false."""
    if left is None or right is None:
        return False
    wanted = text_of(left)
    if isinstance(right, Mapping):
        return any(wanted == text_of(key) or wanted == text_of(value) for key, value in right.items())
    return is_list(right) and any(wanted == text_of(item) for item in right)


def joined(parts: list[str]) -> str:
    """The texts one after the other."""
    within_limit(sum(map(len, parts)))
    return "".join(parts)


def concatenated(value: Any) -> str:
    """A value as a part of `~` and of `"#{…}"`: null is nothing."""
    return value if isinstance(value, str) else "" if value is None else text_of(value)


def interval(start: Any, end: Any, step: Any = 1) -> list[Any]:
    """`range(start, end, step)`: both ends included; whole numbers or single letters. A negative step goes down."""
    increment = _whole(step, "increment")
    if increment == 0:
        raise Fault("the increment of a range is 0", expected="another whole number")
    if _is_letter(start) and _is_letter(end):
        return [chr(code) for code in _codes(ord(start), ord(end), increment)]
    return list(_codes(_whole(start, "border"), _whole(end, "border"), increment))


def _whole(value: Any, what: str) -> int:
    if not is_number(value) or not math.isfinite(value):
        raise Fault(f"{kind_of(value)} can't be the {what} of a range", expected="a number (or two single letters)")
    if isinstance(value, Decimal):
        within_limit(abs(value.adjusted()) * 1000, "digits")
    return int(value)


def _is_letter(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 1


def _codes(start: int, end: int, step: int) -> range:
    numbers = range(start, end + (1 if step > 0 else -1), step)
    within_items((end - start) // step + 1)
    return numbers
