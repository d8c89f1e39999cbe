"""Logs, metrics, state, templates, sleep, and what can't be done yet."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.app import App
from core.host.views import ExecutionFilter
from core.sdk import Invalid, WaitRequest
from core.testing import run_flow, run_task, temporary_app
from core.testing.plain_context import PlainContext
from tailrace_essentials.flow import Sleep
from tailrace_essentials.log import Fetch
from tailrace_essentials.trigger import Toggle
from tests.waiting import until


@pytest.fixture
def app() -> Iterator[App]:
    with temporary_app() as made:
        yield made


# Logs

FETCH = """
id: fetch
namespace: company.team
tasks:
  - {id: first, type: log.Log, message: [one, two]}
  - {id: second, type: log.Log, message: three, level: WARN}
  - {id: third, type: debug.Return, format: a}
  - {id: fetch, type: io.kestra.core.tasks.log.Fetch, %s}
"""


@pytest.mark.parametrize(
    ("how", "messages"),
    [
        ("level: INFO", ["one", "two", "three"]),
        ("level: WARN", ["three"]),
        ("level: DEBUG", ["one", "two", "three", "a"]),
        ("tasksId: [second, third]", ["three"]),
        ('executionId: "{{ execution.id }}", namespace: company.team, flowId: fetch', ["one", "two", "three"]),
    ],
)
def test_fetch_writes_recorded_lines(app: App, how: str, messages: list[str]) -> None:
    run = run_flow(FETCH % how, app=app)
    assert (run.state, run.tasks["fetch"].error) == ("SUCCESS", "")
    output = run.tasks["fetch"].output
    rows = [json.loads(line) for line in run.files[output["uri"]].splitlines()]
    assert ([row["message"] for row in rows], output["size"]) == (messages, len(messages))
    assert rows[0].keys() == {"timestamp", "level", "taskId", "attemptNumber", "message", "executionId"}
    assert (rows[-1]["executionId"], rows[-1]["attemptNumber"]) == (run.id, 0)


def test_fetch_of_a_flow_it_does_not_belong_to(app: App) -> None:
    run = run_flow(FETCH % 'executionId: "{{ execution.id }}", namespace: a, flowId: b', app=app)
    assert run.tasks["fetch"].error == f"there is no execution {run.id} of the flow a.b"


def test_fetch_reads_long_logs_in_pages(tmp_path: Path) -> None:
    ctx = PlainContext(tmp_path)
    line = {"level": "INFO", "taskId": "a", "message": "x"}
    ctx.executions.lines["execution"] = [line, {**line, "level": "DEBUG"}]
    assert Fetch().run(ctx).size == 1


@pytest.mark.parametrize(
    ("which", "count", "left"),
    [
        ("", 3, 0),
        ("namespace: company", 3, 0),
        ("namespace: comp", 0, 3),
        ("namespace: company\n    flowId: talk", 0, 3),
        ("namespace: company.team\n    flowId: talk", 3, 0),
        ("flowId: talk", 3, 0),
        ("executionId: nope", 0, 3),
        ("logLevels: [WARN, ERROR]", 1, 2),
        ("purgeExecutionLogs: false", 0, 3),
        ("startDate: \"{{ now() | dateAdd(1, 'HOURS') }}\"", 0, 3),
    ],
)
def test_purge_of_logs(app: App, which: str, count: int, left: int) -> None:
    talk = (FETCH % "level: INFO").replace("id: fetch\nnamespace", "id: talk\nnamespace").replace("third", "fourth")
    talk = "\n".join(line for line in talk.splitlines() if "debug" not in line and "Fetch" not in line)
    talked = run_flow(talk, app=app)
    purge = f"id: purge\nnamespace: other\ntasks:\n  - id: purge\n    type: log.PurgeLogs\n    endDate: \"{{{{ now() | dateAdd(1, 'DAYS') }}}}\"\n    {which}\n"
    run = run_flow(purge, app=app)
    assert (run.state, run.tasks["purge"].output) == ("SUCCESS", {"count": count})
    assert len(app.executions.logs(talked.id)) == left


# Metrics


def test_metrics_are_recorded_and_given() -> None:
    metrics = [
        {"type": "counter", "name": "rows", "value": "{{ 1 + 2 }}", "tags": {"of": "table"}, "description": "read"},
        {"type": "timer", "name": "took", "value": "PT1.5S"},
        {"type": "timer", "name": "took", "value": 2},
        {"type": "gauge", "name": "heat", "value": 21.5},
    ]
    run = run_task({"type": "metric.Publish", "metrics": metrics})
    assert run.error == ""
    assert [(one.name, one.kind, one.value, dict(one.tags)) for one in run.metrics] == [
        ("rows", "counter", 3.0, {"of": "table"}), ("took", "timer", 1.5, {}), ("took", "timer", 2.0, {}),
        ("heat", "gauge", 21.5, {}),
    ]  # fmt: skip
    assert run.output["metrics"][0] == {
        "type": "counter", "name": "rows", "value": 3.0, "tags": {"of": "table"}, "description": "read",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["counter", "gauge"])
def test_only_a_timer_has_a_duration(kind: str) -> None:
    run = run_task({"type": "metric.Publish", "metrics": [{"type": kind, "name": "rows", "value": "{{ 'PT1S' }}"}]})
    assert (run.error, run.metrics) == (
        f"$.metrics[0]: the value of a {kind} is a duration\n  expected: a number, or `type: timer`", (),
    )  # fmt: skip


# State

STATE = """
id: Counting
namespace: company.team
tasks:
  - {id: set, type: io.kestra.core.tasks.states.Set, data: {%s}}
  - {id: get, type: state.Get}
  - {id: shared, type: state.Get, namespace: true, name: other}
"""


def test_state_is_merged_and_kept_for_the_next_execution(app: App) -> None:
    first = run_flow(STATE % "a: 1, b: 2", app=app)
    assert (first.state, first.tasks["set"].output) == ("SUCCESS", {"count": 2, "key": "Counting_states_default"})
    second = run_flow(STATE % "b: 3, c: '{{ 2 * 2 }}'", app=app)
    assert second.tasks["get"].output == {"count": 3, "data": {"a": 1, "b": 3, "c": "4"}}
    assert second.tasks["shared"].output == {"count": 0, "data": {}}
    assert app.kv.get("company.team", "Counting_states_default").value == {"a": 1, "b": 3, "c": "4"}


def test_state_is_forgotten(app: App) -> None:
    run_flow(STATE % "a: 1", app=app)
    tasks = "  - {id: one, type: state.Delete}\n  - {id: two, type: state.Delete}\n"
    tasks += "  - {id: three, type: state.Delete, errorOnMissing: true}\n"
    run = run_flow("id: Counting\nnamespace: company.team\ntasks:\n" + tasks, app=app)
    assert [run.tasks[name].output for name in ("one", "two")] == [{"deleted": True}, {"deleted": False}]
    assert run.tasks["three"].error == (
        "nothing is remembered under the name `default`\n  to do: state.Set remembers values"
    )


def test_state_that_is_missing_can_fail_the_task() -> None:
    assert run_task({"type": "state.Get", "name": "x", "errorOnMissing": True}).error == (
        "nothing is remembered under the name `x`\n  to do: state.Set remembers values"
    )


def test_each_value_of_a_loop_has_a_state_of_its_own() -> None:
    def key(value: str, **more: object) -> str:
        run = run_task({"type": "state.Set", "data": {"a": 1}, **more}, variables={"taskrun": {"value": value}})
        assert run.error == ""
        return str(run.output["key"])

    assert key("a") != key("b")
    assert key("a", taskrunValue=False) == key("b", taskrunValue=False) == "run_task_states_default"
    assert key("a", namespace=True, name="n").startswith("states_n_")


# Templates


def templated(spec: str) -> dict[str, object]:
    return {"type": "io.kestra.core.tasks.templating.TemplatedTask", "spec": spec}


def test_a_templated_task_runs_in_place_of_it() -> None:
    spec = "id: inner\ntype: {{ inputs.type }}\nformat: '{{ inputs.n + 1 }}'\n"
    run = run_task(templated(spec), inputs={"type": "debug.Return", "n": 1})
    assert (run.error, run.output) == ("", {"value": "2"})
    assert [(metric.name, metric.value) for metric in run.metrics] == [("length", 1.0)]


def test_its_values_keep_their_types_and_its_expressions_are_rendered() -> None:
    spec = "type: output.OutputValues\nvalues:\n  n: 5\n  late: {% raw %}'{{ task.id }}'{% endraw %}\n"
    assert run_task(templated(spec)).output == {"values": {"n": 5, "late": "task"}}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("just text", "$.spec: `spec` is not the YAML of a task\n  expected: a map with a `type`"),
        ("id: a", "$.type: the task has no `type`\n  expected: the type of a task"),
        ("type: flow.Sequential", "$.type: flow.Sequential is not a task that can run"),
        (
            "type: templating.TemplatedTask\nspec: a",
            "$.spec: The templated task cannot be of type 'templating.TemplatedTask'",
        ),
        (
            "type: log.Log\nmessage: a\ntimeout: PT1S",
            "$.timeout: `timeout` can't be given here\n  to do: write it on the task around this one",
        ),
        ("type: log.Log", "$: `message` is missing\n  expected: a text or a list of texts"),
    ],
)
def test_a_template_that_is_no_task_is_told(spec: str, message: str) -> None:
    assert run_task(templated(spec)).error == message


# Sleep


def test_sleep_waits_and_says_so(app: App) -> None:
    began = time.monotonic()
    run = run_flow("id: slow\nnamespace: a\ntasks:\n  - {id: sleep, type: flow.Sleep, duration: PT0.1S}\n", app=app)
    assert 0.1 <= time.monotonic() - began < 5
    assert (run.state, run.tasks["sleep"].logs) == ("SUCCESS", (("INFO", "Waiting for PT0.1S"),))


def test_it_gives_its_thread_back(tmp_path: Path) -> None:
    ctx = PlainContext(tmp_path)
    assert Sleep(duration=timedelta(hours=1)).run(ctx) == WaitRequest(wait_for=timedelta(hours=1))
    ctx.waited = {}
    assert Sleep(duration=timedelta(hours=1)).run(ctx) is None


def test_a_stop_ends_it_at_once(app: App) -> None:
    def stop() -> None:
        until(lambda: app.executions.list(ExecutionFilter(state=("RUNNING",))).data)
        app.executions.interrupt()

    stopper = threading.Thread(target=stop)
    stopper.start()
    run = run_flow("id: slow\nnamespace: a\ntasks:\n  - {id: sleep, type: flow.Sleep, duration: PT1H}\n", app=app)
    stopper.join()
    assert (run.state, run.tasks["sleep"].state) == ("KILLED", "KILLED")


def test_a_timeout_ends_it(app: App) -> None:
    flow = "id: slow\nnamespace: a\ntasks:\n  - {id: sleep, type: flow.Sleep, duration: PT1H, timeout: PT0.1S}\n"
    run = run_flow(flow, app=app)
    assert (run.state, run.tasks["sleep"].error) == ("FAILED", "Timeout: the task took longer than 0.1 s")


def test_less_than_no_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        Sleep(duration=timedelta(seconds=-1)).run(PlainContext(tmp_path))
    assert str(caught.value) == (
        "$.duration: the duration is less than no time\n  expected: a duration such as PT30S"
    )


# Triggers


def test_a_trigger_is_switched_on_and_off(tmp_path: Path) -> None:
    ctx = PlainContext(tmp_path)
    Toggle(trigger="hourly", enabled=True).run(ctx)
    Toggle(trigger="daily").run(ctx)
    assert ctx.executions.switched == {"hourly": True, "daily": False}
    assert ctx.log.lines[-1] == ("INFO", "the trigger `daily` is switched off")


TRIGGERS = "triggers:\n  - {id: t, type: trigger.Schedule, cron: '0 0 * * *'}\n"


@pytest.mark.parametrize(("where", "why"), [
    ("trigger: x", "the flow n.f has no trigger `x`\n  expected: one of: t"),
    ("trigger: x, flowId: other", "the flow n.other has no trigger `x`\n  expected: one of: none"),
    ("trigger: t, flowId: gone", "there is no flow n.gone"),
    ("trigger: t, namespace: elsewhere", "there is no flow elsewhere.f"),
])  # fmt: skip
def test_a_trigger_that_is_not_there_can_not_be_switched(app: App, where: str, why: str) -> None:
    app.flows.push("id: other\nnamespace: n\ntasks: [{id: a, type: log.Log, message: hi}]\n")
    flow = f"id: f\nnamespace: n\ntasks:\n  - {{id: a, type: trigger.Toggle, {where}}}\n{TRIGGERS}"
    run = run_flow(flow, app=app)
    assert (run.state, run.tasks["a"].error) == ("FAILED", why)


def test_what_was_switched_is_recorded_with_the_result(app: App) -> None:
    flow = "id: f\nnamespace: n\ntasks:\n  - {id: a, type: trigger.Toggle, trigger: t, enabled: %s}\n" + TRIGGERS
    for enabled, disabled in (("true", 0), ("false", 1)):
        assert run_flow(flow % enabled, app=app).state == "SUCCESS"
        with sqlite3.connect(app.settings.home / "records.db") as connection:
            found = connection.execute("SELECT namespace, flow_id, trigger_id, disabled FROM triggers").fetchall()
        connection.close()
        assert found == [("n", "f", "t", disabled)]
