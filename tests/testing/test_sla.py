"""Promises of flows, run whole: `sla` with its kinds and behaviours."""

from __future__ import annotations

import pytest

from core.host.views import ExecutionFilter
from core.testing import FlowRun, run_flow, temporary_app

FLOW = """
id: promised
namespace: company.team
inputs:
  - {id: word, type: STRING, defaults: "OK"}
sla:
  - id: condition
    type: EXECUTION_ASSERTION
    assert: "{{ inputs.word == 'OK' }}"
    behavior: BEHAVIOR
    labels: {sla: violated}
tasks:
  - id: first
    type: io.kestra.plugin.core.debug.Return
    format: "{{ inputs.word }}"
  - id: second
    type: io.kestra.plugin.core.debug.Return
    format: "{{ labels.sla ?? 'kept' }}"
"""
LAST = """
id: promised
namespace: company.team
sla:
  - id: result
    type: EXECUTION_ASSERTION
    assert: "{{ outputs.only.value == 'good' }}"
    behavior: FAIL
tasks:
  - id: only
    type: io.kestra.plugin.core.debug.Return
    format: VALUE
afterExecution:
  - id: afterwards
    type: io.kestra.plugin.core.debug.Return
    format: "{{ execution.state }}"
"""
SLOW = """
id: promised
namespace: company.team
sla:
  - id: quick
    type: MAX_DURATION
    duration: PT0.2S
    behavior: BEHAVIOR
    labels: {sla: violated}
tasks:
  - id: slow
    type: io.kestra.plugin.core.flow.Sleep
    duration: SPAN
"""


def run(flow: str, word: str = "OK") -> tuple[FlowRun, dict[str, str]]:
    with temporary_app() as app:
        found = run_flow(flow, {"word": word} if "inputs:" in flow else {}, app=app)
        labels = app.executions.get(found.id).labels
        return found, {name: value for name, value in labels.items() if not name.startswith("system.")}


@pytest.mark.parametrize("behavior", ["FAIL", "CANCEL", "NONE"])
def test_a_kept_assertion_changes_nothing(behavior: str) -> None:
    found, labels = run(FLOW.replace("BEHAVIOR", behavior))

    assert (found.state, found.error, labels) == ("SUCCESS", "", {})
    assert found.tasks["second"].output == {"value": "kept"}


@pytest.mark.parametrize(
    ("behavior", "state", "word"), [("FAIL", "FAILED", "failed"), ("CANCEL", "CANCELLED", "cancelled")]
)
def test_a_broken_assertion_ends_the_execution(behavior: str, state: str, word: str) -> None:
    found, labels = run(FLOW.replace("BEHAVIOR", behavior), "wrong")

    reason = f"Execution {word} due to SLA 'condition' violated: assertion is false: {{{{ inputs.word == 'OK' }}}}."
    assert (found.state, found.error, labels) == (state, reason, {"sla": "violated"})
    assert ("ERROR", reason) in found.logs


def test_a_broken_assertion_may_only_label_the_execution() -> None:
    found, labels = run(FLOW.replace("BEHAVIOR", "NONE"), "wrong")

    assert (found.state, labels) == ("SUCCESS", {"sla": "violated"})


def test_an_assertion_sees_what_the_last_task_gave() -> None:
    good, _ = run(LAST.replace("VALUE", "good"))
    bad, _ = run(LAST.replace("VALUE", "bad"))

    assert (good.state, good.tasks["afterwards"].output) == ("SUCCESS", {"value": "SUCCESS"})
    assert (bad.state, bad.tasks["afterwards"].output) == ("FAILED", {"value": "FAILED"})
    assert bad.error == (
        "Execution failed due to SLA 'result' violated: assertion is false: {{ outputs.only.value == 'good' }}."
    )


def test_an_assertion_that_cannot_be_rendered_is_left_aside_and_said_once() -> None:
    found, _ = run(LAST.replace("outputs.only.value == 'good'", "outputs.nothing.value").replace("VALUE", "x"))

    warnings = [message for level, message in found.logs if level == "WARN"]
    assert found.state == "SUCCESS"
    assert [line.split(":")[0] for line in warnings] == [
        "the SLA `result` is not looked at while its assertion can't be rendered"
    ]


@pytest.mark.parametrize(
    ("behavior", "state", "word"), [("FAIL", "FAILED", "failed"), ("CANCEL", "CANCELLED", "cancelled")]
)
def test_an_execution_that_takes_too_long_is_ended(behavior: str, state: str, word: str) -> None:
    found, labels = run(SLOW.replace("BEHAVIOR", behavior).replace("SPAN", "PT20S"))

    reason = f"Execution {word} due to SLA 'quick' violated: execution duration exceeds the maximum duration of PT0.2S."
    assert (found.state, found.error, labels) == (state, reason, {"sla": "violated"})


def test_an_execution_that_takes_too_long_may_only_be_labelled() -> None:
    found, labels = run(SLOW.replace("BEHAVIOR", "NONE").replace("SPAN", "PT0.6S"))

    assert (found.state, labels) == ("SUCCESS", {"sla": "violated"})


def test_the_time_of_an_execution_counts_over_a_pause_and_a_new_owner() -> None:
    flow = SLOW.replace("BEHAVIOR", "FAIL").replace("SPAN", "PT20S").replace("PT0.2S", "PT1S")
    flow = flow.replace("tasks:", "tasks:\n  - {id: pause, type: flow.Pause}")
    with temporary_app() as app:
        paused = run_flow(flow, app=app)
        assert (paused.state, paused.error) == ("PAUSED", "")

        app.executions.resume(paused.id)
        ended = app.executions.run(paused.id)

    assert ended.state == "FAILED"
    assert (ended.ended_at or 0) - ended.created_at < 5_000_000


CALLS = """
id: calls
namespace: company.team
sla: [{id: time, type: MAX_DURATION, duration: PT0.2S, behavior: FAIL}]
tasks: [{id: sub, type: flow.Subflow, namespace: company.team, flowId: called}]
"""
CALLED = "id: called\nnamespace: company.team\ntasks: [{id: nap, type: flow.Sleep, duration: PT1S}]\n"


def test_a_broken_promise_leaves_the_executions_that_were_called_to_themselves() -> None:
    with temporary_app() as app:
        app.flows.push(CALLED)
        run = run_flow(CALLS, app=app)
        (called,) = app.executions.list(ExecutionFilter(flow_id=("called",))).data

    assert (run.state, run.tasks["sub"].state) == ("FAILED", "FAILED")
    assert called.state == "SUCCESS"
