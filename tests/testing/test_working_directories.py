"""Working directories, run whole."""

from __future__ import annotations

from core.testing import run_flow

HEAD = "id: f\nnamespace: a.b\ntasks:\n"


def test_one_whose_tasks_are_all_disabled_succeeds() -> None:
    run = run_flow(
        f"{HEAD}- id: directory\n  type: flow.WorkingDirectory\n  inputFiles: {{a.txt: hello}}\n  outputFiles: ['*.txt']\n"
        "  tasks: [{id: left, type: execution.Fail, disabled: true}]\n"
        "- {id: read, type: debug.Return, format: \"{{ read(outputs.directory.outputFiles['a.txt']) }}\"}\n"
    )

    assert [(one.task, one.state) for one in run.task_executions] == [("directory", "SUCCESS"), ("read", "SUCCESS")]
    assert run.tasks["read"].output == {"value": "hello"}


def test_each_task_runs_once_whatever_its_retry_says() -> None:
    retry = "retry: {type: constant, interval: PT0.01S, maxAttempts: 3}"
    run = run_flow(
        f"{HEAD}- id: directory\n  type: flow.WorkingDirectory\n  tasks:\n  - {{id: bad, type: execution.Fail, {retry}}}\n"
    )

    assert [(one.task, one.state, one.attempts) for one in run.task_executions] == [
        ("directory", "FAILED", 1), ("bad", "FAILED", 1),
    ]  # fmt: skip


def test_why_one_failed_is_said_once_although_its_blocks_run_before_it_ends() -> None:
    run = run_flow(
        f"{HEAD}- id: directory\n  type: flow.WorkingDirectory\n  tasks: [{{id: bad, type: execution.Fail}}]\n"
        "  errors: [{id: told, type: log.Log, message: told}]\n"
    )

    assert run.logs == (("ERROR", "Task failure"), ("ERROR", "the task `bad` failed"), ("INFO", "told"))


def test_one_that_waits_for_longer_than_its_time_limit_fails() -> None:
    run = run_flow(
        f"{HEAD}- id: directory\n  type: flow.WorkingDirectory\n"
        "  tasks: [{id: long, type: flow.Sleep, duration: PT1M, timeout: PT0.05S}, {id: next, type: log.Log, message: hi}]\n"
    )

    assert [(one.task, one.state) for one in run.task_executions] == [("directory", "FAILED"), ("long", "FAILED")]
    assert run.tasks["long"].error == "Timeout: the task took longer than 0.05 s"


def test_what_is_wrong_in_one_is_told_with_its_place_in_the_flow() -> None:
    run = run_flow(
        f"{HEAD}- id: directory\n  type: flow.WorkingDirectory\n"
        '  tasks: [{id: bad, type: debug.Return, format: "{{ nope }}"}]\n'
    )

    told = "$.format, line 6, column 49: `nope` is undefined\n"
    assert run.tasks["bad"].error.startswith(told)
    assert [message[: len(told)] for _, message in run.logs] == [told, "the task `bad` failed"]
