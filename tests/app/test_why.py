"""`executions why`: what an execution waits for, said from its rows."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.app import App
from core.errors import Conflict
from core.host.views import ExecutionView, Reason
from core.testing.apps import temporary_app
from core.testing.executor_tasks import TASKS
from tests.waiting import PATIENCE, until

Created = Callable[[str], ExecutionView]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@contextmanager
def running(app: App, execution: ExecutionView) -> Iterator[None]:
    """Another thread works on it; it is killed at the end."""
    thread = threading.Thread(target=app.executions.run, args=(execution.id,))
    thread.start()
    try:
        yield
    finally:
        if app.executions.is_owned(execution.id):
            app.executions.kill(execution.id)
        thread.join(PATIENCE)
        assert not thread.is_alive()


def told(app: App, execution: ExecutionView, state: str) -> list[str]:
    """Why it stands where it stands, times left out, once it is in a state."""
    until(lambda: app.executions.get(execution.id).state == state)
    return [TIME.sub("TIME", reason.text) for reason in app.executions.why(execution.id)]


def test_what_nobody_has_begun(app: App, created: Created) -> None:
    execution = created("tasks: [{id: t, type: log.Log, message: hi}]")
    assert app.executions.why(execution.id) == (
        Reason("it was created and nobody has begun to work on it", ("executions", "resume", execution.id)),
    )
    app.executions.resume(execution.id)
    assert app.executions.run(execution.id).state == "SUCCESS"


def test_of_many_failures_some_are_told_and_the_others_counted(app: App, created: Created) -> None:
    fails = "{id: t, type: execution.Fail, allowFailure: true}"
    execution = created(f"tasks: [{{id: each, type: flow.ForEach, values: '{{{{ range(1, 30) }}}}', tasks: [{fails}]}}]")
    app.executions.run(execution.id)
    found = told(app, execution, "WARNING")
    assert found[:2] == ["it has ended: WARNING", "t [1] WARNING: Task failure"]
    assert found[20:] == ["… and 11 more"]


def test_a_task_that_runs(app: App, created: Created, tmp_path: Path) -> None:
    execution = created(f"tasks: [{{id: t, type: testing.Hold, until: '{tmp_path}/gate'}}]")
    with running(app, execution):
        assert told(app, execution, "RUNNING") == ["t is running since TIME"]
        with pytest.raises(Conflict) as caught:
            app.executions.resume(execution.id)
        assert str(caught.value) == f"nothing of the execution {execution.id} waits for a person: it is RUNNING"


def test_a_retry_at_a_time(app: App, created: Created) -> None:
    retry = "{type: constant, interval: PT1H, maxAttempt: 5}"
    execution = created(f"tasks: [{{id: t, type: testing.Break, how: value, retry: {retry}}}]")
    with running(app, execution):
        (reason,) = told(app, execution, "RETRYING")
    assert re.fullmatch(r"t failed: the task type testing.Break has an error of its own: ValueError: not my day\n.*\n?.*"
                        r"; attempt 2 of 5 begins at TIME", reason)  # fmt: skip


def test_a_retry_of_the_flow_around_the_task(app: App, created: Created) -> None:
    retry = "{type: constant, interval: PT1H, maxAttempt: 3}"
    execution = created(f"retry: {retry}\ntasks: [{{id: t, type: execution.Fail}}]")
    with running(app, execution):
        assert told(app, execution, "RETRYING")[0].endswith("; attempt 2 of 3 begins at TIME")


@pytest.mark.parametrize(
    ("pause", "then"),
    [
        ("pauseDuration: PT1H", "then it goes on"),
        ("pauseDuration: PT1H, behavior: FAIL", "then it fails"),
        ("pauseDuration: PT1H, behavior: CANCEL", "then the execution is cancelled"),
        ("timeout: PT1H", "then it fails"),
    ],
)
def test_a_pause_that_ends_by_itself(app: App, created: Created, pause: str, then: str) -> None:
    execution = created(f"tasks: [{{id: wait, type: flow.Pause, {pause}}}]")
    with running(app, execution):
        assert told(app, execution, "PAUSED") == [f"wait waits for a person, or until TIME: {then}"]


def test_the_next_round_of_a_loop(app: App, created: Created) -> None:
    loop = "tasks: [{id: in, type: log.Log, message: hi}], checkFrequency: {interval: PT1H}"
    execution = created(f"tasks: [{{id: again, type: flow.LoopUntil, condition: '{{{{ false }}}}', {loop}}}]")
    with running(app, execution):
        assert told(app, execution, "PAUSED") == ["again begins round 2 at TIME"]


def test_what_a_loop_waits_for_is_told_up_to_a_number(app: App, created: Created) -> None:
    body = "tasks: [{id: each, type: flow.ForEach, values: '{{ range(1, 50) }}', concurrencyLimit: 0, tasks: [%s]}]"
    execution = created(body % "{id: wait, type: flow.Pause}")
    assert app.executions.run(execution.id).state == "PAUSED"
    reasons = app.executions.why(execution.id)
    assert (len(reasons), reasons[-1].text) == (21, "… and 30 more")


def test_what_has_ended_says_how(app: App, created: Created) -> None:
    execution = created("tasks: [{id: t, type: execution.Fail, errorMessage: nope}]")
    app.executions.run(execution.id)
    assert [reason.text for reason in app.executions.why(execution.id)] == ["it has ended: FAILED", "t FAILED: nope"]


def test_what_was_paused_by_somebody(app: App, created: Created, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    execution = created(
        f"tasks:\n  - {{id: t, type: testing.Hold, until: '{gate}'}}\n  - {{id: u, type: log.Log, message: hi}}"
    )
    with running(app, execution):
        told(app, execution, "RUNNING")
        app.executions.pause(execution.id)
        held = "it was paused: nothing new begins until somebody resumes it"
        assert told(app, execution, "PAUSED") == [held, "t is running since TIME"]
        gate.touch()
        until(lambda: not app.executions.is_owned(execution.id))
    assert app.executions.why(execution.id) == (Reason(held, ("executions", "resume", execution.id)),)
    app.executions.force_run(execution.id)
    assert app.executions.run(execution.id).state == "SUCCESS"


def test_a_flow_whose_plugin_is_gone_is_still_told_of(tmp_path: Path) -> None:
    with temporary_app(*TASKS) as app:
        run = app.run("id: f\nnamespace: n\ntasks:\n  - {id: t, type: testing.Say}\n  - {id: wait, type: flow.Pause}\n")
        with temporary_app() as other:
            other.settings = app.settings
            assert [reason.text for reason in other.executions.why(run.id)] == ["wait is PAUSED"]
