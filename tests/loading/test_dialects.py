"""Which dialect of the reference a flow speaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.loading import Loaded
from core.loading.differences import differences, spoken
from core.model.data import evolve

Load = Callable[[str], Loaded]
HEAD = "id: f\nnamespace: a.b\n"
LOG = "{id: x, type: log.Log, message: hi}"
TASKS = f"tasks: [{LOG}]\n"

SPOKEN = {
    TASKS: "both",
    TASKS.replace("message", "runIf: '{{ a }}', message"): "both",
    f"tasks: [{{id: t, type: flow.ForEach, values: [1], tasks: [{LOG}]}}]": "1.x",
    f"tasks: [{{id: t, type: flow.Sequential, tasks: [{{id: u, type: flow.ForEach, values: [1], tasks: [{LOG}]}}]}}]": "1.x",
    TASKS + "pluginDefaults: [{type: log.Log, values: {level: INFO}}]": "1.x",
    TASKS + "checks: [{condition: x, message: y}]": "1.x",
    TASKS + "triggers: [{id: t, type: trigger.Flow, conditions: [{type: condition.Weekend}]}]": "1.x",
    f"tasks: [{{id: t, type: flow.Loop, values: [1], tasks: [{LOG}]}}]": "2.x",
    TASKS.replace("message", "when: '{{ a }}', message"): "2.x",
    TASKS + "checks: [{when: x, message: y}]": "2.x",
    TASKS + "triggers: [{id: t, type: trigger.Flow, when: x}]": "2.x",
    TASKS + "triggers: [{id: t, type: trigger.Flow, dependsOn: [{flowId: o}]}]": "2.x",
}


@pytest.mark.parametrize(("source", "dialect"), SPOKEN.items(), ids=list(SPOKEN))
def test_a_flow_says_which_dialect_it_speaks(source: str, dialect: str, load: Load) -> None:
    assert load(HEAD + source).require().dialect == dialect


def test_a_flow_can_not_mix_them(load: Load) -> None:
    source = f"tasks:\n- {{id: t, type: flow.Loop, values: [1], tasks: [{LOG}]}}\npluginDefaults: [{{type: a.B, values: {{c: 1}}}}]\n"

    assert [str(problem) for problem in load(HEAD + source).problems] == [
        "flow.yaml:4:11: `flow.Loop` is a word of the 2.x dialect, and `pluginDefaults` ($.pluginDefaults) of 1.x\n"
        "  expected: one dialect in a flow"
    ]


@pytest.mark.parametrize(
    ("expression", "word"), [("x | json", "the filter `json`"), ("json(x)", "the function `json`")]
)
def test_a_flow_of_2x_has_no_expressions_that_2x_has_lost(expression: str, word: str, load: Load) -> None:
    loop = f"tasks: [{{id: t, type: flow.Loop, values: [1], tasks: [{LOG}]}}]\n"
    loaded = load(f"{HEAD}variables: {{a: '{{{{ {expression} }}}}'}}\n{loop}")

    assert [str(problem) for problem in loaded.problems] == [
        f"flow.yaml:4:17: `flow.Loop` is a word of the 2.x dialect, and {word} ($.variables.a) of 1.x\n"
        "  expected: one dialect in a flow"
    ]


def test_what_stands_around_an_expression_is_no_word_of_a_dialect(load: Load) -> None:
    source = f"""\
tasks:
- {{id: t, type: flow.Loop, values: [1], tasks: [{LOG}]}}
- id: u
  type: log.Log
  message: |
    get("{{{{ flow.id }}}}").json()
    print(open("{{{{ flow.id }}}}").read() | json)
"""
    flow = load(HEAD + source).require()

    assert flow.dialect == "2.x"
    assert [str(problem) for problem in differences(flow, "flow.yaml")] == [
        "flow.yaml:4:17: `flow.Loop`: 1.x does not know it, `flow.ForEach` takes its place, one element at a time by default"
    ]


def test_the_functions_of_2x_may_stand_in_a_flow_of_1x(load: Load) -> None:
    each = f"tasks: [{{id: t, type: flow.ForEach, values: [1], tasks: [{LOG}]}}]\n"
    source = f"variables: {{a: \"{{{{ loopOutputs(x, 'y') }}}}\"}}\n{each}"

    assert load(HEAD + source).require().dialect == "1.x"


def test_an_older_name_of_a_type_is_listed(load: Load) -> None:
    source = "tasks: [{id: a, type: io.kestra.core.tasks.log.Log, message: hi}]\n"
    flow = load(HEAD + source).require()

    assert (flow.dialect, spoken(flow)) == ("both", "1.x")
    assert [str(one) for one in differences(flow, "flow.yaml")] == [
        "flow.yaml:3:23: `io.kestra.core.tasks.log.Log`: 2.x does not know this older name of a type"
    ]


def test_an_older_word_for_a_state_is_listed(load: Load) -> None:
    exits = "tasks: [{id: a, type: io.kestra.plugin.core.execution.Exit, state: CANCELED}]\n"
    flow = evolve(load(HEAD + TASKS).require(), source=HEAD + exits)

    assert [str(one) for one in differences(flow, "flow.yaml")] == [
        "flow.yaml:3:68: `CANCELED`: 2.x calls it `CANCELLED`"
    ]


def test_what_means_something_else_in_the_other_dialect_is_listed_with_its_place(load: Load) -> None:
    source = f"""\
tasks:
- id: t
  type: io.kestra.plugin.core.flow.ForEach
  values: "{{{{ inputs.x | json }}}}"
  tasks:
  - {LOG}
- {{id: u, type: log.Log, message: "{{{{ read('x') }}}}"}}
triggers:
- id: w
  type: trigger.Flow
  conditions: [{{type: condition.Weekend}}]
"""
    found = differences(load(HEAD + source).require(), "flow.yaml")

    assert [str(problem) for problem in found] == [
        "flow.yaml:5:9: `io.kestra.plugin.core.flow.ForEach`: 2.x refuses it, `flow.Loop` takes its place",
        "flow.yaml:6:11: the filter `json`: 2.x does not know it, `toJson` takes its place",
        "flow.yaml:9:35: the function `read`: 2.x gives the bytes of a file of rows: put `fromIon()` around it",
        "flow.yaml:13:3: `conditions`: 2.x refuses it, `when` takes its place",
    ]
    assert {(problem.severity, problem.kind) for problem in found} == {("info", "dialect")}


def test_of_a_flow_of_both_nothing_is_listed(load: Load) -> None:
    assert differences(load(HEAD + TASKS).require(), "flow.yaml") == ()


@pytest.mark.parametrize(
    ("expression", "dialect"),
    [("x | json", "1.x"), ("json(x)", "1.x"), ("loopOutputs(x, 'y')", "2.x"), ("isWeekend(x)", "2.x"), ("read(x)", "both"), ("x", "both")],
)
def test_words_inside_expressions_count_too_when_somebody_asks(expression: str, dialect: str, load: Load) -> None:
    flow = load(f"{HEAD}variables: {{a: '{{{{ {expression} }}}}'}}\n".replace("'y'", "''y''") + TASKS).require()

    assert (flow.dialect, spoken(flow)) == ("both", dialect)
