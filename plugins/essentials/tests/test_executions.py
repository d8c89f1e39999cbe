from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.app import App
from core.host.records import NewExecution
from core.sdk import Conflict, ExecutionState, Invalid, NotFound
from core.testing import run_flow, run_task, temporary_app
from core.testing.plain_context import PlainContext
from tailrace_essentials.executions import Count, FlowName, PurgeExecutions, Resume

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
ONE = "id: one\nnamespace: company.team\ntasks:\n  - {id: write, type: storage.Write, content: a}\n"
TWO = "id: two\nnamespace: company.team.sub\ntasks:\n  - {id: fail, type: execution.Fail}\n"


@pytest.fixture
def app() -> Iterator[App]:
    with temporary_app() as made:
        yield made


@pytest.fixture
def ctx(tmp_path: Path) -> PlainContext:
    made = PlainContext(tmp_path, variables={})
    made.executions.known.update({
        "paused": ExecutionState("PAUSED", "tests", "one"),
        "failed": ExecutionState("FAILED", "tests", "one"),
        "below": ExecutionState("SUCCESS", "tests.sub", "two"),
    })  # fmt: skip
    return made


# Resume


def test_resume_names_an_execution_or_means_its_own(ctx: PlainContext) -> None:
    Resume(execution_id="paused", inputs={"a": 1}).run(ctx)
    Resume(execution_id="paused", namespace="tests", flow_id="one").run(ctx)
    Resume().run(ctx)
    assert ctx.executions.resumed == {"paused": {}, "execution": {}}


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"execution_id": "nope"}, NotFound, "there is no execution nope"),
        ({"execution_id": "failed"}, Conflict, "the execution failed is not paused, it is FAILED"),
        (
            {"namespace": "tests", "flow_id": "one"}, Invalid,
            "`namespace` and `flowId` say nothing without `executionId`\n  expected: executionId",
        ),
        (
            {"execution_id": "paused", "flow_id": "one"}, Invalid,
            "Both `namespace` and `flowId` must be set when one of them is\n  expected: both, or none",
        ),
        (
            {"execution_id": "paused", "namespace": "tests", "flow_id": "two"}, NotFound,
            "there is no execution paused of the flow tests.two",
        ),
    ],
)  # fmt: skip
def test_resume_says_what_is_wrong(ctx: PlainContext, given: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        Resume(**given).run(ctx)
    assert str(caught.value) == message


def test_resume_is_a_row_in_the_inbox_of_the_other_execution(app: App) -> None:
    app.records.create_execution(
        NewExecution("other", app.settings.organization, "company.team", "f", 1, "{}", {}, (), 1)
    )
    with app.records._db.writing():
        app.records._db.execute("UPDATE flow_executions SET state = 'PAUSED' WHERE id = 'other'")
    resume = "{id: go, type: io.kestra.plugin.core.execution.Resume, executionId: other, inputs: {n: '{{ 1 + 1 }}'}}"
    run = run_flow(f"id: wake\nnamespace: a\ntasks:\n  - {resume}\n", app=app)
    assert (run.state, run.tasks["go"].error) == ("SUCCESS", "")
    assert [row[1:] for row in app.records.unread(["other"])] == [
        ("other", "start", "{}"), ("other", "resume", '{"inputs":{"n":"2"}}'),
    ]  # fmt: skip


# Count


def test_count_of_flows_and_namespaces(app: App) -> None:
    for flow in (ONE, ONE, TWO):
        run_flow(flow, app=app)
    flows = [{"namespace": "company.team", "flowId": "one"}, {"namespace": "company.team", "flowId": "nope"}]
    count = {"type": "io.kestra.core.tasks.executions.Counts", "startDate": "2000-01-01T00:00:00Z"}
    run = run_task({**count, "flows": flows, "expression": "{{ count < 5 }}"}, app=app)
    assert run.output == {
        "results": [
            {"namespace": "company.team", "flowId": "one", "count": 2},
            {"namespace": "company.team", "flowId": "nope", "count": 0},
        ],
        "total": 2,
    }
    run = run_task({**count, "namespaces": ["company"], "expression": "{{ count > 0 }}"}, app=app)
    assert run.output == {"results": [{"namespace": "company", "flowId": None, "count": 3}], "total": 3}
    failed = {**count, "namespaces": ["company.team"], "states": ["FAILED"], "expression": "{{ count == 1 }}"}
    assert run_task(failed, app=app).output["total"] == 1
    assert run_task({**failed, "endDate": "2001-01-01T00:00:00Z"}, app=app).output == {"results": [], "total": 0}
    assert run_task({**failed, "expression": "{{ count }}"}, app=app).output == {"results": [], "total": 0}


def test_count_needs_something_to_count(ctx: PlainContext) -> None:
    with pytest.raises(Invalid) as caught:
        Count(start_date=LONG_AGO, expression="true").run(ctx)
    assert str(caught.value) == "nothing is said to be counted\n  expected: `flows` or `namespaces`"


def test_count_takes_the_namespace_of_a_flow_as_it_is(ctx: PlainContext) -> None:
    flows = [FlowName(namespace="tests", flow_id="two")]
    assert Count(flows=flows, start_date=LONG_AGO, expression="true").run(ctx).total == 0


# Purge

PURGE = """
id: purge
namespace: company
tasks:
  - id: purge
    type: io.kestra.plugin.core.execution.PurgeExecutions
    endDate: "{{ now() | dateAdd(1, 'DAYS') }}"
    %s
  - {id: next, type: debug.Return, format: a}
"""


def left(app: App) -> list[str]:
    rows = app.records._db.select("SELECT flow_id FROM flow_executions WHERE flow_id <> 'purge' ORDER BY seq")
    return [flow for (flow,) in rows]


def bytes_left(app: App) -> int:
    return len(list(app.storage.list(app.settings.organization, "company/team/one")))


def test_purge_deletes_ended_executions_with_their_files(app: App) -> None:
    for flow in (ONE, ONE, TWO):
        run_flow(flow, app=app)
    assert bytes_left(app) == 2
    run = run_flow(PURGE % "namespace: company\n    batchSize: 2", app=app)
    assert (run.state, run.tasks["purge"].error) == ("SUCCESS", "")
    assert run.tasks["purge"].output == {
        "executionsCount": 3, "logsCount": 1, "metricsCount": 0, "storagesCount": 2,
    }  # fmt: skip
    assert (left(app), bytes_left(app)) == ([], 0)
    assert app.records.doomed_files(app.settings.organization, 9) == ()


@pytest.mark.parametrize(
    ("which", "flows"),
    [
        ("namespace: company.team\n    flowId: one", ["two"]),
        ("namespace: company.team.sub", ["one"]),
        ("flowId: two", ["one"]),
        ("states: [FAILED]", ["one"]),
        ("states: [KILLED]", ["one", "two"]),
        ("namespace: comp", ["one", "two"]),
        ("startDate: \"{{ now() | dateAdd(1, 'HOURS') }}\"", ["one", "two"]),
        ("", []),
    ],
)
def test_purge_takes_only_what_is_said(app: App, which: str, flows: list[str]) -> None:
    for flow in (ONE, TWO):
        run_flow(flow, app=app)
    run = run_flow(PURGE % which, app=app)
    assert (run.state, run.tasks["purge"].output["executionsCount"]) == ("SUCCESS", 2 - len(flows))
    assert left(app) == flows


def test_purge_of_logs_and_files_leaves_the_executions(app: App) -> None:
    one, two = run_flow(ONE, app=app), run_flow(TWO, app=app)
    run = run_flow(PURGE % "purgeExecution: false\n    purgeMetric: false", app=app)
    assert run.tasks["purge"].output == {
        "executionsCount": 0, "logsCount": 1, "metricsCount": 0, "storagesCount": 1,
    }  # fmt: skip
    assert (left(app), bytes_left(app)) == (["one", "two"], 0)
    assert (app.executions.logs(two.id), app.outputs.value(one.tasks["write"].id)) == ((), one.tasks["write"].output)


def test_purge_of_executions_can_leave_files_and_logs(app: App) -> None:
    run_flow(ONE, app=app)
    run = run_flow(PURGE % "purgeStorage: false\n    purgeLog: false", app=app)
    assert run.tasks["purge"].output["storagesCount"] == 0
    assert (left(app), bytes_left(app)) == ([], 1)


def test_purge_has_a_batch_size(ctx: PlainContext) -> None:
    with pytest.raises(Invalid) as caught:
        PurgeExecutions(end_date=LONG_AGO, batch_size=0).run(ctx)
    assert str(caught.value) == "$.batchSize: 0 is out of range\n  expected: 1 to 1000"


def test_only_executions_that_have_ended_can_be_purged() -> None:
    run = run_task({"type": "execution.PurgeExecutions", "endDate": "2000-01-01T00:00:00Z", "states": ["RUNNING"]})
    assert run.error == (
        "$.states[0]: `RUNNING` is not one of SUCCESS, WARNING, FAILED, KILLED, CANCELLED, RETRIED\n"
        "  to do: did you mean `WARNING`?"
    )
