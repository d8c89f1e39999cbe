"""Listeners and templates: rewritten while loading, so that nothing behind it hears of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from core.expressions import Renderer
from core.loading import Loaded, load_flow
from core.model.nodes import Policy, Sequence, Step, Work
from core.model.truth import truthy
from core.registry import Registry

Load = Callable[[str], Loaded]
HEAD = "id: f\nnamespace: a.b\ntasks: [{id: a, type: log.Log, message: hi}]\n"
TASK = "{id: l, type: log.Log, message: hi}"


def listening(*conditions: str, task: str = TASK) -> str:
    return f"{HEAD}listeners:\n- conditions: [{', '.join(f'{{{one}}}' for one in conditions)}]\n  tasks: [{task}]\n"


def test_tasks_of_listeners_are_tasks_after_the_execution_and_come_first(load: Load) -> None:
    loaded = load(f"{HEAD}listeners: [{{tasks: [{TASK}]}}]\nafterExecution: [{{id: z, type: log.Log, message: hi}}]\n")

    assert loaded.require().after_execution == (
        Step("l", "log.Log", Work(), {"message": "hi"}), Step("z", "log.Log", Work(), {"message": "hi"}),
    )  # fmt: skip
    assert [str(problem) for problem in loaded.problems] == [
        "flow.yaml:4:13: `listeners` is deprecated: its tasks are read as `afterExecution`, as they are"
    ]
    assert loaded.problems[0].severity == "warning"


def test_the_warning_says_which_condition_the_tasks_get(load: Load) -> None:
    loaded = load(listening("type: condition.ExecutionStatus, in: [FAILED, KILLED]"))

    condition = '{{ (["FAILED", "KILLED"] contains execution.state and true) }}'
    assert loaded.require().after_execution[0].run_if == condition
    assert loaded.problems[0].message == (
        f"`listeners` is deprecated: its tasks are read as `afterExecution`, with `runIf: {condition}`"
    )


CONTEXT = {
    "flow": {"namespace": "a.b", "id": "f"}, "execution": {"state": "FAILED"}, "labels": {"team": "x"},
    "inputs": {"x": 1, "empty": ""},
}  # fmt: skip
HOLDS: dict[str, bool] = {
    "type: condition.ExecutionStatus, in: [FAILED]": True,
    "type: condition.ExecutionStatus, notIn: [FAILED]": False,
    "type: condition.ExecutionStatus": True,
    "type: condition.ExecutionFlow, namespace: a.b, flowId: f": True,
    "type: condition.ExecutionFlow, namespace: a.b, flowId: g": False,
    "type: condition.ExecutionNamespace, namespace: a": False,
    "type: condition.ExecutionNamespace, namespace: a, prefix: true": True,
    "type: condition.ExecutionNamespace, namespace: b, comparison: SUFFIX": True,
    "type: condition.FlowCondition, namespace: a.b, flowId: f": True,
    "type: condition.FlowNamespaceCondition, namespace: a, prefix: true": True,
    "type: condition.ExecutionLabels, labels: {team: x}": True,
    "type: condition.ExecutionLabels, labels: [{key: team, value: x}, {key: other, value: y}]": False,
    "type: condition.Expression, expression: '{{ inputs.x == 1 }}'": True,
    "type: condition.Expression, expression: '{{ inputs.x == 2 }}'": False,
    "type: condition.Expression, expression: '{{ inputs.empty }}'": False,
    "type: condition.Expression, expression: '{{ 0 }}'": True,
    "type: condition.Expression, expression: 'false'": False,
    "type: condition.Not, conditions: [{type: condition.ExecutionStatus, in: [FAILED]}]": False,
    "type: condition.Or, conditions: [{type: condition.ExecutionStatus, in: [KILLED]}, {type: condition.ExecutionStatus}]": True,
}


def rendered(template: str | None, variables: Mapping[str, Any] = CONTEXT) -> str:
    assert template is not None
    return Renderer().render(template, variables)


@pytest.mark.parametrize(("condition", "holds"), HOLDS.items(), ids=list(HOLDS))
def test_a_condition_as_an_expression_means_the_same(condition: str, holds: bool, load: Load) -> None:
    (step,) = load(listening(condition)).require().after_execution

    assert truthy(rendered(step.run_if)) is holds


@pytest.mark.parametrize(("own", "runs"), [("{{ inputs.x }}", True), ("{{ inputs.empty }}", False), ("no", False)])
def test_a_condition_of_the_task_itself_must_hold_too(own: str, runs: bool, load: Load) -> None:
    task = f"{{id: l, type: log.Log, message: hi, runIf: '{own}'}}".replace("'no'", "no")

    held, not_held = (
        load(listening(f"type: condition.ExecutionStatus, in: [{state}]", task=task))
        .require()
        .after_execution[0]
        .run_if
        for state in ("FAILED", "SUCCESS")
    )

    assert truthy(rendered(held)) is runs
    assert rendered(not_held) == ""


def test_a_condition_that_no_expression_knows_is_refused_with_its_place(load: Load) -> None:
    loaded = load(listening("type: condition.Weekend"))

    assert [str(problem) for problem in loaded.problems if problem.severity == "error"] == [
        "flow.yaml:5:16: `condition.Weekend` can't be asked of an execution that has ended\n"
        "  to do: use `afterExecution`, with a `runIf` on its tasks"
    ]


TEMPLATE = """\
id: greet
namespace: a.b
tasks:
- {id: hello, type: log.Log, message: "{{ parent.outputs.args.who | upper }} and {{ parent.outputs.args.other }}"}
errors:
- {id: bad, type: log.Log, message: sorry}
"""
USING = """\
id: f
namespace: a.b
tasks:
- {id: t, type: io.kestra.plugin.core.flow.Template, namespace: a.b, templateId: greet, args: {who: "{{ inputs.x }}!"}}
"""


def test_the_tasks_of_a_template_stand_in_its_place_with_its_arguments(registry: Registry) -> None:
    loaded = load_flow(USING, registry, "flow.yaml", find_template=lambda namespace, name: TEMPLATE)

    (step,) = loaded.require().root.children
    hello = Step("hello", "log.Log", Work(), {"message": "{{ ((inputs.x) ~ '!') | upper }} and {{ null }}"})
    assert step.node == Sequence((hello,), Policy((Step("bad", "log.Log", Work(), {"message": "sorry"}),)))
    assert [problem.message for problem in loaded.problems] == [
        "`flow.Template` is deprecated: the tasks of the template are read in its place, one after another"
    ]


@pytest.mark.parametrize("written", ["parent.outputs.args['my-name']", 'parent.outputs.args[ "my-name" ]'])
def test_an_argument_of_a_template_may_have_any_name(written: str, registry: Registry) -> None:
    template = "id: greet\nnamespace: a.b\ntasks:\n- {id: hello, type: log.Log, message: '{{ " + written.replace("'", "''")
    using = USING.replace("who:", "my-name:")
    loaded = load_flow(using, registry, "flow.yaml", find_template=lambda namespace, name: f"{template} }}}}'}}\n")

    (step,) = loaded.require().root.children
    assert step.node == Sequence((Step("hello", "log.Log", Work(), {"message": "{{ ((inputs.x) ~ '!') }}"}),))


def test_templates_are_asked_for_by_namespace_and_id(registry: Registry) -> None:
    asked = []

    def find(namespace: str, name: str) -> None:
        asked.append((namespace, name))

    assert load_flow(USING, registry, "flow.yaml", find_template=find).flow is None
    assert asked == [("a.b", "greet")]


def test_what_is_wrong_inside_a_template_is_said_where_it_is_used(registry: Registry) -> None:
    wrong = TEMPLATE.replace("log.Log, message: sorry", "log.Lgo")

    loaded = load_flow(USING, registry, "flow.yaml", find_template=lambda namespace, name: wrong)

    errors = [problem for problem in loaded.problems if problem.severity == "error"]
    assert [str(problem) for problem in errors] == [
        "flow.yaml:4:3: Invalid type: log.Lgo\n  to do: did you mean `log.Log`?"
    ]
