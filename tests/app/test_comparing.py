"""Values compared by their meaning."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from time import process_time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.app.comparing import Comparer, Contents, Room
from core.host.overviews import TableDifference, ValueDifference
from core.model.codec import MAX_DEPTH, SecretText, decode, encode

SAME = [
    (1, 1.0),
    (100, Decimal("1E+2")),
    (0.1, Decimal("0.10")),
    (0.0, -0.0),
    (float("nan"), float("nan")),
    (10**400, Decimal(10) ** 400),
    ({"a": 1, "b": [1, 2]}, {"b": [1.0, 2], "a": 1}),
    ([{"a": 1, "b": 2}], [{"b": 2.0, "a": 1}]),
    (datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(2024, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))),
    (SecretText(("a", ("TOKEN",))), SecretText(("a", ("TOKEN",)))),
    ([], []),
    ({}, {}),
]
CHANGED = [
    (1, True),
    (0, None),
    ("1", 1),
    ("", None),
    (0.1, 0.1000001),
    (-1, -2),
    (10**400, 10**400 + 1),
    ([], {}),
    (datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(2024, 1, 1, 12)),
    (SecretText((("TOKEN",),)), SecretText((("OTHER",),))),
    (b"a", "a"),
]


@pytest.mark.parametrize(("before", "after"), SAME)
def test_these_are_the_same(before: Any, after: Any) -> None:
    assert Comparer().inside(before, after).parts == ()
    longer = Comparer().inside([before, "end"], [after, "more", "end"])
    assert longer.parts == (ValueDifference("[1]", "added", after="more"),)


@pytest.mark.parametrize(("before", "after"), CHANGED)
def test_these_are_not(before: Any, after: Any) -> None:
    assert Comparer().inside(before, after).parts == (ValueDifference("", "changed", before, after),)
    longer = Comparer().inside([before, "end"], [after, "more", "end"])
    assert [one.path for one in longer.parts] == ["[0]", "[1]"]


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [("a.b", "changed", 1, 2)]),
        ({"a": 1, "b": 2}, {"b": 2, "c": 3}, [("a", "removed", 1, None), ("c", "added", None, 3)]),
        ({"x y": {"it's": 1}}, {"x y": {"it's": 2}}, [("['x y'][\"it's\"]", "changed", 1, 2)]),
        ([1, 2, 3], [1, 5, 3], [("[1]", "changed", 2, 5)]),
        ([1, 2, 3, 4], [1, 4], [("[1]", "removed", 2, None), ("[2]", "removed", 3, None)]),
        ([1, 4], [1, 2, 3, 4], [("[1]", "added", None, 2), ("[2]", "added", None, 3)]),
        ([[1], [2]], [[1], [3]], [("[1][0]", "changed", 2, 3)]),
        ({"a": [1, {"b": 1}]}, {"a": [1, {"b": 2}]}, [("a[1].b", "changed", 1, 2)]),
        ({"a": {"b": 1}}, {"a": [1]}, [("a", "changed", {"b": 1}, [1])]),
    ],
)  # fmt: skip
def test_each_place_that_differs_is_told_as_an_expression_writes_it(before: Any, after: Any, parts: list[Any]) -> None:
    found = Comparer().inside(before, after)
    assert [(one.path, one.change, one.before, one.after) for one in found.parts] == parts
    assert found.tables == ()


@pytest.mark.parametrize(
    ("before", "after", "table", "parts"),
    [
        (  # by the key that finds most
            [{"n": 7, "id": 1, "p": 1.5}, {"n": 8, "id": 2, "p": 2}],
            [{"n": 9, "id": 2, "p": 3}, {"n": 10, "id": 3, "p": 4}],
            TableDifference("", 2, 2, "id", added=1, removed=1, changed=1),
            [("[id=2].n", "changed"), ("[id=2].p", "changed"), ("[id=3]", "added"), ("[id=1]", "removed")],
        ),
        (  # without a key: rows as a whole, and what is left at the same place
            [{"n": 1}, {"n": 1}, {"n": 5}],
            [{"n": 1}, {"n": 2}, {"n": 5}, {"n": 5}],
            TableDifference("", 3, 4, "", added=1, removed=0, changed=1),
            [("[1].n", "changed"), ("[2]", "added")],
        ),
        (
            [{"id": 1}, {"id": 2}],
            [{"id": 2.0}, {"id": 1}],
            TableDifference("", 2, 2, "", added=0, removed=0, changed=0),
            [("", "moved")],
        ),
        (
            [{"id": "a"}, {"id": "b"}],
            [{"id": "b"}, {"id": "a"}],
            TableDifference("", 2, 2, "id", added=0, removed=0, changed=0),
            [("", "moved")],
        ),
        (
            [{"id": 1, "old": 0}],
            [{"id": 1, "new": 0}],
            TableDifference("", 1, 1, "id", 0, 0, 1, columns_added=("new",), columns_removed=("old",)),
            [("[id=1].old", "removed"), ("[id=1].new", "added")],
        ),
        ([], [{"id": 1}], TableDifference("", 0, 1, "", added=1, removed=0, changed=0), [("[0]", "added")]),
        ([{"id": 1}], [], TableDifference("", 1, 0, "", added=0, removed=1, changed=0), [("[0]", "removed")]),
        (  # a column that is not in each row, or true, tells no rows apart
            [{"id": 1, "ok": True}, {"ok": False}],
            [{"id": 1, "ok": True}, {"ok": None}],
            TableDifference("", 2, 2, "", added=0, removed=0, changed=1),
            [("[1].ok", "changed")],
        ),
    ],
)
def test_lists_of_maps_are_tables(before: Any, after: Any, table: TableDifference, parts: list[Any]) -> None:
    found = Comparer().inside(before, after)
    assert found.tables == (table,)
    assert [(one.path, one.change) for one in found.parts] == parts


def test_tables_inside_of_a_value_are_compared_as_tables_too() -> None:
    before, after = {"rows": [{"id": 1, "p": 1}]}, {"rows": [{"id": 0, "p": 0}, {"id": 1, "p": 2}]}
    found = Comparer().inside(before, after)
    assert found.tables == (TableDifference("rows", 1, 2, "id", added=1, removed=0, changed=1),)
    assert found.parts == (
        ValueDifference("rows[id=1].p", "changed", 1, 2),
        ValueDifference("rows[id=0]", "added", after={"id": 0, "p": 0}),
    )


def test_files_are_the_same_by_what_is_in_them() -> None:
    files = {"storage:///a": "1", "storage:///b": "1", "kestra:///c": "2"}
    comparer = Comparer(files.get)
    assert comparer.inside("storage:///a", "storage:///b").parts == ()
    assert comparer.inside("storage:///a", "kestra:///c").parts != ()
    assert comparer.inside("storage:///x", "storage:///y").parts != ()
    assert comparer.inside("storage:///x", "storage:///x").parts == ()
    assert comparer.inside([{"f": "storage:///a", "n": 1}] * 2, [{"n": 1.0, "f": "storage:///b"}] * 2).parts == ()


def contents_of(files: dict[str, Any]) -> Contents:
    """What is in two of some files."""
    return lambda first, second: None if None in (files[first], files[second]) else (files[first], files[second])


def test_files_that_differ_are_told_by_what_is_in_them() -> None:
    files = {"storage:///a": [{"id": 1, "n": 1}], "storage:///b": [{"id": 1, "n": 2}], "storage:///c": None}
    comparer = Comparer(lambda uri: uri, contents_of(files))
    found = comparer.inside({"uri": "storage:///a"}, {"uri": "storage:///b"})
    assert found.parts == (ValueDifference("uri[id=1].n", "changed", 1, 2),)
    assert found.tables == (TableDifference("uri", 1, 1, "id", added=0, removed=0, changed=1),)
    assert comparer.inside("storage:///a", "storage:///c").parts[0].before == "storage:///a"


def test_files_that_name_one_another_end() -> None:
    files = {"storage:///a": ["storage:///a"], "storage:///b": ["storage:///b"]}
    found = Comparer(lambda uri: uri, contents_of(files)).inside("storage:///a", "storage:///b")
    assert found.parts == (ValueDifference("[0]", "changed", "storage:///a", "storage:///b"),)


def test_only_the_first_places_are_told() -> None:
    found = Comparer(places=3).inside(list(range(10)), [one + 1 for one in range(10)])
    assert [one.path for one in found.parts] == ["[0]", "[1]", "[2]"]
    assert found.more
    rows = [{"id": one, "n": one} for one in range(10)]
    found = Comparer(places=3).inside(rows, [{**row, "n": -1} for row in rows] + [{"id": 99}])
    assert len(found.parts) == 3
    assert found.more
    assert found.tables == (TableDifference("", 10, 11, "id", added=1, removed=0, changed=10),)


TEN = [{"id": one, "n": one} for one in range(10)]


@pytest.mark.parametrize(
    ("before", "after", "table", "parts", "unfinished"),
    [
        (TEN, [{**row, "n": -1} for row in TEN], TableDifference("", 10, 10, "id", 0, 0, 4, first_rows=4), 4, True),
        (TEN, [{**row, "n": row["n"] / 1} for row in TEN], None, 0, False),  # alike at first sight
        (TEN, [*TEN[:5], {"id": 5, "n": 9}, *TEN[6:]], TableDifference("", 10, 10, "id", 0, 0, 1), 1, False),
        (TEN, [*TEN[:5], {"id": 50, "n": 9}, *TEN[5:]], TableDifference("", 10, 11, "id", 1, 0, 0), 1, False),
        (TEN[:4], [{**row, "n": -1} for row in TEN[:4]], TableDifference("", 4, 4, "id", 0, 0, 4), 4, False),
        (  # what is looked at of them is the same
            [{"n": Decimal(row["n"])} for row in TEN], [{"n": row["n"] + (row["n"] == 9)} for row in TEN],
            TableDifference("", 10, 10, "", 0, 0, 0, first_rows=4), 0, True,
        ),
    ],
)  # fmt: skip
def test_of_very_large_tables_the_first_rows_that_differ_are_looked_at(
    before: Any, after: Any, table: TableDifference | None, parts: int, unfinished: bool
) -> None:
    found = Comparer(room=Room(16)).inside(before, after)
    assert (found.tables, len(found.parts), found.unfinished) == ((table,) if table else (), parts, unfinished)


def test_all_tables_together_have_one_room() -> None:
    changed = [{**row, "n": -1} for row in TEN]
    found = Comparer(room=Room(60)).inside({"a": TEN, "b": TEN}, {"a": changed, "b": changed})
    assert [(one.path, one.changed, one.first_rows) for one in found.tables] == [("a", 10, 0), ("b", 5, 5)]
    assert found.unfinished


def test_a_table_for_which_there_is_no_room_is_not_told_to_be_the_same() -> None:
    found = Comparer(room=Room(0)).inside(TEN, [{**row, "n": -1} for row in TEN])
    assert (found.parts, found.tables, found.unfinished) == ((), (), True)


@given(st.lists(st.integers() | st.floats() | st.decimals(allow_nan=True), min_size=2, max_size=2))
@settings(max_examples=300, deadline=None)
def test_numbers_are_the_same_by_their_value_however_they_are_kept(numbers: list[Any]) -> None:
    first, second = (Decimal(repr(one)) if isinstance(one, float) else Decimal(one) for one in numbers)
    same = first.is_nan() and second.is_nan() if first.is_nan() or second.is_nan() else first == second
    assert (Comparer()._digest(numbers[0]) == Comparer()._digest(numbers[1])) is same


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([0.5, 1.0, float("nan")]) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    | st.lists(st.dictionaries(st.sampled_from("ab"), inner, max_size=2), max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(VALUES, VALUES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_same_value_never_differs_and_both_ways_agree(one: Any, other: Any) -> None:
    assert Comparer().inside(one, deepcopy(one)).parts == ()
    assert Comparer().inside(one, decode(encode(one))).parts == ()
    there, back = Comparer().inside(one, other), Comparer().inside(other, one)
    assert bool(there.parts) == bool(back.parts)
    assert bool(there.parts) == (Comparer()._digest(one) != Comparer()._digest(other))


@given(st.lists(st.dictionaries(st.sampled_from("ab"), st.integers(0, 3), max_size=2), max_size=6), st.randoms())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_rows_that_are_shuffled_are_moved_at_most(rows: list[Any], chance: Any) -> None:
    shuffled = deepcopy(rows)
    chance.shuffle(shuffled)
    found = Comparer().inside(rows, shuffled)
    assert {one.change for one in found.parts} <= {"moved"}
    assert bool(found.parts) == (rows != shuffled)


def nested(depth: int, innermost: Any) -> Any:
    """Lists, maps and tables in one another, as deep as records may be."""
    value = innermost
    for level in range(0, depth, 3):
        value = [0, [{"a": value}]] if level % 2 else [{"a": [value]}]
    return value


def test_deep_and_wide_values_are_compared_in_time() -> None:
    begun = process_time()
    assert len(Comparer().inside(nested(MAX_DEPTH - 3, [1]), nested(MAX_DEPTH - 3, [1, 2])).parts) == 1
    wide = [{"id": one, "text": "x" * 20, "n": one / 7} for one in range(30_000)]
    other = [{**row, "n": row["n"] + 1} for row in reversed(wide)]
    found = Comparer().inside(wide, other)
    assert found.tables == (TableDifference("", 30_000, 30_000, "id", added=0, removed=0, changed=30_000),)
    assert process_time() - begun < 5
