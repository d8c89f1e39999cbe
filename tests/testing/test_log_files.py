"""`logToFile`: the lines of a task in a file of its execution, shown with the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from core.app import App
from core.sdk import RunContext, RunnableTask, TaskFailed, prop
from core.testing import run_flow, temporary_app


class Talks(RunnableTask, type="test.Talks"):
    """Says something."""

    ends: str = prop("How it ends.", default="well")

    def run(self, ctx: RunContext) -> object:
        ctx.log.info(f"said ä {ctx.secret('word')}")
        ctx.log.debug("two\nlines")
        if self.ends == "badly":
            raise TaskFailed("no")
        if self.ends == "later" and ctx.waited is None:
            return ctx.wait(for_=timedelta(milliseconds=10))
        return None


FLOW = """
id: talking
namespace: company.team
tasks:
  - {id: recorded, type: test.Talks}
  - {id: filed, type: test.Talks, logToFile: true}
"""
SAID = (("INFO", "said ä ••••"), ("DEBUG", "two\nlines"))


@pytest.fixture
def app() -> Iterator[App]:
    with temporary_app(Talks, secrets={"word": "hush-hush"}) as made:
        yield made


def test_the_lines_are_in_a_file_and_shown_after_the_others(app: App) -> None:
    run = run_flow(FLOW, app=app)

    (uri,) = app.executions.tasks(run.id)[1].log_uris
    lines = [json.loads(line) for line in run.files[uri].splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == list(SAID)
    assert app.records.logs("default", run.id, "filed", ("INFO", "DEBUG"), 0, 9) == ()
    assert (run.logs, run.tasks["filed"].logs) == (SAID + SAID, SAID)


def test_levels_tasks_and_pages_hold_for_them_too(app: App) -> None:
    run = run_flow(FLOW, app=app)

    shown = app.executions.logs(run.id, level="INFO")
    assert [(line.task_name, line.level, line.attempt) for line in shown] == [
        ("recorded", "INFO", 1), ("filed", "INFO", 1),
    ]  # fmt: skip
    assert [line.message for line in app.executions.logs(run.id, after=shown[0].seq)] == [
        "two\nlines", "said ä ••••", "two\nlines",
    ]  # fmt: skip
    assert [line.message for line in app.executions.logs(run.id, after=shown[1].seq)] == ["two\nlines"]
    assert app.executions.logs(run.id, after=app.executions.logs(run.id)[-1].seq) == ()


def test_a_failed_attempt_says_why_in_its_file_and_each_attempt_has_its_own(app: App) -> None:
    retry = "retry: {type: constant, interval: PT0.01S, maxAttempts: 2}"
    task = f"{{id: t, type: test.Talks, ends: badly, logToFile: true, {retry}}}"
    run = run_flow(f"id: talking\nnamespace: company.team\ntasks:\n  - {task}\n", app=app)

    assert len(app.executions.tasks(run.id)[0].log_uris) == 2
    assert run.tasks["t"].logs == (*SAID, ("ERROR", "no")) * 2


def test_an_attempt_that_cannot_begin_says_why_in_its_file(app: App) -> None:
    task = "{id: t, type: test.Talks, logToFile: true, timeout: '{{ nothing }}'}"
    run = run_flow(f"id: talking\nnamespace: company.team\ntasks:\n  - {task}\n", app=app)

    assert run.tasks["t"].logs[0][0] == "ERROR"


def test_each_call_of_a_task_that_waits_has_its_own(app: App) -> None:
    task = "{id: t, type: test.Talks, ends: later, logToFile: true}"
    run = run_flow(f"id: talking\nnamespace: company.team\ntasks:\n  - {task}\n", app=app)

    assert (run.state, run.tasks["t"].logs) == ("SUCCESS", SAID + SAID)


def test_members_of_a_working_directory_have_files_too(app: App) -> None:
    flow = "id: talking\nnamespace: company.team\ntasks:\n  - id: dir\n    type: flow.WorkingDirectory\n    tasks:\n"
    run = run_flow(flow + "      - {id: t, type: test.Talks, logToFile: true}\n", app=app)

    assert (run.state, run.tasks["t"].logs) == ("SUCCESS", SAID)


def test_where_the_file_is_gone_the_other_lines_are_shown(app: App) -> None:
    run = run_flow(FLOW, app=app)
    app.storage.delete_tree("default", "company/team/talking")

    assert tuple((line.level, line.message) for line in app.executions.logs(run.id)) == SAID
