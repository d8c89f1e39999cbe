"""`taskCache`, run whole: what is used again, what is not, and what never fails because of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.app import App
from core.sdk import RunContext, RunnableTask, TaskFailed, TaskOutput, prop
from core.testing import FlowRun, run_flow, temporary_app

HIT = ("INFO", "its outputs were found in the cache: the task is not run")
RUNS: list[str] = []


class Counted(RunnableTask, type="test.Counted"):
    """Counts how often it runs."""

    text: str = prop("Some text.")
    ends: str = prop("How it ends.", default="well")

    class Output(TaskOutput):
        text: str = prop("The text.")
        uri: str = prop("A file with it.")

    def run(self, ctx: RunContext) -> Output:
        RUNS.append(self.text)
        if self.ends == "failed":
            raise TaskFailed("no")
        if self.ends == "warned":
            ctx.end_with_warning("hm")
        (ctx.working_dir / "file").write_text(self.text, "utf-8")
        return self.Output(text=self.text, uri=ctx.storage.put(ctx.working_dir / "file", "file.txt").uri)


FLOW = """
id: cached
namespace: company.team
inputs:
  - {id: text, type: STRING, defaults: a}
tasks:
  - id: task
    type: test.Counted
    text: "{{ inputs.text }}"
    taskCache: {enabled: true}
  - id: read
    type: io.kestra.plugin.core.debug.Return
    format: "{{ read(outputs.task.uri) }}"
"""


@pytest.fixture
def app() -> Iterator[App]:
    RUNS.clear()
    with temporary_app(Counted) as made:
        yield made


def twice(app: App, flow: str = FLOW, text: str = "a") -> tuple[FlowRun, FlowRun]:
    return run_flow(flow, app=app), run_flow(flow, {"text": text}, app=app)


def test_the_same_task_is_not_run_again_and_its_outputs_and_files_are_there(app: App) -> None:
    first, second = twice(app)

    assert RUNS == ["a"]
    assert (first.state, second.state) == ("SUCCESS", "SUCCESS")
    assert second.tasks["task"].output == first.tasks["task"].output
    assert second.tasks["task"].logs == (HIT,)
    assert (second.tasks["task"].attempts, second.tasks["read"].output) == (1, {"value": "a"})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{{ inputs.text }}", "{{ inputs.text }}!"),
        ("id: cached", "id: other"),
        ("namespace: company.team", "namespace: company.other"),
        ("id: task", "id: other"),
        ("enabled: true", "enabled: false"),
    ],
)
def test_another_task_runs(app: App, before: str, after: str) -> None:
    run_flow(FLOW, app=app)
    run_flow(FLOW.replace(before, after).replace("outputs.task", "outputs.other" if "other" in after else "outputs.task")
             if before == "id: task" else FLOW.replace(before, after), app=app)  # fmt: skip

    assert len(RUNS) == 2


def test_other_values_of_an_expression_are_another_task(app: App) -> None:
    twice(app, text="b")

    assert RUNS == ["a", "b"]


def test_each_value_of_a_loop_is_another_task(app: App) -> None:
    flow = FLOW.replace('"{{ inputs.text }}"', "same").split("  - id: read")[0].replace("\n  - id: task", (
        "\n  - id: loop\n    type: flow.ForEach\n    values: [1, 2]\n    tasks:\n  - id: task"
    ))  # fmt: skip
    head, below = flow.split("    tasks:\n")
    flow = head + "    tasks:\n" + "".join(f"    {line}\n" for line in below.splitlines())

    twice(app, flow)

    assert RUNS == ["same", "same"]


def test_a_member_of_a_working_directory_is_kept_too(app: App) -> None:
    head, below = FLOW.split("  - id: task")
    inside = "".join(f"    {line}\n" for line in ("  - id: task" + below).splitlines())

    first, second = twice(app, head + "  - id: together\n    type: flow.WorkingDirectory\n    tasks:\n" + inside)

    assert RUNS == ["a"]
    assert (second.state, second.tasks["read"].output) == ("SUCCESS", {"value": "a"})
    assert second.tasks["task"].output == first.tasks["task"].output


def test_the_time_of_a_kept_result_ends(app: App) -> None:
    short = FLOW.replace("enabled: true", "enabled: true, ttl: PT0.001S")

    twice(app, short)

    assert len(RUNS) == 2


def test_a_warning_is_kept_and_comes_back_as_success(app: App) -> None:
    first, second = twice(app, FLOW.replace("taskCache", "ends: warned\n    taskCache"))

    assert (len(RUNS), first.tasks["task"].state, second.tasks["task"].state) == (1, "WARNING", "SUCCESS")


def test_a_failure_is_not_kept(app: App) -> None:
    twice(app, FLOW.replace("taskCache", "ends: failed\n    taskCache"))

    assert len(RUNS) == 2


def test_where_a_kept_file_is_gone_the_task_runs(app: App) -> None:
    first = run_flow(FLOW, app=app)
    app.storage.delete_tree(app.settings.organization, "company/team/cached")

    second = run_flow(FLOW, app=app)

    assert (len(RUNS), second.state) == (2, "SUCCESS")
    assert second.tasks["read"].output == {"value": "a"}
    assert first.tasks["task"].output["uri"] != second.tasks["task"].output["uri"]


def test_a_cache_that_is_broken_fails_no_task(app: App) -> None:
    run_flow(FLOW, app=app)
    app.records._db.execute("UPDATE kept_results SET result_json = 'x'")

    second = run_flow(FLOW, app=app)

    errors = [message.split(":")[0] for level, message in second.logs if level == "ERROR"]
    assert (len(RUNS), second.state) == (2, "SUCCESS")
    assert errors == ["the task's outputs can't be looked up in the cache"]


def test_a_task_that_changes_the_execution_is_never_left_out(app: App) -> None:
    flow = """
id: set
namespace: company.team
tasks:
  - {id: set, type: execution.SetVariables, variables: {a: 1}, taskCache: {enabled: true}}
  - {id: label, type: execution.Labels, labels: {b: 2}, taskCache: {enabled: true}}
  - {id: seen, type: debug.Return, format: "{{ vars.a }}{{ labels.b }}"}
"""
    for _ in range(2):
        assert run_flow(flow, app=app).tasks["seen"].output == {"value": "12"}
    assert [str(problem) for problem in app.flows.check(flow)[1]] == [
        "<flow>:5:64: `taskCache` has no effect on a task that changes the execution itself\n  to do: leave it out",
        "<flow>:6:57: `taskCache` has no effect on a task that changes the execution itself\n  to do: leave it out",
    ]
