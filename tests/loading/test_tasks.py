from __future__ import annotations

from collections.abc import Callable

import pytest

from core.loading import Loaded
from core.model.nodes import Sequence, Step, Work

Load = Callable[[str], Loaded]
HEAD = "id: f\nnamespace: a.b\ntasks:\n"


def texts(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def only_step(loaded: Loaded) -> Step:
    (step,) = loaded.require().root.children
    return step


def test_a_task_keeps_its_type_and_its_properties_as_they_are_written(load: Load) -> None:
    step = only_step(load(HEAD + "- id: a-1_b\n  type: io.kestra.core.tasks.log.Log\n  message: ['{{ x }}', 010]\n"))

    assert step == Step("a-1_b", "io.kestra.core.tasks.log.Log", Work(), {"message": ["{{ x }}", 8]})


def test_what_every_task_has_is_read(load: Load) -> None:
    common = """\
- id: a
  type: log.Log
  message: hi
  description: Says hi.
  timeout: PT1M
  disabled: true
  runIf: "{{ inputs.go }}"
  allowFailure: true
  allowWarning: true
  logLevel: WARN
"""
    assert only_step(load(HEAD + common)) == Step(
        "a", "log.Log", Work(), {"message": "hi"}, run_if="{{ inputs.go }}", timeout="PT1M", disabled=True,
        allow_failure=True, allow_warning=True, log_level="WARN", description="Says hi.",
    )  # fmt: skip


def test_when_is_another_name_of_run_if_and_a_condition_may_be_a_yaml_boolean(load: Load) -> None:
    assert only_step(load(HEAD + "- {id: a, type: log.Log, message: hi, when: no}")).run_if == "false"


def test_a_timeout_may_be_an_expression(load: Load) -> None:
    step = only_step(load(HEAD + "- {id: a, type: log.Log, message: hi, timeout: '{{ inputs.limit }}'}"))

    assert step.timeout == "{{ inputs.limit }}"


def test_common_properties_that_are_null_are_not_there(load: Load) -> None:
    step = only_step(load(HEAD + "- {id: a, type: log.Log, message: hi, timeout: , runIf: ~, retry: , logToFile: no}"))

    assert step == Step("a", "log.Log", Work(), {"message": "hi"})


def test_a_property_of_the_class_comes_before_a_common_one_of_that_name(load: Load) -> None:
    assert only_step(load(HEAD + "- {id: a, type: test.Verbatim, version: 2}")).properties == {"version": 2}


def test_children_of_flow_tasks_become_steps_of_its_node(load: Load) -> None:
    source = """\
- id: outer
  type: flow.Sequential
  tasks:
    - id: inner
      type: io.kestra.plugin.core.flow.Sequential
      tasks:
        - {id: a, type: log.Log, message: one}
    - {id: b, type: log.Log, message: two}
"""
    flow = load(HEAD + source).require()

    a = Step("a", "log.Log", Work(), {"message": "one"})
    b = Step("b", "log.Log", Work(), {"message": "two"})
    inner = Step("inner", "io.kestra.plugin.core.flow.Sequential", Sequence((a,)))
    assert flow.root.children == (Step("outer", "flow.Sequential", Sequence((inner, b))),)
    assert [step.id for step in flow.steps()] == ["outer", "inner", "a", "b"]


def test_an_id_may_be_a_yaml_number(load: Load) -> None:
    assert only_step(load(HEAD + "- {id: 7, type: log.Log, message: hi}")).id == "7"


ENTERPRISE = {
    "workerGroup": "Worker Group is an Enterprise Edition functionality of the reference",
    "workerSelector": "choosing workers is an Enterprise Edition functionality of the reference",
    "version": "versions of plugins are an Enterprise Edition functionality of the reference",
    "assets": "assets are an Enterprise Edition functionality of the reference",
}


@pytest.mark.parametrize(("name", "why"), ENTERPRISE.items())
def test_what_only_the_enterprise_edition_has_is_refused_with_its_place(name: str, why: str, load: Load) -> None:
    loaded = load(f"{HEAD}- id: a\n  type: log.Log\n  message: hi\n  {name}: yes\n")

    assert texts(loaded) == [f"flow.yaml:7:3: `{name}` is refused: {why}\n  to do: remove `{name}`"]
    assert [(problem.kind, problem.subject) for problem in loaded.problems] == [("unsupported", f"`{name}`")]


CASES = {
    "- id: a\n  type: log.Lgo": """\
flow.yaml:5:9: Invalid type: log.Lgo
  to do: did you mean `log.Log`?""",
    "- id: a\n  type: io.kestra.plugin.core.log.Lg": """\
flow.yaml:5:9: Invalid type: io.kestra.plugin.core.log.Lg
  to do: did you mean `io.kestra.plugin.core.log.Log`?""",
    "- id: a\n  type: runner.Process": """\
flow.yaml:5:9: Invalid type: runner.Process is not a task
  expected: the type of a task, such as log.Log""",
    "- id: a\n  type: [log.Log]": """\
flow.yaml:5:9: a list is not the name of a type
  expected: the type of a task, such as log.Log
  to do: add `type: …` to the task""",
    "- id: a\n  message: hi": """\
flow.yaml:4:3: Invalid type: null
  expected: the type of a task, such as log.Log
  to do: add `type: …` to the task""",
    "- id: a\n  type: test.Broken": """\
flow.yaml:5:9: the type `test.Broken` of the plugin `tests` can't be loaded: \
the Python package `there` is not installed
  to do: install what provides the Python package `there` into this environment""",
    "- id: a\n  type: test.Odd\n  where: 1": """\
flow.yaml:5:9: a property can't be of type `complex`""",
    "- type: log.Log\n  message: hi": """\
flow.yaml:4:3: `id` is missing
  expected: letters, digits, `_` and `-`, beginning with a letter or digit
  to do: add `id: my_task`""",
    "- id: a.b\n  type: log.Log\n  message: hi": """\
flow.yaml:4:7: `a.b` can't be the `id`
  expected: letters, digits, `_` and `-`, beginning with a letter or digit""",
    "- id: a\n  type: log.Log\n  message: hi\n  levle: INFO": """\
flow.yaml:7:3: there is no property `levle`
  to do: did you mean `level`?""",
    "- id: a\n  type: log.Log": """\
flow.yaml:4:3: `message` is missing
  expected: a text or a list of texts""",
    "- id: a\n  type: log.Log\n  message: {a: 1}": """\
flow.yaml:6:12: a map is not a text or a list of texts""",
    "- id: a\n  type: log.Log\n  message: hi\n  level: LOUD": """\
flow.yaml:7:10: `LOUD` is not one of TRACE, DEBUG, INFO, WARN, ERROR""",
    "- id: a\n  type: log.Log\n  message: 'x {{ y | }}'": """\
flow.yaml:6:12: the expression ends too early
    x {{ y | }}
             ^
  expected: the name of a filter""",
    "- id: a\n  type: log.Log\n  message: hi\n  runIf: '{{ y'": """\
flow.yaml:7:10: `{{` is never closed
    {{ y
    ^
  expected: `}}`""",
    "- id: a\n  type: log.Log\n  message: hi\n  timeout: 5 minutes": """\
flow.yaml:7:12: `5 minutes` is not a duration
  expected: an ISO 8601 duration such as PT30S, PT1H30M or P1D""",
    "- id: a\n  type: log.Log\n  message: hi\n  disabled: sometimes": """\
flow.yaml:7:13: `sometimes` is not true or false""",
    "- id: a\n  type: log.Log\n  message: hi\n  logLevel: LOUD": """\
flow.yaml:7:13: `LOUD` is not a level
  expected: one of TRACE, DEBUG, INFO, WARN, ERROR""",
    "- {id: a, type: log.Log, message: hi, runIf: x, when: y}": """\
flow.yaml:4:49: `runIf` and `when` are the same property
  expected: one of them""",
    "- id: a\n  type: flow.Sequential\n  tasks:\n    id: b": """\
flow.yaml:7:5: a map is not a list
  expected: a list, each element after a `- `""",
    "- id: a\n  type: test.Picky\n  tasks: []": """\
flow.yaml:4:3: a: at least two tasks are needed
  expected: two tasks""",
    "- id: a\n  type: test.Picky": """\
flow.yaml:4:3: `tasks` must not be empty
  expected: a list of tasks""",
}


@pytest.mark.parametrize(("source", "message"), CASES.items(), ids=[text.splitlines()[0] for text in CASES.values()])
def test_what_is_wrong_with_a_task_is_said_with_its_place(source: str, message: str, load: Load) -> None:
    loaded = load(HEAD + source)

    assert texts(loaded) == [message]
    assert loaded.flow is None


def test_ids_are_unique_over_all_levels(load: Load) -> None:
    source = """\
- {id: a, type: log.Log, message: one}
- id: b
  type: flow.Sequential
  tasks:
    - {id: a, type: log.Log, message: two}
    - {id: c, type: log.Log, message: three}
- {id: c, type: log.Log, message: four}
"""
    assert texts(load(HEAD + source)) == [
        "flow.yaml:8:12: Duplicate task id with name [a, c]\n  expected: an id that no other has",
        "flow.yaml:10:8: Duplicate task id with name [a, c]\n  expected: an id that no other has",
    ]


def test_a_timeout_of_a_task_that_only_holds_others_is_a_warning(load: Load) -> None:
    loaded = load(HEAD + "- {id: a, type: flow.Sequential, timeout: PT1S}")

    assert only_step(loaded).timeout is None
    assert [(problem.severity, str(problem)) for problem in loaded.problems] == [
        (
            "warning",
            "flow.yaml:4:34: `timeout` has no effect on a task that only holds others\n"
            "  to do: set it on the tasks inside",
        )
    ]


def test_errors_below_a_flow_task_do_not_make_it_complain_about_what_is_missing(load: Load) -> None:
    source = "- id: a\n  type: test.Picky\n  tasks:\n    - {id: b, type: nope}\n    - {id: c, type: nope}\n"

    assert [problem.message for problem in load(HEAD + source).problems] == ["Invalid type: nope"] * 2


def test_an_expression_as_timeout_of_a_flow_task_is_a_warning_too(load: Load) -> None:
    loaded = load(HEAD + "- {id: a, type: flow.Sequential, timeout: '{{ x }}', tasks: }")

    assert only_step(loaded) == Step("a", "flow.Sequential", Sequence(()))
    assert [problem.severity for problem in loaded.problems] == ["warning"]


def test_properties_that_are_not_rendered_may_hold_anything(load: Load) -> None:
    assert only_step(load(HEAD + "- {id: a, type: test.Verbatim, source: '{{ not | '}")).id == "a"


def test_expressions_inside_lists_and_maps_are_checked_where_they_stand(load: Load) -> None:
    source = "- id: a\n  type: output.OutputValues\n  values:\n    x: [ok, '{{ 1 + }}']\n    '{{ k': 1\n"

    assert [(problem.path, problem.line, problem.column) for problem in load(HEAD + source).problems] == [
        ("$.tasks[0].values", 7, 5), ("$.tasks[0].values.x[1]", 7, 13),
    ]  # fmt: skip


def test_problems_of_every_level_are_reported_together(load: Load) -> None:
    source = """\
- id: a
  type: flow.Sequential
  tasks:
    - {id: b, type: nope}
    - {type: log.Log}
"""
    assert [problem.message for problem in load(HEAD + source).problems] == [
        "Invalid type: nope", "`id` is missing", "`message` is missing",
    ]  # fmt: skip


def test_a_retry_inside_a_working_directory_is_told_to_have_no_effect(load: Load) -> None:
    retry = "retry: {type: constant, interval: PT1S}"
    member = f"{{id: m, type: log.Log, message: a, {retry}}}"
    loaded = load(f"id: f\nnamespace: a.b\ntasks:\n- {{id: t, type: flow.WorkingDirectory, {retry}, tasks: [{member}]}}\n")

    assert loaded.flow is not None
    assert [(problem.severity, str(problem)) for problem in loaded.problems] == [
        (
            "warning",
            "flow.yaml:4:124: `retry` has no effect on a task inside a working directory\n"
            "  to do: set it on the directory",
        )
    ]
