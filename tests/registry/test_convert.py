"""Strict conversion: the table, and what it means for the properties of a class."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ConversionError, Invalid, PluginError
from core.model.nodes import Step, Work
from core.registry import PropertyProblem, Registry, build, convert, load_registry, path_text, problems
from core.sdk import Command, CommandResult, Described, FlowTask, RunContext, RunnableTask, TaskRunner, prop
from tests.registry.conversion_table import BECOMES, REFUSED, Becomes, Limits, Refused


class Window(Described):
    start: int = prop("First row.", default=0)
    end: int = prop("Last row.")

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise Invalid("`end` is before `start`", expected="an `end` that is not less than `start`")


class Local(TaskRunner, type="local.Runner"):
    """A runner."""

    shell: str = prop("Shell.", default="sh")

    def run(self, ctx: RunContext, command: Command) -> CommandResult:
        raise NotImplementedError


class Fetch(RunnableTask, type="test.Fetch"):
    """A task that has a property of every kind."""

    uri: str = prop("Where to.")
    method: Literal["GET", "POST"] = prop("How.", default="GET")
    container_image: str = prop("Image.", default="", aliases=("image",))
    attempts: int = prop("How often.", default=1)
    timeout: timedelta | None = prop("How long.", default=None)
    headers: dict[str, str] = prop("Headers.", factory=dict)
    window: Window | None = prop("Rows.", default=None)
    windows: list[Window] = prop("Rows.", factory=list)
    runner: TaskRunner | None = prop("Where.", default=None)
    old: int = prop("Old.", default=0, deprecated="`attempts`")
    password: Literal["never"] | None = prop("Secret.", default=None, secret=True)
    interval: timedelta | None = prop("Not rendered.", default=None, render=False)


class Block(FlowTask, type="test.Block"):
    """A flow task."""

    tasks: list[Step] = prop("Children.")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(None)


@pytest.mark.parametrize("row", BECOMES, ids=lambda row: f"{row.annotation} {row.given!r}")
def test_a_value_becomes_what_the_table_says(row: Becomes) -> None:
    found = convert(row.given, row.annotation)
    assert found == row.value
    assert type(found) is type(row.value)


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: f"{row.annotation} {row.given!r}")
def test_a_value_is_refused_as_the_table_says(row: Refused) -> None:
    with pytest.raises(ConversionError) as caught:
        convert(row.given, row.annotation)
    assert (caught.value.what, caught.value.expected, caught.value.where) == (row.message, row.expected, row.where)


def test_a_float_that_is_not_a_number_stays_one() -> None:
    assert math.isnan(convert(math.nan, float))
    assert convert(math.inf, str) == "Infinity"


def test_a_near_miss_of_a_choice_is_named() -> None:
    with pytest.raises(ConversionError) as caught:
        convert("get", Literal["GET", "POST"], "$.method")
    assert str(caught.value) == "$.method: `get` is not one of GET, POST\n  to do: did you mean `GET`?"


def test_a_property_of_a_type_without_meaning_is_the_plugins_fault() -> None:
    with pytest.raises(PluginError) as caught:
        convert(1, complex)
    assert caught.value.what == "a property can't be of type `complex`"


def test_an_instance_has_the_given_properties_and_the_defaults(registry: Registry) -> None:
    fetch = build(Fetch, {"uri": "http://a", "image": "b", "attempts": "3", "timeout": "PT5S"}, registry)
    assert (fetch.uri, fetch.container_image, fetch.attempts) == ("http://a", "b", 3)
    assert fetch.timeout == timedelta(seconds=5)
    assert (fetch.method, fetch.headers, fetch.runner) == ("GET", {}, None)


def test_nothing_given_for_a_property_with_a_default_is_the_default(registry: Registry) -> None:
    assert build(Fetch, {"uri": "a", "headers": None, "method": None}, registry).headers == {}


def test_nested_maps_and_lists_of_maps_become_instances(registry: Registry) -> None:
    fetch = build(Fetch, {"uri": "a", "window": {"end": "2"}, "windows": '[{"start": 1, "end": 1}]'}, registry)
    assert fetch.window is not None
    assert (fetch.window.end, fetch.windows[0].start) == (2, 1)


def test_a_map_with_a_type_is_looked_up_in_the_registry(registry: Registry) -> None:
    fetch = build(Fetch, {"uri": "a", "runner": {"type": "io.kestra.plugin.core.runner.Process"}}, registry)
    assert fetch.runner is not None
    assert type(fetch.runner).type == "runner.Process"


def test_an_instance_given_stays_what_it_is(registry: Registry) -> None:
    runner = Local()
    assert build(Fetch, {"uri": "a", "runner": runner}, registry).runner is runner


def test_steps_pass_through_and_nothing_else_does(registry: Registry) -> None:
    step = Step("a", "log.Log", Work())
    assert build(Block, {"tasks": [step]}, registry).tasks == [step]
    assert problems(Block, {"tasks": [{"id": "a"}]}, registry) == [
        PropertyProblem(("tasks", 0), "a map is not a task", "a task")
    ]


def test_everything_that_is_wrong_is_said_together(registry: Registry) -> None:
    values = {
        "url": "a", "attempts": 5.7, "headers": {"X-Id": [1]}, "window": {"start": "a"}, "windows": [{"end": 1}, 5],
        "runner": {"type": "log.Log"}, "password": "hunter2",
    }  # fmt: skip
    with pytest.raises(ConversionError) as caught:
        build(Fetch, values, registry)
    assert str(caught.value) == (
        "$: 9 properties are wrong\n"
        "  $.url: there is no property `url` (to do: did you mean `uri`?)\n"
        "  $.attempts: `5.7` is not a whole number (expected: a whole number, such as 5)\n"
        '  $.headers["X-Id"]: a list is not a text\n'
        "  $.window.start: `a` is not a whole number (expected: a whole number, such as 5)\n"
        "  $.window: `end` is missing (expected: a whole number)\n"
        "  $.windows[1]: `5` is not a map (expected: a map, or the JSON text of one)\n"
        "  $.runner.type: `log.Log` is not a task runner\n"
        "  $.password: the value of `password` is not never\n"
        "  $: `uri` is missing (expected: a text)"
    )


def test_an_unknown_property_without_a_near_miss_names_all_there_are(registry: Registry) -> None:
    with pytest.raises(ConversionError) as caught:
        build(Limits, {"rows": 1, "xyz": 1}, registry, "$.tasks[0]")
    assert str(caught.value) == "$.tasks[0].xyz: there is no property `xyz`\n  expected: note, rows"


def test_a_property_under_two_names_is_refused(registry: Registry) -> None:
    with pytest.raises(ConversionError) as caught:
        build(Fetch, {"uri": "a", "image": "b", "containerImage": "c"}, registry)
    assert str(caught.value) == "$.containerImage: `containerImage` is another name of a property that is given already"


def test_what_a_class_checks_itself_is_a_problem_with_a_place(registry: Registry) -> None:
    with pytest.raises(ConversionError) as caught:
        build(Fetch, {"uri": "a", "window": {"start": 2, "end": 1}}, registry)
    assert str(caught.value) == (
        "$.window: `end` is before `start`\n  expected: an `end` that is not less than `start`"
    )


@pytest.mark.parametrize(
    ("runner", "path", "message"),
    [
        ({}, ("runner",), "`type` is missing"),
        ({"type": "runner.Proces"}, ("runner", "type"), "there is no type `runner.Proces`"),
        ({"type": "runner.Process", "shel": 1}, ("runner", "shel"), "there is no property `shel`"),
    ],
)
def test_a_wrong_type_in_a_map_is_a_problem_of_its_place(
    registry: Registry, runner: dict[str, Any], path: tuple[str, ...], message: str
) -> None:
    found = problems(Fetch, {"uri": "a", "runner": runner}, registry)
    assert [(problem.path, problem.message) for problem in found] == [(path, message)]


def test_an_expression_stands_for_a_value_of_any_type(registry: Registry) -> None:
    values = {
        "uri": "{{ a }}", "attempts": "{{ b }}", "method": "{{ c }}", "headers": "{{ d }}",
        "window": {"start": 5, "end": "{{ e }}"}, "windows": ["{% if x %}{}{% endif %}"],
    }  # fmt: skip
    assert problems(Fetch, values, registry) == []


def test_an_expression_does_not_stand_for_a_property_that_is_not_rendered(registry: Registry) -> None:
    assert problems(Fetch, {"uri": "a", "interval": "{{ a }}"}, registry) == [
        PropertyProblem(
            ("interval",), "`{{ a }}` is not a duration", "a duration, such as PT30S, PT1H30M or P1D"
        )
    ]


def test_values_beside_an_expression_are_still_checked(registry: Registry) -> None:
    found = problems(Fetch, {"uri": "{{ a }}", "attempts": "x", "windows": ["{{ b }}", {"end": "y"}]}, registry)
    assert [path_text(problem.path) for problem in found] == ["$.attempts", "$.windows[1].end"]


def test_a_deprecated_property_is_a_warning(registry: Registry) -> None:
    assert problems(Fetch, {"uri": "a", "old": 1}, registry) == [
        PropertyProblem(("old",), "`old` is deprecated", hint="use `attempts`", severity="warning", kind="deprecated")
    ]
    assert build(Fetch, {"uri": "a", "old": 1}, registry).old == 1


def test_an_instance_can_be_made_before_rendering(registry: Registry) -> None:
    fetch = build(Fetch, {"uri": "a", "attempts": "{{ n }}", "window": {"end": "{{ e }}"}}, registry, expressions=True)
    assert fetch.window is not None
    found: tuple[object, ...] = (fetch.attempts, fetch.window.end, fetch.method, fetch.headers)
    assert found == ("{{ n }}", "{{ e }}", "GET", {})


def test_after_rendering_an_expression_is_a_text_like_any_other(registry: Registry) -> None:
    with pytest.raises(ConversionError) as caught:
        build(Fetch, {"uri": "a", "attempts": "{{ n }}"}, registry)
    assert caught.value.what == "`{{ n }}` is not a whole number"


def test_an_annotation_that_can_not_be_read_names_class_and_name(registry: Registry) -> None:
    class Unreadable(Described):
        when: NotImported = prop("Known to the type checker only.")  # type: ignore[name-defined] # noqa: F821

    with pytest.raises(PluginError) as caught:
        build(Unreadable, {"when": 1}, registry)
    assert str(caught.value) == (
        f"the annotations of `{__name__}.{Unreadable.__qualname__}` can't be read: name 'NotImported' is not defined\n"
        "  to do: import what they name at the top of the module, not under TYPE_CHECKING"
    )


ANNOTATIONS = tuple({str(row.annotation): row.annotation for row in (*BECOMES, *REFUSED)}.values())
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.datetimes(), st.dates(), st.timedeltas(),
    st.sampled_from(["true", "5", "5.7", "PT5S", "2024-02-29", "[1]", '{"a": 1}', "[", "{", '{"rows": 1}', "\x00"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3), max_leaves=6
)


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=VALUES)
def test_any_value_converts_or_is_refused_and_converting_again_changes_nothing(annotation: Any, value: Any) -> None:
    try:
        found = convert(value, annotation)
    except ConversionError:
        return
    assert repr(convert(found, annotation)) == repr(found)
