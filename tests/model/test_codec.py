from __future__ import annotations

import json
import math
import sys
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid, TooLarge
from core.model.codec import MAX_DEPTH, SecretText, decode, encode, normalise


class Colour(str, Enum):  # noqa: UP042 - the older way to write StrEnum, whose str() is not its value
    RED = "red"


class Size(IntEnum):
    BIG = 3


class Share(float):
    """A subclass of float, as numpy's are."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 1.5, True, None, "é"]}, '{"a":[1,1.5,true,null,"é"]}'),
        (datetime(2024, 2, 29, 10, tzinfo=UTC), '{"$datetime":"2024-02-29T10:00:00+00:00"}'),
        (datetime(2024, 2, 29, 10), '{"$datetime":"2024-02-29T10:00:00"}'),
        (date(2024, 2, 29), '{"$date":"2024-02-29"}'),
        (time(10, 0, 0), '{"$time":"10:00:00"}'),
        (timedelta(minutes=90), '{"$duration":"PT1H30M"}'),
        (Decimal("1.10"), '{"$decimal":"1.10"}'),
        (b"\x00\xff", '{"$bytes":"AP8="}'),
        (math.nan, '{"$float":"nan"}'),
        (-math.inf, '{"$float":"-inf"}'),
        ({"$x": 1}, '{"$map":{"$x":1}}'),
        ({"$map": {"$date": "x"}}, '{"$map":{"$map":{"$map":{"$date":"x"}}}}'),
        (SecretText(("Bearer ", ("TOKEN",))), '{"$secret":["Bearer ",["TOKEN"]]}'),
    ],
)
def test_the_recorded_text_is_json_with_tags(value: object, text: str) -> None:
    assert encode(value) == text


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.datetimes() | st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=-5, minutes=-30))))
    | st.dates() | st.times() | st.timedeltas() | st.decimals(allow_nan=False) | st.binary()
)  # fmt: skip
keys = st.text() | st.sampled_from(["$", "$x", "$map", "$date", "$secret", "$float"])
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)


@given(values)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    back = decode(encode(value))

    assert back == value
    assert type(back) is type(value)


@given(values)
def test_what_was_read_once_does_not_change_again(value: Any) -> None:
    once = normalise(value)

    assert encode(normalise(once)) == encode(once)


@given(st.text(st.characters(categories=("Cs", "Lu"))))
def test_the_recorded_text_is_always_utf_8(text: str) -> None:
    encode({text: [text]}).encode()


def test_not_a_number_comes_back() -> None:
    assert math.isnan(decode(encode(math.nan)))
    assert math.isnan(decode(encode(Share("nan"))))
    assert decode(encode([math.inf, -math.inf])) == [math.inf, -math.inf]


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ((1, 2), [1, 2]),
        ({1}, [1]),
        (frozenset({1}), [1]),
        (OrderedDict(a=1), {"a": 1}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        ({None: "a", True: "b"}, {"null": "a", "true": "b"}),
        ({2: "a", 1.5: "b", date(2024, 1, 1): "c"}, {"2": "a", "1.5": "b", "2024-01-01": "c"}),
        (Colour.RED, "red"),
        (Size.BIG, 3),
        (Share(1.5), 1.5),
        (bytearray(b"x"), b"x"),
        ("\udc80", "\udc80"),
    ],
)
def test_readers_see_the_plain_kind_of_a_value(value: object, seen: object) -> None:
    found = normalise(value)

    assert found == seen
    assert type(found) is type(seen)


def test_an_unknown_tag_is_a_map() -> None:
    assert decode('{"$later":"x"}') == {"$later": "x"}


def test_what_can_not_be_recorded_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        encode({"a": [object()]})

    assert str(refused.value) == (
        "a value of type object can't be recorded\n"
        "  expected: text, numbers, booleans, null, dates, durations, bytes, lists and maps of these"
    )


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def from_deep_inside(frames: int, call: Callable[[], Any]) -> Any:
    return call() if frames == 0 else from_deep_inside(frames - 1, call)


def test_the_deepest_value_that_is_recorded_can_be_read_from_deep_inside_a_program() -> None:
    value = nested(MAX_DEPTH)
    text = encode({"$d": value})

    assert from_deep_inside(sys.getrecursionlimit() // 5, lambda: decode(text)) == {"$d": value}


def test_a_value_nested_too_deeply_is_refused() -> None:
    with pytest.raises(TooLarge) as refused:
        encode(nested(MAX_DEPTH + 2))

    assert str(refused.value) == (
        "a value is nested deeper than 300 levels\n  to do: flatten it, or write it to a file"
    )


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[object] = []
    value.append(value)

    with pytest.raises(TooLarge):
        encode(value)


def test_a_number_too_long_for_text_is_refused() -> None:
    with pytest.raises(TooLarge) as refused:
        encode(10**5000)

    assert refused.value.hint == "make it a text"


def test_secrets_are_named_and_told_only_to_who_may_know() -> None:
    text = encode({"header": SecretText(("Bearer ", ("TOKEN",), "/", ("KEY", "sub")))})

    marked = decode(text)["header"]
    assert marked == SecretText(("Bearer ", ("TOKEN",), "/", ("KEY", "sub")))
    assert str(marked) == "Bearer ••••/••••"
    assert decode(text, lambda *name: ".".join(name)) == {"header": "Bearer TOKEN/KEY.sub"}


def test_the_text_of_plain_values_is_plain_json() -> None:
    value = {"a": [1, {"b": "$c"}]}

    assert json.loads(encode(value)) == value
