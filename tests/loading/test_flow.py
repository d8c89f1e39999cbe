from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.errors import InvalidFlow
from core.loading import Loaded, Problem, load_flow
from core.model.flow import FlowOutput
from core.model.inputs import Input
from core.model.nodes import Sequence, Step, Work

Load = Callable[[str], Loaded]
HEAD = "id: f\nnamespace: a.b\n"
TASKS = "tasks:\n  - id: a\n    type: log.Log\n    message: hi\n"


def texts(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def test_a_whole_flow_is_read(load: Load) -> None:
    source = """\
id: my-flow.1
namespace: company.team_a
revision: 3
description: What it does.
labels:
  owner: me
  system.readOnly: true
  year: 2024
inputs:
  - id: who
    type: STRING
    defaults: you
variables:
  greeting: "hello {{ inputs.who }}"
tasks:
  - id: a
    type: log.Log
    message: "{{ vars.greeting }}"
outputs:
  - id: text
    type: STRING
    value: "{{ outputs.a }}"
disabled: true
"""
    loaded = load(source)

    assert loaded.problems == ()
    flow = loaded.require()
    assert (flow.id, flow.namespace, flow.revision, flow.disabled) == ("my-flow.1", "company.team_a", 3, True)
    assert flow.description == "What it does."
    assert flow.labels == {"owner": "me", "system.readOnly": "true", "year": "2024"}
    assert flow.inputs == (Input("who", "STRING", defaults="you", has_defaults=True),)
    assert flow.variables == {"greeting": "hello {{ inputs.who }}"}
    assert flow.root == Sequence((Step("a", "log.Log", Work(), {"message": "{{ vars.greeting }}"}),))
    assert flow.outputs == (FlowOutput("text", "STRING", "{{ outputs.a }}"),)
    assert flow.source == source


def test_labels_can_be_a_list_of_pairs(load: Load) -> None:
    flow = load(HEAD + "labels:\n  - {key: a, value: 1}\n  - {key: b, value: x}\n" + TASKS).require()

    assert flow.labels == {"a": "1", "b": "x"}


def test_properties_that_ask_for_nothing_are_not_there(load: Load) -> None:
    absent = "errors: []\ntriggers:\nlisteners: ~\nconcurrency: {}\ninputs:\nlabels:\ndeleted: false\nvariables: ~\n"

    assert load(HEAD + absent + TASKS).problems == ()


def test_the_source_is_kept_as_it_is(registry: Any) -> None:
    source = "\ufeff" + (HEAD + TASKS).replace("\n", "\r\n")

    loaded = load_flow(source.encode(), registry)

    assert loaded.require().source == source
    assert loaded.require().id == "f"


CASES = {
    HEAD + TASKS + "varables: {a: 1}": """\
flow.yaml:7:1: there is no property `varables`
  to do: did you mean `variables`?""",
    HEAD + TASKS + "zzz: 1": """\
flow.yaml:7:1: there is no property `zzz`
  expected: afterExecution, checks, concurrency, description, disabled, errors, finally, id, inputs, labels, \
listeners, namespace, outputs, pluginDefaults, retry, revision, sla, taskDefaults, tasks, triggers, variables""",
    HEAD + TASKS + "workerGroup: {key: gpu}": """\
flow.yaml:7:1: `workerGroup` is refused: Worker Group is an Enterprise Edition functionality of the reference
  to do: remove `workerGroup`""",
    "namespace: a\n" + TASKS: """\
flow.yaml:1:1: `id` is missing
  expected: letters, digits, `.`, `_` and `-`, beginning with a letter or digit
  to do: add `id: my_flow`""",
    "id: f\n" + TASKS: """\
flow.yaml:1:1: `namespace` is missing
  expected: small letters, digits, `.`, `_` and `-`, beginning with a letter or digit
  to do: add `namespace: company.team`""",
    "id: my#flow\nnamespace: a\n" + TASKS: """\
flow.yaml:1:5: `my#flow` can't be the `id`
  expected: letters, digits, `.`, `_` and `-`, beginning with a letter or digit""",
    f"id: {'x' * 101}\nnamespace: a\n" + TASKS: """\
flow.yaml:1:5: the `id` has 101 characters
  expected: at most 100 characters""",
    "id: f\nnamespace: MY$NAMESPACE\n" + TASKS: """\
flow.yaml:2:12: `MY$NAMESPACE` can't be the `namespace`
  expected: small letters, digits, `.`, `_` and `-`, beginning with a letter or digit""",
    "id: force-run\nnamespace: a\n" + TASKS: """\
flow.yaml:1:5: the flow id `force-run` is reserved
  to do: choose another one""",
    HEAD + "revision: 0\n" + TASKS: """\
flow.yaml:3:11: `0` is not a revision
  expected: a whole number from 1""",
    HEAD + "description: [a]\n" + TASKS: """\
flow.yaml:3:14: a list is not a text""",
    HEAD + 'disabled: "{{ true }}"\n' + TASKS: """\
flow.yaml:3:11: `{{ true }}` is not true or false""",
    HEAD + "deleted: true\n" + TASKS: """\
flow.yaml:3:1: the flow is deleted
  to do: remove `deleted: true`""",
    HEAD + "variables: [1]\n" + TASKS: """\
flow.yaml:3:12: a list is not a map
  expected: a map of `key: value`""",
    HEAD + "labels: x\n" + TASKS: """\
flow.yaml:3:9: `x` is neither a map nor a list
  expected: a map of `key: value`""",
    HEAD + "labels:\n  - {key: a}\n" + TASKS: """\
flow.yaml:4:5: a map is not a label
  expected: a map with `key` and `value`""",
    HEAD + "labels: {a: [1]}\n" + TASKS: """\
flow.yaml:3:13: a list is not the value of a label
  expected: a text, a number or a boolean""",
    HEAD + "labels: {system.id: x}\n" + TASKS: """\
flow.yaml:3:10: System labels can only be set by Kestra itself, offending label: system.id=x
  expected: a key that does not begin with `system.`""",
    HEAD: """\
flow.yaml:1:1: `tasks` must not be empty
  expected: a list with at least one task
  to do: add `tasks:` and below it a `- id:` with a `type:`""",
    HEAD + "tasks: []": """\
flow.yaml:3:8: `tasks` must not be empty
  expected: a list with at least one task
  to do: add `tasks:` and below it a `- id:` with a `type:`""",
    HEAD + "tasks: 5": """\
flow.yaml:3:8: `5` is not a list
  expected: a list, each element after a `- `""",
    HEAD + "tasks:\n  - log.Log": """\
flow.yaml:4:5: `log.Log` is not a map
  expected: a map of `key: value`""",
}


@pytest.mark.parametrize(("source", "message"), CASES.items(), ids=[text.splitlines()[0] for text in CASES.values()])
def test_what_is_wrong_is_said_with_its_place(source: str, message: str, load: Load) -> None:
    loaded = load(source)

    assert texts(loaded) == [message]
    assert loaded.flow is None


def test_all_problems_are_reported_in_the_order_of_the_source(load: Load) -> None:
    loaded = load("id: pause\nnamespace: A\ntasks:\n  - id: a\n    type: nope\nfoo: 1\n")

    assert [(problem.line, problem.column, problem.path) for problem in loaded.problems] == [
        (1, 5, "$.id"), (2, 12, "$.namespace"), (5, 11, "$.tasks[0].type"), (6, 1, "$.foo"),
    ]  # fmt: skip


def test_require_raises_the_errors_and_leaves_out_the_warnings(load: Load) -> None:
    source = HEAD + "tasks:\n  - {id: a, type: test.Verbatim, old: x}\n  - {id: b, type: log.Log}\n"
    loaded = load(source)

    assert [problem.severity for problem in loaded.problems] == ["warning", "error"]
    with pytest.raises(InvalidFlow) as refused:
        loaded.require()
    assert str(refused.value) == "flow.yaml:5:5: `message` is missing\n  expected: a text or a list of texts"


def test_a_flow_with_warnings_only_is_a_flow(load: Load) -> None:
    loaded = load(HEAD + "tasks:\n  - {id: a, type: test.Verbatim, old: x}\n")

    assert loaded.require().id == "f"
    assert loaded.problems == (
        Problem(
            "warning",
            "`old` is deprecated",
            "flow.yaml",
            4,
            34,
            "$.tasks[0].old",
            hint="use `source`",
            kind="deprecated",
        ),
    )
