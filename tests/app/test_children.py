"""Executions that call others, when people act on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.app import App
from core.host.views import ExecutionFilter, ExecutionView

CHILD = "id: child\nnamespace: n\ntasks:\n  - {id: wait, type: flow.Pause}\n  - {id: say, type: debug.Return, format: x}\n"
PARENT = """\
id: parent
namespace: n
tasks:
  - {id: sub, type: flow.Subflow, namespace: n, flowId: child}
  - {id: after, type: debug.Return, format: "{{ outputs.sub.state }}"}
  - {id: last, type: debug.Return, format: "{{ outputs.after.value }}"}
"""


def called(app: App) -> ExecutionView:
    """The newest child execution."""
    return app.executions.list(ExecutionFilter(flow_id=("child",))).data[0]


def test_whoever_resumes_a_child_goes_on_with_its_parent_to_the_end(app: App) -> None:
    app.flows.push(CHILD)
    for _ in range(20):  # the child is let go of and the parent taken while nothing is owned: a race, once
        parent = app.run(PARENT)
        assert parent.state == "RUNNING"
        app.executions.resume(called(app).id)
        assert app.executions.run(called(app).id).state == "SUCCESS"
        assert app.executions.get(parent.id).state == "SUCCESS"
    assert app.outputs.value(f"{parent.id}/last") == {"value": "SUCCESS"}


def test_a_replay_from_a_call_starts_a_child_of_its_own(app: App, tmp_path: Path) -> None:
    app.flows.push(CHILD.replace("flow.Pause", "log.Log, message: hi"))
    parent = app.run(PARENT)
    first = called(app)

    replayed = app.executions.run(app.executions.replay(parent.id, from_task="sub").id)

    assert (replayed.state, replayed.original_id) == ("SUCCESS", parent.id)
    assert (called(app).parent_id, first.parent_id) == (replayed.id, parent.id)


def test_a_replay_behind_a_call_starts_none(app: App) -> None:
    app.flows.push(CHILD.replace("flow.Pause", "log.Log, message: hi"))
    parent = app.run(PARENT)
    first = called(app)

    replayed = app.executions.run(app.executions.replay(parent.id, from_task="after").id)

    assert replayed.state == "SUCCESS"
    assert app.outputs.value(f"{replayed.id}/after") == {"value": "SUCCESS"}
    assert called(app).id == first.id


def test_a_restart_of_the_parent_is_one_of_the_child(app: App) -> None:
    app.flows.push("id: child\nnamespace: n\ntasks: [{id: t, type: debug.Return, format: \"{{ kv('word') }}\"}]\n")
    parent = app.run(PARENT)
    assert parent.state == "FAILED"
    first = called(app)
    app.kv.set("n", "word", "x")

    app.executions.restart(parent.id)

    assert app.executions.run(parent.id).state == "SUCCESS"
    assert (called(app).id, called(app).state) == (first.id, "SUCCESS")


def test_what_is_stale_runs_again_with_what_follows_from_it(app: App) -> None:
    run = app.run(
        "id: f\nnamespace: n\ntasks:\n"
        '  - {id: a, type: debug.Return, format: "{{ execution.id }}"}\n'
        '  - {id: b, type: debug.Return, format: "{{ outputs.a.value }} {{ execution.id }}"}\n'
        '  - {id: c, type: debug.Return, format: "{{ execution.id }}"}\n'
        '  - {id: d, type: debug.Return, format: "{{ outputs.b.value }}"}\n'
    )
    app.records.mark_stale(app.outputs.get(f"{run.id}/a").id, 1)

    again = app.executions.run(app.executions.replay(run.id, stale=True).id)

    values = {task.task_name: app.outputs.value(task.id)["value"] for task in app.executions.tasks(again.id)}
    both = f"{run.id} {again.id}"
    assert values == {"a": run.id, "b": both, "c": run.id, "d": both}
    assert {task.stale_since for task in app.executions.tasks(again.id)} == {None}


FAILS = "id: child\nnamespace: n\ntasks: [{id: a, type: execution.Fail, allowFailure: ALLOWED}]\n"


@pytest.mark.parametrize(("allowed", "level", "state"), [("false", "ERROR", "FAILED"), ("true", "WARN", "WARNING")])
def test_the_log_of_a_call_says_which_execution_did_not_end_well(
    app: App, allowed: str, level: str, state: str
) -> None:
    app.flows.push(FAILS.replace("ALLOWED", allowed))
    parent = app.run(PARENT)

    (line,) = app.executions.logs(parent.id, task_name="sub")
    assert (line.level, line.message) == (level, f"the execution {called(app).id} ended {state}")


LOOP = """\
id: loop
namespace: n
tasks:
  - id: again
    type: flow.LoopUntil
    logLevel: LEVEL
    condition: "false"
    checkFrequency: {interval: PT0.01S, maxIterations: 2}
    tasks: [{id: t, type: output.OutputValues, values: {a: 1}}]
"""


@pytest.mark.parametrize(("level", "said"), [("WARN", [("WARN", "Max iterations reached")]), ("ERROR", [])])
def test_a_loop_that_reaches_its_limit_warns(app: App, level: str, said: list[tuple[str, str]]) -> None:
    ended = app.run(LOOP.replace("LEVEL", level))

    assert ended.state == "SUCCESS"
    assert [(line.level, line.message) for line in app.executions.logs(ended.id)] == said


def test_a_switch_without_a_case_says_so(app: App) -> None:
    switch = "{id: s, type: flow.Switch, value: x, cases: {a: [{id: t, type: log.Log, message: m}]}}"
    ended = app.run(f"id: f\nnamespace: n\ntasks: [{switch}]")

    assert ended.state == "FAILED"
    assert [(line.level, line.message) for line in app.executions.logs(ended.id)] == [
        ("WARN", "No task found on flow 'n.f', task 's'"), ("ERROR", "no case is `x`, and there are no defaults"),
    ]  # fmt: skip


TAKES = """\
id: child
namespace: n
inputs:
  - {id: text, type: STRING, required: false}
  - {id: deep.text, type: STRING, required: false}
  - {id: list, type: JSON, required: false}
tasks: [{id: t, type: debug.Return, format: x}]
"""
GIVES = """\
id: parent
namespace: n
inputs: [{id: at, type: DATETIME, defaults: "2024-01-31T10:00:00Z"}]
tasks:
  - id: sub
    type: flow.Subflow
    namespace: n
    flowId: child
    inputs: {text: "{{ {'a': [1, true]} }}", deep: {text: "{{ inputs.at }}"}, list: "{{ [1, true] }}"}
    labels: {flag: "{{ 1 == 1 }}", map: "{{ {'a': 1} }}", at: "{{ inputs.at }}"}
"""


def test_texts_of_a_child_are_what_an_expression_writes(app: App) -> None:
    app.flows.push(TAKES)
    assert app.run(GIVES).state == "SUCCESS"

    child = called(app)
    at = "2024-01-31T10:00:00Z"
    assert child.inputs == {"text": '{"a":[1,true]}', "deep": {"text": at}, "list": [1, True]}
    own = {name: value for name, value in child.labels.items() if not name.startswith("system.")}
    assert own == {"flag": "true", "map": '{"a":1}', "at": at}


OUTPUT = """\
id: child
namespace: n
tasks: [{id: say, type: debug.Return, format: x}]
outputs: [{id: o, type: STRING, value: "{{ kv('key') }}"}]
"""


def test_a_child_of_which_no_task_failed_goes_on_to_its_end_again_with_its_parent(app: App) -> None:
    app.flows.push(OUTPUT)
    parent = app.run(PARENT)
    assert (parent.state, called(app).state) == ("FAILED", "FAILED")
    app.kv.set("n", "key", "value")
    app.executions.restart(parent.id)

    assert app.executions.run(parent.id).state == "SUCCESS"
    assert called(app).outputs == {"o": "value"}
    assert [task.task_name for task in app.executions.tasks(called(app).id)] == ["say"]


LIMITED = """\
id: child
namespace: n
concurrency: {limit: 1, behavior: FAIL}
tasks: [{id: wait, type: flow.Sleep, duration: PT0.2S}]
"""


def test_a_child_that_never_began_begins_when_its_parent_is_restarted(app: App) -> None:
    app.flows.push(LIMITED)
    parent = app.run(
        "id: parent\nnamespace: n\ntasks:\n- id: both\n  type: flow.Parallel\n  tasks:\n"
        "  - {id: a, type: flow.Subflow, namespace: n, flowId: child}\n"
        "  - {id: b, type: flow.Subflow, namespace: n, flowId: child}\n"
    )
    assert parent.state == "FAILED"
    app.executions.restart(parent.id)

    assert app.executions.run(parent.id).state == "SUCCESS"
