"""`TaskContract` lets a good task pass without a word about it, and finds what is wrong with others."""

from __future__ import annotations

import inspect
import re
from datetime import date, timedelta
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import NoneType
from typing import Any, Literal

import pytest

from core.errors import ConversionError
from core.registry import Registry, load_registry
from core.sdk import Described, FlowTask, RunContext, RunnableTask, Sequence, TaskOutput, prop
from core.testing import TaskContract
from core.testing.task_rules import is_sentence, members, sample, unrecordable, wrong_value
from tests.testing.shout import Shout


class TestShout(TaskContract):
    task = Shout
    examples = ({"text": "{{ inputs.name }}", "times": "{{ inputs.n }}"}, {"id": "a", "type": "x", "text": 5})


class Inner(Described):
    """Some options."""

    size: int = prop("How large")


class Bad(RunnableTask, type="bad", aliases=("bad", "not an alias")):
    """does much wrong"""

    text: str = prop("Text.", examples=({"no": "text"},))
    count: int = prop("How many.", default="1")
    old: str = prop("Old.", default="", deprecated="something else")
    snake: str = prop("Snake.", default="", name="snake_case", aliases=("text",))
    timeout: str = prop("Hides what every task has.", default="")
    inner: Inner | None = prop("More.", default=None)

    class Output(TaskOutput):
        path: Path = prop("Where.")

    def run(self, ctx: RunContext) -> Output:
        return self.Output(path=Path())

    @classmethod
    def summary(cls, output: Any) -> Any:
        return {"path": output["path"]}


class BadContract(TaskContract):
    task = Bad


FOUND = (
    "test_its_title_is_a_sentence",
    "test_every_property_and_output_is_described_by_a_sentence",
    "test_deprecated_properties_say_what_to_use",
    "test_its_type_name_is_well_formed",
    "test_its_aliases_are_well_formed_and_differ",
    "test_names_in_yaml_are_camel_case",
    "test_names_in_yaml_are_given_once",
    "test_no_property_hides_one_that_every_task_has",
    "test_what_is_valid_is_accepted",
    "test_examples_are_accepted",
    "test_defaults_have_the_declared_type",
    "test_every_output_can_be_recorded",
    "test_the_summary_is_made_of_any_output",
)


@pytest.mark.parametrize("name", FOUND)
def test_what_is_wrong_is_found(name: str) -> None:
    with pytest.raises((AssertionError, ConversionError, KeyError)):
        _call(BadContract(), name)


def test_a_task_without_work_is_found() -> None:
    class Idle(RunnableTask, type="tests.Idle"):
        """Do nothing."""

    class Contract(TaskContract):
        task = Idle

    with pytest.raises(AssertionError, match=r"a task overrides `run`, or `plan` \(or `plan_as`\)"):
        Contract().test_it_says_what_it_does()


class Held(FlowTask, type="tests.Held", aliases=("tests.Outer$Held", "tests.Outer$")):
    """Hold nothing."""

    timeout: str | None = prop("Its own.", default=None)
    disabled: bool = prop("Hides what every task has.", default=False)

    def plan_as(self, task_id: str) -> Sequence:
        return Sequence(())


class HeldContract(TaskContract):
    task = Held


def test_a_flow_task_may_plan_by_its_id() -> None:
    HeldContract().test_it_says_what_it_does()


def test_a_flow_task_hides_nothing_by_a_time_limit_of_its_own() -> None:
    with pytest.raises(AssertionError) as caught:
        HeldContract().test_no_property_hides_one_that_every_task_has()
    assert str(caught.value).startswith("assert ['disabled'] == []")


def test_an_alias_may_name_a_type_inside_of_another_one() -> None:
    with pytest.raises(AssertionError) as caught:
        HeldContract().test_its_aliases_are_well_formed_and_differ()
    assert str(caught.value).startswith("assert ['tests.Outer$'] == []")


def test_what_valid_lacks_is_named() -> None:
    class Contract(TaskContract):
        task = type("Plain", (RunnableTask,), {"__annotations__": {"a": str}, "a": prop("A.")}, type="tests.Plain")

    with pytest.raises(AssertionError, match="say in `valid` what can stand for a"):
        _ = Contract().given


def test_a_heavy_import_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "heavy_tasks.py").write_text(
        "import httpx\nfrom core.sdk import RunnableTask\n"
        'class Heavy(RunnableTask, type="tests.Heavy"):\n    """Render."""\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    heavy = import_module("heavy_tasks")

    class Contract(TaskContract):
        task = heavy.Heavy

    with pytest.raises(AssertionError, match="httpx"):
        Contract().test_declaring_it_imports_nothing_heavy()


def test_every_case_has_a_name_that_states_it() -> None:
    cases = [name for name in dir(TaskContract) if name.startswith("test_")]
    assert len(cases) >= 20
    assert all(re.fullmatch(r"[a-z_]{15,}", name) for name in cases)


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("annotation", "wrong"),
    [
        (str, {"noSuchName": 1}), (int | None, {"noSuchName": 1}), (list[str], {"noSuchName": 1}),
        (dict[str, str], ["no such value"]), (Inner | None, ["no such value"]),
        (dict[str, str] | list[str], "no such value"), (str | dict[str, str] | list[str], None), (Any, None),
        (Any | None, None), (Literal["a", "b"], {"noSuchName": 1}),
    ],
)  # fmt: skip
def test_a_wrong_value_is_one_that_no_member_takes(annotation: Any, wrong: object) -> None:
    assert wrong_value(annotation) == wrong


@pytest.mark.parametrize(
    ("annotation", "found"),
    [
        (str | None, []), (dict[str, list[date]], []), (tuple[int, ...], []), (Literal["a"], []), (Inner, []),
        (Path, ["Path"]), (list[Path | None], ["Path"]), (dict[str, Colour], ["Colour"]), (object, []),
    ],
)  # fmt: skip
def test_what_the_codec_has_no_form_for(annotation: Any, found: list[str]) -> None:
    assert list(unrecordable(annotation)) == found


def test_samples_are_of_their_type() -> None:
    assert sample(dict[str, list[int]] | None) == {"key": [1]}
    assert sample(timedelta) == timedelta(minutes=1)
    assert sample(Literal["b", "c"]) == "b"
    assert sample(NoneType) is None
    assert list(members(int | None | str)) == [int, type(None), str]


@pytest.mark.parametrize(
    ("text", "good"),
    [("Text.", True), ("`a` or b.", True), ("text.", False), ("Text", False), ("", False), ("Two\nlines.", False)],
)
def test_a_sentence(text: str, good: bool) -> None:
    assert is_sentence(text) is good


def _call(contract: TaskContract, name: str) -> None:
    case = getattr(contract, name)
    registry: Registry = load_registry(None).including(contract.task)
    case(*([registry] if inspect.signature(case).parameters else []))
