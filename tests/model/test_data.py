"""Classes of plain fields behave as frozen attrs classes do."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import pytest

from core.model.data import OFTEN, changing, data, evolve, field, quick


@data
class Point:
    kind: ClassVar[str] = "point"

    x: int
    y: int = 0
    tags: list[str] = field(factory=list)
    secret: str = field(default="", repr=False)


@data
class Marked(Point):
    value: str = "m"


@data
class Other:
    x: int
    y: int = 0
    tags: list[str] = field(factory=list)
    secret: str = field(default="", repr=False)


def test_it_is_made_by_position_and_by_name() -> None:
    assert (Point(1).x, Point(1).y, Point(y=2, x=1).y, Point(1, 2, ["a"]).tags) == (1, 0, 2, ["a"])


def test_it_is_the_same_whether_few_or_many_are_made() -> None:
    @data
    class Made:
        x: int
        tags: list[str] = field(factory=list)
        y: int = 0

    made = [Made(1, y=2) for _ in range(OFTEN + 2)]
    assert made == [made[0]] * len(made)
    assert all(list(vars(one)) == ["x", "tags", "y"] for one in made)
    assert len({id(one.tags) for one in made}) == len(made)
    assert Made.__init__.__code__.co_varnames[:3] == ("self", "x", "tags")  # written by now


@pytest.mark.parametrize("wrong", [((1, 2), {"x": 1}), ((1, 2, [], "", 5), {})])
def test_what_is_given_twice_or_too_much_is_refused(wrong: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    values, named = wrong
    with pytest.raises(TypeError, match=r"Point.__init__\(\) "):
        Point(*values, **named)


def test_a_default_made_anew_is_not_shared() -> None:
    one, other = Point(1), Point(1)
    one.tags.append("a")
    assert other.tags == []


@pytest.mark.parametrize("arguments", [{}, {"x": 1, "z": 2}])
def test_what_is_missing_or_unknown_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"Point.__init__\(\) "):
        Point(**arguments)


def test_it_does_not_change() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match=r"Point does not change: `x` can.t be set; use evolve\(\)"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match="Point does not change"):
        del point.x
    assert point.x == 1


def test_evolve_changes_a_copy_whatever_its_fields_are_called() -> None:
    assert evolve(Marked(1, value="a"), value="b", y=3) == Marked(1, 3, value="b")


def test_equality_asks_for_the_same_class_and_fields() -> None:
    assert Point(1) == Point(1)
    assert Point(1) != Point(2)
    assert Point(1) != Other(1)
    assert Marked(1) != Point(1)


def test_it_can_be_a_key_when_its_fields_can() -> None:
    @data
    class Key:
        a: str
        b: int = 0

    assert {Key("x"): 1}[Key("x")] == 1


def test_repr_shows_fields_but_those_left_out() -> None:
    assert repr(Point(1, secret="s")) == "Point(x=1, y=0, tags=[])"


def test_fields_of_the_class_above_come_first() -> None:
    assert repr(Marked(1)) == "Marked(x=1, y=0, tags=[], value='m')"


def test_two_threads_may_make_the_first_one() -> None:
    for _ in range(50):

        @data
        class Fresh:
            a: int
            b: list[int] = field(factory=list)

        made: list[Fresh] = []
        start = threading.Barrier(4)

        def make(cls: type[Fresh] = Fresh, made: list[Fresh] = made, start: threading.Barrier = start) -> None:
            start.wait()
            made.append(cls(1))

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert made == [Fresh(1)] * 4


@quick
class Fast:
    x: int
    tags: list[str] = field(factory=list)


@changing
class Tally:
    x: int = 0


def test_a_quick_class_is_made_compared_and_shown_like_the_others() -> None:
    made = [Fast(1, ["a"]) for _ in range(OFTEN + 2)]
    assert made == [made[0]] * len(made)
    assert (repr(made[-1]), evolve(made[-1], x=2)) == ("Fast(x=1, tags=['a'])", Fast(2, ["a"]))
    assert Fast(1) != Fast(2)


def test_what_may_change_is_no_key() -> None:
    tally = Tally()
    tally.x += 1
    assert tally == Tally(1)
    with pytest.raises(TypeError, match="unhashable type: 'Tally'"):
        hash(tally)
