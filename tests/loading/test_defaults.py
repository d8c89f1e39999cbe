from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from core.loading import Loaded
from core.registry.entries import TypeEntry
from core.registry.registry import Registry

Load = Callable[[str], Loaded]
HEAD = "id: f\nnamespace: a.b\n"
TASK = "tasks:\n  - id: a\n    type: log.Log\n    message: hi\n"


def texts(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def properties(loaded: Loaded) -> Mapping[str, object]:
    (step,) = loaded.require().root.children
    return step.properties


@pytest.mark.parametrize(
    "type_name",
    [
        "log.Log",
        "log",
        "io.kestra.plugin.core.log.Log",
        "io.kestra.plugin.core.log",
        "io.kestra.core.tasks.log.Log",
        "io.",
    ],
)
def test_a_default_applies_under_every_name_of_the_type_and_every_beginning(type_name: str, load: Load) -> None:
    loaded = load(f"{HEAD}pluginDefaults:\n  - type: {type_name}\n    values: {{level: WARN}}\n{TASK}")

    assert properties(loaded) == {"level": "WARN", "message": "hi"}


def test_a_default_of_another_type_does_not_apply(load: Load) -> None:
    loaded = load(f"{HEAD}pluginDefaults:\n  - type: debug\n    values: {{level: WARN}}\n{TASK}")

    assert properties(loaded) == {"message": "hi"}


def test_what_the_task_says_wins_and_earlier_defaults_win_over_later_ones(load: Load) -> None:
    source = """\
pluginDefaults:
  - {type: log.Log, values: {message: first, level: WARN}}
  - {type: log.Log, values: {message: second, level: ERROR}}
"""
    assert properties(load(HEAD + source + TASK)) == {"message": "hi", "level": "WARN"}


def test_a_null_in_the_task_gives_way_to_the_default(load: Load) -> None:
    source = "pluginDefaults: [{type: log.Log, values: {message: given}}]\n"

    assert properties(load(HEAD + source + TASK.replace("hi", "~"))) == {"message": "given"}


def test_a_forced_default_wins_over_the_task_and_the_first_of_them_over_all(load: Load) -> None:
    source = """\
pluginDefaults:
  - {type: log.Log, forced: true, values: {message: first}}
  - {type: log.Log, forced: true, values: {message: second}}
  - {type: log.Log, values: {message: third}}
"""
    assert properties(load(HEAD + source + TASK)) == {"message": "first"}


@pytest.mark.parametrize(("forced", "message"), [("false", ["d", "t"]), ("true", ["t", "d"])])
def test_lists_are_joined(forced: str, message: list[str], load: Load) -> None:
    source = f"pluginDefaults: [{{type: log.Log, forced: {forced}, values: {{message: [d]}}}}]\n"

    assert properties(load(HEAD + source + TASK.replace("hi", "[t]"))) == {"message": message}


def test_maps_are_merged_deeply(load: Load) -> None:
    source = """\
pluginDefaults: [{type: output, values: {values: {a: 1, b: {c: 2, d: 3}}}}]
tasks: [{id: a, type: output.OutputValues, values: {b: {c: 4}, e: 5}}]
"""
    assert properties(load(HEAD + source)) == {"values": {"a": 1, "b": {"c": 4, "d": 3}, "e": 5}}


def test_properties_that_every_task_has_can_have_defaults(load: Load) -> None:
    source = "pluginDefaults: [{type: io.kestra, values: {timeout: PT1M, level: WARN}}]\n"
    tasks = "tasks: [{id: a, type: flow.Sequential, tasks: [{id: b, type: debug.Return}]}]"
    loaded = load(HEAD + source + tasks)

    outer, inner = loaded.require().steps()
    assert (outer.timeout, inner.timeout, inner.properties) == (None, "PT1M", {})


def test_inputs_can_have_defaults(load: Load) -> None:
    source = "pluginDefaults: [{type: INT, values: {min: 5}}]\ninputs: [{id: n, type: INT}]\n"

    assert load(HEAD + source + TASK).require().inputs[0].options == {"min": 5}


def test_the_older_name_is_read_with_a_warning(load: Load) -> None:
    loaded = load(f"{HEAD}taskDefaults: [{{type: log.Log, values: {{level: WARN}}}}]\n{TASK}")

    assert properties(loaded) == {"level": "WARN", "message": "hi"}
    assert texts(loaded) == ["flow.yaml:3:1: `taskDefaults` is deprecated: it is read as `pluginDefaults`"]


CASES = {
    "{values: {a: 1}}": """\
flow.yaml:4:5: Invalid Plugin Default: No 'type' provided
  expected: a type, or how types begin""",
    "{type: log.Log}": """\
flow.yaml:4:5: Invalid Plugin Default: No 'values' provided
  expected: a map of properties""",
    "{type: log.Log, values: {level: ~}}": """\
flow.yaml:4:37: Invalid Plugin Default: No value provided for key 'level'""",
    "{type: log.Log, values: {levle: WARN}}": """\
flow.yaml:4:30: Invalid Plugin Default: No property 'levle' exists in plugin 'log.Log'""",
    "{type: log.Log, values: {level: WARN}, force: true}": """\
flow.yaml:4:44: there is no property `force`
  to do: did you mean `forced`?""",
    "{type: log.Log, values: {retry: {type: constant}}}": """\
flow.yaml:6:5: `interval` is missing
  expected: a duration""",
    "x": """\
flow.yaml:4:5: `x` is not a map
  expected: a map of `key: value`""",
}


@pytest.mark.parametrize(("source", "message"), CASES.items(), ids=list(CASES))
def test_what_is_wrong_with_a_default_is_said_with_its_place(source: str, message: str, load: Load) -> None:
    assert texts(load(f"{HEAD}pluginDefaults:\n  - {source}\n{TASK}")) == [message]


def test_a_property_that_the_type_of_a_default_does_not_have_is_an_error(load: Load) -> None:
    loaded = load(f"{HEAD}pluginDefaults: [{{type: log.Log, values: {{levle: WARN}}}}]\n{TASK}")

    assert [problem.severity for problem in loaded.problems] == ["error"]
    assert loaded.flow is None


def test_what_a_type_gets_is_found_out_once_however_many_tasks_are_of_it(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    find = Registry.find

    def counting(registry: Registry, name: str) -> TypeEntry | None:
        asked.append(name)
        return find(registry, name)

    monkeypatch.setattr(Registry, "find", counting)
    defaults = "".join(f"  - {{type: log.L{'og'[: at % 3]}, values: {{level: WARN}}}}\n" for at in range(30))
    counts = []
    for number in (2, 50):
        asked.clear()
        tasks = "".join(f"  - {{id: t{at}, type: log.Log, message: hi}}\n" for at in range(number))
        loaded = load(f"{HEAD}pluginDefaults:\n{defaults}tasks:\n{tasks}")
        assert [step.properties["level"] for step in loaded.require().root.children] == ["WARN"] * number
        counts.append(asked.count("log.Log"))

    assert counts[0] == counts[1]
