"""Flow tasks as a flow writes them: the nodes they become, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.loading import Loaded
from core.model.inputs import INPUT_TYPES, Input
from core.model.nodes import (
    Call,
    Choice,
    Dag,
    Each,
    Group,
    IterationOutput,
    Node,
    Parallel,
    Policy,
    Repeat,
    Sequence,
    Step,
    Wait,
    Work,
)  # fmt: skip

Load = Callable[[str], Loaded]
HEAD = "id: f\nnamespace: a.b\ntasks:\n"


def log(name: str) -> str:
    return f"{{id: {name}, type: log.Log, message: hi}}"


def step(name: str) -> Step:
    return Step(name, "log.Log", Work(), {"message": "hi"})


TYPES = ", ".join(INPUT_TYPES)
X, Y, Z = (step(name) for name in "xyz")

NODES: dict[str, Node] = {
    f"type: flow.Sequential, tasks: [{log('x')}, {log('y')}]": Sequence((X, Y)),
    "type: flow.Sequential": Sequence(()),
    f"type: flow.AllowFailure, tasks: [{log('x')}], errors: [{log('y')}], finally: [{log('z')}]": Sequence(
        (X,), Policy((Y,), (Z,), failure_is_warning=True)
    ),
    f"type: flow.Parallel, tasks: [{log('x')}, {log('y')}]": Parallel((X, Y)),
    f"type: flow.Parallel, concurrent: 2, tasks: [{log('x')}], errors: [{log('y')}]": Parallel((X,), 2, Policy((Y,))),
    f"type: flow.Dag, concurrent: 1, tasks: [{{task: {log('x')}}}, {{task: {log('y')}, dependsOn: [x]}}]": Dag(
        (X, Y), {"x": (), "y": ("x",)}, 1
    ),
    f"type: flow.If, condition: '{{{{ a }}}}', then: [{log('x')}], else: [{log('y')}]": Choice(
        "{{ a }}", {"true": (X,), "false": (Y,)}, by_truth=True
    ),
    f"type: flow.If, then: [{log('x')}]": Choice("false", {"true": (X,), "false": ()}, by_truth=True),
    f"type: flow.Switch, value: v, cases: {{A: [{log('x')}], 1: [{log('y')}]}}, defaults: [{log('z')}]": Choice(
        "v", {"A": (X,), "1": (Y,)}, (Z,)
    ),
    f"type: flow.Switch, value: v, cases: {{A: [{log('x')}]}}": Choice("v", {"A": (X,)}),
    f"type: flow.ForEach, values: [1, a, {{k: v}}], tasks: [{log('x')}]": Each([1, "a", {"k": "v"}], (X,)),
    f"type: flow.ForEach, values: '{{{{ v }}}}', concurrencyLimit: 0, tasks: [{log('x')}]": Each("{{ v }}", (X,), 0),
    f"type: flow.EachSequential, value: '[1]', tasks: [{log('x')}]": Each("[1]", (X,)),
    f"type: flow.EachParallel, value: [1], concurrent: 3, tasks: [{log('x')}]": Each([1], (X,), 3, side_by_side=True),
    f"type: flow.Loop, values: [1], tasks: [{log('x')}]": Each([1], (X,), 0, as_items=True),
    f"type: flow.Loop, values: [1], transmitFailed: false, tasks: [{log('x')}]": Each(
        [1], (X,), 0, as_items=True, transmit_failed=False
    ),
    f"type: flow.Loop, values: [1], outputs: [{{id: o, type: INT, value: '{{{{ v }}}}'}}], breakWhen: '{{{{ b }}}}', "
    f"tasks: [{log('x')}]": Each(
        [1], (X,), 0, as_items=True, outputs=(IterationOutput("o", "INT", "{{ v }}"),), break_when="{{ b }}"
    ),
    f"type: flow.Loop, values: [1], fetchType: STORE, tasks: [{log('x')}]": Each(
        [1], (X,), 0, as_items=True, stored=True
    ),
    f"type: flow.Loop, values: [1], fetchType: FETCH, tasks: [{log('x')}]": Each(
        [1], (X,), 0, as_items=True, stored=False
    ),
    f"type: flow.LoopUntil, condition: '{{{{ c }}}}', tasks: [{log('x')}]": Repeat("{{ c }}", (X,)),
    f"type: flow.WaitFor, condition: c, tasks: [{log('x')}], failOnMaxReached: true, checkFrequency: "
    "{interval: PT0.5S, maxIterations: '{{ n }}', maxDuration: PT1H}": Repeat(
        "c", (X,), "PT0.5S", "{{ n }}", "PT1H", failure_on_max=True
    ),
    "type: flow.Pause": Wait(),
    f"type: flow.Pause, delay: PT5S, timeout: '{{{{ t }}}}', behavior: WARN, onPause: {log('x')}": Wait(
        "PT5S", "{{ t }}", "WARN", X
    ),
    "type: flow.Subflow, namespace: n, flowId: o": Call({"namespace": "n", "flow_id": "o"}),
    "type: flow.Subflow, namespace: n, flowId: o, revision: 3, inputs: {a: 1}, labels: {l: x}, wait: false, "
    "transmitFailed: false, inheritLabels: true, scheduleDate: '{{ d }}', restartBehavior: NEW_EXECUTION": Call(
        {
            "namespace": "n", "flow_id": "o", "revision": 3, "inputs": {"a": 1}, "labels": {"l": "x"},
            "inherit_labels": True, "schedule_date": "{{ d }}",
        },
        wait=False, transmit_failed=False, restart_child=False,
    ),
    "type: flow.ForEachItem, items: '{{ u }}', namespace: n, flowId: o, batch: {partitions: 2}": Sequence(
        (
            Step(
                "t_split", "flow.ForEachItemSplit", Work(),
                {"items": "{{ u }}", "rows": 1, "separator": "\n", "partitions": 2},
            ),
            Step(
                "t_items", "flow.ForEachItem",
                Call({"namespace": "n", "flow_id": "o"}, times="{{ outputs['t_split'].count }}"),
            ),
            Step(
                "t_merge", "flow.ForEachItemMerge", Work(), {"outputs": "{{ outputs['t_items'].outputs ?? [] }}"}
            ),
        )
    ),
    f"type: flow.WorkingDirectory, tasks: [{log('x')}, {log('y')}], outputFiles: ['*']": Group((X, Y)),
}  # fmt: skip


@pytest.mark.parametrize(("written", "node"), NODES.items(), ids=list(NODES))
def test_a_flow_task_becomes_its_node(written: str, node: Node, load: Load) -> None:
    (found,) = load(f"{HEAD}- {{id: t, {written}}}\n").require().root.children

    assert found.node == node


def test_properties_that_hold_tasks_are_none_of_the_step(load: Load) -> None:
    written = f"type: flow.Switch, value: v, cases: {{A: [{log('x')}]}}, defaults: [{log('y')}]"

    (found,) = load(f"{HEAD}- {{id: t, {written}}}\n").require().root.children

    assert found.properties == {"value": "v"}


def test_inputs_on_resuming_stay_properties_and_are_checked(load: Load) -> None:
    written = "- id: t\n  type: flow.Pause\n  onResume:\n  - {id: ok, type: BOOL}\n  - {id: ok, type: BOL}\n"

    loaded = load(HEAD + written)

    assert [str(problem) for problem in loaded.problems] == [
        "flow.yaml:8:10: Duplicate input with name [ok]\n  expected: an id that no other has",
        "flow.yaml:8:20: Invalid type: BOL\n  to do: did you mean `BOOL`?",
    ]
    (found,) = (
        load(HEAD + written.replace("BOL}", "BOOL}").replace("id: ok, type: BOOL}\n  -", "id: a, type: INT}\n  -"))
        .require()
        .root.children
    )
    assert found.properties == {"onResume": [Input("a", "INT"), Input("ok", "BOOL")]}


@pytest.mark.parametrize("name", ["tasks", "steps"])
def test_tasks_that_are_needed_may_stand_under_any_of_their_names(name: str, load: Load) -> None:
    loaded = load(f"{HEAD}- {{id: t, type: test.Walk, {name}: [{log('x')}]}}")

    assert loaded.problems == ()
    assert loaded.require().root.children[0].node == Sequence((X,))


def test_where_a_map_or_a_text_may_stand_an_expression_may(load: Load) -> None:
    loaded = load(f"{HEAD}- {{id: t, type: test.Walk, tasks: [{log('x')}], way: '{{{{ inputs.way }}}}'}}")

    assert loaded.problems == ()


WRONG = {
    "type: flow.Parallel, tasks: []": """\
flow.yaml:4:3: t: `tasks` must not be empty
  expected: a list with at least one task""",
    "type: flow.Parallel": """\
flow.yaml:4:3: `tasks` must not be empty
  expected: a list of tasks""",
    f"type: flow.Parallel, concurrent: -1, tasks: [{log('x')}]": """\
flow.yaml:4:44: t: `concurrent` is -1
  expected: 0 or a positive number""",
    f"type: flow.ForEach, values: {{a: 1}}, tasks: [{log('x')}]": """\
flow.yaml:4:39: a map is not a text or a list""",
    "type: flow.Dag, tasks: []": """\
flow.yaml:4:3: t: No task defined
  expected: a list with at least one `task`""",
    f"type: flow.Dag, tasks: [{{task: {log('x')}, dependsOn: [y]}}]": """\
flow.yaml:4:90: t: Not existing task id in dependency: y
  expected: one of x""",
    f"type: flow.Dag, tasks: [{{task: {log('x')}, dependsOn: [x]}}]": """\
flow.yaml:4:90: t: Cyclic dependency detected: x
  expected: dependencies that lead to no circle""",
    f"type: flow.Dag, tasks: [{{tsk: {log('x')}}}]": """\
flow.yaml:4:36: there is no property `tsk`
  to do: did you mean `task`?""",
    "type: flow.Dag, tasks: [{task: {id: x, type: log.Lgo}}]": """\
flow.yaml:4:56: Invalid type: log.Lgo
  to do: did you mean `log.Log`?""",
    "type: flow.If, condition: x, then: []": """\
flow.yaml:4:3: t: `then` must not be empty
  expected: a list with at least one task""",
    "type: flow.Switch, value: x": """\
flow.yaml:4:3: t: No task defined, neither cases or default have any tasks
  expected: tasks in `cases` or `defaults`""",
    "type: flow.Switch, value: x, cases: {A: {id: b}}": """\
flow.yaml:4:51: a map is not a list
  expected: a list, each element after a `- `""",
    f"type: flow.LoopUntil, condition: x, checkFrequency: {{interval: PT0S}}, tasks: [{log('x')}]": """\
flow.yaml:4:74: t: `interval` must be positive
  expected: a duration such as PT10S""",
    f"type: flow.Loop, values: [1], outputs: [{{id: o, type: INT, value: 1}}, {{id: o, type: STRING, value: x}}], "
    f"tasks: [{log('x')}]": """\
flow.yaml:4:50: t: two `outputs` have the id `o`
  expected: an id of its own for each""",
    f"type: flow.Loop, values: [1], outputs: [{{id: o, type: TEXT, value: x}}], tasks: [{log('x')}]": f"""\
flow.yaml:4:65: `TEXT` is not one of {TYPES}""",
    f"type: flow.Loop, values: [1], outputs: [{{id: o, value: x}}], tasks: [{log('x')}]": f"""\
flow.yaml:4:51: `type` is missing
  expected: one of {TYPES}""",
    f"type: flow.Loop, values: [1], breakWhen: '{{{{ item.', tasks: [{log('x')}]": """\
flow.yaml:4:52: `{{` is never closed
    {{ item.
    ^
  expected: `}}`""",
    "type: flow.Switch, value: x, cases: '{{ inputs.cases }}'": """\
flow.yaml:4:47: this can't come out of an expression
  expected: a map of lists of tasks
  to do: write it out""",
    "type: flow.Dag, tasks: ['{{ inputs.task }}']": """\
flow.yaml:4:35: this can't come out of an expression
  expected: a map (dag task)
  to do: write it out""",
    "type: flow.Dag, tasks: [{task: '{{ inputs.task }}'}]": """\
flow.yaml:4:42: this can't come out of an expression
  expected: a task
  to do: write it out""",
    f"type: flow.LoopUntil, condition: x, checkFrequency: '{{{{ inputs.often }}}}', tasks: [{log('x')}]": """\
flow.yaml:4:63: this can't come out of an expression
  expected: a map (check frequency)
  to do: write it out""",
    "type: flow.WorkingDirectory, tasks: []": """\
flow.yaml:4:3: t: The 'tasks' property cannot be empty
  expected: a list with at least one task""",
    "type: flow.WorkingDirectory, tasks: [{id: x, type: flow.Pause}]": """\
flow.yaml:4:48: t: Only runnable tasks are allowed as children of a WorkingDirectory task
  expected: a task that does work, but `x` holds others or calls a flow""",
    "type: flow.Pause, onPause: {id: x, type: flow.Pause}": """\
flow.yaml:4:38: t: Only a runnable task is allowed as `onPause`
  expected: a task that does work""",
    "type: flow.Subflow, namespace: a.b, flowId: f": """\
flow.yaml:4:55: Invalid Flow: Recursive call to flow [a.b.f]
  expected: another flow""",
    "type: flow.Subflow, flowId: f": """\
flow.yaml:4:3: `namespace` is missing
  expected: a text""",
    "type: flow.Template, namespace: n, templateId: o": """\
flow.yaml:4:46: the template `n.o` is not known here, and templates are deprecated
  to do: put it into `_templates/` beside the flow, or make it a flow and call it with flow.Subflow""",
}


@pytest.mark.parametrize(("written", "message"), WRONG.items(), ids=list(WRONG))
def test_what_is_wrong_with_a_flow_task_is_said_with_its_place(written: str, message: str, load: Load) -> None:
    loaded = load(f"{HEAD}- {{id: t, {written}}}\n")

    told = [str(problem) for problem in loaded.problems if problem.severity == "error"]
    assert told[-1:] == [message]
    assert loaded.flow is None


REWRITTEN = {
    f"type: flow.EachSequential, value: [1], tasks: [{log('x')}]": (
        "`flow.EachSequential` is deprecated: it is read as `flow.ForEach` with `concurrencyLimit: 1`"
    ),
    f"type: io.kestra.core.tasks.flows.EachParallel, value: [1], tasks: [{log('x')}]": (
        "`flow.EachParallel` is deprecated: it is read as `flow.ForEach` with `concurrencyLimit: 0` around a `flow.Parallel`"
    ),
}


@pytest.mark.parametrize(("written", "message"), REWRITTEN.items(), ids=list(REWRITTEN))
def test_a_deprecated_type_says_into_what_it_is_rewritten(written: str, message: str, load: Load) -> None:
    (problem,) = load(f"{HEAD}- {{id: t, {written}}}\n").problems

    assert (problem.severity, problem.kind, problem.message) == ("warning", "deprecated", message)
    assert (problem.line, problem.column, problem.path) == (4, 17, "$.tasks[0].type")


def test_a_flow_has_blocks_too(load: Load) -> None:
    source = f"{HEAD}- {log('t')}\nerrors: [{log('x')}]\nfinally: [{log('y')}]\nafterExecution: [{log('z')}]\n"

    flow = load(source).require()

    assert flow.root.policy == Policy((X,), (Y,))
    assert flow.after_execution == (Z,)
    assert [one.id for one in flow.steps()] == ["t", "x", "y", "z"]


def test_ids_are_unique_over_all_blocks(load: Load) -> None:
    source = f"{HEAD}- {log('t')}\nerrors: [{log('t')}]\nfinally: [{log('t')}]\nafterExecution: [{log('t')}]\n"

    assert [(problem.line, problem.message) for problem in load(source).problems] == [
        (line, "Duplicate task id with name [t]") for line in (5, 6, 7)
    ]
