"""`flow.Loop` of the 2.x dialect, run whole: `item`, and outputs of the same iteration by plain name."""

from __future__ import annotations

import pytest

from core.testing import FlowRun, run_flow

FLOW = """
id: looping
namespace: company.team
inputs:
  - {id: given, type: STRING, defaults: '["a"]'}
tasks:
  - id: loop
    type: io.kestra.plugin.core.flow.Loop
    values: VALUES
    tasks:
      - {id: say, type: debug.Return, format: "{{ item.index }}={{ item.value }}"}
      - {id: again, type: debug.Return, format: "FORMAT"}
"""
NESTED = """
id: looping
namespace: company.team
tasks:
  - {id: before, type: debug.Return, format: before}
  - id: outer
    type: flow.Loop
    values: [x, x]
    tasks:
      - {id: above, type: debug.Return, format: "{{ item.value }}{{ item.index }}"}
      - id: inner
        type: flow.Loop
        values: {one: 1, two: 2}
        tasks:
          - id: together
            type: flow.Sequential
            tasks:
              - id: below
                type: debug.Return
                format: >-
                  {{ outputs.before.value }} {{ outputs.above.value }} {{ item.key }}={{ item.value }}
                  {{ item.parent.value }}{{ item.parents[0].index }}
              - {id: last, type: debug.Return, format: "{{ outputs.below.value }}!"}
"""


def run(values: str, format: str = "{{ outputs.say.value }}!", given: str | None = None) -> FlowRun:
    flow = FLOW.replace("VALUES", values).replace("FORMAT", format)
    return run_flow(flow, {} if given is None else {"given": given})


def said(found: FlowRun, task: str) -> list[str]:
    texts = [one.output["value"] for one in found.task_executions if one.task == task]
    return sorted(texts)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("[a, b]", ["0=a!", "1=b!"]),
        ("[a, a, a]", ["0=a!", "1=a!", "2=a!"]),
        ("['a #1', a, a]", ["0=a #1!", "1=a!", "2=a!"]),
        ("[1, {k: v}]", ["0=1!", '1={"k":"v"}!']),
        ("[]", []),
        ("\"{{ ['p', 'q'] | toJson }}\"", ["0=p!", "1=q!"]),
    ],
)
def test_each_element_is_an_iteration_of_its_own(values: str, expected: list[str]) -> None:
    found = run(values)

    assert (found.state, said(found, "again")) == ("SUCCESS", expected)


def test_the_entries_of_a_map_have_keys() -> None:
    assert said(run("{k: v, l: [1]}", "{{ item.key }}:{{ item.value }}"), "again") == ["k:v", "l:[1]"]
    assert said(run('"{{ inputs.given }}"', "{{ item.key }}", '{"m": 1}'), "again") == ["m"]


def test_without_a_map_there_is_no_key() -> None:
    assert said(run("[a]", "{{ item.key ?? 'none' }}"), "again") == ["none"]


def test_what_is_neither_list_nor_map_fails_the_loop() -> None:
    found = run('"{{ inputs.given }}"', given="some words")

    assert (found.state, found.tasks["loop"].error) == (
        "FAILED", "the values are neither a list nor a map: some words",
    )  # fmt: skip


def test_a_file_that_the_execution_may_not_read_fails_the_loop() -> None:
    found = run('"{{ fromJson(inputs.given).file }}"', given='{"file": "kestra:///some/file.txt"}')

    assert found.state == "FAILED"
    assert "the file `kestra:///some/file.txt` does not belong to this execution" in found.tasks["loop"].error


def test_loops_in_loops_see_the_items_around_them() -> None:
    found = run_flow(NESTED)

    assert found.state == "SUCCESS"
    assert said(found, "last") == [
        "before x0 one=1 x0!", "before x0 two=2 x0!", "before x1 one=1 x1!", "before x1 two=2 x1!",
    ]  # fmt: skip


def test_members_of_a_working_directory_see_the_item_and_each_other() -> None:
    flow = FLOW.split("    tasks:")[0].replace("VALUES", "[a, a]") + """
    tasks:
      - id: dir
        type: flow.WorkingDirectory
        tasks:
          - {id: say, type: debug.Return, format: "{{ item.value }}{{ item.index }}"}
          - {id: again, type: debug.Return, format: "{{ outputs.say.value }}!"}
"""
    assert said(run_flow(flow), "again") == ["a0!", "a1!"]


def test_outside_of_such_a_loop_there_is_no_item() -> None:
    flow = FLOW.replace("VALUES", "[a]").replace("flow.Loop", "flow.ForEach").replace("item.index", "item.value")

    assert run_flow(flow.replace("FORMAT", "x")).state == "FAILED"
