"""`outputs`, `fetchType` and `breakWhen` of `flow.Loop`, run whole: what each iteration gives, and when it is the last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.app import App
from core.testing import FlowRun, run_flow, temporary_app

FLOW = """
id: looping
namespace: company.team
inputs:
  - {id: given, type: STRING, defaults: "[]"}
tasks:
  - id: loop
    type: io.kestra.plugin.core.flow.Loop
    values: VALUES
    concurrencyLimit: 1
    outputs:
      - {id: said, type: STRING, value: "{{ outputs.say.value }}/{{ item.index }}"}
      - {id: length, type: INT, value: "{{ item.value | length }}"}
MORE
    tasks:
      - {id: say, type: debug.Return, format: "{{ item.value }}!"}
  - {id: said, type: debug.Return, format: "{{ loopOutputs(outputs.loop.outputs ?? [], 'said') | toJson }}"}
"""


def run(values: str, more: str = "", given: str = "[]", app: App | None = None) -> FlowRun:
    lines = "\n".join(f"    {line}" for line in more.splitlines())
    return run_flow(FLOW.replace("VALUES", values).replace("MORE", lines), {"given": given}, app=app)


def entry(value: str, number: int, outputs: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    return {"item": {"value": value, "iteration": number, "key": key}, "outputs": outputs}


def counted(**states: int) -> dict[str, Any]:
    return {
        "iterationCount": sum(states.values()), "runningIterations": 0, "terminatedIterations": states,
    }  # fmt: skip


def test_each_iteration_gives_its_typed_outputs_in_the_order_of_the_values() -> None:
    found = run("[a, bb]")

    assert found.tasks["loop"].output == {
        **counted(SUCCESS=2),
        "outputs": [
            entry("a", 0, {"said": "a!/0", "length": 1}), entry("bb", 1, {"said": "bb!/1", "length": 2}),
        ],
    }  # fmt: skip
    assert found.tasks["said"].output == {"value": '["a!/0","bb!/1"]'}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("[]", []),
        ("{k: v}", [entry("v", 0, {"said": "v!/0", "length": 1}, "k")]),
        ("[a, a]", [entry("a", 0, {"said": "a!/0", "length": 1}), entry("a", 1, {"said": "a!/1", "length": 1})]),
    ],
)
def test_the_item_of_an_iteration_stands_beside_its_outputs(values: str, expected: list[Any]) -> None:
    assert run(values).tasks["loop"].output["outputs"] == expected


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_whatever_the_limit_nothing_is_lost(limit: int) -> None:
    found = run_flow(
        FLOW.replace("VALUES", "[a, b, c, d, e]").replace("MORE", "").replace("Limit: 1", f"Limit: {limit}")
    )

    assert found.tasks["said"].output == {"value": '["a!/0","b!/1","c!/2","d!/3","e!/4"]'}


def test_a_file_of_lines_is_looped_over_and_what_comes_of_it_is_stored(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("one\ntwo\r\n\nfour\n", "utf-8")
    flow = FLOW.replace("type: STRING, defaults: \"[]\"", "type: FILE").replace("VALUES", '"{{ inputs.given }}"')

    found = run_flow(flow.replace("MORE", ""), {"given": str(tmp_path / "data.txt")})

    output = found.tasks["loop"].output
    assert output == {**counted(SUCCESS=4), "uri": output["uri"]}
    assert [json.loads(line) for line in found.files[output["uri"]].splitlines()] == [
        entry("one", 0, {"said": "one!/0", "length": 3}), entry("two", 1, {"said": "two!/1", "length": 3}),
        entry("", 2, {"said": "!/2", "length": 0}), entry("four", 3, {"said": "four!/3", "length": 4}),
    ]  # fmt: skip


def test_fetch_type_says_where_outputs_go(tmp_path: Path) -> None:
    stored = run("[a]", "fetchType: STORE").tasks["loop"].output
    assert (sorted(stored), stored["uri"].rpartition("/")[2]) == (
        ["iterationCount", "runningIterations", "terminatedIterations", "uri"], "outputs.jsonl",
    )  # fmt: skip

    (tmp_path / "data.txt").write_text("one", "utf-8")
    flow = FLOW.replace("type: STRING, defaults: \"[]\"", "type: FILE").replace("VALUES", '"{{ inputs.given }}"')
    fetched = run_flow(flow.replace("MORE", "    fetchType: FETCH"), {"given": str(tmp_path / "data.txt")})
    assert fetched.tasks["said"].output == {"value": '["one!/0"]'}


def test_later_tasks_can_read_the_stored_file() -> None:
    flow = FLOW.replace("VALUES", "[a]").replace("MORE", "    fetchType: STORE")
    flow += '  - {id: read, type: debug.Return, format: "{{ read(outputs.loop.uri) }}"}\n'

    assert run_flow(flow).tasks["read"].output == {
        "value": '{"item":{"value":"a","iteration":0,"key":null},"outputs":{"said":"a!/0","length":1}}\n'
    }


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{{ item.value == 'b' }}", ["a!/0", "b!/1"]),
        ("{{ item.index == 2 }}", ["a!/0", "b!/1", "c!/2"]),
        ("{{ iteration.outputs.said == 'a!/0' }}", ["a!/0"]),
        ("{{ iteration.state == 'SUCCESS' }}", ["a!/0"]),
        ("{{ iteration.state == 'FAILED' }}", ["a!/0", "b!/1", "c!/2", "d!/3"]),
        ("{{ outputs.say.value == 'c!' }}", ["a!/0", "b!/1", "c!/2"]),
        ("true", ["a!/0"]),
        ("false", ["a!/0", "b!/1", "c!/2", "d!/3"]),
    ],
)
def test_no_iteration_begins_once_the_break_is_true(condition: str, said: list[str]) -> None:
    found = run("[a, b, c, d]", f'breakWhen: "{condition}"')

    assert json.loads(found.tasks["said"].output["value"]) == said
    assert found.tasks["loop"].output["iterationCount"] == len(said)
    assert found.state == "SUCCESS"


def test_an_iteration_that_fails_gives_nothing_and_is_counted() -> None:
    flow = FLOW.replace("VALUES", "[a, b, c]").replace("MORE", "    transmitFailed: false").replace(
        "      - {id: say", "      - {id: bad, type: execution.Fail, condition: \"{{ item.value == 'b' }}\"}\n      - {id: say"
    )
    found = run_flow(flow)

    assert found.state == "SUCCESS"
    assert found.tasks["loop"].output == {
        **counted(SUCCESS=2, FAILED=1),
        "outputs": [entry("a", 0, {"said": "a!/0", "length": 1}), entry("c", 2, {"said": "c!/2", "length": 1})],
    }


def test_a_failed_iteration_can_break_a_loop_that_does_not_transmit_it() -> None:
    more = "transmitFailed: false\nbreakWhen: \"{{ iteration.state == 'FAILED' }}\""
    flow = FLOW.replace("VALUES", "[a, b, c]").replace("MORE", "\n".join(f"    {line}" for line in more.splitlines()))
    found = run_flow(flow.replace("{id: say, type: debug.Return, format", "{id: say, type: execution.Fail, errorMessage"))

    assert found.tasks["loop"].output == {**counted(FAILED=1), "outputs": []}


OUTPUT_ERROR = "the iteration's outputs can't be typed: Invalid output for `length`, Expected `INT` but received `x` with"


@pytest.mark.parametrize(
    ("more", "state", "counts"), [("", "FAILED", counted(FAILED=1)), ("transmitFailed: false", "SUCCESS", counted(FAILED=2))]
)
def test_outputs_of_the_wrong_type_fail_their_iteration(more: str, state: str, counts: dict[str, Any]) -> None:
    lines = f"    {more}"
    flow = FLOW.replace("VALUES", "[a, b]").replace("MORE", lines).replace("{{ item.value | length }}", "x")
    found = run_flow(flow)

    assert (found.state, found.tasks["loop"].output) == (state, {**counts, "outputs": []})
    assert [level for level, message in found.logs if message.startswith(OUTPUT_ERROR)] == ["ERROR"] * counts["iterationCount"]
    assert found.tasks["loop"].error.startswith(OUTPUT_ERROR if state == "FAILED" else "")


def test_a_break_that_cannot_be_rendered_fails_the_loop_with_its_place() -> None:
    found = run("[a, b]", 'transmitFailed: false\nbreakWhen: "{{ nope.nothing }}"')

    assert (found.state, found.tasks["loop"].output["iterationCount"]) == ("FAILED", 1)
    assert found.tasks["loop"].error.startswith("$.breakWhen, line 15, column 16: ")


NESTED = """
id: looping
namespace: company.team
tasks:
  - id: outer
    type: flow.Loop
    values: [x, y]
    outputs:
      - {id: inner, type: JSON, value: "{{ loopOutputs(outputs.inner.outputs, 'both') }}"}
    tasks:
      - id: inner
        type: flow.Loop
        values: {one: 1, two: 2}
        outputs:
          - {id: both, type: STRING, value: "{{ item.parent.value }}{{ item.key }}{{ outputs.below.value }}"}
        tasks:
          - {id: below, type: debug.Return, format: "{{ item.value }}"}
"""


def test_loops_in_loops_give_theirs() -> None:
    found = run_flow(NESTED)

    assert [one["outputs"] for one in found.tasks["outer"].output["outputs"]] == [
        {"inner": ["xone1", "xtwo2"]}, {"inner": ["yone1", "ytwo2"]},
    ]  # fmt: skip


RESTARTED = """
id: looping
namespace: company.team
tasks:
  - id: loop
    type: flow.Loop
    values: [a, b, c]
    outputs: [{id: who, type: STRING, value: "{{ outputs.say.value }}"}]
    breakWhen: "{{ item.value == 'z' }}"
    concurrencyLimit: 1
    tasks:
      - {id: say, type: debug.Return, format: "{{ taskrun.id }}"}
      - {id: fail, type: execution.Fail, condition: "{{ item.value == 'b' and taskrun.attemptsCount < 1 }}"}
"""


def given(app: App, execution_id: str) -> tuple[list[str], list[str]]:
    """What the iterations gave, and what they should have given."""
    says = [task.id for task in app.executions.tasks(execution_id) if task.task_name == "say"]
    output = app.outputs.value(f"{execution_id}/loop")
    return [app.outputs.value(one)["value"] for one in says], [one["outputs"]["who"] for one in output["outputs"]]


def test_a_restart_keeps_what_kept_iterations_gave() -> None:
    with temporary_app() as app:
        failed = run_flow(RESTARTED, app=app)
        assert failed.tasks["loop"].output == {**counted(SUCCESS=1, FAILED=1), "outputs": failed.tasks["loop"].output["outputs"]}
        app.executions.restart(failed.id)
        assert app.executions.run(failed.id).state == "SUCCESS"
        says, said = given(app, failed.id)
        assert (said, len(said)) == (says, 3)


def replayed(app: App, flow: str) -> tuple[list[str], list[str], list[str]]:
    """From `b` of three: what the iterations gave, what they should have given, and what those of the origin gave."""
    origin = run_flow(flow.replace("'b' and", "'q' and"), app=app)
    derived = app.executions.replay(origin.id, from_task="say", value="b")
    assert app.executions.run(derived.id).state == "SUCCESS"
    return *given(app, derived.id), given(app, origin.id)[1]


def test_a_replay_from_one_value_asks_that_iteration_anew_and_keeps_the_others() -> None:
    with temporary_app() as app:
        says, said, before = replayed(app, RESTARTED.replace("concurrencyLimit: 1", "concurrencyLimit: 3"))
        assert (said[0], said[2]) == (before[0], before[2])
        assert (sorted(said), said[1] != before[1]) == (sorted(says), True)


def test_where_they_run_one_after_another_those_behind_are_asked_anew_too() -> None:
    with temporary_app() as app:
        says, said, before = replayed(app, RESTARTED)
        assert said == says
        assert [one == other for one, other in zip(said, before, strict=True)] == [True, False, False]
