"""What attrs and cattrs see of classes that are declared with `prop`."""

from __future__ import annotations

import attrs
import pytest

from core.sdk import Invalid, RunnableTask, prop


class Checked(RunnableTask, type="tests.Checked"):
    """A task that checks itself the way attrs calls it."""

    size: int = prop("How many.")
    names: list[str] = prop("Which.", factory=list)

    def __attrs_post_init__(self) -> None:
        if self.size < 0:
            raise Invalid("less than nothing")


def test_attrs_takes_classes_of_plugins_for_its_own() -> None:
    one = Checked(size=2)
    assert attrs.has(Checked)
    assert [(field.name, field.default is attrs.NOTHING) for field in attrs.fields(Checked)] == [
        ("size", True), ("names", False),
    ]  # fmt: skip
    assert attrs.asdict(attrs.evolve(one, names=["a"])) == {"size": 2, "names": ["a"]}


def test_the_check_that_attrs_would_call_is_called() -> None:
    with pytest.raises(Invalid, match="less than nothing"):
        Checked(size=-1)
