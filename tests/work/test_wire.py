"""Everything that crosses the seam comes out on the other side as it went in."""

from __future__ import annotations

import math
import string
import types
import typing
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from core.errors import Invalid, TooLarge
from core.expressions import Instant
from core.host import requests, seam
from core.host.seam import Answer, Place, Question
from core.model.codec import SecretText
from core.model.data import fields, is_data
from core.work import wire
from core.work.wire import message_classes, pack, receive, unpack

ZONES = some.sampled_from([None, UTC, timezone(timedelta(hours=5, minutes=30))])
MOMENTS = some.datetimes(timezones=ZONES)
SCALARS = some.one_of(
    some.none(), some.booleans(), some.integers(), some.floats(), some.text(), some.binary(), MOMENTS,
    MOMENTS.filter(lambda moment: moment.tzinfo is UTC).map(
        lambda m: Instant(m.year, m.month, m.day, m.hour, m.minute, m.second, m.microsecond, UTC)
    ),
    some.dates(), some.times(), some.timedeltas(), some.decimals(allow_nan=False),
    some.builds(SecretText, some.lists(some.one_of(some.text(), some.tuples(some.text()))).map(tuple)),
)  # fmt: skip
KEYS = some.one_of(
    some.text(), some.text(string.ascii_letters).map("${}".format), some.integers(), some.none(), some.booleans(),
    some.tuples(some.text(), some.text()), some.sampled_from(["$map", "$tuple", "$TaskJob", "$path"]),
)  # fmt: skip
OUTPUTS = some.builds(seam.OutputText, some.text()) | some.builds(seam.OutputReference, some.text(), some.integers())
SHIPPED = OUTPUTS | some.builds(
    seam.LoopOutputs, some.text(), some.dictionaries(some.lists(some.text()).map(tuple), OUTPUTS, max_size=2)
)
VALUES = some.recursive(
    SCALARS | SHIPPED | some.builds(seam.FileLine, some.text(), some.integers()),
    lambda inner: some.one_of(
        some.lists(inner, max_size=3), some.lists(inner, max_size=3).map(tuple),
        some.dictionaries(KEYS, inner, max_size=3),
    ),
    max_leaves=6,
)  # fmt: skip


def values_of(annotation: Any) -> some.SearchStrategy[Any]:
    """Values of an annotated field: of that type to the letter, whatever there is where anything may be."""
    if annotation in (Any, object):
        return VALUES
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return some.one_of(*(values_of(one) for one in inner))
    if origin is typing.Literal:
        return some.sampled_from(inner)
    if origin is tuple and inner[-1] is Ellipsis:
        return some.lists(values_of(inner[0]), max_size=2).map(tuple)
    if origin is tuple:
        return some.tuples(*(values_of(one) for one in inner))
    if origin is Mapping:
        return some.dictionaries(*(values_of(one) for one in inner), max_size=2)
    if is_data(annotation):
        return messages_of(annotation)
    known = {
        str: some.text(), int: some.integers(), float: some.floats(), bool: some.booleans(), type(None): some.none(),
        Path: some.text(string.ascii_letters + "/.").map(Path),
    }  # fmt: skip
    return known[annotation]


def messages_of(cls: type) -> some.SearchStrategy[Any]:
    if cls is SecretText:
        return some.just(SecretText(("Bearer ", ("TOKEN", "sub"))))
    hints = typing.get_type_hints(cls)
    return some.fixed_dictionaries({name: values_of(hints[name]) for name in fields(cls)}).map(lambda all: cls(**all))


def crossed(message: Any) -> Any:
    return receive(BytesIO(pack(message)))


def exactly(value: Any) -> Any:
    """What tells values apart that Python holds for equal: 1, 1.0 and True; NaN; lists and tuples; classes."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if is_data(type(value)):
        return (type(value), *(exactly(item) for item in vars(value).values()))
    if isinstance(value, Mapping):
        return (dict, *((exactly(key), exactly(item)) for key, item in value.items()))
    if isinstance(value, (list, tuple)):
        return (type(value), *(exactly(item) for item in value))
    if isinstance(value, (datetime, time)):
        return (type(value), value.isoformat())
    return (type(value), repr(value))


@pytest.mark.parametrize("name", sorted(message_classes()))
def test_every_message_comes_out_as_it_went_in(name: str) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(messages_of(message_classes()[name]))
    def holds(message: Any) -> None:
        assert exactly(crossed(message)) == exactly(message)

    holds()


@given(VALUES)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_value_comes_out_as_it_went_in(value: Any) -> None:
    answer = Answer(1, value)
    assert exactly(crossed(answer)) == exactly(answer)


def test_every_class_that_the_seam_names_can_cross() -> None:
    """Those that occur in the types of what goes down and up, however deep."""
    waiting: list[Any] = [*typing.get_args(seam.Down), *typing.get_args(seam.Up)]
    found: set[type] = set()
    while waiting:
        one = waiting.pop()
        waiting += typing.get_args(one)
        if isinstance(one, type) and one not in found and one.__module__.startswith("core."):
            found.add(one)
            waiting += typing.get_type_hints(one).values()
    assert {cls.__name__ for cls in found} <= message_classes().keys()
    assert {"TaskJob", "Member", "TaskCache", "Read", "MemberEnded", "PurgeLogs", "LogSpan", "Exit"} <= {
        cls.__name__ for cls in found
    }


def test_every_class_of_the_seams_modules_can_cross_and_no_two_have_one_name() -> None:
    declared = [
        cls for module in (seam, requests) for cls in vars(module).values()
        if isinstance(cls, type) and is_data(cls) and cls.__module__ == module.__name__
    ]  # fmt: skip
    assert all(message_classes()[cls.__name__] is cls for cls in declared)


def test_what_has_defaults_made_anew_is_equal_again() -> None:
    result = seam.EvaluationResult(7, '"x"', reads=(seam.Read("inputs.n"),))
    assert crossed(result) == result
    job = seam.TaskJob("a", 1, Place("default", "ns", "flow", "execution"), "debug.Return", {}, {})
    assert crossed(job) == job


def test_texts_and_numbers_of_other_classes_come_out_plain() -> None:
    class Name(str):
        __slots__ = ()

    asked = Question(1, Place("o", "n", "f", "e"), "kv", types.MappingProxyType({"key": Name("k")}))
    assert exactly(crossed(asked).arguments) == exactly({"key": "k"})


def test_the_text_is_json_of_ascii_behind_its_length() -> None:
    text = pack(Answer(1, {"wörd": (1, "\ud800"), "$x": math.nan}))
    body = b'{"$Answer":[1,{"$map":[["w\\u00f6rd",{"$tuple":[1,"\\ud800"]}],["$x",NaN]]},""]}'
    assert text == len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize("length", [0, 3, 4, 10])
def test_a_message_that_was_cut_off_is_the_end(length: int) -> None:
    with pytest.raises(EOFError):
        receive(BytesIO(pack(Answer(1, "text"))[:length]))


def test_what_cannot_cross_is_refused_in_words() -> None:
    with pytest.raises(Invalid) as refused:
        pack(Answer(1, {"x": [object()]}))
    assert str(refused.value) == (
        "a value of type object can't be sent to where tasks run\n"
        "  expected: text, numbers, booleans, null, dates, durations, bytes, lists and maps of these"
    )


def test_a_value_that_holds_itself_is_refused() -> None:
    odd: list[Any] = []
    odd.append(odd)
    with pytest.raises(TooLarge) as refused:
        pack(Answer(1, odd))
    assert str(refused.value) == "a value holds itself, or is nested too deeply\n  to do: flatten it"


def test_a_message_beyond_reason_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_MESSAGE", 100)
    with pytest.raises(TooLarge) as refused:
        pack(Answer(1, "x" * 100))
    told = "a message has 121 bytes\n  expected: at most 100\n  to do: use a file instead"
    assert str(refused.value) == told


def test_dates_decimals_and_durations_keep_their_kind() -> None:
    value = {
        "date": date(2024, 2, 29), "time": time(10, 0, 0, 5), "span": timedelta(days=-1, microseconds=3),
        "decimal": Decimal("1.10"), "big": 10**400,
    }  # fmt: skip
    assert exactly(unpack(pack(value)[4:])) == exactly(value)
