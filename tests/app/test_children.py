"""Executions that call others, when people act on them."""

from __future__ import annotations

from pathlib import Path

import pytest

import core.app.executions
from core.app import App
from core.host.records import ChildRow
from core.host.views import ExecutionFilter, ExecutionView, Happening, TaskLogged

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


GIVEN = """\
id: child
namespace: n
inputs:
  - {id: a, type: INT}
checks:
  - {condition: "{{ inputs.a < 5 }}", message: that is many, style: WARNING, behavior: CREATE_EXECUTION}
tasks:
  - {id: say, type: debug.Return, format: "{{ inputs.a }}"}
"""
UNDECLARED = "n.child: `b` is not an input of this flow; it is left out"


def logged(app: App, execution: ExecutionView) -> list[tuple[str | None, str, str]]:
    return [(line.task_name, line.level, line.message) for line in app.executions.logs(execution.id)]


def test_what_creating_a_child_warns_about_is_in_the_log_of_the_task_that_called_it(app: App) -> None:
    app.flows.push(GIVEN)
    told: list[Happening] = []
    call = "{id: sub, type: flow.Subflow, namespace: n, flowId: child, inputs: {a: 5, b: 1}}"
    parent = app.run(f"id: parent\nnamespace: n\ntasks:\n  - {call}\n", follow=told.append)

    warnings = [("sub", "WARN", UNDECLARED), ("sub", "WARN", "n.child: that is many")]
    assert logged(app, parent) == warnings
    heard = [one.message for one in told if isinstance(one, TaskLogged) and one.level == "WARN"]
    assert heard == [text for _, _, text in warnings]
    assert parent.state == "SUCCESS"


def test_a_warning_that_all_children_of_a_task_share_is_said_once(app: App, tmp_path: Path) -> None:
    app.flows.push(GIVEN)
    (tmp_path / "items.txt").write_text("1\n2\n7\n", "utf-8")
    parent = app.run(
        """\
id: parent
namespace: n
inputs: [{id: items, type: FILE}]
tasks:
  - {id: sub, type: flow.ForEachItem, namespace: n, flowId: child, items: "{{ inputs.items }}", batch: {rows: 1},
     inputs: {a: "{{ taskrun.iteration == 2 ? 7 : 1 }}", b: 1}}
""",
        {"items": str(tmp_path / "items.txt")},
    )

    assert parent.state == "SUCCESS"
    assert logged(app, parent) == [
        ("sub_items", "WARN", UNDECLARED), ("sub_items", "WARN", "n.child: that is many"),
    ]  # fmt: skip


def test_a_task_that_logs_errors_only_is_silent_about_its_child(app: App) -> None:
    app.flows.push(GIVEN)
    call = "{id: sub, type: flow.Subflow, namespace: n, flowId: child, logLevel: ERROR, inputs: {a: 1, b: 1}}"
    assert logged(app, app.run(f"id: parent\nnamespace: n\ntasks:\n  - {call}\n")) == []


def test_a_child_that_ends_while_its_parent_is_killed_is_no_reason_to_stop(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.flows.push(CHILD)
    parent = app.run(PARENT)

    def unfinished(rows: tuple[ChildRow, ...]) -> tuple[ChildRow, ...]:
        for row in rows:
            app.executions.kill(row.execution_id)
        return rows

    monkeypatch.setattr(core.app.executions, "unfinished", unfinished)
    app.executions.kill(parent.id)
    assert (app.executions.get(parent.id).state, called(app).state) == ("KILLED", "KILLED")
