"""ForEachItem, run whole: a file divided, an execution for each batch, their outputs put together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.app import App
from core.host.views import ExecutionFilter
from core.testing import FlowRun, run_flow, temporary_app

CHILD = """
id: child
namespace: company.team
inputs:
  - {id: items, type: STRING}
  - {id: number, type: INT}
tasks:
  - id: take
    type: io.kestra.plugin.core.debug.Return
    format: "{{ inputs.number }}:{{ read(inputs.items) }}"
outputs:
  - {id: taken, type: STRING, value: "{{ outputs.take.value }}"}
"""
EACH = """
  - id: each
    type: io.kestra.plugin.core.flow.ForEachItem
    items: "{{ inputs.data }}"
    namespace: company.team
    flowId: child
    inputs: {items: "{{ taskrun.items }}", number: "{{ taskrun.iteration }}"}
"""
PARENT = "id: parent\nnamespace: company.team\ninputs:\n  - {id: data, type: FILE}\ntasks:" + EACH


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    (tmp_path / "child.yaml").write_text(CHILD, "utf-8")
    with temporary_app() as made:
        made.flows.look_in(tmp_path)
        yield made


def given(tmp_path: Path, text: str) -> dict[str, str]:
    data = tmp_path / "data.txt"
    data.write_text(text, "utf-8")
    return {"data": str(data)}


def merged(run: FlowRun, uri: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in run.files[uri].splitlines()]


def test_each_batch_is_an_execution_and_their_outputs_become_one_file(app: App, tmp_path: Path) -> None:
    flow = PARENT + "    batch: {rows: 2}\n"

    run = run_flow(flow, given(tmp_path, "a\nb\nc\nd\ne\n"), app=app)

    assert run.state == "SUCCESS"
    assert list(run.tasks) == ["each", "each_split", "each_items", "each_merge"]
    outputs = [{"taken": "0:a\nb\n"}, {"taken": "1:c\nd\n"}, {"taken": "2:e\n"}]
    assert run.tasks["each_items"].output == {"numberOfBatches": 3, "iterations": {"SUCCESS": 3}, "outputs": outputs}
    assert merged(run, run.tasks["each_merge"].output["subflowOutputs"]) == outputs


def test_in_a_loop_each_value_has_batches_of_its_own(app: App, tmp_path: Path) -> None:
    flow = PARENT.replace("tasks:", "tasks:\n  - id: loop\n    type: flow.ForEach\n    values: [1, 2]\n    tasks:")
    flow = flow.replace(EACH, EACH.replace("\n", "\n    ")) + "    batch: {rows: '{{ taskrun.value }}'}\n"

    run = run_flow(flow.replace("{{ taskrun.value }}", "{{ parent.taskrun.value }}"), given(tmp_path, "a\nb\n"), app=app)

    taken = {one.value: one.output["outputs"] for one in run.task_executions if one.task == "each_items"}
    assert taken == {"1": [{"taken": "0:a\n"}, {"taken": "1:b\n"}], "2": [{"taken": "0:a\nb\n"}]}
    files = {one.value: one.output["subflowOutputs"] for one in run.task_executions if one.task == "each_merge"}
    assert {value: merged(run, uri) for value, uri in files.items()} == taken


def test_an_empty_file_has_no_batches(app: App, tmp_path: Path) -> None:
    run = run_flow(PARENT, given(tmp_path, ""), app=app)

    assert run.state == "SUCCESS"
    assert run.tasks["each_split"].output["count"] == 0
    assert run.tasks["each_items"].output is None
    assert run.tasks["each_merge"].output == {"subflowOutputs": None}


def test_without_wait_executions_count_as_successful_when_they_have_begun(app: App, tmp_path: Path) -> None:
    run = run_flow(PARENT + "    wait: false\n", given(tmp_path, "a\nb\n"), app=app)

    output = run.tasks["each_items"].output
    assert (output["numberOfBatches"], output["iterations"]) == (2, {"SUCCESS": 2})
    children = app.executions.list(ExecutionFilter(flow_id=("child",))).data
    assert {child.state for child in children} == {"SUCCESS"}


def test_a_failed_batch_fails_the_task_and_the_others_still_run(app: App, tmp_path: Path) -> None:
    flow = PARENT.replace("taskrun.iteration", "taskrun.iteration == 1 ? 'no number' : 7")

    run = run_flow(flow, given(tmp_path, "a\nb\nc\n"), app=app)

    assert run.state == "FAILED"
    assert "each_merge" not in run.tasks
    assert run.tasks["each_items"].output["iterations"] == {"SUCCESS": 2}
    assert run.tasks["each_items"].output["numberOfBatches"] == 3


def test_files_of_other_executions_stay_closed(app: App, tmp_path: Path) -> None:
    mine = run_flow(PARENT, given(tmp_path, "a\n"), app=app)
    flow = "id: thief\nnamespace: company.team\ntasks:\n  - id: steal\n    type: debug.Return\n    format: "
    uri = mine.tasks["each_split"].output["splits"]

    run = run_flow(flow + f"\"{{{{ read('{uri}') }}}}\"\n", app=app)

    assert run.state == "FAILED"
    assert "does not belong to this execution" in run.tasks["steal"].error
