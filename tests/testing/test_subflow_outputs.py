"""`outputs` written on a Subflow (deprecated): rendered in the context of the execution that was called."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.testing import FlowRun, run_flow, temporary_app

CHILD = """
id: child
namespace: company.team
inputs:
  - {id: word, type: STRING}
tasks:
  - id: said
    type: io.kestra.plugin.core.debug.Return
    format: "{{ inputs.word }}!"
  - id: loop
    type: flow.ForEach
    values: [1, 2]
    tasks:
      - {id: each, type: debug.Return, format: "{{ taskrun.value }}"}
"""
PARENT = """
id: parent
namespace: company.team
tasks:
  - id: call
    type: io.kestra.plugin.core.flow.Subflow
    namespace: company.team
    flowId: child
    inputs: {word: hello}
    outputs:
      said: "{{ outputs.said.value }} {{ inputs.word }} {{ execution.state }}"
      second: "{{ outputs.each['2'].value }}"
  - id: read
    type: io.kestra.plugin.core.debug.Return
    format: "{{ outputs.call.outputs.said }}"
"""


def run(folder: Path, child: str = CHILD, parent: str = PARENT) -> FlowRun:
    (folder / "child.yaml").write_text(child, "utf-8")
    with temporary_app() as app:
        app.flows.look_in(folder)
        return run_flow(parent, app=app)


def test_they_are_rendered_in_the_context_of_the_child_when_it_has_ended(tmp_path: Path) -> None:
    found = run(tmp_path)

    output = found.tasks["call"].output
    assert (found.state, output["state"]) == ("SUCCESS", "SUCCESS")
    assert output["outputs"] == {"said": "hello! hello SUCCESS", "second": "2"}
    assert found.tasks["read"].output == {"value": "hello! hello SUCCESS"}


def test_outputs_of_the_flow_itself_go_before_them(tmp_path: Path) -> None:
    found = run(tmp_path, CHILD + 'outputs:\n  - {id: said, type: STRING, value: "own"}\n')

    assert found.tasks["call"].output["outputs"] == {"said": "own"}


def test_what_cannot_be_rendered_fails_the_task(tmp_path: Path) -> None:
    found = run(tmp_path, parent=PARENT.replace("outputs.said.value", "outputs.nothing.value"))

    assert (found.state, found.tasks["call"].state) == ("FAILED", "FAILED")
    assert found.tasks["call"].error.startswith(
        "Failed to extract outputs with the error: '`outputs.nothing` is undefined"
    )


@pytest.mark.parametrize(("transmit", "state"), [("true", "FAILED"), ("false", "SUCCESS")])
def test_a_failed_child_has_them_too(tmp_path: Path, transmit: str, state: str) -> None:
    child = CHILD + "  - {id: fail, type: io.kestra.plugin.core.execution.Fail}\n"

    found = run(tmp_path, child, PARENT.replace("    inputs:", f"    transmitFailed: {transmit}\n    inputs:"))

    assert (found.tasks["call"].state, found.tasks["call"].output["outputs"]["second"]) == (state, "2")
